#include "cluster/arbiter/store_limits.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "cluster/arbiter/limits.h"

namespace magpie::cluster {
namespace {

std::unexpected<ArbiterError> refuse(const std::string& what, std::size_t is, std::size_t most) {
  return std::unexpected(
      ArbiterError{what + ": " + std::to_string(is) + ", and there may be at most " + std::to_string(most)});
}

/// Adds up the bytes of keys and values and finds the first that is too long.
class Sizes {
 public:
  void key(std::string_view key) {
    if (key.empty() && wrong_) wrong_ = std::unexpected(ArbiterError{"a key without a name"});
    add("too many bytes of a key", key.size(), kMostKeyBytes);
  }
  void value(std::string_view value) { add("too many bytes of a value", value.size(), kMostValueBytes); }
  std::expected<void, ArbiterError> result() const {
    if (!wrong_) return wrong_;
    if (bytes_ > kMostTransactionBytes) return refuse("too many bytes of a transaction", bytes_, kMostTransactionBytes);
    return {};
  }

 private:
  void add(const char* what, std::size_t size, std::size_t most) {
    bytes_ += size;
    if (size > most && wrong_) wrong_ = refuse(what, size, most);
  }

  std::expected<void, ArbiterError> wrong_;
  std::size_t bytes_ = 0;
};

std::expected<void, ArbiterError> each_key_once(const std::vector<Transaction::Write>& writes) {
  std::vector<std::string_view> keys;
  keys.reserve(writes.size());
  for (const Transaction::Write& write : writes) keys.push_back(write.key);
  std::ranges::sort(keys);
  const auto twice = std::ranges::adjacent_find(keys);
  if (twice == keys.end()) return {};
  return std::unexpected(ArbiterError{"a transaction that writes the key '" + std::string(*twice) + "' twice"});
}

}  // namespace

std::expected<void, ArbiterError> within_limits(const Transaction& transaction) {
  const std::size_t operations = transaction.writes.size() + transaction.reads.size();
  if (transaction.compares.size() > kMostOperations)
    return refuse("too many compares in a transaction", transaction.compares.size(), kMostOperations);
  if (operations > kMostOperations)
    return refuse("too many writes and reads in a transaction", operations, kMostOperations);
  Sizes sizes;
  for (const Transaction::Compare& compare : transaction.compares) sizes.key(compare.key);
  for (const Transaction::Write& write : transaction.writes) {
    sizes.key(write.key);
    if (write.value) sizes.value(*write.value);
  }
  for (const std::string& key : transaction.reads) sizes.key(key);
  if (auto wrong = sizes.result(); !wrong) return wrong;
  return each_key_once(transaction.writes);
}

std::expected<void, ArbiterError> within_limits(const std::vector<std::string>& keys) {
  if (keys.size() > kMostOperations) return refuse("too many keys in a read", keys.size(), kMostOperations);
  Sizes sizes;
  for (const std::string& key : keys) sizes.key(key);
  return sizes.result();
}

std::expected<void, ArbiterError> within_limits(const std::string& prefix) {
  if (prefix.size() > kMostKeyBytes) return refuse("too many bytes of a prefix", prefix.size(), kMostKeyBytes);
  return {};
}

}  // namespace magpie::cluster
