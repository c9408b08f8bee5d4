#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cluster/arbiter/durable_store.h"
#include "server/arbiter/remote_arbiter.h"
#include "server/arbiter/service.h"
#include "server/net/loop.h"
#include "tests/cluster/folder.h"

namespace magpie::testing {

/// Runs the loop until it is so, for ten seconds at most; whether it became so.
bool run_until(net::Loop& loop, const std::function<bool()>& condition);

/// Looks again and again until it is so, for ten seconds at most.
bool becomes_so(const std::function<bool()>& condition);

/// An arbiter on a thread of its own, with the data of a folder.
class TestService {
 public:
  struct Options {
    int port = 0;
    std::string secret = "secret";
    bool accept_empty = false;
  };
  TestService(const std::string& folder, Options options);
  explicit TestService(const std::string& folder) : TestService(folder, Options()) {}
  ~TestService();
  TestService(const TestService&) = delete;
  TestService& operator=(const TestService&) = delete;

  int port() const { return port_; }
  /// Its log so far.
  std::string log() const;
  bool logged(std::string_view words) const { return log().find(words) != std::string::npos; }

 private:
  net::Loop loop_;
  std::unique_ptr<cluster::DurableStore> store_;
  mutable std::mutex mutex_;
  std::string log_;
  std::optional<arbiter::Service> service_;
  int port_ = 0;
  std::thread thread_;
};

/// A client, with a loop of its own, that waits for each answer.
class TestClient {
 public:
  struct Options {
    std::string node = "node";
    std::string secret = "secret";
    std::string cluster = "cluster";
    Term highest_term = {};
    std::chrono::milliseconds request_time = arbiter::kRequestTime;
  };
  TestClient(int port, Options options);
  explicit TestClient(int port) : TestClient(port, Options()) {}

  using Transacted = std::expected<cluster::TransactionResult, cluster::ArbiterError>;
  using Read = std::expected<cluster::ReadResult, cluster::ArbiterError>;
  Transacted transact(const cluster::Transaction& transaction);
  Transacted put(const std::string& key, const std::string& value);
  Read read(const std::vector<std::string>& keys);
  bool until(const std::function<bool()>& condition) { return run_until(loop_, condition); }

  net::Loop& loop() { return loop_; }
  arbiter::RemoteArbiter& arbiter() { return *arbiter_; }
  bool connected() const { return connected_; }
  /// Whether these words become one of them.
  bool is_troubled_by(std::string_view words) {
    return until([&] { return troubles_.find(words) != std::string::npos; });
  }
  void end() { arbiter_.reset(); }

 private:
  net::Loop loop_;
  bool connected_ = false;
  std::string troubles_;  // why it was not connected, all reasons so far
  std::optional<arbiter::RemoteArbiter> arbiter_;
};

/// The changes that a watch was told, as text: "a=1 b- ".
struct Told {
  cluster::Arbiter::OnChange on_change();
  cluster::Revision revision;
  std::string text;
};

cluster::Transaction put_transaction(const std::string& key, const std::string& value);

}  // namespace magpie::testing
