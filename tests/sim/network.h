#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "tests/sim/random.h"
#include "tests/sim/schedule.h"

namespace magpie::sim {

/// Number of a machine; the arbiter is one, too.
using Place = std::size_t;
inline constexpr Place kMostNodes = 5;
inline constexpr Place kArbiter = kMostNodes;
inline constexpr Place kPlaces = kMostNodes + 1;

/// What is wrong on the way from one machine to another.
struct Path {
  int cuts = 0;             // that are going on
  int refusals = 0;         // a proxy refuses new connections
  int slow = 0;             // delays of up to 300 ms
  int lossy = 0;            // a third of the datagrams is lost, some come twice
};

/// A connection: bytes arrive in order or not at all. Owned by those who use it.
class Stream {
 public:
  struct End {
    Place place = 0;
    std::function<void()> closed;  // by the other side, or by what lies between
  };
  Stream(End connector, End acceptor) : ends_{std::move(connector), std::move(acceptor)} {}
  bool open() const { return open_; }

 private:
  friend class Network;
  struct Way {
    std::deque<std::pair<TrueTime, Task>> waiting;
    bool pumping = false;
    TrueTime last;
  };
  std::array<End, 2> ends_;
  std::array<Way, 2> ways_;  // from that end
  bool open_ = true;
};
using StreamPtr = std::shared_ptr<Stream>;

/// Delays, drops, doubles, reorders and cuts what machines send each other.
class Network {
 public:
  Network(Schedule& schedule, Random random) : schedule_(&schedule), random_(random) {}

  Path& path(Place from, Place to) { return paths_[from][to]; }
  bool cut(Place from, Place to) const { return paths_[from][to].cuts > 0; }

  /// `deliver` runs there, perhaps; perhaps twice.
  void datagram(Place from, Place to, const std::function<void()>& deliver);
  /// Once, or not at all if the way is cut.
  void request(Place from, Place to, Task deliver);

  void send(const StreamPtr& stream, Place from, Task deliver);
  /// That end closes it; the other one is told once it can be.
  void close(const StreamPtr& stream, Place by);
  /// Both ends are told.
  void reset(const StreamPtr& stream);
  nanoseconds latency(Place from, Place to);

 private:
  void pump(const StreamPtr& stream, std::size_t end);
  void tell_closed(const StreamPtr& stream, std::size_t end);

  Schedule* schedule_;
  Random random_;
  std::array<std::array<Path, kPlaces>, kPlaces> paths_{};
};

}  // namespace magpie::sim
