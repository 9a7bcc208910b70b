// The query of a request, as its route takes it.
#pragma once

#include <string_view>

#include "api/http/route.h"
#include "audit/text/plain_text.h"
#include "crypto/result.h"

namespace coffer::api {

// Empty, or of blanks alone: what somebody meant to give and did not. Taken for absent it would
// widen what was asked for, so it is refused wherever a value may be given.
using audit::IsBlank;

// Puts the parameters of the request's target into `call`. Each is one that the route knows, is
// given once and has a value: what Call::Query does not find was not given. Errors,
// kInvalidArgument: "parameter_unknown", "parameter_invalid" with an issue that names the
// parameter.
Status ReadQuery(const Route& route, std::string_view target, Call& call);

// That a header, a known one, was given without a value.
Error BlankHeader(std::string_view name);

}  // namespace coffer::api
