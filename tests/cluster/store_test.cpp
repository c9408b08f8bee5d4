#include "cluster/arbiter/store.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "cluster/arbiter/limits.h"

using namespace magpie::cluster;  // NOLINT(google-build-using-namespace): all of it is tested

namespace {

Transaction put(const std::string& key, const std::string& value) {
  return {.compares = {}, .writes = {{key, value}}, .reads = {}};
}
Transaction erase(const std::string& key) { return {.compares = {}, .writes = {{key, std::nullopt}}, .reads = {}}; }

TransactionResult done(Store& store, const Transaction& transaction) {
  auto result = store.transact(transaction);
  REQUIRE_MESSAGE(result.has_value(), result.error().message);
  return result->result;
}

std::string refusal(Store& store, const Transaction& transaction) {
  const auto before = store.states();
  const auto result = store.transact(transaction);
  REQUIRE_FALSE(result.has_value());
  CHECK(store.states() == before);
  return result.error().message;
}

/// The changes as text: "a=1 b-", in order of keys.
std::string text(const std::vector<Transaction::Write>& writes) {
  std::string all;
  for (const auto& write : writes) {
    all += (all.empty() ? "" : " ") + write.key + (write.value ? "=" + *write.value : "-");
  }
  return all;
}

}  // namespace

TEST_CASE("store: a transaction changes all or nothing, and tells what it read in any case") {
  Store store;
  CHECK(done(store, put("a", "1")) == TransactionResult{true, {1}, {}});
  const Transaction both{
      .compares = {{"a", {1}}, {"b", {0}}}, .writes = {{"a", "2"}, {"b", "1"}}, .reads = {"b", "a", "none", "a"}};
  CHECK(done(store, both) == TransactionResult{true, {2}, {{"a", "2", {2}}, {"b", "1", {2}}}});
  CHECK(done(store, both) == TransactionResult{false, {2}, {{"a", "2", {2}}, {"b", "1", {2}}}});
  const Transaction half{.compares = {{"a", {2}}, {"b", {1}}}, .writes = {{"a", "3"}}, .reads = {"a"}};
  CHECK(done(store, half) == TransactionResult{false, {2}, {{"a", "2", {2}}}});
  CHECK(store.read({"none", "b", "a"}).value() == ReadResult{{2}, {{"a", "2", {2}}, {"b", "1", {2}}}});
}

TEST_CASE("store: a key that is gone compares as one that never was") {
  Store store;
  done(store, put("a", "1"));
  CHECK(done(store, erase("a")).revision == Revision{2});
  CHECK(store.read({"a"})->entries.empty());
  CHECK(done(store, {.compares = {{"a", {0}}}, .writes = {{"a", "2"}}, .reads = {}}).succeeded);
  CHECK(store.read({"a"})->entries == std::vector<ArbiterEntry>{{"a", "2", {3}}});
}

TEST_CASE("store: what changes nothing has no revision of its own") {
  Store store;
  CHECK(done(store, {}) == TransactionResult{true, {0}, {}});
  CHECK(done(store, erase("a")) == TransactionResult{true, {0}, {}});
  done(store, put("a", "1"));
  done(store, erase("a"));
  CHECK(done(store, erase("a")).revision == Revision{2});
  const auto result = store.transact({.compares = {}, .writes = {{"a", {}}, {"b", "1"}}, .reads = {}});
  CHECK(text(result->changes) == "b=1");
  CHECK(done(store, put("b", "1")).revision == Revision{4});  // the same value is a change
}

TEST_CASE("store: what changed under a prefix since a revision, each key once, gone ones included") {
  Store store;
  done(store, put("x/a", "1"));
  done(store, put("x/b", "1"));
  done(store, put("y", "1"));
  done(store, put("x/a", "2"));
  done(store, erase("x/b"));
  CHECK(text(store.changes("x/", {0}).writes) == "x/a=2 x/b-");
  CHECK(text(store.changes("x/", {3}).writes) == "x/a=2 x/b-");
  CHECK(text(store.changes("x/", {4}).writes) == "x/b-");
  CHECK(text(store.changes("", {2}).writes) == "x/a=2 x/b- y=1");
  CHECK(store.changes("x/", {5}).writes.empty());
  CHECK(store.changes("z", {0}).writes.empty());
  CHECK(store.changes("x/", {0}).revision == Revision{5});
  done(store, put("x/b", "3"));
  CHECK(text(store.changes("x/", {4}).writes) == "x/b=3");
}

TEST_CASE("store: only so many gone keys are remembered, and the latest of them") {
  Store store;
  done(store, put("stays", "1"));
  done(store, put("back", "1"));
  done(store, erase("back"));
  done(store, put("back", "2"));
  for (std::size_t i = 0; i <= kMostGoneKeys; ++i) {
    done(store, put(std::to_string(i), "1"));
    done(store, erase(std::to_string(i)));
  }
  CHECK(store.states().size() == 2 + kMostGoneKeys);
  CHECK_FALSE(store.states().contains("0"));
  CHECK(store.states().contains("1"));
  CHECK(store.read({"back", "stays"})->entries.size() == 2);
  const Store again(store.states(), store.revision());
  CHECK(again.changes("", {0}).writes == store.changes("", {0}).writes);
  CHECK(again.bytes() == store.bytes());
}

TEST_CASE("store: a restored store goes on as the first one would") {
  Store store;
  done(store, put("a", "1"));
  done(store, put("b", "22"));
  done(store, erase("a"));
  Store again(store.states(), store.revision());
  for (Store* const one : {&store, &again}) {
    CHECK(one->bytes() == 3);
    CHECK(done(*one, {.compares = {{"b", {2}}, {"a", {0}}}, .writes = {{"c", "3"}}, .reads = {}}).revision ==
          Revision{4});
  }
  CHECK(store.states() == again.states());
}

TEST_CASE("store: a replay repeats the changes of the next revision and of no other") {
  Store store;
  Store copy;
  const std::vector<Transaction> all{put("a", "1"), put("b", "1"), erase("a"), put("a", "2")};
  for (const Transaction& transaction : all) {
    const auto result = store.transact(transaction);
    CHECK_FALSE(copy.replay({result->result.revision.number + 1}, result->changes));
    CHECK(copy.replay(result->result.revision, result->changes));
    CHECK_FALSE(copy.replay(result->result.revision, result->changes));
  }
  CHECK(copy.states() == store.states());
  CHECK(copy.bytes() == store.bytes());
}

TEST_CASE("store: what is beyond a limit is refused with its name and changes nothing") {
  Store store;
  done(store, put("a", "1"));
  const std::string long_key(kMostKeyBytes + 1, 'k');
  CHECK(refusal(store, put(long_key, "1")) == "too many bytes of a key: 513, and there may be at most 512");
  CHECK(refusal(store, put("", "1")) == "a key without a name");
  CHECK(refusal(store, put("k", std::string(kMostValueBytes + 1, 'v'))) ==
        "too many bytes of a value: 262145, and there may be at most 262144");
  CHECK(refusal(store, {.compares = {}, .writes = {{"b", "1"}, {"c", "2"}, {"b", {}}}, .reads = {}}) ==
        "a transaction that writes the key 'b' twice");
  Transaction many;
  for (std::size_t i = 0; i < kMostOperations; ++i) many.writes.push_back({std::to_string(i), "1"});
  CHECK(store.transact(many).has_value());
  many.reads = {"a"};
  CHECK(refusal(store, many) == "too many writes and reads in a transaction: 129, and there may be at most 128");
  Transaction compares;
  compares.compares.resize(kMostOperations + 1, {"a", {1}});
  CHECK(refusal(store, compares) == "too many compares in a transaction: 129, and there may be at most 128");
  Transaction heavy;
  for (const char* key : {"a", "b", "c"}) heavy.writes.push_back({key, std::string(kMostValueBytes, 'v')});
  CHECK(refusal(store, heavy).starts_with("too many bytes of a transaction: 786435"));
  CHECK(store.read(std::vector<std::string>(kMostOperations + 1, "a")).error().message ==
        "too many keys in a read: 129, and there may be at most 128");
  CHECK_FALSE(store.read({long_key}).has_value());
}

TEST_CASE("store: a full one takes what makes it smaller, and nothing else") {
  Store store;
  const std::string value(kMostValueBytes, 'v');
  std::size_t keys = 0;
  while (store.transact(put("key" + std::to_string(keys), value)).has_value()) ++keys;
  CHECK(store.bytes() <= kMostStoreBytes);
  CHECK(store.bytes() + value.size() + 8 > kMostStoreBytes);
  CHECK(refusal(store, put("new", value)).starts_with("the arbiter has no room: "));
  CHECK(done(store, put("key0", value)).succeeded);
  CHECK(done(store, erase("key1")).succeeded);
  CHECK(done(store, put("new", "1")).succeeded);
}
