#pragma once

#include <string_view>

namespace coffer::api {

// The OpenAPI 3.1 document that the program was built with: the parts beside this file, put
// together.
std::string_view OpenApiDocument();

}  // namespace coffer::api
