#pragma once

#include <chrono>
#include <cstddef>

#include "cluster/arbiter/limits.h"
#include "protocol/wire/frame.h"

namespace magpie::arbiter {

// --- both sides ---
/// Until the handshake is over a frame carries at most so much.
inline constexpr std::size_t kMostHandshakeFrame = 4096;
/// Answers and changes travel in parts of about so many bytes of keys and values.
inline constexpr std::size_t kPartBytes = std::size_t{512} << 10;
/// Room that a read gets.
inline constexpr std::size_t kReadBytes = std::size_t{64} << 10;

// --- the arbiter ---
inline constexpr int kBacklog = 128;
inline constexpr std::size_t kMostLinks = 512;
/// Of one link; more ends the link.
inline constexpr std::size_t kMostWatches = 1024;
/// Bytes that a client has not taken; more ends the link, and its watches resume on the next one.
inline constexpr std::size_t kMostUnsent = std::size_t{64} << 20;
inline constexpr std::chrono::milliseconds kHandshakeTime{5'000};
/// A link is ended when nothing has come for so long: clients ask several times meanwhile (kBetweenProbes).
inline constexpr std::chrono::milliseconds kMostSilence{15'000};
inline constexpr std::chrono::milliseconds kBetweenLooks{1'000};

// --- its clients ---
/// Requests that wait for an answer.
inline constexpr std::size_t kMostRequests = 10'000;
/// As long as an error takes at most.
inline constexpr std::chrono::milliseconds kRequestTime{5'000};
/// From looking up the name to being accepted.
inline constexpr std::chrono::milliseconds kConnectTime{3'000};
/// Nothing asked for so long: then whether the arbiter is there.
inline constexpr std::chrono::milliseconds kBetweenProbes{2'000};
inline constexpr std::chrono::milliseconds kFirstBackOff{100};
inline constexpr std::chrono::milliseconds kMostBackOff{2'000};

static_assert(kPartBytes + cluster::kMostKeyBytes + cluster::kMostValueBytes + 4096 < wire::kMostFrame);
static_assert(kMostUnsent > 2 * (cluster::kMostStoreBytes + cluster::kMostGoneKeys * cluster::kMostKeyBytes));
static_assert(kBetweenProbes + kRequestTime < kMostSilence);
static_assert(kMostHandshakeFrame < wire::kMostFrame);

}  // namespace magpie::arbiter
