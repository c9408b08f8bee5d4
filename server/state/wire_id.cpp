#include "server/state/wire_id.h"

#include <cstdint>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace magpie::server {

std::string wire_id(ByteView cluster, ByteView node) {
  constexpr std::size_t kDigits = 40;
  std::string name(cluster);
  name += '\0';  // stands in neither
  name += node;
  std::string id;
  std::uint64_t word = 0;
  while (id.size() < kDigits) {
    word = XXH3_64bits_withSeed(name.data(), name.size(), word);
    for (int shift = 60; shift >= 0; shift -= 4) id += "0123456789abcdef"[word >> shift & 0xf];
  }
  id.resize(kDigits);
  return id;
}

}  // namespace magpie::server
