#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/reply_writer.h"
#include "server/commands/command.h"

namespace magpie::commands {

/// The ACL categories of a command: those of its row and those that follow from its flags, Category bits.
std::uint32_t categories_of(const CommandRow& row);
/// The bit of a category by name ("sortedset", any case), 0 if there is none.
std::uint32_t category_named(ByteView name);
/// The names of all categories, in order.
std::vector<std::string_view> category_names();

/// The flags of a key, "RW access update", as a set of status replies.
void reply_words_as_set(resp::ReplyWriter& reply, std::string_view words);

/// One element of COMMAND INFO.
void reply_command_info(resp::ReplyWriter& reply, const Command& command);
/// One value of COMMAND DOCS.
void reply_command_docs(resp::ReplyWriter& reply, const Command& command);

}  // namespace magpie::commands
