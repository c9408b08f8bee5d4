#include <doctest/doctest.h>

#include "server/net/loop.h"

namespace magpie::net {
TEST_CASE("loop stops") {
  Loop loop;
  loop.stop();
  loop.run();
}
}  // namespace magpie::net
