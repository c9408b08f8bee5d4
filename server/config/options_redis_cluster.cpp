#include "server/config/areas.h"
#include "server/config/no_effect.h"

namespace magpie::config {
namespace {

constexpr ByteView kEndpointNames[] = {"ip", "hostname", "unknown-endpoint"};
constexpr ByteView kOwnCluster = "Magpie does not speak Redis's cluster bus";
constexpr ByteView kNoCluster =
    "Magpie does not speak Redis's cluster bus; this server would own every slot, unseen by the others";

const Option kOptions[] = {
    refused("cluster-enabled", Boolean{}, "no", kNoCluster, Change::AtStart),
    no_effect("cluster-config-file", Text{}, "nodes.conf", kOwnCluster, Change::AtStart),
    no_effect("cluster-node-timeout", Integer{0, kInt64Max}, "15000", kOwnCluster),
    no_effect("cluster-port", Integer{0, 65535}, "0", kOwnCluster, Change::AtStart),
    no_effect("cluster-announce-ip", Text{}, "", kOwnCluster),
    no_effect("cluster-announce-port", Integer{0, 65535}, "0", kOwnCluster),
    no_effect("cluster-announce-tls-port", Integer{0, 65535}, "0", kOwnCluster),
    no_effect("cluster-announce-bus-port", Integer{0, 65535}, "0", kOwnCluster),
    no_effect("cluster-announce-hostname", Text{}, "", kOwnCluster),
    no_effect("cluster-announce-human-nodename", Text{}, "", kOwnCluster),
    no_effect("cluster-preferred-endpoint-type", Choice{kEndpointNames}, "ip", kOwnCluster),
    no_effect("cluster-migration-barrier", Integer{}, "1", kOwnCluster),
    no_effect("cluster-allow-replica-migration", Boolean{}, "yes", kOwnCluster),
    no_effect("cluster-replica-validity-factor", Integer{}, "10", kOwnCluster, Change::Runtime,
              "cluster-slave-validity-factor"),
    no_effect("cluster-replica-no-failover", Boolean{}, "no", kOwnCluster, Change::Runtime,
              "cluster-slave-no-failover"),
    no_effect("cluster-require-full-coverage", Boolean{}, "yes", kOwnCluster),
    no_effect("cluster-allow-reads-when-down", Boolean{}, "no", kOwnCluster),
    no_effect("cluster-allow-pubsubshard-when-down", Boolean{}, "yes", kOwnCluster),
    no_effect("cluster-link-sendbuf-limit", MemorySize{}, "0", kOwnCluster),
};

}  // namespace

std::span<const Option> redis_cluster_options() { return kOptions; }

}  // namespace magpie::config
