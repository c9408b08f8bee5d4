#pragma once

namespace magpie {

/// Whether the short cuts that make the usual commands fast are there: short commands parsed by words, bytes compared
/// by words and fingerprints sixteen at a time, memory fetched ahead, command names remembered, quick commands run
/// together. Without them (preset `plain`) everything goes the long way, which must answer the same: the same tests run
/// on both.
#if defined(MAGPIE_PLAIN)
inline constexpr bool kShortCuts = false;
#else
inline constexpr bool kShortCuts = true;
#endif

}  // namespace magpie
