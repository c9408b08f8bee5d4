#pragma once

#include "server/commands/context.h"

namespace magpie::commands {

// The subcommands of CLUSTER on a node of a shard, in files of their own.
CommandResult cluster_slots(CommandContext& context, ArgReader args);
CommandResult cluster_shards(CommandContext& context, ArgReader args);
CommandResult cluster_nodes(CommandContext& context, ArgReader args);
CommandResult cluster_replicas(CommandContext& context, ArgReader args);
CommandResult cluster_count_failure_reports(CommandContext& context, ArgReader args);
CommandResult cluster_links(CommandContext& context, ArgReader args);
CommandResult cluster_myid(CommandContext& context, ArgReader args);
CommandResult cluster_info(CommandContext& context, ArgReader args);
CommandResult cluster_keyslot(CommandContext& context, ArgReader args);
CommandResult cluster_countkeysinslot(CommandContext& context, ArgReader args);
CommandResult cluster_getkeysinslot(CommandContext& context, ArgReader args);
CommandResult cluster_help(CommandContext& context, ArgReader args);
CommandResult cluster_saveconfig(CommandContext& context, ArgReader args);

// Those that would change it, for each reason why they cannot.
CommandResult cluster_has_fixed_members(CommandContext& context, ArgReader args);
CommandResult cluster_has_fixed_slots(CommandContext& context, ArgReader args);
CommandResult cluster_leader_is_chosen(CommandContext& context, ArgReader args);
CommandResult cluster_epoch_is_term(CommandContext& context, ArgReader args);

}  // namespace magpie::commands
