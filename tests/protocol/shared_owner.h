#pragma once

#include <string>

#include "protocol/shared_bytes.h"

namespace magpie::testing {

/// Somebody's bytes, and how many read them.
struct SharedOwner {
  std::string bytes;
  mutable int readers = 0;
  SharedBytes share() const {
    ++readers;
    return {bytes, this, [](const void* owner) { --static_cast<const SharedOwner*>(owner)->readers; }};
  }
};

}  // namespace magpie::testing
