#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "protocol/reply_reader.h"
#include "server/node.h"

namespace magpie::testing {

/// Whether a sanitizer watches: then all takes several times as long, and large amounts need not be so large.
#ifdef MAGPIE_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// A node in this process, on a port that the kernel chose (of 127.0.0.1, unless the settings bind it elsewhere), run
/// by a thread of its own.
class TestNode {
 public:
  explicit TestNode(config::Settings settings = {});
  ~TestNode() { stop(); }

  int port() const { return port_; }
  server::ServerState& state() { return *state_; }
  config::ConfigStore& config() { return config_; }
  /// As SHUTDOWN NOW does it; returns when everything has ended. Nothing if it has ended by itself.
  void stop();

 private:
  config::ConfigStore config_;
  std::mutex lock_;  // guards state_, which goes when the node ends by itself
  server::ServerState* state_ = nullptr;
  int port_ = 0;
  std::thread thread_;
};

/// A client with a blocking socket. Waiting for more than ten seconds is an error (an exception).
class Client {
 public:
  explicit Client(const TestNode& node) : Client(node.port()) {}
  /// With small segments the kernel keeps little of what is not read.
  enum class Segments : std::uint8_t { Usual, Small };
  explicit Client(int port, const std::string& address = "127.0.0.1", Segments segments = Segments::Usual);
  /// To a unix socket.
  static Client at_path(const std::string& path);
  Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)), input_(std::move(other.input_)) {}
  Client& operator=(Client&& other) noexcept {
    std::swap(fd_, other.fd_);
    input_.swap(other.input_);
    return *this;
  }
  ~Client() { close(); }

  void send(std::string_view bytes) const;
  /// What the socket takes at once; false once it takes no more.
  bool try_send(std::string_view bytes) const;
  void shut_down_writing() const;
  void close();
  /// Closes with a reset instead of an orderly end.
  void reset();

  /// The next reply as raw bytes; "" if the server has closed.
  std::string reply();
  /// Sends words separated by spaces and returns the raw reply.
  std::string run(std::string_view words);
  /// Whether the server closes, after whatever it still sends.
  bool closed();
  /// Whether nothing comes for some milliseconds.
  bool silent(int ms);

 private:
  struct Connected {
    int fd;
  };
  explicit Client(Connected socket) : fd_(socket.fd) {}
  bool receive();

  int fd_;
  std::string input_;
};

std::vector<Client> connect(const TestNode& node, std::size_t count,
                            Client::Segments segments = Client::Segments::Usual);
/// A command as RESP.
std::string encode(const std::vector<std::string>& arguments);
std::string bulk(std::string_view text);
/// Looks again and again until it is so, for ten seconds at most.
bool eventually(const std::function<bool()>& condition);
/// A client's id as CLIENT ID tells it.
std::string id_of(Client& client);

}  // namespace magpie::testing
