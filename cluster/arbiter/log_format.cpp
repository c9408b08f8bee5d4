#include "cluster/arbiter/log_format.h"

#include <array>
#include <cstring>
#include <optional>
#include <utility>
#include <variant>

#include "cluster/arbiter/limits.h"
#include "protocol/check.h"
#include "protocol/varint.h"
#include "protocol/wire/frame.h"

namespace magpie::cluster {
namespace {

// What a payload begins with. Bytes that are no frame are rarely taken for one then.
constexpr ByteView kHead = "MARh";
constexpr ByteView kStates = "MARs";
constexpr ByteView kCommits = "MARc";
constexpr std::size_t kTagBytes = 4;
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kMostClusterBytes = 256;

static_assert(kTagBytes + kMostTransactionBytes + (kMostOperations + 1) * kOperationOverhead <= wire::kMostFrame);

// --- writing ---

void put_number(std::string& to, std::uint64_t number) {
  std::array<char, kMostVarintBytes> bytes;
  to.append(bytes.data(), put_varint(bytes.data(), number));
}

void put_bytes(std::string& to, ByteView bytes) {
  put_number(to, bytes.size());
  to.append(bytes);
}

void put_write(std::string& to, ByteView key, const std::optional<std::string>& value) {
  put_bytes(to, key);
  put_number(to, value ? 1 : 0);
  if (value) put_bytes(to, *value);
}

/// Appends to the last payload, or to a new one where it would be too long.
void pack(std::vector<std::string>& payloads, ByteView tag, const std::string& item) {
  if (payloads.empty() || payloads.back().size() + item.size() > wire::kMostFrame) payloads.emplace_back(tag);
  payloads.back() += item;
}

// --- reading ---

/// Takes apart a payload; what is missing or too long first makes all that follows fail.
class Reader {
 public:
  explicit Reader(ByteView from) : from_(from) {}
  bool good() const { return good_; }
  bool at_end() const { return from_.empty(); }

  std::uint64_t number() {
    const std::optional<std::uint64_t> taken = good_ ? take_varint(from_) : std::nullopt;
    good_ = taken.has_value();
    return taken.value_or(0);
  }
  std::string bytes(std::size_t most) {
    const std::uint64_t size = number();
    good_ = good_ && size <= most && size <= from_.size();
    if (!good_) return {};
    std::string taken(from_.substr(0, size));
    from_.remove_prefix(size);
    return taken;
  }
  Transaction::Write write() {
    Transaction::Write write{.key = bytes(kMostKeyBytes), .value = {}};
    const std::uint64_t has_value = number();
    if (has_value == 1) write.value = bytes(kMostValueBytes);
    good_ = good_ && has_value <= 1 && !write.key.empty();
    return write;
  }
  std::vector<Transaction::Write> writes() {
    const std::uint64_t count = number();
    good_ = good_ && count > 0 && count <= kMostOperations;
    std::vector<Transaction::Write> all;
    for (std::uint64_t i = 0; i < count && good_; ++i) all.push_back(write());
    return all;
  }

 private:
  ByteView from_;
  bool good_ = true;
};

/// The payload of a frame at that place; nothing if there is no good one.
std::optional<ByteView> payload_at(ByteView file, std::size_t offset) {
  const ByteView rest = file.substr(offset);
  if (rest.size() < wire::kFrameHeader + kTagBytes || rest.substr(wire::kFrameHeader, 3) != kHead.substr(0, 3)) {
    return std::nullopt;
  }
  const auto parsed = wire::parse_frame(rest);
  const auto* const frame = std::get_if<wire::Frame>(&parsed);
  if (frame == nullptr || frame->payload.size() < kTagBytes) return std::nullopt;
  return frame->payload;
}

/// Whether what is there can be the beginning of a frame that was being written when the machine stopped: the last one,
/// so nothing good is behind it, and where it says where it ends, that is not before the end of the file.
bool may_be_torn(ByteView file, std::size_t offset) {
  const ByteView rest = file.substr(offset);
  if (rest.size() > wire::kFrameHeader + wire::kMostFrame) return false;
  if (rest.size() > wire::kFrameHeader) {
    std::uint32_t size = 0;
    std::memcpy(&size, rest.data(), sizeof size);
    if (size > 0 && size < rest.size() - wire::kFrameHeader) return false;
  }
  for (std::size_t later = offset + 1; later < file.size(); ++later) {
    if (payload_at(file, later)) return false;
  }
  return true;
}

class LogReader {
 public:
  explicit LogReader(ByteView file) : file_(file) {}

  std::expected<LogContents, LogError> read() {
    if (!read_head() || !read_states()) return fail();
    contents_.store = Store(std::move(states_), revision_);
    while (offset_ < file_.size()) {
      const std::optional<ByteView> payload = payload_at(file_, offset_);
      if (!payload) {
        if (!may_be_torn(file_, offset_)) return fail();
        break;
      }
      if (!read_commits(*payload)) return fail();
      take(*payload);
    }
    contents_.bytes = offset_;
    contents_.torn = file_.size() - offset_;
    return std::move(contents_);
  }

 private:
  std::unexpected<LogError> fail() const { return std::unexpected(LogError{offset_, wrong_}); }
  void take(ByteView payload) {
    offset_ += wire::kFrameHeader + payload.size();
    wrong_ = "a frame with a wrong length or checksum";
  }

  bool read_head() {
    const std::optional<ByteView> payload = payload_at(file_, 0);
    wrong_ = "this is no file of an arbiter, or its beginning is damaged";
    if (!payload || !payload->starts_with(kHead)) return false;
    Reader reader(payload->substr(kTagBytes));
    if (const std::uint64_t version = reader.number(); version != kVersion) {
      wrong_ = "the file is of version " + std::to_string(version) + ", and this program knows only version " +
               std::to_string(kVersion);
      return false;
    }
    contents_.cluster = reader.bytes(kMostClusterBytes);
    revision_ = Revision{reader.number()};
    missing_states_ = reader.number();
    if (!reader.good() || !reader.at_end()) return false;
    take(*payload);
    return true;
  }

  bool read_states() {
    while (missing_states_ > 0) {
      const std::optional<ByteView> payload = payload_at(file_, offset_);
      wrong_ = "the snapshot at the beginning of the file is damaged or not whole";
      if (!payload || !payload->starts_with(kStates)) return false;
      Reader reader(payload->substr(kTagBytes));
      while (!reader.at_end()) {
        if (!read_state(reader)) return false;
      }
      take(*payload);
    }
    return true;
  }

  bool read_state(Reader& reader) {
    const Revision changed{reader.number()};
    Transaction::Write write = reader.write();
    const bool ascends = states_.empty() || write.key > states_.rbegin()->first;
    if (!reader.good() || !ascends || changed > revision_ || missing_states_ == 0) return false;
    states_.emplace_hint(states_.end(), std::move(write.key), Store::State{std::move(write.value), changed});
    --missing_states_;
    return true;
  }

  bool read_commits(ByteView payload) {
    wrong_ = "a frame that is none of a log";
    if (!payload.starts_with(kCommits) || payload.size() == kTagBytes) return false;
    Reader reader(payload.substr(kTagBytes));
    while (!reader.at_end()) {
      const Revision revision{reader.number()};
      const auto changes = reader.writes();
      if (!reader.good()) return false;
      if (!contents_.store.replay(revision, changes)) {
        wrong_ = "a commit of revision " + std::to_string(revision.number) + " behind one of " +
                 std::to_string(contents_.store.revision().number);
        return false;
      }
    }
    return true;
  }

  ByteView file_;
  std::size_t offset_ = 0;
  std::string wrong_;
  LogContents contents_;
  Revision revision_;
  Store::States states_;
  std::uint64_t missing_states_ = 0;
};

}  // namespace

void append_snapshot(ByteBuffer& to, const std::string& cluster, const Store& store) {
  CHECK(cluster.size() <= kMostClusterBytes);
  std::string head(kHead);
  put_number(head, kVersion);
  put_bytes(head, cluster);
  put_number(head, store.revision().number);
  put_number(head, store.states().size());
  wire::append_frame(to, head);
  std::vector<std::string> payloads;
  for (const auto& [key, state] : store.states()) {
    std::string item;
    put_number(item, state.changed.number);
    put_write(item, key, state.value);
    pack(payloads, kStates, item);
  }
  for (const std::string& payload : payloads) wire::append_frame(to, payload);
}

void CommitFrames::add(Revision revision, const std::vector<Transaction::Write>& changes) {
  std::string item;
  put_number(item, revision.number);
  put_number(item, changes.size());
  for (const Transaction::Write& change : changes) put_write(item, change.key, change.value);
  pack(filled_, kCommits, item);
}

std::vector<ByteBuffer> CommitFrames::frames() const {
  std::vector<ByteBuffer> frames;
  for (const std::string& payload : filled_) wire::append_frame(frames.emplace_back(), payload);
  return frames;
}

std::expected<LogContents, LogError> read_log(ByteView file) { return LogReader(file).read(); }

}  // namespace magpie::cluster
