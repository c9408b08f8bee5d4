#include "server/commands/client_commands.h"

namespace magpie::commands {
namespace {

struct TrackingOptions {
  std::int64_t redirect = 0;
  bool broadcast = false;
  bool opt_in = false;
  bool opt_out = false;
  bool no_loop = false;
  bool prefixes = false;
};

CommandResult read_redirect(CommandContext& context, ArgReader& args, TrackingOptions& options) {
  if (options.redirect != 0) return error("ERR A client can only redirect to a single other client");
  const auto id = parse_integer(args.bytes());
  if (!id) return error(ErrorCode::NotInteger);
  options.redirect = *id;
  if (context.server.clients.find(server::ClientId{static_cast<std::uint64_t>(*id)}) == nullptr) {
    return error("ERR The client ID you want redirect to does not exist");
  }
  return {};
}

CommandResult read_options(CommandContext& context, ArgReader& args, TrackingOptions& options) {
  while (!args.done()) {
    const bool more = args.remaining() > 1;
    if (more && args.keyword("redirect")) {
      if (auto read = read_redirect(context, args, options); !read) return read;
    } else if (more && args.keyword("prefix")) {
      options.prefixes = true;
      args.skip();
    } else if (args.keyword("bcast")) {
      options.broadcast = true;
    } else if (args.keyword("optin")) {
      options.opt_in = true;
    } else if (args.keyword("optout")) {
      options.opt_out = true;
    } else if (args.keyword("noloop")) {
      options.no_loop = true;
    } else {
      return error(ErrorCode::Syntax);
    }
  }
  return {};
}

}  // namespace

CommandResult client_tracking(CommandContext& context, ArgReader args) {
  const ByteView state = args.bytes();
  TrackingOptions options;
  if (auto read = read_options(context, args, options); !read) return read;
  if (equals_ignore_case(state, "off")) {
    context.reply.ok();  // it is off
    return {};
  }
  if (!equals_ignore_case(state, "on")) return error(ErrorCode::Syntax);
  if (options.prefixes && !options.broadcast) return error("ERR PREFIX option requires BCAST mode to be enabled");
  if (options.broadcast && (options.opt_in || options.opt_out)) {
    return error("ERR OPTIN and OPTOUT are not compatible with BCAST");
  }
  if (options.opt_in && options.opt_out) return error("ERR You can't specify both OPTIN mode and OPTOUT mode");
  return error("ERR client side caching (CLIENT TRACKING ON) is not supported by this server yet");
}

CommandResult client_trackinginfo(CommandContext& context, ArgReader) {
  constexpr std::size_t kPairs = 3;
  context.reply.map(kPairs);
  context.reply.bulk("flags");
  context.reply.set(1);
  context.reply.bulk("off");
  context.reply.bulk("redirect");
  context.reply.integer(-1);
  context.reply.bulk("prefixes");
  context.reply.array(0);
  return {};
}

CommandResult client_caching(CommandContext&, ArgReader) {
  return error(
      "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled");
}

CommandResult client_getredir(CommandContext& context, ArgReader) {
  context.reply.integer(-1);
  return {};
}

}  // namespace magpie::commands
