#include "server/config/compound_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <iterator>

#include "protocol/numbers.h"
#include "server/config/option_table.h"
#include "server/config/simple_kinds.h"

namespace magpie::config {
namespace {

using Outcome = std::expected<void, std::string>;

constexpr std::size_t kMaxBindAddresses = 16;

/// An empty list is written as nothing or as one empty argument (`save ""`).
bool is_empty_list(Arguments arguments) {
  return arguments.empty() || (arguments.size() == 1 && arguments.front().empty());
}

std::string kept(const Settings& settings, const Option& option) {
  const auto found = settings.without_effect.find(option.name);
  return found == settings.without_effect.end() ? std::string(option.default_text) : found->second;
}

void keep(Settings& settings, const Option& option, std::string text) {
  if (text == option.default_text) {
    settings.without_effect.erase(option.name);
  } else {
    settings.without_effect[option.name] = std::move(text);
  }
}

Outcome assign_bind(Settings& settings, const Option&, Arguments arguments, Origin) {
  if (arguments.size() > kMaxBindAddresses) return std::unexpected("Too many bind addresses specified.");
  settings.bind.clear();
  std::ranges::copy_if(arguments, std::back_inserter(settings.bind), [](const auto& text) { return !text.empty(); });
  return {};
}

std::string format_bind(const Settings& settings, const Option&) {
  return join(std::span<const std::string>(settings.bind), " ");
}

// client-output-buffer-limit: groups of a class and three numbers; classes that are not named keep their limits.

OutputBufferLimit* limit_of_class(OutputBufferLimits& limits, ByteView name) {
  if (equals_ignore_case(name, "normal")) return &limits.normal;
  if (equals_ignore_case(name, "slave") || equals_ignore_case(name, "replica")) return &limits.replica;
  if (equals_ignore_case(name, "pubsub")) return &limits.pubsub;
  return nullptr;
}

Outcome assign_limits(Settings& settings, const Option&, Arguments arguments, Origin) {
  if (is_empty_list(arguments)) return {};
  if (arguments.size() % 4 != 0) {
    return std::unexpected("Wrong number of arguments in buffer limit configuration.");
  }
  OutputBufferLimits limits = settings.client_output_buffer_limit;
  for (; !arguments.empty(); arguments = arguments.subspan(4)) {
    OutputBufferLimit* limit = limit_of_class(limits, arguments[0]);
    if (limit == nullptr) return std::unexpected("Invalid client class specified in buffer limit configuration.");
    const auto hard = parse_size(arguments[1], {});
    const auto soft = parse_size(arguments[2], {});
    const auto seconds = parse_integer(arguments[3]);
    if (!hard || !soft || !seconds || *seconds < 0 || *seconds > kInt32Max) {
      return std::unexpected("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
    }
    *limit = {*hard, *soft, *seconds};
  }
  settings.client_output_buffer_limit = limits;
  return {};
}

std::string format_limit(ByteView name, const OutputBufferLimit& limit) {
  return std::string(name) + ' ' + to_decimal(limit.hard_bytes) + ' ' + to_decimal(limit.soft_bytes) + ' ' +
         to_decimal(limit.soft_seconds);
}

std::string format_limits(const Settings& settings, const Option&) {
  const OutputBufferLimits& limits = settings.client_output_buffer_limit;
  return format_limit("normal", limits.normal) + ' ' + format_limit("slave", limits.replica) + ' ' +
         format_limit("pubsub", limits.pubsub);
}

Outcome assign_percentiles(Settings& settings, const Option& option, Arguments arguments, Origin) {
  std::vector<double> percentiles;
  for (const std::string& text : is_empty_list(arguments) ? Arguments{} : arguments) {
    const auto percentile = parse_double(text);
    if (!percentile) return std::unexpected("Invalid " + std::string(option.name) + " parameters");
    if (!(*percentile >= 0.0 && *percentile <= 100.0)) {
      return std::unexpected(std::string(option.name) + " parameters should sit between [0.0,100.0]");
    }
    percentiles.push_back(*percentile);
  }
  settings.latency_tracking_info_percentiles = std::move(percentiles);
  return {};
}

/// Six decimals without trailing zeros, as Redis names its percentiles.
std::string format_percentile(double percentile) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, percentile, std::chars_format::fixed, 6).ptr;
  ByteView text(digits, static_cast<std::size_t>(end - digits));
  while (text.ends_with('0')) text.remove_suffix(1);
  if (text.ends_with('.')) text.remove_suffix(1);
  return std::string(text);
}

std::string format_percentiles(const Settings& settings, const Option&) {
  std::string text;
  for (const double percentile : settings.latency_tracking_info_percentiles) {
    if (!text.empty()) text += ' ';
    text += format_percentile(percentile);
  }
  return text;
}

// notify-keyspace-events: one letter per class of event, A for all but m and n.

struct EventLetter {
  char letter;
  KeyspaceEvent event;
};
constexpr auto kEventLetters = std::to_array<EventLetter>({
    {'g', KeyspaceEvent::Generic},
    {'$', KeyspaceEvent::String},
    {'l', KeyspaceEvent::List},
    {'s', KeyspaceEvent::Set},
    {'h', KeyspaceEvent::Hash},
    {'z', KeyspaceEvent::SortedSet},
    {'x', KeyspaceEvent::Expired},
    {'e', KeyspaceEvent::Evicted},
    {'t', KeyspaceEvent::Stream},
    {'d', KeyspaceEvent::Module},
    {'n', KeyspaceEvent::New},
    {'K', KeyspaceEvent::Keyspace},
    {'E', KeyspaceEvent::Keyevent},
    {'m', KeyspaceEvent::KeyMiss},
});
constexpr std::size_t kLettersInAll = 10;  // the first ones
constexpr std::uint32_t kAllEvents = [] {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < kLettersInAll; ++i) bits |= static_cast<std::uint32_t>(kEventLetters[i].event);
  return bits;
}();

Outcome assign_events(Settings& settings, const Option&, Arguments arguments, Origin) {
  if (arguments.size() != 1) return std::unexpected("wrong number of arguments");
  KeyspaceEvents events;
  for (const char letter : arguments.front()) {
    const auto found = std::ranges::find(kEventLetters, letter, &EventLetter::letter);
    if (letter == 'A') {
      events.bits |= kAllEvents;
    } else if (found != kEventLetters.end()) {
      events.bits |= static_cast<std::uint32_t>(found->event);
    } else {
      return std::unexpected("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    }
  }
  settings.notify_keyspace_events = events;
  return {};
}

std::string format_events(const Settings& settings, const Option&) {
  const KeyspaceEvents events = settings.notify_keyspace_events;
  std::string text;
  const bool all = (events.bits & kAllEvents) == kAllEvents;
  if (all) text += 'A';
  for (std::size_t i = all ? kLettersInAll : 0; i < kEventLetters.size(); ++i) {
    if (events.has(kEventLetters[i].event)) text += kEventLetters[i].letter;
  }
  return text;
}

// save: pairs of seconds and changes. In a file each line adds to those before it and `save ""` forgets them.

Outcome assign_save(Settings& settings, const Option& option, Arguments arguments, Origin origin) {
  if (is_empty_list(arguments)) {
    keep(settings, option, "");
    return {};
  }
  bool valid = arguments.size() % 2 == 0;
  for (std::size_t i = 0; valid && i < arguments.size(); ++i) {
    const auto number = parse_integer(arguments[i]);
    const std::int64_t low = i % 2 == 0 ? 1 : 0;
    valid = number && *number >= low && *number <= kInt32Max;
  }
  if (!valid) return std::unexpected("Invalid save parameters");
  std::string text = join(arguments, " ");
  const std::string before = kept(settings, option);
  if (origin == Origin::File && !before.empty()) text = before + ' ' + text;
  keep(settings, option, std::move(text));
  return {};
}

Outcome assign_oom_scores(Settings& settings, const Option& option, Arguments arguments, Origin) {
  if (arguments.size() != 3) return std::unexpected("wrong number of arguments");
  std::vector<std::string> scores;
  for (const std::string& text : arguments) {
    const auto score = text.empty() ? std::optional<std::int64_t>(0) : parse_integer(text);
    if (!score || *score < -2000 || *score > 2000) {
      return std::unexpected("Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
    }
    scores.push_back(to_decimal(*score));
  }
  keep(settings, option, join(std::span<const std::string>(scores), " "));
  return {};
}

/// SettingsType: constant or not.
template <class SettingsType>
auto& shutdown_flags(SettingsType& settings, const Option& option) {
  return option.name == "shutdown-on-sigint" ? settings.shutdown_on_sigint : settings.shutdown_on_sigterm;
}

std::string format_shutdown(const Settings& settings, const Option& option) { return shutdown_flags(settings, option); }

Outcome assign_shutdown(Settings& settings, const Option& option, Arguments arguments, Origin) {
  constexpr std::array<ByteView, 5> kNames{"default", "save", "nosave", "now", "force"};
  std::array<bool, kNames.size()> chosen{};
  for (const std::string& text : arguments) {
    const auto found = std::ranges::find_if(kNames, [&](ByteView name) { return equals_ignore_case(name, text); });
    if (found == kNames.end()) {
      return std::unexpected("argument(s) must be one of the following: " +
                             join(std::span<const ByteView>(kNames), ", "));
    }
    chosen[static_cast<std::size_t>(found - kNames.begin())] = true;
  }
  if (chosen[1] && chosen[2]) {
    return std::unexpected("shutdown options SAVE and NOSAVE can't be used simultaneously");
  }
  std::string text;
  for (std::size_t i = 1; i < kNames.size(); ++i) {
    if (chosen[i]) text.append(text.empty() ? "" : " ").append(kNames[i]);
  }
  shutdown_flags(settings, option) = text.empty() ? "default" : std::move(text);
  return {};
}

Outcome assign_directory(Settings& settings, const Option& option, Arguments arguments, Origin) {
  if (arguments.size() != 1) return std::unexpected("wrong number of arguments");
  std::error_code error;
  const std::filesystem::path path = std::filesystem::canonical(arguments.front(), error);
  if (arguments.front().empty()) error = std::make_error_code(std::errc::no_such_file_or_directory);
  if (!error && !std::filesystem::is_directory(path, error)) error = std::make_error_code(std::errc::not_a_directory);
  if (error) return std::unexpected(error.message());
  keep(settings, option, path.string());
  return {};
}

/// As Redis, the current directory unless one was set; the default cannot be a constant.
std::string format_directory(const Settings& settings, const Option& option) {
  std::string text = kept(settings, option);
  if (!text.empty()) return text;
  std::error_code error;
  return std::filesystem::current_path(error).string();
}

Outcome assign_master(Settings& settings, const Option&, Arguments arguments, Origin) {
  if (arguments.size() != 2) return std::unexpected("wrong number of arguments");
  settings.replicaof_host.clear();
  settings.replicaof_port = 0;
  if (equals_ignore_case(arguments[0], "no") && equals_ignore_case(arguments[1], "one")) return {};
  constexpr std::int64_t kHighestPort = 65535;
  const auto port = parse_integer(arguments[1]);
  if (arguments[0].empty() || !port || *port < 0 || *port > kHighestPort) return std::unexpected("Invalid master port");
  settings.replicaof_host = arguments[0];
  settings.replicaof_port = *port;
  return {};
}

std::string format_master(const Settings& settings, const Option&) {
  if (settings.replicaof_host.empty()) return {};
  return settings.replicaof_host + " " + std::to_string(settings.replicaof_port);
}

}  // namespace

constexpr Custom kBindAddresses{assign_bind, format_bind, "addresses", "a list of up to 16 addresses"};
constexpr Custom kOutputBufferLimits{assign_limits, format_limits, "class, hard and soft limit, seconds",
                                     "a list such as 'normal 0 0 0 replica 256mb 64mb 60 pubsub 32mb 8mb 60'"};
constexpr Custom kPercentiles{assign_percentiles, format_percentiles, "percentiles", "a list of numbers from 0 to 100"};
constexpr Custom kKeyspaceEvents{assign_events, format_events, "letters", "a set of the letters Ag$lshzxeKEtmdn",
                                 false};
constexpr Custom kSavePoints{assign_save, kept, "seconds and changes", "a list of pairs such as '3600 1 300 100'"};
constexpr Custom kOomScores{assign_oom_scores, kept, "three integers", "a list of three integers from -2000 to 2000"};
constexpr Custom kShutdownFlags{assign_shutdown, format_shutdown, "default, save, nosave, now, force",
                                "a list of default, save, nosave, now, force (not both save and nosave)"};
constexpr Custom kWorkingDirectory{assign_directory, format_directory, "directory", "a directory that exists", false};
constexpr Custom kMaster{assign_master, format_master, "host and port", "a host and a port, or 'no one',"};

}  // namespace magpie::config
