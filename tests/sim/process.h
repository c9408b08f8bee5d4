#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cluster/replication/replica.h"
#include "tests/sim/machine.h"
#include "tests/sim/operation.h"

namespace magpie::sim {

/// One start of a node: one thread that works off what arrives, and that can be paused between any two steps of that.
/// It drives a Replica and a DataPlane as a server does.
class Process final : public DataHost, public std::enable_shared_from_this<Process> {
 public:
  using OnReply = std::function<void(Reply)>;

  Process(Surroundings& around, Place place, const DriftingClock& clock, cluster::ReplicaConfig config);
  void start();

  /// Does not run for so long. Its kernel does: connections are accepted, frames wait.
  void pause(nanoseconds time);
  /// Pauses in the midst of the next piece of work.
  void pause_within(nanoseconds time) { pause_within_ = time; }
  bool paused() const { return paused_; }
  void resume();
  /// Gone; its kernel tells everyone.
  void kill();

  void handle(cluster::ReplicaEvent event);
  void command(const Operation& operation, OnReply on_reply);
  void stall_loops(bool stalled) { handle(cluster::LoopsChanged{!stalled}); }
  /// Of whom it hears on that link; opened by this side or the other.
  void accept(LinkId link, const StreamPtr& stream, const cluster::Member& peer);

  const cluster::Replica& replica() const { return replica_; }
  const DataPlane& data() const { return *data_; }
  cluster::BootTime boot_now() const { return clock_->boot(around_->schedule.now()); }
  bool serves_now() const { return !paused_ && replica_.may_serve(boot_now()); }
  void reset_links();

  // DataHost
  const cluster::Member& self() const override { return replica_.config().self; }
  void send(LinkId link, DataMessagePtr message) override;
  void close(LinkId link) override;
  void later(nanoseconds delay, Task task) override;
  std::uint64_t random_below(std::uint64_t bound) override { return random_.below(bound); }
  bool leader_heard(Term term, const cluster::Member& leader) override;
  bool may_confirm(Term term) override { return replica_.may_confirm(term); }
  void applied() override;
  void follower_applied(const cluster::Member& follower, Term term, const cluster::LogPosition& position,
                        bool complete) override;
  void wants_discard() override { step(cluster::DiscardWanted{}); }
  void note(const std::string& line) override;

 private:
  struct Link {
    LinkId id;
    StreamPtr stream;
    cluster::Member peer;
    bool opened = false;  // by this side, to follow
  };
  struct Pending {
    Operation operation;
    DataPlane::Executed executed;
    Term term;
    OnReply on_reply;
    cluster::BootTime until;
  };

  // process.cpp: the thread and the machine
  void post(Task task);
  void drain();
  template <class Work>
  void stage(Work work);
  cluster::Moment clock_now() const;
  void step(const cluster::ReplicaEvent& event);
  void perform(cluster::ReplicaActions actions);
  void work_off();
  template <class Call>
  void with_data(Call call);
  void soon(Task task);
  void schedule_wake();
  Link* find(LinkId id);

  // process_actions.cpp
  void act(const cluster::SendMessage& action);
  void act(const cluster::ReadArbiter& action);
  void act(const cluster::TransactArbiter& action);
  void act(const cluster::ProbeNode& action);
  void act(const cluster::BeginTerm& action);
  void act(const cluster::FollowLeader& action);
  void act(const cluster::ServingChanged& action);
  void act(const cluster::CommitMoved& action);
  void act(const cluster::IsrChanged& action);
  void act(const cluster::MayDiscard& action);
  void act(const cluster::ExitNode& action);
  void act(const cluster::Notice& action);
  void connect();
  void connect_later();
  void connected(LinkId id, const StreamPtr& stream, const cluster::Member& peer);
  void link_closed(LinkId id);

  // process_commands.cpp
  void execute(const Operation& operation, const OnReply& on_reply);
  void release();
  bool finish(Pending& pending);
  void reply(const OnReply& on_reply, Reply reply);

  Surroundings* around_;
  Place place_;
  const DriftingClock* clock_;
  Random random_;
  cluster::Replica replica_;
  std::unique_ptr<DataPlane> data_;

  std::deque<Task> inbox_;
  bool draining_ = false;
  bool paused_ = false;
  bool dead_ = false;
  std::uint64_t pauses_ = 0;
  nanoseconds pause_within_{0};
  cluster::Moment loop_time_{};
  std::deque<cluster::ReplicaAction> to_do_;
  bool working_ = false;
  TrueTime data_told_;
  std::optional<TrueTime> wake_;

  std::vector<Link> links_;
  std::optional<std::pair<cluster::Member, Term>> following_;
  bool connecting_ = false;
  std::vector<Pending> pending_;
};

/// The data plane is at work: what its replica wants done comes after that.
template <class Call>
void Process::with_data(Call call) {
  const bool before = std::exchange(working_, true);
  call();
  working_ = before;
  work_off();
}

/// A place where the process may be stopped for a while. What the loop has read before stays as it was.
template <class Work>
void Process::stage(Work work) {
  if (pause_within_ == nanoseconds(0) || !random_.one_in(3)) return work();
  pause(std::exchange(pause_within_, nanoseconds(0)));
  inbox_.push_front([this, read = loop_time_, work = std::move(work)]() mutable {
    loop_time_ = read;
    work();
  });
}

}  // namespace magpie::sim
