#pragma once

#include <string>
#include <vector>

#include "protocol/bytes.h"

namespace magpie::resp {

/// Splits an inline command, without its line end, into arguments as redis-cli and Redis do: separated by space, with
/// double quotes (and escapes) and single quotes. Those written with quotes go to `storage`, which must be empty; the
/// others borrow from the line. False if the quotes do not balance. A pure function of its arguments.
bool split_inline(ByteView line, std::vector<ByteView>& views, std::string& storage);

}  // namespace magpie::resp
