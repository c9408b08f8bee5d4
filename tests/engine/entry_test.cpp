#include "server/engine/entry.h"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <memory>
#include <string>

#include "tests/engine/random.h"

using magpie::ByteView;
using magpie::Instant;
using magpie::engine::Entry;
using magpie::engine::EntryContent;
using magpie::engine::IntegerScratch;
using magpie::engine::StringForm;
using magpie::engine::StringValue;

namespace {

constexpr std::array<std::int64_t, 16> kNumbers = {0,
                                                   -1,
                                                   127,
                                                   128,
                                                   -128,
                                                   -129,
                                                   32'767,
                                                   32'768,
                                                   -32'768,
                                                   -32'769,
                                                   2'147'483'647,
                                                   2'147'483'648,
                                                   -2'147'483'648,
                                                   -2'147'483'649,
                                                   std::numeric_limits<std::int64_t>::min(),
                                                   std::numeric_limits<std::int64_t>::max()};

std::string text_in(const Entry& entry) {
  IntegerScratch scratch;
  return std::string(text_of(entry.string(), scratch));
}

/// An entry in memory of just its size, so that the sanitizers see a step beyond.
class Written {
 public:
  explicit Written(const EntryContent& content)
      : capacity_(Entry::size_of(content)),
        memory_(new char[capacity_]),
        entry_(Entry::write(memory_.get(), content)) {}
  Entry* operator->() const { return entry_; }
  Entry& operator*() const { return *entry_; }
  std::size_t capacity() const { return capacity_; }
  bool overwrite(std::size_t offset, ByteView bytes) { return entry_->overwrite_in_place(offset, bytes, capacity_); }

 private:
  std::size_t capacity_;
  std::unique_ptr<char[]> memory_;
  Entry* entry_;
};

Written plain(ByteView key, ByteView value, std::optional<Instant> expiry = {}, std::size_t room = 0) {
  return Written({key, StringValue::plain(value), expiry, room});
}

}  // namespace

TEST_CASE("an entry reads back what it was made of, in every form") {
  const std::string binary("a\0b\r\n\xff", 6);
  for (const std::string& key : {std::string(), std::string("k"), binary, std::string(5000, 'k')}) {
    for (const std::optional<Instant> expiry : {std::optional<Instant>(), std::optional<Instant>(Instant{-5}),
                                                std::optional<Instant>(Instant{1'700'000'000'000})}) {
      for (const std::string& value : {std::string(), binary, std::string(100'000, 'v')}) {
        for (const StringForm form : {StringForm::Plain, StringForm::Raw}) {
          const auto entry = Written({key, StringValue{form, 0, value}, expiry});
          CHECK(entry->key() == key);
          CHECK(entry->string().form == form);
          CHECK(text_in(*entry) == value);
          CHECK(entry->expiry() == expiry);
          CHECK(entry->size() == entry.capacity());
        }
      }
      for (const std::int64_t number : kNumbers) {
        const auto entry = Written({key, StringValue::integer(number), expiry});
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

TEST_CASE("an entry expires behind its instant") {
  const auto entry = plain("k", "v", Instant{1000});
  CHECK_FALSE(entry->expired(Instant{1000}));
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

TEST_CASE("an entry of a short key and value has three bytes beside them, five more with an expiry of this age") {
  CHECK(plain("0123456789abcdef", std::string(32, 'v'))->size() == 3 + 48);
  CHECK(plain("0123456789abcdef", std::string(32, 'v'), Instant{1'800'000'000'000})->size() == 8 + 48);
  CHECK(Written({"k", StringValue::integer(-128)})->size() == 3 + 1 + 1);
  CHECK(Written({"k", StringValue::integer(40'000)})->size() == 3 + 1 + 4);
}

TEST_CASE("no entry begins with a byte that stands for something else") {
  for (const std::size_t size : {std::size_t{1}, std::size_t{300}}) {
    for (const std::int64_t expiry : {std::int64_t{1}, std::int64_t{1'800'000'000'000}}) {
      for (const StringForm form : {StringForm::Plain, StringForm::Raw}) {
        const std::string text(size, 'x');
        const Written entry({text, StringValue{form, 0, text}, Instant{expiry}});
        entry->set_in_own_block();
        CHECK(entry->in_own_block());
        CHECK(*reinterpret_cast<const unsigned char*>(&*entry) < Entry::kNoEntry);
        CHECK(entry->key() == text);
        CHECK(text_in(*entry) == text);
      }
    }
  }
}

TEST_CASE("expiries beyond what five bytes hold are exact too") {
  for (const std::int64_t ms :
       {std::int64_t{1'577'836'799'999}, std::int64_t{1'577'836'800'000},
        std::int64_t{1'577'836'800'000 + (std::int64_t{1} << 40) - 1},
        std::int64_t{1'577'836'800'000 + (std::int64_t{1} << 40)}, std::numeric_limits<std::int64_t>::max()}) {
    CHECK(plain("k", "v", Instant{ms})->expiry() == Instant{ms});
  }
  const auto near = plain("k", "v", Instant{1'800'000'000'000});
  CHECK_FALSE(near->set_expiry_in_place(Instant{5}));
  CHECK(near->expiry() == Instant{1'800'000'000'000});
}

TEST_CASE("assigning in place keeps key and expiry") {
  const auto entry = plain("key", "12345678", Instant{9});
  CHECK(entry->assign_in_place(StringValue::integer(std::numeric_limits<std::int64_t>::min())));
  CHECK(text_in(*entry) == "-9223372036854775808");
  CHECK(entry->assign_in_place(StringValue::raw("abcdefgh")));
  CHECK(entry->string().form == StringForm::Raw);
  CHECK(entry->assign_in_place(StringValue::plain("ABCDEFGH")));
  CHECK(entry->string().form == StringForm::Plain);
  CHECK(text_in(*entry) == "ABCDEFGH");
  CHECK(entry->key() == "key");
  CHECK(entry->expiry() == Instant{9});
}

TEST_CASE("assigning in place refuses another size") {
  const auto entry = plain("key", "12345678");
  CHECK_FALSE(entry->assign_in_place(StringValue::plain("1234567")));
  CHECK_FALSE(entry->assign_in_place(StringValue::plain("123456789")));
  CHECK_FALSE(entry->assign_in_place(StringValue::integer(1)));
  CHECK(text_in(*entry) == "12345678");
}

TEST_CASE("an entry may be changed from its own bytes") {
  auto entry = plain("key", "0123456789abcdef");
  const ByteView own = entry->string().bytes;
  CHECK(entry->assign_in_place(StringValue::plain(own)));
  CHECK(text_in(*entry) == "0123456789abcdef");
  CHECK(entry.overwrite(0, own.substr(2, 8)));
  CHECK(text_in(*entry) == "2345678989abcdef");
  CHECK(entry.overwrite(2, own.substr(0, 8)));
  CHECK(text_in(*entry) ==
        "232345678"
        "9abcdef");
}

TEST_CASE("overwriting in place extends within the room and fills gaps with zeros") {
  auto entry = plain("k", "abc", {}, 20);
  CHECK(entry.overwrite(1, "XY"));
  CHECK(entry->string().form == StringForm::Raw);
  CHECK(text_in(*entry) == "aXY");
  CHECK(entry.overwrite(5, "Z"));
  CHECK(text_in(*entry) == std::string("aXY\0\0Z", 6));
  CHECK(entry.overwrite(6, ByteView()));
  CHECK(entry.overwrite(8, ByteView()));
  CHECK(text_in(*entry) == std::string("aXY\0\0Z\0\0", 8));
  CHECK_FALSE(entry.overwrite(20, "x"));
  CHECK(entry.overwrite(19, "x"));
}

TEST_CASE("a short length does not grow beyond what its byte can say") {
  const std::string text(255, 'x');
  const Written entry({"k", StringValue::plain(text)});
  CHECK_FALSE(entry->overwrite_in_place(255, "y", 1000));
  CHECK(text_in(*entry) == text);
}

TEST_CASE("random overwrites agree with std::string") {
  magpie::testing::Random random(1);
  std::string model;
  std::unique_ptr<Written> entry = std::make_unique<Written>(plain("key", "", Instant{5}));
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t offset = random.below(model.size() + 20);
    const std::string bytes = random.bytes(random.below(30));
    if (random.one_in(200)) {
      entry = std::make_unique<Written>(plain("key", bytes, Instant{5}));
      model = bytes;
      continue;
    }
    if (!entry->overwrite(offset, bytes)) {
      const std::size_t room = offset + bytes.size() + random.below(10);
      entry = std::make_unique<Written>(EntryContent{"key", StringValue::raw(model), Instant{5}, room});
      REQUIRE(entry->overwrite(offset, bytes));
    }
    if (model.size() < offset + bytes.size()) model.resize(offset + bytes.size());
    model.replace(offset, bytes.size(), bytes);
    REQUIRE((*entry)->string().bytes == model);
    REQUIRE((*entry)->key() == "key");
    REQUIRE((*entry)->expiry() == Instant{5});
  }
}
