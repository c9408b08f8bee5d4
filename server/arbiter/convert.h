#pragma once

#include <cstdint>
#include <vector>

#include "cluster/arbiter/arbiter.h"
#include "protocol/wire/arbiter_messages.h"

namespace magpie::arbiter {

// Between what an Arbiter takes and gives and what travels. What is long becomes several messages, to be put together
// again on the other side: all but the last have `more`.

wire::arbiter::Transact to_wire(std::uint64_t id, cluster::Transaction transaction);
std::vector<wire::arbiter::Answer> to_wire(std::uint64_t id, cluster::TransactionResult result);
std::vector<wire::arbiter::Changed> to_wire(std::uint64_t id, cluster::Arbiter::Change change);

cluster::Transaction from_wire(wire::arbiter::Transact transact);
std::vector<cluster::ArbiterEntry> from_wire(std::vector<wire::arbiter::Entry> entries);
std::vector<cluster::Transaction::Write> from_wire(std::vector<wire::arbiter::Write> writes);

}  // namespace magpie::arbiter
