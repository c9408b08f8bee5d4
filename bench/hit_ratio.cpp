// Misses of the engine on traces of keys beside those of exact LRU, at a number of keys: docs/engine.md.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/key_trace.h"
#include "server/engine/keyspace.h"

namespace {

using magpie::Db;
using magpie::Instant;
using magpie::bench::KeyTrace;
using magpie::engine::EvictionPolicy;
using magpie::engine::hash_of;
using magpie::engine::Key;
using magpie::engine::Keyspace;
using magpie::engine::Put;
using magpie::engine::StringValue;

constexpr Instant kStart{1'700'000'000'000};
constexpr Instant kFar{kStart.ms + std::int64_t{10} * 365 * 24 * 3600 * 1000};  // no trace gets there
constexpr Db kDb{0};

[[noreturn]] void die(const std::string& message) {
  std::fprintf(stderr, "hit_ratio: %s\n", message.c_str());
  std::exit(EXIT_FAILURE);
}

struct Options {
  std::string folder;
  EvictionPolicy policy = EvictionPolicy::AllKeysLru;
  unsigned pinned = 0;  // percent of the keys
  unsigned samples = 5;
  std::vector<double> percents{2, 5, 10, 20};
  std::vector<std::string> traces;  // none: all of the folder
  std::size_t limit = SIZE_MAX;
  std::size_t requests_per_ms = 4;
};

/// Whether the key has no time to live where others do, and stays for good. By a hash that is not the one of its
/// bucket.
bool is_pinned(std::uint32_t number, const Options& options) {
  return hash_of({reinterpret_cast<const char*>(&number), sizeof number}) % 100 < options.pinned;
}

/// Exact LRU: a ring of the keys that are there, the latest used first, around a node that stands for none.
class Lru {
 public:
  Lru(std::size_t distinct, std::size_t capacity) : ring_(distinct + 1), capacity_(capacity) {
    ring_.back() = {none(), none(), true};
  }

  /// Whether the key was there; now it is.
  bool access(std::uint32_t key) {
    const bool hit = ring_[key].present;
    if (hit) {
      unlink(key);
    } else if (size_ == capacity_) {
      unlink(ring_.back().before);
    }
    const std::uint32_t first = ring_.back().after;
    ring_[key] = {none(), first, true};
    ring_[first].before = ring_.back().after = key;
    ++size_;
    return hit;
  }

 private:
  struct Node {
    std::uint32_t before = 0;
    std::uint32_t after = 0;
    bool present = false;
  };
  std::uint32_t none() const { return static_cast<std::uint32_t>(ring_.size() - 1); }
  void unlink(std::uint32_t key) {
    Node& node = ring_[key];
    ring_[node.before].after = node.after;
    ring_[node.after].before = node.before;
    node.present = false;
    --size_;
  }

  std::vector<Node> ring_;
  std::size_t capacity_;
  std::size_t size_ = 0;
};

/// The engine as a look-aside cache that is bounded by a number of keys, beside which there may be pinned ones.
class EngineCache {
 public:
  EngineCache(const Options& options, std::size_t capacity)
      : volatile_(only_volatile(options.policy)), capacity_(capacity) {
    keyspace_.set_eviction({.policy = options.policy, .samples = options.samples});
  }

  /// Whether the key was there. If not it is put, and may already have been evicted again.
  bool access(std::uint32_t number, bool pinned, Instant now) {
    std::array<char, 16> text{'k', 'e', 'y', ':'};
    const char* const end = std::to_chars(text.data() + 4, text.data() + text.size(), number).ptr;
    const Key key = Key::of({text.data(), static_cast<std::size_t>(end - text.data())});
    const auto expiry = volatile_ && !pinned ? std::optional(kFar) : std::nullopt;
    if (find_or_put(key, expiry, now)) return true;
    if (pinned) return false;
    ++inserted_;
    // Nothing fits into no bytes: each call erases the one key that it may.
    while (keys() > capacity_) {
      if (keyspace_.make_room(0, now, 1) == Keyspace::Room::None) die("the policy finds nothing to evict");
    }
    return false;
  }

  std::size_t keys() const { return inserted_ - keyspace_.counters().evicted; }
  std::size_t counted_keys() const {
    const Keyspace::DatabaseSize size = keyspace_.size(kDb, kStart);
    return volatile_ ? size.volatile_keys : size.keys;
  }

 private:
  bool find_or_put(const Key& key, std::optional<Instant> expiry, Instant now) {
    const Keyspace::Guard guard = keyspace_.lock(mask_of(key.stripe));
    if (keyspace_.use(kDb, key, now) != nullptr) return true;
    keyspace_.apply(Put{kDb, key, StringValue::plain("value"), expiry}, now);
    return false;
  }

  Keyspace keyspace_{{.databases = 1, .shared = true}};
  bool volatile_;  // keys that are not pinned have a time to live
  std::size_t capacity_;
  std::size_t inserted_ = 0;
};

auto chosen_traces(const Options& options) {
  auto traces = magpie::bench::find_traces(options.folder);
  for (const std::string& wanted : options.traces) {
    if (!traces.contains(wanted)) die("no trace " + wanted + " in " + options.folder);
  }
  if (!options.traces.empty()) {
    std::erase_if(traces, [&](const auto& one) { return std::ranges::count(options.traces, one.first) == 0; });
  }
  if (traces.empty()) die("no traces (*.u32, *.u32.zst) in " + options.folder);
  return traces;
}

struct Point {
  std::string trace;
  double percent = 0;
  std::size_t capacity = 0;
  double requests = 0;
  double lru = 0;   // miss ratios
  double ours = 0;
  double seconds = 0;  // of CPU, the engine's
  double reduction() const { return 1 - ours / lru; }
};

/// Miss ratio of exact LRU among the keys that are not pinned.
double measure_lru(const KeyTrace& trace, std::size_t capacity, const Options& options) {
  Lru lru(trace.distinct, capacity);
  std::size_t requests = 0;
  std::size_t misses = 0;
  for (const std::uint32_t key : trace.requests) {
    if (is_pinned(key, options)) continue;
    ++requests;
    if (!lru.access(key)) ++misses;
  }
  return static_cast<double>(misses) / static_cast<double>(requests);
}

/// How many of the trace's keys are not pinned.
std::size_t bounded_keys(const KeyTrace& trace, const Options& options) {
  std::size_t count = 0;
  for (std::uint32_t key = 0; key < trace.distinct; ++key) count += is_pinned(key, options) ? 0 : 1;
  return count;
}

Point measure(const std::string& name, const KeyTrace& trace, double percent, const Options& options) {
  const auto capacity = static_cast<std::size_t>(percent * static_cast<double>(bounded_keys(trace, options)) / 100);
  if (capacity == 0) die("a capacity of no keys for " + name);
  EngineCache cache(options, capacity);
  std::size_t requests = 0;
  std::size_t misses = 0;
  const std::clock_t start = std::clock();  // CPU time: others may use the machine as well
  for (std::size_t at = 0; at < trace.requests.size(); ++at) {
    const Instant now{kStart.ms + static_cast<std::int64_t>(at / options.requests_per_ms)};
    const bool pinned = is_pinned(trace.requests[at], options);
    const bool hit = cache.access(trace.requests[at], pinned, now);
    if (pinned) continue;
    ++requests;
    if (!hit) ++misses;
  }
  const std::clock_t taken = std::clock() - start;
  if (cache.counted_keys() != cache.keys()) die("the engine holds another number of keys than it should");
  return {.trace = name,
          .percent = percent,
          .capacity = capacity,
          .requests = static_cast<double>(trace.requests.size()),
          .lru = measure_lru(trace, capacity, options),
          .ours = static_cast<double>(misses) / static_cast<double>(requests),
          .seconds = static_cast<double>(std::max<std::clock_t>(taken, 1)) / CLOCKS_PER_SEC};
}

void print_point(const Point& point) {
  std::printf("%-12s %7g %9zu %8.4f %8.4f %+9.2f %% %11.0f\n", point.trace.c_str(), point.percent, point.capacity,
              point.lru, point.ours, 100 * point.reduction(), point.requests / point.seconds);
  std::fflush(stdout);
}

void print_summary(const std::vector<Point>& points) {
  double reductions = 0;
  double requests = 0;
  double seconds = 0;
  for (const Point& point : points) {
    reductions += point.reduction();
    requests += point.requests;
    seconds += point.seconds;
  }
  const Point& worst = *std::ranges::min_element(points, {}, &Point::reduction);
  std::printf("mean reduction of %zu points: %+.2f %%; worst: %+.2f %%, %s at %g %%; %.0f requests/CPU s\n",
              points.size(), 100 * reductions / static_cast<double>(points.size()), 100 * worst.reduction(),
              worst.trace.c_str(), worst.percent, requests / seconds);
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, EvictionPolicy> policies{
      {"allkeys-lru", EvictionPolicy::AllKeysLru},       {"allkeys-lfu", EvictionPolicy::AllKeysLfu},
      {"allkeys-random", EvictionPolicy::AllKeysRandom}, {"volatile-lru", EvictionPolicy::VolatileLru},
      {"volatile-lfu", EvictionPolicy::VolatileLfu},     {"volatile-random", EvictionPolicy::VolatileRandom}};
  Options options;
  CLI::App app("Misses of the engine on traces of keys, beside those of exact LRU");
  app.add_option("folder", options.folder, "Traces: *.u32 or *.u32.zst")->required()->check(CLI::ExistingDirectory);
  app.add_option("--policy", options.policy, "As maxmemory-policy; if it begins with volatile, keys have a far TTL")
      ->transform(CLI::CheckedTransformer(policies));
  app.add_option("--pinned", options.pinned, "Percent of the keys that have none, and stay beside the capacity")
      ->check(CLI::Range(0, 99));
  app.add_option("--samples", options.samples, "As maxmemory-samples")->check(CLI::Range(1, 255));
  app.add_option("--percent", options.percents, "Capacities, of the distinct keys")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 100.0));
  app.add_option("--traces", options.traces, "Only these, by name")->delimiter(',');
  app.add_option("--limit", options.limit, "Requests of a trace at most")->check(CLI::PositiveNumber);
  app.add_option("--requests-per-ms", options.requests_per_ms, "Speed of the clock")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  if (options.pinned > 0 && !only_volatile(options.policy)) die("only a volatile policy leaves pinned keys alone");

  const auto traces = chosen_traces(options);
  std::printf("%-12s %7s %9s %8s %8s %11s %11s\n", "trace", "percent", "capacity", "LRU", "ours", "reduction",
              "req/CPU s");
  std::vector<Point> points;
  for (const auto& [name, path] : traces) {
    const auto trace = magpie::bench::read_trace(path, options.limit);
    if (!trace) die(trace.error());
    for (const double percent : options.percents) {
      points.push_back(measure(name, *trace, percent, options));
      print_point(points.back());
    }
  }
  print_summary(points);
}
