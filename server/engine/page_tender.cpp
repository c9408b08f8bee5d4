#include "server/engine/page_tender.h"

#include <algorithm>

namespace magpie::engine {

void PageTender::begin() {
  constexpr std::size_t kReserve = 2 * kLow;  // pages that are free at least
  constexpr std::size_t kPeakFades = 8;  // in about so many times, what was given back is taken for not needed again
  constexpr std::size_t kKeptShare = 32;  // of what is in use that is kept at most for coming again
  constexpr unsigned kMostTouches = 8;
  constexpr unsigned kMostTrims = 32;
  const PagePool::Usage usage = pool_.usage();
  // As many as were taken since the last time, and half as many more.
  const std::size_t fresh = usage.taken > taken_before_ ? usage.taken - taken_before_ : 0;
  taken_before_ = usage.taken;
  wanted_ = kReserve + fresh + fresh / 2;
  peak_ = usage.taken + (peak_ > usage.taken ? (peak_ - usage.taken) * (kPeakFades - 1) / kPeakFades : 0);
  // An extent more than is wanted, for that is what is touched at once.
  constexpr std::size_t kExtentPages = PagePool::kExtent / PagePool::kPage;
  keep_ = wanted_ + kExtentPages + std::min(peak_ - usage.taken, usage.taken / kKeptShare);
  touches_ = kMostTouches;
  trims_ = kMostTrims;
}

bool PageTender::step() {
  constexpr std::size_t kHandedBack = 16;  // pages under one hold of the pool's lock, for which commands may wait
  if (touches_ > 0) {
    --touches_;
    if (pool_.touch_ahead(wanted_)) return true;
    touches_ = 0;
  }
  if (trims_ == 0) return false;
  --trims_;
  return pool_.trim(keep_, kHandedBack) > 0;
}

}  // namespace magpie::engine
