#include "server/config/areas.h"

namespace magpie::config {
namespace {

constexpr ByteView kLossNames[] = {"auto", "restart", "stop"};

const Option kOptions[] = {
    {.name = "arbiter",
     .kind = Text{},
     .change = Change::AtStart,
     .help = "host:port of 'magpiectl arbiter': this node is one of a shard that fails over by itself",
     .access = field<&Settings::arbiter>()},
    {.name = "cluster",
     .kind = Text{},
     .change = Change::AtStart,
     .help = "name of the cluster, the same for the arbiter and all nodes",
     .access = field<&Settings::cluster>()},
    {.name = "advertise",
     .kind = Text{},
     .change = Change::AtStart,
     .help = "host or host:port under which clients and other nodes find this one",
     .access = field<&Settings::advertise>()},
    {.name = "node-id",
     .kind = Text{},
     .change = Change::AtStart,
     .help = "name of this node in shard-nodes; empty: host:port as in advertise",
     .access = field<&Settings::node_id>()},
    {.name = "shard-nodes",
     .kind = Text{},
     .change = Change::AtStart,
     .help = "names of all nodes of the shard, separated by spaces; of equals the first one leads",
     .access = field<&Settings::shard_nodes>()},
    {.name = "min-isr",
     .kind = Integer{0, 8},
     .default_text = "0",
     .change = Change::AtStart,
     .help = "in-sync replicas, the leader too, without which writes in the mode isr are refused; 0: 2 in that mode",
     .access = field<&Settings::min_isr>()},
    {.name = "on-total-loss",
     .kind = Choice{kLossNames},
     .default_text = "auto",
     .change = Change::AtStart,
     .help = "once all in-sync replicas are gone: restart with what is left, or stop; auto: restart in the mode async",
     .access = field<&Settings::on_total_loss>()},
    {.name = "peer-addresses-direct",
     .kind = Boolean{},
     .default_text = "yes",
     .change = Change::AtStart,
     .help = "no proxy between nodes: a refused connection shows that a node is gone",
     .access = field<&Settings::peer_addresses_direct>()},
    {.name = "lease-heartbeat",
     .kind = Integer{10, 60'000},
     .default_text = "100",
     .change = Change::AtStart,
     .help = "milliseconds between two heartbeats of a leader",
     .access = field<&Settings::lease_heartbeat>()},
    {.name = "lease-serve",
     .kind = Integer{30, 600'000},
     .default_text = "600",
     .change = Change::AtStart,
     .help = "milliseconds that a leader serves after a heartbeat that all in-sync replicas have answered",
     .access = field<&Settings::lease_serve>()},
    {.name = "lease-takeover",
     .kind = Integer{40, 900'000},
     .default_text = "800",
     .change = Change::AtStart,
     .help = "milliseconds of silence after which another replica may take over",
     .access = field<&Settings::lease_takeover>()},
};

}  // namespace

std::span<const Option> shard_options() { return kOptions; }

}  // namespace magpie::config
