#include "server/engine/eviction.h"

#include <algorithm>

namespace magpie::engine {

Heat next_frequency(const EvictionSettings& settings, Heat heat, std::uint64_t random) {
  const unsigned counter = index_of(heat);
  const unsigned base = counter - std::min(counter, index_of(kFirstFrequency));
  // Goes up with probability 1 / (base * factor + 1).
  const bool up = counter < kHeats - 1 && random % (std::uint64_t{base} * settings.lfu_log_factor + 1) == 0;
  return Heat{static_cast<std::uint8_t>(counter + (up ? 1 : 0))};
}

HeatMap decay_map(std::uint64_t times) {
  HeatMap map;
  for (unsigned counter = 0; counter < kHeats; ++counter) {
    map[counter] = Heat{static_cast<std::uint8_t>(counter - std::min<std::uint64_t>(counter, times))};
  }
  return map;
}

}  // namespace magpie::engine
