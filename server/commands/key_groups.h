#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "server/commands/key_access.h"

namespace magpie::commands {

/// Visits the keys of a command with many, which stand at every `step`-th of `arguments`, in order: visit(key, number).
/// Memory is fetched ahead in a sliding window: buckets first, entries half a window later.
template <class Visit>
void visit_keys(KeyAccess& access, std::span<const ByteView> arguments, std::size_t step, Visit visit) {
  constexpr std::size_t kWindow = 16;
  const engine::Keyspace& keyspace = access.keyspace();
  const std::size_t count = arguments.size() / step;
  const std::size_t ahead = std::min(count, kWindow);
  const std::size_t entry_lag = ahead / 2;
  std::array<engine::Key, kWindow> window;
  std::array<engine::Keyspace::Ahead, kWindow> fetched;
  for (std::size_t at = 0; at < count + ahead; ++at) {
    // The place's last key is done with before a new one takes it.
    if (at >= ahead) visit(window[(at - ahead) % kWindow], at - ahead);
    if (at < count) {
      engine::Key& key = window[at % kWindow];
      key = access.key(arguments[at * step]);
      fetched[at % kWindow] = keyspace.prefetch_bucket(access.db(), key);
    }
    if (at >= entry_lag && at - entry_lag < count) {
      const std::size_t number = (at - entry_lag) % kWindow;
      engine::Keyspace::prefetch_entry(fetched[number], window[number]);
    }
  }
}

}  // namespace magpie::commands
