#include "api/routes/reply.h"

#include "vault/base/strict_json.h"

namespace coffer::api {

void AppendNextCursor(std::string& out, std::string_view cursor) {
  if (cursor.empty()) return;
  out += ",\"next_cursor\":";
  vault::AppendJsonString(out, cursor);
}

std::string EntityTag(std::uint64_t version) { return "\"" + std::to_string(version) + "\""; }

}  // namespace coffer::api
