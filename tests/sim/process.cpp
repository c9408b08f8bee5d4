#include "tests/sim/process.h"

#include <algorithm>
#include <iterator>

#include "tests/sim/checks.h"
#include "tests/sim/model_data_plane.h"
#include "tests/sim/production_data_plane.h"

namespace magpie::sim {
namespace {

std::unique_ptr<DataPlane> make_data_plane(DataHost& host, const Surroundings& around) {
  if (around.plane == Plane::Model) {
    return std::make_unique<ModelDataPlane>(host, around.data_rules, around.limits);
  }
  return std::make_unique<ProductionDataPlane>(host, around.data_rules, around.limits);
}

}  // namespace

Process::Process(Surroundings& around, Place place, const DriftingClock& clock, cluster::ReplicaConfig config)
    : around_(&around),
      place_(place),
      clock_(&clock),
      random_(around.random.fork()),
      replica_(std::move(config)),
      data_(make_data_plane(*this, around)) {}

void Process::start() { handle(cluster::Started{}); }

void Process::post(Task task) {
  if (dead_) return;
  inbox_.push_back(std::move(task));
  drain();
}

void Process::drain() {
  if (draining_ || paused_ || dead_) return;
  draining_ = true;
  loop_time_ = clock_->moment(around_->schedule.now());
  while (!inbox_.empty() && !paused_ && !dead_) {
    Task task = std::move(inbox_.front());
    inbox_.pop_front();
    task();
  }
  draining_ = false;
}

void Process::pause(nanoseconds time) {
  paused_ = true;
  around_->schedule.after(time, [self = weak_from_this(), number = ++pauses_] {
    const auto process = self.lock();
    if (process && process->pauses_ == number) process->resume();
  });
}

void Process::resume() {
  ++pauses_;
  paused_ = false;
  drain();
}

cluster::Moment Process::clock_now() const {
  return around_->data_rules.fresh_clock ? clock_->moment(around_->schedule.now()) : loop_time_;
}

void Process::kill() {
  dead_ = true;
  for (const Link& link : links_) around_->network.close(link.stream, place_);
  links_.clear();
  inbox_.clear();
}

void Process::handle(cluster::ReplicaEvent event) {
  post([this, event = std::move(event)]() mutable {
    stage([this, event = std::move(event)] {
      auto actions = replica_.step(event, clock_now());
      stage([this, actions = std::move(actions)]() mutable { perform(std::move(actions)); });
    });
  });
}

void Process::step(const cluster::ReplicaEvent& event) { perform(replica_.step(event, clock_now())); }

void Process::perform(cluster::ReplicaActions actions) {
  std::ranges::move(actions, std::back_inserter(to_do_));
  work_off();
}

/// In order, as a server does: an action may lead to a step, whose actions come behind those that are there.
void Process::work_off() {
  if (working_) return;
  working_ = true;
  while (!to_do_.empty()) {
    const cluster::ReplicaAction action = std::move(to_do_.front());
    to_do_.pop_front();
    std::visit([this](const auto& what) { act(what); }, action);
  }
  working_ = false;
  release();
  schedule_wake();
}

void Process::schedule_wake() {
  const TrueTime due = clock_->when(replica_.wake_at());
  if (wake_ && *wake_ <= due) return;
  wake_ = due;
  around_->schedule.at(due, [self = weak_from_this(), due] {
    const auto process = self.lock();
    if (!process || process->wake_ != due) return;
    process->wake_.reset();
    if (process->replica_.wake_at() <= process->boot_now()) {
      process->handle(cluster::TimerDue{});
    } else {
      process->schedule_wake();
    }
  });
}

/// What the data plane is told of its role. That of a server has a thread of its own, which hears of it a little later.
void Process::soon(Task task) {
  if (around_->plane == Plane::Model) return task();
  constexpr milliseconds kMost{2};
  data_told_ = std::max(data_told_, around_->schedule.now() + random_.between(nanoseconds(0), kMost));
  later(data_told_ - around_->schedule.now(), std::move(task));
}

Process::Link* Process::find(LinkId id) {
  const auto found = std::ranges::find(links_, id, &Link::id);
  return found == links_.end() ? nullptr : &*found;
}

void Process::send(LinkId id, DataMessagePtr message) {
  const Link* link = find(id);
  if (link == nullptr) return;
  around_->network.send(link->stream, place_,
                        [around = around_, to = place_of_name(link->peer.node), id, message = std::move(message)] {
                          const auto process = around->process_at(to);
                          if (!process) return;
                          process->post([process = process.get(), id, message] {
                            process->stage([process, id, message] {
                              if (process->find(id) == nullptr) return;
                              process->with_data([&] { process->data_->received(id, message); });
                            });
                          });
                        });
}

void Process::close(LinkId id) {
  const Link* link = find(id);
  if (link == nullptr) return;
  const Link closing = *link;
  around_->trace.add(id.number, [&] { return name_of(place_) + " closes its link to " + closing.peer.node.text; });
  step(cluster::LinkClosing{closing.peer.node});
  std::erase_if(links_, [id](const Link& one) { return one.id == id; });
  around_->network.close(closing.stream, place_);
  if (closing.opened && following_) connect_later();
}

void Process::later(nanoseconds delay, Task task) {
  auto shared = std::make_shared<Task>(std::move(task));
  around_->schedule.after(delay, [self = weak_from_this(), shared] {
    const auto process = self.lock();
    if (process) process->post([process = process.get(), shared] { process->with_data([&] { (*shared)(); }); });
  });
}

bool Process::leader_heard(Term term, const cluster::Member& leader) {
  step(cluster::LeaderHeard{term, leader});
  return term == replica_.term();
}

void Process::applied() { step(cluster::LocalApplied{data_->position(), data_->complete()}); }

void Process::follower_applied(const cluster::Member& follower, Term term, const cluster::LogPosition& position,
                               bool complete) {
  step(cluster::FollowerApplied{follower, term, position, complete});
}

void Process::note(const std::string& line) {
  around_->trace.add(place_, [&] { return name_of(place_) + ": " + line; });
}

void Process::reset_links() {
  for (const Link& link : std::vector(links_)) around_->network.reset(link.stream);
}

}  // namespace magpie::sim
