#include <algorithm>
#include <map>

#include "protocol/numbers.h"
#include "server/config/file_directives.h"
#include "server/config/load.h"
#include "server/config/option_table.h"
#include "server/config/simple_kinds.h"

namespace magpie::config {
namespace {

std::string quoted(ByteView text) { return "'" + std::string(text) + "'"; }

std::unexpected<std::string> failure(const Directive& directive, const std::string& why) {
  return std::unexpected(location(directive) + ": " + why);
}

/// Builds settings from directives, remembering where each option without effect was set last.
class Applier {
 public:
  std::expected<void, std::string> apply(const Directive& directive) {
    if (const auto found = find_option(directive.name)) return apply_option(directive, *found->option);
    if (const FileDirective* other = find_file_directive(directive.name)) return apply_other(directive, *other);
    return failure(directive, "there is no option " + quoted(directive.name));
  }

  Applied finish() {
    for (const auto& [option, where] : set_at_) {
      if (option->effect != Effect::None || format(applied_.settings, *option) == option->default_text) continue;
      warn(where, option->name, option->reason);
    }
    return std::move(applied_);
  }

 private:
  std::expected<void, std::string> apply_option(const Directive& directive, const Option& option) {
    const std::vector<std::string> arguments = list_arguments(option, directive.arguments);
    // `--save` and `--bind` alone mean an empty list.
    if (directive.arguments.empty() && !takes_several_arguments(option)) {
      return failure(directive, quoted(directive.name) + " needs a value: " + allowed_values(option) + " is allowed");
    }
    if (!takes_several_arguments(option) && arguments.size() > 1) return too_many(directive);
    if (!assign(applied_.settings, option, arguments, Origin::File)) {
      return failure(directive, quoted(directive.name) + " does not take " +
                                    quoted(join(std::span<const std::string>(directive.arguments), " ")) + ": " +
                                    allowed_values(option) + " is allowed");
    }
    if (option.effect == Effect::Refused && format(applied_.settings, option) != option.default_text) {
      return failure(directive, quoted(directive.name) + " is refused: " + std::string(option.reason));
    }
    set_at_[&option] = location(directive);
    return {};
  }

  static std::unexpected<std::string> too_many(const Directive& directive) {
    const bool comment =
        std::ranges::any_of(directive.arguments, [](const std::string& argument) { return argument.starts_with('#'); });
    return failure(directive, quoted(directive.name) + " takes one value, not " +
                                  to_decimal(static_cast<std::int64_t>(directive.arguments.size())) +
                                  (comment ? "; a comment needs a line of its own" : ""));
  }

  std::expected<void, std::string> apply_other(const Directive& directive, const FileDirective& other) {
    if (other.name == "user" && is_open_default_user(directive.arguments)) return {};
    if (other.effect == Effect::Refused) {
      return failure(directive, quoted(other.name) + " is refused: " + std::string(other.reason));
    }
    if (other.effect == Effect::None) warn(location(directive), other.name, other.reason);
    return {};
  }

  void warn(const std::string& where, ByteView name, ByteView reason) {
    applied_.warnings.push_back(where + ": " + quoted(name) + " has no effect: " + std::string(reason));
  }

  struct ByName {
    bool operator()(const Option* a, const Option* b) const { return a->name < b->name; }
  };
  Applied applied_;
  std::map<const Option*, std::string, ByName> set_at_;
};

}  // namespace

std::expected<Applied, std::string> apply_directives(std::span<const Directive> directives) {
  Applier applier;
  for (const Directive& directive : directives) {
    if (auto applied = applier.apply(directive); !applied) return std::unexpected(std::move(applied.error()));
  }
  return applier.finish();
}

}  // namespace magpie::config
