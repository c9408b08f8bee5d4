#pragma once

#include <string>

#include "protocol/bytes.h"

namespace magpie::server {

/// What Redis's cluster commands call a node of a shard: 40 lower-case hex digits, the same on all nodes and after each
/// start. Any thread.
std::string wire_id(ByteView cluster, ByteView node);

}  // namespace magpie::server
