// What commands, signals and links ask of the node.

#include <chrono>

#include "server/node.h"

namespace magpie::server {

/// Whoever asks a second time does not want to wait.
void Node::on_signal(const std::string& flags) {
  shut_down({.now = flags.find("now") != std::string::npos || shutdown_wait_.waits()});
}

/// Who leads waits for the replicas, unless it is told not to.
void Node::shut_down(const Shutdown& how) {
  if (how.now) return loop_.stop();
  const std::chrono::seconds most(config_.current()->shutdown_timeout);
  const bool alone = state_.replication.follows() || state_.replication.followers().empty();
  if (alone || most == std::chrono::seconds(0)) return loop_.stop();
  if (!shutdown_wait_.begin(most)) return;
  log_notice("Waiting for replicas before shutting down; SHUTDOWN ABORT calls it off");
  wait_for_replicas();
}

/// Once no command is running that has begun before writes had to wait.
void Node::wait_for_replicas() {
  after_all_loops([this](Peers&) {
    shutdown_wait_.settle();
    if (shutdown_wait_.over()) loop_.stop();
  });
}

bool Node::abort_shutdown() {
  if (!shutdown_wait_.abort()) return false;
  log_notice("The shutdown was called off");
  for (const auto& worker : workers_) {
    worker->post([at = worker.get()] { at->refuse_shutdowns(); });
  }
  return true;
}

template <class Call>
void Node::with_connection(ClientId id, Call call) {
  const std::shared_ptr<ClientState> client = state_.clients.find(id);
  if (client == nullptr) return;
  LoopWorker* worker = workers_[static_cast<std::size_t>(client->loop)].get();
  worker->post([worker, id, call] {
    if (Connection* connection = worker->find(id)) call(*connection);
  });
}

void Node::kill_client(ClientId id) {
  with_connection(id, [](Connection& connection) { connection.close(); });
}

void Node::unblock_client(ClientId id, WaitNumber wait, bool with_error) {
  with_connection(id, [wait, with_error](Connection& connection) {
    if (connection.client().in_wait(wait)) connection.end_wait(with_error);
  });
}

void Node::pause_changed() {
  if (shutdown_wait_.hold()) return wait_for_replicas();
  for (const auto& worker : workers_) {
    worker->post([at = worker.get()] { at->end_pause(); });
  }
}

/// Commands that have begun may still write: the waiting begins once they are done.
void Node::fail_over(const FailoverOrder& order) {
  after_all_loops([order](Peers& peers) { peers.fail_over(order); });
}

/// In the same way, or it would overtake the order.
void Node::abort_failover() {
  after_all_loops([](Peers& peers) { peers.abort_failover("FAILOVER ABORT"); });
}

void Node::hand_over(const std::string& node) {
  loop_.post([this, node] { shard_->hand_over({node}); });
}

void Node::replicas_confirmed() {
  if (shutdown_wait_.over()) loop_.stop();
  for (const auto& worker : workers_) worker->post_confirmed();
}

void Node::feed_monitors(const std::string& line) {
  for (const auto& worker : workers_) worker->queue_monitor_line(line);
}

}  // namespace magpie::server
