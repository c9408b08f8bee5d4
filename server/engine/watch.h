#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/bytes.h"
#include "server/engine/instant.h"

namespace magpie::engine {

/// Raised when a watched key changes; shared between the watching client and the stripes. Any thread.
using WatchFlag = std::shared_ptr<std::atomic<bool>>;

/// Who watches which keys of one stripe. Guarded by the stripe's lock.
class WatchedKeys {
 public:
  bool empty() const { return keys_.empty(); }
  /// A flag that watches the same key already is not added again.
  void add(Db db, ByteView key, const WatchFlag& flag);
  void remove(Db db, ByteView key, const WatchFlag& flag);
  void touch(Db db, ByteView key);
  /// Calls visit(db, key) for each watched key and touches those for which it answers true.
  template <class Visit>
  void touch_if(Visit&& visit) {
    for (auto& [id, flags] : keys_) {
      if (visit(id.db, ByteView(id.key))) raise(flags);
    }
  }

 private:
  struct Id {
    Db db;
    std::string key;
    bool operator==(const Id&) const = default;
  };
  struct IdHash {
    std::size_t operator()(const Id& id) const { return std::hash<std::string>()(id.key) ^ index_of(id.db); }
  };
  using Flags = std::vector<WatchFlag>;
  static void raise(const Flags& flags) {
    for (const WatchFlag& flag : flags) flag->store(true, std::memory_order_relaxed);
  }
  std::unordered_map<Id, Flags, IdHash> keys_;
};

}  // namespace magpie::engine
