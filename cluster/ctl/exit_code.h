#pragma once

namespace magpie::ctl {

/// How magpiectl ends; documented in docs/operations.md. Numbers that magpie-server has too mean the same there.
enum class ExitCode : int {
  Success = 0,
  BadArguments = 2,    // the command line, or a file that it names
  CannotListen = 3,    // port in use, address not available
  CannotMakeLoop = 6,  // no descriptors
  CannotUseData = 7,   // the folder is not usable, locked, damaged, or of another cluster
  DiskFailed = 8,      // a write failed while it ran
};

}  // namespace magpie::ctl
