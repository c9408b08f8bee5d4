#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/engine/keyspace.h"
#include "server/replication/follower_session.h"
#include "server/replication/leader_session.h"
#include "server/replication/replication.h"
#include "server/replication/shard_duties.h"
#include "tests/sim/data_plane.h"
#include "tests/sim/data_rules.h"
#include "tests/sim/production_link.h"

namespace magpie::sim {

/// The data plane of a server: its keyspace, its log and its sessions, driven as server::Peers drives them.
class ProductionDataPlane final : public DataPlane, private server::ShardDuties {
 public:
  ProductionDataPlane(DataHost& host, const DataRules& rules, const DataLimits& limits);
  ~ProductionDataPlane() override;

  cluster::LogPosition position() const override { return position_; }
  bool complete() const override { return complete_; }
  const cluster::TermHistory& history() const override { return history_; }
  void begin_term(Term term) override;
  void end_term() override;
  bool leads() const override { return !replication_.follows(); }
  Executed execute(const Operation& operation) override;
  void connected(LinkId link, const cluster::Member& leader, Term term) override;
  void received(LinkId link, const DataMessagePtr& message) override;
  void closed(LinkId link) override;
  Value look(std::size_t key) const override;
  const std::vector<Value>& look_list(std::size_t key) const override;

 private:
  /// A follower, as server::FollowerLink keeps it.
  struct Feed {
    Feed(ProductionDataPlane& plane, LinkId id)
        : link(*plane.host_, id),
          session(plane.keyspace_, plane.replication_, plane.identity_, {"", {}, "", &plane, plane.term_}) {}
    ProductionLink link;
    server::FollowerSession session;
    bool waiting = false;  // the rest goes a little later
  };
  /// The leader, as server::LeaderLink keeps it.
  struct Intake {
    Intake(ProductionDataPlane& plane, LinkId id, server::LeaderSession::Terms::Shard shard)
        : link(*plane.host_, id),
          session(plane.keyspace_, plane.replication_, plane.identity_, {"", {}, "", std::move(shard)}) {}
    ProductionLink link;
    server::LeaderSession session;
  };
  struct Name {
    std::string text;
    engine::Key key;
  };
  /// What clients would see, read when it is asked for.
  struct Seen {
    std::optional<std::array<Value, kFirstList>> registers;
    std::array<std::optional<std::vector<Value>>, kLists> lists;
  };

  // ShardDuties
  void peer_seen(const cluster::Member& /*peer*/) override {}  // the node has been told when the link came
  bool leader_heard(Term term, const cluster::Member& leader) override { return host_->leader_heard(term, leader); }
  bool may_confirm(Term term) override { return host_->may_confirm(term); }
  void wants_discard() override { host_->wants_discard(); }
  std::uint64_t maxmemory() const override { return 0; }
  void follower_applied(const cluster::Member& follower, Term term, const cluster::LogPosition& position,
                        std::uint64_t /*maxmemory*/) override {
    host_->follower_applied(follower, term, position, true);
  }

  // production_data_plane.cpp
  void refresh();
  void put(std::size_t key, const std::string& value);
  std::string text_of(Value value) const;
  engine::StripeMask stripes_of(const Operation& operation) const;
  std::array<Value, kFirstList> read_registers() const;
  std::vector<Value> read_list(std::size_t key) const;

  // production_links.cpp
  Feed* find_feed(LinkId link);
  Feed& make_feed(LinkId link);
  void drop_feed(LinkId link);
  void drop_feeds();
  void drop_intake();
  void take_from_leader(const DataMessage& piece);
  void take_from_follower(Feed& feed, const DataMessage& piece);
  std::size_t some_bytes(bool syncing);
  void pump(LinkId link);
  void pump_all();
  void pump_later(Feed& feed, bool syncing);
  void tick();
  void tick_later();

  DataHost* host_;
  DataRules rules_;
  DataLimits limits_;
  server::NodeIdentity identity_;
  std::array<Name, kKeys> names_;
  engine::Keyspace keyspace_;
  server::Replication replication_;
  std::optional<Term> term_;  // that this node leads
  bool blank_ = true;         // the data here may be replaced: it is none that anybody counts on
  bool tick_is_due_ = false;
  std::vector<std::unique_ptr<Feed>> feeds_;
  std::unique_ptr<Intake> intake_;
  bool complete_ = false;
  cluster::LogPosition position_;
  cluster::TermHistory history_;
  mutable Seen seen_;
};

}  // namespace magpie::sim
