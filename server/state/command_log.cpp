#include "server/state/command_log.h"

#include <algorithm>

namespace magpie::server {

void CommandLog::add(Entry entry, std::size_t max_length) {
  const std::lock_guard guard(lock_);
  entry.id = next_id_++;
  entries_.push_front(std::move(entry));
  while (entries_.size() > max_length) entries_.pop_back();
}

void CommandLog::keep_newest(std::size_t length) {
  const std::lock_guard guard(lock_);
  if (entries_.size() > length) entries_.resize(length);
}

std::vector<CommandLog::Entry> CommandLog::newest(std::size_t count) const {
  const std::lock_guard guard(lock_);
  count = std::min(count, entries_.size());
  return {entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(count)};
}

std::size_t CommandLog::size() const {
  const std::lock_guard guard(lock_);
  return entries_.size();
}

void CommandLog::reset() {
  const std::lock_guard guard(lock_);
  entries_.clear();
}

std::vector<std::string> CommandLog::shorten(std::span<const ByteView> arguments) {
  constexpr std::size_t kMostArguments = 32;
  constexpr std::size_t kMostBytes = 128;
  std::vector<std::string> result;
  const std::size_t shown = std::min(arguments.size(), kMostArguments);
  for (std::size_t i = 0; i < shown; ++i) {
    if (i == kMostArguments - 1 && arguments.size() > kMostArguments) {
      result.push_back("... (" + std::to_string(arguments.size() - kMostArguments + 1) + " more arguments)");
    } else if (arguments[i].size() > kMostBytes) {
      result.push_back(std::string(arguments[i].substr(0, kMostBytes)) + "... (" +
                       std::to_string(arguments[i].size() - kMostBytes) + " more bytes)");
    } else {
      result.emplace_back(arguments[i]);
    }
  }
  return result;
}

}  // namespace magpie::server
