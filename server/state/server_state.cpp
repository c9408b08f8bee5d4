#include "server/state/server_state.h"

#include <algorithm>
#include <utility>

namespace magpie::server {

void ServerState::reset_statistics() {
  baseline.reset(loops);
  rates.reset();
  errors.reset();
  keyspace.reset_counters();
  background_slices.reset();
  page_slices.reset();
  rejected_connections.store(0, std::memory_order_relaxed);
}

bool ServerState::lacks_replicas(const config::Settings& settings) const {
  if (settings.min_replicas_max_lag == 0) return false;  // as in Redis
  return replication.good_followers(settings.min_replicas_max_lag, wall_clock().ms) < settings.min_replicas_to_write;
}

std::int64_t ServerState::acks_needed(const ClientState& client, const config::Settings& settings) {
  switch (client.durability) {
    case Durability::Async:
      return 0;
    case Durability::Semi:
      return client.semi_acks;
    case Durability::Default:
      break;
  }
  return settings.replication_mode == config::ReplicationMode::Semi ? settings.semi_acks : 0;
}

bool ServerState::confirmed(const Blocked& wait) const {
  switch (wait.kind) {
    case Blocked::Kind::Wait:
    case Blocked::Kind::Confirm:
      return !wait.counts_file && replication.confirmed_by(wait.lsn) >= wait.replicas;
    case Blocked::Kind::Await:
      return replication.has(wait.term, wait.lsn);
    default:
      return false;
  }
}

void ServerState::note_writes(ClientState& client) {
  const Lsn recorded = EffectLog::take_recorded();
  if (recorded == Lsn{}) return;
  client.last_write = recorded;
  replication.announce();
}

void LoopState::use_settings(std::shared_ptr<const config::Settings> current) {
  settings = std::move(current);
  constexpr std::uint64_t kNever = UINT64_MAX;
  // A negative limit means never; so does 0 for the latency monitor.
  const auto limit = [](std::int64_t value, std::uint64_t unit) {
    return value < 0 ? kNever : static_cast<std::uint64_t>(value) * unit;
  };
  constexpr std::uint64_t kNsPerUs = 1000;
  constexpr std::uint64_t kNsPerMs = 1'000'000;
  const std::int64_t monitored = settings->latency_monitor_threshold;
  watched.slow_ns =
      std::min(limit(settings->slowlog_log_slower_than, kNsPerUs), limit(monitored > 0 ? monitored : -1, kNsPerMs));
  watched.large_bytes =
      std::min(limit(settings->commandlog_request_larger_than, 1), limit(settings->commandlog_reply_larger_than, 1));
  watched.latency_tracking = settings->latency_tracking;
}

}  // namespace magpie::server
