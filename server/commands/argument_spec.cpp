#include "server/commands/argument_spec.h"

#include <optional>
#include <vector>

#include "protocol/numbers.h"

namespace magpie::commands {
namespace {

struct Argument {
  std::string_view name;
  std::string_view type = "string";
  std::optional<int> key_spec;
  std::optional<std::string_view> token;
  std::string_view since;
  std::string_view deprecated_since;
  std::vector<std::string_view> flags;
  std::vector<Argument> inner;
};

/// Reads the notation; what is not well-formed ends the list (the text is ours, and a test reads all of it).
class Reader {
 public:
  explicit Reader(std::string_view spec) : left_(spec) {}

  std::vector<Argument> arguments() {
    std::vector<Argument> list;
    while (!left_.empty() && left_.front() != ')') {
      list.push_back(argument());
      take(' ');
    }
    return list;
  }

 private:
  bool take(char sign) {
    if (left_.empty() || left_.front() != sign) return false;
    left_.remove_prefix(1);
    return true;
  }

  std::string_view word() {
    const bool quoted = take('\'');
    const std::size_t end = std::min(left_.find_first_of(quoted ? "'" : ":#=?*+@~( )"), left_.size());
    const std::string_view found = left_.substr(0, end);
    left_.remove_prefix(end);
    if (quoted) take('\'');
    return found;
  }

  Argument argument() {
    Argument one;
    one.name = word();
    if (take(':')) one.type = word();
    if (take('#')) one.key_spec = static_cast<int>(parse_integer(word()).value_or(0));
    if (take('=')) one.token = word();
    if (take('?')) one.flags.emplace_back("optional");
    if (take('*')) one.flags.emplace_back("multiple");
    if (take('+')) one.flags.emplace_back("multiple_token");
    if (take('@')) one.since = word();
    if (take('~')) one.deprecated_since = word();
    if (take('(')) {
      one.inner = arguments();
      take(')');
    }
    return one;
  }

  std::string_view left_;
};

void write(resp::ReplyWriter& reply, const std::vector<Argument>& arguments);

void write(resp::ReplyWriter& reply, const Argument& one) {
  const auto text = [&](std::string_view name, std::string_view value) {
    reply.bulk(name);
    reply.bulk(value);
  };
  reply.map(2U + (one.key_spec ? 1 : 0) + (one.token ? 1 : 0) + (one.since.empty() ? 0 : 1) +
            (one.deprecated_since.empty() ? 0 : 1) + (one.flags.empty() ? 0 : 1) + (one.inner.empty() ? 0 : 1));
  text("name", one.name);
  text("type", one.type);
  if (one.key_spec) {
    reply.bulk("key_spec_index");
    reply.integer(*one.key_spec);
  }
  if (one.token) text("token", *one.token);
  if (!one.since.empty()) text("since", one.since);
  if (!one.deprecated_since.empty()) text("deprecated_since", one.deprecated_since);
  if (!one.flags.empty()) {
    reply.bulk("flags");
    reply.set(one.flags.size());
    for (const std::string_view flag : one.flags) reply.simple(flag);
  }
  if (!one.inner.empty()) {
    reply.bulk("arguments");
    write(reply, one.inner);
  }
}

void write(resp::ReplyWriter& reply, const std::vector<Argument>& arguments) {
  reply.array(arguments.size());
  for (const Argument& one : arguments) write(reply, one);
}

}  // namespace

void reply_arguments(resp::ReplyWriter& reply, std::string_view spec) { write(reply, Reader(spec).arguments()); }

}  // namespace magpie::commands
