#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cluster/replication/position.h"
#include "protocol/byte_buffer.h"
#include "server/engine/effect_codec.h"
#include "server/engine/keyspace.h"
#include "server/replication/effect_log.h"

namespace magpie::server {

// A node whose log has an end that its new leader's has not (it led, and not all it wrote arrived) gives that up by
// fetching the keys that it touched there, and those alone (rule R13 of the design).

/// The keys that the log touches from there on, as records that erase them; nothing where that cannot be told: it is
/// not kept, holds an effect on whole databases, or is longer than `most` bytes.
std::optional<ByteBuffer> touched_keys(const EffectLog& log, Lsn from, std::uint32_t databases, std::size_t most);

/// What the keys of such records are now, or that they are not there, as records, read in pieces while they go on
/// changing: each piece under the locks of its own keys, with the place in the log that it is of.
///
/// One thread; takes the locks of stripes by itself, so it may hold none.
class KeyStates {
 public:
  /// The log will go on at `from` for whoever gets the states.
  KeyStates(engine::Keyspace& keyspace, std::shared_ptr<const EffectLog> log, Lsn from, ByteBuffer touched);

  enum class State : std::uint8_t {
    More,
    Done,  // there was nothing left to append
    Impossible  // a full synchronisation is needed: it is too much, or the log goes on with more than changes of keys
  };
  /// Appends what comes next, up to `most` bytes. A record may be cut: the rest comes with the next call.
  State produce(ByteBuffer& records, std::size_t most);
  /// Of what was appended last.
  Lsn lsn() const { return lsn_; }

 private:
  struct KeyOf {
    Db db;
    engine::Key key;
  };
  struct Shared;

  bool take_keys();
  bool read_piece();
  std::size_t read_keys(Shared& large);
  bool check_log();

  engine::Keyspace& keyspace_;
  std::shared_ptr<const EffectLog> log_;
  engine::EffectDecoder decoder_;
  ByteBuffer touched_;
  std::size_t taken_ = 0;  // bytes of it
  std::vector<KeyOf> keys_;  // taken, and not read yet
  ByteBuffer piece_;
  std::size_t sent_ = 0;  // bytes of it
  std::size_t read_ = 0;  // bytes of all pieces
  Lsn lsn_;
  Lsn checked_;  // up to where the log has changes of keys only, whole databases would take along keys that are ahead
};

/// Keys that are ahead of the log that is being applied. One thread.
class Repair {
 public:
  /// The key is as the log up to there makes it.
  void add(Db db, ByteView key, Lsn until) { ahead_[{index_of(db), std::string(key)}] = until; }
  /// Whether an effect on the key, whose record ends there, is in it already.
  bool has(Db db, ByteView key, Lsn lsn) const {
    const auto found = ahead_.find({index_of(db), std::string(key)});
    return found != ahead_.end() && lsn <= found->second;
  }
  std::size_t keys() const { return ahead_.size(); }

 private:
  std::map<std::pair<std::uint32_t, std::string>, Lsn> ahead_;
};

/// States of keys as they have come.
class ReceivedStates {
 public:
  /// A record may be cut. Those that end here are as the log makes them up to there.
  void append(ByteView records, Lsn until);
  std::size_t size() const { return records_.size(); }
  /// The highest place.
  Lsn until() const { return until_; }
  /// Takes them, when they are complete, into a keyspace whose locks are all held; the keys are then ahead. False if
  /// they are something else.
  bool install(engine::Keyspace& keyspace, Instant now, Repair& repair) const;

 private:
  struct Part {
    std::size_t end;  // in `records_`
    Lsn until;
  };
  ByteBuffer records_;
  std::vector<Part> parts_;
  Lsn until_;
};

}  // namespace magpie::server
