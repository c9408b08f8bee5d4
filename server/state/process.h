#pragma once

#include <cstdint>
#include <string>

namespace magpie::server {

/// What the system says of this process. Any thread; each call asks anew.

std::int64_t resident_memory();  // bytes
std::int64_t own_memory();       // bytes of it that are no part of a file: heap, stacks, tables
std::int64_t system_memory();    // bytes of the machine
std::string system_name();       // "Linux 6.1.0 x86_64"
std::int64_t process_id();

enum class CpuOf : std::uint8_t { Process, Children, Thread };
struct CpuTime {
  double system = 0;  // seconds
  double user = 0;
};
CpuTime cpu_time(CpuOf whose);

}  // namespace magpie::server
