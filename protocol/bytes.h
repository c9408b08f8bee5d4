#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "protocol/short_cuts.h"

namespace magpie {

/// A borrowed run of bytes, not necessarily text. Whoever hands one out says how long it stays valid.
using ByteView = std::string_view;

/// a == b, where both mostly have the size of a key and are mostly equal: without a call then.
inline bool same_bytes(ByteView a, ByteView b) {
  using Word = std::uint64_t;
  const auto differ = [&](std::size_t at) {
    Word left = 0;
    Word right = 0;
    std::memcpy(&left, a.data() + at, sizeof left);
    std::memcpy(&right, b.data() + at, sizeof right);
    return left ^ right;
  };
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  if (!kShortCuts || size < sizeof(Word) || size > 4 * sizeof(Word)) return a == b;
  Word different = differ(0) | differ(size - sizeof(Word));  // words may overlap
  if (size > 2 * sizeof(Word)) different |= differ(sizeof(Word)) | differ(size - 2 * sizeof(Word));
  return different == 0;
}

/// Copies `bytes` to `to`, where there is room for them, and returns where they end. For hot paths: std::ranges::copy
/// of bytes is a loop in GCC 12.
inline char* put_bytes(char* to, ByteView bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

}  // namespace magpie
