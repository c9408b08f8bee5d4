#include "protocol/arg_reader.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace magpie::resp {
namespace {

using Views = std::vector<ByteView>;

ErrorCode code_of(const std::optional<CommandError>& error) {
  REQUIRE(error);
  return error->code();
}

}  // namespace

TEST_CASE("arguments: read from left to right") {
  const Views views = {"key", "-42", "0.25", "NX", "rest", "more"};
  ArgReader args(views);
  CHECK(args.remaining() == 6);
  CHECK(args.bytes() == "key");
  CHECK(args.integer() == -42);
  CHECK(args.long_real() == 0.25L);
  CHECK_FALSE(args.keyword("xx"));
  CHECK(args.keyword("nx"));
  CHECK(args.peek() == "rest");
  CHECK(args.rest().size() == 2);
  args.skip();
  args.skip(5);
  CHECK(args.done());
  CHECK(args.peek().empty());
  CHECK_FALSE(args.keyword(""));
  CHECK_FALSE(args.failed());
  CHECK_FALSE(args.finish());
}

TEST_CASE("arguments: the first error stays") {
  const Views views = {"x", "y", "7"};
  ArgReader args(views);
  CHECK(args.long_real() == 0);
  CHECK(args.integer() == 0);
  CHECK(args.integer() == 7);
  CHECK(args.failed());
  args.fail(ErrorCode::NoSuchKey);
  CHECK(code_of(args.finish()) == ErrorCode::NotFloat);
}

TEST_CASE("arguments: each kind has its error, or the caller's") {
  const Views views = {"x"};
  const auto error = [&](auto read) {
    ArgReader args(views);
    read(args);
    return code_of(args.check());
  };
  CHECK(error([](ArgReader& args) { args.integer(); }) == ErrorCode::NotInteger);
  CHECK(error([](ArgReader& args) { args.integer(ErrorCode::InvalidCursor); }) == ErrorCode::InvalidCursor);
  CHECK(error([](ArgReader& args) { args.long_real(); }) == ErrorCode::NotFloat);
  CHECK(error([](ArgReader& args) { args.integer_in(1, 2, ErrorCode::DbOutOfRange); }) == ErrorCode::NotInteger);
}

TEST_CASE("arguments: integers within bounds") {
  const Views views = {"1", "5", "0", "6"};
  ArgReader args(views);
  CHECK(args.integer_in(1, 5) == 1);
  CHECK(args.integer_in(1, 5) == 5);
  CHECK_FALSE(args.failed());
  CHECK(args.integer_in(1, 5, ErrorCode::DbOutOfRange) == 1);
  CHECK(code_of(args.check()) == ErrorCode::DbOutOfRange);
  ArgReader above(std::span<const ByteView>(views).subspan(3));
  CHECK(above.integer_in(1, 5) == 1);
  CHECK(code_of(above.check()) == ErrorCode::NotInteger);
}

TEST_CASE("arguments: too few and too many are syntax errors") {
  const Views none;
  CHECK_FALSE(ArgReader(none).finish());
  const auto missing = [&](auto read) {
    ArgReader args(none);
    read(args);
    return code_of(args.finish());
  };
  CHECK(missing([](ArgReader& args) { args.bytes(); }) == ErrorCode::Syntax);
  CHECK(missing([](ArgReader& args) { args.integer(ErrorCode::InvalidCursor); }) == ErrorCode::Syntax);
  CHECK(missing([](ArgReader& args) { args.integer_in(1, 2, ErrorCode::DbOutOfRange); }) == ErrorCode::Syntax);
  CHECK(missing([](ArgReader& args) { args.long_real(); }) == ErrorCode::Syntax);
  const Views one = {"left"};
  CHECK_FALSE(ArgReader(one).check());
  CHECK(code_of(ArgReader(one).finish()) == ErrorCode::Syntax);
}

TEST_CASE("command errors: every code has a text with its class in front") {
  for (int code = 0; code <= static_cast<int>(ErrorCode::NotPositive); ++code) {
    const ByteView text = text_of(static_cast<ErrorCode>(code));
    CAPTURE(code);
    CHECK((code == 0 || text.find(' ') != ByteView::npos));
    CHECK(text.substr(0, text.find(' ')).find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ByteView::npos);
  }
  CHECK(CommandError(ErrorCode::Syntax).text() == "ERR syntax error");
  const CommandError custom(std::string("ERR invalid expire time in 'set' command"));
  CHECK(custom.code() == ErrorCode::Custom);
  CHECK(custom.text() == "ERR invalid expire time in 'set' command");
}

}  // namespace magpie::resp
