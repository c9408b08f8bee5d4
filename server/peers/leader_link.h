#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "server/net/connector.h"
#include "server/peers/link.h"
#include "server/peers/node_port_query.h"
#include "server/replication/leader_session.h"

namespace magpie::server {

class Peers;

/// The way to the node that this one follows: looks for it again and again, with pauses, until it is destroyed. The
/// loop's thread only.
class LeaderLink final : private LinkOwner {
 public:
  /// `node_port` 0: the source is asked for it.
  LeaderLink(Peers& peers, Replication::Source source, int node_port);

  /// Ten times a second.
  void tick(Instant now);

 private:
  std::expected<void, std::string> on_message(const wire::Message& message, std::size_t frame) override;
  void on_caught_up() override;
  void on_drained() override {}
  void on_end(const std::string& why) override { fail(why); }

  void begin();
  void ask_for_port(int fd);
  void connect_to_node(int port);
  void converse(int fd);
  /// This attempt is over.
  void fail(const std::string& why);
  void drop_attempt();
  std::int64_t first_pause_ms() const;
  LeaderStatus& status() const;

  Peers& peers_;
  const Replication::Source source_;
  const int node_port_;
  std::string name_;  // "127.0.0.1:6379", for the log
  std::int64_t next_try_ms_ = 0;
  std::int64_t began_ms_ = 0;  // of this attempt
  std::int64_t pause_ms_;  // before the next attempt
  std::string last_reason_;
  bool failed_ = false;  // the attempt is to be dropped, outside of its own calls
  std::unique_ptr<net::Connector> connector_;
  std::unique_ptr<NodePortQuery> query_;
  std::optional<LeaderSession> session_;
  std::unique_ptr<Link> link_;
};

}  // namespace magpie::server
