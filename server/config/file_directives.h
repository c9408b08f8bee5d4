#pragma once

#include "server/config/option.h"

namespace magpie::config {

/// A directive of redis.conf that is no option: it has no value that CONFIG GET could answer.
struct FileDirective {
  ByteView name;
  Effect effect;  // None or Refused; Works is `include`
  ByteView reason;
};

/// The directive with this name (in any case), or null.
const FileDirective* find_file_directive(ByteView name);

/// `user default on nopass ~* &* +@all` stands in every file that Redis rewrote and says what Magpie does anyway.
bool is_open_default_user(Arguments arguments);

}  // namespace magpie::config
