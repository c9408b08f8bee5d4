#include "server/arbiter/service.h"

#include <chrono>
#include <utility>

#include "server/arbiter/limits.h"
#include "server/arbiter/terms.h"

namespace magpie::arbiter {

using wire::arbiter::Refusal;
using wire::arbiter::RefusalCode;

Service::Service(net::Loop& loop, cluster::DurableStore& store, Options options, Log log, OnFailure on_failure)
    : loop_(loop),
      store_(store),
      options_(std::move(options)),
      log_(std::move(log)),
      on_failure_(std::move(on_failure)),
      timer_(loop, [this] { look(); }) {
  loop_.after_each_poll([this] { settle(); });
  timer_.start_repeating(kBetweenLooks);
}

Service::~Service() { loop_.after_each_poll({}); }

std::expected<int, std::string> Service::listen() {
  const auto on_lack = [this](const char* error) { log_(LogLevel::Warning, LogLine("busy").add("reason", error)); };
  auto listener =
      net::Listener::tcp(loop_, options_.address, options_.port, kBacklog, [this](int fd) { accept(fd); }, on_lack);
  if (!listener) return std::unexpected(listener.error().message);
  listener_ = std::move(*listener);
  return listener_->port();
}

void Service::accept(int fd) {
  links_.push_back(std::make_unique<ClientLink>(loop_, fd, static_cast<ClientLink::Owner&>(*this)));
  if (links_.size() > kMostLinks) links_.back()->refuse({RefusalCode::Busy, "this arbiter has too many clients"});
}

std::expected<void, Refusal> Service::admit(const std::string& node, Term highest) {
  if (outdated_) return std::unexpected(*outdated_);
  const auto stored = highest_term(store_.store(), options_.identity.cluster);
  if (!stored && highest > Term{} && !options_.accept_empty) {
    return std::unexpected(Refusal{RefusalCode::Other, "this arbiter cannot compare terms: the value of '" +
                                                           stored.error() + "' is none that it can read"});
  }
  if (!stored || highest <= *stored) {
    refused_.erase(node);
    return {};
  }
  LogLine line(options_.accept_empty ? "outdated-accepted" : "outdated");
  line.add("node", node).add("node-term", highest.number).add("stored-term", stored->number);
  if (options_.accept_empty) {
    log_(LogLevel::Warning, line);
    return {};
  }
  outdated_ = Refusal{RefusalCode::Outdated, "this arbiter has lost what it knew: node '" + node + "' has seen term " +
                                                 std::to_string(highest.number) + ", and the highest stored here is " +
                                                 std::to_string(stored->number) +
                                                 "; give it back its data, or restart it with --accept-empty"};
  log_(LogLevel::Error, line.add("consequence",
                                 "nothing is answered or written any more: give the arbiter back its "
                                 "data, or restart it with --accept-empty"));
  for (const auto& link : links_) link->refuse(*outdated_);
  return std::unexpected(*outdated_);
}

void Service::log_refusal(const std::string& node, const std::string& address, const std::string& reason) {
  if (refused_.size() > kMostLinks) refused_.clear();
  std::string& last = refused_[node];
  if (last == reason) return;
  last = reason;
  log_(LogLevel::Warning, LogLine("refused").add("node", node).add("address", address).add("reason", reason));
}

std::expected<cluster::TransactionResult, cluster::ArbiterError> Service::transact(
    const cluster::Transaction& transaction) {
  auto done = store_.transact(transaction);
  if (!done) return std::unexpected(done.error());
  if (!done->changes.empty()) {
    for (const auto& link : links_) link->changed(done->result.revision, done->changes);
  }
  return std::move(done->result);
}

/// What was answered in this turn of the loop goes out as soon as the disk has it.
void Service::settle() {
  if (failed_) return;
  if (store_.needs_flush()) {
    const auto flushed = store_.flush();
    if (!flushed) return fail(flushed.error());
    if (*flushed) log_(LogLevel::Notice, LogLine("snapshot").add("revision", store_.store().revision().number));
  }
  for (const auto& link : links_) link->release();
  std::erase_if(links_, [](const auto& link) { return link->ended(); });
}

void Service::look() {
  const auto now = ClientLink::Clock::now();
  for (const auto& link : links_) link->look(now);
}

void Service::fail(const std::string& message) {
  failed_ = true;
  listener_.reset();
  for (const auto& link : links_) link->end("the disk fails");
  log_(LogLevel::Error, LogLine("disk-failed").add("reason", message));
  on_failure_(message);
}

}  // namespace magpie::arbiter
