#include "server/file_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace magpie::server {

std::int64_t make_room_for_clients(std::int64_t wanted) {
  constexpr rlim_t kOwnFiles = 32;  // listeners, log, eventfds
  const rlim_t needed = static_cast<rlim_t>(wanted) + kOwnFiles;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) return wanted;
  rlimit raised = limit;
  raised.rlim_cur = needed;
  raised.rlim_max = std::max(needed, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return wanted;
  raised.rlim_cur = raised.rlim_max = limit.rlim_max;  // as far as an ordinary user may
  if (setrlimit(RLIMIT_NOFILE, &raised) != 0) raised = limit;
  return std::min(wanted, static_cast<std::int64_t>(std::max(raised.rlim_cur, kOwnFiles + 1) - kOwnFiles));
}

}  // namespace magpie::server
