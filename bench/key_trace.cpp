#include "bench/key_trace.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdio>
#include <unordered_map>

namespace magpie::bench {
namespace {

static_assert(std::endian::native == std::endian::little);

/// As one word of a shell's command.
std::string quoted(const std::string& word) {
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

/// All ids of the file; nothing if it cannot be read to its end.
std::vector<std::uint32_t> read_ids(const std::filesystem::path& path) {
  const bool packed = path.extension() == ".zst";
  const std::string unpack = "zstd -dcq -- " + quoted(path.string());
  std::FILE* const file = packed ? popen(unpack.c_str(), "r") : std::fopen(path.c_str(), "rb");
  std::vector<std::uint32_t> ids;
  if (file == nullptr) return ids;
  std::array<std::uint32_t, 16'384> part{};
  while (const std::size_t got = std::fread(part.data(), sizeof part[0], part.size(), file)) {
    ids.insert(ids.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(got));
  }
  const bool failed = std::ferror(file) != 0;
  const int status = packed ? pclose(file) : std::fclose(file);
  if (failed || status != 0) ids.clear();
  return ids;
}

}  // namespace

std::map<std::string, std::filesystem::path> find_traces(const std::filesystem::path& folder) {
  std::map<std::string, std::filesystem::path> found;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    std::filesystem::path name = file.path().filename();
    if (name.extension() == ".zst") name = name.stem();
    if (name.extension() == ".u32") found.emplace(name.stem().string(), file.path());
  }
  return found;
}

std::expected<KeyTrace, std::string> read_trace(const std::filesystem::path& path, std::size_t limit) {
  KeyTrace trace{read_ids(path), 0};
  if (trace.requests.empty()) return std::unexpected("cannot read " + path.string() + ", or it is empty");
  if (trace.requests.size() > limit) trace.requests.resize(limit);
  std::unordered_map<std::uint32_t, std::uint32_t> numbers;
  for (std::uint32_t& id : trace.requests) {
    id = numbers.try_emplace(id, static_cast<std::uint32_t>(numbers.size())).first->second;
  }
  trace.distinct = numbers.size();
  return trace;
}

}  // namespace magpie::bench
