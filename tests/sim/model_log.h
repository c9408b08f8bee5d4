#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "cluster/replication/term_history.h"
#include "tests/sim/operation.h"

namespace magpie::sim {

/// One change of one key, or none: a barrier, or one that a replica in full sync is not to have.
struct Effect {
  enum class Kind : std::uint8_t { None, Put, Push } kind = Kind::None;
  std::size_t key = 0;
  Value value = 0;
};

struct Record {
  Effect effect;
  std::uint8_t more = 0;  // records that follow in its group
};

/// The data.
class ModelStore {
 public:
  void apply(const Effect& effect) {
    if (effect.kind == Effect::Kind::Put) registers_[effect.key] = effect.value;
    if (effect.kind == Effect::Kind::Push) lists_[effect.key - kFirstList].push_back(effect.value);
  }
  Value value(std::size_t key) const { return registers_[key]; }
  const std::vector<Value>& list(std::size_t key) const { return lists_[key - kFirstList]; }

  /// The whole state of a key.
  struct KeyState {
    std::size_t key = 0;
    Value value = 0;
    std::vector<Value> list;
  };
  KeyState state(std::size_t key) const {
    if (key < kFirstList) return {key, registers_[key], {}};
    return {key, 0, list(key)};
  }
  void put(const KeyState& state) {
    if (state.key < kFirstList) {
      registers_[state.key] = state.value;
    } else {
      lists_[state.key - kFirstList] = state.list;
    }
  }

 private:
  std::array<Value, kFirstList> registers_{};
  std::array<std::vector<Value>, kLists> lists_;
};

/// The latest records, each one byte long as far as LSNs are concerned, and the terms they are of.
class ModelLog {
 public:
  void keep(std::size_t most_records) { most_records_ = most_records; }
  Lsn begin() const { return begin_; }
  Lsn end() const { return begin_ + records_.size(); }
  cluster::TermHistory& history() { return history_; }
  const cluster::TermHistory& history() const { return history_; }

  void append(const Record& record) {
    records_.push_back(record);
    if (records_.size() <= most_records_) return;
    records_.pop_front();
    begin_ = begin_ + 1;
  }
  /// The record that begins there, which must be in it.
  const Record& at(Lsn lsn) const { return records_[lsn - begin_]; }
  void cut(Lsn lsn) {
    while (end() > lsn && !records_.empty()) records_.pop_back();
    history_.cut(lsn);
  }
  /// Nothing before that place is known.
  void begin_at(Lsn lsn) {
    records_.clear();
    begin_ = lsn;
  }
  /// It has grown as the log of that history did.
  void adopt_terms(const cluster::TermHistory& from) {
    for (const auto& begin : from.begins()) {
      if (begin.at < end() && begin.term > history_.last()) history_.begin(begin.term, begin.at);
    }
  }

 private:
  std::size_t most_records_ = 0;
  Lsn begin_;
  std::deque<Record> records_;
  cluster::TermHistory history_;
};

}  // namespace magpie::sim
