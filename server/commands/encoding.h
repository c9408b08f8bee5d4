#pragma once

#include "server/config/settings.h"
#include "server/engine/value.h"

namespace magpie::commands {

/// As OBJECT ENCODING says it: the name that Redis has for values of this type and size, whatever the form is.
const char* encoding_name(const engine::Value& value, const config::Settings& settings);

}  // namespace magpie::commands
