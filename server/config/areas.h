#pragma once

#include <span>

#include "server/config/option.h"

/// The rows, one function per file of rows. Only the option table includes this.
namespace magpie::config {

std::span<const Option> network_options();
std::span<const Option> access_options();
std::span<const Option> memory_options();
std::span<const Option> data_options();
std::span<const Option> observation_options();
std::span<const Option> process_options();
std::span<const Option> persistence_options();
std::span<const Option> replication_options();
std::span<const Option> redis_cluster_options();
std::span<const Option> shard_options();
std::span<const Option> tls_options();

inline constexpr ByteView kPermissionNames[] = {"no", "yes", "local"};

}  // namespace magpie::config
