#include "server/config/config_file.h"

#include <algorithm>

#include "protocol/escapes.h"
#include "protocol/numbers.h"

namespace magpie::config {
namespace {

constexpr ByteView kBlanks = " \t\r\n";

bool is_blank(char byte) { return kBlanks.contains(byte) || byte == '\v' || byte == '\f'; }

char lower(char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte; }

/// Takes one word off the front of `rest`, which starts with it. False if its quotes are wrong.
class WordReader {
 public:
  explicit WordReader(ByteView text) : rest_(text) {}

  bool at_end() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
    return rest_.empty();
  }

  std::optional<std::string> next() {
    std::string word;
    while (!rest_.empty() && !is_blank(rest_.front())) {
      const char byte = take();
      if (byte == '"') return double_quoted(std::move(word));
      if (byte == '\'') return single_quoted(std::move(word));
      word += byte;
    }
    return word;
  }

 private:
  char take() {
    const char byte = rest_.front();
    rest_.remove_prefix(1);
    return byte;
  }

  /// A closing quote must end the word.
  std::optional<std::string> closed(std::string word) const {
    if (!rest_.empty() && !is_blank(rest_.front())) return std::nullopt;
    return word;
  }

  std::optional<std::string> double_quoted(std::string word) {
    while (!rest_.empty()) {
      const char byte = take();
      if (byte == '"') return closed(std::move(word));
      if (byte != '\\' || rest_.empty()) {
        word += byte;
      } else if (rest_.size() >= 3 && rest_[0] == 'x' && hex_value(rest_[1]) >= 0 && hex_value(rest_[2]) >= 0) {
        word += static_cast<char>(hex_value(rest_[1]) * 16 + hex_value(rest_[2]));
        rest_.remove_prefix(3);
      } else {
        word += unescape(take());
      }
    }
    return std::nullopt;
  }

  std::optional<std::string> single_quoted(std::string word) {
    while (!rest_.empty()) {
      const char byte = take();
      if (byte == '\'') return closed(std::move(word));
      if (byte == '\\' && rest_.starts_with('\'')) {
        word += take();
      } else {
        word += byte;
      }
    }
    return std::nullopt;
  }

  ByteView rest_;
};

/// Walks the lines of a file and of the files it includes.
class FileParser {
 public:
  explicit FileParser(const SourceReader& reader) : reader_(reader) {}

  std::expected<void, std::string> parse(const SourceText& source, int depth) {
    int number = 0;
    for (ByteView rest = source.text; !rest.empty();) {
      const std::size_t end = rest.find('\n');
      const ByteView line = trim(rest.substr(0, end));
      rest.remove_prefix(end == ByteView::npos ? rest.size() : end + 1);
      ++number;
      if (line.empty() || line.starts_with('#')) continue;
      if (auto added = add(line, source.name, number, depth); !added) return added;
    }
    return {};
  }

  std::vector<Directive> take() { return std::move(directives_); }

 private:
  std::expected<void, std::string> add(ByteView line, const std::string& source, int number, int depth) {
    Directive directive{{}, {}, source, number};
    const auto fail = [&](const std::string& why) { return std::unexpected(location(directive) + ": " + why); };
    auto words = split_words(line);
    if (!words) return fail("unbalanced quotes");
    if (words->empty() || words->front().empty()) return fail("a name is missing");
    if (directives_.size() >= kMaxDirectives) return fail("too many directives");
    directive.name = std::move(words->front());
    std::ranges::transform(directive.name, directive.name.begin(), lower);
    directive.arguments.assign(std::make_move_iterator(words->begin() + 1), std::make_move_iterator(words->end()));
    if (directive.name == "include") return include(directive, depth);
    directives_.push_back(std::move(directive));
    return {};
  }

  std::expected<void, std::string> include(const Directive& directive, int depth) {
    const auto fail = [&](const std::string& why) { return std::unexpected(location(directive) + ": " + why); };
    if (directive.arguments.size() != 1) return fail("'include' takes one file");
    if (depth >= kMaxIncludeDepth) return fail("files include each other too deeply");
    if (!reader_) return fail("'include' is not possible here");
    const auto sources = reader_(directive.arguments.front());
    if (!sources) return fail(sources.error());
    for (const SourceText& source : *sources) {
      if (++included_ > kMaxIncludedFiles) return fail("too many files are included");
      if (auto parsed = parse(source, depth + 1); !parsed) return parsed;
    }
    return {};
  }

  const SourceReader& reader_;
  std::vector<Directive> directives_;
  std::size_t included_ = 0;
};

}  // namespace

std::string location(const Directive& directive) {
  return directive.line == 0 ? directive.source : directive.source + ':' + to_decimal(directive.line);
}

std::expected<std::vector<Directive>, std::string> parse_config_text(const SourceText& source,
                                                                     const SourceReader& reader) {
  FileParser parser(reader);
  if (auto parsed = parser.parse(source, 0); !parsed) return std::unexpected(std::move(parsed.error()));
  return parser.take();
}

std::optional<std::vector<std::string>> split_words(ByteView line) {
  std::vector<std::string> words;
  WordReader reader(line);
  while (!reader.at_end()) {
    auto word = reader.next();
    if (!word) return std::nullopt;
    words.push_back(std::move(*word));
  }
  return words;
}

std::string quote_word(ByteView text) {
  constexpr ByteView kHex = "0123456789abcdef";
  const bool plain = !text.empty() && !text.starts_with('#') && std::ranges::all_of(text, [](char byte) {
    return byte > ' ' && byte <= '~' && byte != '"' && byte != '\'';
  });
  if (plain) return std::string(text);
  std::string quoted = "\"";
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (byte == '"' || byte == '\\') {
      quoted += {'\\', byte};
    } else if (byte >= ' ' && byte <= '~') {
      quoted += byte;
    } else {
      quoted += {'\\', 'x', kHex[code >> 4U], kHex[code & 15U]};
    }
  }
  return quoted + '"';
}

ByteView trim(ByteView text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == ByteView::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace magpie::config
