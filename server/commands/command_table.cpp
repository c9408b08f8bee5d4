#include "server/commands/command_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>

#include "protocol/numbers.h"
#include "server/commands/key_search.h"

namespace magpie::commands {
namespace {

/// Names up to this length are looked up by the table of folded words.
constexpr std::size_t kWord = 8;
constexpr std::size_t kLongestName = 3 * kWord;

/// A name, or a mask for one, in words that are compared at once; padded with zeros.
using NameWords = std::array<std::uint64_t, kLongestName / kWord>;

/// `size` bytes (1 ..= 8) from `at` on, padded with zeros.
std::uint64_t load(const char* at, std::size_t size) {
  constexpr std::size_t kHalf = 4;
  if (size >= kHalf) {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    std::memcpy(&low, at, kHalf);
    std::memcpy(&high, at + size - kHalf, kHalf);
    return low | std::uint64_t{high} << (8 * (size - kHalf));  // they overlap, and agree there
  }
  const auto byte = [&](std::size_t index) {
    return std::uint64_t{static_cast<unsigned char>(at[index])} << 8 * index;
  };
  return byte(0) | byte(size / 2) | byte(size - 1);
}

NameWords words_of(ByteView name) {
  NameWords words{};
  for (std::size_t i = 0; i * kWord < name.size(); ++i) {
    words[i] = load(name.data() + i * kWord, std::min(name.size() - i * kWord, kWord));
  }
  return words;
}

/// The same for names that differ in case only.
std::size_t hash(const NameWords& name) {
  constexpr std::uint64_t kCase = 0x2020202020202020;
  const std::uint64_t mixed =
      ((name[0] | kCase) ^ std::rotl(name[1] | kCase, 23) ^ std::rotl(name[2] | kCase, 41)) * 0x9e3779b97f4a7c15;
  return static_cast<std::size_t>(mixed >> 40);
}

using Family = std::span<const CommandRow> (*)();
// clang-format off: one family a line
constexpr Family kFamilies[] = {
    string_commands,
    string_set_commands,
    string_multi_commands,
    lcs_commands,
    compare_commands,
    counter_commands,
    list_commands,
    list_search_commands,
    list_move_commands,
    key_commands,
    transfer_commands,
    object_commands,
    scan_commands,
    wait_commands,
    expiry_commands,
    database_commands,
    transaction_commands,
    connection_commands,
    client_commands,
    server_commands,
    acl_commands,
    cluster_commands,
    command_commands,
    config_commands,
    debug_commands,
    info_commands,
    latency_commands,
    log_commands,
    memory_commands,
    replication_commands,
};
// clang-format on

class CommandTable {
 public:
  CommandTable() {
    for (const Family family : kFamilies) {
      for (const CommandRow& row : family()) top_.push_back(add(row, nullptr));
    }
    index_.resize(std::bit_ceil(top_.size() * 4));
    mask_ = index_.size() - 1;
    for (const Command* command : top_) insert(command);
  }

  const Command* find(ByteView name) const {
    if (name.empty() || name.size() > kLongestName) return nullptr;
    if (name.size() <= kWord) return find_short(load(name.data(), name.size()), name.size());
    const NameWords words = words_of(name);
    for (std::size_t at = hash(words);; ++at) {
      const Place& place = index_[at & mask_];
      if (place.command == nullptr || place.is(words, name.size())) return place.command;
    }
  }

  const std::vector<const Command*>& all() const { return all_; }
  const std::vector<const Command*>& top() const { return top_; }

 private:
  /// Most names fit into one word: less is left to do for them.
  const Command* find_short(std::uint64_t word, std::size_t size) const {
    for (std::size_t at = hash({word});; ++at) {
      const Place& place = index_[at & mask_];
      const std::uint64_t different = ((word ^ place.name[0]) & place.compared[0]) | (size ^ place.size);
      if (different == 0 || place.command == nullptr) return place.command;
    }
  }

  struct Place {
    NameWords name{};
    NameWords compared{};  // the bits that must be the same: all but the case of letters
    std::size_t size = 0;
    const Command* command = nullptr;

    bool is(const NameWords& words, std::size_t length) const {
      std::uint64_t different = size ^ length;
      for (std::size_t i = 0; i < words.size(); ++i) different |= (words[i] ^ name[i]) & compared[i];
      return different == 0;
    }
  };

  Command* add(const CommandRow& row, const Command* parent) {
    auto command = std::make_unique<Command>(row, parent, all_.size());
    all_.push_back(command.get());
    owned_.push_back(std::move(command));
    Command* added = owned_.back().get();
    for (const CommandRow& sub : row.subcommands) added->subcommands.push_back(add(sub, added));
    return added;
  }

  void insert(const Command* command) {
    const std::string_view name = command->row->name;
    std::string compared(kLongestName, '\xff');
    std::ranges::transform(name, compared.begin(), [](char c) { return c >= 'a' && c <= 'z' ? '\xdf' : '\xff'; });
    const NameWords words = words_of(name);
    std::size_t at = hash(words);
    while (index_[at & mask_].command != nullptr) ++at;
    index_[at & mask_] = {words, words_of(compared), name.size(), command};
  }

  std::vector<std::unique_ptr<Command>> owned_;
  std::vector<const Command*> all_;
  std::vector<const Command*> top_;
  std::vector<Place> index_;
  std::size_t mask_ = 0;
};

const CommandTable& table() {
  static const CommandTable instance;
  return instance;
}

}  // namespace

const Command* find_command(ByteView name) { return table().find(name); }

const Command* CommandFinder::find(ByteView name) {
  if (!kShortCuts || name.empty() || name.size() > kWord) return find_command(name);
  const std::uint64_t word = load(name.data(), name.size());
  if (word != word_ || name.size() != size_) {
    word_ = word;
    size_ = name.size();
    command_ = find_command(name);
  }
  return command_;
}

const Command* find_by_full_name(ByteView name) {
  const std::size_t bar = name.find('|');
  const Command* command = find_command(name.substr(0, bar));
  if (command == nullptr || bar == ByteView::npos) return command;
  return find_subcommand(*command, name.substr(bar + 1));
}

const Command* find_subcommand(const Command& parent, ByteView name) {
  for (const Command* sub : parent.subcommands) {
    if (equals_ignore_case(sub->row->name, name)) return sub;
  }
  return nullptr;
}

const std::vector<const Command*>& all_commands() { return table().all(); }
const std::vector<const Command*>& top_level_commands() { return table().top(); }

bool key_positions(const Command& command, std::span<const ByteView> arguments, std::vector<std::uint32_t>& positions) {
  const KeySpec& keys = command.row->keys;
  if (keys.find != nullptr) return keys.find(arguments, positions);
  if (command.has(kMovableKeys) && !keys.searches.empty()) {
    std::vector<FoundKey> found;
    const bool known = find_keys(command, arguments, found);
    for (const FoundKey& one : found) positions.push_back(one.position);
    return known;
  }
  return keys.visit_range(arguments.size(), [&](std::uint32_t at) { positions.push_back(at); });
}

}  // namespace magpie::commands
