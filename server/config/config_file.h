#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "protocol/bytes.h"

namespace magpie::config {

/// One line of a config file, or one option of the command line.
struct Directive {
  std::string name;  // lower case
  std::vector<std::string> arguments;
  std::string source;  // the file, or "command line"
  int line = 0;        // from 1; 0 where there are no lines
};

/// "redis.conf:12", or the source alone.
std::string location(const Directive& directive);

struct SourceText {
  std::string name;
  std::string text;
};
/// Gives the texts of the files an `include` names; it may expand patterns. The error says why there is none.
using SourceReader = std::function<std::expected<std::vector<SourceText>, std::string>(const std::string& path)>;

/// How deep files may include each other.
inline constexpr int kMaxIncludeDepth = 16;
/// How many files and directives a configuration may have in all.
inline constexpr std::size_t kMaxIncludedFiles = 1024;
inline constexpr std::size_t kMaxDirectives = 65536;

/// The directives of a text in redis.conf's syntax, in order; included files stand where they are included. A pure
/// function of its arguments. The error names file and line.
std::expected<std::vector<Directive>, std::string> parse_config_text(const SourceText& source,
                                                                     const SourceReader& reader);

/// The words of a line: separated by blanks, "..." with \n \r \t \a \b \xHH and \ escapes, '...' with \' only.
/// Nothing if a quote does not end or is not followed by a blank.
std::optional<std::vector<std::string>> split_words(ByteView line);

/// The inverse: the text in quotes if it needs them.
std::string quote_word(ByteView text);

/// `text` without the blanks (space, tab, carriage return, newline) at its ends.
ByteView trim(ByteView text);

}  // namespace magpie::config
