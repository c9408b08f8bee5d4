// A node with 50 MB for its data, strings of 1 byte to 1 MB and lists with elements of these sizes, as a process of its
// own so that its resident memory is known: whatever the sizes are, and however they change, memory stays within its
// bounds and replies are right.

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/engine/random.h"
#include "tests/node/fixture.h"
#include "tests/node/process.h"

using magpie::testing::await_listener;
using magpie::testing::bulk;
using magpie::testing::Client;
using magpie::testing::encode;
using magpie::testing::eventually;
using magpie::testing::Folder;
using magpie::testing::Process;
using magpie::testing::Random;

namespace {

constexpr std::int64_t kMegabyte = std::int64_t{1} << 20;
constexpr std::int64_t kLimit = 50 * kMegabyte;
// What a command may take beyond the limit before the next one evicts for it.
constexpr std::int64_t kUsedSlack = kLimit / 32 + 2 * kMegabyte;
// The process itself, a client's buffers, pages kept in reserve, and gaps of three fifths: keys of middling sizes that
// stay while most of their kind leave hold the allocator's pages, which cannot be compacted as cells of small ones can.
constexpr std::int64_t kMostResident = kLimit + kLimit * 3 / 5 + 20 * kMegabyte;
constexpr std::int64_t kMostWhenEmpty = 32 * kMegabyte;
#ifdef MAGPIE_SANITIZED
constexpr bool kGivesBack = false;  // sanitizers keep what is freed
#else
constexpr bool kGivesBack = true;
#endif

/// Bytes that each phase writes, keys and commands counted as more than they are. ctest's "memory_pressure_long" asks
/// for more.
std::int64_t phase_bytes() {
  constexpr std::int64_t kShort = 80;
  const char* asked = std::getenv("MAGPIE_PRESSURE_MEGABYTES");
  return (asked == nullptr ? kShort : std::atoll(asked)) * kMegabyte;
}

/// Of values: as many up to 2^n bytes as up to 2^(n+1).
struct Sizes {
  unsigned first;
  unsigned last;
};
constexpr Sizes kSmall{0, 7};
constexpr Sizes kMedium{7, 13};
constexpr Sizes kLarge{14, 20};
constexpr Sizes kAll{1, 20};

/// The only value that a key may have among these sizes.
std::string value_of(std::uint64_t key, Sizes sizes) {
  const std::uint64_t spread = key * 0x9e3779b97f4a7c15;
  const std::size_t most = std::size_t{1} << (sizes.first + (spread >> 32) % (sizes.last - sizes.first + 1));
  return std::string(most - (spread >> 40) % ((most + 1) / 2), static_cast<char>('a' + key % 26));
}

class PressedNode {
 public:
  PressedNode()
      : process_({"--port", "0", "--unixsocket", path_, "--threads", "2", "--maxmemory", std::to_string(kLimit),
                  "--maxmemory-policy", "allkeys-lru"}),
        client_((await_listener(path_), Client::at_path(path_))) {}

  /// Writes strings and lists of these sizes, some to live for some milliseconds, and reads and deletes others in
  /// between.
  void run(Sizes sizes, Random random) {
    constexpr std::size_t kBurst = 20'000;  // bytes: the node takes no more commands while many replies wait
    constexpr std::size_t kCommands = 100;
    client_.run("SELECT " + std::to_string(sizes.first));  // where keys have one size
    for (std::int64_t left = phase_bytes(); left > 0;) {
      Burst burst;
      while (burst.wire.size() + burst.reply_bytes < kBurst) {
        random.one_in(2) ? add_string(burst, sizes, random) : add_list(burst, sizes, random);
      }
      left -= static_cast<std::int64_t>(burst.wire.size() + burst.asked.size() * kCommands);
      client_.send(burst.wire);
      for (const Asked& one : burst.asked) check_reply(one, sizes);
    }
  }

  std::int64_t info(const std::string& field) {
    const std::string reply = client_.run("INFO memory");
    const std::size_t at = reply.find("\r\n" + field + ':');
    if (at == std::string::npos) throw std::runtime_error("no " + field);
    return std::stoll(reply.substr(at + field.size() + 3));
  }
  /// What maxmemory is compared with.
  std::int64_t used() { return info("used_memory") - info("mem_not_counted_for_evict"); }
  std::string ask(const std::string& command) { return client_.run(command); }

 private:
  enum class Reply : std::uint8_t { Ok, Number, Value };
  /// What a command must answer: a value, if there is one, is one of `count` possible ones from `first` on.
  struct Asked {
    Reply reply;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
  };
  struct Burst {
    std::string wire;
    std::vector<Asked> asked;
    std::size_t reply_bytes = 0;

    void add(const std::vector<std::string>& command, Asked reply) {
      wire += encode(command);
      asked.push_back(reply);
    }
  };

  static void add_string(Burst& burst, Sizes sizes, Random& random) {
    constexpr std::uint64_t kKeys = 200'000;
    const std::uint64_t key = random.below(kKeys);
    std::vector<std::string> set{"SET", std::to_string(key), value_of(key, sizes)};
    if (random.one_in(4)) set.insert(set.end(), {"PX", std::to_string(1 + random.below(50))});
    burst.add(set, {Reply::Ok});
    const std::uint64_t asked = random.one_in(2) ? key : random.below(kKeys);
    burst.add({random.one_in(4) ? "GETDEL" : "GET", std::to_string(asked)}, {Reply::Value, asked, 1});
    burst.reply_bytes += value_of(asked, sizes).size();
  }

  /// Pushes some of the few elements that a list may have, and takes out, changes or reads one.
  static void add_list(Burst& burst, Sizes sizes, Random& random) {
    constexpr std::uint64_t kLists = 2000;
    constexpr std::uint64_t kElements = 8;
    const std::uint64_t number = random.below(kLists);
    const std::string key = "list:" + std::to_string(number);
    const auto element = [&] { return number * kElements + random.below(kElements); };
    for (std::uint64_t left = 1 + random.below(3); left > 0; --left) {
      burst.add({random.one_in(2) ? "RPUSH" : "LPUSH", key, value_of(element(), sizes)}, {Reply::Number});
    }
    if (random.one_in(4)) burst.add({"PEXPIRE", key, std::to_string(1 + random.below(50))}, {Reply::Number});
    if (random.one_in(4)) burst.add({"LTRIM", key, "1", "100"}, {Reply::Ok});
    if (random.one_in(8)) burst.add({"COPY", key, key + "copy", "REPLACE"}, {Reply::Number});
    if (random.one_in(8)) burst.add({random.one_in(2) ? "DEL" : "UNLINK", key}, {Reply::Number});
    const std::vector<std::string> read{"LINDEX", key, std::to_string(random.below(10))};
    burst.add(random.one_in(2) ? std::vector<std::string>{"LPOP", key} : read,
              {Reply::Value, number * kElements, kElements});
    burst.reply_bytes += value_of(number * kElements, sizes).size();
  }

  void check_reply(const Asked& asked, Sizes sizes) {
    const std::string got = client_.reply();
    if (!is_possible(got, asked, sizes)) {
      throw std::runtime_error("of " + std::to_string(asked.first) + ": " + got.substr(0, 100));
    }
  }
  static bool is_possible(const std::string& got, const Asked& asked, Sizes sizes) {
    if (asked.reply == Reply::Ok) return got == "+OK\r\n";
    if (asked.reply == Reply::Number) return got.starts_with(":");
    if (got == "$-1\r\n") return true;
    for (std::uint64_t key = asked.first; key < asked.first + asked.count; ++key) {
      if (got == bulk(value_of(key, sizes))) return true;
    }
    return false;
  }

  Folder folder_;
  std::string path_ = folder_.file("socket");
  Process process_;
  Client client_;
};

void check_bounds(PressedNode& node) {
  CHECK(node.used() <= kLimit + kUsedSlack);
  CHECK(eventually([&] { return node.used() <= kLimit; }));
  if (!kGivesBack) return;
  CHECK(eventually([&] { return node.info("used_memory_rss") <= kMostResident; }));  // pages go back in the background
}

}  // namespace

TEST_CASE("used and resident memory hold their bounds whatever the sizes of values, and replies are right") {
  PressedNode node;
  std::uint64_t seed = 0;
  for (const Sizes sizes : {kAll, kSmall, kLarge, kMedium, kLarge}) {
    CAPTURE(sizes.first);
    node.run(sizes, Random(++seed));
    check_bounds(node);
  }
  CHECK(node.ask("FLUSHALL") == "+OK\r\n");
  CHECK(eventually([&] { return node.used() < 2 * kMegabyte; }));
  if (kGivesBack) CHECK(eventually([&] { return node.info("used_memory_rss") <= kMostWhenEmpty; }));
}
