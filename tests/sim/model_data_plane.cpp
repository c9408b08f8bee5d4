#include "tests/sim/model_data_plane.h"

#include <algorithm>
#include <utility>

namespace magpie::sim {

cluster::LogPosition ModelDataPlane::position() const {
  if (main_.applied == Lsn{}) return {};
  return {main_.log.history().term_at({main_.applied.bytes - 1}), main_.applied};
}

void ModelDataPlane::begin_term(Term term) {
  drop_intake();
  if (complete_) {
    drop_incomplete();
  } else {
    forget_everything();
  }
  complete_ = true;
  leading_ = term;
  main_.log.history().begin(term, main_.log.end());
  append({}, 0);
}

void ModelDataPlane::end_term() {
  leading_.reset();
  for (const Feed& feed : std::exchange(feeds_, {})) host_->close(feed.link);
}

void ModelDataPlane::append(const Effect& effect, std::uint8_t more) {
  main_.log.append({effect, more});
  main_.store.apply(effect);
  main_.applied = main_.log.end();
}

DataPlane::Executed ModelDataPlane::execute(const Operation& operation) {
  using Kind = Operation::Kind;
  switch (operation.kind) {
    case Kind::Read:
      return {main_.applied, main_.store.value(operation.key)};
    case Kind::ReadList:
      return {main_.applied, 0, main_.store.list(operation.key)};
    case Kind::Write:
      append({Effect::Kind::Put, operation.key, operation.value}, 0);
      break;
    case Kind::WritePair:
      append({Effect::Kind::Put, kPair, operation.value}, 1);
      append({Effect::Kind::Put, kPair + 1, operation.value}, 0);
      break;
    case Kind::Push:
      append({Effect::Kind::Push, operation.key, operation.value}, 0);
      break;
  }
  ship_all();
  return {main_.applied};
}

void ModelDataPlane::send(LinkId link, model::Body body) {
  host_->send(link, std::make_shared<model::Message>(*leading_, host_->self(), std::move(body)));
}

ModelDataPlane::Feed* ModelDataPlane::find_feed(LinkId link) {
  const auto found = std::ranges::find(feeds_, link, &Feed::link);
  return found == feeds_.end() ? nullptr : &*found;
}

void ModelDataPlane::drop_feed(LinkId link) {
  std::erase_if(feeds_, [link](const Feed& feed) { return feed.link == link; });
  host_->close(link);
}

void ModelDataPlane::ship_all() {
  for (std::size_t next = 0; next < feeds_.size();) {
    const LinkId link = feeds_[next].link;
    ship(feeds_[next]);
    if (next < feeds_.size() && feeds_[next].link == link) ++next;  // else it was dropped
  }
}

/// Sometimes only a part goes at once, so that groups arrive in pieces. Not in a full sync: there an effect's place in
/// the stream is that of the moment at which it was applied (R15).
void ModelDataPlane::ship(Feed& feed) {
  if (!feed.streaming || feed.waiting) return;
  if (feed.sent < main_.log.begin()) return drop_feed(feed.link);
  const std::uint64_t pending = main_.log.end() - feed.sent;
  if (pending == 0) return;
  if (feed.cursor || host_->random_below(4) != 0) return send_records(feed, main_.log.end());
  send_records(feed, feed.sent + (1 + host_->random_below(pending)));
  feed.waiting = true;
  host_->later(milliseconds(2), [this, link = feed.link] {
    Feed* again = find_feed(link);
    if (again == nullptr) return;
    again->waiting = false;
    ship(*again);
  });
}

void ModelDataPlane::send_records(Feed& feed, Lsn until) {
  model::Batch batch{feed.sent, {}};
  for (Lsn at = feed.sent; at < until; at = at + 1) {
    Record record = main_.log.at(at);
    if (feed.cursor && record.effect.key >= *feed.cursor) record.effect = {};
    batch.records.push_back(record);
  }
  feed.sent = until;
  send(feed.link, std::move(batch));
}

void ModelDataPlane::handle(Feed& feed, const model::Follow& follow) {
  if (!follow.complete) return begin_full(feed);
  const ModelLog& log = main_.log;
  const Lsn common = log.history().common(log.end(), follow.history, follow.end);
  if (common != follow.end || common < log.begin()) {
    return send(feed.link, model::Diverged{log.history(), log.begin(), log.end()});
  }
  send(feed.link, model::Resume{log.history()});
  feed.sent = common;
  feed.streaming = true;
  ship(feed);
}

void ModelDataPlane::handle(Feed& feed, const model::RepairRequest& request) {
  if (request.fork < main_.log.begin() || request.fork > main_.log.end()) return drop_feed(feed.link);
  model::Repair repair{main_.log.history(), request.fork, main_.applied, {}};
  for (const std::size_t key : request.keys) repair.states.push_back(main_.store.state(key));
  send(feed.link, std::move(repair));
  feed.sent = request.fork;
  feed.streaming = true;
  ship(feed);
}

void ModelDataPlane::handle(Feed& feed, const model::FullRequest& /*request*/) { begin_full(feed); }

void ModelDataPlane::handle(Feed& /*feed*/, const model::Applied& applied) {
  host_->follower_applied(applied.follower, *leading_, applied.position, applied.complete);
}

void ModelDataPlane::begin_full(Feed& feed) {
  send(feed.link, model::FullBegin{main_.log.history(), main_.log.end()});
  feed.sent = main_.log.end();
  feed.streaming = true;
  feed.cursor = 0;
  send_chunk(feed.link);
}

void ModelDataPlane::send_chunk(LinkId link) {
  Feed* feed = find_feed(link);
  if (feed == nullptr || !feed->cursor) return;
  if (*feed->cursor == kKeys) {
    feed->cursor.reset();
    return send(link, model::FullEnd{main_.log.end()});
  }
  model::Chunk chunk{main_.store.state(*feed->cursor)};
  ++*feed->cursor;
  if (rules_.cursor_order) {
    send(link, std::move(chunk));
  } else {
    host_->later(milliseconds(3), [this, link, chunk = std::move(chunk)] {
      if (leading_) send(link, chunk);
    });
  }
  const auto most = static_cast<std::uint64_t>(limits_.chunk_delay.count());
  host_->later(milliseconds(host_->random_below(most) + 1), [this, link] { send_chunk(link); });
}

void ModelDataPlane::received(LinkId link, const DataMessagePtr& message) {
  const auto& known = static_cast<const model::Message&>(*message);
  if (intake_ && intake_->link == link) {
    if (known.term != intake_->term || !host_->leader_heard(known.term, known.leader)) return drop_intake();
    std::visit([this](const auto& body) { handle(body); }, known.body);
  } else if (leading_ == known.term && known.leader == host_->self()) {
    if (std::holds_alternative<model::Follow>(known.body)) feeds_.push_back({.link = link, .sent = {}, .cursor = {}});
    Feed* feed = find_feed(link);
    if (feed != nullptr) std::visit([this, feed](const auto& body) { handle(*feed, body); }, known.body);
  } else {
    host_->close(link);
  }
}

void ModelDataPlane::closed(LinkId link) {
  std::erase_if(feeds_, [link](const Feed& feed) { return feed.link == link; });
  if (intake_ && intake_->link == link) drop_intake();
}

}  // namespace magpie::sim
