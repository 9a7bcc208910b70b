// What a request says in its headers of who asks, what for, and what it sends.
#pragma once

#include <optional>

#include "api/http/route.h"
#include "crypto/result.h"

namespace httplib {
struct Request;
}

namespace coffer::api {

// Into `call`: each header stands once, is clean, bounded, and has a value where it stands.
// Returned is what is wrong with them; what could be read stands in `call` nevertheless.
std::optional<Error> ReadHeaders(const httplib::Request& request, Call& call);

}  // namespace coffer::api
