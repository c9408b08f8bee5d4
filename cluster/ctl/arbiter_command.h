#pragma once

#include <string>

#include "cluster/ctl/exit_code.h"

namespace magpie::ctl {

/// magpiectl arbiter
struct ArbiterArguments {
  std::string data;
  std::string address = "127.0.0.1";
  int port = 0;
  std::string secret_file;
  std::string cluster = "magpie";
  bool accept_empty = false;
};

/// Runs until a signal ends it, or until it cannot go on; then standard error has had one line that says why.
ExitCode run_arbiter(const ArbiterArguments& arguments);

}  // namespace magpie::ctl
