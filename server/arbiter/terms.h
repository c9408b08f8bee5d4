#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "cluster/arbiter/store.h"
#include "cluster/replication/position.h"

namespace magpie::arbiter {

/// A term as nodes write it: the lines "magpie-term 1" and "term 7", or only "7".
std::optional<Term> parse_term(std::string_view value);

/// The highest term of any shard of that cluster: the values of /magpie/<cluster>/terms/<shard>; 0 if there is none.
/// The error is the key of a value that is no term, so nobody knows.
std::expected<Term, std::string> highest_term(const cluster::Store& store, const std::string& cluster);

}  // namespace magpie::arbiter
