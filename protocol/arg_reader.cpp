#include "protocol/arg_reader.h"

#include <utility>

#include "protocol/numbers.h"

namespace magpie::resp {

std::int64_t ArgReader::integer(ErrorCode otherwise) {
  if (done()) {
    fail(ErrorCode::Syntax);
    return 0;
  }
  const auto value = parse_integer(args_[position_++]);
  if (!value) fail(otherwise);
  return value.value_or(0);
}

std::int64_t ArgReader::integer_in(std::int64_t low, std::int64_t high, ErrorCode out_of_range) {
  const std::int64_t value = integer();
  if (value >= low && value <= high) return value;
  fail(out_of_range);  // where there was no number at all, that error is latched already
  return low;
}

long double ArgReader::long_real(ErrorCode otherwise) {
  if (done()) {
    fail(ErrorCode::Syntax);
    return 0;
  }
  const auto value = parse_long_double(args_[position_++]);
  if (!value) fail(otherwise);
  return value.value_or(0);
}

bool ArgReader::keyword(ByteView word) {
  if (done() || !equals_ignore_case(args_[position_], word)) return false;
  ++position_;
  return true;
}

void ArgReader::fail(CommandError error) {
  if (!error_) error_.emplace(std::move(error));
}

std::optional<CommandError> ArgReader::finish() {
  if (!done()) fail(ErrorCode::Syntax);
  return check();
}

}  // namespace magpie::resp
