#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cluster/placement/slot.h"
#include "cluster/replication/position.h"
#include "protocol/output_buffer.h"
#include "protocol/reply_writer.h"
#include "server/engine/instant.h"
#include "server/engine/stripe.h"
#include "server/engine/watch.h"
#include "server/state/shared_value.h"

namespace magpie::commands {
struct Command;
}

namespace magpie::server {

/// Number of a loop, 0 ..< threads.
enum class LoopIndex : std::uint32_t {};
enum class ClientId : std::uint64_t {};
/// One wait of a client, counted from 1: an order to end it must not end the next one.
enum class WaitNumber : std::uint64_t { None = 0 };

/// A command that waits in MULTI for EXEC; owns its bytes.
struct QueuedCommand {
  const commands::Command* command = nullptr;
  std::string bytes;
  std::vector<std::uint32_t> sizes;  // of the arguments, in order
  /// Puts the arguments into `views`; valid as long as this object.
  void arguments(std::vector<ByteView>& views) const;
  std::size_t memory() const { return sizeof *this + bytes.capacity() + sizes.capacity() * sizeof(std::uint32_t); }
};

struct WatchedKey {
  Db db;
  std::string key;
  friend auto operator<=>(const WatchedKey&, const WatchedKey&) = default;
  /// With the stripe's copy, and the nodes of the trees and tables that both are in.
  std::size_t memory() const { return 2 * (sizeof *this + 4 * sizeof(void*) + key.size()); }
};

/// MULTI and WATCH of one client. Its loop's thread only.
struct Transaction {
  bool open = false;
  bool failed = false;  // a command was refused while queueing: EXEC aborts
  std::vector<QueuedCommand> queue;
  std::uint32_t row_flags = 0;  // of all queued commands together
  engine::StripeMask stripes = 0;  // that they need
  std::optional<Slot> slot;  // of the first key
  std::size_t queued_bytes = 0;   // memory of the queue and of `watched`
  std::size_t watched_bytes = 0;  // the latter alone
  std::set<WatchedKey> watched;
};

/// What CLIENT REPLY asked for.
enum class ReplyMode : std::uint8_t { On, Off, SkipNext, Skip };

/// CLIENT DURABILITY: when this client's writes are acknowledged; Default: as the server's settings say.
enum class Durability : std::uint8_t { Default, Async, Semi, Isr };

/// CLIENT READS: whether what this client reads must be confirmed; Default: in the mode isr.
enum class Reads : std::uint8_t { Default, Local, Strict };

/// Who must have the log up to a place before a reply leaves; any other number: so many replicas (of a shard: in-sync
/// followers).
enum class Acks : std::int64_t {
  None = 0,
  Commit = -1,  // of what was read: all in-sync replicas
  InSync = -2,  // of what was written: the same, and they must be enough
};

/// Replies that wait until replicas have what they tell of.
struct HeldReplies {
  OutputBuffer bytes;
  Lsn lsn;  // that it may reveal; 0: it needs none
  Acks acks = Acks::None;
  std::uint64_t tenure = 0;  // of the node, in which the command ran
};

/// How the connection ends after the command that has run: not, with its reply, or at once without.
enum class Ending : std::uint8_t { None, AfterReply, AtOnce };

/// Why a client's commands wait. WAIT and WAITAOF block until enough replicas have confirmed or the time is over, and
/// so do replies that are held; CLIENT AWAIT until this node has applied the log up to a place; a pause until it ends;
/// a large value until there is room for it; in a shard, a command until this node may serve, or another does; SHUTDOWN
/// until the process does.
struct Blocked {
  enum class Kind : std::uint8_t { Wait, Confirm, Await, Pause, Room, Lease, Shutdown };
  Kind kind = Kind::Wait;
  /// Whether the command has not run, and is looked at again after the wait.
  bool comes_again() const { return kind == Kind::Pause || kind == Kind::Room || kind == Kind::Lease; }
  /// By CLIENT UNBLOCK.
  bool can_be_unblocked() const { return kind == Kind::Wait || kind == Kind::Await; }
  std::optional<Instant> until;  // nothing: for ever
  bool counts_file = false;  // WAITAOF: the reply says first whether this node's file has the writes
  std::int64_t replicas = 0;  // Wait: ends once so many have confirmed the log up to there
  Acks acks = Acks::None;  // Confirm: the same
  Lsn lsn = {};  // and Await: once this node has applied it
  std::uint64_t tenure = 0;  // Wait and Confirm: of the node, with which they end
  Term term = {};  // Await: if this is the term there
};

/// Bits of ClientState::flags, for CLIENT LIST.
enum class ClientFlag : std::uint32_t {
  Multi = 1,
  Blocked = 2,
  Monitor = 4,
  CloseAfterReply = 8,
  ReadOnly = 16,
  NoEvict = 32,
  NoTouch = 64,
};

/// One client. Members marked shared may be read by any thread; the others belong to the client's loop. Owned by a
/// shared pointer, always.
struct ClientState : std::enable_shared_from_this<ClientState> {
  ClientState(ClientId client_id, LoopIndex loop_index) : id(client_id), loop(loop_index) {}

  const ClientId id;
  const LoopIndex loop;

  Db database() const { return Db{static_cast<std::uint32_t>(db)}; }
  /// What the keyspace raises when a watched key changes: `watch_dirty`, keeping this client alive.
  engine::WatchFlag watch_flag() { return {shared_from_this(), &watch_dirty}; }
  /// The loop's thread: makes the shared `flags` say what the members above them say.
  void publish_flags();

  // --- the loop's thread ---
  resp::Version resp = resp::Version::Resp2;
  bool authenticated = false;
  bool no_evict = false;
  bool no_touch = false;
  bool readonly = false;
  bool monitoring = false;
  Ending ending = Ending::None;
  ReplyMode reply_mode = ReplyMode::On;
  Transaction transaction;
  std::optional<Blocked> blocked;
  std::uint64_t waits = 0;  // begun so far
  Lsn last_write;  // where the log ended after its last change that was recorded
  Term last_write_term;
  Durability durability = Durability::Default;
  Reads reads = Reads::Default;
  std::int64_t semi_acks = 1;
  std::vector<HeldReplies> held;
  Instant held_until;  // then the writes among them are not confirmed
  bool closes_after_held = false;
  std::optional<Instant> leaderless_until;  // in a shard: how long its next command waits for somebody who serves
  std::size_t evictions_owed = 0;  // keys to evict yet, in several turns, before its next command may run

  /// What the client costs, and with it the values that its replies refer to, which others may hold too. Any thread.
  std::uint64_t own_memory() const { return sizeof *this + input_memory + output_queue + multi_memory; }
  std::uint64_t memory() const { return own_memory() + output_shared; }

  /// Opens the wait that `blocked` has begun to CLIENT UNBLOCK.
  void open_wait() { unblockable.store(WaitNumber{++waits}); }
  /// Whether the client is in this very wait.
  bool in_wait(WaitNumber number) const {
    return blocked && blocked->can_be_unblocked() && number == WaitNumber{waits};
  }

  // --- shared ---
  SharedValue<std::uint32_t> db;
  SharedValue<std::uint8_t> shared_resp{2};  // set by publish_flags()
  SharedValue<std::int64_t> created_ms;
  SharedValue<std::int64_t> last_activity_ms;
  SharedValue<const commands::Command*> last_command;
  SharedValue<std::int32_t> multi_count{-1};  // queued commands, -1 outside MULTI
  SharedValue<std::uint32_t> watch_count;
  SharedValue<std::uint32_t> flags;  // ClientFlag bits
  SharedValue<std::uint64_t> query_buffer;  // bytes received that are no arguments yet, or that are being executed
  SharedValue<std::uint64_t> query_buffer_free;
  SharedValue<std::uint64_t> argument_bytes;  // of an unfinished command, apart from query_buffer
  SharedValue<std::uint64_t> input_memory;  // what these three take
  SharedValue<std::uint64_t> multi_memory;
  SharedValue<std::uint64_t> output_queue;  // memory of what the kernel did not take
  SharedValue<std::uint64_t> output_shared;  // values that it refers to
  SharedValue<std::uint64_t> commands_processed;
  std::atomic<bool> watch_dirty{false};  // a watched key has changed: EXEC answers nil
  std::atomic<WaitNumber> unblockable{WaitNumber::None};  // CLIENT UNBLOCK may end it; whoever takes it back does
  std::atomic<bool> killed{false};  // by CLIENT KILL: executes nothing more, its loop will close it soon
  std::string peer_address;  // set before the client is registered, then constant
  std::string local_address;
  int fd = -1;
  bool unix_socket = false;

  /// Texts that CLIENT SETNAME and SETINFO change. Any thread, under its lock.
  struct Texts {
    std::string name;
    std::string library_name;
    std::string library_version;
  };
  Texts texts() const {
    const std::lock_guard guard(texts_lock_);
    return texts_;
  }
  void set_name(ByteView name) {
    const std::lock_guard guard(texts_lock_);
    texts_.name = name;
  }
  void set_library_name(ByteView name) {
    const std::lock_guard guard(texts_lock_);
    texts_.library_name = name;
  }
  void set_library_version(ByteView version) {
    const std::lock_guard guard(texts_lock_);
    texts_.library_version = version;
  }

 private:
  mutable std::mutex texts_lock_;
  Texts texts_;
};

}  // namespace magpie::server
