#include <array>

#include "server/commands/client_commands.h"
#include "server/commands/session.h"

namespace magpie::commands {
namespace {

constexpr std::int64_t kSecondMs = 1000;

CommandResult read_id(ByteView value, std::optional<std::uint64_t>& id) {
  const auto number = parse_integer(value);
  if (!number || *number < 1) return error("ERR client-id should be greater than 0");
  id = static_cast<std::uint64_t>(*number);
  return {};
}

CommandResult read_seconds(ByteView option, ByteView value, std::optional<std::int64_t>& seconds) {
  const auto number = parse_integer(value);
  if (!number) return error("ERR " + std::string(option) + " is not an integer or out of range");
  if (*number < 1) return error("ERR " + std::string(option) + " should be greater than 0");
  seconds = number;
  return {};
}

CommandResult read_option_id(ByteView value, ClientFilter& filter) { return read_id(value, filter.id); }
CommandResult read_option_not_id(ByteView value, ClientFilter& filter) { return read_id(value, filter.not_id); }
CommandResult read_option_max_age(ByteView value, ClientFilter& filter) {
  return read_seconds("maxage", value, filter.least_age);
}
CommandResult read_option_idle(ByteView value, ClientFilter& filter) {
  return read_seconds("idle", value, filter.least_idle);
}

CommandResult read_option_type(ByteView value, ClientFilter& filter) {
  const auto type = client_type(value);
  if (!type) return error(type.error());
  filter.type = *type;
  return {};
}

CommandResult read_option_db(ByteView value, ClientFilter& filter) {
  filter.database = parse_integer(value);
  if (!filter.database) return error(ErrorCode::NotInteger);
  return {};
}

CommandResult read_option_skip_me(ByteView value, ClientFilter& filter) {
  filter.skip_me = equals_ignore_case(value, "yes");
  if (!filter.skip_me && !equals_ignore_case(value, "no")) return error(ErrorCode::Syntax);
  return {};
}

template <std::optional<ByteView> ClientFilter::* Member>
CommandResult read_text(ByteView value, ClientFilter& filter) {
  filter.*Member = value;
  return {};
}

struct FilterOption {
  ByteView name;
  CommandResult (*read)(ByteView value, ClientFilter& filter);
};

// Redis 7.0 has the first six, 7.4 MAXAGE, Valkey the rest.
constexpr std::array kOptions{
    FilterOption{"id", read_option_id},
    FilterOption{"type", read_option_type},
    FilterOption{"addr", read_text<&ClientFilter::address>},
    FilterOption{"laddr", read_text<&ClientFilter::local_address>},
    FilterOption{"user", read_text<&ClientFilter::user>},
    FilterOption{"skipme", read_option_skip_me},
    FilterOption{"maxage", read_option_max_age},
    FilterOption{"not-id", read_option_not_id},
    FilterOption{"name", read_text<&ClientFilter::name>},
    FilterOption{"idle", read_option_idle},
    FilterOption{"db", read_option_db},
    FilterOption{"ip", read_text<&ClientFilter::host>},
    FilterOption{"lib-name", read_text<&ClientFilter::library_name>},
    FilterOption{"lib-ver", read_text<&ClientFilter::library_version>},
};

const FilterOption* find_option(ByteView name) {
  for (const FilterOption& option : kOptions) {
    if (equals_ignore_case(option.name, name)) return &option;
  }
  return nullptr;
}

ByteView host_of(ByteView address) { return address.substr(0, address.rfind(':')); }

bool texts_match(const ClientFilter& filter, const server::ClientState& client) {
  if (!filter.name && !filter.library_name && !filter.library_version) return true;
  const server::ClientState::Texts texts = client.texts();
  return (!filter.name || *filter.name == texts.name) &&
         (!filter.library_name || *filter.library_name == texts.library_name) &&
         (!filter.library_version || *filter.library_version == texts.library_version);
}

bool address_matches(const ClientFilter& filter, const server::ClientState& client) {
  return (!filter.address || printed(*filter.address) == client.peer_address) &&
         (!filter.local_address || printed(*filter.local_address) == client.local_address) &&
         (!filter.host || *filter.host == host_of(client.peer_address));
}

bool ids_match(const ClientFilter& filter, const server::ClientState& client) {
  const auto id = static_cast<std::uint64_t>(client.id);
  return (!filter.id || *filter.id == id) && (!filter.not_id || *filter.not_id != id) &&
         (!filter.database || *filter.database == static_cast<std::int64_t>(std::uint32_t{client.db}));
}

bool times_match(const ClientFilter& filter, const server::ClientState& client, Instant now) {
  return (!filter.least_age || (now.ms - client.created_ms) / kSecondMs >= *filter.least_age) &&
         (!filter.least_idle || (now.ms - client.last_activity_ms) / kSecondMs >= *filter.least_idle);
}

}  // namespace

std::expected<ClientType, std::string> client_type(ByteView name) {
  const ByteView shown = printed(name);
  if (equals_ignore_case(shown, "normal")) return ClientType::Normal;
  if (equals_ignore_case(shown, "slave") || equals_ignore_case(shown, "replica")) return ClientType::Replica;
  if (equals_ignore_case(shown, "pubsub")) return ClientType::PubSub;
  if (equals_ignore_case(shown, "master")) return ClientType::Master;
  return std::unexpected("ERR Unknown client type '" + std::string(shown) + "'");
}

CommandResult read_client_filter(ArgReader& args, ClientFilter& filter) {
  while (!args.done()) {
    const FilterOption* option = find_option(args.bytes());
    if (option == nullptr || args.done()) return error(ErrorCode::Syntax);
    if (auto read = option->read(args.bytes(), filter); !read) return read;
  }
  return {};
}

bool ClientFilter::matches(const server::ClientState& client, const CommandContext& context) const {
  if (skip_me && client.id == context.client.id) return false;
  if (type && *type != ClientType::Normal) return false;  // there are no others yet
  if (user && *user != "default") return false;
  return ids_match(*this, client) && times_match(*this, client, context.now) && address_matches(*this, client) &&
         texts_match(*this, client);
}

}  // namespace magpie::commands
