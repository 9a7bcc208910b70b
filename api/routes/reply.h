// What handlers answer with: one value, or a list of them, as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/http/route.h"
#include "api/routes/object_writer.h"

namespace coffer::api {

template <class T>
Reply RenderOne(const T& value, int status = 200) {
  Reply reply;
  reply.status = status;
  Append(reply.body, value);
  return reply;
}

void AppendNextCursor(std::string& out, std::string_view cursor);

template <class Items>
Reply RenderList(const Items& items, std::string_view next_cursor = {}) {
  Reply reply;
  reply.body = "{\"items\":[";
  bool first = true;
  for (const auto& item : items) {
    if (!first) reply.body += ',';
    first = false;
    if constexpr (requires { *item; }) {
      Append(reply.body, *item);
    } else {
      Append(reply.body, item);
    }
  }
  reply.body += ']';
  AppendNextCursor(reply.body, next_cursor);
  reply.body += '}';
  return reply;
}

std::string EntityTag(std::uint64_t version);  // "\"3\""

}  // namespace coffer::api
