#include "server/config/areas.h"
#include "server/config/compound_options.h"
#include "server/config/no_effect.h"

namespace magpie::config {
namespace {

constexpr ByteView kLoadNames[] = {"disabled", "on-empty-db", "swapdb"};
constexpr ByteView kNotRedis = "Magpie does not replicate from or to Redis";
constexpr ByteView kClusterDecides = "the replicas of a shard and who must confirm a write are decided by the cluster";
constexpr ByteView kNoBackup = "without replicating from a Redis master this server would start empty and alone";

const Option kOptions[] = {
    refused("replicaof", kMaster, "", kNoBackup, Change::AtStart, "slaveof"),
    no_effect("masterauth", Text{}, "", kNotRedis),
    no_effect("masteruser", Text{}, "", kNotRedis),
    no_effect("min-replicas-to-write", Integer{}, "0", kClusterDecides, Change::Runtime, "min-slaves-to-write"),
    no_effect("min-replicas-max-lag", Integer{}, "10", kClusterDecides, Change::Runtime, "min-slaves-max-lag"),
    no_effect("replica-priority", Integer{}, "100", kClusterDecides, Change::Runtime, "slave-priority"),
    no_effect("replica-announced", Boolean{}, "yes", kClusterDecides),
    no_effect("replica-announce-ip", Text{}, "", kNotRedis, Change::Runtime, "slave-announce-ip"),
    no_effect("replica-announce-port", Integer{0, 65535}, "0", kNotRedis, Change::Runtime, "slave-announce-port"),
    no_effect("replica-read-only", Boolean{}, "yes", "followers of a shard never take writes from clients",
              Change::Runtime, "slave-read-only"),
    no_effect("replica-serve-stale-data", Boolean{}, "yes", kClusterDecides, Change::Runtime, "slave-serve-stale-data"),
    no_effect("replica-ignore-maxmemory", Boolean{}, "yes", "followers never evict by themselves", Change::Runtime,
              "slave-ignore-maxmemory"),
    no_effect("replica-ignore-disk-write-errors", Boolean{}, "no", kNotRedis),
    no_effect("replica-lazy-flush", Boolean{}, "no", kNotRedis, Change::Runtime, "slave-lazy-flush"),
    {.name = "repl-backlog-size",
     .kind = MemorySize{.low = 1},
     .default_text = "67108864",
     .help = "memory for the latest changes, from which a replica that was away goes on",
     .access = field<&Settings::repl_backlog_size>()},
    {.name = "repl-backlog-always",
     .kind = Boolean{},
     .default_text = "no",
     .help = "keep the latest changes although no replica has asked for them yet",
     .access = field<&Settings::repl_backlog_always>()},
    no_effect("repl-backlog-ttl", Integer{0, kInt64Max}, "3600", kNotRedis),
    no_effect("repl-timeout", Integer{.low = 1}, "60", kNotRedis),
    no_effect("repl-ping-replica-period", Integer{.low = 1}, "10", kNotRedis, Change::Runtime,
              "repl-ping-slave-period"),
    no_effect("repl-disable-tcp-nodelay", Boolean{}, "no", kNotRedis),
    no_effect("repl-diskless-sync", Boolean{}, "yes", kNotRedis),
    no_effect("repl-diskless-sync-delay", Integer{}, "5", kNotRedis),
    no_effect("repl-diskless-sync-max-replicas", Integer{}, "0", kNotRedis),
    no_effect("repl-diskless-load", Choice{kLoadNames}, "disabled", kNotRedis),
};

}  // namespace

std::span<const Option> replication_options() { return kOptions; }

}  // namespace magpie::config
