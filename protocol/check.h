#pragma once

#include <cstdio>
#include <cstdlib>

/// CHECK(condition): ends the process with file and line if one of our own assumptions is wrong; in every build. Never
/// for bad input. DCHECK(condition): the same in debug and sanitizer builds only, elsewhere compiled but not evaluated.
/// Include this from sources, not from headers that tests include: doctest has a macro CHECK too.

namespace magpie {
[[noreturn, gnu::cold, gnu::noinline]] inline void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: CHECK(%s) failed\n", file, line, condition);
  std::abort();
}
}  // namespace magpie

#define CHECK(condition) \
  (static_cast<bool>(condition) ? static_cast<void>(0) : ::magpie::check_failed(#condition, __FILE__, __LINE__))

#if !defined(NDEBUG) || defined(MAGPIE_SANITIZED)
#define DCHECK(condition) CHECK(condition)
#else
#define DCHECK(condition) (true ? static_cast<void>(0) : static_cast<void>(static_cast<bool>(condition)))
#endif
