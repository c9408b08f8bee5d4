#include "cluster/ctl/arbiter_command.h"

#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdio>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>

#include "cluster/arbiter/durable_store.h"
#include "cluster/arbiter/file.h"
#include "cluster/ctl/log.h"
#include "server/arbiter/service.h"
#include "server/net/loop.h"
#include "server/net/timer.h"

namespace magpie::ctl {
namespace {

using arbiter::LogLevel;
using arbiter::LogLine;

constexpr std::size_t kMostSecretBytes = 4096;
constexpr std::size_t kMostClusterBytes = 200;

ExitCode fail(ExitCode code, const std::string& message) {
  std::fprintf(stderr, "magpiectl: %s\n", message.c_str());
  return code;
}

bool is_loopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

/// The file's content without the end of its line.
std::expected<std::string, std::string> read_secret(const std::string& path) {
  auto content = cluster::read_file(path, kMostSecretBytes);
  if (!content) return std::unexpected(content.error());
  if (!*content) return std::unexpected("cannot open '" + path + "': No such file or directory");
  std::string secret = std::move(**content);
  while (secret.ends_with('\n') || secret.ends_with('\r')) secret.pop_back();
  if (secret.empty()) return std::unexpected("the secret in '" + path + "' is empty");
  return secret;
}

/// What the two sides must have in common, or what is wrong with the arguments.
std::expected<arbiter::Identity, std::string> identity_of(const ArbiterArguments& arguments) {
  const bool plain = arguments.cluster.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == std::string::npos;
  if (arguments.cluster.empty() || arguments.cluster.size() > kMostClusterBytes || !plain) {
    return std::unexpected("--cluster: a name of letters, digits, '.', '_' and '-' is needed, at most " +
                           std::to_string(kMostClusterBytes) + " of them");
  }
  arbiter::Identity identity{arguments.cluster, ""};
  if (arguments.secret_file.empty()) {
    if (is_loopback(arguments.address)) return identity;
    return std::unexpected("--bind " + arguments.address +
                           ": other machines may reach it, so a secret is needed. Put one into a file that only this "
                           "user can read, and name it with --secret-file");
  }
  auto secret = read_secret(arguments.secret_file);
  if (!secret) return std::unexpected("--secret-file: " + secret.error());
  identity.secret = std::move(*secret);
  return identity;
}

/// The loop until a signal ends it, or the disk.
class Run {
 public:
  Run(const ArbiterArguments& arguments, arbiter::Identity identity, cluster::DurableStore& store)
      : arguments_(arguments),
        store_(store),
        service_(loop_, store, {arguments.address, arguments.port, std::move(identity), arguments.accept_empty}, log,
                 [this](const std::string& message) { disk_failed(message); }),
        on_terminate_(loop_, SIGTERM, [this] { stop("SIGTERM"); }),
        on_interrupt_(loop_, SIGINT, [this] { stop("SIGINT"); }) {}

  ExitCode run() {
    const auto port = service_.listen();
    if (!port) return fail(ExitCode::CannotListen, port.error() + ". Choose another with --bind or --port.");
    log_ready(*port);
    loop_.run();
    if (!failure_.empty()) {
      return fail(ExitCode::DiskFailed,
                  failure_ + ". Nothing that was answered is lost; see to the disk, then start it again.");
    }
    log(LogLevel::Notice, LogLine("stopped").add("revision", store_.store().revision().number));
    return ExitCode::Success;
  }

 private:
  void log_ready(int port) const {
    if (store_.torn() > 0) log(LogLevel::Warning, LogLine("torn-end-cut").add("bytes", store_.torn()));
    log(LogLevel::Notice, LogLine("ready")
                              .add("port", static_cast<std::uint64_t>(port))
                              .add("address", arguments_.address)
                              .add("data", arguments_.data)
                              .add("cluster", arguments_.cluster)
                              .add("revision", store_.store().revision().number)
                              .add("new", store_.is_new() ? "yes" : "no")
                              .add("pid", static_cast<std::uint64_t>(::getpid())));
  }
  void stop(std::string_view signal) {
    log(LogLevel::Notice, LogLine("stopping").add("signal", signal));
    loop_.stop();
  }
  void disk_failed(const std::string& message) {
    failure_ = message;
    loop_.stop();
  }

  const ArbiterArguments& arguments_;
  cluster::DurableStore& store_;
  net::Loop loop_;
  std::string failure_;
  arbiter::Service service_;
  net::SignalWatcher on_terminate_;
  net::SignalWatcher on_interrupt_;
};

}  // namespace

ExitCode run_arbiter(const ArbiterArguments& arguments) {
  std::signal(SIGHUP, SIG_IGN);   // the end of the terminal it was started from is not its own
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error like any other
  auto identity = identity_of(arguments);
  if (!identity) return fail(ExitCode::BadArguments, identity.error());
  const auto store = cluster::DurableStore::open(arguments.data, arguments.cluster);
  if (!store) return fail(ExitCode::CannotUseData, "--data " + arguments.data + ": " + store.error());
  start_logging();
  ExitCode code = ExitCode::Success;
  try {
    code = Run(arguments, std::move(*identity), **store).run();
  } catch (const net::Loop::Unavailable& failure) {
    code = fail(ExitCode::CannotMakeLoop, std::string("cannot make an event loop: ") + failure.why);
  }
  stop_logging();
  return code;
}

}  // namespace magpie::ctl
