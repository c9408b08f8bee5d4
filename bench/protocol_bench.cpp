#include <benchmark/benchmark.h>

#include <string>
#include <variant>

#include "protocol/command_parser.h"

namespace {

using namespace magpie::resp;  // NOLINT(google-build-using-namespace): one file about one namespace

std::string bulk(const std::string& text) { return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n"; }

/// Sixteen pipelined commands of one kind, as a loaded server finds them in one read.
std::string pipeline(const std::string& command) {
  std::string input;
  for (int i = 0; i < 16; ++i) input += command;
  return input;
}

void parse(benchmark::State& state, const std::string& input) {
  ParseCursor progress;
  Args args;
  std::int64_t commands = 0;
  for (auto _ : state) {
    magpie::ByteView rest = input;
    while (!rest.empty()) {
      const auto outcome = parse_command(rest, {}, progress, args);
      rest.remove_prefix(std::get<Parsed>(outcome).consumed);
      benchmark::DoNotOptimize(args.views().data());
      ++commands;
    }
  }
  state.SetItemsProcessed(commands);
}

void parse_get(benchmark::State& state) { parse(state, pipeline("*2\r\n$3\r\nGET\r\n" + bulk("key:000000123456"))); }
void parse_set(benchmark::State& state) {
  const std::string value(static_cast<std::size_t>(state.range(0)), 'x');
  parse(state, pipeline("*3\r\n$3\r\nSET\r\n" + bulk("key:000000123456") + bulk(value)));
}
void parse_inline(benchmark::State& state) { parse(state, pipeline("GET key:000000123456\r\n")); }

BENCHMARK(parse_get);
BENCHMARK(parse_set)->Arg(32)->Arg(512)->Arg(4096);
BENCHMARK(parse_inline);

}  // namespace
