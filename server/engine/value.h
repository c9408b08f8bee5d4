#pragma once

#include <cstddef>
#include <cstdint>

#include "protocol/bytes.h"
#include "server/engine/list_view.h"
#include "server/engine/string_value.h"

namespace magpie::engine {

/// What commands call the type of a value.
enum class ValueType : std::uint8_t { String, List };

/// How an entry keeps a value. The first ones are those of StringForm; a value that is too large to lie in the entry is
/// an Object, of any type, elsewhere.
enum class ValueForm : std::uint8_t { Integer, Plain, Raw, PackedList, Object = 7 };
static_assert(static_cast<ValueForm>(StringForm::Integer) == ValueForm::Integer &&
              static_cast<ValueForm>(StringForm::Plain) == ValueForm::Plain &&
              static_cast<ValueForm>(StringForm::Raw) == ValueForm::Raw);

/// A value on its way into an entry, or borrowed from one. Everything is borrowed.
struct Value {
  Value(const StringValue& string)  // NOLINT(google-explicit-constructor): a string is a value
      : form(static_cast<ValueForm>(string.form)), number(string.number), bytes(string.bytes) {}
  Value(const ListView& view)  // NOLINT(google-explicit-constructor): and so is a list
      : form(view.large() != nullptr ? ValueForm::Object : ValueForm::PackedList),
        count(view.large() != nullptr ? 0 : static_cast<std::uint8_t>(view.packed().count())),
        bytes(view.packed().bytes()),
        list(view.large()) {}

  ValueType type() const { return form <= ValueForm::Raw ? ValueType::String : ValueType::List; }
  /// For one of that type only.
  StringValue as_string() const { return {static_cast<StringForm>(form), number, bytes}; }
  ListView as_list() const { return list != nullptr ? ListView(*list) : ListView(PackedView(bytes, count)); }

  ValueForm form;
  std::uint8_t count = 0;  // PackedList: elements
  std::int64_t number = 0;  // Integer
  ByteView bytes;  // Plain, Raw, PackedList
  const List* list = nullptr;  // Object
};

/// As TYPE says it.
inline const char* type_name(ValueType type) { return type == ValueType::String ? "string" : "list"; }
}  // namespace magpie::engine
