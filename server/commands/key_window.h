#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "server/commands/context.h"

namespace magpie::commands {

/// Calls visit(key) for each name in order, hashing the keys ahead of use and fetching their memory: the bucket of a
/// key two windows ahead, its entry one window ahead. `visit` may change the keyspace.
template <class Visit>
void visit_keys(CommandContext& context, std::span<const ByteView> names, Visit visit) {
  if (names.size() == 1) return visit(context.keys.key(names[0]));
  constexpr std::size_t kWindow = 16;
  std::array<engine::Key, 2 * kWindow> ahead;
  const auto place = [&](std::size_t number) -> engine::Key& { return ahead[number % ahead.size()]; };
  const engine::Keyspace& keyspace = context.keys.keyspace();
  const Db db = context.keys.db();
  const std::size_t window = std::min(kWindow, names.size());
  for (std::size_t step = 0; step < names.size() + 2 * window; ++step) {
    if (step >= 2 * window) visit(place(step - 2 * window));
    if (step < names.size()) {
      place(step) = context.keys.key(names[step]);
      keyspace.prefetch_bucket(db, place(step));
    }
    if (step >= window && step - window < names.size()) keyspace.prefetch_entry(db, place(step - window));
  }
}

}  // namespace magpie::commands
