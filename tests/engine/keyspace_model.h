#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "server/engine/keyspace.h"

namespace magpie::testing {

inline std::string text_in(const engine::StringValue& value) {
  engine::IntegerScratch scratch;
  return std::string(text_of(value, scratch));
}

inline std::vector<std::string> elements_of(const engine::ListView& list) {
  std::vector<std::string> elements;
  for (engine::ListView::Cursor at(list, 0); at.valid(); at.next()) elements.push_back(text_in(at.value()));
  return elements;
}

/// What a keyspace must hold, kept the simple way: every key of every database with its text and expiry.
class KeyspaceModel {
 public:
  struct Value {
    std::string text;  // of a string
    std::optional<Instant> expiry;
    std::vector<std::string> elements = {};  // of a list
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
  static bool due(const Value& value, Instant now) { return value.expiry && value.expiry->ms < now.ms; }
  /// Whether eviction may take it.
  static bool may_go(const Value& value, engine::EvictionPolicy policy) {
    return policy != engine::EvictionPolicy::NoEviction && (!engine::only_volatile(policy) || value.expiry);
  }

  /// Of an entry, to be compared with find() and content().
  static Value value_of(const engine::Entry& entry) { return value_of(entry.value(), entry.expiry()); }

 private:
  static Id id(Db db, ByteView key) { return {index_of(db), std::string(key)}; }
  static Value value_of(const engine::Value& value, std::optional<Instant> expiry) {
    if (value.type() == engine::ValueType::List) return {{}, expiry, elements_of(value.as_list())};
    return {text_in(value.as_string()), expiry};
  }
  void change(const engine::Put& put) { content_[id(put.db, put.key.bytes)] = value_of(put.value, put.expiry); }
  void change(const engine::ListPush& push) {
    auto& elements = content_[id(push.db, push.key.bytes)].elements;
    for (const ByteView element : push.elements) {
      elements.insert(push.end == engine::ListEnd::Front ? elements.begin() : elements.end(), std::string(element));
    }
  }
  std::vector<std::string>::iterator element(Db db, const engine::Key& key, std::size_t index) {
    return content_.at(id(db, key.bytes)).elements.begin() + static_cast<std::ptrdiff_t>(index);
  }
  void change(const engine::ListSet& set) { *element(set.db, set.key, set.index) = set.element; }
  void change(const engine::ListInsert& insert) {
    content_.at(id(insert.db, insert.key.bytes))
        .elements.insert(element(insert.db, insert.key, insert.index), std::string(insert.element));
  }
  void change(const engine::ListErase& erase) {
    const auto first = element(erase.db, erase.key, erase.first);
    auto& elements = content_.at(id(erase.db, erase.key.bytes)).elements;
    elements.erase(first, first + static_cast<std::ptrdiff_t>(erase.count));
    if (elements.empty()) content_.erase(id(erase.db, erase.key.bytes));
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
    Record& record = records_.emplace_back(effect);
    std::visit([&](const auto& one) { copy(one, record); }, effect);
  }
  std::size_t size() const { return records_.size(); }
  void clear() { records_.clear(); }
  void replay_into(engine::Keyspace& keyspace, Instant now) const {
    for (const Record& record : records_) replay(record, keyspace, now);
  }

 private:
  struct Record {
    explicit Record(const engine::Effect& of) : effect(of) {}
    engine::Effect effect;  // its views are replaced by these at replay
    std::string key;
    std::vector<std::string> bytes;
    engine::List list;
  };

  template <class SomeEffect>
  static void copy(const SomeEffect& one, Record& record) {
    if constexpr (requires { one.key; }) record.key = one.key.bytes;
    if constexpr (requires { one.bytes; }) record.bytes.emplace_back(one.bytes);
    if constexpr (requires { one.element; }) record.bytes.emplace_back(one.element);
    if constexpr (requires { one.elements; }) record.bytes.assign(one.elements.begin(), one.elements.end());
    if constexpr (requires { one.value; }) {
      record.bytes.emplace_back(one.value.bytes);
      if (one.value.list != nullptr) record.list = *one.value.list;
    }
  }

  static void replay(const Record& record, engine::Keyspace& keyspace, Instant now) {
    engine::Effect effect = record.effect;
    const std::vector<ByteView> views(record.bytes.begin(), record.bytes.end());
    const auto own = [&](auto& one) {
      if constexpr (requires { one.key; }) one.key = engine::Key::of(record.key);
      if constexpr (requires { one.bytes; }) one.bytes = views[0];
      if constexpr (requires { one.element; }) one.element = views[0];
      if constexpr (requires { one.elements; }) one.elements = views;
      if constexpr (requires { one.value; }) {
        one.value.bytes = views[0];
        if (one.value.list != nullptr) one.value.list = &record.list;
      }
    };
    std::visit(own, effect);
    keyspace.replay(effect, now);
  }

  std::vector<Record> records_;
};

}  // namespace magpie::testing
