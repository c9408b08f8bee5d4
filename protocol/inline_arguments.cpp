#include "protocol/inline_arguments.h"

#include "protocol/escapes.h"

namespace magpie::resp {
namespace {

bool is_space(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }
// Redis skips \v and \f between arguments but does not end an argument at them.
bool is_quote(char byte) { return byte == '"' || byte == '\''; }
bool ends_token(char byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; }

class Splitter {
 public:
  Splitter(std::vector<ByteView>& views, std::string& storage) : views_(views), storage_(storage) {}
  bool split(const char* at, const char* end);

 private:
  bool add_quoted_token(const char*& at, const char* end);
  bool read_quoted_token(const char*& at, const char* end);
  bool read_single_quotes(const char*& at, const char* end);
  bool read_double_quotes(const char*& at, const char* end);

  std::vector<ByteView>& views_;
  std::string& storage_;
};

bool Splitter::split(const char* at, const char* end) {
  for (;;) {
    while (at != end && is_space(*at)) ++at;
    if (at == end) return true;
    const char* const start = at;
    while (at != end && !ends_token(*at) && !is_quote(*at)) ++at;
    if (at == end || ends_token(*at)) {
      views_.emplace_back(start, static_cast<std::size_t>(at - start));
      continue;
    }
    at = start;
    if (!add_quoted_token(at, end)) return false;
  }
}

bool Splitter::add_quoted_token(const char*& at, const char* end) {
  // Unescaping never lengthens: after the first reserve, which covers the rest of the line, nothing moves.
  if (storage_.empty()) storage_.reserve(static_cast<std::size_t>(end - at));
  const std::size_t offset = storage_.size();
  if (!read_quoted_token(at, end)) return false;
  views_.emplace_back(storage_.data() + offset, storage_.size() - offset);
  return true;
}

bool Splitter::read_quoted_token(const char*& at, const char* end) {
  while (at != end && !ends_token(*at)) {
    const char byte = *at++;
    if (!is_quote(byte)) {
      storage_.push_back(byte);
      continue;
    }
    const bool closed = byte == '"' ? read_double_quotes(at, end) : read_single_quotes(at, end);
    return closed && (at == end || is_space(*at));  // a closing quote ends the argument
  }
  return true;
}

bool Splitter::read_single_quotes(const char*& at, const char* end) {
  for (; at != end; ++at) {
    if (*at == '\'') {
      ++at;
      return true;
    }
    if (*at == '\\' && end - at > 1 && at[1] == '\'') ++at;
    storage_.push_back(*at);
  }
  return false;
}

bool Splitter::read_double_quotes(const char*& at, const char* end) {
  for (; at != end; ++at) {
    if (*at == '"') {
      ++at;
      return true;
    }
    if (*at != '\\' || end - at < 2) {
      storage_.push_back(*at);
      continue;
    }
    ++at;
    const int high = *at == 'x' && end - at > 2 ? hex_value(at[1]) : -1;
    const int low = high >= 0 ? hex_value(at[2]) : -1;
    if (low >= 0) {
      storage_.push_back(static_cast<char>(high * 16 + low));
      at += 2;
    } else {
      storage_.push_back(unescape(*at));
    }
  }
  return false;
}

}  // namespace

bool split_inline(ByteView line, std::vector<ByteView>& views, std::string& storage) {
  return Splitter(views, storage).split(line.data(), line.data() + line.size());
}

}  // namespace magpie::resp
