#include "server/state/statistics.h"

namespace magpie::server {

void ErrorStatistics::count(ByteView error_text) {
  const ByteView prefix = error_text.substr(0, error_text.find(' '));
  const std::lock_guard guard(lock_);
  const auto found = counts_.find(prefix);
  if (found != counts_.end()) {
    ++found->second;
  } else if (counts_.size() < kMostPrefixes) {
    counts_.emplace(prefix, 1);
  }
}

std::map<std::string, std::uint64_t> ErrorStatistics::snapshot() const {
  const std::lock_guard guard(lock_);
  return {counts_.begin(), counts_.end()};
}

void ErrorStatistics::reset() {
  const std::lock_guard guard(lock_);
  counts_.clear();
}

}  // namespace magpie::server
