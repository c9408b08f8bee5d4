#pragma once

#include <span>
#include <vector>

#include "cluster/replication/position.h"

namespace magpie::cluster {

/// Which leadership wrote which part of a log: where each term begins, in ascending order. Two replicas whose histories
/// agree up to a place have the same log up to there. A value; one thread.
class TermHistory {
 public:
  struct Begin {
    Term term;
    Lsn at;
    bool operator==(const Begin&) const = default;
  };

  TermHistory() = default;
  /// Terms and places must ascend (a message with others is refused where it is decoded, protocol/wire).
  explicit TermHistory(std::vector<Begin> begins) : begins_(std::move(begins)) {}

  /// The term of what is written last; 0 if there is none.
  Term last() const { return begins_.empty() ? Term{} : begins_.back().term; }
  std::span<const Begin> begins() const { return begins_; }
  /// A new leadership writes from there on. Its term must be higher, and the place not before that of the last; a term
  /// that has written nothing is forgotten.
  void begin(Term term, Lsn at);
  /// What was written from there on is given up.
  void cut(Lsn at);
  /// The term of the record that begins there.
  Term term_at(Lsn at) const;

  /// Up to where a log of this history that ends at `end` and one of the other that ends at `other_end` are the same.
  Lsn common(Lsn end, const TermHistory& other, Lsn other_end) const;

  bool operator==(const TermHistory&) const = default;

 private:
  std::vector<Begin> begins_;
};

}  // namespace magpie::cluster
