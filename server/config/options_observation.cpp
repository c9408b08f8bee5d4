#include "server/config/areas.h"
#include "server/config/compound_options.h"
#include "server/config/no_effect.h"

namespace magpie::config {
namespace {

constexpr ByteView kLogLevelNames[] = {"debug", "verbose", "notice", "warning", "nothing"};
constexpr ByteView kFacilityNames[] = {"user",   "local0", "local1", "local2", "local3",
                                       "local4", "local5", "local6", "local7"};
constexpr ByteView kNoSyslog = "there is no output to syslog; 'logfile' or the service manager takes the log";

const Option kOptions[] = {
    {.name = "loglevel",
     .kind = Choice{kLogLevelNames},
     .default_text = "notice",
     .help = "least important kind of message that is logged",
     .access = field<&Settings::loglevel>()},
    {.name = "logfile",
     .kind = Text{},
     .change = Change::AtStart,
     .help = "file for the log; empty for standard output",
     .access = field<&Settings::logfile>()},
    // Valkey's names are the aliases, so that a rewritten file can still be read by Redis.
    {.name = "slowlog-log-slower-than",
     .alias = "commandlog-execution-slower-than",
     .kind = Integer{-1, kInt64Max},
     .default_text = "10000",
     .help = "commands that run this many microseconds are kept; -1 keeps none",
     .access = field<&Settings::slowlog_log_slower_than>()},
    {.name = "slowlog-max-len",
     .alias = "commandlog-slow-execution-max-len",
     .kind = Integer{0, kInt64Max},
     .default_text = "128",
     .help = "how many slow commands are kept",
     .access = field<&Settings::slowlog_max_len>()},
    {.name = "commandlog-request-larger-than",
     .kind = Integer{-1, kInt64Max},
     .default_text = "1048576",
     .help = "requests of more bytes are kept; -1 keeps none",
     .access = field<&Settings::commandlog_request_larger_than>()},
    {.name = "commandlog-large-request-max-len",
     .kind = Integer{0, kInt64Max},
     .default_text = "128",
     .help = "how many large requests are kept",
     .access = field<&Settings::commandlog_large_request_max_len>()},
    {.name = "commandlog-reply-larger-than",
     .kind = Integer{-1, kInt64Max},
     .default_text = "1048576",
     .help = "commands with replies of more bytes are kept; -1 keeps none",
     .access = field<&Settings::commandlog_reply_larger_than>()},
    {.name = "commandlog-large-reply-max-len",
     .kind = Integer{0, kInt64Max},
     .default_text = "128",
     .help = "how many commands with large replies are kept",
     .access = field<&Settings::commandlog_large_reply_max_len>()},
    {.name = "latency-monitor-threshold",
     .kind = Integer{0, kInt64Max},
     .default_text = "0",
     .help = "events of this many milliseconds are kept for LATENCY; 0 keeps none",
     .access = field<&Settings::latency_monitor_threshold>()},
    {.name = "latency-tracking",
     .kind = Boolean{},
     .default_text = "yes",
     .help = "keep a histogram of execution times per command",
     .access = field<&Settings::latency_tracking>()},
    {.name = "latency-tracking-info-percentiles",
     .kind = kPercentiles,
     .default_text = "50 99 99.9",
     .help = "percentiles that INFO latencystats shows"},
    no_effect("notify-keyspace-events", kKeyspaceEvents, "", "there is no pub/sub yet"),
    no_effect("tracking-table-max-keys", Integer{0, kInt64Max}, "1000000", "client side caching is not supported yet"),
    {.name = "syslog-enabled",
     .kind = Boolean{},
     .default_text = "no",
     .change = Change::AtStart,
     .effect = Effect::None,
     .reason = kNoSyslog},
    {.name = "syslog-ident",
     .kind = Text{},
     .default_text = "redis",
     .change = Change::AtStart,
     .effect = Effect::None,
     .reason = kNoSyslog},
    {.name = "syslog-facility",
     .kind = Choice{kFacilityNames},
     .default_text = "local0",
     .change = Change::AtStart,
     .effect = Effect::None,
     .reason = kNoSyslog},
};

}  // namespace

std::span<const Option> observation_options() { return kOptions; }

}  // namespace magpie::config
