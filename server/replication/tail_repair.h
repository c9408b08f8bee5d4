#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "cluster/replication/position.h"
#include "protocol/byte_buffer.h"
#include "server/engine/keyspace.h"
#include "server/replication/effect_log.h"

namespace magpie::server {

// A node whose log has an end that its new leader's has not (it led, and not all it wrote arrived) gives that up by
// fetching the keys that it touched there, and those alone (rule R13 of the design).

/// The keys that the log touches from there on, as records that erase them; nothing where that cannot be told: it is
/// not kept, holds an effect on whole databases, or is longer than `most` bytes.
std::optional<ByteBuffer> touched_keys(const EffectLog& log, Lsn from, std::uint32_t databases, std::size_t most);

/// Whether all that the log holds from there on is kept, and none of it is on whole databases, which would reach keys
/// that are ahead.
bool touches_keys_only(const EffectLog& log, Lsn from, std::uint32_t databases);

/// Appends what the keys of such records are now, or that they are not there, as records; up to `most` bytes, else
/// nothing is returned. Returns where the log ended meanwhile. Takes the stripes' locks.
std::optional<Lsn> append_states(engine::Keyspace& keyspace, const EffectLog& log, ByteView touched, std::size_t most,
                                 ByteBuffer& states);

/// Keys that are ahead of the log that is being applied. One thread.
class Repair {
 public:
  /// By the log of a leader of this term: the same place in another log would be something else.
  explicit Repair(Term term) : term_(term) {}
  Term term() const { return term_; }
  /// The key is as the log up to there makes it.
  void add(Db db, ByteView key, Lsn until) {
    ahead_[{index_of(db), std::string(key)}] = until;
    highest_ = std::max(highest_, until);
  }
  /// Whether an effect on the key, whose record ends there, is in it already.
  bool has(Db db, ByteView key, Lsn lsn) const {
    const auto found = ahead_.find({index_of(db), std::string(key)});
    return found != ahead_.end() && lsn <= found->second;
  }
  /// Once the log has been applied up to there nothing is ahead.
  Lsn highest() const { return highest_; }
  std::size_t keys() const { return ahead_.size(); }

 private:
  Term term_;
  std::map<std::pair<std::uint32_t, std::string>, Lsn> ahead_;
  Lsn highest_;
};

/// Takes such records, which are complete, into a keyspace whose locks are all held; the keys are then ahead up to
/// `until`. False if they are none.
bool install_states(engine::Keyspace& keyspace, ByteView states, Lsn until, Instant now, Repair& repair);

}  // namespace magpie::server
