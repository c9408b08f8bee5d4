#pragma once

#include <cstddef>
#include <cstdint>

namespace magpie::server {

/// Bounds of the request path, in bytes unless said otherwise. All in one place, with their relations.
inline constexpr std::size_t kReadBuffer = std::size_t{64} << 10;  // shared by the connections of a loop
/// What may lie in that buffer before it is executed: small commands of many clients are gathered, big reads are not.
inline constexpr std::size_t kGatheredReads = std::size_t{4} << 10;
/// A connection whose replies exceed this executes nothing more until the kernel has taken them.
inline constexpr std::size_t kOutputHighWater = std::size_t{64} << 10;
/// Buffers kept for reuse by a loop are given back when they grew beyond this.
inline constexpr std::size_t kKeptBuffer = std::size_t{256} << 10;
/// The most that a connection sets aside ahead of the bytes of an announced argument.
inline constexpr std::size_t kReserveAhead = std::size_t{32} << 20;
/// What the arguments of one command may take while it is received, unless client-query-buffer-limit is larger.
inline constexpr std::size_t kMostArguments = std::size_t{1} << 30;
/// How long a peer may take nothing of the last replies before a connection that is being closed is dropped, in
/// milliseconds.
inline constexpr std::int64_t kLastReplyMs = 10'000;
/// What a MONITOR client may leave unread, and what may wait to be sent to the MONITOR clients of one loop, before they
/// are closed. An ordinary client is held up instead: it gets no replies without asking.
inline constexpr std::size_t kMonitorBacklog = std::size_t{64} << 20;

static_assert(kOutputHighWater <= kKeptBuffer, "an ordinary burst of replies must not cost an allocation");
static_assert(kReadBuffer <= kReserveAhead);

}  // namespace magpie::server
