#include "server/commands/command_table.h"

#include <array>
#include <bit>
#include <cstring>
#include <memory>

#include "protocol/numbers.h"
#include "server/commands/key_search.h"

namespace magpie::commands {
namespace {

/// Names up to this length are looked up by the table of folded words.
constexpr std::size_t kLongestName = 24;

struct FoldedName {
  std::array<std::uint64_t, kLongestName / 8> words{};
  bool operator==(const FoldedName&) const = default;
};

/// Upper and lower case made the same by setting one bit: exact for letters, and harmless for what no name contains.
FoldedName fold(ByteView name) {
  FoldedName folded;
  std::memcpy(folded.words.data(), name.data(), name.size());
  for (std::uint64_t& word : folded.words) word |= 0x2020202020202020;
  return folded;
}

std::size_t hash(const FoldedName& name, std::size_t size) {
  const std::uint64_t mixed =
      (name.words[0] ^ std::rotl(name.words[1], 23) ^ std::rotl(name.words[2], 41) ^ size) * 0x9e3779b97f4a7c15;
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
    for (const Command* command : top_) insert(command);
  }

  const Command* find(ByteView name) const {
    if (name.empty() || name.size() > kLongestName) return nullptr;
    const FoldedName folded = fold(name);
    for (std::size_t at = hash(folded, name.size());; ++at) {
      const Place& place = index_[at & (index_.size() - 1)];
      if (place.command == nullptr) return nullptr;
      if (place.name == folded && place.command->row->name.size() == name.size()) {
        return equals_ignore_case(name, place.command->row->name) ? place.command : nullptr;
      }
    }
  }

  const std::vector<const Command*>& all() const { return all_; }
  const std::vector<const Command*>& top() const { return top_; }

 private:
  struct Place {
    FoldedName name;
    const Command* command = nullptr;
  };

  Command* add(const CommandRow& row, const Command* parent) {
    auto command = std::make_unique<Command>();
    command->row = &row;
    command->parent = parent;
    command->id = static_cast<std::uint16_t>(all_.size());
    command->full_name = parent == nullptr ? std::string(row.name) : parent->full_name + "|" + std::string(row.name);
    all_.push_back(command.get());
    owned_.push_back(std::move(command));
    Command* added = owned_.back().get();
    for (const CommandRow& sub : row.subcommands) added->subcommands.push_back(add(sub, added));
    return added;
  }

  void insert(const Command* command) {
    const FoldedName folded = fold(command->row->name);
    std::size_t at = hash(folded, command->row->name.size());
    while (index_[at & (index_.size() - 1)].command != nullptr) ++at;
    index_[at & (index_.size() - 1)] = {folded, command};
  }

  std::vector<std::unique_ptr<Command>> owned_;
  std::vector<const Command*> all_;
  std::vector<const Command*> top_;
  std::vector<Place> index_;
};

const CommandTable& table() {
  static const CommandTable instance;
  return instance;
}

}  // namespace

const Command* find_command(ByteView name) { return table().find(name); }

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
  if (keys.first == 0) return true;
  const auto count = static_cast<int>(arguments.size());
  const int last = keys.last >= 0 ? keys.last : count + keys.last;
  for (int at = keys.first; at <= last; at += keys.step) {
    if (at >= count) return false;
    positions.push_back(static_cast<std::uint32_t>(at));
  }
  return true;
}

}  // namespace magpie::commands
