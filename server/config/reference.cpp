#include "server/config/reference.h"

#include <algorithm>

#include "server/config/option_table.h"

namespace magpie::config {
namespace {

constexpr ByteView kUsage =
    R"(Usage: magpie-server [FILE] [-] [--NAME VALUE...]...

  FILE             configuration in redis.conf's syntax
  -                more configuration on standard input
  --NAME VALUE     an option as it could stand in FILE; what comes later wins
  --check-config   say whether the configuration is good, and stop
  --help           this text
  --help-options   the reference of all options, as Markdown
  --version        the version

Examples:
  magpie-server --port 7000 --maxmemory 2gb --maxmemory-policy allkeys-lru
  magpie-server /etc/magpie.conf --save '' --client-output-buffer-limit normal 0 0 0

Options:
)";

constexpr ByteView kIntroduction =
    R"(<!-- Made by `magpie-server --help-options` from server/config; change it there. -->
# Configuration

`magpie-server [FILE] [--NAME VALUE...]...` reads a file in redis.conf's syntax, then the options of the command line;
what comes later wins. A `redis.conf` can be used as it is: options that have no meaning in Magpie are taken, keep
their value for CONFIG GET, and give one warning that says why. An option that nobody knows is an error.

The options marked *start* can only be set in the file or on the command line; the others also by CONFIG SET, which
changes all it names or nothing, and CONFIG REWRITE writes the values in force back to the file. Sizes take the units
`k` (1000), `kb` (1024), `m`, `mb`, `g` and `gb`. Lists (`bind`, `save`, ...) are separated by spaces.

The file: one option per line, `NAME VALUE...`; words with blanks in `"..."` (with `\n`, `\xHH` and the like) or in
`'...'`; `#` starts a comment line; `include FILE` takes another file's lines in that place and may be a pattern.
)";

std::string code(ByteView text) { return text.empty() ? "" : "`" + std::string(text) + "`"; }

std::string cell(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) text.insert(at, "\\");
  return text;
}

std::string names_of(const Option& option) {
  return code(option.name) + (option.alias.empty() ? "" : ", " + code(option.alias));
}

std::string row(const Option& option) {
  std::string note(option.effect == Effect::Works ? option.help : option.reason);
  if (option.effect == Effect::Works && option.change == Change::AtStart) note += " (*start*)";
  if (option.effect == Effect::Refused) note = "anything else is refused: " + note;
  return "| " + names_of(option) + " | " + cell(type_name(option)) + " | " + cell(code(option.default_text)) + " | " +
         cell(note) + " |\n";
}

bool works(const Option& option) { return option.effect == Effect::Works; }

void append_tables(std::string& document, bool working, ByteView last_column) {
  for (const Area& area : areas()) {
    const auto wanted = [&](const Option& option) { return works(option) == working && !option.hidden; };
    if (std::ranges::none_of(area.options, wanted)) continue;
    document += "\n### " + std::string(area.title) + "\n\n| option | value | default | " + std::string(last_column) +
                " |\n|---|---|---|---|\n";
    for (const Option& option : area.options) {
      if (wanted(option)) document += row(option);
    }
  }
}

}  // namespace

std::string usage_text() {
  constexpr std::size_t kColumn = 36;
  std::string text(kUsage);
  for (const Area& area : areas()) {
    for (const Option& option : area.options) {
      if (!works(option)) continue;
      std::string line = "  --" + std::string(option.name);
      line.resize(std::max(line.size() + 1, kColumn), ' ');
      text += line + std::string(option.help);
      if (!option.default_text.empty()) text += " [" + std::string(option.default_text) + "]";
      text += '\n';
    }
  }
  return text;
}

std::string reference_document() {
  std::string document(kIntroduction);
  document += "\n## Options\n";
  append_tables(document, true, "meaning");
  document += "\n## Taken without meaning\n\nThese are known to Redis and kept for its tools.\n";
  append_tables(document, false, "why");
  return document;
}

}  // namespace magpie::config
