#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "server/engine/entry.h"

namespace magpie::testing {

inline constexpr std::size_t kShortLength = 255;  // the most that a length of one byte says
inline constexpr std::int64_t kNearFrom = 1'577'836'800'000;  // an expiry of five bytes is from here on
inline constexpr std::int64_t kNearRange = std::int64_t{1} << 40;

inline bool is_near(Instant expiry) { return expiry.ms >= kNearFrom && expiry.ms < kNearFrom + kNearRange; }

/// What the bytes of a fuzzer's input stand for; behind its end they are zeros.
class Script {
 public:
  Script(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}

  bool done() const { return left_ == 0; }
  unsigned byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  /// Of some bytes, with their sign.
  std::int64_t number() {
    constexpr unsigned kBits = 64;
    const unsigned bytes = 1 + byte() % 8;
    std::uint64_t number = 0;
    for (unsigned i = 0; i < bytes; ++i) number = number << 8 | byte();
    const unsigned unused = kBits - 8 * bytes;
    return static_cast<std::int64_t>(number << unused) >> unused;
  }
  std::size_t size() {
    constexpr std::array<std::size_t, 16> kSizes = {0,   1,   253, 254, 255, 256, 257,  300,
                                                    480, 490, 500, 507, 508, 509, 1000, 5000};
    const unsigned choice = byte();
    return choice < 224 ? choice : kSizes[choice % kSizes.size()];
  }
  std::string text(std::size_t size) {
    const unsigned first = byte();
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(first + i * 7);
    return text;
  }
  std::string text() { return text(size()); }
  std::optional<Instant> expiry() {
    constexpr std::array<std::int64_t, 8> kEdges = {std::numeric_limits<std::int64_t>::min(),
                                                    -1,
                                                    0,
                                                    kNearFrom - 1,
                                                    kNearFrom,
                                                    kNearFrom + kNearRange - 1,
                                                    kNearFrom + kNearRange,
                                                    std::numeric_limits<std::int64_t>::max()};
    const unsigned choice = byte();
    if (choice % 4 == 0) return std::nullopt;
    if (choice % 4 == 1) return Instant{kEdges[choice / 4 % kEdges.size()]};
    if (choice % 4 == 2) return Instant{number()};
    return Instant{kNearFrom + (number() & (kNearRange - 1))};
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

/// A value, kept the plain way.
struct ModelValue {
  engine::ValueForm form = engine::ValueForm::Plain;
  std::int64_t number = 0;
  std::string text = {};
  std::vector<std::string> elements = {};

  bool is_list() const { return form == engine::ValueForm::PackedList || form == engine::ValueForm::Object; }
  /// Bytes that it takes in an entry.
  std::size_t stored_size() const {
    if (form == engine::ValueForm::Object) return 1 + sizeof(void*);
    if (form == engine::ValueForm::Integer) {
      for (const unsigned bytes : {1U, 2U, 4U}) {
        const std::int64_t limit = std::int64_t{1} << (8 * bytes - 1);
        if (number >= -limit && number < limit) return bytes;
      }
      return 8;
    }
    if (form != engine::ValueForm::PackedList) return text.size();
    std::size_t size = 1;
    for (const std::string& element : elements)
      size += engine::PackedRun::encoded_size(engine::StringValue::compact(element));
    return size;
  }
};

inline ModelValue value_from(Script& script) {
  ModelValue value;
  const unsigned choice = script.byte();
  switch (choice % 5) {
    case 0:
      value.form = engine::ValueForm::Integer;
      value.number = script.number();
      return value;
    case 1:
    case 2:
      value.form = choice % 5 == 1 ? engine::ValueForm::Plain : engine::ValueForm::Raw;
      value.text = script.text();
      return value;
    default:
      break;
  }
  value.form = choice % 5 == 3 ? engine::ValueForm::PackedList : engine::ValueForm::Object;
  const std::array<std::string, 2> elements = {script.text(script.byte() % 64), std::to_string(script.number())};
  value.elements.resize(1 + script.byte() % 255);
  for (std::size_t i = 0; i < value.elements.size(); ++i) value.elements[i] = elements[i % 2];
  return value;
}

/// A model's value as the engine is given it: with what that borrows.
class Given {
 public:
  explicit Given(const ModelValue& from) : from_(from) {
    if (from.form == engine::ValueForm::PackedList) {
      for (const std::string& element : from.elements) run_.push_back(engine::StringValue::compact(element));
    } else if (from.form == engine::ValueForm::Object) {
      for (const std::string& element : from.elements) list_.push_back(element);
    }
  }
  engine::Value value() const {
    if (from_.form == engine::ValueForm::Integer) return engine::StringValue::integer(from_.number);
    if (from_.form == engine::ValueForm::PackedList) return engine::ListView(run_.view());
    if (from_.form == engine::ValueForm::Object) return engine::ListView(list_);
    return engine::StringValue{static_cast<engine::StringForm>(from_.form), 0, from_.text};
  }

 private:
  const ModelValue& from_;
  engine::PackedRun run_;
  engine::List list_;
};

/// An entry, kept the plain way, and what its layout follows from.
struct ModelEntry {
  std::string key;
  ModelValue value;
  std::optional<Instant> expiry;
  std::size_t room = 0;  // when it was written
  bool wide_expiry = false;
  bool long_value = false;

  /// It is written anew.
  void lay_out() {
    wide_expiry = expiry && !is_near(*expiry);
    long_value = std::max(value.stored_size(), room) > kShortLength;
  }
  std::size_t value_at() const {
    const std::size_t lengths = (key.size() > kShortLength ? 4 : 1) + (long_value ? 4 : 1);
    return 1 + lengths + (expiry ? (wide_expiry ? 8 : 5) : 0) + key.size();
  }
  std::size_t size() const { return value_at() + value.stored_size(); }
  std::size_t written_size() const { return value_at() + std::max(value.stored_size(), room); }
};

}  // namespace magpie::testing
