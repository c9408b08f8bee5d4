#include "cluster/replication/term_history.h"

#include <doctest/doctest.h>

using magpie::Lsn;
using magpie::Term;
using magpie::cluster::TermHistory;

namespace {

TermHistory history(std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> begins) {
  TermHistory history;
  for (const auto& [term, at] : begins) history.begin(Term{term}, Lsn{at});
  return history;
}

/// The same from both sides.
Lsn common(const TermHistory& one, std::uint64_t end, const TermHistory& other, std::uint64_t other_end) {
  const Lsn result = one.common(Lsn{end}, other, Lsn{other_end});
  CHECK(other.common(Lsn{other_end}, one, Lsn{end}) == result);
  return result;
}

}  // namespace

TEST_CASE("a follower that is only behind has all that it has in common") {
  const TermHistory leader = history({{1, 1}, {2, 100}, {5, 200}});
  CHECK(common(leader, 500, leader, 300) == Lsn{300});
  CHECK(common(leader, 500, history({{1, 1}, {2, 100}}), 150) == Lsn{150});
  CHECK(common(leader, 500, history({{1, 1}, {2, 100}}), 200) == Lsn{200});
  CHECK(common(leader, 500, history({{1, 1}}), 60) == Lsn{60});
  CHECK(common(leader, 500, leader, 500) == Lsn{500});
}

TEST_CASE("a former leader has what its successor had when it began") {
  const TermHistory successor = history({{1, 1}, {2, 100}, {3, 180}});
  CHECK(common(successor, 500, history({{1, 1}, {2, 100}}), 250) == Lsn{180});
  CHECK(common(successor, 500, history({{1, 1}}), 130) == Lsn{100});
}

TEST_CASE("after a chain of failovers, up to the first difference") {
  const TermHistory leader = history({{1, 1}, {3, 120}, {6, 400}});
  CHECK(common(leader, 900, history({{1, 1}, {2, 100}, {4, 300}}), 350) == Lsn{100});
  CHECK(common(leader, 900, history({{1, 1}, {3, 120}, {5, 390}}), 600) == Lsn{390});
  CHECK(common(leader, 900, history({{1, 1}, {3, 120}, {5, 450}}), 600) == Lsn{400});
}

TEST_CASE("logs of other beginnings have nothing in common") {
  CHECK(common(history({{1, 1}}), 500, history({{2, 1}}), 300) == Lsn{1});
  CHECK(common(history({{1, 70}}), 500, history({{2, 90}}), 300) == Lsn{70});
  CHECK(common(history({}), 1, history({{2, 1}}), 300) == Lsn{1});
  CHECK(common(history({}), 1, history({}), 1) == Lsn{1});
}

TEST_CASE("each place has a term, and what is cut has none") {
  TermHistory some = history({{1, 1}, {2, 100}, {5, 200}});
  CHECK(some.last() == Term{5});
  CHECK(some.term_at(Lsn{0}) == Term{0});
  CHECK(some.term_at(Lsn{1}) == Term{1});
  CHECK(some.term_at(Lsn{99}) == Term{1});
  CHECK(some.term_at(Lsn{100}) == Term{2});
  CHECK(some.term_at(Lsn{1'000}) == Term{5});
  some.cut(Lsn{200});
  CHECK(some == history({{1, 1}, {2, 100}}));
  some.cut(Lsn{0});
  CHECK(some.last() == Term{0});
}

TEST_CASE("a term that wrote nothing leaves no trace") {
  CHECK(history({{1, 1}, {2, 100}, {3, 100}}) == history({{1, 1}, {3, 100}}));
  // A replica that was connected through two hand-overs has all that the last leader has.
  CHECK(common(history({{1, 1}, {2, 100}, {3, 100}}), 100, history({{1, 1}, {2, 100}}), 100) == Lsn{100});
}
