#include "server/arbiter/remote_arbiter.h"

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

#include "cluster/arbiter/store_limits.h"
#include "protocol/check.h"
#include "server/arbiter/convert.h"
#include "server/arbiter/remote_requests.h"
#include "server/net/timer.h"

namespace magpie::arbiter {

using cluster::ArbiterError;
using cluster::Revision;
using cluster::Transaction;
using std::chrono::milliseconds;
using Clock = RemoteRequests::Clock;

/// Lives as long as the RemoteArbiter, or as one of its callbacks runs.
class RemoteArbiter::Core final : public std::enable_shared_from_this<Core>, RemoteLink::Owner {
 public:
  Core(net::Loop& loop, Options options)
      : loop_(loop),
        options_(std::move(options)),
        retry_(loop, [this] { connect(); }),
        deadline_(loop, [this] { expire(); }),
        probe_(loop, [this] { probe(); }) {}

  void connect();
  void end();
  void ask(wire::arbiter::Message message, RemoteRequests::OnResult on_result);
  /// Ends a request that is not worth sending.
  void refuse(RemoteRequests::OnResult on_result, ArbiterError error);
  std::uint64_t watch(std::string prefix, Revision after, OnChange on_change);
  void unwatch(std::uint64_t id);

 private:
  struct Watching {
    std::string prefix;
    Revision after;
    std::shared_ptr<OnChange> on_change;  // it may end the watch
    std::vector<Transaction::Write> writes;  // of a change's parts so far
  };

  std::uint64_t highest_term() override { return options_.highest_term ? options_.highest_term().number : 0; }
  void opened() override;
  void received(wire::arbiter::Message& message) override;
  void lost(const std::string& why) override;

  void changed(wire::arbiter::Changed& changed);
  void send_unsent();
  void expire();
  void set_deadline();
  void probe();
  void drop_link();
  void tell_state(bool connected, const std::string& why);
  void call(std::vector<RemoteRequests::Ending> endings);
  std::string name() const {
    return "the arbiter at " + options_.endpoint.host + ":" + std::to_string(options_.endpoint.port);
  }

  net::Loop& loop_;
  Options options_;
  bool ended_ = false;
  std::unique_ptr<RemoteLink> link_;
  RemoteRequests requests_;
  std::map<std::uint64_t, Watching> watches_;
  std::uint64_t last_watch_ = 0;
  milliseconds back_off_ = kFirstBackOff;
  std::string trouble_ = "not connected yet";  // empty: connected
  net::Timer retry_;
  net::Timer deadline_;
  net::Timer probe_;
};

void RemoteArbiter::Core::connect() {
  link_ = std::make_unique<RemoteLink>(loop_, options_.endpoint, options_.identity, options_.node,
                                       static_cast<RemoteLink::Owner&>(*this));
}

void RemoteArbiter::Core::end() {
  ended_ = true;
  retry_.stop();
  deadline_.stop();
  probe_.stop();
  drop_link();
}

/// It may be calling us.
void RemoteArbiter::Core::drop_link() {
  if (link_ == nullptr) return;
  link_->close();
  loop_.post([core = shared_from_this(), link = std::move(link_)]() mutable { link.reset(); });
}

void RemoteArbiter::Core::opened() {
  const auto keep = shared_from_this();
  back_off_ = kFirstBackOff;
  for (auto& [id, watching] : watches_) {
    watching.writes.clear();
    link_->send(wire::arbiter::Watch{id, watching.prefix, watching.after.number});
  }
  send_unsent();
  probe_.start_repeating(kBetweenProbes);
  tell_state(true, "");
}

void RemoteArbiter::Core::received(wire::arbiter::Message& message) {
  const auto keep = shared_from_this();
  std::optional<RemoteRequests::Ending> ending;
  if (auto* const answer = std::get_if<wire::arbiter::Answer>(&message)) {
    ending = requests_.answered(std::move(*answer));
  } else if (const auto* const refused = std::get_if<wire::arbiter::Refused>(&message)) {
    ending = requests_.refused(*refused);
  } else if (auto* const change = std::get_if<wire::arbiter::Changed>(&message)) {
    return changed(*change);
  }
  set_deadline();
  if (ending) (*ending)();
}

void RemoteArbiter::Core::changed(wire::arbiter::Changed& changed) {
  const auto at = watches_.find(changed.id);
  if (at == watches_.end()) return;  // it has ended meanwhile
  Watching& watching = at->second;
  auto more = from_wire(std::move(changed.writes));
  watching.writes.insert(watching.writes.end(), std::move_iterator(more.begin()), std::move_iterator(more.end()));
  if (changed.more) return;
  watching.after = Revision{changed.revision};
  const Change change{watching.after, std::exchange(watching.writes, {})};
  const auto on_change = watching.on_change;
  (*on_change)(change);
}

void RemoteArbiter::Core::lost(const std::string& why) {
  const auto keep = shared_from_this();
  drop_link();
  probe_.stop();
  retry_.start_once(back_off_);
  back_off_ = std::min(2 * back_off_, kMostBackOff);
  auto endings = requests_.lost("the connection to " + name() + " was lost before the answer (" + why +
                                "): what was asked may have happened, or may still happen");
  set_deadline();
  tell_state(false, why);
  call(std::move(endings));
}

void RemoteArbiter::Core::ask(wire::arbiter::Message message, RemoteRequests::OnResult on_result) {
  if (requests_.size() >= kMostRequests) {
    return refuse(std::move(on_result),
                  {"too many requests wait for " + name() + ": " + std::to_string(kMostRequests)});
  }
  requests_.add(std::move(message), Clock::now() + options_.request_time, std::move(on_result));
  set_deadline();
  if (link_ != nullptr && link_->open()) send_unsent();
}

void RemoteArbiter::Core::refuse(RemoteRequests::OnResult on_result, ArbiterError error) {
  loop_.post(
      [core = std::weak_ptr(shared_from_this()), on_result = std::move(on_result), error = std::move(error)]() mutable {
        const auto keep = core.lock();
        if (keep != nullptr && !keep->ended_) on_result(std::unexpected(std::move(error)));
      });
}

void RemoteArbiter::Core::send_unsent() {
  for (const wire::arbiter::Message& message : requests_.take_unsent()) link_->send(message);
}

void RemoteArbiter::Core::set_deadline() {
  const auto next = requests_.next_deadline();
  if (!next) return deadline_.stop();
  // Rounded up: too early would be in vain.
  deadline_.start_once(std::chrono::duration_cast<milliseconds>(*next - Clock::now()) + milliseconds(1));
}

void RemoteArbiter::Core::expire() {
  const auto keep = shared_from_this();
  const std::string time = " within " + std::to_string(options_.request_time.count()) + " ms";
  const std::string silent = name() + " has not answered" + time + ": what was asked may happen all the same";
  const std::string absent = name() + " could not be asked" + time + ": " + trouble_;
  bool sent = false;
  auto endings = requests_.expired(Clock::now(), silent, absent, sent);
  set_deadline();
  // The connection may be dead, and nobody told us.
  if (sent && link_ != nullptr && link_->open()) lost("it does not answer");
  call(std::move(endings));
}

/// So that a dead connection is noticed though nobody but watches waits for anything.
void RemoteArbiter::Core::probe() {
  if (requests_.size() == 0) ask(wire::arbiter::Read{}, [](const auto&) {});
}

std::uint64_t RemoteArbiter::Core::watch(std::string prefix, Revision after, OnChange on_change) {
  CHECK(cluster::within_limits(prefix).has_value());
  const std::uint64_t id = ++last_watch_;
  if (link_ != nullptr && link_->open()) link_->send(wire::arbiter::Watch{id, prefix, after.number});
  watches_.emplace(id, Watching{std::move(prefix), after, std::make_shared<OnChange>(std::move(on_change)), {}});
  return id;
}

void RemoteArbiter::Core::unwatch(std::uint64_t id) {
  watches_.erase(id);
  if (!ended_ && link_ != nullptr && link_->open()) link_->send(wire::arbiter::Unwatch{id});
}

void RemoteArbiter::Core::tell_state(bool connected, const std::string& why) {
  if (std::exchange(trouble_, why) == why) return;
  if (options_.on_state) options_.on_state(connected, why);
}

void RemoteArbiter::Core::call(std::vector<RemoteRequests::Ending> endings) {
  for (auto& ending : endings) {
    if (!ended_) ending();
  }
}

RemoteArbiter::RemoteArbiter(net::Loop& loop, Options options)
    : core_(std::make_shared<Core>(loop, std::move(options))) {
  core_->connect();
}

RemoteArbiter::~RemoteArbiter() { core_->end(); }

void RemoteArbiter::read(std::vector<std::string> keys, OnRead on_read) {
  auto on_result = [on_read = std::move(on_read)](RemoteRequests::Result result) mutable {
    if (!result) return on_read(std::unexpected(std::move(result.error())));
    on_read(cluster::ReadResult{result->revision, std::move(result->entries)});
  };
  if (auto within = cluster::within_limits(keys); !within) return core_->refuse(std::move(on_result), within.error());
  core_->ask(wire::arbiter::Read{.keys = std::move(keys)}, std::move(on_result));
}

void RemoteArbiter::transact(Transaction transaction, OnTransaction on_done) {
  if (auto within = cluster::within_limits(transaction); !within) {
    return core_->refuse(std::move(on_done), within.error());
  }
  core_->ask(to_wire(0, std::move(transaction)), std::move(on_done));
}

namespace {

template <class Core>
class RemoteWatch final : public cluster::Arbiter::Watch {
 public:
  RemoteWatch(const std::shared_ptr<Core>& core, std::uint64_t id) : core_(core), id_(id) {}
  ~RemoteWatch() override {
    if (const auto core = core_.lock()) core->unwatch(id_);
  }
  RemoteWatch(const RemoteWatch&) = delete;
  RemoteWatch& operator=(const RemoteWatch&) = delete;

 private:
  std::weak_ptr<Core> core_;
  std::uint64_t id_;
};

}  // namespace

std::unique_ptr<cluster::Arbiter::Watch> RemoteArbiter::watch(std::string prefix, Revision after, OnChange on_change) {
  return std::make_unique<RemoteWatch<Core>>(core_, core_->watch(std::move(prefix), after, std::move(on_change)));
}

}  // namespace magpie::arbiter
