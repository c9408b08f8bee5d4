#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "protocol/bytes.h"

namespace magpie::config {

/// What happens when maxmemory is reached. The order is that of Redis's error text.
enum class MaxmemoryPolicy : std::uint8_t {
  VolatileLru,
  VolatileLfu,
  VolatileRandom,
  VolatileTtl,
  AllKeysLru,
  AllKeysLfu,
  AllKeysRandom,
  NoEviction,
};

enum class LogLevel : std::uint8_t { Debug, Verbose, Notice, Warning, Nothing };

/// When a write is acknowledged: once it is applied, once so many replicas have it, or once all in-sync replicas have.
enum class ReplicationMode : std::uint8_t { Async, Semi, Isr };

/// Whether replicas are sent data compressed: where it pays, whatever gets smaller, or nothing.
enum class ReplCompression : std::uint8_t { Auto, Yes, No };

/// What happens once all in-sync replicas of a shard are gone for good: as the mode has it, one begins anew, or none.
enum class OnTotalLoss : std::uint8_t { Auto, Restart, Stop };

/// Who may use a dangerous command: nobody, everybody, or only connections from this machine.
enum class Permission : std::uint8_t { No, Yes, Local };

/// When a client that reads too slowly is closed; 0 means no limit.
struct OutputBufferLimit {
  std::int64_t hard_bytes = 0;
  std::int64_t soft_bytes = 0;
  std::int64_t soft_seconds = 0;
  bool operator==(const OutputBufferLimit&) const = default;
};

struct OutputBufferLimits {
  OutputBufferLimit normal;
  OutputBufferLimit replica{268435456, 67108864, 60};
  OutputBufferLimit pubsub{33554432, 8388608, 60};
  bool operator==(const OutputBufferLimits&) const = default;
};

/// The bits of notify-keyspace-events; a letter of Redis's each.
enum class KeyspaceEvent : std::uint32_t {
  Keyspace = 1U << 0U,   // K
  Keyevent = 1U << 1U,   // E
  Generic = 1U << 2U,    // g
  String = 1U << 3U,     // $
  List = 1U << 4U,       // l
  Set = 1U << 5U,        // s
  Hash = 1U << 6U,       // h
  SortedSet = 1U << 7U,  // z
  Expired = 1U << 8U,    // x
  Evicted = 1U << 9U,    // e
  Stream = 1U << 10U,    // t
  KeyMiss = 1U << 11U,   // m
  Module = 1U << 12U,    // d
  New = 1U << 13U,       // n
};

/// A set of KeyspaceEvent.
struct KeyspaceEvents {
  std::uint32_t bits = 0;
  bool has(KeyspaceEvent event) const { return (bits & static_cast<std::uint32_t>(event)) != 0; }
  bool operator==(const KeyspaceEvents&) const = default;
};

/// Every option that has meaning in Magpie, typed. A value type: copies are independent and may cross threads.
/// Sizes are in bytes; other units stand at the member. Names, ranges and help are in the option table, which reads
/// and writes these members; the initial values here are the table's defaults (a test compares them).
struct Settings {
  // Network
  std::int64_t port = 6379;                            // 0: no TCP
  std::vector<std::string> bind{"127.0.0.1", "-::1"};  // leading '-': may be unavailable; empty: listen nowhere
  bool protected_mode = true;
  std::string unixsocket;           // empty: none
  std::int64_t unixsocketperm = 0;  // mode bits; 0: left to the umask
  std::int64_t tcp_backlog = 511;
  std::int64_t timeout = 0;          // seconds of idleness; 0: never
  std::int64_t tcp_keepalive = 300;  // seconds; 0: off
  std::int64_t threads = 0;          // loops; 0: one per core
  std::int64_t maxclients = 10000;
  std::int64_t proto_max_bulk_len = 536870912;
  std::int64_t client_query_buffer_limit = 1073741824;
  OutputBufferLimits client_output_buffer_limit;

  // Access
  std::string requirepass;
  Permission enable_debug_command = Permission::No;
  Permission enable_protected_configs = Permission::No;

  // Memory
  std::int64_t maxmemory = 0;  // 0: no limit
  MaxmemoryPolicy maxmemory_policy = MaxmemoryPolicy::NoEviction;
  std::int64_t maxmemory_samples = 5;
  std::int64_t lfu_log_factor = 10;
  std::int64_t list_max_listpack_size = -2;  // elements, or -1 ... -5: 4 KB ... 64 KB
  std::int64_t lfu_decay_time = 1;  // minutes
  bool lazyfree_lazy_user_flush = false;

  // Data
  std::int64_t databases = 16;

  // Replication
  std::string replicaof_host;  // empty: this node leads
  std::int64_t replicaof_port = 0;
  std::string masteruser;
  std::string masterauth;
  std::string cluster_secret_file;  // empty: the passwords serve
  std::int64_t node_port = -1;      // -1: port + 10000; 0: the kernel chooses
  ReplicationMode replication_mode = ReplicationMode::Async;
  std::int64_t semi_acks = 1;
  std::int64_t replication_timeout = 1500;  // milliseconds
  std::int64_t min_replicas_to_write = 0;
  std::int64_t min_replicas_max_lag = 10;  // seconds
  std::int64_t replica_priority = 100;
  bool replica_announced = true;
  std::string replica_announce_ip;
  std::int64_t replica_announce_port = 0;  // 0: the real one
  bool replica_read_only = true;
  bool replica_serve_stale_data = true;
  std::int64_t repl_backlog_ttl = 3600;  // seconds; 0: for ever
  std::int64_t repl_timeout = 60;        // seconds
  std::int64_t repl_backlog_size = std::int64_t{64} << 20;
  bool repl_backlog_always = false;
  ReplCompression repl_compression = ReplCompression::Auto;
  std::int64_t max_group_bytes = std::int64_t{512} << 20;

  // Shard
  std::string arbiter;      // host:port; empty: a plain node
  std::string cluster;      // name
  std::string advertise;    // host or host:port under which others find this node
  std::string node_id;      // empty: the address of `advertise`
  std::string shard_nodes;  // names, separated by spaces
  std::int64_t min_isr = 0;  // 0: 2 in the mode isr, else 1
  OnTotalLoss on_total_loss = OnTotalLoss::Auto;
  bool peer_addresses_direct = true;
  std::int64_t lease_heartbeat = 100;  // milliseconds, as the next two
  std::int64_t lease_serve = 600;
  std::int64_t lease_takeover = 800;

  // Observation
  LogLevel loglevel = LogLevel::Notice;
  std::string logfile;                           // empty: standard output
  std::int64_t slowlog_log_slower_than = 10000;  // microseconds; negative: off
  std::int64_t slowlog_max_len = 128;
  std::int64_t commandlog_request_larger_than = 1048576;  // bytes; negative: off
  std::int64_t commandlog_large_request_max_len = 128;
  std::int64_t commandlog_reply_larger_than = 1048576;  // bytes; negative: off
  std::int64_t commandlog_large_reply_max_len = 128;
  std::int64_t latency_monitor_threshold = 0;  // milliseconds; 0: off
  bool latency_tracking = true;
  std::vector<double> latency_tracking_info_percentiles{50, 99, 99.9};
  KeyspaceEvents notify_keyspace_events;

  // Process
  std::string pidfile;  // empty: none
  std::int64_t shutdown_timeout = 10;  // seconds
  std::string shutdown_on_sigint = "default";  // words in the order of Redis
  std::string shutdown_on_sigterm = "default";

  /// Values of the options that are accepted without meaning, where they differ from the default: CONFIG GET returns
  /// what was set. The keys are names of the option table, which is static.
  std::map<ByteView, std::string> without_effect;

  bool operator==(const Settings&) const = default;
};

}  // namespace magpie::config
