// The subcommands of DEBUG that look at data, or make some.

#include <array>
#include <cstdio>
#include <limits>

#include "server/commands/debug.h"
#include "server/commands/encoding.h"

namespace magpie::commands::debug {
namespace {

using engine::Entry;
using engine::Key;
using engine::StringValue;

/// 40 hexadecimal digits as Redis's digests have them, from 128 bits; nothing stays all zeros.
std::string digest_text(std::uint64_t low, std::uint64_t high) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  char text[41];
  std::snprintf(text, sizeof text, "%016llx%016llx%08llx", static_cast<unsigned long long>(low),
                static_cast<unsigned long long>(high), static_cast<unsigned long long>((low ^ high) * kOdd >> 32));
  return text;
}

/// Bytes of a string in a dump: its length or number in Redis's encoding, uncompressed. Source: the RDB file format.
std::size_t serialized_string(const StringValue& value) {
  constexpr std::size_t kSixBits = 64;
  constexpr std::size_t kFourteenBits = 16384;
  if (value.form == engine::StringForm::Integer) {
    const std::int64_t number = value.number;
    if (number >= std::numeric_limits<std::int8_t>::min() && number <= std::numeric_limits<std::int8_t>::max())
      return 2;
    if (number >= std::numeric_limits<std::int16_t>::min() && number <= std::numeric_limits<std::int16_t>::max())
      return 3;
    if (number >= std::numeric_limits<std::int32_t>::min() && number <= std::numeric_limits<std::int32_t>::max())
      return 5;
  }
  engine::IntegerScratch scratch;
  const std::size_t length = text_of(value, scratch).size();
  if (length < kSixBits) return length + 1;
  return length + (length < kFourteenBits ? 2 : 5);
}

/// Of a list, the sum over its elements, as if each stood for itself.
std::size_t serialized_length(const engine::Value& value) {
  if (value.type() == engine::ValueType::String) return serialized_string(value.as_string());
  std::size_t sum = 0;
  for (engine::ListView::Cursor at(value.as_list(), 0); at.valid(); at.next()) sum += serialized_string(at.value());
  return sum;
}

const Entry* entry_at(CommandContext& context, ByteView key) {
  return context.server.keyspace.peek(context.keys.db(), Key::of(key), context.now);
}

}  // namespace

CommandResult object(CommandContext& context, ArgReader args) {
  const Entry* entry = entry_at(context, args.bytes());
  if (entry == nullptr) return error(ErrorCode::NoSuchKey);
  const engine::Value value = entry->value();
  engine::Keyspace& keyspace = context.server.keyspace;
  const engine::Heat heat = *keyspace.heat(context.keys.db(), Key::of(entry->key()));
  const bool by_frequency = uses_frequency(keyspace.eviction().policy);
  const std::int64_t idle = by_frequency ? 0 : keyspace.idle_ms(heat, context.now) / 1000;
  char address[32];
  std::snprintf(address, sizeof address, "%p", static_cast<const void*>(entry));
  context.reply.simple("Value at:" + std::string(address) +
                       " refcount:1 encoding:" + encoding_name(value, context.settings) +
                       " serializedlength:" + std::to_string(serialized_length(value)) +
                       " lru:" + std::to_string(index_of(heat)) + " lru_seconds_idle:" + std::to_string(idle));
  return {};
}

CommandResult sdslen(CommandContext& context, ArgReader args) {
  const Entry* entry = entry_at(context, args.bytes());
  if (entry == nullptr) return error(ErrorCode::NoSuchKey);
  if (entry->type() != engine::ValueType::String) return error("ERR Not an sds encoded string.");
  engine::IntegerScratch scratch;
  context.reply.simple("key_sds_len:" + std::to_string(entry->key().size()) +
                       ", key_sds_avail:0, key_zmalloc: " + std::to_string(engine::EntryHeap::memory(*entry)) +
                       ", val_sds_len:" + std::to_string(text_of(entry->string(), scratch).size()) +
                       ", val_sds_avail:0, val_zmalloc: " + std::to_string(engine::EntryHeap::memory(*entry)));
  return {};
}

CommandResult digest(CommandContext& context, ArgReader) {
  const auto sum = context.server.keyspace.digest();
  context.reply.simple(digest_text(sum[0], sum[1]));
  return {};
}

CommandResult digest_value(CommandContext& context, ArgReader args) {
  context.reply.array(args.remaining());
  for (const ByteView key : args.rest()) {
    const Entry* entry = entry_at(context, key);
    const std::uint64_t sum = entry == nullptr ? 0 : context.server.keyspace.digest_of(context.keys.db(), *entry);
    context.reply.simple(digest_text(sum, sum));
  }
  return {};
}

CommandResult populate(CommandContext& context, ArgReader args) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::int64_t count = args.integer_in(0, kMost, ErrorCode::NotPositive);
  const ByteView prefix = args.done() ? ByteView("key") : args.bytes();
  const std::int64_t size = args.done() ? 0 : args.integer_in(0, kMost, ErrorCode::NotPositive);
  if (auto wrong = args.finish()) {
    return wrong->code() == ErrorCode::NotInteger ? error(ErrorCode::NotPositive) : std::unexpected(std::move(*wrong));
  }
  if (size > context.settings.proto_max_bulk_len) return error(ErrorCode::StringTooLong);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string name = std::string(prefix) + ":" + std::to_string(i);
    const Key key = Key::of(name);
    if (context.keys.find_untouched(key) != nullptr) continue;
    std::string value = "value:" + std::to_string(i);
    if (size > 0) value.resize(static_cast<std::size_t>(size), '\0');
    context.keys.apply(engine::Put{context.keys.db(), key, StringValue::plain(value), std::nullopt});
  }
  context.reply.ok();
  return {};
}

/// There is nothing to write and read back: the keys stay as they are.
CommandResult reload(CommandContext& context, ArgReader args) {
  while (!args.done()) {
    if (args.keyword("MERGE") || args.keyword("NOFLUSH") || args.keyword("NOSAVE")) continue;
    return error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
  }
  context.reply.ok();
  return {};
}

CommandResult table_statistics(CommandContext& context, ArgReader args) {
  const std::int64_t db = args.integer();
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  if (db < 0 || db >= context.server.keyspace.databases()) return error("ERR Out of range database");
  const auto size = context.server.keyspace.size(Db{static_cast<std::uint32_t>(db)}, context.now);
  context.reply.verbatim("txt", "[Dictionary HT]\n number of elements: " + std::to_string(size.keys) +
                                    "\n[Expires HT]\n number of elements: " + std::to_string(size.volatile_keys) +
                                    "\n");
  return {};
}

CommandResult needs_key(CommandContext& context, ArgReader args) {
  if (entry_at(context, args.bytes()) == nullptr) return error(ErrorCode::NoSuchKey);
  return error("ERR Magpie keeps no such structure for this key");
}

}  // namespace magpie::commands::debug
