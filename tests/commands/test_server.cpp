#include "tests/commands/test_server.h"

#include "server/commands/command_table.h"
#include "tests/protocol/output_text.h"

namespace magpie::testing {
namespace {

std::string encode(const std::vector<std::string>& arguments) {
  std::string wire = "*" + std::to_string(arguments.size()) + "\r\n";
  for (const std::string& argument : arguments) {
    wire += "$" + std::to_string(argument.size()) + "\r\n" + argument + "\r\n";
  }
  return wire;
}

std::vector<std::string> split(const std::string& words) {
  std::vector<std::string> arguments;
  std::size_t at = 0;
  while (at < words.size()) {
    const std::size_t end = std::min(words.find(' ', at), words.size());
    if (end > at) arguments.push_back(words.substr(at, end - at));
    at = end + 1;
  }
  return arguments;
}

}  // namespace

TestServer::TestServer(const config::Settings& settings)
    : config_(settings),
      keyspace_({static_cast<std::uint32_t>(settings.databases), true}),
      state_(config_, keyspace_, *this) {
  state_.run_id = std::string(40, 'a');
  state_.start_ms = now_.ms;
  state_.loops.push_back(std::make_unique<server::LoopStatistics>(commands::all_commands().size()));
  loop_.statistics = state_.loops[0].get();
  loop_.settings_generation = config_.generation();
  loop_.use_settings(config_.current());
  loop_.clock = [this] {
    now_.ms += step_ms_;
    return now_;
  };
  config_.on_change([this](const auto& before, const auto& after) {
    if (after.replicaof_host != before.replicaof_host) follow(after);
    return std::expected<void, config::ConfigStore::Veto>();
  });
  dispatcher_ = std::make_unique<server::Dispatcher>(state_, loop_);
}

TestServer::~TestServer() = default;

void TestServer::follow(const config::Settings& settings) {
  if (settings.replicaof_host.empty()) {
    state_.replication.lead();
  } else {
    state_.replication.follow({settings.replicaof_host, settings.replicaof_port});
  }
}

server::ClientState& TestServer::client(std::size_t index) {
  while (clients_.size() <= index) {
    auto made = std::make_shared<server::ClientState>(state_.clients.next_id(), server::LoopIndex{0});
    made->created_ms = now_.ms;
    made->last_activity_ms = now_.ms;
    made->peer_address = "127.0.0.1:" + std::to_string(50000 + clients_.size());
    made->local_address = "127.0.0.1:6379";
    made->authenticated = config_.current()->requirepass.empty();
    state_.clients.add(made);
    clients_.push_back(made);
  }
  return *clients_[index];
}

std::string TestServer::run(const std::string& words) { return run_as(0, split(words)); }

std::string TestServer::run(std::initializer_list<ByteView> arguments) {
  return run_as(0, std::vector<std::string>(arguments.begin(), arguments.end()));
}

std::string TestServer::run_as(std::size_t index, const std::string& words) { return run_as(index, split(words)); }

std::string TestServer::run_as(std::size_t index, const std::vector<std::string>& arguments) {
  OutputBuffer out;
  resp::ParseCursor progress;
  dispatcher_->run(client(index), encode(arguments), progress, out, now_);
  return text_of(out);
}

std::string TestServer::send(ByteView bytes) {
  OutputBuffer out;
  resp::ParseCursor progress;
  dispatcher_->run(client(), bytes, progress, out, now_);
  return text_of(out);
}

}  // namespace magpie::testing
