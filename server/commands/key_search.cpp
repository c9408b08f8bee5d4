#include "server/commands/key_search.h"

#include "protocol/numbers.h"
#include "server/commands/command_table.h"

namespace magpie::commands {
namespace {

/// Where the keys of the specification begin, or nothing.
std::optional<int> beginning(const KeySearch& search, std::span<const ByteView> arguments) {
  if (search.begin == KeySearch::Begin::Index) return search.index;
  const auto count = static_cast<int>(arguments.size());
  const int step = search.index < 0 ? -1 : 1;
  for (int at = search.index < 0 ? count + search.index : search.index; at > 0 && at < count; at += step) {
    if (equals_ignore_case(arguments[static_cast<std::size_t>(at)], search.keyword)) return at + 1;
  }
  return std::nullopt;
}

struct Reach {
  int first;
  int last;
};

std::optional<Reach> reach_of(const KeySearch& search, int first, std::span<const ByteView> arguments) {
  const auto count = static_cast<int>(arguments.size());
  if (search.find == KeySearch::Find::Range) {
    if (search.last >= 0) return Reach{first, first + search.last};
    if (search.limit <= 1) return Reach{first, count + search.last};
    return Reach{first, first + (count - first) / search.limit + search.last};
  }
  const int at = first + search.last;
  if (at >= count) return std::nullopt;
  const auto keys = parse_integer(arguments[static_cast<std::size_t>(at)]);
  if (!keys || *keys < 0 || *keys > count) return std::nullopt;
  first += search.first_key;
  return Reach{first, first + (static_cast<int>(*keys) - 1) * search.step};
}

}  // namespace

bool search_keys(const KeySearch& search, std::span<const ByteView> arguments, std::vector<FoundKey>& found) {
  if (search.begin == KeySearch::Begin::Unknown || search.find == KeySearch::Find::Unknown) return true;
  const auto first = beginning(search, arguments);
  if (!first) return true;
  const auto reach = reach_of(search, *first, arguments);
  const auto count = static_cast<int>(arguments.size());
  if (!reach || reach->last >= count) return false;
  for (int at = reach->first; at <= reach->last; at += search.step) {
    found.push_back({static_cast<std::uint32_t>(at), search.flags});
  }
  return true;
}

bool find_keys(const Command& command, std::span<const ByteView> arguments, std::vector<FoundKey>& found) {
  const KeySpec& keys = command.row->keys;
  if (keys.find == nullptr && !keys.searches.empty()) {
    for (const KeySearch& search : keys.searches) {
      if (!search_keys(search, arguments, found)) return false;
    }
    return true;
  }
  std::vector<std::uint32_t> positions;
  if (!key_positions(command, arguments, positions)) return false;
  const KeyFlags flags = keys.variable != nullptr ? keys.variable(arguments) : keys.flags;
  for (const std::uint32_t at : positions) found.push_back({at, flags});
  return true;
}

}  // namespace magpie::commands
