#include "server/config/command_line.h"

#include <algorithm>

#include "server/config/file_directives.h"
#include "server/config/option_table.h"

namespace magpie::config {
namespace {

constexpr ByteView kCommandLine = "command line";

std::optional<Mode> mode_of(ByteView word) {
  if (word == "--help" || word == "-h") return Mode::Help;
  if (word == "--help-options") return Mode::HelpOptions;
  if (word == "--version" || word == "-v") return Mode::Version;
  if (word == "--check-config") return Mode::CheckConfig;
  return std::nullopt;
}

/// Whether a word ends the values of the option before it. A value may itself start with "--", as in
/// --proc-title-template --magpie--.
bool starts_option(ByteView word) {
  if (mode_of(word)) return true;
  if (!word.starts_with("--")) return false;
  const ByteView name = word.substr(2, word.find('=') - 2);
  return find_option(name).has_value() || find_file_directive(name) != nullptr;
}

Directive directive_named(ByteView name) {
  Directive directive{std::string(name), {}, std::string(kCommandLine), 0};
  std::ranges::transform(directive.name, directive.name.begin(),
                         [](char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte; });
  return directive;
}

/// Sorts words into options and their values.
class WordSorter {
 public:
  explicit WordSorter(CommandLine& line) : line_(line) {}

  std::expected<void, std::string> take(const std::string& word) {
    if (const auto mode = mode_of(word)) {
      line_.mode = *mode;
      open_ = false;
    } else if (word == "-") {
      line_.standard_input = true;
      open_ = false;
    } else if (begins_option(word)) {
      begin_option(word);
    } else if (open_) {
      line_.options.back().arguments.push_back(word);
    } else {
      return std::unexpected(std::string(kCommandLine) + ": '" + word + "' does not belong to an option");
    }
    return {};
  }

 private:
  bool begins_option(ByteView word) const {
    if (!word.starts_with("--")) return false;
    return !open_ || !line_.options.back().arguments.empty() || starts_option(word);
  }

  void begin_option(const std::string& word) {
    const std::size_t equals = word.find('=');
    open_ = equals == std::string::npos;
    line_.options.push_back(directive_named(ByteView(word).substr(2, open_ ? ByteView::npos : equals - 2)));
    if (!open_) line_.options.back().arguments.push_back(word.substr(equals + 1));
  }

  CommandLine& line_;
  bool open_ = false;  // the last option takes the next words
};

}  // namespace

std::expected<CommandLine, std::string> parse_command_line(std::span<const std::string> words) {
  CommandLine line;
  if (!words.empty() && !words.front().starts_with('-')) {
    line.file = words.front();
    words = words.subspan(1);
  }
  WordSorter sorter(line);
  for (const std::string& word : words) {
    if (auto taken = sorter.take(word); !taken) return std::unexpected(std::move(taken.error()));
  }
  return line;
}

}  // namespace magpie::config
