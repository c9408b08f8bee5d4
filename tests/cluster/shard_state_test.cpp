#include "cluster/replication/shard_state.h"

#include <doctest/doctest.h>

using namespace magpie::cluster;  // NOLINT(google-build-using-namespace): the namespace under test
using magpie::Term;

namespace {

Member member(const std::string& node, std::uint8_t byte) {
  Member member{{node}, {}};
  member.incarnation.bytes.fill(byte);
  return member;
}

}  // namespace

TEST_CASE("a shard's state is text, and is read as it was written") {
  const ShardState state{7, member("a", 0x1f), {member("a", 0x1f), member("b:1", 2)}, {member("c", 3)}, 2};
  const std::string text = to_text(state);
  CHECK(text ==
        "magpie-shard 1\nchange 7\n"
        "leader a 1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f\n"
        "isr a 1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f\n"
        "isr b:1 02020202020202020202020202020202\n"
        "learner c 03030303030303030303030303030303\n"
        "loss-epoch 2\n");
  CHECK(parse_shard_state(text) == state);
  CHECK(parse_shard_state(to_text(ShardState{})) == ShardState{});
}

TEST_CASE("whatever is cut off, doubled or changed is no state") {
  const ShardState state{7, member("a", 1), {member("a", 1), member("b", 2)}, {}, 2};
  const std::string text = to_text(state);
  for (std::size_t size = 0; size < text.size(); ++size) CHECK_FALSE(parse_shard_state(text.substr(0, size)));
  CHECK_FALSE(parse_shard_state(text + "\n"));
  CHECK_FALSE(parse_shard_state(text + text));
  const auto with = [&text](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return parse_shard_state(changed);
  };
  CHECK(with("change 7", "change 8"));
  CHECK_FALSE(with("change 7", "change 07"));
  CHECK_FALSE(with("change 7", "change -7"));
  CHECK_FALSE(with("change 7", "change  7"));
  CHECK_FALSE(with("change 7", "change 99999999999999999999"));
  CHECK_FALSE(with("shard 1", "shard 2"));
  CHECK_FALSE(with("leader a 01", "leader a 0G"));
  CHECK_FALSE(with("leader a 01", "leader a 02"));  // it is in no ISR
  CHECK_FALSE(with("isr b 02", "isr a/b 02"));
  CHECK_FALSE(with("isr b 02", "isr b 0"));
}

TEST_CASE("a node's record and a term are text, too") {
  const NodeRecord record{member("", 9).incarnation, 3, true, "127.0.0.1:17000 zone=x"};
  CHECK(parse_node_record(to_text(record)) == record);
  CHECK(parse_node_record(to_text(NodeRecord{})) == NodeRecord{});
  CHECK_FALSE(parse_node_record(to_text(record) + " "));
  CHECK_FALSE(parse_node_record("magpie-node 1\n"));
  CHECK(to_text(Term{12}) == "magpie-term 1\nterm 12\n");
  CHECK(parse_term(to_text(Term{12})) == Term{12});
  CHECK_FALSE(parse_term("magpie-term 1\nterm 12"));
  CHECK_FALSE(parse_term("magpie-term 1\nterm 12\nterm 13\n"));
}
