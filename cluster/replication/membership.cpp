#include "cluster/replication/membership.h"

#include <algorithm>
#include <utility>

namespace magpie::cluster {

Membership::Membership(const ReplicaConfig& config, ShardState base, Revision revision)
    : config_(&config), base_(std::move(base)), revision_(revision) {
  update();
}

void Membership::propose(const ShardState& state) {
  if (std::ranges::find(proposals_, state) != proposals_.end()) return;
  proposals_.push_back(state);
  update();
}

bool Membership::settle(const ShardState& state, Revision revision) {
  if (revision <= revision_) return false;
  base_ = state;
  revision_ = revision;
  forget_proposals();
  return true;
}

void Membership::forget_proposals() {
  proposals_.clear();
  update();
}

void Membership::update() {
  required_.clear();
  const auto require = [this](const ShardState& state) {
    for (const Member& member : state.isr) {
      if (member != config_->self && !contains(required_, member)) required_.push_back(member);
    }
  };
  require(base_);
  if (!config_->rules.joint_isr) return;
  std::ranges::for_each(proposals_, require);
}

std::size_t Membership::fewest() const {
  std::size_t fewest = base_.isr.size();
  for (const ShardState& state : proposals_) fewest = std::min(fewest, state.isr.size());
  return fewest;
}

bool Membership::certain(const Member& member) const {
  return contains(base_.isr, member) &&
         std::ranges::all_of(proposals_, [&](const ShardState& state) { return contains(state.isr, member); });
}

template <class Test>
bool Membership::any_state(Test test) const {
  return test(base_) || std::ranges::any_of(proposals_, test);
}

bool Membership::maybe_sole() const {
  return any_state([](const ShardState& state) { return state.isr.size() == 1; });
}

bool Membership::maybe_sole_with_learner() const {
  return any_state([](const ShardState& state) { return state.isr.size() == 1 && !state.learners.empty(); });
}

bool Membership::handing_over() const {
  return std::ranges::any_of(proposals_, [this](const ShardState& state) { return state.leader != config_->self; });
}

}  // namespace magpie::cluster
