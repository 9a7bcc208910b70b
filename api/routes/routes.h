// The route table: every path that the server answers, and what it takes to be answered. Each room
// has its rows, with their handlers and what these answer, in a file of its own.
#pragma once

#include <span>

#include "api/http/route.h"

namespace coffer::api {

// The same ones in the same place for as long as the process lives.
std::span<const Route> Routes();

}  // namespace coffer::api
