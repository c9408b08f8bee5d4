#include "server/config/option_table.h"

#include <algorithm>
#include <array>

#include "protocol/numbers.h"
#include "server/config/areas.h"
#include "server/config/simple_kinds.h"

namespace magpie::config {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

void store(Settings& settings, const Option& option, const Value& value) {
  if (option.access.write != nullptr) {
    option.access.write(settings, value);
    return;
  }
  std::string text = format_value(option.kind, value);
  if (text == option.default_text) {
    settings.without_effect.erase(option.name);  // so that settings of equal meaning compare equal
  } else {
    settings.without_effect[option.name] = std::move(text);
  }
}

}  // namespace

std::span<const Area> areas() {
  static const std::array<Area, 11> all{{
      {"Network", network_options()},
      {"Access", access_options()},
      {"Memory", memory_options()},
      {"Data", data_options()},
      {"Observation", observation_options()},
      {"Process", process_options()},
      {"Persistence", persistence_options()},
      {"Replication", replication_options()},
      {"Shard", shard_options()},
      {"Redis Cluster", redis_cluster_options()},
      {"TLS", tls_options()},
  }};
  return all;
}

std::optional<Found> find_option(ByteView name) {
  for (const Area& area : areas()) {
    for (const Option& option : area.options) {
      if (equals_ignore_case(option.name, name)) return Found{&option, false};
      if (!option.alias.empty() && equals_ignore_case(option.alias, name)) return Found{&option, true};
    }
  }
  return std::nullopt;
}

Settings default_settings() { return {}; }

std::expected<void, std::string> assign(Settings& settings, const Option& option, Arguments arguments, Origin origin) {
  if (const auto* custom = std::get_if<Custom>(&option.kind)) {
    return custom->assign(settings, option, arguments, origin);
  }
  if (arguments.size() != 1) return std::unexpected("wrong number of arguments");
  auto value = parse_value(option.kind, arguments.front());
  if (!value) return std::unexpected(std::move(value.error()));
  store(settings, option, *value);
  return {};
}

std::string format(const Settings& settings, const Option& option) {
  if (const auto* custom = std::get_if<Custom>(&option.kind)) return custom->format(settings, option);
  if (option.access.read != nullptr) return format_value(option.kind, option.access.read(settings));
  const auto kept = settings.without_effect.find(option.name);
  return kept == settings.without_effect.end() ? std::string(option.default_text) : kept->second;
}

bool takes_several_arguments(const Option& option) {
  const auto* custom = std::get_if<Custom>(&option.kind);
  return custom != nullptr && custom->several;
}

std::vector<std::string> split_at_spaces(ByteView text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    parts.emplace_back(text.substr(0, space));
    if (space == ByteView::npos) break;
    text.remove_prefix(space + 1);
    if (text.empty()) parts.emplace_back();  // "900 1 " is a list with an empty last element, as in Redis
  }
  return parts;
}

std::vector<std::string> list_arguments(const Option& option, Arguments words) {
  if (!takes_several_arguments(option)) return {words.begin(), words.end()};
  std::vector<std::string> arguments;
  for (const std::string& word : words) {
    auto parts = split_at_spaces(word);
    arguments.insert(arguments.end(), std::make_move_iterator(parts.begin()), std::make_move_iterator(parts.end()));
  }
  return arguments;
}

std::string allowed_values(const Option& option) {
  const auto range = [](std::int64_t low, std::int64_t high) {
    return " from " + to_decimal(low) + " to " + to_decimal(high);
  };
  return std::visit(Overloaded{
                        [](const Boolean&) { return std::string("'yes' or 'no'"); },
                        [&](const Integer& kind) { return "an integer" + range(kind.low, kind.high); },
                        [](const Octal&) { return std::string("an octal mode such as 700"); },
                        [&](const MemorySize& kind) {
                          std::string text = "a size such as 100mb";
                          if (kind.percent) text += " or a share of maxmemory such as 5%";
                          if (kind.low > 0) text += ", at least " + to_decimal(kind.low) + " bytes,";
                          return text;
                        },
                        [](const Choice& kind) { return "one of " + join(kind.names, ", "); },
                        [](const Text&) { return std::string("one text"); },
                        [](const Custom& kind) { return std::string(kind.allowed); },
                    },
                    option.kind);
}

std::string type_name(const Option& option) {
  return std::visit(Overloaded{
                        [](const Boolean&) { return std::string("yes, no"); },
                        [](const Integer& kind) {
                          // Bounds that are only those of the type tell the reader nothing.
                          std::string text = "integer";
                          if (kind.low > kInt32Min) text += " from " + to_decimal(kind.low);
                          if (kind.high < kInt32Max) text += " to " + to_decimal(kind.high);
                          return text;
                        },
                        [](const Octal&) { return std::string("octal"); },
                        [](const MemorySize& kind) { return std::string(kind.percent ? "size or percent" : "size"); },
                        [](const Choice& kind) { return join(kind.names, ", "); },
                        [](const Text&) { return std::string("text"); },
                        [](const Custom& kind) { return std::string(kind.type); },
                    },
                    option.kind);
}

}  // namespace magpie::config
