// Bytes from outside are refused, or they are effects that are written and read again as the same, and that a keyspace
// which says so can do.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <variant>

#include "server/engine/effect_codec.h"
#include "server/engine/keyspace.h"

namespace {

using magpie::ByteView;
using magpie::Instant;
using magpie::engine::Effect;
using magpie::engine::EffectDecoder;
using magpie::engine::Keyspace;

constexpr std::uint32_t kDatabases = 4;
constexpr Instant kNow{1'700'000'000'000};

void require(bool condition) {
  if (!condition) std::abort();
}

std::string encoded(const Effect& effect) {
  std::string bytes(magpie::engine::encoded_bound(effect), '\0');
  const char* const end = magpie::engine::encode(effect, bytes.data());
  require(end <= bytes.data() + bytes.size());
  bytes.resize(static_cast<std::size_t>(end - bytes.data()));
  return bytes;
}

/// Gaps of gigabytes are valid, but there is no memory for them.
bool is_modest(const Effect& effect) {
  constexpr std::size_t kMost = std::size_t{1} << 20;
  const auto* const overwrite = std::get_if<magpie::engine::Overwrite>(&effect);
  return overwrite == nullptr || overwrite->offset <= kMost;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteView input(reinterpret_cast<const char*>(data), size);
  EffectDecoder decoder(kDatabases);
  EffectDecoder second(kDatabases);
  Keyspace keyspace({kDatabases, false});
  Keyspace twin({kDatabases, false});
  while (!input.empty()) {
    const auto effect = decoder.take(input);
    if (!effect) break;
    const std::string bytes = encoded(*effect);
    ByteView from = bytes;
    const auto again = second.take(from);
    require(again.has_value() && from.empty() && encoded(*again) == bytes);
    if (!is_modest(*effect) || !keyspace.can_replay(*effect)) continue;
    keyspace.replay(*effect, kNow);
    require(twin.can_replay(*again));
    twin.replay(*again, kNow);
  }
  require(keyspace.digest() == twin.digest());
  return 0;
}
