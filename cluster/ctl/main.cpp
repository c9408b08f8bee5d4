#include <CLI/CLI.hpp>

#include "cluster/ctl/arbiter_command.h"
#include "cluster/ctl/exit_code.h"

namespace {

constexpr int kMostPort = 65535;

void add_arbiter(CLI::App& app, magpie::ctl::ArbiterArguments& arguments) {
  CLI::App* const command = app.add_subcommand(
      "arbiter", "Runs the arbiter of a static shard: it decides which node leads, and keeps that on disk.");
  command->add_option("--data", arguments.data, "Folder for its data; made if there is none")->required();
  command->add_option("--port", arguments.port, "Port to listen on; 0: the kernel chooses, see the line 'ready'")
      ->required()
      ->check(CLI::Range(0, kMostPort));
  command->add_option("--bind", arguments.address, "Address to listen on")->capture_default_str();
  command->add_option("--secret-file", arguments.secret_file, "File with the secret that nodes must know as well");
  command->add_option("--cluster", arguments.cluster, "Name of the cluster")->capture_default_str();
  command->add_flag("--accept-empty", arguments.accept_empty,
                    "Serve nodes that have seen later terms than are stored here. Only after the data of the arbiter "
                    "was lost for good; leave it out again at the next start");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Operates Magpie clusters.", "magpiectl");
  app.require_subcommand(1);
  magpie::ctl::ArbiterArguments arbiter;
  add_arbiter(app, arbiter);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool is_help = app.exit(error) == 0;
    return static_cast<int>(is_help ? magpie::ctl::ExitCode::Success : magpie::ctl::ExitCode::BadArguments);
  }
  return static_cast<int>(magpie::ctl::run_arbiter(arbiter));
}
