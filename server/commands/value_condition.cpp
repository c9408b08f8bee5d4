#include "server/commands/value_condition.h"

#include "protocol/numbers.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace magpie::commands {

std::optional<Comparison> comparison_named(ByteView word) {
  if (equals_ignore_case(word, "IFEQ")) return Comparison::Equal;
  if (equals_ignore_case(word, "IFNE")) return Comparison::NotEqual;
  if (equals_ignore_case(word, "IFDEQ")) return Comparison::DigestEqual;
  if (equals_ignore_case(word, "IFDNE")) return Comparison::DigestNotEqual;
  return std::nullopt;
}

std::array<char, kDigestDigits> digest_of(ByteView text) {
  std::uint64_t hash = XXH3_64bits(text.data(), text.size());
  std::array<char, kDigestDigits> digits{};
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, hash >>= 4) {
    *digit = "0123456789abcdef"[hash & 15];
  }
  return digits;
}

bool ValueCondition::well_formed() const {
  if (comparison == Comparison::Equal || comparison == Comparison::NotEqual) return true;
  return operand.size() == kDigestDigits && operand.find_first_not_of("0123456789abcdefABCDEF") == ByteView::npos;
}

bool ValueCondition::holds(const std::optional<engine::StringValue>& value) const {
  const bool wants_equal = comparison == Comparison::Equal || comparison == Comparison::DigestEqual;
  if (!value) return !wants_equal;
  engine::IntegerScratch scratch;
  const ByteView text = text_of(*value, scratch);
  if (comparison == Comparison::Equal || comparison == Comparison::NotEqual) return (text == operand) == wants_equal;
  const auto digest = digest_of(text);
  return equals_ignore_case({digest.data(), digest.size()}, operand) == wants_equal;
}

}  // namespace magpie::commands
