#pragma once

#include <array>
#include <cstdint>

namespace magpie::engine {

/// How a key has been used: one byte beside its handle in the table, so that neither a hit nor the choice of a victim
/// touches the entry for it. Under the frequency policies a logarithmic counter; else the label of the epoch of its
/// last use (Epochs) in the lower five bits, and above them its class: how often it has returned.
enum class Heat : std::uint8_t {};

inline constexpr unsigned kHeats = 256;
inline constexpr unsigned kLabelBits = 5;
inline constexpr unsigned kLabels = 1U << kLabelBits;
inline constexpr unsigned kClasses = kHeats / kLabels;

enum class Label : std::uint8_t {};

constexpr unsigned index_of(Heat heat) { return static_cast<unsigned>(heat); }
constexpr unsigned index_of(Label label) { return static_cast<unsigned>(label); }
constexpr Label label_of(Heat heat) { return Label{static_cast<std::uint8_t>(index_of(heat) % kLabels)}; }
constexpr unsigned class_of(Heat heat) { return index_of(heat) / kLabels; }
constexpr Heat make_heat(unsigned of_class, Label label) {
  return Heat{static_cast<std::uint8_t>(of_class * kLabels + index_of(label))};
}

/// Of a key that is used again in a later epoch: goes up, less and less often. `random` makes a number where chance
/// decides.
template <class Random>
constexpr unsigned next_class(unsigned from, Random random) {
  constexpr unsigned kSure = 3;  // below it always
  constexpr std::array<unsigned, kClasses> kOneIn{1, 1, 1, 2, 2, 4, 4, 0};
  if (from < kSure) return from + 1;
  return kOneIn[from] != 0 && random() % kOneIn[from] == 0 ? from + 1 : from;
}

/// What becomes of every heat when all keys are gone through.
using HeatMap = std::array<Heat, kHeats>;

}  // namespace magpie::engine
