#pragma once

#include <string_view>

#include "protocol/reply_writer.h"

namespace magpie::commands {

/// Writes CommandRow::arguments as the `arguments` of COMMAND DOCS: an array of maps.
///
/// The notation, arguments separated by spaces: name[:type][#key specification][=TOKEN][?][*][+][@since][~deprecated]
/// [(inner arguments)]. Without a type it is a string; ? is optional, * multiple, + multiple_token; a name or token
/// with signs in it stands in single quotes. "key:key#0 value condition:oneof?(nx:pure-token=NX xx:pure-token=XX)".
void reply_arguments(resp::ReplyWriter& reply, std::string_view spec);

}  // namespace magpie::commands
