#include "cluster/arbiter/durable_store.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "cluster/arbiter/limits.h"
#include "tests/cluster/folder.h"

using namespace magpie::cluster;  // NOLINT(google-build-using-namespace): all of it is tested
using magpie::testing::file_content;
using magpie::testing::TemporaryFolder;
using magpie::testing::write_file;

namespace {

std::unique_ptr<DurableStore> open(const std::string& folder) {
  auto store = DurableStore::open(folder, "cluster");
  REQUIRE_MESSAGE(store.has_value(), store.error());
  return std::move(*store);
}

std::string refusal(const std::string& folder, const std::string& cluster = "cluster") {
  const auto store = DurableStore::open(folder, cluster);
  REQUIRE_FALSE(store.has_value());
  return store.error();
}

void put(DurableStore& store, const std::string& key, const std::string& value) {
  REQUIRE(store.transact({.compares = {}, .writes = {{key, value}}, .reads = {}}).has_value());
}

}  // namespace

TEST_CASE("durable store: what was flushed is there when it is opened again") {
  const TemporaryFolder folder;
  const std::string data = folder.file("data");
  Store::States states;
  {
    const auto store = open(data);
    CHECK(store->is_new());
    CHECK_FALSE(store->needs_flush());
    put(*store, "a", "1");
    CHECK(store->needs_flush());
    CHECK(store->flush() == false);
    CHECK_FALSE(store->needs_flush());
    put(*store, "b", "2");
    put(*store, "a", "3");
    CHECK(store->flush() == false);
    states = store->store().states();
    put(*store, "lost", "1");
  }
  for (int i = 0; i < 2; ++i) {
    const auto store = open(data);
    CHECK_FALSE(store->is_new());
    CHECK(store->torn() == 0);
    CHECK(store->store().states() == states);
    CHECK(store->store().revision() == Revision{3});
  }
}

TEST_CASE("durable store: nobody else may use its folder meanwhile") {
  const TemporaryFolder folder;
  auto store = open(folder.path());
  CHECK(refusal(folder.path()) == "another process has locked '" + folder.file("lock") + "'");
  store.reset();
  CHECK_FALSE(open(folder.path())->is_new());
}

TEST_CASE("durable store: a torn end is cut off, damage and other clusters' files are refused by name") {
  const TemporaryFolder folder;
  const std::string log = folder.file("arbiter.log");
  {
    const auto store = open(folder.path());
    put(*store, "a", "1");
    CHECK(store->flush().has_value());
  }
  const std::string good = file_content(log);
  write_file(log, good + std::string("\x10\0\0", 3));
  {
    const auto store = open(folder.path());
    CHECK(store->torn() == 3);
    CHECK(store->store().revision() == Revision{1});
  }
  CHECK(open(folder.path())->torn() == 0);
  CHECK(refusal(folder.path(), "other") == "'" + log + "' is of the cluster 'cluster', not of 'other'");
  std::string damaged = good;
  damaged[12] ^= 1;
  write_file(log, damaged);
  CHECK(refusal(folder.path()).starts_with("'" + log + "' is damaged at byte 0: "));
  CHECK(file_content(log) == damaged);
  write_file(log, "");
  CHECK(refusal(folder.path()).starts_with("'" + log + "' is damaged at byte 0: "));
}

TEST_CASE("durable store: a log that has grown gives way to a snapshot") {
  const TemporaryFolder folder;
  auto store = open(folder.path());
  const std::string value(kMostValueBytes - 10, 'v');
  std::size_t snapshots = 0;
  for (int i = 0; i < 50; ++i) {
    put(*store, "key", value + std::to_string(i));
    const auto flushed = store->flush();
    REQUIRE(flushed.has_value());
    snapshots += *flushed ? 1 : 0;
    CHECK(std::filesystem::file_size(folder.file("arbiter.log")) < 6'000'000);
  }
  CHECK(snapshots == 3);
  const Store::States states = store->store().states();
  store.reset();
  CHECK(open(folder.path())->store().states() == states);
  CHECK_FALSE(std::filesystem::exists(folder.file("arbiter.log.new")));
}

TEST_CASE("durable store: what a crash left of a snapshot is of no account") {
  const TemporaryFolder folder;
  {
    const auto store = open(folder.path());
    put(*store, "a", "1");
    CHECK(store->flush().has_value());
  }
  write_file(folder.file("arbiter.log.new"), "half a snapshot");
  CHECK(open(folder.path())->store().revision() == Revision{1});
}

TEST_CASE("durable store: folders that cannot be used are told by name") {
  const TemporaryFolder folder;
  CHECK(refusal(folder.file("a/b")) == "cannot create '" + folder.file("a/b") + "': No such file or directory");
  write_file(folder.file("file"), "");
  CHECK(refusal(folder.file("file")) == "cannot use '" + folder.file("file") + "': Not a directory");
}
