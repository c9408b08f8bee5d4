#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/arbiter/arbiter.h"
#include "cluster/replication/replica_config.h"
#include "cluster/replication/shard_state.h"

namespace magpie::cluster {

/// What the arbiter has told last about a shard: one consistent picture, replaced only by later ones. One thread.
class ShardView {
 public:
  explicit ShardView(const ReplicaConfig& config);

  /// What every read and transaction asks for.
  const std::vector<std::string>& keys() const { return keys_; }
  std::string node_key(const NodeId& node) const;
  const std::string& shard_key() const { return keys_[0]; }
  const std::string& term_key() const { return keys_[1]; }

  enum class Taken { Newer, Same, Older, Unreadable };
  /// An answer about `keys`. Unreadable: a value is none that this version writes; the picture stays as it is.
  Taken take(Revision revision, const std::vector<ArbiterEntry>& entries);

  /// False until something was taken.
  bool known() const { return known_; }
  /// Nothing: there is no shard yet.
  const std::optional<ShardState>& state() const { return picture_.state; }
  Term term() const { return picture_.term; }
  /// The last change of a key; 0 if it does not exist.
  Revision changed(const std::string& key) const;
  Revision shard_changed() const { return changed(shard_key()); }
  const NodeRecord* node(const NodeId& node) const;

  bool leads(const Member& member) const { return picture_.state && picture_.state->leader == member; }
  bool in_isr(const Member& member) const { return picture_.state && contains(picture_.state->isr, member); }
  /// That incarnation is gone for good: its node runs as another, or an operator says so.
  bool dead(const Member& member) const;

 private:
  struct Picture {
    std::optional<ShardState> state;
    Term term;
    std::map<std::string, NodeRecord> nodes;  // by key
    std::map<std::string, Revision> changed;
  };
  bool read_entry(const ArbiterEntry& entry, Picture& picture) const;

  std::string prefix_;
  std::vector<std::string> keys_;
  bool known_ = false;
  Revision revision_;
  Picture picture_;
};

}  // namespace magpie::cluster
