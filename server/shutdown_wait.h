#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

#include "server/state/server_state.h"

namespace magpie::server {

/// The end of a node that has replicas: writes wait, until the replicas have everything or the time is over. Any
/// thread.
class ShutdownWait {
 public:
  explicit ShutdownWait(ServerState& state) : state_(state) {}

  /// Writes wait from now on. False if they do so already.
  bool begin(std::chrono::seconds most);
  /// No write is running any more that has begun before begin() or hold().
  void settle();
  /// Once: that was it. Logs how far the replicas are.
  bool over();
  bool waits();
  /// Writes go on. False if they did not wait, or it is over.
  bool abort();
  /// Somebody has ended a pause of clients, but not this one. False if there is none.
  bool hold();

 private:
  enum class Stage : std::uint8_t { None, Settling, Waits, Over };
  bool waiting() const { return stage_ == Stage::Settling || stage_ == Stage::Waits; }
  void pause();
  bool replicas_have_all() const;

  ServerState& state_;
  std::mutex lock_;  // guards what follows
  Stage stage_ = Stage::None;
  std::chrono::steady_clock::time_point until_;
  std::int64_t paused_until_ms_ = 0;  // by CLIENT PAUSE, which goes on if this is aborted
  bool paused_writes_ = false;  // only
};

}  // namespace magpie::server
