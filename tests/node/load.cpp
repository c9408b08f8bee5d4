#include "tests/node/load.h"

#include <cstdlib>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>

namespace magpie::testing {

int rounds() {
  constexpr int kShort = 2;
  const char* asked = std::getenv("MAGPIE_LOAD_ROUNDS");
  return asked == nullptr ? kShort : std::atoi(asked);
}

config::Settings four_loops() {
  config::Settings settings;
  settings.threads = 4;
  return settings;
}

[[noreturn]] void unexpected(const std::string& got, std::string_view instead_of) {
  throw std::runtime_error("got " + got.substr(0, 200) + " instead of " + std::string(instead_of.substr(0, 200)));
}

void expect(Client& client, std::string_view reply) {
  if (const std::string got = client.reply(); got != reply) unexpected(got, reply);
}

bool expect_either(Client& client, std::string_view one, std::string_view other) {
  const std::string got = client.reply();
  if (got != one && !got.starts_with(other)) unexpected(got, one);
  return got == one;
}

std::int64_t expect_number(Client& client) {
  const std::string got = client.reply();
  if (!got.starts_with(":")) unexpected(got, "a number");
  return std::stoll(got.substr(1));
}

std::int64_t run_all(const TestNode& node, const std::vector<Job>& jobs) {
  std::vector<std::future<std::int64_t>> running;
  running.reserve(jobs.size());
  for (const Job job : jobs) {
    running.push_back(std::async(std::launch::async, job, std::cref(node), Random(running.size() + 1)));
  }
  std::int64_t sum = 0;
  for (auto& one : running) sum += one.get();
  return sum;
}

}  // namespace magpie::testing
