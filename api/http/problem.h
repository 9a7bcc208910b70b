// Errors as RFC 9457 problem documents. The status derives from the error's code; the text from its
// reason; the operator's detail never leaves the process.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "api/http/route.h"
#include "crypto/result.h"

namespace coffer::api {

// A problem document is no longer than this lets it be, whatever was sent.
inline constexpr std::size_t kMaxIssues = 50;     // the last may say that there are more
inline constexpr std::size_t kMaxLineIssues = 5;  // of one line of an import
inline constexpr std::size_t kMaxPointer = 128;   // bytes; what is longer ends in "..."
inline constexpr std::size_t kMaxMessage = 500;

int StatusOf(Code code);
Reply RenderProblem(const Error& error, std::string_view request_id);
// For refusals that only HTTP knows (405, 411, 414, ...).
Reply RenderProblem(int status, std::string_view reason, std::string_view request_id);
Reply RenderProblem(int status, const Error& error, std::string_view request_id);
// {"status":…,"code":…,"errors":[…]} without the braces' end: members of an import result line.
void AppendProblemMembers(std::string& out, const Error& error);

}  // namespace coffer::api
