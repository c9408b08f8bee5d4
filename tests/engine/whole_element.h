#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace magpie::testing {

/// An element of a list that shows whether it is whole: all of it follows from the number at its start. Some are
/// nothing but numbers, most have up to 200 bytes, and a few are larger than a chunk.
inline std::string whole_element(std::uint64_t number) {
  constexpr std::size_t kLarger = 5000;
  std::string text = std::to_string(number);
  if (number % 5 == 0) return text;
  const std::size_t filling = number % 97 == 0 ? kLarger : number % 200;
  text += ':';
  text.append(filling, static_cast<char>('a' + number % 26));
  return text;
}

inline bool is_whole(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return text == whole_element(number);
}

}  // namespace magpie::testing
