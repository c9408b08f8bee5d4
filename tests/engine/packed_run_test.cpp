#include "server/engine/packed_run.h"

#include <doctest/doctest.h>

#include <deque>
#include <string>

#include "server/engine/memory.h"
#include "tests/engine/random.h"

using magpie::engine::IntegerScratch;
using magpie::engine::PackedRun;
using magpie::engine::StringValue;
using magpie::testing::Random;

namespace {

std::string text(const StringValue& value) {
  IntegerScratch scratch;
  return std::string(text_of(value, scratch));
}

std::string any_element(Random& random) {
  switch (random.next() % 8) {
    case 0:
      return std::to_string(static_cast<std::int64_t>(random.next()) >> (random.next() % 64));
    case 1:
      return std::string(random.next() % 20'000, 'l');
    case 2:
      return std::string(random.next() % 300, 'm');
    default:
      return std::string(random.next() % 40, static_cast<char>('a' + random.next() % 26));
  }
}

void check_same(const PackedRun& run, const std::deque<std::string>& model) {
  REQUIRE(run.count() == model.size());
  std::size_t offset = 0;
  for (const std::string& element : model) {
    REQUIRE(text(run.view().value_at(offset)) == element);
    offset = run.view().next(offset);
  }
  REQUIRE(offset == run.bytes().size());
  for (std::size_t i = model.size(); i-- > 0;) {
    offset = run.view().previous(offset);
    REQUIRE(text(run.view().value_at(offset)) == model[i]);
  }
  REQUIRE(offset == 0);
}

void change(PackedRun& run, std::deque<std::string>& model, Random& random) {
  const std::string element = any_element(random);
  const StringValue value = StringValue::compact(element);
  const std::size_t index = model.empty() ? 0 : random.next() % model.size();
  const auto at = model.begin() + static_cast<std::ptrdiff_t>(index);
  const auto kind = random.next() % 9;
  if (kind < 2) {
    run.push_front(value);
    model.push_front(element);
  } else if (kind < 4) {
    run.push_back(value);
    model.push_back(element);
  } else if (kind == 4) {
    run.insert(index, value);
    model.insert(at, element);
  } else if (model.empty()) {
    return;
  } else if (kind == 5) {
    run.replace(index, value);
    *at = element;
  } else if (kind == 6) {
    run.pop_front();
    model.pop_front();
  } else if (kind == 7) {
    run.pop_back();
    model.pop_back();
  } else {
    const std::size_t count = random.next() % (model.size() - index + 1) % 8;
    run.erase(index, count);
    model.erase(at, at + static_cast<std::ptrdiff_t>(count));
  }
}

}  // namespace

TEST_CASE("a packed run does what a deque does") {
  const std::int64_t before = magpie::engine::used_memory();
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    PackedRun run;
    std::deque<std::string> model;
    for (int round = 0; round < 400; ++round) {
      change(run, model, random);
      if (!model.empty()) {
        const std::size_t index = random.next() % model.size();
        REQUIRE(text(run.at(index)) == model[index]);
      }
      if (round % 8 == 0) check_same(run, model);
    }
    const std::size_t cut = random.next() % (model.size() + 1);
    PackedRun whole = run.copy();
    PackedRun rest = whole.split_off(cut);
    CHECK(whole.count() == cut);
    whole.append(rest.view());
    check_same(whole, model);
    const auto decoded = PackedRun::decode(run.bytes());
    REQUIRE(decoded.has_value());
    check_same(*decoded, model);
  }
  CHECK(magpie::engine::used_memory() == before);
}

TEST_CASE("an element of 32 bytes takes two bytes more, a small integer two in all and one") {
  const std::string element(32, 'x');
  CHECK(PackedRun::encoded_size(StringValue::compact(element)) == 34);
  CHECK(PackedRun::encoded_size(StringValue::compact("-100")) == 3);
  CHECK(PackedRun::encoded_size(StringValue::compact("30000")) == 4);
  CHECK(PackedRun::encoded_size(StringValue::compact("9223372036854775807")) == 10);
}

TEST_CASE("the halves of a run take little more room than the whole") {
  PackedRun run;
  while (run.bytes().size() < 4000) run.push_back(StringValue::plain(std::string(32, 'x')));
  REQUIRE(run.capacity() == 4096);
  const PackedRun rest = run.split_off(run.count() / 2);
  CHECK(run.capacity() + rest.capacity() <= 4096 + 1024);
}

TEST_CASE("bytes from outside that are no run are refused") {
  PackedRun run;
  run.push_back(StringValue::plain("abc"));
  run.push_back(StringValue::integer(-70'000));
  run.push_back(StringValue::plain(std::string(200, 'y')));
  const std::string good(run.bytes());
  REQUIRE(PackedRun::decode(good).has_value());
  CHECK(PackedRun::decode("").has_value());
  const std::size_t second = run.view().next(0);
  const std::size_t third = run.view().next(second);
  for (std::size_t cut = 1; cut < good.size(); ++cut) {
    CHECK(PackedRun::decode(good.substr(0, cut)).has_value() == (cut == second || cut == third));
  }
  using magpie::ByteView;
  CHECK_FALSE(PackedRun::decode(ByteView("\xc0\xff\xff\xff\xff", 5)));        // reaches far beyond
  CHECK_FALSE(PackedRun::decode(ByteView("\xd3\x01\x02\x03\x04", 5)));        // an integer of three bytes
  CHECK_FALSE(PackedRun::decode(ByteView("\xd2\x01\x00\x03", 4)));            // 1 in two bytes
  CHECK_FALSE(
      PackedRun::decode(ByteView("\x80\x01"
                                 "a\x03",
                                 4)));            // a short string with a long head
  CHECK_FALSE(
      PackedRun::decode(ByteView("\x01"
                                 "a\x03",
                                 3)));                // a wrong size behind
}
