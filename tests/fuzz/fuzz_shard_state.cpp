// Any text as what an arbiter holds: refused, or it is just what would be written for what was read. And a replica that
// reads it all the same, in whatever order, only does what it may: it never ends the process.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cluster/replication/replica.h"
#include "cluster/replication/shard_state.h"

namespace {

using namespace magpie::cluster;  // NOLINT(google-build-using-namespace): one file, one namespace under test

void require(bool condition) {
  if (!condition) std::abort();
}

template <class Parsed>
void check_written(std::string_view text, const Parsed& parsed) {
  if (parsed) require(to_text(*parsed) == text);
}

/// The text as the value of each of the keys that a replica reads, between others that are right.
void show_replica(std::string_view text) {
  ReplicaConfig config;
  config.self.node = {"a"};
  config.nodes = {{"a"}, {"b"}};
  Replica replica(config);
  Moment now{BootTime{std::chrono::seconds(1)}, 0};
  for (std::uint64_t revision = 1; revision <= 6; ++revision) {
    const auto& keys = replica.keys();
    ReadResult result{{revision}, {{keys[revision % keys.size()], std::string(text), {revision}}}};
    if (revision % 2 == 0) result.entries.push_back({keys[1], to_text(magpie::Term{revision}), {revision}});
    replica.step(ArbiterTold{RequestId{revision}, std::move(result)}, now);
    now.boot = std::max(now.boot, std::min(replica.wake_at(), now.boot + std::chrono::seconds(20)));
    replica.step(TimerDue{}, now);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_written(text, parse_shard_state(text));
  check_written(text, parse_node_record(text));
  check_written(text, parse_term(text));
  show_replica(text);
  return 0;
}
