#pragma once

#include <expected>
#include <string>
#include <vector>

#include "cluster/arbiter/arbiter.h"

namespace magpie::cluster {

/// Whether a store takes it, as far as that does not depend on what it holds. The error names the limit.
std::expected<void, ArbiterError> within_limits(const Transaction& transaction);
std::expected<void, ArbiterError> within_limits(const std::vector<std::string>& keys);
std::expected<void, ArbiterError> within_limits(const std::string& prefix);

}  // namespace magpie::cluster
