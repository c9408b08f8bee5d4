#pragma once

#include <string>

namespace magpie::config {

/// What --help prints: usage and one line for each option that works.
std::string usage_text();

/// docs/configuration.md, made from the option table; --help-options prints it.
std::string reference_document();

}  // namespace magpie::config
