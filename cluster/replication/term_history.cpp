#include "cluster/replication/term_history.h"

#include <algorithm>

namespace magpie::cluster {
namespace {

/// Where the term with this number in the list ends, in a log that ends at `end`.
Lsn end_of(std::span<const TermHistory::Begin> begins, std::size_t number, Lsn end) {
  return number + 1 < begins.size() ? std::min(begins[number + 1].at, end) : end;
}

}  // namespace

void TermHistory::begin(Term term, Lsn at) {
  if (!begins_.empty() && begins_.back().at == at) begins_.pop_back();
  begins_.push_back({term, at});
}

void TermHistory::cut(Lsn at) {
  while (!begins_.empty() && begins_.back().at >= at) begins_.pop_back();
}

Term TermHistory::term_at(Lsn at) const {
  const auto after = std::ranges::upper_bound(begins_, at, {}, &Begin::at);
  return after == begins_.begin() ? Term{} : std::prev(after)->term;
}

Lsn TermHistory::common(Lsn end, const TermHistory& other, Lsn other_end) const {
  // A term is written by one leader, so two logs are the same within it as far as both go; and whoever has something of
  // a term has all that its leader had when it began.
  const auto agree = std::ranges::mismatch(begins_, other.begins_);
  const auto shared = static_cast<std::size_t>(agree.in1 - begins_.begin());
  if (shared == 0) {
    return std::min(begins_.empty() ? end : begins_.front().at,
                    other.begins_.empty() ? other_end : other.begins_.front().at);
  }
  return std::min(end_of(begins_, shared - 1, end), end_of(other.begins_, shared - 1, other_end));
}

}  // namespace magpie::cluster
