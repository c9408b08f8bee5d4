// CLUSTER KEYSLOT, COUNTKEYSINSLOT and GETKEYSINSLOT: the keys of a slot, of which no list is kept.

#include <optional>
#include <utility>

#include "cluster/placement/slot.h"
#include "server/commands/cluster_commands.h"
#include "server/commands/copied_keys.h"

namespace magpie::commands {
namespace {

/// Visits the keys of the slot until visit(key) returns false, by looking at all keys of the slot's stripe. It lets the
/// stripe go now and then; a key that is there all the time is visited once.
template <class Visit>
void visit_slot(CommandContext& context, Slot slot, const Visit& visit) {
  constexpr int kParts = 128;  // between two looks whether somebody waits
  engine::Keyspace& keyspace = context.keys.keyspace();
  const engine::StripeIndex stripe = engine::stripe_of(slot);
  engine::Position position = 0;
  bool more = true;
  const auto look = [&](Db db, const engine::Entry& entry) {
    if (!more || db != context.keys.db() || entry.expired(context.now)) return;
    if (slot_of(entry.key()) == slot) more = visit(entry.key());
  };
  do {
    const engine::Keyspace::Guard guard =
        context.in_transaction ? engine::Keyspace::Guard() : keyspace.lock(engine::mask_of(stripe));
    int parts = 0;
    do {
      position = keyspace.read_part(stripe, position, look);
    } while (more && position != 0 && ++parts < kParts);
  } while (more && position != 0);
}

std::optional<Slot> slot_from(std::int64_t number) {
  if (number < 0 || number >= kSlots) return std::nullopt;
  return Slot{static_cast<std::uint16_t>(number)};
}

}  // namespace

CommandResult cluster_keyslot(CommandContext& context, ArgReader args) {
  context.reply.integer(static_cast<std::int64_t>(slot_of(args.bytes())));
  return {};
}

CommandResult cluster_countkeysinslot(CommandContext& context, ArgReader args) {
  const std::optional<Slot> slot = slot_from(args.integer());
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  if (!slot) return error("ERR Invalid slot");
  std::int64_t count = 0;
  visit_slot(context, *slot, [&](ByteView) {
    ++count;
    return true;
  });
  context.reply.integer(count);
  return {};
}

CommandResult cluster_getkeysinslot(CommandContext& context, ArgReader args) {
  const std::optional<Slot> slot = slot_from(args.integer());
  const std::int64_t most = args.integer();
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  if (!slot || most < 0) return error("ERR Invalid slot or number of keys");
  CopiedKeys found;
  if (most > 0) {
    visit_slot(context, *slot, [&](ByteView key) {
      found.add(key);
      return found.size() < static_cast<std::uint64_t>(most);
    });
  }
  found.write_to(context.reply);
  return {};
}

}  // namespace magpie::commands
