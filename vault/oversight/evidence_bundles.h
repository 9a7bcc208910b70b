// What the log says of somebody or a time, for somebody outside.
#pragma once

#include <string>

#include "audit/documents/evidence.h"
#include "crypto/result.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/engine/published_tree.h"
#include "vault/oversight/evidence_request.h"
#include "vault/oversight/log_reader.h"

namespace coffer::vault {

class EvidenceBundles {
 public:
  EvidenceBundles(const Operations& operations, LogReaders& readers, const PublishedTrees& trees)
      : operations_(operations), readers_(readers), trees_(trees) {}

  // A signed archive that an outsider can check: see audit/documents/evidence_bundle.h. Reasons are
  // opened for who may read them. Errors: kUnprocessable "evidence_invalid" with issues,
  // "evidence_too_large".
  Result<std::string> MakeEvidence(const Caller& caller, const EvidenceRequest& request);

 private:
  Result<std::string> WriteEvidence(const Call& call, const EvidenceRequest& request,
                                    bool actor_known, audit::Evidence& evidence) const;

  const Operations& operations_;
  LogReaders& readers_;
  const PublishedTrees& trees_;
};

}  // namespace coffer::vault
