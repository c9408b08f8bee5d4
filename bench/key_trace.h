#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace magpie::bench {

/// The keys of a cache's requests, in order, as numbers below `distinct`.
struct KeyTrace {
  std::vector<std::uint32_t> requests;
  std::size_t distinct = 0;
};

/// The traces of a folder, NAME.u32 or NAME.u32.zst, by name.
std::map<std::string, std::filesystem::path> find_traces(const std::filesystem::path& folder);

/// Reads the first `limit` requests: little-endian 32-bit ids, any values, and through the program `zstd` if the name
/// ends in .zst. The error is one for the user.
std::expected<KeyTrace, std::string> read_trace(const std::filesystem::path& path, std::size_t limit);

}  // namespace magpie::bench
