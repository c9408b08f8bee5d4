#include "tests/sim/history.h"

#include <algorithm>
#include <map>
#include <utility>

namespace magpie::sim {
namespace {

/// When a value was certainly the register's: from the first end to the last begin of what wrote or saw it. If they are
/// the other way round, it need only have been there for one moment between them (Gibbons and Korach 1997).
struct Zone {
  TrueTime first_end = kNoReply;
  TrueTime last_begin = TrueTime::min();
  std::optional<TrueTime> written;
  bool certain = false;  // acknowledged, or seen
  bool forward() const { return first_end < last_begin; }
  void take(TrueTime begun, TrueTime ended) {
    first_end = std::min(first_end, ended);
    last_begin = std::max(last_begin, begun);
  }
};
using Zones = std::map<Value, Zone>;

std::string about(const char* what, std::size_t key, Value value) {
  return std::string(what) + ": key " + std::to_string(key) + ", value " + std::to_string(value);
}

std::size_t register_of(const Operation& operation) {
  return operation.kind == Operation::Kind::WritePair ? kPair : operation.key;
}

bool of_register(const Operation& operation) {
  return operation.kind != Operation::Kind::Push && operation.kind != Operation::Kind::ReadList;
}

Zones zones_of(const History& history, std::size_t key) {
  Zones zones;
  if (history.ancient() == 0) zones[0].written = TrueTime::min();
  if (history.ancient() == 0) zones[0].take(TrueTime::min(), TrueTime::min());
  for (std::size_t number = history.first(); number < history.calls().size(); ++number) {
    const Call& call = history.calls()[number];
    if (!of_register(call.operation) || register_of(call.operation) != key) continue;
    const bool writes = call.operation.writes();
    if (call.reply.status == Reply::Status::Refused || (!writes && !call.done())) continue;
    const Value value = writes ? call.operation.value : call.reply.value;
    if (value <= history.ancient() && history.ancient() != 0) continue;
    Zone& zone = zones[value];
    if (writes) zone.written = call.begun;
    zone.certain |= call.done();
    zone.take(call.begun, call.ended);
  }
  return zones;
}

std::optional<std::string> check_register(const History& history, std::size_t key) {
  std::vector<std::pair<Zone, Value>> forward;
  std::vector<std::pair<Zone, Value>> backward;
  for (const auto& [value, zone] : zones_of(history, key)) {
    if (!zone.written) return about("a value that nobody wrote was read", key, value);
    if (zone.first_end < *zone.written) return about("a value was read before it was written", key, value);
    if (!zone.certain && value != 0) continue;
    (zone.forward() ? forward : backward).emplace_back(zone, value);
  }
  std::ranges::sort(forward, {}, [](const auto& one) { return one.first.first_end; });
  for (std::size_t next = 1; next < forward.size(); ++next) {
    if (forward[next].first.first_end < forward[next - 1].first.last_begin) {
      return about("a value was read although another had replaced it", key, forward[next - 1].second) + " and " +
             std::to_string(forward[next].second);
    }
  }
  for (const auto& [zone, value] : backward) {
    const auto after =
        std::ranges::upper_bound(forward, zone.last_begin, {}, [](const auto& one) { return one.first.first_end; });
    if (after == forward.begin()) continue;
    const Zone& around = std::prev(after)->first;
    if (around.first_end < zone.last_begin && zone.first_end < around.last_begin) {
      return about("a value has no place", key, value) + " beside " + std::to_string(std::prev(after)->second);
    }
  }
  return std::nullopt;
}

/// Checks one list that only ever grows at its end.
class ListCheck {
 public:
  ListCheck(const History& history, std::size_t key, const std::vector<Value>& final) : history_(&history), key_(key) {
    for (const Value value : final) {
      if (value > history.ancient()) final_.push_back(value);
    }
    for (std::size_t place = 0; place < final_.size(); ++place) {
      twice_ |= !places_.emplace(final_[place], place).second;
    }
  }

  std::optional<std::string> check(bool all) {
    if (twice_) return about("a pushed element is there twice", key_, final_.back());
    if (const auto wrong = check_pushes(all)) return wrong;
    return all ? check_reads() : std::nullopt;
  }

 private:
  template <class Use>
  void each(Operation::Kind kind, Use use) const {
    for (std::size_t number = history_->first(); number < history_->calls().size(); ++number) {
      const Call& call = history_->calls()[number];
      if (call.operation.kind == kind && call.operation.key == key_) use(call);
    }
  }

  std::optional<std::string> check_pushes(bool all) {
    std::optional<std::string> wrong;
    std::vector<const Call*> pushes(final_.size());
    each(Operation::Kind::Push, [&](const Call& call) {
      const auto found = places_.find(call.operation.value);
      if (found != places_.end()) {
        pushes[found->second] = &call;
        if (call.reply.status == Reply::Status::Refused) wrong = about("a refused push", key_, call.operation.value);
      } else if (all && call.done()) {
        wrong = about("an acknowledged push is lost", key_, call.operation.value);
      }
    });
    TrueTime first_end_after = kNoReply;
    for (std::size_t place = pushes.size(); place-- > 0 && !wrong;) {
      if (pushes[place] == nullptr) return about("an element that nobody pushed", key_, final_[place]);
      if (first_end_after < pushes[place]->begun) wrong = about("pushes are out of order", key_, final_[place]);
      first_end_after = std::min(first_end_after, pushes[place]->ended);
    }
    return wrong;
  }

  std::optional<std::string> check_reads() const {
    std::optional<std::string> wrong;
    each(Operation::Kind::ReadList, [&](const Call& call) {
      if (!call.done()) return;
      std::vector<Value> seen;
      for (const Value value : call.reply.list) {
        if (value > history_->ancient()) seen.push_back(value);
      }
      if (seen.size() > final_.size() || !std::equal(seen.begin(), seen.end(), final_.begin())) {
        wrong = about("a list was read that was never so", key_, seen.empty() ? 0 : seen.back());
      }
      read_lengths_.push_back({call.begun, call.ended, seen.size()});
    });
    each(Operation::Kind::Push, [&](const Call& call) {
      const auto found = places_.find(call.operation.value);
      // A push is like a read of the list up to it.
      if (call.done() && found != places_.end()) read_lengths_.push_back({kNoReply, call.ended, found->second + 1});
    });
    return wrong ? wrong : check_lengths();
  }

  /// What begins after something has ended sees at least as much.
  std::optional<std::string> check_lengths() const {
    std::vector<Seen> by_end = read_lengths_;
    std::ranges::sort(by_end, {}, &Seen::ended);
    std::vector<Seen> by_begin = read_lengths_;
    std::ranges::sort(by_begin, {}, &Seen::begun);
    std::size_t ended = 0;
    std::size_t longest = 0;
    for (const Seen& seen : by_begin) {
      if (seen.begun == kNoReply) break;
      for (; ended < by_end.size() && by_end[ended].ended < seen.begun; ++ended) {
        longest = std::max(longest, by_end[ended].length);
      }
      if (seen.length < longest) return about("a list was read as it had been before", key_, final_[longest - 1]);
    }
    return std::nullopt;
  }

  struct Seen {
    TrueTime begun;
    TrueTime ended;
    std::size_t length;
  };
  const History* history_;
  std::size_t key_;
  std::vector<Value> final_;
  std::map<Value, std::size_t> places_;
  bool twice_ = false;
  mutable std::vector<Seen> read_lengths_;
};

}  // namespace

std::optional<std::string> check_registers(const History& history) {
  for (std::size_t key = 0; key <= kPair; ++key) {
    if (auto wrong = check_register(history, key)) return wrong;
  }
  return std::nullopt;
}

std::optional<std::string> check_lists(const History& history, const std::vector<std::vector<Value>>& lists, bool all) {
  for (std::size_t list = 0; list < lists.size(); ++list) {
    if (auto wrong = ListCheck(history, kFirstList + list, lists[list]).check(all)) return wrong;
  }
  return std::nullopt;
}

}  // namespace magpie::sim
