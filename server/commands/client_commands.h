#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "server/commands/context.h"

namespace magpie::commands {

// The subcommands of CLIENT that have files of their own.
CommandResult client_list(CommandContext& context, ArgReader args);
CommandResult client_info(CommandContext& context, ArgReader args);
CommandResult client_kill(CommandContext& context, ArgReader args);
CommandResult client_tracking(CommandContext& context, ArgReader args);
CommandResult client_trackinginfo(CommandContext& context, ArgReader args);
CommandResult client_caching(CommandContext& context, ArgReader args);
CommandResult client_getredir(CommandContext& context, ArgReader args);
CommandResult client_durability(CommandContext& context, ArgReader args);
CommandResult client_reads(CommandContext& context, ArgReader args);
CommandResult client_lsn(CommandContext& context, ArgReader args);
CommandResult client_await(CommandContext& context, ArgReader args);
CommandResult client_help(CommandContext& context, ArgReader args);

/// The kinds of connections that CLIENT LIST and KILL tell apart.
enum class ClientType : std::uint8_t { Normal, Replica, PubSub, Master };

/// Which clients CLIENT LIST and CLIENT KILL mean; what is not set does not restrict. Borrows the arguments.
struct ClientFilter {
  std::optional<std::uint64_t> id;
  std::optional<std::uint64_t> not_id;
  std::optional<ClientType> type;
  std::optional<ByteView> address;
  std::optional<ByteView> local_address;
  std::optional<ByteView> host;  // the address without its port
  std::optional<ByteView> name;
  std::optional<ByteView> user;
  std::optional<ByteView> library_name;
  std::optional<ByteView> library_version;
  std::optional<std::int64_t> database;
  std::optional<std::int64_t> least_age;   // seconds
  std::optional<std::int64_t> least_idle;  // seconds
  bool skip_me = false;

  bool matches(const server::ClientState& client, const CommandContext& context) const;
};

/// Reads "<option> <value>" pairs into `filter` until the arguments are used up.
CommandResult read_client_filter(ArgReader& args, ClientFilter& filter);
/// The type by its name, or the error text for the client.
std::expected<ClientType, std::string> client_type(ByteView name);

}  // namespace magpie::commands
