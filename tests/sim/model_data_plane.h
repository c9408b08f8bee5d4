#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "tests/sim/data_plane.h"
#include "tests/sim/data_rules.h"
#include "tests/sim/model_log.h"
#include "tests/sim/model_message.h"

namespace magpie::sim {

/// Data and replication in the simplest form that obeys R12 to R17.
class ModelDataPlane final : public DataPlane {
 public:
  ModelDataPlane(DataHost& host, const DataRules& rules, const DataLimits& limits)
      : host_(&host), rules_(rules), limits_(limits) {
    main_.log.keep(limits.log_records);
  }

  cluster::LogPosition position() const override;
  bool complete() const override { return complete_; }
  const cluster::TermHistory& history() const override { return main_.log.history(); }
  void begin_term(Term term) override;
  void end_term() override;
  bool leads() const override { return leading_.has_value(); }
  Executed execute(const Operation& operation) override;
  void connected(LinkId link, const cluster::Member& leader, Term term) override;
  void received(LinkId link, const DataMessagePtr& message) override;
  void closed(LinkId link) override;
  Value look(std::size_t key) const override { return main_.store.value(key); }
  const std::vector<Value>& look_list(std::size_t key) const override { return main_.store.list(key); }

 private:
  /// A log, and the data that comes of it.
  struct Copy {
    ModelStore store;
    ModelLog log;
    Lsn applied;                        // whole groups only
    std::array<Lsn, kKeys> skip_until{};  // R13
  };
  /// What goes to one follower.
  struct Feed {
    LinkId link;
    Lsn sent;
    bool streaming = false;
    std::optional<std::size_t> cursor;  // of its full sync
    bool waiting = false;               // the rest goes a little later
  };
  /// What comes from the leader.
  struct Intake {
    LinkId link;
    cluster::Member leader;
    Term term;
    cluster::TermHistory history;
    bool streaming = false;
    bool full = false;
    std::unique_ptr<Copy> aside;
    Lsn install_at;
  };

  // model_data_plane.cpp: the leader's side
  void handle(Feed& feed, const model::Follow& follow);
  void handle(Feed& feed, const model::RepairRequest& request);
  void handle(Feed& feed, const model::FullRequest& request);
  void handle(Feed& feed, const model::Applied& applied);
  template <class Other>
  void handle(Feed& feed, const Other& /*not for a leader*/) {
    host_->close(feed.link);
  }
  Feed* find_feed(LinkId link);
  void drop_feed(LinkId link);
  void append(const Effect& effect, std::uint8_t more);
  void ship_all();
  void ship(Feed& feed);
  void send_records(Feed& feed, Lsn until);
  void begin_full(Feed& feed);
  void send_chunk(LinkId link);
  void send(LinkId link, model::Body body);

  // model_intake.cpp: the follower's side
  void handle(const model::Resume& resume);
  void handle(const model::Diverged& diverged);
  void handle(const model::FullBegin& begin);
  void handle(const model::Chunk& chunk);
  void handle(const model::FullEnd& end);
  void handle(const model::Repair& repair);
  void handle(const model::Batch& batch);
  template <class Other>
  void handle(const Other& /*not for a follower*/) {
    drop_intake();
  }
  void apply_whole(Copy& copy);
  void apply_each(Copy& copy);
  void apply_record(Copy& copy, Lsn at);
  void forget_everything();
  void drop_incomplete();
  void drop_intake();
  void confirm();

  DataHost* host_;
  DataRules rules_;
  DataLimits limits_;
  Copy main_;
  bool complete_ = false;
  std::optional<Term> leading_;
  std::vector<Feed> feeds_;
  std::unique_ptr<Intake> intake_;  // while there is a link to a leader
};

}  // namespace magpie::sim
