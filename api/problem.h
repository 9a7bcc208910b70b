// Errors as RFC 9457 problem documents. The status derives from the error's code; the text from its
// reason; the operator's detail never leaves the process.
#pragma once

#include <string>
#include <string_view>

#include "api/route.h"
#include "crypto/result.h"

namespace coffer::api {

int StatusOf(Code code);
Reply RenderProblem(const Error& error, std::string_view request_id);
// For refusals that only HTTP knows (405, 411, 414, ...).
Reply RenderProblem(int status, std::string_view reason, std::string_view request_id);
Reply RenderProblem(int status, const Error& error, std::string_view request_id);
// {"status":…,"code":…,"errors":[…]} without the braces' end: members of an import result line.
void AppendProblemMembers(std::string& out, const Error& error);

}  // namespace coffer::api
