#include "server/engine/entry.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "server/engine/memory.h"
#include "tests/engine/random.h"

using magpie::ByteView;
using magpie::Instant;
using magpie::engine::Entry;
using magpie::engine::IntegerScratch;
using magpie::engine::StringForm;
using magpie::engine::StringValue;

namespace {

std::string text_in(const Entry& entry) {
  IntegerScratch scratch;
  return std::string(text_of(entry.string(), scratch));
}

Entry::Owner plain(ByteView key, ByteView value, std::optional<Instant> expiry = {}) {
  return Entry::make(key, StringValue::plain(value), expiry, 7);
}

}  // namespace

TEST_CASE("an entry reads back what it was made of, in every form") {
  const std::string binary("a\0b\r\n\xff", 6);
  for (const std::string& key : {std::string(), std::string("k"), binary, std::string(5000, 'k')}) {
    for (const std::optional<Instant> expiry : {std::optional<Instant>(), std::optional<Instant>(Instant{-5}),
                                                std::optional<Instant>(Instant{1'700'000'000'000})}) {
      for (const std::string& value : {std::string(), binary, std::string(100'000, 'v')}) {
        for (const StringForm form : {StringForm::Plain, StringForm::Raw}) {
          const auto entry = Entry::make(key, StringValue{form, 0, value}, expiry, 12345);
          CHECK(entry->key() == key);
          CHECK(entry->string().form == form);
          CHECK(text_in(*entry) == value);
          CHECK(entry->expiry() == expiry);
          CHECK(entry->access() == 12345);
        }
      }
      for (const std::int64_t number : {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(),
                                        std::numeric_limits<std::int64_t>::max()}) {
        const auto entry = Entry::make(key, StringValue::integer(number), expiry, 0);
        CHECK(entry->key() == key);
        CHECK(entry->string().form == StringForm::Integer);
        CHECK(entry->string().number == number);
        CHECK(text_in(*entry) == std::to_string(number));
        CHECK(entry->expiry() == expiry);
      }
    }
  }
}

TEST_CASE("compact keeps canonical integers as numbers and everything else as bytes") {
  for (const ByteView text : {"0", "-1", "9223372036854775807", "-9223372036854775808"}) {
    CHECK(StringValue::compact(text).form == StringForm::Integer);
    IntegerScratch scratch;
    CHECK(text_of(StringValue::compact(text), scratch) == text);
  }
  for (const ByteView text : {"", "-", "-0", "+1", "01", " 1", "1 ", "1.0", "9223372036854775808",
                              "-9223372036854775809", "99999999999999999999", "abc"}) {
    CHECK(StringValue::compact(text).form == StringForm::Plain);
    CHECK(StringValue::compact(text).bytes == text);
  }
}

TEST_CASE("encoding names follow form and length") {
  CHECK(encoding_name(StringValue::integer(5)) == std::string("int"));
  CHECK(encoding_name(StringValue::plain(std::string(44, 'x'))) == std::string("embstr"));
  CHECK(encoding_name(StringValue::plain(std::string(45, 'x'))) == std::string("raw"));
  CHECK(encoding_name(StringValue::raw("x")) == std::string("raw"));
}

TEST_CASE("an entry expires at its instant, not before") {
  const auto entry = plain("k", "v", Instant{1000});
  CHECK_FALSE(entry->expired(Instant{999}));
  CHECK(entry->expired(Instant{1000}));
  CHECK(entry->expired(Instant{1001}));
  CHECK_FALSE(plain("k", "v")->expired(Instant{std::numeric_limits<std::int64_t>::max()}));
}

TEST_CASE("an expiry changes in place only where there is room for one") {
  const auto with = plain("key", "value", Instant{1000});
  CHECK(with->set_expiry_in_place(Instant{2000}));
  CHECK(with->expiry() == Instant{2000});
  CHECK_FALSE(with->set_expiry_in_place(std::nullopt));
  CHECK(with->expiry() == Instant{2000});
  const auto without = plain("key", "value");
  CHECK(without->set_expiry_in_place(std::nullopt));
  CHECK_FALSE(without->set_expiry_in_place(Instant{1}));
  CHECK_FALSE(without->expiry().has_value());
  CHECK(text_in(*without) == "value");
}

TEST_CASE("assigning in place keeps key, expiry and access") {
  const auto entry = plain("key", "12345678", Instant{9});
  CHECK(entry->assign_in_place(StringValue::integer(-3)));
  CHECK(text_in(*entry) == "-3");
  CHECK(entry->assign_in_place(StringValue::raw("abcdefgh")));
  CHECK(entry->string().form == StringForm::Raw);
  CHECK(entry->assign_in_place(StringValue::plain("ABCDEFGH")));
  CHECK(entry->string().form == StringForm::Plain);
  CHECK(text_in(*entry) == "ABCDEFGH");
  CHECK(entry->key() == "key");
  CHECK(entry->expiry() == Instant{9});
  CHECK(entry->access() == 7);
}

TEST_CASE("assigning in place refuses what does not fit or wastes half") {
  const auto entry = plain("key", std::string(1000, 'x'));
  CHECK_FALSE(entry->assign_in_place(StringValue::plain(std::string(entry->memory(), 'y'))));
  CHECK_FALSE(entry->assign_in_place(StringValue::plain("short")));
  CHECK(text_in(*entry) == std::string(1000, 'x'));
  CHECK(entry->assign_in_place(StringValue::plain(std::string(900, 'z'))));
  CHECK(text_in(*entry) == std::string(900, 'z'));
}

TEST_CASE("an entry may be assigned from its own bytes") {
  const auto entry = plain("key", "0123456789abcdef");
  const ByteView own = entry->string().bytes;
  CHECK(entry->assign_in_place(StringValue::plain(own)));
  CHECK(text_in(*entry) == "0123456789abcdef");
  CHECK(entry->assign_in_place(StringValue::plain(own.substr(4, 10))));
  CHECK(text_in(*entry) == "456789abcd");
  CHECK(entry->overwrite_in_place(0, entry->string().bytes.substr(2, 8)));
  CHECK(text_in(*entry) == "6789abcdcd");
  CHECK(entry->overwrite_in_place(2, entry->string().bytes.substr(0, 8)));
  CHECK(text_in(*entry) == "676789abcd");
}

TEST_CASE("overwriting in place extends within the room and fills gaps with zeros") {
  const auto small = plain("k", "abc");
  const auto entry = small->copy_with_room(20);
  CHECK(entry->string().form == StringForm::Raw);
  CHECK(entry->access() == 7);
  CHECK(text_in(*entry) == "abc");
  CHECK(entry->overwrite_in_place(1, "XY"));
  CHECK(text_in(*entry) == "aXY");
  CHECK(entry->overwrite_in_place(5, "Z"));
  CHECK(text_in(*entry) == std::string("aXY\0\0Z", 6));
  CHECK(entry->overwrite_in_place(6, ByteView()));
  CHECK(entry->overwrite_in_place(8, ByteView()));
  CHECK(text_in(*entry) == std::string("aXY\0\0Z\0\0", 8));
  CHECK_FALSE(entry->overwrite_in_place(entry->memory(), "x"));
  CHECK(text_in(*entry) == std::string("aXY\0\0Z\0\0", 8));
}

TEST_CASE("a copy with room spells numbers out and keeps the expiry") {
  const auto number = Entry::make("n", StringValue::integer(-123), Instant{77}, 5);
  const auto copy = number->copy_with_room(2);  // less than the text needs
  CHECK(copy->string().form == StringForm::Raw);
  CHECK(text_in(*copy) == "-123");
  CHECK(copy->expiry() == Instant{77});
  CHECK(copy->access() == 5);
}

TEST_CASE("random overwrites agree with std::string") {
  magpie::testing::Random random(1);
  auto entry = plain("key", "", Instant{5});
  std::string model;
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t offset = random.below(model.size() + 20);
    const std::string bytes = random.bytes(random.below(30));
    if (random.one_in(200)) {
      entry = plain("key", bytes, Instant{5});
      model = bytes;
      continue;
    }
    if (!entry->overwrite_in_place(offset, bytes)) {
      entry = entry->copy_with_room(offset + bytes.size());
      REQUIRE(entry->overwrite_in_place(offset, bytes));
    }
    if (model.size() < offset + bytes.size()) model.resize(offset + bytes.size());
    model.replace(offset, bytes.size(), bytes);
    REQUIRE(entry->string().bytes == model);
    REQUIRE(entry->key() == "key");
    REQUIRE(entry->expiry() == Instant{5});
  }
}

TEST_CASE("memory of entries is counted and given back") {
  const std::int64_t before = magpie::engine::used_memory();
  {
    const auto entry = plain("key", std::string(1000, 'x'));
    CHECK(entry->memory() >= 1000);
    CHECK(magpie::engine::used_memory() - before == static_cast<std::int64_t>(entry->memory()));
  }
  CHECK(magpie::engine::used_memory() == before);
}
