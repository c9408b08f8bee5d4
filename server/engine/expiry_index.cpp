#include "server/engine/expiry_index.h"

#include <algorithm>
#include <utility>

namespace magpie::engine {
namespace {
bool later(const ExpiryIndex::Item& a, const ExpiryIndex::Item& b) { return a.due > b.due; }
}  // namespace

void ExpiryIndex::add(Instant due, std::uint64_t hash) {
  items_.push_back({due.ms, hash});
  std::push_heap(items_.begin(), items_.end(), later);
}

void ExpiryIndex::count(Instant due, int change) {
  volatile_keys_ = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(volatile_keys_) + change);
  due_sum_ += static_cast<WideSum>(due.ms) * change;
}

std::optional<ExpiryIndex::Item> ExpiryIndex::earliest() const {
  if (items_.empty()) return std::nullopt;
  return items_.front();
}

void ExpiryIndex::pop() {
  std::pop_heap(items_.begin(), items_.end(), later);
  items_.pop_back();
  if (items_.empty() || (items_.size() * 4 < items_.capacity() && items_.capacity() > kSlack)) items_.shrink_to_fit();
}

std::int64_t ExpiryIndex::mean_ttl(Instant now) const {
  if (volatile_keys_ == 0) return 0;
  const auto mean = static_cast<std::int64_t>(due_sum_ / static_cast<WideSum>(volatile_keys_));
  return std::max<std::int64_t>(mean - now.ms, 0);
}

void ExpiryIndex::rebuild(const std::function<bool(const Item&)>& live) {
  std::erase_if(items_, [&](const Item& item) { return !live(item); });
  // One item a key: a time that was set again and again has left copies. Ascending order is a heap.
  const auto rank = [](const Item& item) { return std::pair(item.due, item.hash); };
  std::ranges::sort(items_, {}, rank);
  const auto copies = std::ranges::unique(items_, {}, rank);
  items_.erase(copies.begin(), copies.end());
  items_.shrink_to_fit();
}

void ExpiryIndex::clear() {
  items_.clear();
  items_.shrink_to_fit();
  volatile_keys_ = 0;
  due_sum_ = 0;
}

}  // namespace magpie::engine
