#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "protocol/numbers.h"

namespace magpie {
namespace {

using std::string_literals::operator""s;

struct GlobCase {
  std::string pattern;
  std::string text;
  bool matches;
};

// Answers of redis-server 7.0 (KEYS, and COMMAND LIST FILTERBY PATTERN where case is ignored).
const std::vector<GlobCase> kCases = {
    {"", "", true},
    {"", "a", false},
    {"*", "a", true},
    {"**", "", false},
    {"?", "", false},
    {"a*", "a", true},
    {"a**", "a", true},
    {"*a*", "ba", true},
    {"*a", "aba", true},
    {"*ab", "aab", true},
    {"a?c", "abc", true},
    {"a?c", "ac", false},
    {"h?llo*w[o0]rld", "hello, w0rld", true},
    {"**a**b**", "xaxbx", true},
    {"*[a-c]?", "xxbz", true},
    {"[a-c]", "b", true},
    {"[c-a]", "b", true},
    {"[^a]", "b", true},
    {"[^a]", "a", false},
    {"[", "[", false},
    {"[^", "x", true},
    {"[a", "a", true},
    {"[a\\", "\\", true},
    {"[a-b", "b", true},
    {"[a-", "-", true},
    {"[\\", "\\", true},
    {"[\\]]", "]", true},
    {"[a-\\]]", "^", false},
    {"[]", "a", false},
    {"[]a]", "a", false},
    {"[]a]", "]a", false},
    {"[^]a]", "xa]", true},
    {"[a-]", "-", false},
    {"[-a]", "-", true},
    {"\\*", "*", true},
    {"\\*", "x", false},
    {"\\", "\\", true},
    {"*\\", "a\\", true},
    {"[\x80-\xff]", "\x90", true},
    {"[a-\xff]", "b", false},
    {"[\xff-a]", "b", false},
    {"[a-\xff]", "\0"s, true},
    {"a\0b*"s, "a\0bc"s, true},
    {"GET", "get", false},
};

const std::vector<GlobCase> kCaselessCases = {
    {"GE[T-T]", "get", true},  {"g[E]t", "get", true},   {"g\\Et", "get", true},
    {"g[\\E]t", "get", false}, {"[F-H]et", "get", true}, {"[H-f]et", "get", false},
    {"[^G]et", "get", false},  {"G?T", "get", true},     {"*E*", "get", true},
};

std::string repeated(const std::string& part, int count) {
  std::string text;
  for (int index = 0; index < count; ++index) text += part;
  return text;
}

}  // namespace

TEST_CASE("glob: matches what redis-server matches") {
  for (const auto& [pattern, text, matches] : kCases) {
    CAPTURE(pattern);
    CAPTURE(text);
    CHECK(glob_match(pattern, text) == matches);
  }
}

TEST_CASE("glob: ignoring case") {
  for (const auto& [pattern, text, matches] : kCaselessCases) {
    CAPTURE(pattern);
    CHECK(glob_match(pattern, text, true) == matches);
  }
}

TEST_CASE("glob: as many stars as redis-server takes") {
  CHECK(glob_match(repeated("*a", 1000), repeated("a", 1000)));
  CHECK(glob_match(repeated("*a", 1000) + "*", repeated("a", 1000) + "b"));
  CHECK_FALSE(glob_match(repeated("*a", 1001), repeated("a", 1001)));
}

TEST_CASE("glob: hostile patterns end") {
  // Trying every way to share the text among the stars would take longer than the universe has.
  CHECK_FALSE(glob_match(repeated("a*", 500) + "b", repeated("a", 5000)));
  CHECK_FALSE(glob_match(repeated("*[a-z]?", 300) + "!", repeated("ab", 2500)));
}

}  // namespace magpie
