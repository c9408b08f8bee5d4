#include <algorithm>

#include "cluster/replication/replica.h"

namespace magpie::cluster {

RequestId Replica::read_now() {
  const RequestId request{++last_id_};
  reading_ = Asked{request, now_.boot, term_};
  read_again_ = false;
  read_due_ = kNever;
  act(ReadArbiter{request, view_.keys()});
  return request;
}

/// What changed now need not be in the answer to a read that is under way.
void Replica::want_read() {
  if (reading_) {
    read_again_ = true;
  } else {
    read_now();
  }
}

void Replica::on(const ArbiterTold& event) {
  const bool latest = reading_ && reading_->request == event.request;
  if (!event.result) {
    if (!latest) return;
    reading_.reset();
    read_due_ = now_.boot + config_.timing.retry;
    return;
  }
  const Asked asked = latest ? *reading_ : Asked{event.request, kLongAgo, Term{}};
  if (latest) reading_.reset();
  take(event.result->revision, event.result->entries, asked.term);
  if (latest) told_by_read(asked);
  if (latest && read_again_ && !reading_) read_now();
}

/// A read that was sent then has been answered: what it shows was so at some moment since.
void Replica::told_by_read(const Asked& asked) {
  last_look_ = now_.boot;
  if (frozen_) return;
  loss_.seen(loss_sign(), asked.sent, now_.boot, config_.timing);
  if (discard_read_ && asked.request >= *discard_read_ && !view_.in_isr(config_.self)) {
    discard_read_.reset();
    act(MayDiscard{});
  }
  if (stuck_read_ && asked.request >= *stuck_read_) {
    stuck_read_.reset();
    if (view_.in_isr(config_.self) && view_.term() == term_ && !lead_) ignoring_since_ = view_.shard_changed();
  }
  if (campaign_ && campaign_->phase() == Campaign::Phase::Reading && asked.request >= campaign_->read_request()) {
    decide_campaign();
  }
  if (!config_.rules.settling && campaign_ && campaign_->phase() == Campaign::Phase::Deciding &&
      asked.sent > campaign_->attempts().first()) {
    drop_campaign();
  }
}

void Replica::on(const ArbiterDecided& event) {
  const auto& result = event.result;
  const bool succeeded = result && result->succeeded;
  record_decided(event.request, succeeded);
  if (lead_ && result) lead_->decided(event.request, succeeded, now_.boot);
  if (lead_ && !result) lead_->failed(event.request, now_.boot);
  if (campaign_ && !succeeded) campaign_->attempts().failed(event.request, now_.boot);
  if (result) return take(result->revision, result->entries, Term{});
  if (!config_.rules.settling && campaign_ && campaign_->attempts().sent_at(event.request)) drop_campaign();
}

void Replica::record_decided(RequestId request, bool succeeded) {
  const auto sent = record_attempts_.sent_at(request);
  if (!sent) return;
  if (!succeeded) return record_attempts_.failed(request, now_.boot);
  record_attempts_.clear();
  if (!recorded_) want_read();  // what a read shows counts from now on
  recorded_ = true;
  if (lead_) lead_->put_applied(*sent, now_.boot);
}

void Replica::take(Revision revision, const std::vector<ArbiterEntry>& entries, Term term_known) {
  if (from_the_past(entries, term_known)) return;
  const ShardView::Taken taken = view_.take(revision, entries);
  if (taken == ShardView::Taken::Unreadable) notice(Notice::What::ArbiterUnreadable);
  if (taken == ShardView::Taken::Newer) view_changed();
}

/// R26: a term that was known when the read was sent cannot be gone, unless the arbiter has lost it.
bool Replica::from_the_past(const std::vector<ArbiterEntry>& entries, Term term_known) {
  if (!config_.rules.arbiter_from_past) return false;
  const auto found = std::ranges::find(entries, view_.term_key(), &ArbiterEntry::key);
  const Term told = found == entries.end() ? Term{} : parse_term(found->value).value_or(Term{});
  if (told < term_known && !frozen_) notice(Notice::What::ArbiterFromPast);
  if (told < term_known) frozen_ = true;
  if (!frozen_ || told < term_) return frozen_;
  frozen_ = false;  // repaired: its revisions may be lower than those seen before
  view_ = ShardView(config_);
  return false;
}

void Replica::view_changed() {
  check_own_record();
  if (exited_) return;
  const auto& state = view_.state();
  if (campaign_ && campaign_->phase() == Campaign::Phase::Deciding && campaign_->settled(view_) &&
      !view_.leads(config_.self)) {
    drop_campaign();
    last_heard_ = now_.boot;
  }
  if (!state) return;
  if (loss_epoch_ && state->loss_epoch > *loss_epoch_) notice(Notice::What::DataLost);
  loss_epoch_ = state->loss_epoch;
  if (view_.term() < term_) return;
  if (state->leader) set_leader(*state->leader, view_.term());
  if (lead_ && !view_.leads(config_.self)) step_down();
  if (!lead_ && view_.leads(config_.self)) become_leader();
  if (lead_) lead_->settle(*state, view_.shard_changed(), now_.boot);
}

/// R10: a record of another start under this node's id means that another process runs there.
void Replica::check_own_record() {
  const NodeRecord* record = view_.node(config_.self.node);
  const bool own = record != nullptr && record->incarnation == config_.self.incarnation;
  if (own && !record->tombstone) {
    if (!recorded_) record_attempts_.clear();
    recorded_ = true;
  } else if (recorded_) {
    step_down();
    exited_ = true;
    act(ExitNode{});
  }
}

bool Replica::all_dead(const ShardState& state) const {
  if (!config_.rules.all_dead_only) return state.leader && view_.dead(*state.leader);
  return std::ranges::all_of(state.isr, [this](const Member& member) { return view_.dead(member); });
}

std::optional<LossWatch::Sign> Replica::loss_sign() const {
  const auto& state = view_.state();
  if (!view_.known() || !recorded_ || lead_) return std::nullopt;
  if (!state) return LossWatch::Sign{CampaignReason::First, {}, {}};
  if (!config_.restart_on_total_loss) return std::nullopt;
  if (all_dead(*state)) return LossWatch::Sign{CampaignReason::AllDead, view_.shard_changed(), {}};
  if (state->isr.size() != 1 || !complete_ || !contains(state->learners, config_.self)) return std::nullopt;
  const NodeId& sole = state->isr.front().node;
  if (view_.node(sole) == nullptr || view_.dead(state->isr.front())) return std::nullopt;
  return LossWatch::Sign{CampaignReason::SoleLost, view_.shard_changed(), view_.changed(view_.node_key(sole))};
}

void Replica::on(const DiscardWanted&) {
  if (!config_.rules.discard_only_outside) return act(MayDiscard{});
  discard_read_ = read_now();
}

/// Without a leader to listen to, the arbiter is asked from time to time, lest a watch that is late matter.
BootTime Replica::look_due() const {
  if (reading_ || read_due_ != kNever || lead_) return kNever;
  const BootTime next = last_look_ + config_.timing.watch;
  if (discard_read_ || frozen_ || loss_.sign() || !leader_) return next;
  return std::max(next, last_heard_ + config_.timing.takeover);
}

void Replica::advance_reads() {
  const bool lost = reading_ && reading_->sent + config_.timing.attempt <= now_.boot;
  if (lost || read_due_ <= now_.boot || look_due() <= now_.boot) read_now();
}

bool Replica::put_due() const {
  if (!view_.known() || frozen_) return false;
  return !recorded_ || (lead_ && lead_->membership().maybe_sole() && last_put_ + config_.timing.sole_put <= now_.boot);
}

void Replica::advance_record() {
  if (record_attempts_.any() ? record_attempts_.due(config_.timing) <= now_.boot && !frozen_ : put_due()) put_record();
}

void Replica::put_record() {
  const NodeRecord* record = view_.node(config_.self.node);
  const NodeRecord next{config_.self.incarnation, record == nullptr ? 1 : record->puts + 1, false,
                        config_.node_details};
  const std::string key = view_.node_key(config_.self.node);
  const RequestId request{++last_id_};
  record_attempts_.sent(request, now_.boot);
  last_put_ = now_.boot;
  send_transaction(request, {{{key, view_.changed(key)}}, {{key, to_text(next)}}, view_.keys()});
}

void Replica::send_transaction(RequestId request, Transaction transaction) {
  act(TransactArbiter{request, std::move(transaction)});
}

}  // namespace magpie::cluster
