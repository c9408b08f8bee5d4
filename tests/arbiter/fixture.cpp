#include "tests/arbiter/fixture.h"

#include <doctest/doctest.h>

#include <chrono>
#include <utility>

#include "server/net/timer.h"

namespace magpie::testing {

using cluster::Arbiter;
using cluster::Transaction;

bool run_until(net::Loop& loop, const std::function<bool()>& condition) {
  constexpr std::chrono::milliseconds kBetween{1};
  constexpr std::chrono::seconds kMost{10};
  const auto end = std::chrono::steady_clock::now() + kMost;
  bool met = condition();
  net::Timer timer(loop, [&] {
    met = condition();
    if (met || std::chrono::steady_clock::now() > end) loop.stop();
  });
  if (met) return true;
  timer.start_repeating(kBetween);
  loop.run();
  return met;
}

bool becomes_so(const std::function<bool()>& condition) {
  constexpr std::chrono::milliseconds kBetween{1};
  constexpr std::chrono::seconds kMost{10};
  const auto end = std::chrono::steady_clock::now() + kMost;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(kBetween);
  }
  return true;
}

TestService::TestService(const std::string& folder, Options options) {
  auto store = cluster::DurableStore::open(folder, "cluster");
  REQUIRE_MESSAGE(store.has_value(), store.error());
  store_ = std::move(*store);
  const auto log = [this](arbiter::LogLevel, const arbiter::LogLine& line) {
    const std::lock_guard lock(mutex_);
    log_ += line.text() + "\n";
  };
  service_.emplace(
      loop_, *store_,
      arbiter::Service::Options{"127.0.0.1", options.port, {"cluster", options.secret}, options.accept_empty}, log,
      [](const std::string&) {});
  const auto port = service_->listen();
  REQUIRE_MESSAGE(port.has_value(), port.error());
  port_ = *port;
  thread_ = std::thread([this] { loop_.run(); });
}

TestService::~TestService() {
  loop_.stop();
  if (thread_.joinable()) thread_.join();
}

std::string TestService::log() const {
  const std::lock_guard lock(mutex_);
  return log_;
}

TestClient::TestClient(int port, Options options) {
  arbiter::RemoteArbiter::Options all{.endpoint = {"127.0.0.1", port},
                                      .identity = {options.cluster, options.secret},
                                      .node = options.node,
                                      .highest_term = [term = options.highest_term] { return term; },
                                      .on_state =
                                          [this](bool connected, const std::string& why) {
                                            connected_ = connected;
                                            if (!why.empty()) troubles_ += why + "\n";
                                          },
                                      .request_time = options.request_time};
  arbiter_.emplace(loop_, std::move(all));
}

TestClient::Transacted TestClient::transact(const Transaction& transaction) {
  std::optional<Transacted> done;
  arbiter_->transact(transaction, [&](Transacted result) { done = std::move(result); });
  REQUIRE_FALSE(done.has_value());
  REQUIRE(until([&] { return done.has_value(); }));
  return std::move(*done);
}

TestClient::Transacted TestClient::put(const std::string& key, const std::string& value) {
  return transact(put_transaction(key, value));
}

TestClient::Read TestClient::read(const std::vector<std::string>& keys) {
  std::optional<Read> done;
  arbiter_->read(keys, [&](Read result) { done = std::move(result); });
  REQUIRE_FALSE(done.has_value());
  REQUIRE(until([&] { return done.has_value(); }));
  return std::move(*done);
}

Arbiter::OnChange Told::on_change() {
  return [this](const Arbiter::Change& change) {
    CHECK(change.revision >= revision);
    revision = change.revision;
    for (const auto& write : change.writes) text += write.key + (write.value ? "=" + *write.value : "-") + " ";
  };
}

Transaction put_transaction(const std::string& key, const std::string& value) {
  return {.compares = {}, .writes = {{key, value}}, .reads = {}};
}

}  // namespace magpie::testing
