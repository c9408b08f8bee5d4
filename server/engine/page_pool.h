#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace magpie::engine {

/// Memory for small things, in pages of 8 KB cut from extents of 2 MB. An extent asks for a huge page: data that is
/// reached at random then misses the TLB far less often, and nothing forks here, so huge pages are never copied. One
/// pool for the process; any thread. Addresses stay readable for good: what is handed back reads as zeros.
class PagePool {
 public:
  static constexpr std::size_t kPage = std::size_t{8} << 10;
  static constexpr std::size_t kSystemPage = std::size_t{4} << 10;  // what the kernel deals in, at least
  static constexpr std::size_t kExtent = std::size_t{2} << 20;

  static PagePool& instance();

  PagePool() = default;
  ~PagePool();  // unmaps everything: no page may be in use
  PagePool(const PagePool&) = delete;
  PagePool& operator=(const PagePool&) = delete;

  /// A page, at a multiple of its size; content undefined. The end of memory ends the process.
  void* take();
  void give(void* page);

  /// Background work. Sees to it that at least `pages` free pages have been touched, so that take() waits for no page
  /// fault; at most one extent per call. False if there were enough.
  bool touch_ahead(std::size_t pages);
  /// What to call when fewer free pages than this are left: by whoever takes a page, with the pool's lock held, once
  /// until the next touch_ahead(). Nothing is called any more once this has returned from a call with an empty `call`.
  void call_when_low(std::size_t pages, std::function<void()> call);
  /// Background work. Hands free pages back to the system until at most `keep` of them stay, `most` per call; returns
  /// how many it handed back.
  std::size_t trim(std::size_t keep, std::size_t most);

  struct Usage {
    std::size_t taken = 0;  // pages in use
    std::size_t resident = 0;  // free pages that take memory all the same
    std::size_t extents = 0;
  };
  Usage usage() const;

 private:
  static constexpr std::size_t kPages = kExtent / kPage;
  static constexpr std::size_t kWords = (kPages + 63) / 64;
  using Bits = std::array<std::uint64_t, kWords>;

  struct Extent {
    Bits free{};  // pages nobody has
    Bits resident{};  // pages that take memory: not handed back
    std::size_t free_count = 0;
    std::size_t handed_back = 0;  // pages that are not resident
    std::size_t index = 0;  // in extents_
    char* memory = nullptr;
    char* page(std::size_t number) const { return memory + number * kPage; }
  };

  static std::unique_ptr<Extent> make_extent(void* spare);
  void* pop_spare();
  Extent& with_free_page();
  Extent& add(std::unique_ptr<Extent> extent);
  void empty_extent(const Extent& extent);
  std::size_t hand_back(Extent& extent, std::size_t most);
  static void make_resident(Extent& extent, std::size_t number);

  mutable std::mutex lock_;
  std::vector<void*> spare_extents_;  // handed back as a whole
  std::unordered_map<char*, std::unique_ptr<Extent>> extent_at_;  // by address
  std::vector<Extent*> extents_;  // oldest first; pages are taken from the oldest that has one, so young ones drain
  std::size_t first_with_free_ = 0;  // no extent before it has a free page
  std::size_t taken_ = 0;
  std::size_t resident_ = 0;
  std::size_t low_ = 0;
  bool low_was_told_ = false;
  std::function<void()> call_when_low_;
};

}  // namespace magpie::engine
