#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tests/engine/random.h"
#include "tests/node/fixture.h"

namespace magpie::testing {

/// How much each job of a load does. The ordinary run is short; ctest's "node_load_long" asks for more.
int rounds();
/// Settings of a node with four loops.
config::Settings four_loops();

// The next reply is as expected, or an exception tells what came instead.
void expect(Client& client, std::string_view reply);
/// Exactly `one`, or something that begins with `other`; whether it was `one`.
bool expect_either(Client& client, std::string_view one, std::string_view other);
std::int64_t expect_number(Client& client);
[[noreturn]] void unexpected(const std::string& got, std::string_view instead_of);

/// One kind of client's work from beginning to end; returns what it counts.
using Job = std::int64_t (*)(const TestNode& node, Random random);
/// Every job in a thread of its own, with a seed of its own; the sum of what they return, or the first exception.
std::int64_t run_all(const TestNode& node, const std::vector<Job>& jobs);

}  // namespace magpie::testing
