#include "cluster/arbiter/durable_store.h"

#include <algorithm>
#include <utility>

#include "cluster/arbiter/limits.h"

namespace magpie::cluster {
namespace {

constexpr const char* kLogName = "/arbiter.log";
constexpr const char* kNewLogName = "/arbiter.log.new";
constexpr const char* kLockName = "/lock";

/// A new snapshot is written when the log has grown by so many bytes, or by twice the last one if that is more.
constexpr std::size_t kLeastGrowth = std::size_t{4} << 20;
constexpr std::size_t kGrowthPerSnapshot = 2;

constexpr std::size_t kMostSnapshotBytes = 2 * (kMostStoreBytes + kMostGoneKeys * kMostKeyBytes);  // and more
static_assert((1 + kGrowthPerSnapshot) * kMostSnapshotBytes + 2 * wire::kMostFrame < kMostLogBytes);

}  // namespace

DurableStore::DurableStore(std::string folder, std::string cluster, File lock)
    : folder_(std::move(folder)), cluster_(std::move(cluster)), lock_(std::move(lock)) {}

std::expected<std::unique_ptr<DurableStore>, std::string> DurableStore::open(const std::string& folder,
                                                                             const std::string& cluster) {
  if (auto made = make_folder(folder); !made) return std::unexpected(made.error());
  auto lock = File::lock(folder + kLockName);
  if (!lock) return std::unexpected(lock.error());
  std::unique_ptr<DurableStore> store(new DurableStore(folder, cluster, std::move(*lock)));
  if (auto restored = store->restore(); !restored) return std::unexpected(restored.error());
  // What was read may be in the kernel's cache alone. Written anew it is on the disk, and without a torn end.
  if (auto written = store->write_snapshot(); !written) return std::unexpected(written.error());
  return store;
}

std::expected<void, std::string> DurableStore::restore() {
  const std::string path = folder_ + kLogName;
  const auto file = read_file(path, kMostLogBytes);
  if (!file) return std::unexpected(file.error());
  is_new_ = !file->has_value();
  if (is_new_) return {};
  auto contents = read_log(**file);
  if (!contents) {
    return std::unexpected("'" + path + "' is damaged at byte " + std::to_string(contents.error().offset) + ": " +
                           contents.error().what);
  }
  if (contents->cluster != cluster_) {
    return std::unexpected("'" + path + "' is of the cluster '" + contents->cluster + "', not of '" + cluster_ + "'");
  }
  store_ = std::move(contents->store);
  torn_ = contents->torn;
  return {};
}

std::expected<Store::Done, ArbiterError> DurableStore::transact(const Transaction& transaction) {
  auto done = store_.transact(transaction);
  if (done && !done->changes.empty()) pending_.add(done->result.revision, done->changes);
  return done;
}

std::expected<bool, std::string> DurableStore::flush() {
  for (const ByteBuffer& frame : pending_.frames()) {
    if (auto written = log_.append(frame.view()); !written) return std::unexpected(written.error());
    if (auto synced = log_.sync(); !synced) return std::unexpected(synced.error());
    log_bytes_ += frame.size();
  }
  pending_.clear();
  if (log_bytes_ <= std::max(kLeastGrowth, kGrowthPerSnapshot * snapshot_bytes_)) return false;
  if (auto written = write_snapshot(); !written) return std::unexpected(written.error());
  return true;
}

std::expected<void, std::string> DurableStore::write_snapshot() {
  ByteBuffer bytes;
  append_snapshot(bytes, cluster_, store_);
  auto file = File::create(folder_ + kNewLogName);
  if (!file) return std::unexpected(file.error());
  if (auto written = file->append(bytes.view()); !written) return written;
  if (auto synced = file->sync(); !synced) return synced;
  if (auto renamed = file->rename(folder_, folder_ + kLogName); !renamed) return renamed;
  log_ = std::move(*file);
  snapshot_bytes_ = bytes.size();
  log_bytes_ = 0;
  return {};
}

}  // namespace magpie::cluster
