// ACL, as far as there is one user, `default`, who may do everything.

#include <array>
#include <random>

#include "server/commands/command_facts.h"
#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/help_reply.h"

namespace magpie::commands {
namespace {

constexpr std::string_view kUser = "default";

CommandResult acl_whoami(CommandContext& context, ArgReader) {
  context.reply.bulk(kUser);
  return {};
}

CommandResult acl_users(CommandContext& context, ArgReader) {
  context.reply.array(1);
  context.reply.bulk(kUser);
  return {};
}

/// The hash of a password, which Redis shows here, is left out.
CommandResult acl_list(CommandContext& context, ArgReader) {
  context.reply.array(1);
  context.reply.bulk(context.settings.requirepass.empty() ? "user default on nopass ~* &* +@all"
                                                          : "user default on ~* &* +@all");
  return {};
}

CommandResult acl_getuser(CommandContext& context, ArgReader args) {
  resp::ReplyWriter& reply = context.reply;
  if (args.bytes() != kUser) {
    reply.null();
    return {};
  }
  const bool nopass = context.settings.requirepass.empty();
  reply.map(6);
  reply.bulk("flags");
  reply.set(nopass ? 2 : 1);
  reply.simple("on");
  if (nopass) reply.simple("nopass");
  reply.bulk("passwords");
  reply.array(0);
  for (const auto& [name, value] : {std::pair{"commands", "+@all"}, {"keys", "~*"}, {"channels", "&*"}}) {
    reply.bulk(name);
    reply.bulk(value);
  }
  reply.bulk("selectors");
  reply.array(0);
  return {};
}

CommandResult acl_cat(CommandContext& context, ArgReader args) {
  if (args.remaining() > 1) return wrong_subcommand(context);
  if (args.done()) {
    const auto names = category_names();
    context.reply.array(names.size());
    for (const std::string_view name : names) context.reply.bulk(name);
    return {};
  }
  const ByteView name = args.bytes();
  const std::uint32_t category = category_named(name);
  if (category == 0) return error("ERR Unknown category '" + std::string(name) + "'");
  std::vector<const Command*> found;
  for (const Command* command : all_commands()) {
    if ((categories_of(*command->row) & category) != 0) found.push_back(command);
  }
  context.reply.array(found.size());
  for (const Command* command : found) context.reply.bulk(command->full_name);
  return {};
}

CommandResult acl_genpass(CommandContext& context, ArgReader args) {
  constexpr std::int64_t kBits = 256;
  constexpr std::int64_t kMostBits = 4096;
  if (args.remaining() > 1) return wrong_subcommand(context);
  std::int64_t bits = kBits;
  if (!args.done()) {
    bits = args.integer();
    if (auto wrong = args.check()) return std::unexpected(std::move(*wrong));
    if (bits <= 0 || bits > kMostBits) {
      return error(
          "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to " +
          std::to_string(kMostBits));
    }
  }
  std::random_device device;
  std::string password;
  while (static_cast<std::int64_t>(password.size()) < (bits + 3) / 4) password += "0123456789abcdef"[device() % 16];
  context.reply.bulk(password);
  return {};
}

/// The command with its arguments as the first of them spells it, "config get" and never "config|get", or nullptr.
const Command* spelled_out(std::span<const ByteView> arguments) {
  const Command* command = find_command(arguments[0]);
  if (command == nullptr || command->subcommands.empty() || arguments.size() < 2) return command;
  return find_subcommand(*command, arguments[1]);
}

/// The user may do everything, so what is left to say is whether there is such a command.
CommandResult acl_dryrun(CommandContext& context, ArgReader args) {
  const ByteView user = args.bytes();
  if (user != kUser) return error("ERR User '" + std::string(user) + "' not found");
  const std::span<const ByteView> arguments = args.rest();
  const Command* command = spelled_out(arguments);
  if (command == nullptr) return error("ERR Command '" + std::string(arguments[0]) + "' not found");
  if (!command->arity_fits(arguments.size())) {
    return error("ERR wrong number of arguments for '" + command->full_name + "' command");
  }
  context.reply.ok();
  return {};
}

/// Nothing is ever denied to the user; failed attempts to log in are not kept.
CommandResult acl_log(CommandContext& context, ArgReader args) {
  if (args.remaining() > 1) return wrong_subcommand(context);
  if (args.keyword("reset")) {
    context.reply.ok();
    return {};
  }
  if (!args.done()) args.integer();
  if (auto wrong = args.check()) return std::unexpected(std::move(*wrong));
  context.reply.array(0);
  return {};
}

CommandResult no_users(CommandContext&, ArgReader) {
  return error("ERR Magpie has one user, 'default', yet; its password is set with requirepass");
}

CommandResult acl_help(CommandContext& context, ArgReader) {
  static constexpr std::string_view kLines[] = {"CAT [<category>]",
                                                "    The categories of commands, or the commands of one.",
                                                "DRYRUN <username> <command> [<arg> ...]",
                                                "    Whether the user may run the command, which is not run.",
                                                "GENPASS [<bits>]",
                                                "    A password of random hexadecimal digits.",
                                                "GETUSER <username>",
                                                "    What a user may do.",
                                                "LIST",
                                                "    The users and what they may do.",
                                                "LOG [<count> | RESET]",
                                                "    What was denied: nothing.",
                                                "USERS",
                                                "    The names of the users.",
                                                "WHOAMI",
                                                "    The user of this connection."};
  return reply_help(context, kLines);
}

constexpr std::array kAclSubcommands{
    CommandRow{.name = "cat",
               .arity = -2,
               .flags = kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "6.0.0",
               .summary = "List the ACL categories or the commands inside a category",
               .complexity = "O(1) since the categories and commands are a fixed set.",
               .handler = acl_cat,
               .arguments = "categoryname?"},
    CommandRow{.name = "deluser",
               .arity = -3,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "6.0.0",
               .summary = "Remove the specified ACL users and the associated rules",
               .complexity = "O(1) amortized time considering the typical user.",
               .handler = no_users,
               .arguments = "username*"},
    CommandRow{.name = "dryrun",
               .arity = -4,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "7.0.0",
               .summary = "Returns whether the user can execute the given command without executing the command.",
               .complexity = "O(1).",
               .handler = acl_dryrun,
               .arguments = "username command arg?*"},
    CommandRow{.name = "genpass",
               .arity = -2,
               .flags = kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "6.0.0",
               .summary = "Generate a pseudorandom secure password to use for ACL users",
               .complexity = "O(1)",
               .handler = acl_genpass,
               .arguments = "bits:integer?"},
    CommandRow{.name = "getuser",
               .arity = 3,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "6.0.0",
               .summary = "Get the rules for a specific ACL user",
               .complexity = "O(N). Where N is the number of password, command and pattern rules that the user has.",
               .handler = acl_getuser,
               .arguments = "username",
               .history = "6.2.0 Added Pub/Sub channel patterns.\n"
                          "7.0.0 Added selectors and changed the format of key and channel patterns from a list to "
                          "their rule representation."},
    help_row(Group::Server, "6.0.0", acl_help),
    CommandRow{.name = "list",
               .arity = 2,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "6.0.0",
               .summary = "List the current ACL rules in ACL config file format",
               .complexity = "O(N). Where N is the number of configured users.",
               .handler = acl_list},
    CommandRow{.name = "load",
               .arity = 2,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "6.0.0",
               .summary = "Reload the ACLs from the configured ACL file",
               .complexity = "O(N). Where N is the number of configured users.",
               .handler = no_users},
    CommandRow{.name = "log",
               .arity = -2,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "6.0.0",
               .summary = "List latest events denied because of ACLs in place",
               .complexity = "O(N) with N being the number of entries shown.",
               .handler = acl_log,
               .arguments = "operation:oneof?(count:integer reset:pure-token=RESET)"},
    CommandRow{.name = "save",
               .arity = 2,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "6.0.0",
               .summary = "Save the current ACL rules in the configured ACL file",
               .complexity = "O(N). Where N is the number of configured users.",
               .handler = no_users},
    CommandRow{.name = "setuser",
               .arity = -3,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "6.0.0",
               .summary = "Modify or create the rules for a specific ACL user",
               .complexity = "O(N). Where N is the number of rules provided.",
               .handler = no_users,
               .arguments = "username rule?*",
               .history = "6.2.0 Added Pub/Sub channel patterns.\n"
                          "7.0.0 Added selectors and key based permissions."},
    CommandRow{.name = "users",
               .arity = 2,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "6.0.0",
               .summary = "List the username of all the configured ACL rules",
               .complexity = "O(N). Where N is the number of configured users.",
               .handler = acl_users},
    CommandRow{.name = "whoami",
               .arity = 2,
               .flags = kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "6.0.0",
               .summary = "Return the name of the user associated to the current connection",
               .complexity = "O(1)",
               .handler = acl_whoami}};
constexpr std::array kRows{CommandRow{.name = "acl",
                                      .arity = -2,
                                      .group = Group::Server,
                                      .since = "6.0.0",
                                      .summary = "A container for Access List Control commands",
                                      .complexity = "Depends on subcommand.",
                                      .subcommands = kAclSubcommands}};

}  // namespace

std::span<const CommandRow> acl_commands() { return kRows; }

}  // namespace magpie::commands
