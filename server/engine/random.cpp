#include "server/engine/random.h"

namespace magpie::engine {

std::uint64_t random() {
  // splitmix64 (Steele, Lea, Flood, OOPSLA 2014); which thread gets which number does not matter.
  thread_local std::uint64_t state = reinterpret_cast<std::uintptr_t>(&state);
  std::uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace magpie::engine
