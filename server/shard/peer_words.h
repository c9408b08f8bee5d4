#pragma once

#include <optional>

#include "cluster/replication/peer_message.h"
#include "protocol/wire/messages.h"

namespace magpie::server {

// What replicas of a shard ask each other, as it is written on a link between two of them: each end of the link knows
// who is at the other, so that only their incarnations travel.

wire::Message to_wire(const cluster::PeerMessage& message);
/// Nothing for a message of another kind. `here` and `there` are the ends of the link.
std::optional<cluster::PeerMessage> from_wire(const wire::Message& message, const cluster::NodeId& here,
                                              const cluster::NodeId& there);

}  // namespace magpie::server
