#pragma once

#include <string>

#include "protocol/reply_reader.h"

namespace magpie::resp {

inline bool same(const Reply& left, const Reply& right) {
  if (left.type != right.type || left.integer != right.integer || left.text != right.text) return false;
  if (left.elements.size() != right.elements.size()) return false;
  for (std::size_t index = 0; index < left.elements.size(); ++index) {
    if (!same(left.elements[index], right.elements[index])) return false;
  }
  return true;
}

/// A reply as RESP3 bytes, by code that shares nothing with the writer.
inline std::string encode(const Reply& reply) {
  using Type = Reply::Type;
  const auto blob = [&](char type) { return type + std::to_string(reply.text.size()) + "\r\n" + reply.text + "\r\n"; };
  const auto aggregate = [&](char type, std::size_t count) {
    std::string bytes = type + std::to_string(count) + "\r\n";
    for (const auto& element : reply.elements) bytes += encode(element);
    return bytes;
  };
  switch (reply.type) {
    case Type::Simple:
      return "+" + reply.text + "\r\n";
    case Type::Error:
      return "-" + reply.text + "\r\n";
    case Type::Integer:
      return ":" + std::to_string(reply.integer) + "\r\n";
    case Type::Bulk:
      return blob('$');
    case Type::Null:
      return "_\r\n";
    case Type::Array:
      return aggregate('*', reply.elements.size());
    case Type::Map:
      return aggregate('%', reply.elements.size() / 2);
    case Type::Set:
      return aggregate('~', reply.elements.size());
    case Type::Push:
      return aggregate('>', reply.elements.size());
    case Type::Attribute:
      return aggregate('|', reply.elements.size() / 2);
    case Type::Boolean:
      return reply.integer != 0 ? "#t\r\n" : "#f\r\n";
    case Type::Real:
      return "," + reply.text + "\r\n";
    case Type::BigNumber:
      return "(" + reply.text + "\r\n";
    case Type::BlobError:
      return blob('!');
    case Type::Verbatim:
      return blob('=');
  }
  return {};
}

}  // namespace magpie::resp
