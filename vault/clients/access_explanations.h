// Why somebody may do something, or may not.
#pragma once

#include "crypto/result.h"
#include "vault/access/access_question.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"

namespace coffer::vault {

class AccessExplanations {
 public:
  explicit AccessExplanations(const Operations& operations) : operations_(operations) {}

  // The decision that the request would get, by the function that would make it. Errors:
  // kUnprocessable "principal_unknown", "question_invalid" with issues.
  Result<AccessAnswer> ExplainAccess(const Caller& caller, const AccessQuestion& question);

 private:
  const Operations& operations_;
};

}  // namespace coffer::vault
