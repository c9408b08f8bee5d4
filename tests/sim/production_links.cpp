#include <algorithm>
#include <utility>

#include "tests/sim/production_data_plane.h"

namespace magpie::sim {
namespace {

constexpr Instant kNow{1'800'000'000'000};
constexpr milliseconds kTick{100};

/// Without R13: nothing that comes is ahead of the log, it says.
wire::Message without_skipping(const wire::Message& message) {
  const auto* data = std::get_if<wire::RepairData>(&message);
  if (data == nullptr) return message;
  return wire::RepairData{data->records, 1};
}

}  // namespace

void ProductionDataPlane::connected(LinkId link, const cluster::Member& leader, Term term) {
  drop_intake();
  // Without R12 the data goes although others may count on it.
  const bool may_discard = blank_ || !rules_.side_buffer;
  intake_ = std::make_unique<Intake>(*this, link, server::LeaderSession::Terms::Shard{this, leader, term, may_discard});
  intake_->session.on_replacing([this] { drop_feeds(); });
  intake_->session.begin(intake_->link.out());
  intake_->link.flush();
}

void ProductionDataPlane::received(LinkId link, const DataMessagePtr& message) {
  if (intake_ && intake_->link.id() == link) return take_from_leader(*message);
  Feed* const feed = find_feed(link);
  take_from_follower(feed != nullptr ? *feed : make_feed(link), *message);
}

void ProductionDataPlane::closed(LinkId link) {
  std::erase_if(feeds_, [link](const auto& feed) { return feed->link.id() == link; });
  if (intake_ && intake_->link.id() == link) intake_.reset();
}

void ProductionDataPlane::take_from_leader(const DataMessage& piece) {
  ProductionLink& link = intake_->link;
  server::LeaderSession& session = intake_->session;
  const auto taken = link.read(piece, [&](const wire::Message& message, std::size_t frame) {
    auto outcome = session.take(rules_.skip_repaired ? message : without_skipping(message), frame, kNow, link.out());
    if (!session.log_line().empty()) host_->note(session.log_line());
    return outcome;
  });
  refresh();
  host_->applied();
  if (taken) session.confirm(link.out());
  link.flush();
  if (taken) return;
  host_->note("the link to the leader is down: " + taken.error());
  drop_intake();
}

void ProductionDataPlane::drop_intake() {
  if (const auto dropped = std::exchange(intake_, nullptr)) host_->close(dropped->link.id());
}

ProductionDataPlane::Feed* ProductionDataPlane::find_feed(LinkId link) {
  const auto found = std::ranges::find_if(feeds_, [link](const auto& feed) { return feed->link.id() == link; });
  return found == feeds_.end() ? nullptr : found->get();
}

ProductionDataPlane::Feed& ProductionDataPlane::make_feed(LinkId link) {
  feeds_.push_back(std::make_unique<Feed>(*this, link));
  return *feeds_.back();
}

void ProductionDataPlane::drop_feed(LinkId link) {
  std::erase_if(feeds_, [link](const auto& feed) { return feed->link.id() == link; });
  host_->close(link);
}

void ProductionDataPlane::drop_feeds() {
  for (const auto& feed : std::exchange(feeds_, {})) host_->close(feed->link.id());
}

void ProductionDataPlane::take_from_follower(Feed& feed, const DataMessage& piece) {
  const LinkId link = feed.link.id();
  const auto taken = feed.link.read(piece, [&](const wire::Message& message, std::size_t /*frame*/) {
    auto outcome = feed.session.take(message, kNow, feed.link.out());
    if (!feed.session.log_line().empty()) host_->note("a replica " + feed.session.log_line());
    return outcome;
  });
  feed.link.flush();
  if (taken) return pump(link);
  host_->note("a replica is gone: " + taken.error());
  drop_feed(link);
}

void ProductionDataPlane::pump_all() {
  std::vector<LinkId> links;
  links.reserve(feeds_.size());
  for (const auto& feed : feeds_) links.push_back(feed->link.id());
  for (const LinkId link : links) pump(link);
}

/// To be made in one turn: sometimes only a part of what there is, so that records arrive in pieces; in a full sync
/// little enough that much happens meanwhile, and enough to get done.
std::size_t ProductionDataPlane::some_bytes(bool syncing) {
  constexpr std::size_t kPiece = std::size_t{64} << 10;
  const bool one_in_four = host_->random_below(4) == 0;
  if (!syncing) return one_in_four ? 1 + host_->random_below(60 + limits_.padding) : kPiece;
  return 1 + host_->random_below(one_in_four ? 2'000 + 20 * limits_.padding : 60 + 16 * limits_.padding);
}

void ProductionDataPlane::pump(LinkId link) {
  using More = server::FollowerSession::More;
  Feed* const feed = find_feed(link);
  if (feed == nullptr || feed->waiting || !feed->session.streaming()) return;
  const bool syncing = feed->session.syncing();
  const More more = feed->session.produce(some_bytes(syncing), kNow, feed->link.out());
  feed->link.flush();
  if (more == More::Never) {
    host_->note("a replica has fallen behind");
    return drop_feed(link);
  }
  if (more == More::Yes) pump_later(*feed, syncing);
}

void ProductionDataPlane::pump_later(Feed& feed, bool syncing) {
  const auto most = syncing ? static_cast<std::uint64_t>(limits_.chunk_delay.count()) : 2;
  feed.waiting = true;
  host_->later(milliseconds(1 + host_->random_below(most)), [this, link = feed.link.id()] {
    Feed* const again = find_feed(link);
    if (again == nullptr) return;
    again->waiting = false;
    pump(link);
  });
}

void ProductionDataPlane::tick_later() {
  if (std::exchange(tick_is_due_, true)) return;
  host_->later(kTick, [this] {
    tick_is_due_ = false;
    tick();
  });
}

void ProductionDataPlane::tick() {
  if (!term_) return;
  for (const auto& feed : feeds_) {
    feed->session.send_heartbeat(kNow, feed->link.out());
    feed->link.flush();
  }
  tick_later();
}

}  // namespace magpie::sim
