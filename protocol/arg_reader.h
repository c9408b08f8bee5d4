#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "protocol/bytes.h"
#include "protocol/command_error.h"

namespace magpie::resp {

/// Reads a command's arguments from left to right, after its name. The first bad argument latches: later reads return
/// harmless values, and finish() reports it once. Borrows the arguments; valid as long as they are.
class ArgReader {
 public:
  explicit ArgReader(std::span<const ByteView> args) : args_(args) {}

  bool done() const { return position_ == args_.size(); }
  std::size_t remaining() const { return args_.size() - position_; }
  std::span<const ByteView> rest() const { return args_.subspan(position_); }
  ByteView peek() const { return done() ? ByteView{} : args_[position_]; }

  /// The next argument as it is; running out latches ErrorCode::Syntax.
  ByteView bytes() {
    if (!done()) [[likely]] {
      return args_[position_++];
    }
    fail(ErrorCode::Syntax);
    return {};
  }
  /// "value is not an integer or out of range", or `otherwise`.
  std::int64_t integer(ErrorCode otherwise = ErrorCode::NotInteger);
  /// Integer within [low, high]; a number outside latches `out_of_range`.
  std::int64_t integer_in(std::int64_t low, std::int64_t high, ErrorCode out_of_range = ErrorCode::NotInteger);
  long double long_real(ErrorCode otherwise = ErrorCode::NotFloat);
  /// Takes the next argument if it is this word (any case).
  bool keyword(ByteView word);
  void skip(std::size_t count = 1) { position_ += count < remaining() ? count : remaining(); }

  /// Latches an error found by the handler itself; the first one stays.
  void fail(CommandError error);
  bool failed() const { return error_.has_value(); }
  /// The latched error; or Syntax if arguments are left over; or nothing. Call it once.
  [[nodiscard]] std::optional<CommandError> finish();
  /// The latched error only, handed out once; arguments may be left over.
  [[nodiscard]] std::optional<CommandError> check() { return std::move(error_); }

 private:
  std::span<const ByteView> args_;
  std::size_t position_ = 0;
  std::optional<CommandError> error_;
};

}  // namespace magpie::resp
