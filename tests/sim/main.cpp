// magpie-sim: a simulated shard for each seed; the exit status is 0 only if every invariant held.

#include <algorithm>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/scenarios.h"
#include "tests/sim/seed_run.h"

namespace {

using magpie::sim::Outcome;
using magpie::sim::RunOptions;

constexpr const char* kUsage =
    "usage: magpie-sim [--scenario NAME] [--seed N | --seeds A-B] [--plane model|production] [--trace]\n"
    "                  [--without RULE]... [--expect-failure]\n"
    "       magpie-sim --list\n";

struct CommandLine {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
  RunOptions options;
  bool expect_failure = false;
  bool list = false;
  const magpie::sim::Scenario* scenario = nullptr;
};

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool take_seeds(std::string_view text, CommandLine& line) {
  const std::size_t dash = text.find('-');
  const auto first = number_of(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : number_of(text.substr(dash + 1));
  if (!first || !last || *last < *first) return false;
  line.first = *first;
  line.last = *last;
  return true;
}

bool take_plane(std::string_view name, CommandLine& line) {
  line.options.plane = name == "production" ? magpie::sim::Plane::Production : magpie::sim::Plane::Model;
  return name == "production" || name == "model";
}

bool take_scenario(std::string_view name, CommandLine& line) {
  for (const magpie::sim::Scenario& scenario : magpie::sim::scenarios()) {
    if (scenario.name == name) line.scenario = &scenario;
  }
  return line.scenario != nullptr;
}

bool take_option(std::string_view option, std::string_view value, CommandLine& line) {
  if (option == "--seed" || option == "--seeds") return take_seeds(value, line);
  if (option == "--scenario") return take_scenario(value, line);
  if (option == "--plane") return take_plane(value, line);
  if (option != "--without") return false;
  line.options.without.emplace_back(value);
  return true;
}

bool has_rules(const RunOptions& options) {
  magpie::sim::Setup setup;
  setup.plane = options.plane;
  return std::ranges::all_of(options.without,
                             [&](const std::string& rule) { return magpie::sim::switch_off(rule, setup); });
}

std::optional<CommandLine> read_command_line(const std::vector<std::string_view>& words) {
  CommandLine line;
  for (std::size_t next = 0; next < words.size(); ++next) {
    const std::string_view word = words[next];
    if (word == "--trace") {
      line.options.print = true;
    } else if (word == "--expect-failure") {
      line.expect_failure = true;
    } else if (word == "--list") {
      line.list = true;
    } else {
      ++next;
      if (!take_option(word, next < words.size() ? words[next] : "", line)) return std::nullopt;
    }
  }
  if (!has_rules(line.options)) return std::nullopt;
  return line;
}

void tell_failure(std::uint64_t seed, const CommandLine& line, const Outcome& outcome) {
  std::string command = "magpie-sim --seed " + std::to_string(seed);
  if (line.scenario != nullptr) command += " --scenario " + std::string(line.scenario->name);
  if (line.options.plane == magpie::sim::Plane::Production) command += " --plane production";
  for (const std::string& rule : line.options.without) command += " --without " + rule;
  std::printf("seed %" PRIu64 " failed %s\n  repeat it: %s --trace\n", seed, outcome.violation->c_str(),
              command.c_str());
}

Outcome run_one(std::uint64_t seed, const CommandLine& line) {
  if (line.scenario != nullptr) return magpie::sim::run_scenario(*line.scenario, seed, line.options);
  return magpie::sim::run_seed(seed, line.options);
}

/// How many seeds failed.
std::size_t run(const CommandLine& line) {
  std::size_t failed = 0;
  std::uint64_t events = 0;
  std::size_t done = 0;
  std::uint64_t hash = 0;
  std::uint64_t seed = line.first;
  for (;; ++seed) {
    const Outcome outcome = run_one(seed, line);
    events += outcome.events;
    done += outcome.done;
    hash = (hash ^ outcome.hash) * 0x9e3779b97f4a7c15;
    if (outcome.violation) tell_failure(seed, line, outcome);
    failed += outcome.violation ? 1 : 0;
    if (seed == line.last || (line.expect_failure && failed > 0)) break;
  }
  std::printf("%" PRIu64 " seeds, %zu failed; %" PRIu64 " events, %zu commands done, trace hash %016" PRIx64 "\n",
              seed - line.first + 1, failed, events, done, hash);
  return failed;
}

void list() {
  for (const std::string_view rule : magpie::sim::switchable_rules()) std::printf("%s ", std::string(rule).c_str());
  std::printf("\n");
  for (const magpie::sim::Scenario& scenario : magpie::sim::scenarios()) {
    std::printf("%s (%s)\n", std::string(scenario.name).c_str(), std::string(scenario.rule).c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = read_command_line({argv + 1, argv + argc});
  if (!line) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (line->list) {
    list();
    return 0;
  }
  return (run(*line) > 0) == line->expect_failure ? 0 : 1;
}
