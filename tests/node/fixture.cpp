#include "tests/node/fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <future>
#include <system_error>

#include "server/file_limit.h"

namespace magpie::testing {
namespace {

using namespace std::chrono_literals;
constexpr int kPatienceMs = 10'000;

void require(bool good, const char* what) {
  if (!good) throw std::system_error(errno, std::generic_category(), what);
}

config::Settings for_tests(config::Settings settings) {
  settings.port = 0;
  if (settings.bind == config::Settings{}.bind) settings.bind = {"127.0.0.1"};
  if (settings.threads == 0) settings.threads = 3;
  return settings;
}

}  // namespace

TestNode::TestNode(config::Settings settings) : config_(for_tests(std::move(settings))) {
  server::make_room_for_clients(config_.current()->maxclients, server::loop_count(*config_.current()));
  std::promise<void> ready;
  thread_ = std::thread([this, &ready] {
    server::Node node(config_);
    if (auto listening = node.listen(); !listening) throw std::runtime_error(listening.error());
    state_ = &node.state();
    port_ = node.port();
    node.run([&] { ready.set_value(); });
    const std::lock_guard guard(lock_);
    state_ = nullptr;
  });
  ready.get_future().wait();
}

void TestNode::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard guard(lock_);
    if (state_ != nullptr) state_->control.shut_down({.now = true});
  }
  thread_.join();
}

Client::Client(int port, const std::string& at, Segments segments)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  require(fd_ >= 0, "socket");
  const int small = 1000;
  if (segments == Segments::Small) {
    require(::setsockopt(fd_, IPPROTO_TCP, TCP_MAXSEG, &small, sizeof small) == 0, "setsockopt");
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  require(::inet_pton(AF_INET, at.c_str(), &address.sin_addr) == 1, "inet_pton");
  require(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "connect");
  const int at_once = 1;  // a part of a command is there when send() returns, also while an earlier one is unconfirmed
  require(::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once) == 0, "setsockopt");
}

Client Client::at_path(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(fd >= 0, "socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  require(path.size() < sizeof address.sun_path, "a short path");
  path.copy(address.sun_path, path.size());
  require(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "connect");
  return Client(Connected{fd});
}

void Client::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    require(sent > 0, "send");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool Client::try_send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void Client::shut_down_writing() const { require(::shutdown(fd_, SHUT_WR) == 0, "shutdown"); }

void Client::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Client::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

bool Client::receive() {
  pollfd watched{fd_, POLLIN, 0};
  if (::poll(&watched, 1, kPatienceMs) == 0) throw std::runtime_error("the server does not answer");
  std::array<char, 65536> buffer{};
  const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  input_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

std::string Client::reply() {
  while (true) {
    resp::Reply parsed;
    const resp::ReplyOutcome outcome = resp::read_reply(input_, {}, parsed);
    if (std::holds_alternative<resp::ReplyMalformed>(outcome)) throw std::runtime_error("malformed reply: " + input_);
    if (const auto* whole = std::get_if<resp::ReplyParsed>(&outcome)) {
      std::string raw = input_.substr(0, whole->consumed);
      input_.erase(0, whole->consumed);
      return raw;
    }
    if (!receive()) return "";
  }
}

std::string Client::run(std::string_view words) {
  send(std::string(words) + "\r\n");
  return reply();
}

bool Client::closed() {
  while (receive()) {
  }
  return true;
}

bool Client::silent(int ms) {
  pollfd watched{fd_, POLLIN, 0};
  return input_.empty() && ::poll(&watched, 1, ms) == 0;
}

std::vector<Client> connect(const TestNode& node, std::size_t count, Client::Segments segments) {
  std::vector<Client> clients;
  clients.reserve(count);
  while (clients.size() < count) clients.emplace_back(node.port(), "127.0.0.1", segments);
  return clients;
}

std::string encode(const std::vector<std::string>& arguments) {
  std::string wire = "*" + std::to_string(arguments.size()) + "\r\n";
  for (const std::string& argument : arguments) wire += bulk(argument);
  return wire;
}

std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

bool eventually(const std::function<bool()>& condition) {
  for (int waited = 0; waited < kPatienceMs; waited += 10) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return condition();
}

std::string id_of(Client& client) {
  const std::string reply = client.run("CLIENT ID");
  return reply.substr(1, reply.size() - 3);
}

}  // namespace magpie::testing
