#include "cluster/replication/shard_view.h"

#include <utility>

namespace magpie::cluster {

ShardView::ShardView(const ReplicaConfig& config)
    : prefix_(config.prefix),
      keys_{prefix_ + "shards/" + config.shard, prefix_ + "terms/" + config.shard, prefix_ + "slots",
            prefix_ + "moves"} {
  for (const NodeId& node : config.nodes) keys_.push_back(node_key(node));
}

std::string ShardView::node_key(const NodeId& node) const { return prefix_ + "nodes/" + node.text; }

ShardView::Taken ShardView::take(Revision revision, const std::vector<ArbiterEntry>& entries) {
  if (known_ && revision < revision_) return Taken::Older;
  if (known_ && revision == revision_) return Taken::Same;
  Picture picture;
  for (const ArbiterEntry& entry : entries) {
    if (!read_entry(entry, picture)) return Taken::Unreadable;
  }
  picture_ = std::move(picture);
  revision_ = revision;
  known_ = true;
  return Taken::Newer;
}

bool ShardView::read_entry(const ArbiterEntry& entry, Picture& picture) const {
  picture.changed[entry.key] = entry.changed;
  if (entry.key == shard_key()) {
    picture.state = parse_shard_state(entry.value);
    return picture.state.has_value();
  }
  if (entry.key == term_key()) {
    const auto term = parse_term(entry.value);
    picture.term = term.value_or(Term{});
    return term.has_value();
  }
  if (!entry.key.starts_with(prefix_ + "nodes/")) return true;
  auto record = parse_node_record(entry.value);
  if (record) picture.nodes.emplace(entry.key, std::move(*record));
  return record.has_value();
}

Revision ShardView::changed(const std::string& key) const {
  const auto found = picture_.changed.find(key);
  return found == picture_.changed.end() ? Revision{} : found->second;
}

const NodeRecord* ShardView::node(const NodeId& node) const {
  const auto found = picture_.nodes.find(node_key(node));
  return found == picture_.nodes.end() ? nullptr : &found->second;
}

bool ShardView::dead(const Member& member) const {
  const NodeRecord* record = node(member.node);
  return record != nullptr && (record->incarnation != member.incarnation || record->tombstone);
}

}  // namespace magpie::cluster
