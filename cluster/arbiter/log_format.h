#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "cluster/arbiter/arbiter.h"
#include "cluster/arbiter/store.h"
#include "protocol/byte_buffer.h"
#include "protocol/bytes.h"

namespace magpie::cluster {

// The file of a durable arbiter: frames as between nodes (length, CRC-32C, payload), none of them empty. First a
// snapshot: a head, then its states; the file appears under its name with all of it. Behind it what has been committed
// since, appended. Of these frames at most the last one may not have reached the disk. Functions of bytes, without I/O.

/// What a file may be long: far more than a snapshot and the log behind it ever take.
inline constexpr std::size_t kMostLogBytes = std::size_t{256} << 20;

/// All of a store, as the beginning of a file.
void append_snapshot(ByteBuffer& to, const std::string& cluster, const Store& store);

/// Gathers commits and puts them into frames, as many as fit into each.
class CommitFrames {
 public:
  /// In order of revisions; the changes must be within the limits of a transaction.
  void add(Revision revision, const std::vector<Transaction::Write>& changes);
  bool empty() const { return filled_.empty(); }
  /// The frames since the last clear(); each has to be on the disk before the next one is written.
  std::vector<ByteBuffer> frames() const;
  void clear() { filled_.clear(); }

 private:
  std::vector<std::string> filled_;  // payloads
};

struct LogContents {
  std::string cluster;
  Store store;
  std::size_t bytes = 0;  // of the file that are good
  std::size_t torn = 0;  // bytes behind these: of a frame that was never finished, so nobody has got an answer to it
};
struct LogError {
  std::size_t offset = 0;  // of the frame
  std::string what;
};
/// The error is for a file that has to be looked at by a human: what was answered may be missing.
std::expected<LogContents, LogError> read_log(ByteView file);

}  // namespace magpie::cluster
