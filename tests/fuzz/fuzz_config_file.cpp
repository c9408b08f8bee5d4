// Any text as a config file: no crash, and what can be loaded can be rewritten and loads to the same settings.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "server/config/load.h"
#include "server/config/rewrite.h"

namespace {

using magpie::ByteView;
using namespace magpie::config;  // NOLINT(google-build-using-namespace): one file, one namespace under test

void require(bool condition) {
  if (!condition) std::abort();
}

void check_words(ByteView text) {
  const auto words = split_words(text);
  if (!words) return;
  std::string line;
  for (const std::string& word : *words) line += quote_word(word) + ' ';
  require(split_words(line) == words);
}

void check_file(const SourceText& source, const SourceReader& reader) {
  const auto directives = parse_config_text(source, reader);
  if (!directives) return;
  const auto applied = apply_directives(*directives);
  if (!applied) return;
  const auto rewritten = rewrite_config_text(source, applied->settings, reader);
  require(rewritten.has_value());
  const auto again = parse_config_text({source.name, *rewritten}, reader);
  require(again.has_value());
  const auto applied_again = apply_directives(*again);
  require(applied_again.has_value());
  require(applied_again->settings == applied->settings);
  // From nothing, the rewritten file holds all that differs from the defaults.
  const auto fresh = rewrite_config_text({source.name, ""}, applied->settings, reader);
  require(fresh.has_value());
  require(apply_directives(*parse_config_text({source.name, *fresh}, reader))->settings == applied->settings);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_words(text);
  // The part after a form feed plays the included file.
  const std::size_t split = text.find('\f');
  const std::string included = split == std::string::npos ? "hz 20\n" : text.substr(split + 1);
  const SourceReader reader = [&](const std::string& path) { return std::vector{SourceText{path, included}}; };
  check_file({"fuzz.conf", text.substr(0, split)}, reader);
  return 0;
}
