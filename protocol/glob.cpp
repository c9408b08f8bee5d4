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
  /// Goes back to the last '*' and lets it take one byte more; false if there is none or nothing would be left.
  bool lengthen_star();
  /// Matches the pattern's next element with one byte and steps behind the element.
  bool element_takes(char byte);
  bool class_takes(char byte);
  bool range_takes(char byte) const;

  ByteView pattern_;
  ByteView text_;
  bool ignore_case_;
  std::size_t at_ = 0;  // in the pattern
  std::size_t text_at_ = 0;
  std::size_t behind_star_ = ByteView::npos;  // in the pattern; none yet
  std::size_t star_ends_ = 0;                 // in the text
};

bool GlobMatcher::matches() {
  int stars = 0;
  while (text_at_ < text_.size()) {
    if (left() > 0 && pattern_[at_] == '*') {
      skip_stars();
      if (left() == 0) return true;
      if (++stars > kMostStars) return false;
      behind_star_ = at_;
      star_ends_ = text_at_;
    } else if (left() > 0 && element_takes(text_[text_at_])) {
      ++text_at_;
    } else if (!lengthen_star()) {
      return false;
    }
  }
  // Only behind some text: no '*' matches a text that is empty from the start.
  if (!text_.empty()) skip_stars();
  return left() == 0;
}

bool GlobMatcher::lengthen_star() {
  if (behind_star_ == ByteView::npos) return false;
  at_ = behind_star_;
  text_at_ = ++star_ends_;
  return text_at_ < text_.size();  // the rest needs a byte at least
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
