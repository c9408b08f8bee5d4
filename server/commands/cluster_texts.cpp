// CLUSTER HELP, and the answers of those subcommands of CLUSTER that would change what a shard is.

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "server/commands/cluster_commands.h"
#include "server/commands/help_reply.h"

namespace magpie::commands {
namespace {

constexpr std::array<std::string_view, 28> kHelp{
    "COUNT-FAILURE-REPORTS <node-id>",
    "    Return 0: no node of a shard reports failures of another one.",
    "COUNTKEYSINSLOT <slot>",
    "    Return the number of keys in <slot>. All keys of 256 slots are looked at.",
    "GETKEYSINSLOT <slot> <count>",
    "    Return up to <count> keys of <slot>.",
    "INFO",
    "    Return whether the shard is served, and its term.",
    "KEYSLOT <key>",
    "    Return the hash slot of <key>.",
    "LINKS",
    "    Return the links of this node to others of the shard.",
    "MYID",
    "    Return the id of this node.",
    "NODES",
    "    Return the nodes of the shard, a line each:",
    "    <id> <ip:port@node-port> <flags> <leader> 0 <seen> <term> <link> <slots>",
    "REPLICAS <node-id>",
    "    Return the nodes that follow the leader <node-id>.",
    "SAVECONFIG",
    "    Do nothing: the arbiter keeps what a shard must know.",
    "SHARDS",
    "    Return the nodes of the shard, which has all slots.",
    "SLOTS",
    "    Return the nodes that can be read from or written to, the leader first.",
    "ADDSLOTS, ADDSLOTSRANGE, BUMPEPOCH, DELSLOTS, DELSLOTSRANGE, FAILOVER, FLUSHSLOTS, FORGET,",
    "MEET, REPLICATE, RESET, SET-CONFIG-EPOCH, SETSLOT",
    "    Return an error that says who decides: the arbiter of the shard, or its configuration."};

CommandResult refuse(const CommandContext& context, const std::string& reason) {
  std::string name(context.command.row->name);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return error("ERR CLUSTER " + name + " does not exist here: " + reason);
}

}  // namespace

CommandResult cluster_help(CommandContext& context, ArgReader) { return reply_help(context, kHelp); }

CommandResult cluster_saveconfig(CommandContext& context, ArgReader) {
  context.reply.ok();
  return {};
}

CommandResult cluster_has_fixed_members(CommandContext& context, ArgReader) {
  return refuse(context, "the members of this shard are those of the option shard-nodes");
}

CommandResult cluster_has_fixed_slots(CommandContext& context, ArgReader) {
  return refuse(context, "this shard has all slots");
}

CommandResult cluster_leader_is_chosen(CommandContext& context, ArgReader) {
  return refuse(context, "the members of this shard and its arbiter decide who leads");
}

CommandResult cluster_epoch_is_term(CommandContext& context, ArgReader) {
  return refuse(context, "the epoch is the term of this shard, which its arbiter counts");
}

}  // namespace magpie::commands
