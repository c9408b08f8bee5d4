#include "server/state/client_registry.h"

namespace magpie::server {

void ClientRegistry::add(std::shared_ptr<ClientState> client) {
  const std::lock_guard guard(lock_);
  const ClientId id = client->id;
  clients_.emplace(id, std::move(client));
  size_.store(clients_.size(), std::memory_order_relaxed);
}

void ClientRegistry::remove(ClientId id) {
  const std::lock_guard guard(lock_);
  clients_.erase(id);
  size_.store(clients_.size(), std::memory_order_relaxed);
}

std::shared_ptr<ClientState> ClientRegistry::find(ClientId id) const {
  const std::lock_guard guard(lock_);
  const auto found = clients_.find(id);
  return found == clients_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<ClientState>> ClientRegistry::all() const {
  const std::lock_guard guard(lock_);
  std::vector<std::shared_ptr<ClientState>> result;
  result.reserve(clients_.size());
  for (const auto& [id, client] : clients_) result.push_back(client);
  return result;
}

}  // namespace magpie::server
