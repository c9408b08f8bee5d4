#include "server/commands/database_argument.h"

#include <limits>

namespace magpie::commands {

Db read_database(ArgReader& args, const CommandContext& context, const char* only_first_in_shard) {
  const std::int64_t number = args.integer();
  if (number < std::numeric_limits<int>::min() || number > std::numeric_limits<int>::max()) {
    args.fail(CommandError(std::string("ERR value is out of range, value must between -2147483648 and 2147483647")));
  } else if (number != 0 && only_first_in_shard != nullptr && context.server.shard.enabled()) {
    args.fail(CommandError(std::string(only_first_in_shard)));
  } else if (number < 0 || number >= context.server.keyspace.databases()) {
    args.fail(ErrorCode::DbOutOfRange);
  }
  return args.failed() ? Db{0} : Db{static_cast<std::uint32_t>(number)};
}

}  // namespace magpie::commands
