#include "server/arbiter/terms.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace magpie::arbiter {

Term highest_term(const cluster::Store& store, const std::string& cluster) {
  const std::string prefix = "/magpie/" + cluster + "/terms/";
  Term highest;
  const auto& states = store.states();
  for (auto at = states.lower_bound(prefix); at != states.end() && at->first.starts_with(prefix); ++at) {
    if (!at->second.value) continue;
    const std::string& value = *at->second.value;
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error == std::errc() && end == value.data() + value.size()) highest = std::max(highest, Term{number});
  }
  return highest;
}

}  // namespace magpie::arbiter
