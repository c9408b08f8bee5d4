#include "server/commands/encoding.h"

#include <algorithm>

namespace magpie::commands {
namespace {

/// By list-max-listpack-size. Redis remembers that a list was larger until it is half as large; this goes by what is.
bool is_listpack(const engine::ListView& list, std::int64_t most) {
  constexpr std::int64_t kSizes = 5;
  constexpr std::size_t kSmallest = 4096;  // bytes, of -1; each further one is twice as large
  if (most >= 0) return list.size() <= static_cast<std::uint64_t>(std::max(most, std::int64_t{1}));
  return list.fits_bytes(kSmallest << (std::min(-most, kSizes) - 1));
}

}  // namespace

const char* encoding_name(const engine::Value& value, const config::Settings& settings) {
  if (value.type() == engine::ValueType::String) return engine::encoding_name(value.as_string());
  return is_listpack(value.as_list(), settings.list_max_listpack_size) ? "listpack" : "quicklist";
}

}  // namespace magpie::commands
