#include "tests/sim/client.h"

#include "tests/sim/process.h"

namespace magpie::sim {
namespace {

constexpr milliseconds kPatience{1'700};
constexpr milliseconds kAgain{8};
constexpr int kMostRefusals = 100;

}  // namespace

Operation Client::next_operation() {
  using Kind = Operation::Kind;
  const std::uint64_t drawn = random_.below(100);
  const Value value = ++work_->last_value;
  if (drawn < 35) return {Kind::Read, random_.below(kPair + 1), 0};
  if (drawn < 60) return {Kind::Write, random_.below(kRegisters), value};
  if (drawn < 75) return {Kind::WritePair, kPair, value};
  if (drawn < 95) return {Kind::Push, kFirstList + random_.below(kLists), value};
  return {Kind::ReadList, kFirstList + random_.below(kLists), 0};
}

void Client::run() {
  if (stopped_) return;
  operation_ = next_operation();
  call_ = work_->history.begin(operation_, around_->schedule.now());
  refused_ = 0;
  attempt();
}

void Client::attempt() {
  const std::uint64_t number = ++attempt_;
  around_->schedule.after(kPatience, [self = weak_from_this(), number] {
    if (const auto client = self.lock()) client->told(number, {});
  });
  around_->schedule.after(
      random_.between(std::chrono::microseconds(50), milliseconds(1)), [self = shared_from_this(), number] {
        const auto process = self->around_->process_at(self->place_);
        if (!process) return self->told(number, {Reply::Status::Refused, 0, {}});
        process->command(self->operation_, [self, number](const Reply& reply) { self->told(number, reply); });
      });
}

void Client::told(std::uint64_t number, const Reply& reply) {
  if (number != attempt_) return;
  ++attempt_;
  if (reply.status != Reply::Status::Refused || ++refused_ == kMostRefusals || stopped_) return finish(reply);
  place_ = (place_ + 1) % nodes_;
  around_->schedule.after(kAgain, [self = shared_from_this()] { self->attempt(); });
}

void Client::finish(const Reply& reply) {
  work_->history.end(call_, reply, around_->schedule.now());
  if (reply.status == Reply::Status::Done) {
    ++work_->done;
    work_->writes_done += operation_.writes() ? 1 : 0;
    work_->last_done = around_->schedule.now();
  } else {
    place_ = random_.below(nodes_);
  }
  around_->schedule.after(random_.between(milliseconds(2), milliseconds(40)),
                          [self = shared_from_this()] { self->run(); });
}

}  // namespace magpie::sim
