#include "server/replication/applier.h"

#include <algorithm>
#include <array>
#include <optional>
#include <type_traits>

#include "server/replication/record.h"

namespace magpie::server {
namespace {

/// Bytes of the record that begins here; nothing if they have not all come.
std::optional<std::size_t> whole_record(ByteView bytes) {
  if (bytes.size() < kRecordHeader) return std::nullopt;
  const std::size_t size = kRecordHeader + record_size(bytes);
  if (bytes.size() < size) return std::nullopt;
  return size;
}

/// Whether the effect, whose record ends there, is in its key already.
bool is_in(const Repair& repair, const engine::Effect& effect, Lsn end) {
  return std::visit(
      [&]<class SomeEffect>(const SomeEffect& one) {
        if constexpr (requires { one.key; }) {
          return repair.has(one.db, one.key.bytes, end);
        } else {
          return false;
        }
      },
      effect);
}

}  // namespace

/// Starts the cache misses that the records at the front will wait for, as the dispatcher does for commands. What is
/// wrong with a record is found when it is applied.
void Applier::fetch_ahead(ByteView bytes, Fetched& fetched) const {
  std::array<engine::Keyspace::Ahead, Fetched::kMost> ahead;
  std::array<std::size_t, Fetched::kMost> sizes;
  fetched.records = fetched.applied = 0;
  while (fetched.records < Fetched::kMost) {
    const auto size = whole_record(bytes);
    if (!size) break;
    auto& first = fetched.first[fetched.records];
    first = decoder_.look_at(bytes.substr(kRecordHeader, *size - kRecordHeader));
    if (first) ahead[fetched.records] = keyspace_.prefetch_bucket(first->db, first->key);
    sizes[fetched.records] = *size;
    bytes.remove_prefix(*size);
    ++fetched.records;
  }
  constexpr int kSteps = 2;  // an entry from its bucket, or from the one behind that
  for (int step = 0; step < kSteps; ++step) {
    for (std::size_t i = 0; i < fetched.records; ++i) {
      if (fetched.first[i]) engine::Keyspace::prefetch_entry(ahead[i], fetched.first[i]->key, sizes[i]);
    }
  }
}

/// Of the record at the front, as apply() wants it.
const engine::EffectDecoder::Place* Applier::next_place(ByteView bytes, Fetched& fetched) const {
  if (fetched.applied == fetched.records) fetch_ahead(bytes, fetched);
  const auto& first = fetched.first[fetched.applied++];
  return first ? &*first : nullptr;
}

std::expected<void, std::string> Applier::take(ByteView bytes, Instant now) {
  Fetched fetched;
  while (!bytes.empty()) {
    if (!partial_.empty()) {
      if (auto taken = go_on_with_partial(bytes, now); !taken) return taken;
    } else if (const auto size = whole_record(bytes)) {
      if (auto applied = apply(bytes.substr(0, *size), next_place(bytes, fetched), now); !applied) return applied;
      bytes.remove_prefix(*size);
    } else {
      partial_.append(bytes);
      bytes = {};
    }
  }
  return {};
}

/// First the rest of the header, then what that says.
std::expected<void, std::string> Applier::go_on_with_partial(ByteView& bytes, Instant now) {
  const bool has_header = partial_.size() >= kRecordHeader;
  const std::size_t size = has_header ? kRecordHeader + record_size(partial_.view()) : kRecordHeader;
  const std::size_t taken = std::min(bytes.size(), size - partial_.size());
  partial_.append(bytes.substr(0, taken));
  bytes.remove_prefix(taken);
  if (!whole_record(partial_.view())) return {};
  auto applied = apply(partial_.view(), nullptr, now);
  constexpr std::size_t kKept = std::size_t{1} << 20;
  if (partial_.capacity() > kKept) {
    partial_.release();
  } else {
    partial_.truncate(0);
  }
  return applied;
}

std::expected<void, std::string> Applier::apply(ByteView record, const engine::EffectDecoder::Place* known,
                                                Instant now) {
  const ByteView effects = record.substr(kRecordHeader);
  if (effects.empty()) return apply_barrier(record);
  ByteView rest = effects;
  const auto first = decoder_.take(rest, known);
  if (!first) return std::unexpected(first.error());
  engine::StripeMask stripes = engine::stripes_of(*first);
  const bool alone = rest.empty();
  while (!rest.empty()) {
    const auto effect = decoder_.take(rest);
    if (!effect) return std::unexpected(effect.error());
    stripes |= engine::stripes_of(*effect);
  }
  const engine::Keyspace::Guard guard = keyspace_.lock(stripes);
  if (!tenure_.holds()) return {};
  if (auto applied = alone ? replay(*first, now) : replay_group(effects, now); !applied) return applied;
  if (log_ != nullptr) log_->append(record);
  return {};
}

/// The first record of a term: it changes nothing.
std::expected<void, std::string> Applier::apply_barrier(ByteView record) {
  const engine::Keyspace::Guard guard = keyspace_.lock(engine::mask_of(engine::stripe_at(0)));
  if (tenure_.holds() && log_ != nullptr) log_->append(record);
  return {};
}

std::expected<void, std::string> Applier::take_behind(const Repair& repair, ByteView bytes, Instant now) {
  while (const auto size = whole_record(bytes)) {
    if (auto applied = apply_behind(repair, bytes.substr(0, *size), now); !applied) return applied;
    bytes.remove_prefix(*size);
  }
  partial_.append(bytes);
  return {};
}

std::expected<void, std::string> Applier::apply_behind(const Repair& repair, ByteView record, Instant now) {
  const Lsn end = log_->end() + record.size();
  for (ByteView effects = record.substr(kRecordHeader); !effects.empty();) {
    const auto effect = decoder_.take(effects);
    if (!effect) return std::unexpected(effect.error());
    if (is_in(repair, *effect, end)) continue;
    if (auto done = replay(*effect, now); !done) return done;
  }
  log_->append(record);
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
