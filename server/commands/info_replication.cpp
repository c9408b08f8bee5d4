// INFO replication: who leads and who follows, in Redis's terms.

#include <algorithm>
#include <array>
#include <string>

#include "server/commands/info.h"
#include "server/commands/role.h"

namespace magpie::commands {
namespace {

using server::FollowerStatus;
using server::LeaderStatus;
using server::Replication;
using Phase = LeaderStatus::Phase;

constexpr std::int64_t kSecondMs = 1000;

std::int64_t seconds_since(std::int64_t ms, Instant now) { return std::max<std::int64_t>(0, now.ms - ms) / kSecondMs; }

void sync_fields(InfoText& text, const LeaderStatus& leader, Instant now) {
  constexpr double kPercent = 100;
  const std::uint64_t total = leader.sync_total;
  const std::uint64_t keys = leader.sync_keys;
  const std::int64_t took_ms = std::max<std::int64_t>(1, now.ms - leader.sync_began_ms);
  const std::uint64_t bytes = leader.sync_bytes;
  const std::int64_t heard_ms = leader.heard_ms;
  text.field("master_sync_total_bytes", 0);  // nobody knows before
  text.field("master_sync_read_bytes", bytes);
  text.field("master_sync_left_bytes", 0);
  text.field("master_sync_perc",
             total == 0 ? kPercent : kPercent * static_cast<double>(keys) / static_cast<double>(total), 2);
  text.field("master_sync_last_io_seconds_ago", seconds_since(heard_ms, now));
  text.field("master_sync_total_keys", total);
  text.field("master_sync_read_keys", keys);
  text.field("master_sync_bytes_per_second", bytes * kSecondMs / static_cast<std::uint64_t>(took_ms));
  const std::uint64_t left = total > keys ? total - keys : 0;
  text.field("master_sync_left_seconds",
             keys == 0 ? -1 : static_cast<std::int64_t>(left * static_cast<std::uint64_t>(took_ms) / keys / kSecondMs));
}

void follower_fields(InfoText& text, const CommandContext& context, const Replication::Source& source,
                     const Replication::Position& position) {
  const LeaderStatus& leader = context.server.replication.leader();
  const Phase phase = leader.phase;
  const bool up = phase == Phase::Connected;
  text.field("master_host", source.host);
  text.field("master_port", source.port);
  text.field("master_link_status", up ? "up" : "down");
  if (const std::string reason = leader.reason(); !up && !reason.empty()) text.field("master_link_down_reason", reason);
  text.field("master_last_io_seconds_ago", up ? seconds_since(leader.heard_ms, context.now) : -1);
  text.field("master_sync_in_progress", phase == Phase::Syncing ? 1 : 0);
  const std::uint64_t offset = position.active ? position.end.bytes : 0;
  text.field("slave_read_repl_offset", offset);
  text.field("slave_repl_offset", offset);
  if (phase == Phase::Syncing) sync_fields(text, leader, context.now);
  if (!up) text.field("master_link_down_since_seconds", seconds_since(leader.down_since_ms, context.now));
  text.field("slave_priority", context.settings.replica_priority);
  text.field("slave_read_only", context.settings.replica_read_only ? 1 : 0);
  text.field("replica_announced", context.settings.replica_announced ? 1 : 0);
}

std::string follower_row(const FollowerStatus& follower, const Replication::Position& position, Instant now) {
  const FollowerStatus::Phase phase = follower.phase;
  const bool online = phase == FollowerStatus::Phase::Online;
  const std::uint64_t confirmed = follower.confirmed;
  std::string row = "ip=" + follower.address + ",port=" + std::to_string(follower.port) +
                    ",state=" + (online ? "online" : "sync") + ",offset=" + std::to_string(confirmed) +
                    ",lag=" + std::to_string(seconds_since(follower.heard_ms, now));
  if (online) {
    row += ",lag_bytes=" + std::to_string(position.end.bytes - std::min(confirmed, position.end.bytes)) +
           ",lag_ms=" + std::to_string(follower.lag_ms.load());
  } else {
    row += ",sync_keys=" + std::to_string(follower.sync_keys.load());
  }
  if (const std::uint64_t plain = follower.compressed_from; plain > 0) {
    row += ",compressed_from_bytes=" + std::to_string(plain) +
           ",compressed_to_bytes=" + std::to_string(follower.compressed_to.load());
  }
  return row;
}

void shard_fields(InfoText& text, const server::ShardGate& gate) {
  constexpr std::array<std::string_view, 5> kRoles{"starting", "learner", "follower", "candidate", "leader"};
  const auto picture = gate.picture();
  const auto* leader = picture->leader();
  std::string in_sync;
  for (const auto& node : picture->nodes) {
    if (node.in_isr) in_sync += (in_sync.empty() ? "" : ",") + node.id;
  }
  text.field("shard_role", kRoles[static_cast<std::size_t>(picture->role)]);
  text.field("shard_term", picture->term.number);
  text.field("shard_leader", leader == nullptr ? std::string() : leader->id);
  text.field("shard_serving", gate.may_serve() ? 1 : 0);
  text.field("shard_isr", in_sync);
  text.field("shard_commit", gate.commit().bytes);
  text.field("shard_loss_epoch", picture->loss_epoch);
}

}  // namespace

void info_replication(InfoText& text, CommandContext& context) {
  const Replication& replication = context.server.replication;
  const Replication::Position position = replication.position();
  const std::optional<Replication::Source> source = followed(context.server);
  text.section("Replication");
  text.field("role", source ? "slave" : "master");
  if (source) follower_fields(text, context, *source, position);
  const auto followers = replication.followers();
  text.field("connected_slaves", static_cast<std::uint64_t>(followers.size()));
  if (context.settings.min_replicas_to_write > 0 && context.settings.min_replicas_max_lag > 0) {
    text.field("min_slaves_good_slaves",
               replication.good_followers(context.settings.min_replicas_max_lag, context.now.ms));
  }
  for (std::size_t i = 0; i < followers.size(); ++i) {
    text.field("slave" + std::to_string(i), follower_row(*followers[i], position, context.now));
  }
  constexpr std::array<std::string_view, 3> kFailovers{"no-failover", "waiting-for-sync", "failover-in-progress"};
  text.field("master_failover_state", kFailovers[static_cast<std::size_t>(replication.failover())]);
  text.field("master_replid", position.id);
  text.field("master_replid2",
             position.previous_id.empty() ? std::string(position.id.size(), '0') : position.previous_id);
  text.field("master_repl_offset", position.end.bytes);
  text.field("second_repl_offset",
             position.previous_id.empty() ? -1 : static_cast<std::int64_t>(position.previous_end.bytes));
  text.field("repl_backlog_active", position.active ? 1 : 0);
  text.field("repl_backlog_size", context.settings.repl_backlog_size);
  text.field("repl_backlog_first_byte_offset", position.active ? position.begin.bytes : 0);
  text.field("repl_backlog_histlen", position.end - position.begin);
  if (context.server.shard.enabled()) shard_fields(text, context.server.shard);
}

}  // namespace magpie::commands
