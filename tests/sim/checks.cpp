#include "tests/sim/checks.h"

#include <algorithm>

#include "tests/sim/process.h"

namespace magpie::sim {

void Checks::violated(const std::string& what) {
  if (violation_) return;
  const auto ms = schedule_->now().time_since_epoch() / milliseconds(1);
  violation_ = "at " + std::to_string(ms) + " ms: " + what;
}

void Checks::arbiter_changed() {
  const std::string* text = arbiter_->value(shard_key());
  if (text == nullptr) return;
  auto state = cluster::parse_shard_state(*text);
  if (!state) return violated("the arbiter holds something else than a shard");
  if (shard_ && state->loss_epoch > shard_->loss_epoch) {
    check_loss(*state);
    acknowledged_.clear();
    if (on_loss) on_loss();
  }
  shard_ = std::move(state);
}

/// R23, R24: nobody who has everything is left, or only one that can reach nobody.
void Checks::check_loss(const cluster::ShardState& next) {
  if (processes_ == nullptr || (shard_->isr.size() == 1 && next.leader && contains(shard_->learners, *next.leader)))
    return;
  for (const auto& process : *processes_) {
    if (process && contains(shard_->isr, process->self())) violated("data is given up although an ISR member lives");
  }
}

void Checks::term_begins(Term term, Place place) {
  const auto [begun, added] = begun_.emplace(term, place);
  if (!added) violated("term " + std::to_string(term.number) + " begins twice");
}

void Checks::look(const Processes& processes) {
  processes_ = &processes;
  serving_ = false;
  const Process* serving = nullptr;
  for (const auto& process : processes) {
    if (!process) continue;
    const DataPlane& data = process->data();
    if (data.complete() && data.look(kPair) != data.look(kPair + 1))
      violated(process->self().node.text + " shows half of a group");
    if (!process->serves_now()) continue;
    serving_ = true;
    if (serving != nullptr) violated("two leaders serve");
    serving = process.get();
    check_served(*process);
  }
}

void Checks::check_served(const Process& process) {
  const Term term = process.replica().term();
  if (term < served_) violated("a leader serves after one of a later term has served");
  if (term > served_) check_has_acknowledged(process);
  served_ = std::max(served_, term);
}

bool Checks::has(const Process& process, Term term, Lsn lsn) const {
  const DataPlane& data = process.data();
  return data.position().lsn >= lsn && data.history().term_at({lsn.bytes - 1}) == term;
}

void Checks::check_has_acknowledged(const Process& process) {
  for (const auto& [term, lsn] : acknowledged_) {
    if (term < process.replica().term() && !has(process, term, lsn)) {
      violated("the leader of term " + std::to_string(process.replica().term().number) +
               " lacks an acknowledged write of term " + std::to_string(term.number));
    }
  }
}

void Checks::commit_moved(const Process& leader, Lsn commit) {
  if (processes_ == nullptr || !shard_ || shard_->leader != leader.self() || commit == Lsn{}) return;
  const Term term = leader.data().history().term_at({commit.bytes - 1});
  for (const auto& process : *processes_) {
    if (!process || !contains(shard_->isr, process->self()) || has(*process, term, commit)) continue;
    violated("an ISR member lacks what is committed");
  }
}

void Checks::acknowledged(const Process& leader, Term term, Lsn lsn) {
  if (!keeps_all()) {
    if (term < served_) violated("an unconfirmed write is acknowledged after the next leader has served");
    return;
  }
  if (term < served_ && !begun_.empty()) {
    // Its successor must have it all the same.
    for (const auto& process : *processes_) {
      if (process && process->serves_now() && process->replica().term() > term && !has(*process, term, lsn)) {
        violated("a write is acknowledged that the next leader lacks");
      }
    }
  }
  (void)leader;
  acknowledged_[term] = std::max(acknowledged_[term], lsn);
}

}  // namespace magpie::sim
