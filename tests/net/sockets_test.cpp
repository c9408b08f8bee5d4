#include "server/net/sockets.h"

#include <doctest/doctest.h>

#include <string>

#include "server/net/socket_io.h"
#include "tests/net/fixture.h"

namespace magpie::net {

TEST_CASE("sockets: the kernel tells for how long the receiver had no room") {
  auto [fd, peer] = connected(Kind::Tcp);
  const auto before = send_times(fd);
  REQUIRE(before.has_value());
  CHECK(before->receiver_full_us <= before->busy_us);
  Loop loop;
  Recorder recorder;
  Stream stream(loop, fd, recorder);  // which makes it non-blocking
  const std::string much(std::size_t{1} << 20, 'x');
  while (send_some(fd, ByteView(much)).has_value()) {
  }
  const auto between = send_times(fd);
  std::optional<SendTimes> after = between;
  for (int look = 0; look < 1'000'000 && after->receiver_full_us == before->receiver_full_us; ++look) {
    after = send_times(fd);
  }
  CHECK(after->busy_us > before->busy_us);
  CHECK(after->receiver_full_us > before->receiver_full_us);
}

TEST_CASE("sockets: there are no such times of what is no TCP socket") {
  auto [fd, peer] = connected(Kind::Unix);
  CHECK_FALSE(send_times(fd).has_value());
  close_socket(fd);
  CHECK_FALSE(send_times(-1).has_value());
}

}  // namespace magpie::net
