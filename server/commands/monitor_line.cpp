#include "server/commands/monitor_line.h"

#include <cstdio>

#include "server/state/clock.h"

namespace magpie::commands {
namespace {

/// As redis-cli shows strings: quoted, control bytes as escapes.
void append_quoted(std::string& out, ByteView bytes) {
  out += '"';
  for (const char c : bytes) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '"':
        out += "\\\"";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\a':
        out += "\\a";
        break;
      case '\b':
        out += "\\b";
        break;
      default:
        if (c >= ' ' && c <= '~') {
          out += c;
        } else {
          char hex[5];
          std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
          out += hex;
        }
    }
  }
  out += '"';
}

}  // namespace

void feed_monitors(CommandContext& context) {
  if (context.command.has(kSkipMonitor) || context.command.has(kAdmin)) return;
  context.server.control.feed_monitors(monitor_line(context.client, context.settings, shown_arguments(context)));
}

std::string monitor_line(const server::ClientState& client, const config::Settings& settings,
                         std::span<const ByteView> arguments) {
  const std::int64_t us = server::wall_clock_us();
  char head[64];
  std::snprintf(head, sizeof head, "%lld.%06lld [%u ", static_cast<long long>(us / 1'000'000),
                static_cast<long long>(us % 1'000'000), static_cast<unsigned>(client.db));
  std::string line = head;
  line += client.unix_socket ? "unix:" + settings.unixsocket : client.peer_address;
  line += "]";
  for (const ByteView argument : arguments) {
    line += ' ';
    append_quoted(line, argument);
  }
  return line;
}

}  // namespace magpie::commands
