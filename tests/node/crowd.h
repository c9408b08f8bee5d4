#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tests/engine/random.h"
#include "tests/node/fixture.h"

namespace magpie::testing {

/// Of the key "large", which the node must have.
inline constexpr std::size_t kLargeValue = 100'000;

/// Connections of one kind, open at the same time. Every reply that they are owed is checked; a wrong one is an
/// exception. One thread.
class Group {
 public:
  Group(const TestNode& node, std::size_t size, std::uint64_t seed, Client::Segments segments = Client::Segments::Usual)
      : node_(node), clients_(connect(node, size, segments)), random_(seed) {}
  virtual ~Group() = default;
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  /// All do what they do, and stay.
  virtual void begin() = 0;
  /// All end it, and go.
  virtual void end() = 0;

  std::size_t size() const { return clients_.size(); }
  // Between the two steps: how many have replies that they do not read and that are more than the kernel takes, how
  // many the server must have closed and may have closed, and how many bytes of commands without an end it may have.
  virtual std::size_t held_up() const { return 0; }
  virtual std::size_t surely_closed() const { return 0; }
  virtual std::size_t perhaps_closed() const { return surely_closed(); }
  virtual std::size_t unfinished_bytes() const { return 0; }
  // What they leave behind: keys, and what they have added to the counter "halves".
  virtual std::size_t keys() const { return 0; }
  virtual std::size_t counted() const { return 0; }

 protected:
  const TestNode& node_;
  std::vector<Client> clients_;
  Random random_;
};

/// So many connections in all, of every kind: idle, sending garbage, half-closing, not reading, sending byte by byte,
/// resetting in the middle of a command, coming and going, pipelining.
std::vector<std::unique_ptr<Group>> make_crowd(const TestNode& node, std::size_t connections);

}  // namespace magpie::testing
