#include "server/arbiter/client_link.h"

#include <utility>
#include <variant>

#include "cluster/arbiter/store_limits.h"
#include "server/arbiter/convert.h"
#include "server/arbiter/limits.h"

namespace magpie::arbiter {

using wire::arbiter::Accepted;
using wire::arbiter::Answer;
using wire::arbiter::Changed;
using wire::arbiter::Refusal;
using wire::arbiter::Refused;

ClientLink::ClientLink(net::Loop& loop, int fd, Owner& owner)
    : owner_(owner), handshake_(owner.identity(), draw_nonce()), stream_(loop, fd, *this) {
  address_ = stream_.peer_address();
  stream_.start_reading();
}

void ClientLink::on_read(std::size_t bytes) {
  heard_ = Clock::now();
  input_.filled(bytes);
  while (phase_ != Phase::Refused && phase_ != Phase::Ended) {
    const auto payload = input_.next(phase_ == Phase::Open ? wire::kMostFrame : kMostHandshakeFrame);
    if (!payload) return end("it sent " + payload.error());
    if (!*payload) return;
    auto message = wire::arbiter::decode_message(**payload);
    if (!message) return end("it sent " + message.error());
    std::visit([this](auto& one) { handle(one); }, *message);
  }
}

void ClientLink::on_end(const char* error) { end(error == nullptr ? "closed by the client" : error); }

void ClientLink::on_drained() {
  if (stream_.closed()) end("refused");
}

/// Whether a message belongs here; else the link ends.
bool ClientLink::is(Phase phase) {
  if (phase_ == phase) return true;
  end("it sent a message out of turn");
  return false;
}

void ClientLink::handle(const wire::arbiter::Hello& hello) {
  if (!is(Phase::Hello)) return;
  node_ = hello.node;
  const auto welcome = handshake_.greet(hello);
  if (!welcome) return refuse(welcome.error());
  send(*welcome);
  phase_ = Phase::Login;
}

void ClientLink::handle(const wire::arbiter::Login& login) {
  if (!is(Phase::Login)) return;
  auto allowed = handshake_.check(login);
  if (allowed) allowed = owner_.admit(node_, Term{login.highest_term});
  if (phase_ != Phase::Login) return;  // admit() may have refused all
  if (!allowed) return refuse(allowed.error());
  send(Accepted{owner_.store().revision().number});
  phase_ = Phase::Open;
  owner_.log(LogLevel::Notice, LogLine("connected").add("node", node_).add("address", address_));
}

void ClientLink::handle(wire::arbiter::Read& read) {
  if (!is(Phase::Open)) return;
  auto result = owner_.store().read(read.keys);
  if (!result) return send(Refused{read.id, result.error().message});
  for (Answer& part : to_wire(read.id, {true, result->revision, std::move(result->entries)})) send(std::move(part));
}

void ClientLink::handle(wire::arbiter::Transact& transact) {
  if (!is(Phase::Open)) return;
  const std::uint64_t id = transact.id;
  auto result = owner_.transact(from_wire(std::move(transact)));
  if (!result) return send(Refused{id, result.error().message});
  for (Answer& part : to_wire(id, std::move(*result))) send(std::move(part));
}

void ClientLink::handle(const wire::arbiter::Watch& watch) {
  if (!is(Phase::Open)) return;
  if (watches_.size() == kMostWatches) return end("it has too many watches");
  if (!cluster::within_limits(watch.prefix)) return end("it watches a prefix that is too long");
  if (!watches_.emplace(watch.id, watch.prefix).second) return end("it has a watch of that number already");
  const cluster::Store& store = owner_.store();
  // Whoever has seen later revisions has seen those of another history: all of this one is news.
  const cluster::Revision after =
      watch.after > store.revision().number ? cluster::Revision{} : cluster::Revision{watch.after};
  if (auto change = store.changes(watch.prefix, after); !change.writes.empty()) tell(watch.id, std::move(change));
}

void ClientLink::handle(const wire::arbiter::Unwatch& unwatch) {
  if (is(Phase::Open)) watches_.erase(unwatch.id);
}

void ClientLink::tell(std::uint64_t watch, cluster::Arbiter::Change change) {
  for (Changed& part : to_wire(watch, std::move(change))) send(std::move(part));
}

void ClientLink::changed(cluster::Revision revision, const std::vector<cluster::Transaction::Write>& changes) {
  if (phase_ != Phase::Open) return;
  for (const auto& [id, prefix] : watches_) {
    auto some = cluster::under(prefix, changes);
    if (!some.empty()) tell(id, {revision, std::move(some)});
  }
}

void ClientLink::refuse(const Refusal& refusal) {
  if (phase_ == Phase::Refused || phase_ == Phase::Ended) return;
  owner_.log_refusal(node_, address_, refusal.reason);
  send(refusal);
  phase_ = Phase::Refused;
}

void ClientLink::release() {
  if (phase_ == Phase::Ended) return;
  if (!held_.empty()) stream_.write(held_);
  if (stream_.pending_bytes() > kMostUnsent) return end("it does not take what it is sent");
  if (phase_ != Phase::Refused) return;
  stream_.close_after_writes();
  if (stream_.closed()) end("refused");
}

void ClientLink::look(Clock::time_point now) {
  if (phase_ == Phase::Ended) return;
  if (phase_ != Phase::Open && now - began_ > kHandshakeTime) return end("its handshake took too long");
  if (now - heard_ > kMostSilence) end("nothing has come from it for too long");
}

void ClientLink::end(std::string_view reason) {
  if (phase_ == Phase::Ended) return;
  // A refusal has had its line, and whoever only looks whether a port is open deserves none.
  const bool silent = phase_ == Phase::Refused || (phase_ == Phase::Hello && began_ == heard_);
  phase_ = Phase::Ended;
  stream_.close();
  watches_.clear();
  held_.release();
  if (silent) return;
  owner_.log(LogLevel::Notice,
             LogLine("disconnected").add("node", node_).add("address", address_).add("reason", reason));
}

}  // namespace magpie::arbiter
