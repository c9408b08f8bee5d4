#include "server/config/load.h"

#include <glob.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "server/config/reference.h"

namespace magpie::config {
namespace {

std::string why_not(ByteView what, const std::string& path, int code) {
  return "cannot " + std::string(what) + " '" + path + "': " + std::generic_category().message(code);
}

std::expected<std::string, std::string> read_stream(std::FILE* stream, const std::string& path) {
  std::string text;
  char block[16384];
  for (std::size_t count = 1; count > 0;) {
    count = std::fread(block, 1, sizeof block, stream);
    text.append(block, count);
  }
  if (std::ferror(stream) != 0) return std::unexpected(why_not("read", path, errno));
  return text;
}

std::expected<std::string, std::string> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(path.c_str(), "re"), std::fclose);
  if (stream == nullptr) return std::unexpected(why_not("open", path, errno));
  return read_stream(stream.get(), path);
}

/// The paths a pattern stands for: none is fine for a pattern, as in an empty conf.d/.
std::vector<std::string> expand(const std::string& pattern) {
  if (pattern.find_first_of("*?[") == std::string::npos) return {pattern};
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return paths;
}

/// Adds the directives of all texts that `path` stands for.
std::expected<void, std::string> append(std::vector<Directive>& all, const std::string& path,
                                        const SourceReader& reader) {
  const auto sources = reader(path);
  if (!sources) return std::unexpected(sources.error());
  for (const SourceText& source : *sources) {
    auto directives = parse_config_text(source, reader);
    if (!directives) return std::unexpected(std::move(directives.error()));
    all.insert(all.end(), directives->begin(), directives->end());
  }
  return {};
}

std::expected<std::vector<Directive>, std::string> gather(const CommandLine& line, const SourceReader& reader) {
  std::vector<Directive> all;
  std::expected<void, std::string> added;
  if (line.file) added = append(all, *line.file, reader);
  if (added && line.standard_input) added = append(all, "-", reader);
  for (const Directive& option : line.options) {
    if (!added) break;
    if (option.name != "include") {
      all.push_back(option);
    } else if (option.arguments.size() == 1) {
      added = append(all, option.arguments.front(), reader);
    } else {
      added = std::unexpected(location(option) + ": 'include' takes one file");
    }
  }
  if (!added) return std::unexpected(std::move(added.error()));
  return all;
}

std::string absolute_path(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.lexically_normal().string();
}

}  // namespace

std::expected<LoadedConfig, StartupError> load(std::span<const std::string> words, const SourceReader& reader) {
  const auto line = parse_command_line(words);
  if (!line) return std::unexpected(StartupError{line.error()});
  LoadedConfig loaded;
  loaded.mode = line->mode;
  if (line->mode == Mode::Version) return loaded;
  if (line->mode == Mode::Help || line->mode == Mode::HelpOptions) {
    loaded.output = line->mode == Mode::Help ? usage_text() : reference_document();
    return loaded;
  }
  const auto directives = gather(*line, reader);
  if (!directives) return std::unexpected(StartupError{directives.error()});
  auto applied = apply_directives(*directives);
  if (!applied) return std::unexpected(StartupError{applied.error()});
  loaded.settings = std::move(applied->settings);
  loaded.warnings = std::move(applied->warnings);
  if (const auto& file = line->file) loaded.config_file = absolute_path(*file);
  if (line->mode == Mode::CheckConfig) loaded.output = "The configuration is valid.\n";
  return loaded;
}

std::expected<LoadedConfig, StartupError> load(int argc, const char* const* argv) {
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) words.emplace_back(argv[i]);
  return load(words, read_sources);
}

std::expected<std::vector<SourceText>, std::string> read_sources(const std::string& path) {
  if (path == "-") {
    auto text = read_stream(stdin, "standard input");
    if (!text) return std::unexpected(std::move(text.error()));
    return std::vector{SourceText{"standard input", std::move(*text)}};
  }
  std::vector<SourceText> sources;
  for (std::string& name : expand(path)) {
    auto text = read_file(name);
    if (!text) return std::unexpected(std::move(text.error()));
    sources.push_back({std::move(name), std::move(*text)});
  }
  return sources;
}

}  // namespace magpie::config
