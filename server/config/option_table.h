#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "server/config/option.h"

namespace magpie::config {

// The one table behind the config file, the command line, CONFIG GET / SET / REWRITE, --help and the reference
// document. Static and immutable: any thread may read it.

/// The whole table, by subject.
std::span<const Area> areas();

struct Found {
  const Option* option;
  bool by_alias;
};
/// The row with this name or alias, in any case.
std::optional<Found> find_option(ByteView name);

/// Settings with every option at its default.
Settings default_settings();

/// Parses and stores a value; on an error `settings` is unchanged and the text is Redis's ("argument must be a memory
/// value"). Does not look at `change` or `effect`.
std::expected<void, std::string> assign(Settings& settings, const Option& option, Arguments arguments, Origin origin);

/// The value as CONFIG GET prints it.
std::string format(const Settings& settings, const Option& option);

bool takes_several_arguments(const Option& option);

/// Splits the one argument of an option that takes several, as Redis does for CONFIG SET: at each space, no quotes.
std::vector<std::string> split_at_spaces(ByteView text);

/// The values of a file's line or a command line's option as `assign` takes them: a quoted list is split up.
std::vector<std::string> list_arguments(const Option& option, Arguments words);

/// What an error tells the user about the values: "an integer from 0 to 65535".
std::string allowed_values(const Option& option);
/// A word or two for the reference: "integer 0..65535".
std::string type_name(const Option& option);

}  // namespace magpie::config
