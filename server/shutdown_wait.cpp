#include "server/shutdown_wait.h"

#include <string>

#include "server/logging.h"

namespace magpie::server {

bool ShutdownWait::begin(std::chrono::seconds most) {
  const std::lock_guard guard(lock_);
  if (stage_ != Stage::None) return false;
  stage_ = Stage::Settling;
  until_ = std::chrono::steady_clock::now() + most;
  paused_until_ms_ = state_.pause.until_ms.load();
  paused_writes_ = state_.pause.only_writes.load();
  pause();
  return true;
}

void ShutdownWait::pause() {
  constexpr std::int64_t kForLongMs = std::int64_t{1} << 40;
  const Instant now = wall_clock();
  state_.pause.begin(Instant{now.ms + kForLongMs}, true, now);
}

void ShutdownWait::settle() {
  const std::lock_guard guard(lock_);
  if (stage_ == Stage::Settling) stage_ = Stage::Waits;
}

bool ShutdownWait::over() {
  const std::lock_guard guard(lock_);
  if (!waiting()) return false;
  const bool in_time = std::chrono::steady_clock::now() < until_;
  if (in_time && (stage_ == Stage::Settling || !replicas_have_all())) return false;
  stage_ = Stage::Over;
  const Lsn end = state_.replication.log_end();
  const auto have_all = static_cast<std::size_t>(state_.replication.confirmed_by(end));
  const std::size_t all = state_.replication.followers().size();
  const std::string line =
      std::to_string(have_all) + " of " + std::to_string(all) + " replicas have everything at shutdown";
  have_all == all ? log_notice(line) : log_warning(line);
  return true;
}

bool ShutdownWait::replicas_have_all() const {
  const std::size_t all = state_.replication.followers().size();
  return static_cast<std::size_t>(state_.replication.confirmed_by(state_.replication.log_end())) >= all;
}

bool ShutdownWait::waits() {
  const std::lock_guard guard(lock_);
  return waiting();
}

bool ShutdownWait::abort() {
  {
    const std::lock_guard guard(lock_);
    if (!waiting()) return false;
    stage_ = Stage::None;
    state_.pause.end();
    const Instant now = wall_clock();
    if (paused_until_ms_ > now.ms) state_.pause.begin(Instant{paused_until_ms_}, paused_writes_, now);
  }
  state_.control.pause_changed();
  return true;
}

bool ShutdownWait::hold() {
  const std::lock_guard guard(lock_);
  if (!waiting()) return false;
  stage_ = Stage::Settling;
  paused_until_ms_ = 0;
  pause();
  return true;
}

}  // namespace magpie::server
