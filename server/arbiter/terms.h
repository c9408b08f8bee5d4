#pragma once

#include <string>

#include "cluster/arbiter/store.h"
#include "cluster/replication/position.h"

namespace magpie::arbiter {

/// The highest term of any shard of that cluster: the values of /magpie/<cluster>/terms/<shard>, which are decimal; 0
/// if there is none.
Term highest_term(const cluster::Store& store, const std::string& cluster);

}  // namespace magpie::arbiter
