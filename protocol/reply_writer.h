#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "protocol/bytes.h"
#include "protocol/numbers.h"
#include "protocol/output_buffer.h"

namespace magpie::resp {

enum class Version : std::uint8_t { Resp2 = 2, Resp3 = 3 };

/// Appends replies to a buffer, in the form that the connection's protocol version asks for (a map is a flat array in
/// RESP2, a double a bulk string, and so on, as redis-server does it). Does not own the buffer. Aggregates announce
/// their number of elements; the caller then writes exactly that many.
class ReplyWriter {
 public:
  ReplyWriter(OutputBuffer& out, Version version) : out_(&out), version_(version) {}

  Version version() const { return version_; }
  void set_version(Version version) { version_ = version; }
  OutputBuffer& buffer() { return *out_; }

  void ok();                                       // +OK
  void simple(ByteView text);                      // +text, no CR or LF in it
  void error(ByteView text);                       // -text ("ERR ..."); CR and LF become spaces, trailing ones go
  void integer(std::int64_t value);                // :n
  void bulk(ByteView bytes);                       // $n
  void shared_bulk(SharedBytes bytes);             // the same, not copied; at least one byte
  void null();                                     // $-1 or _
  void null_array();                               // *-1 or _
  void array(std::size_t count);                   // *n
  void map(std::size_t pairs);                     // *2n or %n
  void set(std::size_t count);                     // *n or ~n
  void push(std::size_t count);                    // *n or >n
  void attribute(std::size_t pairs);               // RESP3 only; in RESP2 the caller must not send one
  void boolean(bool value);                        // :1/:0 or #t/#f
  void real(double value);                         // $ "%.17g" or , ; inf, -inf, nan, -nan as Redis spells them
  void big_number(ByteView digits);                // $ or (
  void verbatim(ByteView format3, ByteView text);  // $ or =n\r\ntxt:...; format3 is cut or padded to 3 bytes

 private:
  static constexpr std::size_t kHeader = 1 + kIntegerDigits + 2;  // type, number, "\r\n"
  static constexpr std::size_t kSmallBulk = 1000;                 // up to here room may be reserved too generously

  static char* end_line(char* at) {
    std::memcpy(at, "\r\n", 2);
    return at + 2;
  }
  /// Writes type, number and line end to `at` (kHeader bytes) and returns where it stopped.
  static char* write_header(char type, std::int64_t value, char* at);
  void header(char type, std::int64_t value);
  void line(char type, ByteView text);
  ByteBuffer& own() { return out_->own(); }
  void literal(ByteView text) { own().append(text); }
  void large_bulk(ByteView bytes);

  OutputBuffer* out_;
  Version version_;
};

// The replies of GET, SET and INCR, inline: a reserve and a few stores each.

inline char* ReplyWriter::write_header(char type, std::int64_t value, char* at) {
  *at++ = type;
  if (static_cast<std::uint64_t>(value) < 10) {
    *at++ = static_cast<char>('0' + value);
  } else if (static_cast<std::uint64_t>(value) < 100) {
    *at++ = static_cast<char>('0' + value / 10);
    *at++ = static_cast<char>('0' + value % 10);
  } else {
    at += format_integer(value, at);
  }
  return end_line(at);
}

inline void ReplyWriter::header(char type, std::int64_t value) {
  char* const start = own().reserve(kHeader);
  own().commit(static_cast<std::size_t>(write_header(type, value, start) - start));
}

inline void ReplyWriter::ok() { literal("+OK\r\n"); }

inline void ReplyWriter::integer(std::int64_t value) { header(':', value); }

inline void ReplyWriter::null() {
  if (version_ == Version::Resp2) return literal("$-1\r\n");  // a known size each: a store, not a copy loop
  literal("_\r\n");
}

inline void ReplyWriter::array(std::size_t count) { header('*', static_cast<std::int64_t>(count)); }

inline void ReplyWriter::bulk(ByteView bytes) {
  if (bytes.size() > kSmallBulk) return large_bulk(bytes);
  char* const start = own().reserve(kHeader + bytes.size() + 2);
  char* at = write_header('$', static_cast<std::int64_t>(bytes.size()), start);
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  at = end_line(at + bytes.size());
  own().commit(static_cast<std::size_t>(at - start));
}

}  // namespace magpie::resp
