#include "server/file_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace magpie::server {

std::int64_t make_room_for_clients(std::int64_t wanted, unsigned loops) {
  constexpr rlim_t kProcessFiles = 16;  // standard streams, log, listeners, one to turn a connection away
  constexpr rlim_t kLoopFiles = 4;      // libuv's: epoll, an eventfd, a pipe for signals
  const rlim_t own = kProcessFiles + kLoopFiles * (rlim_t{loops} + 1);  // the main thread runs a loop as well
  const rlim_t needed = static_cast<rlim_t>(wanted) + own;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) return wanted;
  rlimit raised = limit;
  raised.rlim_cur = needed;
  raised.rlim_max = std::max(needed, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return wanted;
  raised.rlim_cur = raised.rlim_max = limit.rlim_max;  // as far as an ordinary user may
  if (setrlimit(RLIMIT_NOFILE, &raised) != 0) raised = limit;
  return std::min(wanted, static_cast<std::int64_t>(std::max(raised.rlim_cur, own + 1) - own));
}

}  // namespace magpie::server
