#include "server/replication/tail_repair.h"

#include <limits>
#include <set>
#include <type_traits>

#include "server/engine/effect_codec.h"
#include "server/replication/record.h"

namespace magpie::server {
namespace {

/// Calls visit(effect) for the effects of complete records until it returns false; false then, and if there is anything
/// else.
template <class Visit>
bool for_each_effect(ByteView records, engine::EffectDecoder& decoder, Visit&& visit) {
  while (!records.empty()) {
    if (records.size() < kRecordHeader || records.size() - kRecordHeader < record_size(records)) return false;
    const std::size_t size = kRecordHeader + record_size(records);
    for (ByteView effects = records.substr(kRecordHeader, size - kRecordHeader); !effects.empty();) {
      const auto effect = decoder.take(effects);
      if (!effect || !visit(*effect)) return false;
    }
    records.remove_prefix(size);
  }
  return true;
}

/// Calls use(db, key) for an effect on a key; false for one on whole databases.
template <class Use>
bool with_key(const engine::Effect& effect, Use&& use) {
  return std::visit(
      [&]<class SomeEffect>(const SomeEffect& one) {
        if constexpr (std::is_same_v<SomeEffect, engine::Flush> || std::is_same_v<SomeEffect, engine::SwapDb>) {
          return false;
        } else {
          use(one.db, one.key);
          return true;
        }
      },
      effect);
}

/// Calls use(db, key) for each effect from there on; false if one is not kept, or is on whole databases.
template <class Use>
bool for_each_key(const EffectLog& log, Lsn from, std::uint32_t databases, Use&& use) {
  engine::EffectDecoder decoder(databases);
  const Lsn end = log.end();
  for (Lsn at = from; at < end;) {
    const auto segment = log.segment_at(at);
    if (segment == nullptr) return false;
    const ByteView records = segment->from(at);
    if (!for_each_effect(records, decoder, [&](const engine::Effect& effect) { return with_key(effect, use); })) {
      return false;
    }
    at = at + records.size();
  }
  return true;
}

}  // namespace

std::optional<ByteBuffer> touched_keys(const EffectLog& log, Lsn from, std::uint32_t databases, std::size_t most) {
  if (log.end() - from > most) return std::nullopt;
  std::set<std::pair<std::uint32_t, std::string>> keys;
  ByteBuffer touched;
  const bool done = for_each_key(log, from, databases, [&](Db db, const engine::Key& key) {
    if (keys.emplace(index_of(db), key.bytes).second) append_record(touched, engine::Erase{db, key});
  });
  if (!done) return std::nullopt;
  return touched;
}

bool touches_keys_only(const EffectLog& log, Lsn from, std::uint32_t databases) {
  return for_each_key(log, from, databases, [](Db, const engine::Key&) {});
}

std::optional<Lsn> append_states(engine::Keyspace& keyspace, const EffectLog& log, ByteView touched, std::size_t most,
                                 ByteBuffer& states) {
  constexpr Instant kLongAgo{std::numeric_limits<std::int64_t>::min()};  // at which nothing has expired
  engine::EffectDecoder decoder(keyspace.databases());
  const engine::Keyspace::Guard all = keyspace.lock(engine::kAllStripes);
  const auto append = [&](Db db, const engine::Key& key) {
    const engine::Entry* const entry = keyspace.peek(db, key, kLongAgo);
    if (entry == nullptr) {
      append_record(states, engine::Erase{db, key});
    } else {
      append_record(states, engine::Put(db, key, entry->value(), entry->expiry()));
    }
  };
  const bool done = for_each_effect(touched, decoder, [&](const engine::Effect& effect) {
    return states.size() <= most && with_key(effect, append);
  });
  if (!done) return std::nullopt;
  return log.end();
}

bool install_states(engine::Keyspace& keyspace, ByteView states, Lsn until, Instant now, Repair& repair) {
  engine::EffectDecoder decoder(keyspace.databases());
  return for_each_effect(states, decoder, [&](const engine::Effect& effect) {
    if (!std::holds_alternative<engine::Put>(effect) && !std::holds_alternative<engine::Erase>(effect)) return false;
    keyspace.replay(effect, now);
    return with_key(effect, [&](Db db, const engine::Key& key) { repair.add(db, key.bytes, until); });
  });
}

}  // namespace magpie::server
