// How effects become bytes; effect_decoder.cpp is the other way.

#include <type_traits>

#include "protocol/varint.h"
#include "server/engine/effect_codec.h"
#include "server/engine/effect_wire.h"

namespace magpie::engine {
namespace {

using Kind = EffectKind;
using Form = ValueCode;

constexpr std::size_t kFixed = 64;  // more than a kind and the numbers of any effect but lengths of elements

/// Calls visit(PackedView) for each run of a list.
template <class Visit>
void visit_runs(const ListView& list, Visit&& visit) {
  for (std::size_t index = 0; index < list.size();) {
    const List::Place place = list.find(index);
    visit(place.run);
    index += place.run.count() - place.index;
  }
}

std::size_t bound(const Value& value) {
  if (value.type() == ValueType::String) return value.bytes.size();
  std::size_t sum = 0;
  visit_runs(value.as_list(), [&](const PackedView& run) { sum += kMostVarintBytes + run.bytes().size(); });
  return sum;
}

std::size_t bound(const Put& effect) { return effect.key.bytes.size() + bound(effect.value); }
std::size_t bound(const Overwrite& effect) { return effect.key.bytes.size() + effect.bytes.size(); }
std::size_t bound(const ListPush& effect) {
  std::size_t sum = effect.key.bytes.size();
  for (const ByteView element : effect.elements) sum += kMostVarintBytes + element.size();
  return sum;
}
std::size_t bound(const ListSet& effect) { return effect.key.bytes.size() + effect.element.size(); }
std::size_t bound(const ListInsert& effect) { return effect.key.bytes.size() + effect.element.size(); }
std::size_t bound(const Erase& effect) { return effect.key.bytes.size(); }
std::size_t bound(const SetExpiry& effect) { return effect.key.bytes.size(); }
std::size_t bound(const ListErase& effect) { return effect.key.bytes.size(); }
std::size_t bound(const Flush&) { return 0; }
std::size_t bound(const SwapDb&) { return 0; }

/// Writes without looking whether there is room.
class Writer {
 public:
  explicit Writer(char* to) : at_(to) {}
  char* at() const { return at_; }

  template <class Code>
    requires std::is_enum_v<Code>
  void code(Code code) {
    *at_++ = static_cast<char>(code);
  }
  void number(std::uint64_t number) { at_ = put_varint(at_, number); }
  void signed_number(std::int64_t number) { at_ = put_varint(at_, zigzag(number)); }
  void bytes(ByteView bytes) {
    number(bytes.size());
    at_ = put_bytes(at_, bytes);
  }
  void head(Kind kind, Db db, const Key& key) {
    code(kind);
    number(index_of(db));
    bytes(key.bytes);
  }
  void expiry(std::optional<Instant> expiry) {
    number(expiry ? 1 : 0);
    if (expiry) signed_number(expiry->ms);
  }
  void string_head(const Value& value) {
    code(value.form == ValueForm::Plain ? Form::Plain : Form::Raw);
    number(value.bytes.size());
  }
  void value(const Value& value) {
    switch (value.form) {
      case ValueForm::Integer:
        code(Form::Integer);
        return signed_number(value.number);
      case ValueForm::Plain:
      case ValueForm::Raw:
        string_head(value);
        at_ = put_bytes(at_, value.bytes);
        return;
      case ValueForm::PackedList:
        code(Form::PackedList);
        return bytes(value.bytes);
      case ValueForm::Object:
        code(Form::List);
        break;
    }
    std::size_t runs = 0;
    visit_runs(value.as_list(), [&](const PackedView&) { ++runs; });
    number(runs);
    visit_runs(value.as_list(), [&](const PackedView& run) { bytes(run.bytes()); });
  }

 private:
  char* at_;
};

void write(Writer& to, const Put& effect) {
  to.head(Kind::Put, effect.db, effect.key);
  to.expiry(effect.expiry);
  to.value(effect.value);
}
void write(Writer& to, const Overwrite& effect) {
  to.head(Kind::Overwrite, effect.db, effect.key);
  to.number(effect.offset);
  to.bytes(effect.bytes);
}
void write(Writer& to, const Erase& effect) {
  to.head(Kind::Erase, effect.db, effect.key);
  to.code(effect.reason);
}
void write(Writer& to, const SetExpiry& effect) {
  to.head(Kind::SetExpiry, effect.db, effect.key);
  to.expiry(effect.expiry);
}
void write(Writer& to, const ListPush& effect) {
  to.head(Kind::ListPush, effect.db, effect.key);
  to.code(effect.end);
  to.number(effect.elements.size());
  for (const ByteView element : effect.elements) to.bytes(element);
}
void write(Writer& to, const ListSet& effect) {
  to.head(Kind::ListSet, effect.db, effect.key);
  to.number(effect.index);
  to.bytes(effect.element);
}
void write(Writer& to, const ListInsert& effect) {
  to.head(Kind::ListInsert, effect.db, effect.key);
  to.number(effect.index);
  to.bytes(effect.element);
}
void write(Writer& to, const ListErase& effect) {
  to.head(Kind::ListErase, effect.db, effect.key);
  to.number(effect.first);
  to.number(effect.count);
}
void write(Writer& to, const Flush& effect) {
  to.code(Kind::Flush);
  to.number(effect.db ? std::uint64_t{index_of(*effect.db)} + 1 : 0);
}
void write(Writer& to, const SwapDb& effect) {
  to.code(Kind::SwapDb);
  to.number(index_of(effect.first));
  to.number(index_of(effect.second));
}

}  // namespace

std::size_t encoded_bound(const Effect& effect) {
  return kFixed + std::visit([](const auto& one) { return bound(one); }, effect);
}

char* encode(const Effect& effect, char* to) {
  Writer writer(to);
  std::visit([&](const auto& one) { write(writer, one); }, effect);
  return writer.at();
}

}  // namespace magpie::engine
