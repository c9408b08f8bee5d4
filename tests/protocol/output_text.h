#pragma once

#include <string>
#include <vector>

#include "protocol/output_buffer.h"

namespace magpie::testing {

/// All that is in it, shared bytes too.
inline std::string text_of(const OutputBuffer& buffer) {
  std::vector<ByteView> pieces(1);
  while (buffer.pieces(pieces) == pieces.size()) pieces.resize(pieces.size() * 2);
  std::string text;
  for (const ByteView piece : pieces) text += piece;
  return text;
}

}  // namespace magpie::testing
