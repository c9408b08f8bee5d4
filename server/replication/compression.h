#pragma once

#include <cstddef>
#include <cstdint>

namespace magpie::server {

/// Which of the data for one follower is sent compressed: a decision from what is told of its link and of what became
/// of earlier pieces. A value, without sockets and clocks. One thread.
class Compression {
 public:
  enum class Mode : std::uint8_t {
    Auto,  // while the network is what a follower on another machine waits for, and the data shrinks well
    Yes,   // whatever gets smaller
    No
  };
  /// What the kernel has counted since the connection began, in microseconds.
  struct Times {
    std::uint64_t sending_us = 0;   // that something was on its way
    std::uint64_t receiver_us = 0;  // of these, that the receiver had no room for more
  };

  Compression() = default;
  Compression(Mode mode, bool other_machine) : mode_(mode), other_machine_(other_machine) {}

  void set_mode(Mode mode) { mode_ = mode; }
  /// The kernel has not taken all that was sent.
  void note_congested() { congested_ = true; }
  /// Whether observe() has to be called, ten times a second.
  bool observes() const { return mode_ == Mode::Auto && other_machine_; }
  void observe(const Times& now);

  /// Of a piece with so many bytes of data: how many percent of its size it may have when it is compressed, lest it be
  /// sent as it is; 0: it is not to be tried.
  unsigned most_percent(std::size_t bytes);
  /// What a piece that was tried took: as it would have been, and as it was sent, which is the same if compressing it
  /// was in vain.
  void tried(std::size_t plain, std::size_t sent);

 private:
  Mode mode_ = Mode::No;
  bool other_machine_ = false;
  bool congested_ = false;  // since the last observation
  unsigned congestions_ = 0;  // observations in a row that saw it, and a receiver that had room
  unsigned slow_network_left_ = 0;  // observations until the network does not count as slow any more
  unsigned pause_left_ = 0;  // pieces that are not tried
  Times before_;
};

}  // namespace magpie::server
