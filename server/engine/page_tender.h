#pragma once

#include <cstddef>

#include "server/engine/page_pool.h"

namespace magpie::engine {

/// Background work of one thread, ten times a second and when few are left, on the pages that nobody uses: touches some
/// that will be needed soon, so that no command waits for a page fault, and hands back what is too much. In pieces, of
/// which a touch of a whole extent, which the kernel clears, is the longest.
class PageTender {
 public:
  static constexpr std::size_t kLow = 64;  // free pages, below which it should not wait for its time

  explicit PageTender(PagePool& pool) : pool_(pool) {}

  /// Looks at what was taken since the last time, and so what there is to do.
  void begin();
  /// One piece of it; false if all is done, or enough for this time.
  bool step();

 private:
  PagePool& pool_;
  std::size_t taken_before_ = 0;
  std::size_t peak_ = 0;  // pages in use at most, lately
  std::size_t wanted_ = 0;  // free pages: at least
  std::size_t keep_ = 0;  // and at most
  unsigned touches_ = 0;  // pieces that may still follow
  unsigned trims_ = 0;
};

}  // namespace magpie::engine
