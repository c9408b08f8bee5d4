#pragma once

#include <random>

#include "tests/node/fixture.h"

namespace magpie::testing {

/// Opens and leaves this many connections, up to twenty at a time, each of which says nothing, sends garbage or half a
/// command, does not read, half-closes, monitors, waits ... and ends in order or by a reset. The node should have a
/// "large" value; keys "a" and "b" are changed.
void come_and_go(const TestNode& node, unsigned seed, int connections);

}  // namespace magpie::testing
