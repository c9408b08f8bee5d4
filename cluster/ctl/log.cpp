#include "cluster/ctl/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstddef>
#include <memory>

namespace magpie::ctl {
namespace {

constexpr std::size_t kQueuedLines = 1024;

}  // namespace

void start_logging() {
  spdlog::init_thread_pool(kQueuedLines, 1);
  auto logger =
      std::make_shared<spdlog::async_logger>("magpiectl", std::make_shared<spdlog::sinks::stdout_sink_mt>(),
                                             spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(logger);
}

void stop_logging() { spdlog::shutdown(); }

void log(arbiter::LogLevel level, const arbiter::LogLine& line) {
  switch (level) {
    case arbiter::LogLevel::Notice:
      return spdlog::default_logger_raw()->info(line.text());
    case arbiter::LogLevel::Warning:
      return spdlog::default_logger_raw()->warn(line.text());
    case arbiter::LogLevel::Error:
      return spdlog::default_logger_raw()->error(line.text());
  }
}

}  // namespace magpie::ctl
