#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/arbiter/durable_store.h"
#include "server/arbiter/client_link.h"
#include "server/arbiter/handshake.h"
#include "server/arbiter/log_line.h"
#include "server/net/listener.h"
#include "server/net/loop.h"
#include "server/net/timer.h"

namespace magpie::arbiter {

/// The arbiter of a static shard: answers clients from a durable store. What one poll of the loop has brought is
/// flushed together, on the loop's thread, before any of it is answered; while the disk writes, further requests wait
/// in their sockets. Uses the loop's after_each_poll(). Loop's thread only.
class Service final : ClientLink::Owner {
 public:
  struct Options {
    std::string address;  // to listen on
    int port = 0;         // 0: the kernel chooses
    Identity identity;
    /// Answer nodes that have seen a higher term than the store has (rule R26); else the first of them ends all
    /// service.
    bool accept_empty = false;
  };
  /// The disk fails; nothing is answered any more, and the process should end with this message.
  using OnFailure = std::function<void(const std::string& message)>;

  /// All outlive it. To be made before the loop runs, and destroyed after.
  Service(net::Loop& loop, cluster::DurableStore& store, Options options, Log log, OnFailure on_failure);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// The port that it listens on, or why it cannot.
  std::expected<int, std::string> listen();

 private:
  const Identity& identity() const override { return options_.identity; }
  const cluster::Store& store() const override { return store_.store(); }
  std::expected<void, wire::arbiter::Refusal> admit(const std::string& node, Term highest) override;
  std::expected<cluster::TransactionResult, cluster::ArbiterError> transact(
      const cluster::Transaction& transaction) override;
  void log(LogLevel level, const LogLine& line) override { log_(level, line); }
  void log_refusal(const std::string& node, const std::string& address, const std::string& reason) override;

  void accept(int fd);
  void settle();
  void look();
  void fail(const std::string& message);

  net::Loop& loop_;
  cluster::DurableStore& store_;
  Options options_;
  Log log_;
  OnFailure on_failure_;
  bool failed_ = false;
  std::optional<wire::arbiter::Refusal> outdated_;
  std::map<std::string, std::string> refused_;  // node, reason: one that tries again and again has one line
  std::vector<std::unique_ptr<ClientLink>> links_;
  net::Timer timer_;
  std::optional<net::Listener> listener_;
};

}  // namespace magpie::arbiter
