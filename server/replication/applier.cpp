#include "server/replication/applier.h"

#include <algorithm>
#include <type_traits>

#include "server/replication/record.h"

namespace magpie::server {
namespace {

engine::StripeMask stripes_of(const engine::Effect& effect) {
  return std::visit(
      []<class SomeEffect>(const SomeEffect& one) {
        if constexpr (std::is_same_v<SomeEffect, engine::Flush> || std::is_same_v<SomeEffect, engine::SwapDb>) {
          return engine::kAllStripes;
        } else {
          return engine::mask_of(one.key.stripe);
        }
      },
      effect);
}

}  // namespace

std::expected<void, std::string> Applier::take(ByteView bytes, Instant now) {
  while (!bytes.empty()) {
    if (!partial_.empty()) {
      // First the header, then what it says.
      const std::size_t size =
          partial_.size() < kRecordHeader ? kRecordHeader : kRecordHeader + record_size(partial_.view());
      const std::size_t taken = std::min(bytes.size(), size - partial_.size());
      partial_.append(bytes.substr(0, taken));
      bytes.remove_prefix(taken);
      if (partial_.size() < kRecordHeader || partial_.size() < kRecordHeader + record_size(partial_.view())) continue;
      auto applied = apply(partial_.view(), now);
      constexpr std::size_t kKept = std::size_t{1} << 20;
      if (partial_.capacity() > kKept) partial_.release();
      partial_.truncate(0);
      if (!applied) return applied;
    } else if (bytes.size() >= kRecordHeader && bytes.size() >= kRecordHeader + record_size(bytes)) {
      const std::size_t size = kRecordHeader + record_size(bytes);
      if (auto applied = apply(bytes.substr(0, size), now); !applied) return applied;
      bytes.remove_prefix(size);
    } else {
      partial_.append(bytes);
      bytes = {};
    }
  }
  return {};
}

std::expected<void, std::string> Applier::apply(ByteView record, Instant now) {
  const ByteView effects = record.substr(kRecordHeader);
  ByteView rest = effects;
  const auto first = decoder_.take(rest);
  if (!first) return std::unexpected(first.error());
  engine::StripeMask stripes = stripes_of(*first);
  const bool alone = rest.empty();
  while (!rest.empty()) {
    const auto effect = decoder_.take(rest);
    if (!effect) return std::unexpected(effect.error());
    stripes |= stripes_of(*effect);
  }
  const engine::Keyspace::Guard guard = keyspace_.lock(stripes);
  if (!keyspace_.follows()) return {};  // it leads since a moment ago
  if (auto applied = alone ? replay(*first, now) : replay_group(effects, now); !applied) return applied;
  if (log_ != nullptr) log_->append(record);
  return {};
}

std::expected<void, std::string> Applier::replay(const engine::Effect& effect, Instant now) {
  if (!keyspace_.can_replay(effect)) return std::unexpected("an effect does not fit the data that is here");
  keyspace_.replay(effect, now);
  return {};
}

std::expected<void, std::string> Applier::replay_group(ByteView effects, Instant now) {
  while (!effects.empty()) {
    const auto effect = decoder_.take(effects);
    if (auto done = replay(*effect, now); !done) return done;
  }
  return {};
}

}  // namespace magpie::server
