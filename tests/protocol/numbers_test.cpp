#include "protocol/numbers.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace magpie {
namespace {

using std::string_literals::operator""s;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

struct RealCase {
  std::string text;
  std::optional<std::string> as_double;       // what ZADD and ZSCORE make of it; nothing: "not a valid float"
  std::optional<std::string> as_long_double;  // what INCRBYFLOAT on a missing key makes of it
};

// Answers of redis-server 7.0.
const std::vector<RealCase> kReals = {
    {"nan", {}, {}},
    {"NaN", {}, {}},
    {"nan(1)", {}, {}},
    {"inf", "inf", "inf"},
    {"-inf", "-inf", "-inf"},
    {"+inf", "inf", "inf"},
    {"infinity", "inf", "inf"},
    {"INF", "inf", "inf"},
    {"1e-400", {}, "0"},
    {"1e-320", "9.9998886718268301e-321", "0"},
    {"0x10", "16", "16"},
    {"0x1p3", "8", "8"},
    {" 1", {}, {}},
    {"1 ", {}, {}},
    {"\v1", {}, {}},
    {"", {}, {}},
    {"+1", "1", "1"},
    {"1.", "1", "1"},
    {".5", "0.5", "0.5"},
    {"1e", {}, {}},
    {"1e5", "100000", "100000"},
    {"--1", {}, {}},
    {"-", {}, {}},
    {".", {}, {}},
    {"0x", {}, {}},
    {"1_0", {}, {}},
    {"1,5", {}, {}},
    {"1\0"s, {}, {}},
    {"0", "0", "0"},
    {"0.0", "0", "0"},
    {"5e-324", "4.9406564584124654e-324", "0"},
    {"3e-324", "4.9406564584124654e-324", "0"},
    {"2e-324", {}, "0"},
    {"0.1", "0.10000000000000001", "0.1"},
    {"3.141", "3.141", "3.141"},
    {"1e16", "10000000000000000", "10000000000000000"},
    {"1e17", "1e+17", "100000000000000000"},
    {"123456789012345678", "1.2345678901234568e+17", "123456789012345678"},
    {"12345678901234567", "12345678901234568", "12345678901234567"},
    {"1e-17", "1.0000000000000001e-17", "0.00000000000000001"},
    {"4e-18", "4.0000000000000003e-18", "0"},
    {"-1e-18", "-1.0000000000000001e-18", "0"},
    {std::string(300, '1'), "1.1111111111111112e+299", {std::string()}},  // too long to spell out
    {"0." + std::string(400, '0') + "1", {}, "0"},
};

}  // namespace

TEST_CASE("numbers: integers in Redis's form only") {
  const std::vector<std::pair<std::string, std::optional<std::int64_t>>> cases = {
      {"0", 0},
      {"7", 7},
      {"-1", -1},
      {"1000000000000000000", 1'000'000'000'000'000'000},
      {"9223372036854775807", kMost},
      {"-9223372036854775808", kLeast},
      {"9223372036854775808", {}},
      {"-9223372036854775809", {}},
      {"9999999999999999999", {}},
      {"18446744073709551616", {}},
      {"18446744073709551617", {}},
      {"", {}},
      {"-", {}},
      {"--1", {}},
      {"+1", {}},
      {"-0", {}},
      {"00", {}},
      {"01", {}},
      {"-01", {}},
      {" 1", {}},
      {"1 ", {}},
      {"1a", {}},
      {"0x1", {}},
      {"1\0"s, {}},
      {std::string(22, '1'), {}},
  };
  for (const auto& [text, value] : cases) {
    CAPTURE(text);
    CHECK(parse_integer(text) == value);
  }
}

TEST_CASE("numbers: integers are written as they are read") {
  std::vector<std::int64_t> values = {0, kMost, kLeast, kLeast + 1};
  for (std::int64_t power = 1; power <= kMost / 10; power *= 10) {
    for (const std::int64_t value : {power - 1, power, power + 1, 7 * power}) {
      values.push_back(value);
      values.push_back(-value);
    }
  }
  for (const std::int64_t value : values) {
    std::array<char, kIntegerDigits> out;
    const ByteView written(out.data(), format_integer(value, out.data()));
    CHECK(written == std::to_string(value));
    CHECK(to_decimal(value) == written);
    CHECK(parse_integer(written) == value);
  }
}

TEST_CASE("numbers: floats as ZADD and INCRBYFLOAT read and write them") {
  for (const auto& [text, as_double, as_long_double] : kReals) {
    CAPTURE(text);
    const auto value = parse_double(text);
    CHECK(value.has_value() == as_double.has_value());
    if (value && as_double) CHECK(format_double(*value) == *as_double);
    const auto long_value = parse_long_double(text);
    CHECK(long_value.has_value() == as_long_double.has_value());
    if (long_value && as_long_double && !as_long_double->empty()) {
      CHECK(format_human_long_double(*long_value) == *as_long_double);
    }
  }
}

TEST_CASE("numbers: the ends of the range") {
  CHECK(parse_double("1.7976931348623158e308") == std::numeric_limits<double>::max());
  CHECK_FALSE(parse_double("1.7976931348623159e308"));
  CHECK_FALSE(parse_double("1e400"));
  CHECK_FALSE(parse_double("-1e400"));
  CHECK(parse_double("0." + std::string(100'000, '1')) == 0.1111111111111111);
  CHECK(parse_double("0x" + std::string(300, '0') + "10") == 16);

  REQUIRE(parse_long_double("1e4932"));
  CHECK(format_human_long_double(*parse_long_double("1e4932")).size() == 4933);
  CHECK_FALSE(parse_long_double("1e4933"));
  CHECK(parse_long_double("1e-4950"));
  CHECK_FALSE(parse_long_double("1e-5000"));
  CHECK(parse_long_double("0." + std::string(5117, '1')));
  CHECK_FALSE(parse_long_double("0." + std::string(5118, '1')));
}

TEST_CASE("numbers: long doubles lose trailing zeros and the sign of nothing") {
  CHECK(format_human_long_double(0) == "0");
  CHECK(format_human_long_double(-0.0L) == "0");
  CHECK(format_human_long_double(100) == "100");
  CHECK(format_human_long_double(-1.5L) == "-1.5");
  CHECK(format_human_long_double(10.5L + *parse_long_double("0.1")) == "10.6");
  CHECK(format_human_long_double(*parse_long_double("123456789012345678901234567890")) ==
        "123456789012345678899921813504");
  CHECK(format_human_long_double(std::numeric_limits<long double>::max()).size() == 4933);
  CHECK(format_human_long_double(-std::numeric_limits<long double>::infinity()) == "-inf");
}

TEST_CASE("numbers: doubles are written as printf's %.17g writes them") {
  CHECK(format_double(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(format_double(-std::numeric_limits<double>::infinity()) == "-inf");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(format_double(std::copysign(nan, 1.0)) == "nan");
  CHECK(format_double(std::copysign(nan, -1.0)) == "-nan");

  std::vector<double> values = {0.0,
                                -0.0,
                                0.5,
                                -17,
                                9007199254740991.0,
                                9007199254740992.0,
                                9007199254740994.0,
                                1e15,
                                1e16,
                                1e17,
                                1e21,
                                1e22,
                                1e-4,
                                1e-5,
                                1.0 / 3,
                                -1e17,
                                -99999999999999984.0,
                                std::numeric_limits<double>::max(),
                                -std::numeric_limits<double>::denorm_min(),
                                std::numeric_limits<double>::lowest(),
                                -std::numeric_limits<double>::min()};
  std::uint64_t state = 88172645463325252U;  // xorshift: any bits are a double
  for (int count = 0; count < 20'000; ++count) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    double value = 0;
    static_assert(sizeof value == sizeof state);
    std::memcpy(&value, &state, sizeof value);
    if (std::isfinite(value)) values.push_back(value);
    values.push_back(std::ldexp(static_cast<double>(state >> 11U), -static_cast<int>(state % 64U)));
  }
  for (const double value : values) {
    std::array<char, 64> expected;
    std::snprintf(expected.data(), expected.size(), "%.17g", value);
    const std::string written = format_double(value);
    REQUIRE(written == expected.data());
    REQUIRE(written.size() <= kDoubleChars);
  }
}

TEST_CASE("numbers: case is ignored for ASCII letters only") {
  CHECK(equals_ignore_case("", ""));
  CHECK(equals_ignore_case("GeT", "gEt"));
  CHECK_FALSE(equals_ignore_case("get", "gets"));
  CHECK_FALSE(equals_ignore_case("[", "{"));
  CHECK_FALSE(equals_ignore_case("@", "`"));
  CHECK_FALSE(equals_ignore_case("\xc4", "\xe4"));
  CHECK_FALSE(equals_ignore_case("a\0b"s, "a\0c"s));
}

TEST_CASE("numbers: memory sizes as redis.conf takes them") {
  const std::vector<std::pair<std::string, std::optional<std::uint64_t>>> cases = {
      {"0", 0},
      {"100", 100},
      {"100b", 100},
      {"1B", 1},
      {"1k", 1000},
      {"1K", 1000},
      {"1kb", 1024},
      {"1Kb", 1024},
      {"1m", 1'000'000},
      {"1mb", 1U << 20U},
      {"1g", 1'000'000'000},
      {"1GB", 1U << 30U},
      {"01", 1},
      {"", 0},
      {"kb", 0},
      {"18446744073709551615", std::numeric_limits<std::uint64_t>::max()},
      {"17179869183gb", std::uint64_t{17179869183} << 30U},
      {"17179869184gb", {}},  // these two wrap around in Redis
      {"18446744073709551615k", {}},
      {"18446744073709551616", {}},  // Redis takes the largest
      {"-1", {}},
      {"+1", {}},
      {" 1", {}},
      {"1 ", {}},
      {"1 kb", {}},
      {"1t", {}},
      {"1.5gb", {}},
      {"0x10", {}},
      {"1kbb", {}},
      {"1bk", {}},
  };
  for (const auto& [text, bytes] : cases) {
    CAPTURE(text);
    CHECK(parse_memory_size(text) == bytes);
  }
}

}  // namespace magpie
