#include "server/arbiter/terms.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace magpie::arbiter {

std::optional<Term> parse_term(std::string_view value) {
  constexpr std::string_view kBefore = "magpie-term 1\nterm ";
  if (value.starts_with(kBefore) && value.ends_with('\n')) {
    value.remove_prefix(kBefore.size());
    value.remove_suffix(1);
  }
  std::uint64_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [stopped, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return Term{number};
}

std::expected<Term, std::string> highest_term(const cluster::Store& store, const std::string& cluster) {
  const std::string prefix = "/magpie/" + cluster + "/terms/";
  Term highest;
  const auto& states = store.states();
  for (auto at = states.lower_bound(prefix); at != states.end() && at->first.starts_with(prefix); ++at) {
    if (!at->second.value) continue;
    const auto term = parse_term(*at->second.value);
    if (!term) return std::unexpected(at->first);
    highest = std::max(highest, *term);
  }
  return highest;
}

}  // namespace magpie::arbiter
