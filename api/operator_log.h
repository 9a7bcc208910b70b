// The server's own log: one JSON object a line on stderr, for the journal. It never holds client
// data; that is what the access log's ids are for.
#pragma once

#include <cstdint>
#include <string_view>

#include "api/config.h"
#include "vault/vault.h"

namespace coffer::api {

void StartOperatorLog(LogLevel level);
void SetOperatorLogLevel(LogLevel level);  // once started; thread-safe
void WriteOperatorLog(vault::Severity severity, std::string_view message);
void WriteRequestLog(std::string_view request_id, std::string_view operation, int status,
                     std::int64_t microseconds);

}  // namespace coffer::api
