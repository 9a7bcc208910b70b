// A server's refusal (RFC 9457 application/problem+json) as a failure a person can act on.
#pragma once

#include "api/cli/client/http_client.h"
#include "api/cli/text/failure.h"

namespace coffer::cli {

// Precondition: the reply's status is not 2xx.
Failure FailureOf(const HttpReply& reply);

// True for refusals that may pass by themselves: the request can be sent again as it was.
bool IsTemporary(int status);

}  // namespace coffer::cli
