#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>

#include "cluster/arbiter/file.h"
#include "cluster/arbiter/log_format.h"
#include "cluster/arbiter/store.h"

namespace magpie::cluster {

/// A store whose changes are on disk before anybody hears of them: transactions change it in memory, flush() brings
/// what they changed to the disk, all together. Only then may their results be told, and those of reads too, which
/// could otherwise tell what a crash undoes. In a folder of its own, which it locks: the file "arbiter.log". One thread
/// at a time; flush() blocks for as long as the disk takes.
class DurableStore {
 public:
  /// Errors are sentences that name the file, and the place in it where it is damaged. A folder that does not exist is
  /// made.
  static std::expected<std::unique_ptr<DurableStore>, std::string> open(const std::string& folder,
                                                                        const std::string& cluster);

  const Store& store() const { return store_; }
  /// Bytes that were cut off the end of the file when it was opened, because a crash had kept them from being finished.
  std::size_t torn() const { return torn_; }
  /// Whether the file was made by open().
  bool is_new() const { return is_new_; }

  /// As of Store; in memory.
  std::expected<Store::Done, ArbiterError> transact(const Transaction& transaction);
  /// Whether anything that was changed is not on the disk.
  bool needs_flush() const { return !pending_.empty(); }
  /// True if it also wrote a snapshot, because the log had grown. After an error the store must not be used any more,
  /// and what was not told must not be: nobody knows what the disk has.
  std::expected<bool, std::string> flush();

 private:
  DurableStore(std::string folder, std::string cluster, File lock);
  std::expected<void, std::string> restore();
  std::expected<void, std::string> write_snapshot();

  std::string folder_;
  std::string cluster_;
  File lock_;
  File log_;
  Store store_;
  CommitFrames pending_;
  std::size_t snapshot_bytes_ = 0;
  std::size_t log_bytes_ = 0;  // behind the snapshot
  std::size_t torn_ = 0;
  bool is_new_ = false;
};

}  // namespace magpie::cluster
