// How bytes from outside become effects, or errors.

#include <utility>

#include "protocol/varint.h"
#include "server/engine/effect_codec.h"
#include "server/engine/effect_wire.h"

namespace magpie::engine {

namespace {
constexpr std::uint64_t kMostOffset = std::uint64_t{1} << 31;  // in a string

bool is_of_key(EffectKind kind) { return kind >= EffectKind::Put && kind <= EffectKind::ListErase; }
}  // namespace

/// Reads the parts of an effect. What is wrong latches: then everything reads as zero.
class EffectDecoder::Reader {
 public:
  Reader(ByteView from, std::uint32_t databases) : from_(from), databases_(databases) {}
  ByteView rest() const { return from_; }
  const char* wrong() const { return wrong_; }
  void fail(const char* why) {
    if (wrong_ == nullptr) wrong_ = why;
    from_ = {};
  }

  std::uint64_t number() {
    const std::optional<std::uint64_t> number = take_varint(from_);
    if (!number) fail("a number is cut off or too large");
    return number.value_or(0);
  }
  std::int64_t signed_number() { return from_zigzag(number()); }
  std::uint64_t number_up_to(std::uint64_t most, const char* why) {
    const std::uint64_t number = this->number();
    if (number <= most) return number;
    fail(why);
    return 0;
  }
  Db database() {
    return Db{static_cast<std::uint32_t>(number_up_to(databases_ - 1, "there is no database of this number"))};
  }
  /// The database of a Flush.
  std::optional<Db> database_or_all() {
    const std::uint64_t number = number_up_to(databases_, "there is no such database");
    if (number == 0) return std::nullopt;
    return Db{static_cast<std::uint32_t>(number - 1)};
  }
  std::uint8_t code() {
    if (from_.empty()) {
      fail("it is cut off");
      return 0;
    }
    const auto code = static_cast<std::uint8_t>(from_.front());
    from_.remove_prefix(1);
    return code;
  }
  template <class Code>
  Code code_up_to(Code last, const char* why) {
    const std::uint8_t code = this->code();
    if (code <= static_cast<std::uint8_t>(last)) return Code{code};
    fail(why);
    return Code{};
  }
  ByteView bytes() {
    const std::uint64_t size = number();
    if (size > from_.size()) {
      fail("bytes are cut off");
      return {};
    }
    const ByteView bytes = from_.substr(0, size);
    from_.remove_prefix(size);
    return bytes;
  }
  std::optional<Instant> expiry() {
    if (number_up_to(1, "an expiry is neither there nor missing") == 0) return std::nullopt;
    return Instant{signed_number()};
  }

 private:
  ByteView from_;
  std::uint32_t databases_;
  const char* wrong_ = nullptr;
};

namespace {
const StringValue kNoValue = StringValue::plain({});  // where reading has failed
}  // namespace

Value EffectDecoder::read_packed_list(Reader& reader) {
  std::optional<PackedRun> run = PackedRun::decode(reader.bytes());
  if (!run || run->empty()) {
    reader.fail("a run of a list is not one");
  } else if (run->bytes().size() > kPackedListMost) {
    reader.fail("a packed list is too large");
  }
  if (reader.wrong() != nullptr) return kNoValue;
  run_ = std::move(*run);
  return ListView(run_.view());
}

Value EffectDecoder::read_list(Reader& reader) {
  list_ = List();
  const std::uint64_t runs = reader.number();
  if (runs == 0) reader.fail("a list has no elements");
  for (std::uint64_t number = 0; number < runs && reader.wrong() == nullptr; ++number) {
    std::optional<PackedRun> run = PackedRun::decode(reader.bytes());
    if (!run || run->empty()) {
      reader.fail("a run of a list is not one");
    } else if (number == 0) {
      list_ = List(std::move(*run));
    } else {
      IntegerScratch scratch;
      for (std::size_t at = 0; at < run->bytes().size(); at = run->view().next(at)) {
        list_.push_back(text_of(run->view().value_at(at), scratch));
      }
    }
  }
  if (reader.wrong() != nullptr) return kNoValue;
  return ListView(list_);
}

Value EffectDecoder::read_value(Reader& reader) {
  switch (static_cast<ValueCode>(reader.code())) {
    case ValueCode::Integer:
      return StringValue::integer(reader.signed_number());
    case ValueCode::Plain:
      return StringValue::plain(reader.bytes());
    case ValueCode::Raw:
      return StringValue::raw(reader.bytes());
    case ValueCode::PackedList:
      return read_packed_list(reader);
    case ValueCode::List:
      return read_list(reader);
  }
  reader.fail("its value has a form that is not known");
  return kNoValue;
}

std::span<const ByteView> EffectDecoder::read_elements(Reader& reader) {
  const std::uint64_t count = reader.number_up_to(reader.rest().size(), "it has more elements than bytes");
  if (count == 0) reader.fail("it pushes nothing");
  elements_.clear();
  for (std::uint64_t i = 0; i < count && reader.wrong() == nullptr; ++i) elements_.push_back(reader.bytes());
  return elements_;
}

/// The rest of an effect on one key. What stands in braces is read from left to right.
Effect EffectDecoder::read_of_key(EffectKind kind, const Place& place, Reader& reader) {
  const auto& [db, key] = place;
  switch (kind) {
    case EffectKind::Overwrite:
      return Overwrite{db, key, reader.number_up_to(kMostOffset, "it writes too far into a string"), reader.bytes()};
    case EffectKind::Erase:
      return Erase{db, key, reader.code_up_to(EraseReason::Evicted, "a reason is not known")};
    case EffectKind::SetExpiry:
      return SetExpiry{db, key, reader.expiry()};
    case EffectKind::ListPush:
      return ListPush{db, key, reader.code_up_to(ListEnd::Back, "an end of a list is not known"),
                      read_elements(reader)};
    case EffectKind::ListSet:
      return ListSet{db, key, reader.number(), reader.bytes()};
    case EffectKind::ListInsert:
      return ListInsert{db, key, reader.number(), reader.bytes()};
    case EffectKind::ListErase:
      return ListErase{db, key, reader.number(), reader.number()};
    default:
      const std::optional<Instant> expiry = reader.expiry();
      return Put{db, key, read_value(reader), expiry};
  }
}

std::optional<EffectDecoder::Place> EffectDecoder::look_at(ByteView from) const {
  Reader reader(from, databases_);
  if (!is_of_key(static_cast<EffectKind>(reader.code()))) return std::nullopt;
  const Db db = reader.database();
  const ByteView key = reader.bytes();
  if (reader.wrong() != nullptr) return std::nullopt;
  return Place{db, Key::of(key)};
}

std::expected<Effect, std::string> EffectDecoder::take(ByteView& from, const Place* known) {
  Reader reader(from, databases_);
  const auto kind = static_cast<EffectKind>(reader.code());
  Effect effect = Flush{};
  if (is_of_key(kind)) {
    const Db db = reader.database();
    const ByteView key = reader.bytes();
    effect = read_of_key(kind, known != nullptr ? *known : Place{db, Key::of(key)}, reader);
  } else if (kind == EffectKind::Flush) {
    effect = Flush{reader.database_or_all()};
  } else if (kind == EffectKind::SwapDb) {
    effect = SwapDb{reader.database(), reader.database()};
  } else {
    reader.fail("it is of a kind that is not known");
  }
  if (reader.wrong() != nullptr) return std::unexpected(std::string("an effect cannot be read: ") + reader.wrong());
  from = reader.rest();
  return effect;
}

}  // namespace magpie::engine
