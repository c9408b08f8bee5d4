#include <algorithm>
#include <utility>

#include "tests/sim/model_data_plane.h"

namespace magpie::sim {

void ModelDataPlane::connected(LinkId link, const cluster::Member& leader, Term term) {
  drop_intake();
  drop_incomplete();
  intake_ = std::make_unique<Intake>();
  intake_->link = link;
  intake_->leader = leader;
  intake_->term = term;
  host_->send(link, std::make_shared<model::Message>(
                        term, leader, model::Follow{host_->self(), main_.log.history(), main_.applied, complete_}));
}

/// R17: what is not whole when its leader is gone has never been.
void ModelDataPlane::drop_incomplete() {
  if (rules_.whole_groups && complete_) main_.log.cut(main_.applied);
}

void ModelDataPlane::forget_everything() {
  main_ = {};
  main_.log.keep(limits_.log_records);
}

void ModelDataPlane::drop_intake() {
  if (!intake_) return;
  const LinkId link = intake_->link;
  const bool half = intake_->full;
  intake_.reset();
  if (half) forget_everything();
  host_->close(link);
}

void ModelDataPlane::handle(const model::Resume& resume) {
  intake_->history = resume.history;
  intake_->streaming = true;
  confirm();
}

void ModelDataPlane::handle(const model::Diverged& diverged) {
  ModelLog& log = main_.log;
  const Lsn fork = log.history().common(main_.applied, diverged.history, diverged.end);
  if (!rules_.side_buffer) {
    host_->send(intake_->link, std::make_shared<model::Message>(intake_->term, intake_->leader, model::FullRequest{}));
    return;
  }
  if (fork < log.begin() || fork < diverged.begin) return host_->wants_discard();
  model::RepairRequest request{fork, {}};
  for (Lsn at = fork; at < main_.applied; at = at + 1) {
    const Effect& effect = log.at(at).effect;
    if (effect.kind != Effect::Kind::None) request.keys.push_back(effect.key);
  }
  std::ranges::sort(request.keys);
  request.keys.erase(std::unique(request.keys.begin(), request.keys.end()), request.keys.end());
  host_->send(intake_->link, std::make_shared<model::Message>(intake_->term, intake_->leader, std::move(request)));
}

void ModelDataPlane::handle(const model::FullBegin& begin) {
  forget_everything();
  main_.log.begin_at(begin.from);
  main_.applied = begin.from;
  intake_->history = begin.history;
  intake_->streaming = true;
  intake_->full = rules_.side_buffer;
  if (!rules_.side_buffer) main_.log.history() = begin.history;
}

void ModelDataPlane::handle(const model::Chunk& chunk) { main_.store.put(chunk.state); }

/// What was streamed meanwhile lacks the effects above the cursor, so it is no log to give to others (R14).
void ModelDataPlane::handle(const model::FullEnd& end) {
  if (end.lsn != main_.log.end()) return drop_intake();
  if (rules_.whole_log) main_.log.begin_at(end.lsn);
  main_.log.history() = intake_->history;
  main_.applied = end.lsn;
  intake_->full = false;
  complete_ = true;
  host_->applied();
  confirm();
}

/// The tail that nobody else has is mended aside; until that is whole, the old state is what counts (R12, R13).
void ModelDataPlane::handle(const model::Repair& repair) {
  intake_->aside = std::make_unique<Copy>(main_);
  Copy& copy = *intake_->aside;
  copy.log.cut(repair.fork);
  copy.applied = repair.fork;
  copy.skip_until = {};  // an earlier repair's are of LSNs that other records have now
  for (const auto& state : repair.states) {
    copy.store.put(state);
    if (rules_.skip_repaired) copy.skip_until[state.key] = repair.as_of;
  }
  intake_->history = repair.history;
  intake_->install_at = repair.as_of;
  intake_->streaming = true;
}

void ModelDataPlane::handle(const model::Batch& batch) {
  Copy& copy = intake_->aside ? *intake_->aside : main_;
  if (!intake_->streaming || batch.from != copy.log.end()) return drop_intake();
  for (const Record& record : batch.records) {
    copy.log.append(record);
    if (rules_.whole_groups && !intake_->full) {
      apply_whole(copy);
    } else {
      apply_each(copy);
    }
  }
  copy.log.adopt_terms(intake_->history);
  if (intake_->full) return;
  if (intake_->aside && copy.applied >= intake_->install_at) main_ = std::move(*std::exchange(intake_->aside, nullptr));
  if (intake_->aside) return;
  host_->applied();
  if (intake_) confirm();
}

void ModelDataPlane::apply_record(Copy& copy, Lsn at) {
  const Effect& effect = copy.log.at(at).effect;
  if (copy.skip_until[effect.key] < at + 1) copy.store.apply(effect);
}

void ModelDataPlane::apply_each(Copy& copy) {
  for (; copy.applied < copy.log.end(); copy.applied = copy.applied + 1) apply_record(copy, copy.applied);
}

void ModelDataPlane::apply_whole(Copy& copy) {
  while (copy.applied < copy.log.end()) {
    const std::uint64_t size = copy.log.at(copy.applied).more + 1U;
    if (copy.log.end() - copy.applied < size) return;
    for (const Lsn end = copy.applied + size; copy.applied < end; copy.applied = copy.applied + 1) {
      apply_record(copy, copy.applied);
    }
  }
}

void ModelDataPlane::confirm() {
  if (!host_->may_confirm(intake_->term)) return;
  host_->send(intake_->link, std::make_shared<model::Message>(intake_->term, intake_->leader,
                                                              model::Applied{host_->self(), position(), complete_}));
}

}  // namespace magpie::sim
