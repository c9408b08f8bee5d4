#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "server/engine/stripe.h"

namespace magpie::engine {

/// A key that may be the next to go: where it was, and how it looked then. It may have left since.
struct EvictionCandidate {
  Handle handle{};
  std::uint32_t bucket = 0;
  std::uint32_t db = 0;
  StripeIndex stripe{};
  Heat heat{};
};

/// Stripes whose keys compete: those whose numbers leave the same rest when divided by the number of domains. A hand
/// goes round their buckets and offers what it meets to a pool, where the lowest ranks stay.
struct alignas(64) EvictionDomain {
  static constexpr std::size_t kPool = 16;

  std::mutex lock;  // guards what follows; taken before a stripe's lock
  std::array<EvictionCandidate, kPool> pool;
  std::size_t count = 0;
  // Where the hand goes on.
  unsigned stripe = 0;
  std::uint32_t db = 0;
  std::size_t bucket = 0;
};

/// What eviction by heat knows beside the keys.
struct EvictionState {
  std::array<EvictionDomain, kStripes> domains;
  std::atomic<unsigned> domain_count = 1;  // a power of two
  std::atomic<unsigned> turn = 0;  // which domain a thread takes next
  std::array<std::atomic<std::size_t>, kStripes> keys{};  // by stripe, when the epoch began
  // An epoch has passed when as much has been evicted as an eighth of what there is.
  std::atomic<std::int64_t> evicted_bytes = 0;
  std::atomic<std::int64_t> epoch_bytes = 0;  // 0: nothing has been evicted yet
  std::atomic<unsigned> ranked_label = kLabels;  // the epoch that the ranks are for
  std::atomic<std::size_t> evicted = 0;
  std::atomic<bool> few_keys_a_bucket = false;
  std::atomic<std::size_t> swept_per_eviction = 1;  // buckets, so that a sweep ends within an epoch
  std::mutex epoch_lock;  // one thread ends an epoch
};

}  // namespace magpie::engine
