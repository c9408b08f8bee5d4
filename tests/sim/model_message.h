#pragma once

#include <utility>
#include <variant>
#include <vector>

#include "tests/sim/data_plane.h"
#include "tests/sim/model_log.h"

namespace magpie::sim::model {

/// From a follower: give me the log from there on.
struct Follow {
  cluster::Member follower;
  cluster::TermHistory history;
  Lsn end;
  bool complete = false;
};
/// The leader's answers: it comes ...
struct Resume {
  cluster::TermHistory history;
};
/// ... or logs differ, or it is no longer there: mend what you can, or throw your data away ...
struct Diverged {
  cluster::TermHistory history;
  Lsn begin;
  Lsn end;
};
/// ... or here is everything.
struct FullBegin {
  cluster::TermHistory history;
  Lsn from;
};
struct Chunk {
  ModelStore::KeyState state;
};
struct FullEnd {
  Lsn lsn;
};
/// From a follower whose log forks there and has touched those keys since; or that wants all in place (without R12).
struct RepairRequest {
  Lsn fork;
  std::vector<std::size_t> keys;
};
struct FullRequest {};
/// Their states as of that place; the log follows from the fork on.
struct Repair {
  cluster::TermHistory history;
  Lsn fork;
  Lsn as_of;
  std::vector<ModelStore::KeyState> states;
};
struct Batch {
  Lsn from;
  std::vector<Record> records;
};
struct Applied {
  cluster::Member follower;
  cluster::LogPosition position;
  bool complete = false;
};

using Body = std::variant<Follow, Resume, Diverged, FullBegin, Chunk, FullEnd, RepairRequest, FullRequest, Repair,
                          Batch, Applied>;

struct Message final : DataMessage {
  Message(Term of, cluster::Member leading, Body what) : term(of), leader(std::move(leading)), body(std::move(what)) {}
  Term term;  // of the leadership that it belongs to
  cluster::Member leader;
  Body body;
};

}  // namespace magpie::sim::model
