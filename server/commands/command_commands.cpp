#include <array>

#include "server/commands/command_facts.h"
#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/help_reply.h"
#include "server/commands/key_search.h"

namespace magpie::commands {
namespace {

CommandResult command(CommandContext& context, ArgReader) {
  context.reply.array(top_level_commands().size());
  for (const Command* one : top_level_commands()) reply_command_info(context.reply, *one);
  return {};
}

CommandResult command_count(CommandContext& context, ArgReader) {
  context.reply.integer(static_cast<std::int64_t>(top_level_commands().size()));
  return {};
}

CommandResult command_info(CommandContext& context, ArgReader args) {
  if (args.done()) return command(context, ArgReader({}));
  context.reply.array(args.remaining());
  for (const ByteView name : args.rest()) {
    const Command* one = find_by_full_name(name);
    if (one != nullptr) {
      reply_command_info(context.reply, *one);
    } else {
      context.reply.null();
    }
  }
  return {};
}

CommandResult command_docs(CommandContext& context, ArgReader args) {
  std::vector<const Command*> shown;
  for (const ByteView name : args.rest()) {
    if (const Command* one = find_by_full_name(name)) shown.push_back(one);
  }
  if (args.done()) shown = top_level_commands();
  context.reply.map(shown.size());
  for (const Command* one : shown) {
    context.reply.bulk(one->full_name);
    reply_command_docs(context.reply, *one);
  }
  return {};
}

/// What COMMAND LIST FILTERBY asks for.
struct ListFilter {
  enum class Kind : std::uint8_t { None, Module, Category, Pattern };
  Kind kind = Kind::None;
  std::uint32_t category = 0;
  ByteView pattern;

  bool lets_through(const Command& one) const {
    switch (kind) {
      case Kind::None:
        return true;
      case Kind::Module:
        return false;  // there are no modules
      case Kind::Category:
        return (categories_of(*one.row) & category) != 0;
      case Kind::Pattern:
        return glob_match(pattern, one.full_name, true);
    }
    return false;
  }
};

CommandResult command_list(CommandContext& context, ArgReader args) {
  ListFilter filter;
  if (!args.done()) {
    if (!args.keyword("FILTERBY") || args.remaining() != 2) return error(ErrorCode::Syntax);
    if (args.keyword("MODULE")) {
      filter.kind = ListFilter::Kind::Module;
    } else if (args.keyword("ACLCAT")) {
      filter.kind = ListFilter::Kind::Category;
      filter.category = category_named(args.peek());
    } else if (args.keyword("PATTERN")) {
      filter.kind = ListFilter::Kind::Pattern;
      filter.pattern = args.peek();
    } else {
      return error(ErrorCode::Syntax);
    }
  }
  std::vector<const Command*> shown;
  for (const Command* one : all_commands()) {
    if (filter.lets_through(*one)) shown.push_back(one);
  }
  context.reply.array(shown.size());
  for (const Command* one : shown) context.reply.bulk(one->full_name);
  return {};
}

/// The keys of the command that the arguments spell out, or the error that GETKEYS answers.
std::expected<std::vector<FoundKey>, CommandError> keys_of(std::span<const ByteView> arguments) {
  const auto wrong = [](const char* text) { return std::unexpected(CommandError(std::string(text))); };
  const Command* command = find_command(arguments[0]);
  if (command != nullptr && !command->subcommands.empty()) {
    command = arguments.size() > 1 ? find_subcommand(*command, arguments[1]) : nullptr;
  }
  if (command == nullptr) return wrong("ERR Invalid command specified");
  const KeySpec& keys = command->row->keys;
  if (keys.first == 0 && keys.find == nullptr && keys.searches.empty()) {
    return wrong("ERR The command has no key arguments");
  }
  if (!command->arity_fits(arguments.size())) return wrong("ERR Invalid number of arguments specified for command");
  std::vector<FoundKey> found;
  if (!find_keys(*command, arguments, found)) return wrong("ERR Invalid arguments specified for command");
  if (found.empty() && !command->has(kNoMandatoryKeys)) return wrong("ERR Invalid arguments specified for command");
  return found;
}

CommandResult command_getkeys(CommandContext& context, ArgReader args) {
  auto keys = keys_of(args.rest());
  if (!keys) return std::unexpected(std::move(keys.error()));
  context.reply.array(keys->size());
  for (const FoundKey& key : *keys) context.reply.bulk(args.rest()[key.position]);
  return {};
}

CommandResult command_getkeysandflags(CommandContext& context, ArgReader args) {
  auto keys = keys_of(args.rest());
  if (!keys) return std::unexpected(std::move(keys.error()));
  context.reply.array(keys->size());
  for (const FoundKey& key : *keys) {
    context.reply.array(2);
    context.reply.bulk(args.rest()[key.position]);
    reply_words_as_set(context.reply, key.flags);
  }
  return {};
}

CommandResult command_help(CommandContext& context, ArgReader) {
  static constexpr std::string_view kLines[] = {"(no subcommand)",
                                                "    Every command with its details.",
                                                "COUNT",
                                                "    How many commands this server has.",
                                                "DOCS [<command-name> ...]",
                                                "    What commands do and what arguments they take.",
                                                "GETKEYS <full-command>",
                                                "    The keys in a whole command.",
                                                "GETKEYSANDFLAGS <full-command>",
                                                "    The keys in a whole command and what it does with them.",
                                                "INFO [<command-name> ...]",
                                                "    Details of these commands, of all if none are named.",
                                                "LIST [FILTERBY MODULE|ACLCAT|PATTERN <value>]",
                                                "    The names of commands."};
  return reply_help(context, kLines);
}

constexpr std::array kCommandSubcommands{
    CommandRow{.name = "count",
               .arity = 2,
               .flags = kLoading | kStale,
               .categories = kCatConnection,
               .group = Group::Server,
               .since = "2.8.13",
               .summary = "Get total number of Redis commands",
               .complexity = "O(1)",
               .handler = command_count},
    CommandRow{.name = "docs",
               .arity = -2,
               .flags = kLoading | kStale,
               .categories = kCatConnection,
               .group = Group::Server,
               .since = "7.0.0",
               .summary = "Get array of specific Redis command documentation",
               .complexity = "O(N) where N is the number of commands to look up",
               .handler = command_docs,
               .tips = "nondeterministic_output_order",
               .arguments = "command-name?*"},
    CommandRow{.name = "getkeys",
               .arity = -4,
               .flags = kLoading | kStale,
               .categories = kCatConnection,
               .group = Group::Server,
               .since = "2.8.13",
               .summary = "Extract keys given a full Redis command",
               .complexity = "O(N) where N is the number of arguments to the command",
               .handler = command_getkeys},
    CommandRow{.name = "getkeysandflags",
               .arity = -4,
               .flags = kLoading | kStale,
               .categories = kCatConnection,
               .group = Group::Server,
               .since = "7.0.0",
               .summary = "Extract keys and access flags given a full Redis command",
               .complexity = "O(N) where N is the number of arguments to the command",
               .handler = command_getkeysandflags},
    help_row(Group::Server, "5.0.0", command_help, kCatConnection),
    CommandRow{.name = "info",
               .arity = -2,
               .flags = kLoading | kStale,
               .categories = kCatConnection,
               .group = Group::Server,
               .since = "2.8.13",
               .summary = "Get array of specific Redis command details, or all when no argument is given.",
               .complexity = "O(N) where N is the number of commands to look up",
               .handler = command_info,
               .tips = "nondeterministic_output_order",
               .arguments = "command-name?*",
               .history = "7.0.0 Allowed to be called with no argument to get info on all commands."},
    CommandRow{.name = "list",
               .arity = -2,
               .flags = kLoading | kStale,
               .categories = kCatConnection,
               .group = Group::Server,
               .since = "7.0.0",
               .summary = "Get an array of Redis command names",
               .complexity = "O(N) where N is the total number of Redis commands",
               .handler = command_list,
               .tips = "nondeterministic_output_order",
               .arguments = "filterby:oneof=FILTERBY?(module-name=MODULE category=ACLCAT pattern:pattern=PATTERN)"}};
constexpr std::array kRows{CommandRow{.name = "command",
                                      .arity = -1,
                                      .flags = kLoading | kStale,
                                      .categories = kCatConnection,
                                      .group = Group::Server,
                                      .since = "2.8.13",
                                      .summary = "Get array of Redis command details",
                                      .complexity = "O(N) where N is the total number of Redis commands",
                                      .handler = command,
                                      .subcommands = kCommandSubcommands,
                                      .tips = "nondeterministic_output_order"}};

}  // namespace

std::span<const CommandRow> command_commands() { return kRows; }

}  // namespace magpie::commands
