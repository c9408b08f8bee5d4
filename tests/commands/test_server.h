#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "server/dispatcher.h"

namespace magpie::testing {

/// A server without sockets and with a clock that moves only when told: commands go in, raw replies come out.
class TestServer final : private server::NodeControl {
 public:
  explicit TestServer(const config::Settings& settings = {});
  ~TestServer();

  /// Runs one command of the first client: words separated by spaces, no quoting. Returns the raw reply.
  std::string run(const std::string& words);
  /// The same with arguments as they are.
  std::string run(std::initializer_list<ByteView> arguments);
  /// Another client; index 0 is the first one. Made on first use.
  std::string run_as(std::size_t client, const std::string& words);
  std::string run_as(std::size_t client, const std::vector<std::string>& arguments);
  /// Raw bytes of the wire from the first client.
  std::string send(ByteView bytes);
  server::ClientState& client(std::size_t index = 0);

  void advance(std::int64_t ms) { now_.ms += ms; }
  /// From now on the clock also moves by this much whenever it is read.
  void advance_with_readings(std::int64_t ms) { step_ms_ = ms; }
  Instant now() const { return now_; }
  engine::Keyspace& keyspace() { return keyspace_; }
  server::ServerState& state() { return state_; }
  config::ConfigStore& config() { return config_; }
  server::Dispatcher& dispatcher() { return *dispatcher_; }

  // What commands asked of the process.
  std::vector<std::uint64_t> killed;
  std::vector<std::string> monitor_lines;
  std::vector<std::string> log_lines;
  unsigned shutdowns = 0;

 private:
  void shut_down(const Shutdown&) override { ++shutdowns; }
  bool abort_shutdown() override { return false; }
  void kill_client(server::ClientId id) override { killed.push_back(static_cast<std::uint64_t>(id)); }
  void unblock_client(server::ClientId, server::WaitNumber, bool) override {}
  void pause_changed() override {}
  void feed_monitors(const std::string& line) override { monitor_lines.push_back(line); }
  void log(const std::string& line) override { log_lines.push_back(line); }
  void follow(const config::Settings& settings);

  config::ConfigStore config_;
  engine::Keyspace keyspace_;
  server::ServerState state_;
  server::LoopState loop_;
  std::unique_ptr<server::Dispatcher> dispatcher_;
  std::vector<std::shared_ptr<server::ClientState>> clients_;
  Instant now_{1'700'000'000'000};
  std::int64_t step_ms_ = 0;
};

}  // namespace magpie::testing
