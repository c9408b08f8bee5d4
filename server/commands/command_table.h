#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "server/commands/command.h"

namespace magpie::commands {

/// Looks a top-level command up by name, in any case; nullptr if there is none. Any thread.
const Command* find_command(ByteView name);
/// The same for one thread's commands, of which many in a row are often the same: remembers the last one.
class CommandFinder {
 public:
  const Command* find(ByteView name);

 private:
  std::uint64_t word_ = 0;  // the name's bytes
  std::size_t size_ = 0;
  const Command* command_ = nullptr;
};

/// As find_command(), also a subcommand as "config|get".
const Command* find_by_full_name(ByteView name);
/// The subcommand of a container (CLIENT, CONFIG ...), nullptr if there is none.
const Command* find_subcommand(const Command& parent, ByteView name);
/// All commands, subcommands included, in order of id.
const std::vector<const Command*>& all_commands();
/// The top-level ones.
const std::vector<const Command*>& top_level_commands();

/// Appends the positions of a command's keys among its arguments (the name is argument 0). False if they cannot be
/// told.
bool key_positions(const Command& command, std::span<const ByteView> arguments, std::vector<std::uint32_t>& positions);

// The families, each in a file of its own.
std::span<const CommandRow> string_commands();
std::span<const CommandRow> string_set_commands();
std::span<const CommandRow> string_multi_commands();
std::span<const CommandRow> lcs_commands();
std::span<const CommandRow> compare_commands();
std::span<const CommandRow> counter_commands();
std::span<const CommandRow> list_commands();
std::span<const CommandRow> list_search_commands();
std::span<const CommandRow> list_move_commands();
std::span<const CommandRow> key_commands();
std::span<const CommandRow> transfer_commands();
std::span<const CommandRow> object_commands();
std::span<const CommandRow> scan_commands();
std::span<const CommandRow> wait_commands();
std::span<const CommandRow> expiry_commands();
std::span<const CommandRow> database_commands();
std::span<const CommandRow> transaction_commands();
std::span<const CommandRow> connection_commands();
std::span<const CommandRow> client_commands();
std::span<const CommandRow> server_commands();
std::span<const CommandRow> acl_commands();
std::span<const CommandRow> cluster_commands();
std::span<const CommandRow> command_commands();
std::span<const CommandRow> config_commands();
std::span<const CommandRow> debug_commands();
std::span<const CommandRow> info_commands();
std::span<const CommandRow> latency_commands();
std::span<const CommandRow> log_commands();
std::span<const CommandRow> memory_commands();
std::span<const CommandRow> replication_commands();

}  // namespace magpie::commands
