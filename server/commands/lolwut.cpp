#include "server/commands/lolwut.h"

#include <array>
#include <random>
#include <string_view>
#include <vector>

#include "server/state/version.h"

namespace magpie::commands {
namespace {

constexpr std::array<std::string_view, 7> kBird{
    R"(            .--.)", R"(           /  o \__)", R"(          |     __/>)", R"(    __   /  .--')",
    R"(   \\ `-'   /)",    R"( --\\_____.')",        R"(      ^^ ^^)",
};
constexpr std::string_view kStars = ".  *  '  +  .  o";

}  // namespace

std::string lolwut_text(std::size_t columns, std::int64_t seed) {
  std::minstd_rand random(static_cast<unsigned>(seed ^ (seed >> 32)));
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random()) % limit; };
  constexpr std::size_t kSky = 4;
  constexpr std::size_t kBirdWidth = 20;
  std::vector<std::string> canvas(kSky + kBird.size(), std::string(columns, ' '));
  for (std::size_t star = 0; star < columns / 2; ++star) {
    canvas[below(canvas.size())][below(columns)] = kStars[below(kStars.size())];
  }
  const std::size_t left = columns > kBirdWidth ? below(columns - kBirdWidth) : 0;
  for (std::size_t row = 0; row < kBird.size(); ++row) {
    for (std::size_t column = 0; column < kBird[row].size() && left + column < columns; ++column) {
      canvas[kSky + row][left + column] = kBird[row][column];
    }
  }
  std::string text;
  for (std::string& line : canvas) {
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  text += std::string(columns, '=') + "\n\n";
  // Redis ends with its version, and programs look for that line.
  return text + "Magpie ver. " + server::kVersion + ", Redis ver. " + server::kRedisVersion + "\n";
}

}  // namespace magpie::commands
