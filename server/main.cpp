#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "server/config/load.h"
#include "server/engine/table.h"
#include "server/exit_code.h"
#include "server/logging.h"
#include "server/node.h"
#include "server/startup.h"
#include "server/state/version.h"

namespace {

using magpie::server::ExitCode;

int fail(ExitCode code, const std::string& message) {
  std::fprintf(stderr, "magpie-server: %s\n", message.c_str());
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace magpie;
  std::signal(SIGHUP, SIG_IGN);  // the end of the terminal it was started from is not its own
  auto loaded = config::load(argc, argv);
  if (!loaded) return fail(ExitCode::BadConfiguration, loaded.error().message);
  if (loaded->mode == config::Mode::Version) {
    std::printf("Magpie server v=%s redis_version=%s\n", server::kVersion, server::kRedisVersion);
    return EXIT_SUCCESS;
  }
  if (loaded->mode != config::Mode::Serve) {
    std::fputs(loaded->output.c_str(), stdout);
    return EXIT_SUCCESS;
  }
  if (auto logging = server::start_logging(loaded->settings); !logging)
    return fail(ExitCode::CannotLog, logging.error());
  for (const std::string& warning : loaded->warnings) server::log_warning(warning);
  server::fit_file_limit(loaded->settings);
  if (loaded->settings.port == 0 && loaded->settings.unixsocket.empty()) {
    return fail(ExitCode::CannotListen, "'port' is 0 and 'unixsocket' is not set: there is nothing to listen on");
  }

  config::ConfigStore config(std::move(loaded->settings), loaded->config_file);
  int code = EXIT_SUCCESS;
  {
    std::random_device random;
    engine::set_hash_seed(std::uint64_t{random()} << 32 | random());
    const auto node = server::make_node(config);
    if (!node) {
      code = fail(ExitCode::CannotMakeLoops, node.error());
    } else if (auto listening = (*node)->listen(); !listening) {
      code = fail(ExitCode::CannotListen, listening.error());
    } else if (auto pid = server::write_pid_file(config.current()->pidfile); !pid) {
      code = fail(ExitCode::CannotWritePidFile, pid.error());
    } else {
      (*node)->run([&] { server::log_banner(**node, *config.current()); });
      server::remove_pid_file(config.current()->pidfile);
      server::log_notice("Magpie is now ready to exit, bye bye...");
    }
  }
  server::stop_logging();
  return code;
}
