// DEBUG PROTOCOL: one reply of each type, for authors of clients. The values are Redis's.

#include <array>

#include "server/commands/debug.h"

namespace magpie::commands::debug {
namespace {

using resp::ReplyWriter;

constexpr int kElements = 3;

struct Example {
  std::string_view name;
  void (*write)(ReplyWriter&);
};

void attribute(ReplyWriter& reply) {
  if (reply.version() == resp::Version::Resp3) {
    reply.attribute(1);
    reply.bulk("key-popularity");
    reply.array(2);
    reply.bulk("key:123");
    reply.integer(90);
  }
  reply.bulk("Some real reply following the attribute");
}

void push(ReplyWriter& reply) {
  reply.push(2);
  reply.bulk("server-cpu-usage");
  reply.integer(42);
  reply.bulk("Some real reply following the push reply");
}

void array(ReplyWriter& reply) {
  reply.array(kElements);
  for (int i = 0; i < kElements; ++i) reply.integer(i);
}

void set(ReplyWriter& reply) {
  reply.set(kElements);
  for (int i = 0; i < kElements; ++i) reply.integer(i);
}

void map(ReplyWriter& reply) {
  reply.map(kElements);
  for (int i = 0; i < kElements; ++i) {
    reply.integer(i);
    reply.boolean(i == 1);
  }
}

constexpr std::array kExamples{
    Example{"string", [](ReplyWriter& reply) { reply.bulk("Hello World"); }},
    Example{"integer", [](ReplyWriter& reply) { reply.integer(12345); }},
    Example{"double", [](ReplyWriter& reply) { reply.real(3.141); }},
    Example{"bignum", [](ReplyWriter& reply) { reply.big_number("1234567999999999999999999999999999999"); }},
    Example{"null", [](ReplyWriter& reply) { reply.null(); }},
    Example{"array", array},
    Example{"set", set},
    Example{"map", map},
    Example{"attrib", attribute},
    Example{"push", push},
    Example{"verbatim", [](ReplyWriter& reply) { reply.verbatim("txt", "This is a verbatim\nstring"); }},
    Example{"true", [](ReplyWriter& reply) { reply.boolean(true); }},
    Example{"false", [](ReplyWriter& reply) { reply.boolean(false); }},
};

}  // namespace

CommandResult protocol(CommandContext& context, ArgReader args) {
  const ByteView name = args.bytes();
  for (const Example& example : kExamples) {
    if (!equals_ignore_case(name, example.name)) continue;
    if (example.write == push && context.reply.version() == resp::Version::Resp2) {
      return error("ERR RESP2 is not supported by this command");
    }
    example.write(context.reply);
    return {};
  }
  std::string names;
  for (const Example& example : kExamples) names += (names.empty() ? "" : "|") + std::string(example.name);
  return error("ERR Wrong protocol type name. Please use one of the following: " + names);
}

}  // namespace magpie::commands::debug
