#include "server/peers/node_port_query.h"

#include <utility>
#include <vector>

#include "protocol/numbers.h"
#include "protocol/printable.h"
#include "protocol/reply_reader.h"

namespace magpie::server {
namespace {

constexpr std::size_t kRead = std::size_t{16} << 10;

void append_command(ByteBuffer& to, const std::vector<std::string>& arguments) {
  to.append("*" + std::to_string(arguments.size()) + "\r\n");
  for (const std::string& argument : arguments) {
    to.append("$" + std::to_string(argument.size()) + "\r\n" + argument + "\r\n");
  }
}

/// Of a line "name:value" in INFO's text; empty if there is none.
std::string field_of(const std::string& info, const std::string& name) {
  const std::size_t at = info.find("\r\n" + name + ":");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 3;
  return info.substr(begin, info.find("\r\n", begin) - begin);
}

std::expected<int, std::string> port_in(const std::string& info) {
  if (const auto port = parse_integer(field_of(info, "node_port")); port && *port > 0) return static_cast<int>(*port);
  if (field_of(info, "server_name") == "magpie") return std::unexpected("it is a Magpie node that takes no replicas");
  return std::unexpected("it is a Redis server (version " + printable(field_of(info, "redis_version")) +
                         "), and replicating from Redis is not possible yet; Magpie follows Magpie nodes only");
}

}  // namespace

NodePortQuery::NodePortQuery(net::Loop& loop, int fd, const Password& password, OnDone on_done)
    : on_done_(std::move(on_done)), waits_for_auth_(!password.password.empty()), stream_(loop, fd, *this) {
  OutputBuffer out;
  if (waits_for_auth_) {
    std::vector<std::string> auth{"AUTH"};
    if (!password.user.empty()) auth.push_back(password.user);
    auth.push_back(password.password);
    append_command(out.own(), auth);
  }
  append_command(out.own(), {"INFO", "server"});
  stream_.write(out);
  stream_.start_reading();
}

std::span<char> NodePortQuery::read_buffer() { return {in_.reserve(kRead), kRead}; }

void NodePortQuery::on_read(std::size_t bytes) {
  in_.commit(bytes);
  while (take_replies()) {
  }
}

/// True if there may be more.
bool NodePortQuery::take_replies() {
  resp::ReplyLimits limits;
  limits.max_bulk = std::size_t{1} << 20;
  resp::Reply reply;
  const auto outcome = resp::read_reply(in_.view(), limits, reply);
  if (std::holds_alternative<resp::ReplyNeedMore>(outcome)) return false;
  if (std::holds_alternative<resp::ReplyMalformed>(outcome)) {
    done(std::unexpected("it does not speak the Redis protocol"));
    return false;
  }
  in_.consume(std::get<resp::ReplyParsed>(outcome).consumed);
  if (reply.type == resp::Reply::Type::Error) {
    done(std::unexpected("it answers '" + printable(reply.text) + "'" +
                         (waits_for_auth_ || reply.text.starts_with("NOAUTH") ? "; see masterauth" : "")));
    return false;
  }
  if (std::exchange(waits_for_auth_, false)) return true;
  done(port_in(reply.text));
  return false;
}

void NodePortQuery::on_end(const char* error) {
  done(std::unexpected(error == nullptr ? "it closed the connection" : error));
}

void NodePortQuery::done(std::expected<int, std::string> port) {
  stream_.close();
  if (on_done_) std::exchange(on_done_, nullptr)(std::move(port));
}

}  // namespace magpie::server
