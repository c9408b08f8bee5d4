#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "server/state/client_state.h"

namespace magpie::server {

/// All connected clients, by id. Any thread. Holding a client keeps its shared members readable after it disconnected.
class ClientRegistry {
 public:
  ClientId next_id() { return ClientId{next_id_.fetch_add(1, std::memory_order_relaxed)}; }
  void add(std::shared_ptr<ClientState> client);
  void remove(ClientId id);
  std::shared_ptr<ClientState> find(ClientId id) const;
  /// In ascending order of id.
  std::vector<std::shared_ptr<ClientState>> all() const;
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> next_id_{1};
  std::atomic<std::size_t> size_{0};
  mutable std::mutex lock_;
  std::map<ClientId, std::shared_ptr<ClientState>> clients_;
};

}  // namespace magpie::server
