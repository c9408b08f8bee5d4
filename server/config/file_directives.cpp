#include "server/config/file_directives.h"

#include <algorithm>
#include <array>

#include "protocol/numbers.h"

namespace magpie::config {
namespace {

constexpr auto kDirectives = std::to_array<FileDirective>({
    {"include", Effect::Works, ""},
    {"user", Effect::Refused, "users cannot be read from a file yet, and without them every client would be let in"},
    {"rename-command", Effect::Refused, "commands cannot be renamed, and one that was hidden would be open to all"},
    {"loadmodule", Effect::Refused, "there are no modules, and clients that rely on one would fail"},
    {"sentinel", Effect::Refused, "magpie-server is no Sentinel"},
    {"list-max-ziplist-entries", Effect::None, "list-max-listpack-size replaced it"},
    {"list-max-ziplist-value", Effect::None, "list-max-listpack-size replaced it"},
});

}  // namespace

const FileDirective* find_file_directive(ByteView name) {
  const auto* found = std::ranges::find_if(
      kDirectives, [&](const FileDirective& directive) { return equals_ignore_case(directive.name, name); });
  return found == kDirectives.end() ? nullptr : found;
}

bool is_open_default_user(Arguments arguments) {
  constexpr std::array<ByteView, 6> kOpen{"on", "nopass", "sanitize-payload", "~*", "&*", "+@all"};
  if (arguments.size() < kOpen.size() || arguments.front() != "default") return false;
  return std::ranges::all_of(arguments.subspan(1),
                             [&](const std::string& rule) { return std::ranges::find(kOpen, rule) != kOpen.end(); }) &&
         std::ranges::all_of(kOpen, [&](ByteView rule) {
           return rule == "sanitize-payload" || std::ranges::find(arguments, rule) != arguments.end();
         });
}

}  // namespace magpie::config
