// The sections of INFO about what the server holds and has done: Persistence, Stats, Replication, Modules, Cluster,
// Keyspace.

#include <array>

#include "server/commands/info.h"

namespace magpie::commands {

void info_persistence(InfoText& text, CommandContext& context) {
  constexpr std::int64_t kSecondMs = 1000;
  text.section("Persistence");
  text.field("loading", 0);
  text.field("async_loading", 0);
  text.field("current_cow_peak", 0);
  text.field("current_cow_size", 0);
  text.field("current_cow_size_age", 0);
  text.field("current_fork_perc", 0.0, 2);
  text.field("current_save_keys_processed", 0);
  text.field("current_save_keys_total", 0);
  // Nothing is ever saved, so all changes count, whatever CONFIG RESETSTAT did.
  text.field("rdb_changes_since_last_save", server::totals_since_start(context.server.loops).changes);
  text.field("rdb_bgsave_in_progress", 0);
  text.field("rdb_last_save_time", context.server.start_ms / kSecondMs);
  text.field("rdb_last_bgsave_status", "ok");
  text.field("rdb_last_bgsave_time_sec", -1);
  text.field("rdb_current_bgsave_time_sec", -1);
  text.field("rdb_saves", 0);
  text.field("rdb_last_cow_size", 0);
  text.field("rdb_last_load_keys_expired", 0);
  text.field("rdb_last_load_keys_loaded", 0);
  text.field("aof_enabled", 0);
  text.field("aof_rewrite_in_progress", 0);
  text.field("aof_rewrite_scheduled", 0);
  text.field("aof_last_rewrite_time_sec", -1);
  text.field("aof_current_rewrite_time_sec", -1);
  text.field("aof_last_bgrewrite_status", "ok");
  text.field("aof_rewrites", 0);
  text.field("aof_rewrites_consecutive_failures", 0);
  text.field("aof_last_write_status", "ok");
  text.field("aof_last_cow_size", 0);
  text.field("module_fork_in_progress", 0);
  text.field("module_fork_last_cow_size", 0);
}

namespace {

void traffic_fields(InfoText& text, CommandContext& context, const server::Totals& totals) {
  constexpr double kKilo = 1024;
  const server::RateSampler::Rates rates = context.server.rates.rates();
  text.field("total_connections_received", totals.connections_received);
  text.field("total_commands_processed", totals.commands_processed);
  text.field("instantaneous_ops_per_sec", static_cast<std::int64_t>(rates.commands));
  text.field("total_net_input_bytes", totals.net_input_bytes);
  text.field("total_net_output_bytes", totals.net_output_bytes);
  text.field("total_net_repl_input_bytes", 0);
  text.field("total_net_repl_output_bytes", 0);
  text.field("instantaneous_input_kbps", rates.input_bytes / kKilo, 2);
  text.field("instantaneous_output_kbps", rates.output_bytes / kKilo, 2);
  text.field("instantaneous_input_repl_kbps", 0.0, 2);
  text.field("instantaneous_output_repl_kbps", 0.0, 2);
  text.field("rejected_connections", context.server.rejected_connections.load(std::memory_order_relaxed));
  text.field("sync_full", 0);
  text.field("sync_partial_ok", 0);
  text.field("sync_partial_err", 0);
}

/// Beside Redis's fields: how late expired keys went, and how long the pieces of background work took.
void background_fields(InfoText& text, CommandContext& context) {
  constexpr double kMsNs = 1e6;
  constexpr double kUsNs = 1e3;
  const std::array lag_percentiles{50.0, 99.0, 99.9};
  const std::array slice_percentiles{50.0, 99.0, 99.99};
  const auto histogram = [&](const char* name, const engine::SharedDurationHistogram& source, double unit_ns,
                             std::span<const double> percentiles) {
    text.percentiles(name, server::totals_of(source), percentiles, unit_ns, source.longest_ns());
  };
  const auto slices = [&](const std::string& name, const engine::SharedDurationHistogram& source) {
    text.field(name + "_slices", server::totals_of(source).count());
    histogram((name + "_slice_percentiles_usec").c_str(), source, kUsNs, slice_percentiles);
  };
  histogram("expired_lag_percentiles_msec", context.server.keyspace.expiry_lag(), kMsNs, lag_percentiles);
  slices("background", context.server.background_slices);
  slices("page", context.server.page_slices);
}

void key_fields(InfoText& text, CommandContext& context, const server::Totals& totals) {
  constexpr std::uint64_t kMsNs = 1'000'000;
  const engine::Keyspace::Counters counters = context.server.keyspace.counters();
  text.field("expired_keys", counters.expired);
  text.field("expired_stale_perc", 0.0, 2);
  text.field("expired_time_cap_reached_count", 0);
  text.field("expire_cycle_cpu_milliseconds", totals.expire_cycle_ns / kMsNs);
  text.field("evicted_keys", counters.evicted);
  text.field("evicted_clients", totals.evicted_clients);
  text.field("evicted_scripts", 0);
  text.field("total_eviction_exceeded_time", 0);
  text.field("current_eviction_exceeded_time", 0);
  text.field("keyspace_hits", totals.keyspace_hits);
  text.field("keyspace_misses", totals.keyspace_misses);
}

void other_fields(InfoText& text, const server::Totals& totals) {
  for (const char* none :
       {"pubsub_channels", "pubsub_patterns", "pubsubshard_channels", "latest_fork_usec", "total_forks",
        "migrate_cached_sockets", "slave_expires_tracked_keys", "active_defrag_hits", "active_defrag_misses",
        "active_defrag_key_hits", "active_defrag_key_misses", "total_active_defrag_time", "current_active_defrag_time",
        "tracking_total_keys", "tracking_total_items", "tracking_total_prefixes"}) {
    text.field(none, 0);
  }
  text.field("unexpected_error_replies", 0);
  text.field("total_error_replies", totals.total_error_replies);
  text.field("dump_payload_sanitizations", 0);
  text.field("total_reads_processed", totals.total_reads_processed);
  text.field("total_writes_processed", totals.total_writes_processed);
  text.field("io_threaded_reads_processed", 0);
  text.field("io_threaded_writes_processed", 0);
  text.field("client_query_buffer_limit_disconnections", totals.query_limit_disconnections);
  text.field("client_output_buffer_limit_disconnections", totals.output_limit_disconnections);
  text.field("reply_buffer_shrinks", 0);
  text.field("reply_buffer_expands", 0);
  for (const char* none :
       {"acl_access_denied_auth", "acl_access_denied_cmd", "acl_access_denied_key", "acl_access_denied_channel"}) {
    text.field(none, 0);
  }
}

}  // namespace

void info_stats(InfoText& text, CommandContext& context) {
  const server::Totals totals = context.server.baseline.totals(context.server.loops);
  text.section("Stats");
  traffic_fields(text, context, totals);
  key_fields(text, context, totals);
  other_fields(text, totals);
  background_fields(text, context);
}

void info_modules(InfoText& text, CommandContext&) { text.section("Modules"); }

void info_cluster(InfoText& text, CommandContext& context) {
  text.section("Cluster");
  text.field("cluster_enabled", context.server.shard.enabled() ? 1 : 0);
}

void info_keyspace(InfoText& text, CommandContext& context) {
  text.section("Keyspace");
  engine::Keyspace& keyspace = context.server.keyspace;
  const engine::Keyspace::Guard guard = lock_all(context);
  for (std::uint32_t db = 0; db < keyspace.databases(); ++db) {
    const engine::Keyspace::DatabaseSize size = keyspace.size(Db{db}, context.now);
    if (size.keys == 0) continue;
    text.field("db" + std::to_string(db), "keys=" + std::to_string(size.keys) +
                                              ",expires=" + std::to_string(size.volatile_keys) +
                                              ",avg_ttl=" + std::to_string(size.mean_ttl_ms));
  }
}

}  // namespace magpie::commands
