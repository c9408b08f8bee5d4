#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/command_parser.h"

namespace magpie::resp {

using Words = std::vector<std::string>;

/// What a stream of commands reads as: the commands, then the message of a protocol error if there was one.
struct Conversation {
  std::vector<Words> commands;
  std::string error;
  bool operator==(const Conversation&) const = default;
};

inline std::string encode(const Words& words) {
  std::string text = "*" + std::to_string(words.size()) + "\r\n";
  for (const auto& word : words) text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return text;
}

inline Words words_of(const Args& args) { return {args.views().begin(), args.views().end()}; }

/// Feeds a stream in pieces, as a connection would. Each call sees its input at a new address in a block of just its
/// size, so that sanitizers notice a view that was kept across calls or a read behind the end.
class Conversing {
 public:
  explicit Conversing(const ParseLimits& limits = {}) : limits_(limits) {}

  void feed(std::string_view piece) {
    pending_ += piece;
    while (conversation_.error.empty() && !pending_.empty() && step()) {
    }
  }
  const Conversation& conversation() const { return conversation_; }
  const ParseCursor& cursor() const { return cursor_; }
  std::size_t at_least() const { return at_least_; }
  std::size_t pending() const { return pending_.size(); }

 private:
  bool step() {
    const auto copy = std::make_unique<char[]>(pending_.size());
    std::memcpy(copy.get(), pending_.data(), pending_.size());
    const auto outcome = parse_command({copy.get(), pending_.size()}, limits_, cursor_, args_);
    if (const auto* parsed = std::get_if<Parsed>(&outcome)) {
      conversation_.commands.push_back(words_of(args_));
      pending_.erase(0, parsed->consumed);
      return true;
    }
    if (const auto* error = std::get_if<ProtocolError>(&outcome)) {
      conversation_.error = error->message();
    } else {
      at_least_ = std::get<NeedMore>(outcome).at_least;
    }
    return false;
  }

  ParseLimits limits_;
  ParseCursor cursor_;
  Args args_;
  std::string pending_;
  Conversation conversation_;
  std::size_t at_least_ = 0;
};

inline Conversation converse(std::string_view stream, const ParseLimits& limits = {}) {
  Conversing conversing(limits);
  conversing.feed(stream);
  return conversing.conversation();
}

}  // namespace magpie::resp
