#include "server/commands/client_commands.h"
#include "server/commands/session.h"

namespace magpie::commands {
namespace {

/// Marks each client once, however many ask; returns how many were marked here.
std::int64_t kill_matching(CommandContext& context, const ClientFilter& filter) {
  std::int64_t killed = 0;
  for (const auto& client : context.server.clients.all()) {
    if (!filter.matches(*client, context)) continue;
    if (client.get() == &context.client) {
      context.client.ending = server::Ending::AfterReply;
    } else if (client->killed.exchange(true)) {
      continue;
    } else {
      context.server.control.kill_client(client->id);
    }
    ++killed;
  }
  return killed;
}

}  // namespace

CommandResult client_kill(CommandContext& context, ArgReader args) {
  ClientFilter filter;
  if (args.remaining() == 1) {  // the old form may kill its own client
    filter.address = args.bytes();
    if (kill_matching(context, filter) == 0) return error("ERR No such client");
    context.reply.ok();
    return {};
  }
  filter.skip_me = true;
  if (auto read = read_client_filter(args, filter); !read) return read;
  if (filter.user && *filter.user != "default") {
    return error("ERR No such user '" + std::string(printed(*filter.user)) + "'");
  }
  context.reply.integer(kill_matching(context, filter));
  return {};
}

}  // namespace magpie::commands
