#include <algorithm>
#include <cstddef>

#include "protocol/numbers.h"

namespace magpie {
namespace {

constexpr int kMostStars = 1000;  // a pattern with more runs of '*' matches nothing, as in Redis

/// Matches by walking pattern and text once, going back to the last '*' only: what stood before it is settled, since a
/// longer match for an earlier '*' leaves less text for the rest.
class GlobMatcher {
 public:
  GlobMatcher(ByteView pattern, ByteView text, bool ignore_case)
      : pattern_(pattern), text_(text), ignore_case_(ignore_case) {}

  bool matches();

 private:
  std::size_t left() const { return pattern_.size() - at_; }
  char fold(char byte) const {
    return ignore_case_ && byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : byte;
  }
  void skip_stars() {
    while (left() > 0 && pattern_[at_] == '*') ++at_;
  }
  /// Matches the pattern's next element with one byte and steps behind the element.
  bool element_takes(char byte);
  bool class_takes(char byte);
  bool range_takes(char byte) const;

  ByteView pattern_;
  ByteView text_;
  bool ignore_case_;
  std::size_t at_ = 0;
};

bool GlobMatcher::matches() {
  std::size_t text_at = 0;
  std::size_t behind_star = ByteView::npos;  // in the pattern; none yet
  std::size_t star_ends = 0;                 // in the text
  int stars = 0;
  while (text_at < text_.size()) {
    if (left() > 0 && pattern_[at_] == '*') {
      skip_stars();
      if (left() == 0) return true;
      if (++stars > kMostStars) return false;
      behind_star = at_;
      star_ends = text_at;
    } else if (left() > 0 && element_takes(text_[text_at])) {
      ++text_at;
    } else {
      if (behind_star == ByteView::npos) return false;
      at_ = behind_star;
      text_at = ++star_ends;
      if (text_at == text_.size()) return false;  // the rest needs a byte at least
    }
  }
  // Only behind some text: no '*' matches a text that is empty from the start.
  if (!text_.empty()) skip_stars();
  return left() == 0;
}

bool GlobMatcher::element_takes(char byte) {
  switch (pattern_[at_]) {
    case '?':
      ++at_;
      return true;
    case '[':
      return class_takes(byte);
    case '\\':
      if (left() >= 2) ++at_;
      [[fallthrough]];
    default:
      return fold(pattern_[at_++]) == fold(byte);
  }
}

bool GlobMatcher::class_takes(char byte) {
  ++at_;
  const bool negated = left() > 0 && pattern_[at_] == '^';
  if (negated) ++at_;
  bool found = false;
  for (; left() > 0 && pattern_[at_] != ']'; ++at_) {
    if (pattern_[at_] == '\\' && left() >= 2) {
      found |= pattern_[++at_] == byte;
    } else if (left() >= 3 && pattern_[at_ + 1] == '-') {
      found |= range_takes(byte);
      at_ += 2;
    } else {
      found |= fold(pattern_[at_]) == fold(byte);
    }
  }
  if (left() > 0) ++at_;  // a class that is not closed ends with the pattern
  return found != negated;
}

bool GlobMatcher::range_takes(char byte) const {
  // Bytes from 0x80 on count as negative, as on the machines whose behaviour this is.
  const auto [low, high] =
      std::minmax({static_cast<signed char>(pattern_[at_]), static_cast<signed char>(pattern_[at_ + 2])});
  const auto folded = [this](signed char value) { return static_cast<signed char>(fold(static_cast<char>(value))); };
  const signed char value = folded(static_cast<signed char>(byte));
  return value >= folded(low) && value <= folded(high);
}

}  // namespace

bool glob_match(ByteView pattern, ByteView text, bool ignore_case) {
  return GlobMatcher(pattern, text, ignore_case).matches();
}

}  // namespace magpie
