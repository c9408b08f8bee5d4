#pragma once

#include <vector>

#include "cluster/replication/term_history.h"
#include "protocol/wire/messages.h"

namespace magpie::server {

inline wire::History to_wire(const cluster::TermHistory& history) {
  wire::History result;
  for (const auto& begin : history.begins()) result.push_back({begin.term.number, begin.at.bytes});
  return result;
}

/// A decoded one: its terms and places ascend.
inline cluster::TermHistory from_wire(const wire::History& history) {
  std::vector<cluster::TermHistory::Begin> begins;
  begins.reserve(history.size());
  for (const wire::TermBegin& begin : history) begins.push_back({Term{begin.term}, Lsn{begin.lsn}});
  return cluster::TermHistory(std::move(begins));
}

}  // namespace magpie::server
