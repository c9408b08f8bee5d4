#pragma once

#include <chrono>

namespace magpie::cluster {

/// How far clocks may go wrong: each by so many parts in a hundred.
inline constexpr int kMostDrift = 14;

/// Every time that leases and takeovers live by. The relations between them are what keeps two leaders apart, so
/// whoever changes one must find `consistent`.
struct Timing {
  using Duration = std::chrono::milliseconds;

  Duration heartbeat{100};
  Duration serve{600};     // L: a leader serves so long after the sending of the oldest answered heartbeat
  Duration takeover{800};  // G: a follower that has received nothing for so long may campaign

  Duration pre_vote{100};      // answers of voters are waited for
  Duration rank{100};          // for each replica that has more
  Duration semi_answers{500};  // R21
  Duration probe{200};         // a new connection that neither opens nor is refused

  Duration attempt{300};  // an arbiter that has not answered is asked again
  Duration retry{50};     // after an error of the arbiter
  Duration watch{1000};   // what is not told is looked up so often, where it matters

  Duration unapplied{400};  // R9: a member that leaves a record unapplied goes
  Duration patience{1500};  // before the ISR shrinks to fewer than may write: others can take over in that time
  Duration hand_over{500};  // R11: to drain in

  Duration sole_put{2'000};  // R23
  Duration sole_fence{6'000};
  Duration sole_takeover{10'000};
  Duration all_dead{10'000};  // R24

  constexpr bool consistent() const {
    return heartbeat.count() > 0 && 3 * heartbeat <= serve && outlives(takeover, serve) && unapplied < serve &&
           attempt >= heartbeat && retry.count() > 0 && 2 * sole_put < sole_fence && outlives(patience, takeover) &&
           outlives(sole_takeover, sole_fence) && watch < sole_takeover / 3;
  }

 private:
  /// However wrong both clocks are, `late` of one lasts longer than `early` of another.
  static constexpr bool outlives(Duration late, Duration early) {
    return late * (100 - kMostDrift) >= early * (100 + kMostDrift);
  }
};
static_assert(Timing{}.consistent());

}  // namespace magpie::cluster
