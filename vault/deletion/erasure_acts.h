// The signed acts of erasures.
#pragma once

#include <string>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/ids.h"
#include "vault/deletion/document_request.h"
#include "vault/engine/erasure_store.h"
#include "vault/engine/published_tree.h"
#include "vault/engine/snapshot_reader.h"

namespace coffer::vault {

class ErasureActs {
 public:
  ErasureActs(const Operations& operations, SnapshotReaders& snapshots, const PublishedTrees& trees)
      : operations_(operations), snapshots_(snapshots), trees_(trees) {}

  // The signed act, or a page of it, or the export of the log that belongs to it: see
  // audit/documents/erasure_act.h. Errors: kConflict "act_purged" after three years.
  Result<std::string> ReadAct(const Caller& caller, const ErasureId& id,
                              const DocumentRequest& request);

 private:
  Result<std::string> MakeAct(const ErasureRow& row) const;

  const Operations& operations_;
  SnapshotReaders& snapshots_;
  const PublishedTrees& trees_;
};

}  // namespace coffer::vault
