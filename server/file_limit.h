#pragma once

#include <cstdint>

namespace magpie::server {

/// Raises the limit of open files to what so many clients and loops need, or as far as allowed. Returns how many
/// clients it is good for: `wanted`, or fewer, but one at least. Any thread.
std::int64_t make_room_for_clients(std::int64_t wanted, unsigned loops);

}  // namespace magpie::server
