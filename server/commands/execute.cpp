#include <algorithm>
#include <utility>

#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/monitor_line.h"
#include "server/state/clock.h"

namespace magpie::commands {
namespace {

constexpr std::uint64_t kNsPerUs = 1000;
// A command runs at a time at most this old, in ticks(): a fraction of a millisecond.
constexpr std::uint64_t kMostClockAge = 1'000'000;

/// Adds the command to a log if the log's limit says so.
void log_if_over(server::CommandLog& log, CommandContext& context, std::int64_t value, std::int64_t limit,
                 std::int64_t length) {
  if (limit < 0 || value < limit || context.command.has(kSkipSlowlog)) return;
  log.add({0, context.now.ms / 1000, value, server::CommandLog::shorten(shown_arguments(context)),
           context.client.peer_address, context.client.texts().name},
          static_cast<std::size_t>(length));
}

/// After CONFIG SET. A log that takes nothing keeps what it has, as in Redis.
void shorten_logs(server::ServerState& server, const config::Settings& settings) {
  const auto shorten = [](server::CommandLog& log, std::int64_t threshold, std::int64_t length) {
    if (threshold >= 0) log.keep_newest(static_cast<std::size_t>(length));
  };
  shorten(server.slow_commands, settings.slowlog_log_slower_than, settings.slowlog_max_len);
  shorten(server.large_requests, settings.commandlog_request_larger_than, settings.commandlog_large_request_max_len);
  shorten(server.large_replies, settings.commandlog_reply_larger_than, settings.commandlog_large_reply_max_len);
}

/// The settings from the command's end on.
const config::Settings& settings_after(const CommandContext& context) {
  return context.changed == nullptr ? context.settings : *context.changed;
}

/// For a command that took long: what the slow log and the latency monitor want of it.
[[gnu::cold]] void note_time(CommandContext& context, std::uint64_t ns) {
  const config::Settings& settings = settings_after(context);
  log_if_over(context.server.slow_commands, context, static_cast<std::int64_t>(ns / kNsPerUs),
              settings.slowlog_log_slower_than, settings.slowlog_max_len);
  context.server.latency.add_if_long(context.command.has(kFast) ? "fast-command" : "command", ns,
                                     settings.latency_monitor_threshold, context.now);
}

/// For one that was large.
[[gnu::cold]] void note_sizes(CommandContext& context, std::size_t reply_bytes) {
  const config::Settings& settings = settings_after(context);
  std::size_t request_bytes = 0;
  for (const ByteView argument : context.argv) request_bytes += argument.size();
  log_if_over(context.server.large_requests, context, static_cast<std::int64_t>(request_bytes),
              settings.commandlog_request_larger_than, settings.commandlog_large_request_max_len);
  log_if_over(context.server.large_replies, context, static_cast<std::int64_t>(reply_bytes),
              settings.commandlog_reply_larger_than, settings.commandlog_large_reply_max_len);
}

/// At least the bytes of the arguments: they lie behind each other in what was received, or else anything.
std::size_t span_of(std::span<const ByteView> arguments) {
  return static_cast<std::size_t>(arguments.back().data() - arguments.front().data()) + arguments.back().size();
}

/// What a command changes is one group, if its locks are held.
CommandResult handle(CommandContext& context) {
  const Command& command = context.command;
  ArgReader args(context.argv.subspan(command.names));
  if (!command.has(kWrite) || command.row->locks == Locks::Own) return command.handler(context, std::move(args));
  const engine::Keyspace::Group group(context.server.keyspace);
  return command.handler(context, std::move(args));
}

/// The time was read for a whole burst, and something in it, or another thread's lock, may have taken long.
void refresh_time(Execution& execution, std::uint64_t ticks) {
  if (ticks - execution.loop.clock_read_at > kMostClockAge) [[unlikely]] {
    execution.now = execution.loop.read_clock();
  }
}

}  // namespace

std::vector<ByteView> shown_arguments(const CommandContext& context) {
  std::vector<ByteView> shown(context.argv.begin(), context.argv.end());
  for (std::size_t i = 0; i < shown.size() && context.secrets >> i != 0; ++i) {
    if ((context.secrets >> i & 1) != 0) shown[i] = "(redacted)";
  }
  return shown;
}

engine::StripeMask stripes_of(const Command& command, std::span<const ByteView> arguments, bool held_ahead) {
  switch (command.row->locks) {
    case Locks::All:
      return engine::kAllStripes;
    case Locks::Own:
      return held_ahead ? engine::kAllStripes : 0;
    case Locks::Keys:
      break;
  }
  const KeySpec& keys = command.row->keys;
  if (keys.first == 0 && keys.find == nullptr) return 0;
  engine::StripeMask mask = 0;
  const auto add = [&](std::uint32_t at) { mask |= mask_of(engine::stripe_of(slot_of(arguments[at]))); };
  if (keys.find == nullptr && !command.has(kMovableKeys)) {
    return keys.visit_range(arguments.size(), add) ? mask : engine::kAllStripes;  // the handler will find the mistake
  }
  std::vector<std::uint32_t> positions;
  if (!key_positions(command, arguments, positions)) return engine::kAllStripes;
  std::ranges::for_each(positions, add);
  return mask;
}

void reply_error(Execution& execution, ByteView text) {
  execution.reply.error(text);
  execution.loop.statistics->total_error_replies.add(1);
  execution.server.errors.count(text);
}

void QuickRun::begin(const Command& command, std::span<const ByteView> arguments, const engine::Key& key) {
  settle();
  started_ = ended_ > 0 ? ended_ : server::ticks();
  refresh_time(execution_, started_);
  context_.emplace(execution_, command, arguments, &key);
}

void QuickRun::execute(const Command& command, std::span<const ByteView> arguments, const engine::Key& key) {
  if (!context_ || &context_->command != &command) begin(command, arguments, key);
  context_->go_on(arguments, &key);
  const std::size_t reply_start = execution_.reply.buffer().size();
  const CommandResult result = command.handler(*context_, ArgReader(arguments.subspan(1)));
  ++count_;
  if (!result) [[unlikely]] {
    reply_error(execution_, result.error().text());
    ++failed_;
  }
  const std::size_t reply_bytes = execution_.reply.buffer().size() - reply_start;
  if (std::max(span_of(arguments), reply_bytes) >= execution_.loop.watched.large_bytes) [[unlikely]] {
    note_sizes(*context_, reply_bytes);
  }
}

void QuickRun::end() {
  settle();
  ended_ = 0;
}

void QuickRun::settle() {
  if (!context_) return;
  ended_ = server::ticks();
  const std::uint64_t ns = server::ns_between(started_, ended_);
  const server::LoopState::Watched& watched = execution_.loop.watched;
  execution_.loop.statistics->record(context_->command.id, {count_, failed_, ns}, watched.latency_tracking);
  if (ns >= watched.slow_ns) [[unlikely]] {
    note_time(*context_, ns);
  }
  context_.reset();
  count_ = failed_ = 0;
}

bool execute(Execution& execution, const Command& command, std::span<const ByteView> arguments,
             const engine::Key* ahead) {
  const std::uint64_t start = server::ticks();
  if (!execution.in_transaction) refresh_time(execution, start);  // a transaction has one time
  CommandContext context(execution, command, arguments, ahead);
  const std::size_t reply_start = execution.reply.buffer().size();
  const CommandResult result = handle(context);
  if (!result) reply_error(execution, result.error().text());
  const std::uint64_t ns = server::ns_between(start, server::ticks());
  if (execution.server.monitors.load(std::memory_order_relaxed) > 0) feed_monitors(context);

  const server::LoopState::Watched& watched = execution.loop.watched;
  const bool tracked = context.changed == nullptr ? watched.latency_tracking : context.changed->latency_tracking;
  execution.loop.statistics->record(command.id, {1, result.has_value() ? 0U : 1U, ns}, tracked);
  const std::size_t reply_bytes = execution.reply.buffer().size() - reply_start;
  if (ns >= watched.slow_ns || std::max(span_of(arguments), reply_bytes) >= watched.large_bytes ||
      context.changed != nullptr) [[unlikely]] {
    note_time(context, ns);
    note_sizes(context, reply_bytes);
    if (context.changed != nullptr) shorten_logs(context.server, *context.changed);
  }
  return result.has_value();
}

}  // namespace magpie::commands
