#include "protocol/printable.h"

#include <doctest/doctest.h>

#include <string>

using magpie::ByteView;
using magpie::printable;

TEST_CASE("what somebody else tells is one line, and a short one") {
  CHECK(printable("10.0.0.1, a-host.example") == "10.0.0.1, a-host.example");
  CHECK(printable("line\r\nrole:master") == "line\\x0d\\x0arole:master");
  CHECK(printable(ByteView("\0\x1b[31m\xff", 7)) == "\\x00\\x1b[31m\\xff");
  CHECK(printable(std::string(256, 'x')) == std::string(256, 'x'));
  CHECK(printable(std::string(257, 'x')) == std::string(256, 'x') + "...");
}
