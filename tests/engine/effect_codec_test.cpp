#include "server/engine/effect_codec.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "protocol/varint.h"
#include "server/engine/keyspace.h"

using magpie::ByteView;
using magpie::Db;
using magpie::Instant;
using magpie::engine::Effect;
using magpie::engine::EffectDecoder;
using magpie::engine::Erase;
using magpie::engine::EraseReason;
using magpie::engine::Flush;
using magpie::engine::Key;
using magpie::engine::List;
using magpie::engine::ListEnd;
using magpie::engine::ListErase;
using magpie::engine::ListInsert;
using magpie::engine::ListPush;
using magpie::engine::ListSet;
using magpie::engine::ListView;
using magpie::engine::Overwrite;
using magpie::engine::PackedRun;
using magpie::engine::Put;
using magpie::engine::SetExpiry;
using magpie::engine::StringValue;
using magpie::engine::SwapDb;

namespace {

constexpr std::uint32_t kDatabases = 16;

/// Chunks of lists that are gone wait to be freed; other tests look at how much memory is used.
struct FreesLists {
  ~FreesLists() {
    while (List::free_some(1000) > 0) {
    }
  }
};

std::string encoded(const Effect& effect) {
  std::string bytes(magpie::engine::encoded_bound(effect), '\0');
  bytes.resize(static_cast<std::size_t>(magpie::engine::encode(effect, bytes.data()) - bytes.data()));
  return bytes;
}

/// Calls check(effect, bytes) for an effect of every kind and form.
template <class Check>
void for_each_kind(Check&& check) {
  const Db db{3};
  const Key key = Key::of("a key");
  const Instant soon{1'700'000'000'123};
  const std::vector<ByteView> elements{"first", "", "12345", "last"};
  const std::string long_text(1000, 'x');
  PackedRun run;
  for (const ByteView element : elements) run.push_back(StringValue::compact(element));
  List list;
  for (int i = 0; i < 2000; ++i) list.push_back("element " + std::to_string(i));
  const std::vector<Effect> effects{
      Put{db, key, StringValue::plain("text"), soon},
      Put{db, key, StringValue::raw(long_text), std::nullopt},
      Put{db, Key::of(""), StringValue::integer(std::numeric_limits<std::int64_t>::min()), Instant{-1}},
      Put{db, key, ListView(run.view()), soon},
      Put{db, key, ListView(list), std::nullopt},
      Overwrite{db, key, 1'000'000, "bytes"},
      Erase{db, key, EraseReason::Command},
      Erase{db, key, EraseReason::Expired},
      Erase{db, key, EraseReason::Evicted},
      SetExpiry{db, key, soon},
      SetExpiry{db, key, std::nullopt},
      ListPush{db, key, ListEnd::Front, elements},
      ListPush{db, key, ListEnd::Back, elements},
      ListSet{db, key, 7, "element"},
      ListInsert{db, key, 8, "element"},
      ListErase{db, key, 9, 300},
      Flush{std::nullopt},
      Flush{Db{15}},
      SwapDb{Db{0}, Db{15}},
  };
  for (const Effect& effect : effects) check(effect, encoded(effect));
}

/// A run that is too large for a packed list, as bytes with their length.
std::string large_run() {
  PackedRun run;
  run.push_back(StringValue::plain(std::string(magpie::engine::kPackedListMost, 'x')));
  std::string length(magpie::kMostVarintBytes, '\0');
  length.resize(static_cast<std::size_t>(magpie::put_varint(length.data(), run.bytes().size()) - length.data()));
  return length + std::string(run.bytes());
}

std::string text_in(const StringValue& value) {
  magpie::engine::IntegerScratch scratch;
  return std::string(text_of(value, scratch));
}

void check_value(const magpie::engine::Value& read, const magpie::engine::Value& written) {
  REQUIRE(read.form == written.form);
  if (read.type() == magpie::engine::ValueType::String) {
    REQUIRE(text_in(read.as_string()) == text_in(written.as_string()));
    return;
  }
  REQUIRE(read.as_list().size() == written.as_list().size());
  for (std::size_t i = 0; i < read.as_list().size(); ++i) {
    REQUIRE(text_in(read.as_list().at(i)) == text_in(written.as_list().at(i)));
  }
}

/// Compares what two effects of one kind have.
struct Same {
  template <class SomeEffect>
  void operator()(const SomeEffect& read, const SomeEffect& written) const {
    if constexpr (requires { read.db; }) REQUIRE(read.db == written.db);
    if constexpr (requires { read.key; }) {
      REQUIRE(read.key.bytes == written.key.bytes);
      REQUIRE(read.key.hash == written.key.hash);
      REQUIRE(read.key.stripe == written.key.stripe);
    }
    if constexpr (requires { read.expiry; }) REQUIRE(read.expiry == written.expiry);
    if constexpr (requires { read.value; }) check_value(read.value, written.value);
    if constexpr (requires { read.bytes; }) REQUIRE(read.bytes == written.bytes);
    if constexpr (requires { read.offset; }) REQUIRE(read.offset == written.offset);
    if constexpr (requires { read.reason; }) REQUIRE(read.reason == written.reason);
    if constexpr (requires { read.end; }) REQUIRE(read.end == written.end);
    if constexpr (requires { read.index; }) REQUIRE(read.index == written.index);
    if constexpr (requires { read.element; }) REQUIRE(read.element == written.element);
    if constexpr (requires { read.first; }) REQUIRE(read.first == written.first);
    if constexpr (requires { read.second; }) REQUIRE(read.second == written.second);
    if constexpr (requires { read.count; }) REQUIRE(read.count == written.count);
    if constexpr (requires { read.elements; }) {
      REQUIRE(std::vector(read.elements.begin(), read.elements.end()) ==
              std::vector(written.elements.begin(), written.elements.end()));
    }
  }
  template <class One, class Other>
  void operator()(const One&, const Other&) const {
    FAIL("another kind of effect");
  }
};

}  // namespace

TEST_CASE("effects of every kind are read as they were written") {
  const FreesLists at_end;
  EffectDecoder decoder(kDatabases);
  for_each_kind([&](const Effect& effect, const std::string& bytes) {
    CAPTURE(effect.index());
    const std::string two = bytes + "behind";
    ByteView from = two;
    const auto read = decoder.take(from);
    REQUIRE(read.has_value());
    CHECK(from == "behind");
    std::visit(Same(), *read, effect);
    CHECK(encoded(*read) == bytes);
  });
}

TEST_CASE("an effect that is cut off anywhere is refused, and nothing is taken") {
  const FreesLists at_end;
  EffectDecoder decoder(kDatabases);
  for_each_kind([&](const Effect& effect, const std::string& bytes) {
    CAPTURE(effect.index());
    for (std::size_t size = 0; size < std::min<std::size_t>(bytes.size(), 3000); ++size) {
      ByteView from = ByteView(bytes).substr(0, size);
      REQUIRE_FALSE(decoder.take(from).has_value());
      REQUIRE(from.size() == size);
    }
  });
}

TEST_CASE("what no version writes is refused with the reason") {
  const FreesLists at_end;
  using namespace std::string_literals;
  EffectDecoder decoder(2);
  const std::string head = "\x01\x01k"s;  // database 1, key "k"
  const std::pair<std::string, std::string> cases[] = {
      {""s, "it is cut off"},
      {"\x00"s, "it is of a kind that is not known"},
      {"\x0b"s, "it is of a kind that is not known"},
      {"\x03\x02\x01k\x00"s, "there is no database of this number"},
      {"\x03"s + head + "\x03", "a reason is not known"},
      {"\x04"s + head + "\x02", "an expiry is neither there nor missing"},
      {"\x01"s + head + "\x00\x06"s, "its value has a form that is not known"},
      {"\x01"s + head + "\x00\x04\x00"s, "a run of a list is not one"},
      {"\x01"s + head + "\x00\x04"s + large_run(), "a packed list is too large"},
      {"\x01"s + head + "\x00\x05\x00"s, "a list has no elements"},
      {"\x01"s + head + "\x00\x05\x01\x00"s, "a run of a list is not one"},
      {"\x01"s + head + "\x00\x05\x01\x01x"s, "a run of a list is not one"},
      {"\x05"s + head + "\x02", "an end of a list is not known"},
      {"\x05"s + head + "\x01\xff\x7f", "it has more elements than bytes"},
      {"\x06"s + head + std::string(10, '\xff') + "\x01", "a number is cut off or too large"},
      {"\x06"s + head + "\x00\x05x"s, "bytes are cut off"},
      {"\x09\x03"s, "there is no such database"},
      {"\x0a\x00\x02"s, "there is no database of this number"},
  };
  for (const auto& [bytes, why] : cases) {
    CAPTURE(why);
    ByteView from = bytes;
    const auto read = decoder.take(from);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error() == "an effect cannot be read: " + why);
    CHECK(from == bytes);
  }
}

TEST_CASE("numbers of any size go through a varint") {
  std::vector<std::uint64_t> numbers{0, 1, 127, 128, 16'383, 16'384, std::numeric_limits<std::uint64_t>::max()};
  for (unsigned bit = 0; bit < 64; ++bit) numbers.push_back(std::uint64_t{1} << bit);
  for (const std::uint64_t number : numbers) {
    std::string bytes(magpie::kMostVarintBytes, '\0');
    bytes.resize(static_cast<std::size_t>(magpie::put_varint(bytes.data(), number) - bytes.data()));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      ByteView cut = ByteView(bytes).substr(0, size);
      CHECK_FALSE(magpie::take_varint(cut).has_value());
    }
    ByteView from = bytes;
    CHECK(magpie::take_varint(from) == number);
    CHECK(from.empty());
    const auto as_signed = static_cast<std::int64_t>(number);
    CHECK(magpie::from_zigzag(magpie::zigzag(as_signed)) == as_signed);
  }
  CHECK(magpie::zigzag(-1) == 1);
  CHECK(magpie::zigzag(1) == 2);
  ByteView too_large = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02";
  CHECK_FALSE(magpie::take_varint(too_large).has_value());
}

TEST_CASE("a keyspace says which effects fit what it has") {
  const FreesLists at_end;
  magpie::engine::Keyspace keyspace({kDatabases, true});
  const Db db{0};
  const Key list = Key::of("list");
  const Key text = Key::of("text");
  const Key missing = Key::of("missing");
  const std::vector<ByteView> three{"a", "b", "c"};
  keyspace.replay(ListPush{db, list, ListEnd::Back, three}, {});
  keyspace.replay(Put{db, text, StringValue::plain("text"), std::nullopt}, {});
  const auto fits = [&](const Effect& effect) { return keyspace.can_replay(effect); };
  CHECK(fits(ListPush{db, list, ListEnd::Back, three}));
  CHECK(fits(ListPush{db, missing, ListEnd::Back, three}));
  CHECK_FALSE(fits(ListPush{db, text, ListEnd::Back, three}));
  CHECK(fits(ListSet{db, list, 2, "x"}));
  CHECK_FALSE(fits(ListSet{db, list, 3, "x"}));
  CHECK_FALSE(fits(ListSet{db, missing, 0, "x"}));
  CHECK(fits(ListInsert{db, list, 3, "x"}));
  CHECK_FALSE(fits(ListInsert{db, list, 4, "x"}));
  CHECK(fits(ListErase{db, list, 1, 2}));
  CHECK_FALSE(fits(ListErase{db, list, 1, 3}));
  CHECK_FALSE(fits(ListErase{db, list, 4, std::numeric_limits<std::size_t>::max()}));
  CHECK(fits(Overwrite{db, text, 2, "x"}));
  CHECK(fits(Overwrite{db, missing, 2, "x"}));
  CHECK_FALSE(fits(Overwrite{db, list, 2, "x"}));
  CHECK(fits(Put{db, list, StringValue::plain("text"), std::nullopt}));
  CHECK(fits(Erase{db, missing}));
}
