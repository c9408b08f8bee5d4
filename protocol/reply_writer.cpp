#include "protocol/reply_writer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace magpie::resp {

void ReplyWriter::line(char type, ByteView text) {
  char* at = own().reserve(text.size() + 3);
  *at++ = type;
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  end_line(at + text.size());
  own().commit(text.size() + 3);
}

void ReplyWriter::simple(ByteView text) { line('+', text); }

void ReplyWriter::error(ByteView text) {
  while (text.ends_with('\r') || text.ends_with('\n')) text.remove_suffix(1);
  line('-', text);
  char* const end = own().data() + own().size() - 2;
  std::replace_if(end - text.size(), end, [](char byte) { return byte == '\r' || byte == '\n'; }, ' ');
}

void ReplyWriter::null_array() { literal(version_ == Version::Resp2 ? "*-1\r\n" : "_\r\n"); }

void ReplyWriter::map(std::size_t pairs) {
  if (version_ == Version::Resp2) return array(pairs * 2);
  header('%', static_cast<std::int64_t>(pairs));
}

void ReplyWriter::set(std::size_t count) {
  header(version_ == Version::Resp2 ? '*' : '~', static_cast<std::int64_t>(count));
}

void ReplyWriter::push(std::size_t count) {
  header(version_ == Version::Resp2 ? '*' : '>', static_cast<std::int64_t>(count));
}

void ReplyWriter::attribute(std::size_t pairs) { header('|', static_cast<std::int64_t>(pairs)); }

void ReplyWriter::boolean(bool value) {
  if (version_ == Version::Resp2) return integer(value ? 1 : 0);
  literal(value ? "#t\r\n" : "#f\r\n");
}

void ReplyWriter::real(double value) {
  std::array<char, kDoubleChars> digits;
  const ByteView text(digits.data(), format_double(value, digits.data()));
  if (version_ == Version::Resp2) return bulk(text);
  line(',', text);
}

void ReplyWriter::big_number(ByteView digits) {
  if (version_ == Version::Resp2) return bulk(digits);
  line('(', digits);
}

void ReplyWriter::verbatim(ByteView format3, ByteView text) {
  if (version_ == Version::Resp2) return bulk(text);
  constexpr std::size_t kPrefix = 4;  // "txt:"
  char* const start = own().reserve(kHeader + kPrefix + text.size() + 2);
  char* at = write_header('=', static_cast<std::int64_t>(text.size() + kPrefix), start);
  std::memcpy(at, "   :", kPrefix);
  std::ranges::copy(format3.substr(0, kPrefix - 1), at);
  at += kPrefix;
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  at = end_line(at + text.size());
  own().commit(static_cast<std::size_t>(at - start));
}

void ReplyWriter::shared_bulk(SharedBytes bytes) {
  header('$', static_cast<std::int64_t>(bytes.size()));
  out_->append(std::move(bytes));
  literal("\r\n");
}

void ReplyWriter::large_bulk(ByteView bytes) {
  std::array<char, kHeader> head;
  const auto head_size =
      static_cast<std::size_t>(write_header('$', static_cast<std::int64_t>(bytes.size()), head.data()) - head.data());
  const std::size_t total = head_size + bytes.size() + 2;
  char* const start = own().reserve(total);
  std::memcpy(start, head.data(), head_size);
  std::memcpy(start + head_size, bytes.data(), bytes.size());
  end_line(start + head_size + bytes.size());
  own().commit(total);
}

}  // namespace magpie::resp
