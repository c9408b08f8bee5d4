#pragma once

#include <cstdint>

namespace magpie::engine {

// The codes in encoded effects (effect_codec.h). Never given to anything else.

enum class EffectKind : std::uint8_t {
  Put = 1,
  Overwrite = 2,
  Erase = 3,
  SetExpiry = 4,
  ListPush = 5,
  ListSet = 6,
  ListInsert = 7,
  ListErase = 8,
  Flush = 9,
  SwapDb = 10
};

enum class ValueCode : std::uint8_t { Integer = 1, Plain = 2, Raw = 3, PackedList = 4, List = 5 };

}  // namespace magpie::engine
