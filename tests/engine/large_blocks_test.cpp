#include "server/engine/large_blocks.h"

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <cstring>
#include <string>
#include <vector>

#include "server/engine/keyspace.h"
#include "server/engine/memory.h"
#include "tests/engine/keyspace_fixture.h"

using magpie::Db;
using magpie::engine::allocate;
using magpie::engine::deallocate;
using magpie::engine::Erase;
using magpie::engine::Key;
using magpie::engine::Keyspace;
using magpie::engine::LargeBlocks;
using magpie::engine::used_memory;
using magpie::testing::kNow;
using magpie::testing::put;

namespace {

constexpr std::size_t kBytes = std::size_t{20} << 20;
constexpr std::size_t kPage = 4096;

std::size_t resident_pages(const char* block, std::size_t bytes) {
  const auto start = reinterpret_cast<std::uintptr_t>(block) / kPage * kPage;
  std::vector<unsigned char> pages((bytes + kPage) / kPage);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the page that the block begins in
  if (mincore(reinterpret_cast<void*>(start), pages.size() * kPage, pages.data()) != 0) return 0;
  std::size_t sum = 0;
  for (const unsigned char page : pages) sum += page & 1U;
  return sum;
}

}  // namespace

TEST_CASE("a large block is given back in pieces, and counts until then") {
  LargeBlocks& blocks = LargeBlocks::instance();
  const std::int64_t before = used_memory();
  auto* const block = static_cast<char*>(allocate(kBytes));
  std::memset(block, 1, kBytes);
  const std::int64_t with_block = used_memory();
  const std::size_t resident = resident_pages(block, kBytes);
  REQUIRE(resident > kBytes / kPage * 9 / 10);
  CHECK(with_block >= before + static_cast<std::int64_t>(kBytes));
  deallocate(block);
  CHECK(used_memory() == with_block);
  CHECK(blocks.pending() >= kBytes);
  for (int i = 0; i < 10; ++i) {
    const std::int64_t counted = used_memory();
    REQUIRE(blocks.free_piece());
    CHECK(counted - used_memory() >= static_cast<std::int64_t>(LargeBlocks::kPiece));
    CHECK(counted - used_memory() <= static_cast<std::int64_t>(LargeBlocks::kPiece + kPage));
  }
  CHECK(resident_pages(block, kBytes) <= resident - 10 * LargeBlocks::kPiece / kPage);
  std::size_t pieces = 0;
  while (blocks.free_piece()) ++pieces;
  CHECK(pieces >= (kBytes - 12 * LargeBlocks::kPiece) / (LargeBlocks::kPiece + kPage));
  CHECK(blocks.pending() == 0);
  CHECK(used_memory() == before);
  CHECK_FALSE(blocks.free_piece());
}

TEST_CASE("a smaller block goes at once") {
  const std::int64_t before = used_memory();
  deallocate(allocate(std::size_t{1} << 20));
  CHECK(used_memory() == before);
  CHECK(LargeBlocks::instance().pending() == 0);
}

TEST_CASE("a large value that is deleted or replaced is freed like a flushed database") {
  Keyspace keyspace({1, true});
  put(keyspace, "deleted", "small");
  put(keyspace, "replaced", "small");
  const std::int64_t before = used_memory();
  const std::string large(kBytes, 'v');
  put(keyspace, "deleted", large);
  put(keyspace, "replaced", large);
  keyspace.apply(Erase{Db{0}, Key::of("deleted")}, kNow);
  put(keyspace, "replaced", "small");
  CHECK(used_memory() > before + static_cast<std::int64_t>(2 * kBytes));
  while (keyspace.free_some(1) > 0) {
  }
  CHECK(used_memory() <= before);
  CHECK(LargeBlocks::instance().pending() == 0);
}
