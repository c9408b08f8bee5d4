#include "server/logging.h"

#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <utility>

#include "server/log_file.h"

namespace magpie::server {
namespace {

constexpr std::size_t kQueuedLines = 8192;

spdlog::level::level_enum level_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::Debug:
      return spdlog::level::trace;
    case config::LogLevel::Verbose:
      return spdlog::level::debug;
    case config::LogLevel::Notice:
      return spdlog::level::info;
    case config::LogLevel::Warning:
      return spdlog::level::warn;
    case config::LogLevel::Nothing:
      break;
  }
  return spdlog::level::off;
}

class LogFileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  std::expected<void, std::string> open(const std::string& path) { return file_.open(path); }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    file_.write({line.data(), line.size()});
  }
  void flush_() override { file_.flush(); }

  LogFile file_;
};

}  // namespace

std::expected<void, std::string> start_logging(const config::Settings& settings) {
  const auto failure = [&](const std::string& why) {
    return std::unexpected("cannot write the log file '" + settings.logfile + "': " + why +
                           ". Choose another with --logfile, or make its folder writable.");
  };
  try {  // the one place where the library reports by exception
    std::shared_ptr<spdlog::sinks::sink> sink = std::make_shared<spdlog::sinks::stdout_sink_mt>();
    if (!settings.logfile.empty()) {
      auto file = std::make_shared<LogFileSink>();
      if (auto opened = file->open(settings.logfile); !opened) return failure(opened.error());
      sink = std::move(file);
    }
    spdlog::init_thread_pool(kQueuedLines, 1);
    auto logger = std::make_shared<spdlog::async_logger>("magpie", sink, spdlog::thread_pool(),
                                                         spdlog::async_overflow_policy::overrun_oldest);
    logger->set_level(level_of(settings.loglevel));
    logger->set_pattern("%P:M %d %b %Y %H:%M:%S.%e %l %v");
    logger->flush_on(spdlog::level::warn);
    spdlog::set_default_logger(logger);
    spdlog::flush_every(std::chrono::seconds(1));
  } catch (const spdlog::spdlog_ex& error) {
    return failure(error.what());
  }
  return {};
}

void stop_logging() { spdlog::shutdown(); }

void set_log_level(config::LogLevel level) { spdlog::default_logger_raw()->set_level(level_of(level)); }

void log_verbose(const std::string& text) { spdlog::default_logger_raw()->debug(text); }
void log_notice(const std::string& text) { spdlog::default_logger_raw()->info(text); }
void log_warning(const std::string& text) { spdlog::default_logger_raw()->warn(text); }

}  // namespace magpie::server
