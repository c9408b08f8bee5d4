#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "protocol/bytes.h"

namespace magpie::server {

/// The last commands that were slow, or had a large request or reply (SLOWLOG, COMMANDLOG). Any thread.
class CommandLog {
 public:
  struct Entry {
    std::uint64_t id = 0;
    std::int64_t time_seconds = 0;  // Unix time
    std::int64_t value = 0;         // microseconds, or bytes
    std::vector<std::string> arguments;  // shortened as Redis shortens them
    std::string peer_address;
    std::string client_name;
  };

  /// Keeps the newest `max_length` entries; `entry.id` is given here.
  void add(Entry entry, std::size_t max_length);
  /// Drops what is older than the newest `length` entries.
  void keep_newest(std::size_t length);
  /// The newest `count` entries, newest first.
  std::vector<Entry> newest(std::size_t count) const;
  std::size_t size() const;
  void reset();
  /// At most 32 arguments of 128 bytes, what is left out is told in words.
  static std::vector<std::string> shorten(std::span<const ByteView> arguments);

 private:
  mutable std::mutex lock_;
  std::deque<Entry> entries_;  // newest first
  std::uint64_t next_id_ = 0;
};

}  // namespace magpie::server
