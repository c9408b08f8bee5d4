#include "cluster/replication/shard_state.h"

#include <charconv>

namespace magpie::cluster {
namespace {

constexpr std::string_view kShardVersion = "magpie-shard 1";
constexpr std::string_view kNodeVersion = "magpie-node 1";
constexpr std::string_view kTermVersion = "magpie-term 1";
constexpr std::string_view kHex = "0123456789abcdef";
/// More members than this, no shard has.
constexpr std::size_t kMostMembers = 64;

void add_line(std::string& to, std::string_view word, std::string_view rest) {
  to.append(word).append(" ").append(rest).append("\n");
}

void add_number(std::string& to, std::string_view word, std::uint64_t number) {
  add_line(to, word, std::to_string(number));
}

std::string to_hex(const Incarnation& incarnation) {
  std::string text;
  for (const std::uint8_t byte : incarnation.bytes) {
    text += kHex[byte >> 4];
    text += kHex[byte & 0xf];
  }
  return text;
}

void add_member(std::string& to, std::string_view word, const Member& member) {
  add_line(to, word, member.node.text + ' ' + to_hex(member.incarnation));
}

/// Reads a text line by line; once something is wrong, everything is.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {}

  /// What follows this word in the next line, if the line begins with it.
  std::optional<std::string_view> take(std::string_view word) {
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view line = rest_.substr(0, end);
    if (!line.starts_with(word) || line.size() == word.size() || line[word.size()] != ' ') return std::nullopt;
    rest_.remove_prefix(end + 1);
    return line.substr(word.size() + 1);
  }
  bool version(std::string_view version) {
    const std::size_t space = version.find(' ');
    return take(version.substr(0, space)) == version.substr(space + 1);
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<std::uint64_t> number_of(std::optional<std::string_view> text) {
  std::uint64_t number = 0;
  if (!text || text->empty() || (text->front() == '0' && text->size() > 1)) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return number;
}

std::optional<Incarnation> incarnation_of(std::string_view text) {
  Incarnation incarnation;
  if (text.size() != 2 * incarnation.bytes.size()) return std::nullopt;
  for (std::size_t index = 0; index < text.size(); ++index) {
    const std::size_t digit = kHex.find(text[index]);
    if (digit == std::string_view::npos) return std::nullopt;
    auto& byte = incarnation.bytes[index / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | digit);
  }
  return incarnation;
}

bool is_node_id(std::string_view text) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";
  return !text.empty() && text.size() <= kMostNodeId && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::optional<Member> member_of(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos || !is_node_id(text.substr(0, space))) return std::nullopt;
  const auto incarnation = incarnation_of(text.substr(space + 1));
  if (!incarnation) return std::nullopt;
  return Member{{std::string(text.substr(0, space))}, *incarnation};
}

/// All lines in a row with this word. False if one is no member, there are too many, or a node is named twice.
bool take_members(LineReader& lines, std::string_view word, std::vector<Member>& into) {
  while (const auto text = lines.take(word)) {
    auto member = member_of(*text);
    if (!member || into.size() == kMostMembers || contains(into, *member)) return false;
    into.push_back(std::move(*member));
  }
  return true;
}

}  // namespace

std::string to_text(const ShardState& state) {
  std::string text(kShardVersion);
  text += '\n';
  add_number(text, "change", state.change);
  if (state.leader) add_member(text, "leader", *state.leader);
  for (const Member& member : state.isr) add_member(text, "isr", member);
  for (const Member& member : state.learners) add_member(text, "learner", member);
  add_number(text, "loss-epoch", state.loss_epoch);
  return text;
}

std::optional<ShardState> parse_shard_state(std::string_view text) {
  LineReader lines(text);
  ShardState state;
  if (!lines.version(kShardVersion)) return std::nullopt;
  const auto change = number_of(lines.take("change"));
  if (const auto leader = lines.take("leader")) {
    state.leader = member_of(*leader);
    if (!state.leader) return std::nullopt;
  }
  if (!take_members(lines, "isr", state.isr) || !take_members(lines, "learner", state.learners)) return std::nullopt;
  const auto loss_epoch = number_of(lines.take("loss-epoch"));
  if (!change || !loss_epoch || !lines.at_end()) return std::nullopt;
  if (state.leader && !contains(state.isr, *state.leader)) return std::nullopt;
  state.change = *change;
  state.loss_epoch = *loss_epoch;
  return state;
}

std::string to_text(const NodeRecord& record) {
  std::string text(kNodeVersion);
  text += '\n';
  add_line(text, "incarnation", to_hex(record.incarnation));
  add_number(text, "puts", record.puts);
  add_number(text, "tombstone", record.tombstone ? 1 : 0);
  add_line(text, "details", record.details);
  return text;
}

std::optional<NodeRecord> parse_node_record(std::string_view text) {
  LineReader lines(text);
  if (!lines.version(kNodeVersion)) return std::nullopt;
  const auto incarnation = incarnation_of(lines.take("incarnation").value_or(""));
  const auto puts = number_of(lines.take("puts"));
  const auto tombstone = number_of(lines.take("tombstone"));
  const auto details = lines.take("details");
  if (!incarnation || !puts || !tombstone || *tombstone > 1 || !details || !lines.at_end()) return std::nullopt;
  return NodeRecord{*incarnation, *puts, *tombstone == 1, std::string(*details)};
}

std::string to_text(Term term) {
  std::string text(kTermVersion);
  text += '\n';
  add_number(text, "term", term.number);
  return text;
}

std::optional<Term> parse_term(std::string_view text) {
  LineReader lines(text);
  if (!lines.version(kTermVersion)) return std::nullopt;
  const auto term = number_of(lines.take("term"));
  if (!term || !lines.at_end()) return std::nullopt;
  return Term{*term};
}

}  // namespace magpie::cluster
