#include "tests/sim/production_data_plane.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace magpie::sim {
namespace {

constexpr Db kDb{0};
constexpr Instant kNow{1'800'000'000'000};

Value value_of(const engine::StringValue& text) {
  engine::IntegerScratch scratch;
  const ByteView digits = engine::text_of(text, scratch);
  Value value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

}  // namespace

ProductionDataPlane::ProductionDataPlane(DataHost& host, const DataRules& rules, const DataLimits& limits)
    : host_(&host),
      rules_(rules),
      limits_(limits),
      identity_{host.self().node.text, "sim", host.self().incarnation.bytes},
      keyspace_({.databases = 1, .shared = false}),
      replication_(keyspace_) {
  for (std::size_t key = 0; key < kKeys; ++key) {
    names_[key].text = (key < kFirstList ? "register" : "list") + std::to_string(key);
    names_[key].key = engine::Key::of(names_[key].text);
  }
  constexpr std::size_t kRecord = 8;  // bytes, fewer than one has: logs that are often too short
  replication_.follow({});
  const std::size_t capacity = limits.log_records * (kRecord + limits.padding);
  replication_.configure({.always = true, .shard = true, .log_capacity = capacity, .log_segment = capacity / 4});
  refresh();
}

ProductionDataPlane::~ProductionDataPlane() {
  feeds_.clear();
  intake_.reset();
  keyspace_.replay(engine::Flush{}, kNow);
  constexpr std::size_t kMany = 1'000;
  while (keyspace_.free_some(kMany) > 0) {
  }
}

/// What server::Peers tells the shard.
void ProductionDataPlane::refresh() {
  complete_ = replication_.log() != nullptr && !replication_.leader().incomplete;
  if (complete_) blank_ = false;
  position_ = complete_ ? replication_.last() : cluster::LogPosition{};
  history_ = replication_.place().history;
  seen_ = {};
}

void ProductionDataPlane::begin_term(Term term) {
  drop_intake();
  drop_feeds();
  {
    const engine::Keyspace::Guard all = keyspace_.lock(engine::kAllStripes);
    replication_.lead(term);
  }
  term_ = term;
  refresh();
  tick_later();
}

void ProductionDataPlane::end_term() {
  term_.reset();
  drop_intake();
  drop_feeds();
  {
    const engine::Keyspace::Guard all = keyspace_.lock(engine::kAllStripes);
    replication_.follow({"leader", 1});
  }
  replication_.stop_recording();
  refresh();
}

engine::StripeMask ProductionDataPlane::stripes_of(const Operation& operation) const {
  engine::StripeMask stripes = engine::mask_of(names_[operation.key].key.stripe);
  if (operation.kind == Operation::Kind::WritePair) stripes |= engine::mask_of(names_[kPair + 1].key.stripe);
  return stripes;
}

std::string ProductionDataPlane::text_of(Value value) const {
  return std::to_string(value) + std::string(limits_.padding, ' ');
}

void ProductionDataPlane::put(std::size_t key, const std::string& value) {
  keyspace_.apply(engine::Put(kDb, names_[key].key, engine::StringValue::compact(value), std::nullopt), kNow);
}

/// As the dispatcher does: what a reply may reveal is the last record of the stripes that it is from.
DataPlane::Executed ProductionDataPlane::execute(const Operation& operation) {
  using Kind = Operation::Kind;
  Executed executed;
  const engine::StripeMask stripes = stripes_of(operation);
  {
    const engine::Keyspace::Guard guard = keyspace_.lock(stripes);
    const std::string text = text_of(operation.value);
    if (operation.kind == Kind::Read) executed.value = look(operation.key);
    if (operation.kind == Kind::ReadList) executed.list = look_list(operation.key);
    if (operation.kind == Kind::Write) put(operation.key, text);
    if (operation.kind == Kind::WritePair) {
      const engine::Keyspace::Group group(keyspace_);
      put(kPair, text);
      put(kPair + 1, text);
    }
    if (operation.kind == Kind::Push) {
      const ByteView element = text;
      keyspace_.apply(engine::ListPush{kDb, names_[operation.key].key, engine::ListEnd::Back, {&element, 1}}, kNow);
    }
  }
  executed.lsn = replication_.log()->last_in(stripes);
  if (!operation.writes()) return executed;
  executed.lsn = server::EffectLog::take_recorded();
  refresh();
  pump_all();
  return executed;
}

std::array<Value, kFirstList> ProductionDataPlane::read_registers() const {
  std::array<Value, kFirstList> values{};
  for (std::size_t key = 0; key < kFirstList; ++key) {
    const engine::Entry* const entry = keyspace_.peek(kDb, names_[key].key, kNow);
    if (entry != nullptr) values[key] = value_of(entry->string());
  }
  return values;
}

std::vector<Value> ProductionDataPlane::read_list(std::size_t key) const {
  std::vector<Value> values;
  const engine::Entry* const entry = keyspace_.peek(kDb, names_[key].key, kNow);
  if (entry == nullptr) return values;
  for (engine::ListView::Cursor at(entry->list(), 0); at.valid(); at.next()) values.push_back(value_of(at.value()));
  return values;
}

Value ProductionDataPlane::look(std::size_t key) const {
  if (!seen_.registers) seen_.registers = read_registers();
  return (*seen_.registers)[key];
}

const std::vector<Value>& ProductionDataPlane::look_list(std::size_t key) const {
  auto& list = seen_.lists[key - kFirstList];
  if (!list) list = read_list(key);
  return *list;
}

}  // namespace magpie::sim
