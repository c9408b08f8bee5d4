// The sections of INFO about the process: Server, Clients, Memory, CPU.

#include <algorithm>
#include <array>

#include "server/commands/info.h"
#include "server/config/option_table.h"
#include "server/engine/memory.h"
#include "server/state/clock.h"
#include "server/state/process.h"
#include "server/state/version.h"

namespace magpie::commands {
namespace {

constexpr std::int64_t kSecondMs = 1000;
constexpr std::int64_t kDaySeconds = 86400;

std::string compiler_version() {
  return std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__) + "." + std::to_string(__GNUC_PATCHLEVEL__);
}

/// One row for each kind of socket, under Redis's number of the kind.
void listener_rows(InfoText& text, const config::Settings& settings, std::int64_t port) {
  if (port != 0) {
    std::string row = "name=tcp";
    for (const std::string& address : settings.bind) row += ",bind=" + address;
    text.field("listener0", row + ",port=" + std::to_string(port));
  }
  if (!settings.unixsocket.empty()) text.field("listener1", "name=unix,bind=" + settings.unixsocket);
}

void cpu_fields(InfoText& text, server::CpuOf whose, const std::string& suffix) {
  constexpr int kDigits = 6;
  const server::CpuTime time = server::cpu_time(whose);
  text.field("used_cpu_sys" + suffix, time.system, kDigits);
  text.field("used_cpu_user" + suffix, time.user, kDigits);
}

}  // namespace

void info_server(InfoText& text, CommandContext& context) {
  const server::ServerState& server = context.server;
  const std::int64_t now_us = server::wall_clock_us();
  const std::int64_t uptime = std::max<std::int64_t>(0, (context.now.ms - server.start_ms) / kSecondMs);
  constexpr std::int64_t kLruBits = (1 << 24) - 1;
  text.section("Server");
  text.field("redis_version", server::kRedisVersion);
  text.field("server_name", "magpie");
  text.field("magpie_version", server::kVersion);
  text.field("redis_git_sha1", "00000000");
  text.field("redis_git_dirty", 0);
  text.field("redis_build_id", "0");
  text.field("redis_mode", server.shard.enabled() ? "cluster" : "standalone");
  text.field("os", server::system_name());
  text.field("arch_bits", static_cast<int>(sizeof(void*) * 8));
  text.field("monotonic_clock", "POSIX clock_gettime");
  text.field("multiplexing_api", "epoll");
  text.field("atomicvar_api", "c11-builtin");
  text.field("gcc_version", compiler_version());
  text.field("process_id", server::process_id());
  text.field("process_supervised", "no");
  text.field("run_id", server.run_id);
  const std::int64_t port = server.tcp_port.load(std::memory_order_relaxed);
  text.field("tcp_port", port);
  text.field("node_port", server.node_port.load(std::memory_order_relaxed));
  text.field("server_time_usec", now_us);
  text.field("uptime_in_seconds", uptime);
  text.field("uptime_in_days", uptime / kDaySeconds);
  text.field("hz", server::kTicksPerSecond);
  text.field("configured_hz", config::format(context.settings, *config::find_option("hz")->option));
  text.field("lru_clock", context.now.ms / kSecondMs & kLruBits);
  text.field("executable", server.executable);
  text.field("config_file", server.config_file);
  text.field("io_threads_active", server.loops.size() > 1 ? 1 : 0);
  text.field("threads", static_cast<std::uint64_t>(server.loops.size()));
  listener_rows(text, context.settings, port);
}

void info_clients(InfoText& text, CommandContext& context) {
  std::uint64_t blocked = 0;
  std::uint64_t watching = 0;
  std::uint64_t watched = 0;
  std::uint64_t largest_input = 0;
  std::uint64_t largest_output = 0;
  for (const auto& client : context.server.clients.all()) {
    if ((client->flags & static_cast<std::uint32_t>(server::ClientFlag::Blocked)) != 0) ++blocked;
    if (client->watch_count > 0) ++watching;
    watched += client->watch_count;
    largest_input = std::max<std::uint64_t>(largest_input, client->query_buffer);
    largest_output = std::max<std::uint64_t>(largest_output, client->output_queue + client->output_shared);
  }
  text.section("Clients");
  text.field("connected_clients", static_cast<std::uint64_t>(context.server.clients.size()));
  text.field("cluster_connections", 0);
  text.field("maxclients", context.settings.maxclients);
  text.field("client_recent_max_input_buffer", largest_input);
  text.field("client_recent_max_output_buffer", largest_output);
  text.field("blocked_clients", blocked);
  text.field("tracking_clients", 0);
  text.field("pubsub_clients", 0);
  text.field("watching_clients", watching);
  text.field("clients_in_timeout_table", 0);
  text.field("total_watched_keys", watched);
  text.field("total_blocking_keys", 0);
  text.field("total_blocking_keys_on_nokey", 0);
}

void info_memory(InfoText& text, CommandContext& context) {
  const MemoryReport memory = memory_report(context);
  text.section("Memory");
  text.bytes("used_memory", memory.used);
  text.bytes("used_memory_rss", memory.resident);
  text.bytes("used_memory_peak", memory.peak);
  text.field("used_memory_peak_perc", memory.peak_percent(), 2, "%");
  text.field("used_memory_overhead", memory.overhead);
  text.field("used_memory_startup", memory.startup);
  text.field("used_memory_dataset", memory.dataset());
  text.field("used_memory_dataset_perc", memory.dataset_percent(), 2, "%");
  text.field("mem_bytes_per_key", memory.bytes_per_key());
  text.field("mem_overhead_per_key", memory.key_cost.overhead, 1);
  text.field("allocator_allocated", memory.used);
  text.field("allocator_active", memory.resident);
  text.field("allocator_resident", memory.resident);
  text.field("allocator_muzzy", 0);
  text.bytes("total_system_memory", memory.total_system);
  text.bytes("used_memory_lua", 0);
  text.field("used_memory_vm_eval", 0);
  text.field("used_memory_scripts_eval", 0);
  text.field("number_of_cached_scripts", 0);
  text.field("number_of_functions", 0);
  text.field("number_of_libraries", 0);
  text.field("used_memory_vm_functions", 0);
  text.bytes("used_memory_vm_total", 0);
  text.field("used_memory_functions", 0);
  text.bytes("used_memory_scripts", 0);
  text.bytes("maxmemory", context.settings.maxmemory);
  const std::array policy{ByteView("maxmemory-policy")};
  text.field("maxmemory_policy", context.server.config.get(policy).front().second);
  text.field("allocator_frag_ratio", memory.fragmentation(), 2);
  text.field("allocator_frag_bytes", memory.fragmented());
  text.field("allocator_rss_ratio", 1.0, 2);
  text.field("allocator_rss_bytes", 0);
  text.field("rss_overhead_ratio", 1.0, 2);
  text.field("rss_overhead_bytes", 0);
  text.field("mem_fragmentation_ratio", memory.fragmentation(), 2);
  text.field("mem_fragmentation_bytes", memory.fragmented());
  text.field("mem_not_counted_for_evict", memory.not_evictable());
  const std::size_t backlog = context.server.replication.position().memory;
  text.field("mem_replication_backlog", backlog);
  text.field("mem_total_replication_buffers", backlog);
  text.field("mem_clients_slaves", 0);
  text.field("mem_clients_normal", memory.clients);
  text.field("mem_cluster_links", 0);
  text.field("mem_aof_buffer", 0);
  text.field("mem_allocator", engine::allocator_name());
  text.field("active_defrag_running", 0);
  text.field("lazyfree_pending_objects", context.server.keyspace.pending_lazy_free());
  text.field("lazyfreed_objects", context.server.keyspace.counters().lazily_freed);
}

void info_cpu(InfoText& text, CommandContext&) {
  text.section("CPU");
  cpu_fields(text, server::CpuOf::Process, "");
  cpu_fields(text, server::CpuOf::Children, "_children");
  cpu_fields(text, server::CpuOf::Thread, "_main_thread");
}

}  // namespace magpie::commands
