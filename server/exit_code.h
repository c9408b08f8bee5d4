#pragma once

namespace magpie::server {

/// How the process ends when it cannot start; documented in docs/operations.md.
enum class ExitCode : int {
  Success = 0,
  Forced = 1,              // a second signal during shutdown
  BadConfiguration = 2,    // file or command line
  CannotListen = 3,        // port in use, address not available
  CannotLog = 4,           // log file not writable
  CannotWritePidFile = 5,  // pid file not writable
  CannotMakeLoops = 6,     // no descriptors for so many threads
};

}  // namespace magpie::server
