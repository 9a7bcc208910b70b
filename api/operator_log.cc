#include "api/operator_log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <string>

#include "audit/text/plain_text.h"
#include "vault/base/strict_json.h"

namespace coffer::api {
namespace {

spdlog::level::level_enum LevelOf(vault::Severity severity) {
  switch (severity) {
    case vault::Severity::kInfo:
      return spdlog::level::info;
    case vault::Severity::kWarning:
      return spdlog::level::warn;
    case vault::Severity::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

spdlog::level::level_enum LevelOf(LogLevel level) {
  switch (level) {
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kInfo:
      return spdlog::level::info;
  }
  return spdlog::level::info;
}

}  // namespace

void SetOperatorLogLevel(LogLevel level) {
  spdlog::default_logger_raw()->set_level(LevelOf(level));
}

void StartOperatorLog(LogLevel level) {
  auto logger = spdlog::stderr_logger_mt("coffer");
  // The message is the rest of the object, already escaped.
  logger->set_pattern(R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})",
                      spdlog::pattern_time_type::utc);
  logger->set_level(LevelOf(level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void WriteOperatorLog(vault::Severity severity, std::string_view message) {
  std::string line = "\"message\":";
  // One line of a log that people read on terminals, whatever a file, a peer or a library said.
  vault::AppendJsonString(line, audit::VisibleText(message));
  spdlog::default_logger_raw()->log(LevelOf(severity), spdlog::string_view_t(line));
}

void WriteRequestLog(std::string_view request_id, std::string_view operation, int status,
                     std::int64_t microseconds) {
  std::string line = "\"message\":\"request\",\"request\":\"";
  line += request_id;
  line += "\",\"operation\":\"";
  line += operation;
  line += "\",\"status\":" + std::to_string(status) + ",\"us\":" + std::to_string(microseconds);
  spdlog::default_logger_raw()->log(spdlog::level::info, spdlog::string_view_t(line));
}

}  // namespace coffer::api
