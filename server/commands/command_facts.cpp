#include "server/commands/command_facts.h"

#include <algorithm>
#include <array>

#include "protocol/numbers.h"
#include "server/commands/argument_spec.h"

namespace magpie::commands {
namespace {

struct Named {
  std::uint32_t bit;
  std::string_view name;
};

// In the order in which Redis lists them.
constexpr std::array kFlagNames{Named{kWrite, "write"},
                                Named{kReadOnly, "readonly"},
                                Named{kDenyOom, "denyoom"},
                                Named{kAdmin, "admin"},
                                Named{kPubSub, "pubsub"},
                                Named{kNoScript, "noscript"},
                                Named{kBlocking, "blocking"},
                                Named{kLoading, "loading"},
                                Named{kStale, "stale"},
                                Named{kSkipMonitor, "skip_monitor"},
                                Named{kSkipSlowlog, "skip_slowlog"},
                                Named{kAsking, "asking"},
                                Named{kFast, "fast"},
                                Named{kNoAuth, "no_auth"},
                                Named{kMayReplicate, "may_replicate"},
                                Named{kNoMandatoryKeys, "no_mandatory_keys"},
                                Named{kNoAsyncLoading, "no_async_loading"},
                                Named{kNoMulti, "no_multi"},
                                Named{kMovableKeys, "movablekeys"},
                                Named{kAllowBusy, "allow_busy"}};

constexpr std::array kCategoryNames{
    Named{kCatKeyspace, "keyspace"},
    Named{kCatRead, "read"},
    Named{kCatWrite, "write"},
    Named{kCatSet, "set"},
    Named{kCatSortedSet, "sortedset"},
    Named{kCatList, "list"},
    Named{kCatHash, "hash"},
    Named{kCatString, "string"},
    Named{kCatBitmap, "bitmap"},
    Named{kCatHyperLogLog, "hyperloglog"},
    Named{kCatGeo, "geo"},
    Named{kCatStream, "stream"},
    Named{kCatPubSub, "pubsub"},
    Named{kCatAdmin, "admin"},
    Named{kCatFast, "fast"},
    Named{kCatSlow, "slow"},
    Named{kCatBlocking, "blocking"},
    Named{kCatDangerous, "dangerous"},
    Named{kCatConnection, "connection"},
    Named{kCatTransaction, "transaction"},
    Named{kCatScripting, "scripting"},
};

template <std::size_t Size>
void reply_bits(resp::ReplyWriter& reply, std::uint32_t bits, const std::array<Named, Size>& names,
                std::string_view prefix) {
  std::size_t count = 0;
  for (const Named& one : names) count += (bits & one.bit) != 0 ? 1 : 0;
  reply.set(count);
  for (const Named& one : names) {
    if ((bits & one.bit) != 0) reply.simple(std::string(prefix) + std::string(one.name));
  }
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::string_view group_name(Group group) {
  constexpr std::array<std::string_view, 16> kNames{
      "generic",    "string", "list",      "set",         "sorted-set", "hash", "pubsub", "transactions",
      "connection", "server", "scripting", "hyperloglog", "cluster",    "geo",  "stream", "bitmap"};
  return kNames[static_cast<std::size_t>(group)];
}

using Numbers = std::vector<std::pair<std::string_view, int>>;

void reply_part(resp::ReplyWriter& reply, std::string_view part, std::string_view type, const Numbers& numbers,
                std::string_view keyword = {}) {
  reply.bulk(part);
  reply.map(2);
  reply.bulk("type");
  reply.bulk(type);
  reply.bulk("spec");
  reply.map(numbers.size() + (keyword.empty() ? 0 : 1));
  if (!keyword.empty()) {
    reply.bulk("keyword");
    reply.bulk(keyword);
  }
  for (const auto& [name, value] : numbers) {
    reply.bulk(name);
    reply.integer(value);
  }
}

void reply_search(resp::ReplyWriter& reply, const KeySearch& search) {
  reply.map(search.notes.empty() ? 3 : 4);
  if (!search.notes.empty()) {
    reply.bulk("notes");
    reply.bulk(search.notes);
  }
  reply.bulk("flags");
  reply_words_as_set(reply, search.flags);
  switch (search.begin) {
    case KeySearch::Begin::Index:
      reply_part(reply, "begin_search", "index", {{"index", search.index}});
      break;
    case KeySearch::Begin::Keyword:
      reply_part(reply, "begin_search", "keyword", {{"startfrom", search.index}}, search.keyword);
      break;
    case KeySearch::Begin::Unknown:
      reply_part(reply, "begin_search", "unknown", {});
  }
  switch (search.find) {
    case KeySearch::Find::Range:
      reply_part(reply, "find_keys", "range",
                 {{"lastkey", search.last}, {"keystep", search.step}, {"limit", search.limit}});
      break;
    case KeySearch::Find::KeyNumber:
      reply_part(reply, "find_keys", "keynum",
                 {{"keynumidx", search.last}, {"firstkey", search.first_key}, {"keystep", search.step}});
      break;
    case KeySearch::Find::Unknown:
      reply_part(reply, "find_keys", "unknown", {});
  }
}

void reply_searches(resp::ReplyWriter& reply, const KeySpec& keys) {
  if (!keys.searches.empty()) {
    reply.set(keys.searches.size());
    for (const KeySearch& search : keys.searches) reply_search(reply, search);
    return;
  }
  if (keys.first == 0) return reply.set(0);
  reply.set(1);
  reply_search(reply, KeySearch{.flags = keys.flags,
                                .notes = keys.notes,
                                .index = keys.first,
                                .last = keys.last < 0 ? keys.last : keys.last - keys.first,
                                .step = keys.step});
}

}  // namespace

std::uint32_t categories_of(const CommandRow& row) {
  std::uint32_t categories = row.categories;
  const auto follows = [&](Flag flag, Category bits) {
    if ((row.flags & flag) != 0) categories |= bits;
  };
  follows(kWrite, kCatWrite);
  if ((categories & kCatScripting) == 0) follows(kReadOnly, kCatRead);  // scripts are no reads, as in Redis
  follows(kAdmin, kCatAdmin | kCatDangerous);
  follows(kPubSub, kCatPubSub);
  follows(kFast, kCatFast);
  follows(kBlocking, kCatBlocking);
  if ((row.flags & kFast) == 0) categories |= kCatSlow;
  return categories;
}

std::uint32_t category_named(ByteView name) {
  for (const Named& one : kCategoryNames) {
    if (equals_ignore_case(name, one.name)) return one.bit;
  }
  return 0;
}

std::vector<std::string_view> category_names() {
  std::vector<std::string_view> names;
  names.reserve(kCategoryNames.size());
  for (const Named& one : kCategoryNames) names.push_back(one.name);
  return names;
}

void reply_words_as_set(resp::ReplyWriter& reply, std::string_view words) {
  const std::vector<std::string_view> list = words_of(words);
  reply.set(list.size());
  for (const std::string_view word : list) reply.simple(word);
}

void reply_command_info(resp::ReplyWriter& reply, const Command& command) {
  const CommandRow& row = *command.row;
  reply.array(10);
  reply.bulk(command.full_name);
  reply.integer(row.arity);
  reply_bits(reply, row.flags, kFlagNames, "");
  reply.integer(row.keys.first);
  reply.integer(row.keys.last);
  reply.integer(row.keys.step);
  reply_bits(reply, categories_of(row), kCategoryNames, "@");
  const std::vector<std::string_view> tips = words_of(row.tips);
  reply.set(tips.size());
  for (const std::string_view tip : tips) reply.bulk(tip);
  reply_searches(reply, row.keys);
  // The one list of these that Redis sends as an array, unless it is empty.
  if (command.subcommands.empty()) return reply.set(0);
  reply.array(command.subcommands.size());
  for (const Command* sub : command.subcommands) reply_command_info(reply, *sub);
}

namespace {

/// Of the row's lines, each with a version and what changed with it; a set of pairs.
void reply_history(resp::ReplyWriter& reply, std::string_view history) {
  reply.set(static_cast<std::size_t>(std::ranges::count(history, '\n')) + 1);
  while (!history.empty()) {
    const std::string_view line = history.substr(0, history.find('\n'));
    const std::size_t space = line.find(' ');
    reply.array(2);
    reply.bulk(line.substr(0, space));
    reply.bulk(line.substr(space + 1));
    history.remove_prefix(std::min(line.size() + 1, history.size()));
  }
}

}  // namespace

void reply_command_docs(resp::ReplyWriter& reply, const Command& command) {
  const CommandRow& row = *command.row;
  const auto text = [&](std::string_view name, std::string_view value) {
    reply.bulk(name);
    reply.bulk(value);
  };
  const bool deprecated = !row.deprecated_since.empty();
  reply.map(3U + (row.complexity.empty() ? 0 : 1) + (deprecated ? 3 : 0) + (row.system ? 1 : 0) +
            (row.history.empty() ? 0 : 1) + (row.arguments.empty() ? 0 : 1) + (command.subcommands.empty() ? 0 : 1));
  text("summary", row.summary);
  text("since", row.since);
  text("group", group_name(row.group));
  if (!row.complexity.empty()) text("complexity", row.complexity);
  if (deprecated) {
    reply.bulk("doc_flags");
    reply.set(1);
    reply.simple("deprecated");
    text("deprecated_since", row.deprecated_since);
    text("replaced_by", row.replaced_by);
  }
  if (row.system) {
    reply.bulk("doc_flags");
    reply.set(1);
    reply.simple("syscmd");
  }
  if (!row.history.empty()) {
    reply.bulk("history");
    reply_history(reply, row.history);
  }
  if (!row.arguments.empty()) {
    reply.bulk("arguments");
    reply_arguments(reply, row.arguments);
  }
  if (!command.subcommands.empty()) {
    reply.bulk("subcommands");
    reply.map(command.subcommands.size());
    for (const Command* sub : command.subcommands) {
      reply.bulk(sub->full_name);
      reply_command_docs(reply, *sub);
    }
  }
}

}  // namespace magpie::commands
