#include "server/engine/arena.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "protocol/check.h"

namespace magpie::engine {
namespace {

constexpr std::size_t kPageHeader = 16;
constexpr std::size_t kRoom = PagePool::kPage - kPageHeader;  // for cells, in a page
constexpr std::size_t kStep = 2;
constexpr std::size_t kSmallest = 4;
constexpr std::size_t kSmallSizes = 47;  // 4, 6 ... 96
constexpr std::size_t kMostPages = (std::size_t{1} << 31) / (PagePool::kPage / kStep);  // handles have 31 bits
constexpr std::size_t kNextAt = 2;  // where a free cell names the next

/// Above the small ones: sizes that fill a page well.
constexpr std::array<std::uint16_t, 24> kLargeSizes = {102, 110, 118, 126, 134, 146, 154, 160, 170, 180, 190, 204,
                                                       214, 226, 240, 254, 272, 292, 314, 340, 370, 408, 454, 508};

constexpr std::size_t size_of_kind(std::size_t kind) {
  return kind < kSmallSizes ? kSmallest + kind * kStep : kLargeSizes[kind - kSmallSizes];
}

/// The kind of a size, by its number of units.
constexpr auto kKindOfUnits = [] {
  std::array<std::uint8_t, Arena::kLargest / kStep + 1> kinds{};
  for (std::size_t units = 0; units < kinds.size(); ++units) {
    std::size_t kind = 0;
    while (size_of_kind(kind) < units * kStep) ++kind;
    kinds[units] = static_cast<std::uint8_t>(kind);
  }
  return kinds;
}();

constexpr std::size_t kind_of(std::size_t bytes) { return kKindOfUnits[(bytes + kStep - 1) / kStep]; }
constexpr std::size_t cells_of(std::size_t kind) { return kRoom / size_of_kind(kind); }

static_assert(cells_of(0) < UINT16_MAX);
static_assert(size_of_kind(kSmallSizes + kLargeSizes.size() - 1) == Arena::kLargest);

}  // namespace

Arena::~Arena() {
  for (std::size_t number = 0; number < pages_.size(); ++number) {
    if (pages_[number] != nullptr) PagePool::instance().give(pages_[number]);
  }
  account(-static_cast<std::int64_t>(used_));
}

std::size_t Arena::rounded(std::size_t bytes) { return size_of_kind(kind_of(bytes)); }

void Arena::link(std::uint32_t number) {
  Page& at = page(number);
  std::uint32_t& head = kinds_[at.kind].with_room;
  at.previous = kNone;
  at.next = head;
  if (head != kNone) page(head).previous = number;
  head = number;
}

void Arena::unlink(std::uint32_t number) {
  const Page& at = page(number);
  (at.previous == kNone ? kinds_[at.kind].with_room : page(at.previous).next) = at.next;
  if (at.next != kNone) page(at.next).previous = at.previous;
}

std::uint32_t Arena::add_page(std::size_t kind) {
  std::uint32_t number = 0;
  if (free_numbers_.empty()) {
    number = static_cast<std::uint32_t>(pages_.size());
    CHECK(number < kMostPages);
    pages_.push_back(nullptr);
  } else {
    number = free_numbers_.back();
    free_numbers_.pop_back();
  }
  pages_.set(number, static_cast<char*>(PagePool::instance().take()));
  page(number) = {static_cast<std::uint16_t>(kind), 0, 0, 0, kNone, kNone};
  ++page_count_;
  ++kinds_[kind].pages;
  link(number);
  return number;
}

void Arena::drop_page(std::uint32_t number) {
  --kinds_[page(number).kind].pages;
  --page_count_;
  PagePool::instance().give(pages_[number]);
  pages_.set(number, nullptr);
  free_numbers_.push_back(number);
}

void Arena::count(std::size_t kind, std::int64_t cells) {
  const std::int64_t bytes = cells * static_cast<std::int64_t>(size_of_kind(kind));
  kinds_[kind].used += static_cast<std::uint32_t>(cells);
  if (cells < 0) dense_ = false;
  used_ += static_cast<std::size_t>(bytes);
  account(bytes);
}

/// For a size that has no cell left: itself, but while it has few pages one of the next larger ones, if that has. So
/// where entries are few and of many sizes, not every size has a page that is mostly empty.
std::size_t Arena::near_kind_with_room(std::size_t kind) const {
  constexpr std::size_t kFewPages = 4;
  constexpr std::size_t kNear = 8;  // an eighth larger at most
  if (kinds_[kind].pages >= kFewPages) return kind;
  const std::size_t most = size_of_kind(kind) + size_of_kind(kind) / kNear;
  for (std::size_t near = kind + 1; near < kKinds && size_of_kind(near) <= most; ++near) {
    if (kinds_[near].with_room != kNone) return near;
  }
  return kind;
}

Handle Arena::take(std::size_t bytes) {
  std::size_t kind = kind_of(bytes);
  if (kinds_[kind].with_room == kNone) [[unlikely]] {
    kind = near_kind_with_room(kind);
  }
  const std::uint32_t head = kinds_[kind].with_room;
  const std::uint32_t number = head != kNone ? head : add_page(kind);
  Page& from = page(number);
  std::uint32_t unit = from.free_cell;
  if (unit != 0) {
    std::memcpy(&from.free_cell, pages_[number] + std::size_t{unit} * kUnit + kNextAt, sizeof from.free_cell);
  } else {
    unit = static_cast<std::uint32_t>((sizeof(Page) + from.carved * size_of_kind(kind)) / kUnit);
    ++from.carved;
  }
  if (++from.used == cells_of(kind)) unlink(number);
  count(kind, 1);
  return Handle{number * kUnits + unit};
}

void Arena::give(Handle cell) {
  const std::uint32_t number = page_of(cell);
  Page& to = page(number);
  count(to.kind, -1);
  const bool was_full = to.used == cells_of(to.kind);
  const bool linked = !was_full && to.previous != kAside;
  if (--to.used == 0) {
    if (linked) unlink(number);
    drop_page(number);
    return;
  }
  char* const memory = at(cell);
  *reinterpret_cast<unsigned char*>(memory) = kFreeCell;
  std::memcpy(memory + kNextAt, &to.free_cell, sizeof to.free_cell);
  to.free_cell = static_cast<std::uint16_t>(static_cast<std::uint32_t>(cell) % kUnits);
  if (was_full) link(number);
}

void Arena::reset() {
  CHECK(page_count_ == 0);
  while (!pages_.empty()) pages_.pop_back();
  free_numbers_.clear();
  kinds_ = {};
  looked_at_ = 0;
}

std::size_t Arena::size_of(Handle cell) const { return size_of_cell(page(page_of(cell))); }
std::size_t Arena::size_of_cell(const Page& at) const { return size_of_kind(at.kind); }

std::size_t Arena::drop_used_page(std::uint32_t number) {
  const Page& at = page(number);
  const std::size_t used = at.used;
  if (used < cells_of(at.kind) && at.previous != kAside) unlink(number);
  count(at.kind, -static_cast<std::int64_t>(used));
  drop_page(number);
  return used;
}

/// More than one page could go, and more than one in 64: where keys come and go, cells should not move all the
/// time.
bool Arena::Kind::sparse(std::size_t cells_of_page) const {
  constexpr std::size_t kSpare = 1;
  constexpr std::size_t kSpareShare = 64;
  return std::size_t{pages} * cells_of_page >= used + (kSpare + pages / kSpareShare) * cells_of_page;
}

bool Arena::sparse() {
  for (std::size_t kind = 0; kind < kKinds && !dense_; ++kind) {
    if (kinds_[kind].sparse(cells_of(kind))) return true;
  }
  dense_ = true;
  return false;
}

std::optional<std::uint32_t> Arena::set_aside(std::size_t most) {
  if (!sparse()) return std::nullopt;
  for (most = std::min(most, pages_.size()); most > 0; --most) {
    const std::uint32_t number = looked_at_ = (looked_at_ + 1) % static_cast<std::uint32_t>(pages_.size());
    if (pages_[number] == nullptr) continue;
    Page& at = page(number);
    const Kind& kind = kinds_[at.kind];
    if (at.previous == kAside || at.used == cells_of(at.kind) || !kind.sparse(cells_of(at.kind))) continue;
    if (at.used * kind.pages > kind.used) continue;  // more than the average page has
    unlink(number);
    at.previous = kAside;
    at.next = 0;
    return number;
  }
  return std::nullopt;
}

std::optional<Handle> Arena::first_used(std::uint32_t number) {
  // Once the last cell has left, the number may stand for a new page.
  if (pages_[number] == nullptr || page(number).previous != kAside) return std::nullopt;
  Page& at = page(number);
  const std::size_t size = size_of_cell(at);
  for (;; ++at.next) {  // there is one: the page goes with its last
    const std::size_t offset = sizeof(Page) + at.next * size;
    if (static_cast<unsigned char>(pages_[number][offset]) == kFreeCell) continue;
    return Handle{number * kUnits + static_cast<std::uint32_t>(offset / kUnit)};
  }
}

}  // namespace magpie::engine
