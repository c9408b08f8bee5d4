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

/// As fail(), once the log is there: whoever looks into its file finds the reason as well.
int fail_logged(ExitCode code, const std::string& message, const magpie::config::Settings& settings) {
  if (!settings.logfile.empty()) magpie::server::log_warning(message);
  return fail(code, message);
}

/// What a start with these settings would warn of, or how it would end, as far as that can be said without starting.
int check_config(magpie::config::LoadedConfig& loaded) {
  if (auto address = magpie::server::has_address(loaded.settings); !address)
    return fail(ExitCode::CannotListen, address.error());
  if (auto fits = magpie::server::fits_together(loaded.settings); !fits)
    return fail(ExitCode::BadConfiguration, fits.error());
  auto warnings = std::move(loaded.warnings);
  for (std::string& warning : magpie::server::fit_to_machine(loaded.settings)) warnings.push_back(std::move(warning));
  for (const std::string& warning : warnings) std::fprintf(stderr, "magpie-server: warning: %s\n", warning.c_str());
  std::fputs(loaded.output.c_str(), stdout);
  return EXIT_SUCCESS;
}

/// The life of the server, from its settings to its exit code. The log has been started.
int serve(magpie::config::LoadedConfig& loaded) {
  using namespace magpie;
  for (const std::string& warning : loaded.warnings) server::log_warning(warning);
  for (const std::string& warning : server::fit_to_machine(loaded.settings)) server::log_warning(warning);
  if (auto address = server::has_address(loaded.settings); !address)
    return fail_logged(ExitCode::CannotListen, address.error(), loaded.settings);
  if (auto fits = server::fits_together(loaded.settings); !fits)
    return fail_logged(ExitCode::BadConfiguration, fits.error(), loaded.settings);
  config::ConfigStore config(std::move(loaded.settings), loaded.config_file);
  const auto settings = config.current();
  std::random_device random;
  engine::set_hash_seed(std::uint64_t{random()} << 32 | random());
  const auto node = server::make_node(config);
  if (!node) return fail_logged(ExitCode::CannotMakeLoops, node.error(), *settings);
  if (auto listening = (*node)->listen(); !listening)
    return fail_logged(ExitCode::CannotListen, listening.error(), *settings);
  if (auto pid = server::write_pid_file(settings->pidfile); !pid)
    return fail_logged(ExitCode::CannotWritePidFile, pid.error(), *settings);
  (*node)->run([&] { server::log_banner(**node, *config.current()); });
  server::remove_pid_file(settings->pidfile);
  server::log_notice("Magpie is now ready to exit, bye bye...");
  return EXIT_SUCCESS;
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
  if (loaded->mode == config::Mode::CheckConfig) return check_config(*loaded);
  if (loaded->mode != config::Mode::Serve) {
    std::fputs(loaded->output.c_str(), stdout);
    return EXIT_SUCCESS;
  }
  if (auto logging = server::start_logging(loaded->settings); !logging)
    return fail(ExitCode::CannotLog, logging.error());
  const int code = serve(*loaded);
  server::stop_logging();
  return code;
}
