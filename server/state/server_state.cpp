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

Acks ServerState::acks_needed(const ClientState& client, const config::Settings& settings) {
  switch (client.durability) {
    case Durability::Async:
      return Acks::None;
    case Durability::Semi:
      return Acks{client.semi_acks};
    case Durability::Isr:
      return Acks::InSync;
    case Durability::Default:
      break;
  }
  switch (settings.replication_mode) {
    case config::ReplicationMode::Semi:
      return Acks{settings.semi_acks};
    case config::ReplicationMode::Isr:
      return Acks::InSync;
    case config::ReplicationMode::Async:
      break;
  }
  return Acks::None;
}

Acks ServerState::acks_of_reads(const ClientState& client, const config::Settings& settings) const {
  if (!shard.leads() || client.reads == Reads::Local) return Acks::None;
  const bool isr = settings.replication_mode == config::ReplicationMode::Isr;
  return isr || client.reads == Reads::Strict ? Acks::Commit : Acks::None;
}

bool ServerState::confirmed(Lsn lsn, Acks acks) const {
  const auto followers = static_cast<std::int64_t>(acks);
  if (acks == Acks::None) return true;
  if (!shard.enabled()) return replication.confirmed_by(lsn) >= followers;
  if (acks == Acks::Commit) return shard.commit() >= lsn;
  if (acks == Acks::InSync) return shard.commit() >= lsn && shard.enough_members();
  return shard.confirmed_by(followers) >= lsn;
}

bool ServerState::confirmed(const Blocked& wait) const {
  switch (wait.kind) {
    case Blocked::Kind::Wait:
      if (wait.tenure != replication.tenure().number()) return true;
      return !wait.counts_file && replication.confirmed_by(wait.lsn) >= wait.replicas;
    case Blocked::Kind::Confirm:
      return wait.tenure != replication.tenure().number() || confirmed(wait.lsn, wait.acks);
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
  client.last_write_term = replication.term();
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
