#pragma once

#include <cstddef>

#include "protocol/wire/frame.h"

namespace magpie::cluster {

// What an arbiter takes; what is larger is refused as a whole and changes nothing.
inline constexpr std::size_t kMostKeyBytes = 512;
inline constexpr std::size_t kMostValueBytes = std::size_t{256} << 10;
/// All keys and values that a transaction names.
inline constexpr std::size_t kMostTransactionBytes = std::size_t{512} << 10;
/// Compares of a transaction; its writes and reads together; keys of a read. As etcd has it.
inline constexpr std::size_t kMostOperations = 128;
/// All keys and values together.
inline constexpr std::size_t kMostStoreBytes = std::size_t{16} << 20;
/// So many keys that are gone are remembered, the latest ones, for watches that resume.
inline constexpr std::size_t kMostGoneKeys = 16'384;

/// A transaction or an entry fits a frame, with room for what stands around keys and values.
inline constexpr std::size_t kOperationOverhead = 64;
static_assert(kMostTransactionBytes + 3 * kMostOperations * kOperationOverhead < wire::kMostFrame);
static_assert(kMostKeyBytes + kMostValueBytes <= kMostTransactionBytes);
static_assert(kMostTransactionBytes < kMostStoreBytes);

}  // namespace magpie::cluster
