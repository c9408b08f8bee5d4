#include "server/state/process.h"

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

namespace magpie::server {
namespace {

std::int64_t page_bytes() {
  static const std::int64_t bytes = sysconf(_SC_PAGESIZE);
  return bytes;
}

double seconds(const timeval& time) {
  constexpr double kMicro = 1e-6;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * kMicro;
}

struct Pages {
  std::int64_t resident = 0;
  std::int64_t shared = 0;  // of these, parts of files
};

Pages count_pages() {
  std::ifstream file("/proc/self/statm");
  std::int64_t total = 0;
  Pages pages;
  file >> total >> pages.resident >> pages.shared;
  return pages;
}

}  // namespace

std::int64_t resident_memory() { return count_pages().resident * page_bytes(); }

std::int64_t own_memory() {
  const Pages pages = count_pages();
  return (pages.resident - pages.shared) * page_bytes();
}

std::int64_t system_memory() { return sysconf(_SC_PHYS_PAGES) * page_bytes(); }

std::string system_name() {
  utsname name{};
  if (uname(&name) != 0) return "unknown";
  return std::string(name.sysname) + " " + name.release + " " + name.machine;
}

std::int64_t process_id() { return getpid(); }

CpuTime cpu_time(CpuOf whose) {
  rusage usage{};
  switch (whose) {
    case CpuOf::Process:
      getrusage(RUSAGE_SELF, &usage);
      break;
    case CpuOf::Children:
      getrusage(RUSAGE_CHILDREN, &usage);
      break;
    case CpuOf::Thread:
      getrusage(RUSAGE_THREAD, &usage);
  }
  return {seconds(usage.ru_stime), seconds(usage.ru_utime)};
}

}  // namespace magpie::server
