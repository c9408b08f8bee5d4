// Every command has a seed in the dispatcher's corpus: a fuzzer rarely guesses a name.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "server/commands/command_table.h"

namespace {

/// The words of all seeds, in lower case.
std::set<std::string> seed_words() {
  std::set<std::string> words;
  for (const auto& file : std::filesystem::directory_iterator(MAGPIE_CORPUS)) {
    std::ifstream stream(file.path(), std::ios::binary);
    std::string word;
    for (std::istreambuf_iterator<char> at(stream), end; at != end; ++at) {
      const auto byte = static_cast<unsigned char>(*at);
      if (std::isalnum(byte) != 0 || byte == '-' || byte == '_' || byte == '.') {
        word += static_cast<char>(std::tolower(byte));
      } else {
        words.insert(std::exchange(word, {}));
      }
    }
    words.insert(word);
  }
  return words;
}

}  // namespace

TEST_CASE("every command and subcommand is in a seed of the dispatcher's corpus") {
  const std::set<std::string> words = seed_words();
  for (const auto* command : magpie::commands::all_commands()) {
    std::string name(command->row->name);
    std::ranges::transform(name, name.begin(),
                           [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
    CAPTURE(command->full_name);
    CHECK(words.contains(name));
  }
}
