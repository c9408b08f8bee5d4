#include "server/config/areas.h"
#include "server/config/compound_options.h"
#include "server/config/no_effect.h"

namespace magpie::config {
namespace {

constexpr ByteView kSupervisedNames[] = {"upstart", "systemd", "auto", "no"};
constexpr ByteView kOomNames[] = {"no", "yes", "relative", "absolute"};
constexpr ByteView kErrorNames[] = {"ignore", "panic", "panic-on-replicas"};
constexpr ByteView kOwnRhythm = "background work runs while there is some to do, and is looked for ten times a second";
constexpr ByteView kNoDebugAid = "an aid for debugging Redis itself";
constexpr ByteView kNoPinning = "threads are not pinned; start the server under taskset to choose its cores";
constexpr ByteView kNoTitle = "the title of the process is its command line";
constexpr ByteView kNoOomScore = "the service manager sets the out-of-memory score";
constexpr ByteView kNoCrashLog = "a crash leaves a core dump, not a report in the log";

constexpr Option hidden(Option row) {
  row.hidden = true;
  return row;
}

const Option kOptions[] = {
    {.name = "pidfile",
     .kind = Text{},
     .change = Change::AtStart,
     .help = "file for the process id; empty for none",
     .access = field<&Settings::pidfile>()},
    no_effect("hz", Integer{.clamp_low = 1, .clamp_high = 500}, "10", kOwnRhythm),
    no_effect("dynamic-hz", Boolean{}, "yes", kOwnRhythm),
    no_effect("busy-reply-threshold", Integer{0, kInt64Max}, "5000", "there are no scripts yet", Change::Runtime,
              "lua-time-limit"),
    no_effect("daemonize", Boolean{}, "no", "the server stays in the foreground; let a service manager start it",
              Change::AtStart),
    no_effect("supervised", Choice{kSupervisedNames}, "no", "the service manager is not notified", Change::AtStart),
    no_effect("dir", kWorkingDirectory, "", "no file is written there yet; the server stays where it was started",
              Change::Protected),
    {.name = "shutdown-timeout",
     .kind = Integer{},
     .default_text = "10",
     .help = "seconds that a leader that is to end gives its replicas to get everything, while writes wait; 0: none",
     .access = field<&Settings::shutdown_timeout>()},
    {.name = "shutdown-on-sigint",
     .kind = kShutdownFlags,
     .default_text = "default",
     .help = "'now': SIGINT does not wait for replicas; the other words are about saving, which there is none of"},
    {.name = "shutdown-on-sigterm", .kind = kShutdownFlags, .default_text = "default", .help = "the same for SIGTERM"},
    no_effect("always-show-logo", Boolean{}, "no", "there is no logo", Change::AtStart),
    no_effect("set-proc-title", Boolean{}, "yes", kNoTitle, Change::AtStart),
    no_effect("proc-title-template", Text{}, "{title} {listen-addr} {server-mode}", kNoTitle),
    no_effect("crash-log-enabled", Boolean{}, "yes", kNoCrashLog),
    no_effect("crash-memcheck-enabled", Boolean{}, "yes", kNoCrashLog),
    no_effect("disable-thp", Boolean{}, "yes", "the system's setting for huge pages is left as it is", Change::AtStart),
    no_effect("oom-score-adj", Choice{kOomNames}, "no", kNoOomScore),
    no_effect("oom-score-adj-values", kOomScores, "0 200 800", kNoOomScore),
    no_effect("server_cpulist", Text{}, "", kNoPinning, Change::AtStart),
    no_effect("bio_cpulist", Text{}, "", kNoPinning, Change::AtStart),
    no_effect("aof_rewrite_cpulist", Text{}, "", kNoPinning, Change::AtStart),
    no_effect("bgsave_cpulist", Text{}, "", kNoPinning, Change::AtStart),
    no_effect("ignore-warnings", Text{}, "", "the warnings it names are not given"),
    no_effect("propagation-error-behavior", Choice{kErrorNames}, "ignore",
              "replicas receive effects, which cannot fail as commands can"),
    no_effect("locale-collate", Text{}, "", "text is sorted by the locale of the environment"),
    hidden(no_effect("lua-enable-deprecated-api", Boolean{}, "no", "scripts see the documented interface only",
                     Change::AtStart)),
    hidden(no_effect("watchdog-period", Integer{}, "0", kNoDebugAid)),
    hidden(no_effect("key-load-delay", Integer{kInt32Min, kInt32Max}, "0", kNoDebugAid)),
    hidden(no_effect("rdb-key-save-delay", Integer{kInt32Min, kInt32Max}, "0", kNoDebugAid)),
    hidden(no_effect("use-exit-on-panic", Boolean{}, "no", kNoDebugAid)),
};

}  // namespace

std::span<const Option> process_options() { return kOptions; }

}  // namespace magpie::config
