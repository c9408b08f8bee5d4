#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/arg_reader.h"
#include "protocol/bytes.h"
#include "protocol/command_error.h"

namespace magpie::commands {

struct CommandContext;
using resp::ArgReader;
using resp::CommandError;
using resp::ErrorCode;

/// Nothing, or the error that the client gets.
using CommandResult = std::expected<void, CommandError>;
inline std::unexpected<CommandError> error(ErrorCode code) { return std::unexpected(CommandError(code)); }
inline std::unexpected<CommandError> error(std::string text) { return std::unexpected(CommandError(std::move(text))); }

/// Runs one command: `args` are its arguments without the name (and, for a subcommand, without its name). The locks
/// that its row asks for are held. Writes exactly one reply, or returns an error, or blocks the client.
using Handler = CommandResult (*)(CommandContext& context, ArgReader args);

/// Bits of CommandRow::flags; the names that COMMAND INFO shows, and what the dispatcher does with them.
using Flag = std::uint32_t;
inline constexpr Flag kWrite = 1U << 0;
inline constexpr Flag kReadOnly = 1U << 1;
inline constexpr Flag kDenyOom = 1U << 2;  // refused when memory is over maxmemory and nothing can go
inline constexpr Flag kAdmin = 1U << 3;
inline constexpr Flag kPubSub = 1U << 4;
inline constexpr Flag kNoScript = 1U << 5;
inline constexpr Flag kBlocking = 1U << 6;
inline constexpr Flag kLoading = 1U << 7;
inline constexpr Flag kStale = 1U << 8;
inline constexpr Flag kSkipMonitor = 1U << 9;
inline constexpr Flag kSkipSlowlog = 1U << 10;
inline constexpr Flag kAsking = 1U << 11;
inline constexpr Flag kFast = 1U << 12;
inline constexpr Flag kNoAuth = 1U << 13;  // allowed before AUTH
inline constexpr Flag kMayReplicate = 1U << 14;
inline constexpr Flag kNoMulti = 1U << 15;  // refused inside MULTI
inline constexpr Flag kMovableKeys = 1U << 16;
inline constexpr Flag kAllowBusy = 1U << 17;
inline constexpr Flag kRunInMulti = 1U << 19;  // run at once inside MULTI, not queued (EXEC, DISCARD ...)
inline constexpr Flag kNoAsyncLoading = 1U << 20;
inline constexpr Flag kNoMandatoryKeys = 1U << 21;

/// Bits of CommandRow::categories (ACL), in the order in which COMMAND INFO lists them.
using Category = std::uint32_t;
inline constexpr Category kCatKeyspace = 1U << 0;
inline constexpr Category kCatRead = 1U << 1;
inline constexpr Category kCatWrite = 1U << 2;
inline constexpr Category kCatSet = 1U << 3;
inline constexpr Category kCatSortedSet = 1U << 4;
inline constexpr Category kCatList = 1U << 5;
inline constexpr Category kCatHash = 1U << 6;
inline constexpr Category kCatString = 1U << 7;
inline constexpr Category kCatBitmap = 1U << 8;
inline constexpr Category kCatHyperLogLog = 1U << 9;
inline constexpr Category kCatGeo = 1U << 10;
inline constexpr Category kCatStream = 1U << 11;
inline constexpr Category kCatPubSub = 1U << 12;
inline constexpr Category kCatAdmin = 1U << 13;
inline constexpr Category kCatFast = 1U << 14;
inline constexpr Category kCatSlow = 1U << 15;
inline constexpr Category kCatBlocking = 1U << 16;
inline constexpr Category kCatDangerous = 1U << 17;
inline constexpr Category kCatConnection = 1U << 18;
inline constexpr Category kCatTransaction = 1U << 19;
inline constexpr Category kCatScripting = 1U << 20;

enum class Group : std::uint8_t {
  Generic,
  String,
  List,
  Set,
  SortedSet,
  Hash,
  PubSub,
  Transactions,
  Connection,
  Server,
  Scripting,
  HyperLogLog,
  Cluster,
  Geo,
  Stream,
  Bitmap
};

/// Flags of a key specification, as COMMAND INFO spells them ("RW access update" ...). A space-separated text.
using KeyFlags = std::string_view;

/// One key specification as COMMAND INFO shows it, for commands that have several, or one that a KeySpec's first, last
/// and step do not say. Source of the terms: redis.io, "Command key specifications".
struct KeySearch {
  enum class Begin : std::uint8_t { Index, Keyword, Unknown };
  enum class Find : std::uint8_t { Range, KeyNumber, Unknown };
  KeyFlags flags = "";
  std::string_view notes = "";
  Begin begin = Begin::Index;
  int index = 0;  // Keyword: where the search starts
  std::string_view keyword = "";
  Find find = Find::Range;
  int last = 0;  // Range: relative to the first key; KeyNumber: where the number stands
  int step = 1;
  int limit = 0;      // Range: 2 means the first half of what is left
  int first_key = 1;  // KeyNumber only
};

/// Where the keys stand among the arguments, the command's name being argument 0. `last` counts from the end if
/// negative. A command whose keys cannot be told so has kMovableKeys and `searches` or a `find`.
struct KeySpec {
  int first = 0;  // 0: no keys
  int last = 0;
  int step = 0;
  KeyFlags flags = "";
  /// Appends the positions of the keys; false if the arguments make no sense.
  bool (*find)(std::span<const ByteView> arguments, std::vector<std::uint32_t>& positions) = nullptr;
  std::string_view notes = "";  // remark of the specification, for COMMAND INFO
  /// What `variable_flags` stands for with these arguments.
  KeyFlags (*variable)(std::span<const ByteView> arguments) = nullptr;
  std::span<const KeySearch> searches{};  // shown in place of the one that follows from first, last, step, flags

  /// Always exactly one key, argument `first`.
  constexpr bool is_one_key() const { return first > 0 && first == last && find == nullptr; }
  /// Visits the positions that follow from first, last and step; false if one lies behind the arguments.
  template <class Visit>
  bool visit_range(std::size_t argument_count, Visit visit) const {
    if (first == 0) return true;
    const auto count = static_cast<int>(argument_count);
    const int end = last >= 0 ? last : count + last;
    for (int at = first; at <= end; at += step) {
      if (at >= count) return false;
      visit(static_cast<std::uint32_t>(at));
    }
    return true;
  }
};

/// The keys of a command whose first argument is its only one.
constexpr KeySpec one_key(KeyFlags flags) { return {.first = 1, .last = 1, .step = 1, .flags = flags}; }

/// Which locks the dispatcher takes before the handler runs.
enum class Locks : std::uint8_t {
  Keys,  // the stripes of its keys (none without keys)
  All,   // all stripes: it sees or changes whole databases
  Own    // the handler locks by itself, one stripe after the other (all are held inside EXEC)
};

/// What a command is: everything that dispatch, COMMAND, ACLs and clients want to know. One row, one function.
struct CommandRow {
  std::string_view name;  // lower case; a subcommand's without its parent's
  int arity = 0;          // arguments with the name(s); negative: at least
  std::uint32_t flags = 0;
  KeySpec keys{};
  std::uint32_t categories = 0;  // beside those that follow from the flags
  Group group = Group::Generic;
  std::string_view since;
  std::string_view summary;
  std::string_view complexity = "";
  Handler handler = nullptr;
  Locks locks = Locks::Keys;
  std::span<const CommandRow> subcommands{};
  std::string_view tips = "";       // for clients and proxies, separated by spaces
  std::string_view arguments = "";  // for COMMAND DOCS, in the notation of argument_spec.h
  std::string_view deprecated_since = "";
  std::string_view replaced_by = "";
  std::string_view history = "";  // for COMMAND DOCS: a line for each change, "7.0.0 Added the `X` option."
  bool system = false;            // of interest to those who work on the server only
};

/// A row in the table of this process. Lives as long as the process.
struct Command {
  const CommandRow* row = nullptr;
  // Copies of what every call needs, together.
  Handler handler = nullptr;
  std::uint32_t flags = 0;
  std::int32_t arity = 0;
  std::int32_t first_key = 0;  // 0: none at a fixed place
  bool locks_one_key = false;  // the stripe of its first key, and no other
  bool quick = false;  // besides, done in constant time: it touches this key and nothing of the client or the server
  std::uint8_t names = 1;      // arguments that its name takes: 2 for a subcommand
  std::uint16_t id = 0;        // dense, for counters
  const Command* parent = nullptr;  // of a subcommand
  std::vector<const Command*> subcommands;
  std::string full_name;            // "client|list"

  Command(const CommandRow& described, const Command* parent_command, std::size_t number)
      : row(&described),
        handler(described.handler),
        flags(described.flags),
        arity(described.arity),
        first_key(described.keys.first),
        locks_one_key(described.keys.is_one_key() && described.locks == Locks::Keys),
        quick(locks_one_key && described.complexity == "O(1)" && described.subcommands.empty() &&
              (flags & (kBlocking | kRunInMulti | kSkipSlowlog)) == 0),
        names(parent_command == nullptr ? 1 : 2),
        id(static_cast<std::uint16_t>(number)),
        parent(parent_command),
        full_name((parent_command == nullptr ? "" : parent_command->full_name + "|") + std::string(described.name)) {}

  bool has(Flag flag) const { return (flags & flag) != 0; }
  bool arity_fits(std::size_t arguments) const {
    const auto count = static_cast<std::int32_t>(arguments);
    return arity >= 0 ? count == arity : count >= -arity;
  }
};

}  // namespace magpie::commands
