#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "server/engine/keyspace.h"

namespace magpie::testing {

/// What a keyspace must hold, kept the simple way: every key of every database with its text and expiry.
class KeyspaceModel {
 public:
  struct Value {
    std::string text;
    std::optional<Instant> expiry;
    bool operator==(const Value&) const = default;
  };
  using Id = std::pair<std::uint32_t, std::string>;

  void apply(const engine::Effect& effect) {
    std::visit([this](const auto& one) { change(one); }, effect);
  }
  const std::map<Id, Value>& content() const { return content_; }
  std::optional<Value> find(Db db, ByteView key, Instant now) const {
    const auto found = content_.find(id(db, key));
    if (found == content_.end() || due(found->second, now)) return std::nullopt;
    return found->second;
  }
  /// Erases what is due; returns how many.
  std::size_t expire(Instant now) {
    return std::erase_if(content_, [now](const auto& one) { return due(one.second, now); });
  }
  void expire(Db db, ByteView key, Instant now) {
    const auto found = content_.find(id(db, key));
    if (found != content_.end() && due(found->second, now)) content_.erase(found);
  }

 private:
  static Id id(Db db, ByteView key) { return {index_of(db), std::string(key)}; }
  static bool due(const Value& value, Instant now) { return value.expiry && value.expiry->ms < now.ms; }

  void change(const engine::Put& put) {
    engine::IntegerScratch scratch;
    content_[id(put.db, put.key.bytes)] = {std::string(text_of(put.value, scratch)), put.expiry};
  }
  void change(const engine::Overwrite& overwrite) {
    std::string& text = content_[id(overwrite.db, overwrite.key.bytes)].text;
    const std::size_t end = overwrite.offset + overwrite.bytes.size();
    if (text.size() < end) text.resize(end);
    text.replace(overwrite.offset, overwrite.bytes.size(), overwrite.bytes);
  }
  void change(const engine::Erase& erase) { content_.erase(id(erase.db, erase.key.bytes)); }
  void change(const engine::SetExpiry& set) {
    const auto found = content_.find(id(set.db, set.key.bytes));
    if (found != content_.end()) found->second.expiry = set.expiry;
  }
  void change(const engine::Flush& flush) {
    std::erase_if(content_, [&](const auto& one) { return !flush.db || index_of(*flush.db) == one.first.first; });
  }
  void change(const engine::SwapDb& swap) {
    std::map<Id, Value> swapped;
    for (auto& [at, value] : content_) {
      std::uint32_t db = at.first;
      if (db == index_of(swap.first)) {
        db = index_of(swap.second);
      } else if (db == index_of(swap.second)) {
        db = index_of(swap.first);
      }
      swapped[{db, at.second}] = std::move(value);
    }
    content_ = std::move(swapped);
  }

  std::map<Id, Value> content_;
};

/// Effects as a log keeps them: copied into storage of its own.
class EffectLog final : public engine::EffectSink {
 public:
  void on_effect(const engine::Effect& effect) override {
    Record record{effect, {}, {}};
    std::visit([&](const auto& one) { copy(one, record); }, effect);
    records_.push_back(std::move(record));
  }
  std::size_t size() const { return records_.size(); }
  void replay_into(engine::Keyspace& keyspace, Instant now) const {
    for (const Record& record : records_) keyspace.replay(owned(record), now);
  }

 private:
  struct Record {
    engine::Effect effect;  // its views are replaced by these at replay
    std::string key;
    std::string bytes;
  };

  static void copy(const engine::Put& put, Record& record) {
    record.key = put.key.bytes;
    record.bytes = put.value.bytes;
  }
  static void copy(const engine::Overwrite& overwrite, Record& record) {
    record.key = overwrite.key.bytes;
    record.bytes = overwrite.bytes;
  }
  static void copy(const engine::Erase& erase, Record& record) { record.key = erase.key.bytes; }
  static void copy(const engine::SetExpiry& set, Record& record) { record.key = set.key.bytes; }
  static void copy(const engine::Flush&, Record&) {}
  static void copy(const engine::SwapDb&, Record&) {}

  static engine::Effect owned(const Record& record) {
    engine::Effect effect = record.effect;
    if (auto* put = std::get_if<engine::Put>(&effect)) {
      put->key = engine::Key::of(record.key);
      put->value.bytes = record.bytes;
    } else if (auto* overwrite = std::get_if<engine::Overwrite>(&effect)) {
      overwrite->key = engine::Key::of(record.key);
      overwrite->bytes = record.bytes;
    } else if (auto* erase = std::get_if<engine::Erase>(&effect)) {
      erase->key = engine::Key::of(record.key);
    } else if (auto* set = std::get_if<engine::SetExpiry>(&effect)) {
      set->key = engine::Key::of(record.key);
    }
    return effect;
  }

  std::vector<Record> records_;
};

}  // namespace magpie::testing
