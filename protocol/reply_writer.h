#pragma once

#include <cstddef>
#include <cstdint>

#include "protocol/byte_buffer.h"
#include "protocol/bytes.h"

namespace magpie::resp {

enum class Version : std::uint8_t { Resp2 = 2, Resp3 = 3 };

/// Appends replies to a buffer, in the form that the connection's protocol version asks for (a map is a flat array in
/// RESP2, a double a bulk string, and so on, as redis-server does it). Does not own the buffer. Aggregates announce
/// their number of elements; the caller then writes exactly that many.
class ReplyWriter {
 public:
  ReplyWriter(ByteBuffer& out, Version version) : out_(&out), version_(version) {}

  Version version() const { return version_; }
  void set_version(Version version) { version_ = version; }
  ByteBuffer& buffer() { return *out_; }

  void ok();                          // +OK
  void simple(ByteView text);         // +text, no CR or LF in it
  void error(ByteView text);          // -text ("ERR ..."); CR and LF become spaces
  void integer(std::int64_t value);   // :n
  void bulk(ByteView bytes);          // $n
  void null();                        // $-1 or _
  void null_array();                  // *-1 or _
  void array(std::size_t count);      // *n
  void map(std::size_t pairs);        // *2n or %n
  void set(std::size_t count);        // *n or ~n
  void push(std::size_t count);       // *n or >n
  void attribute(std::size_t pairs);  // RESP3 only; in RESP2 the caller must not send one
  void boolean(bool value);           // :1/:0 or #t/#f
  void real(double value);            // $ "%.17g" or , ; inf, -inf, nan as Redis spells them
  void big_number(ByteView digits);   // $ or (
  void verbatim(ByteView format3, ByteView text);  // $ or =n\r\ntxt:...

 private:
  void header(char type, std::int64_t value);

  ByteBuffer* out_;
  Version version_;
};

}  // namespace magpie::resp
