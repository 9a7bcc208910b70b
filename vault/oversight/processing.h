// The register of processing (GDPR Art. 30(1), 152-FZ Art. 22, PIPL Art. 55): written from what is
// configured, with what was said of the rest, and published in versions that stay.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/access/two_person_rule.h"
#include "vault/base/page.h"
#include "vault/catalog/document_difference.h"
#include "vault/oversight/processing_register.h"
#include "vault/oversight/processing_store.h"
#include "vault/oversight/status.h"

namespace coffer::vault {

// As it is now.
struct ProcessingNow {
  Timestamp at;
  ProcessingOrder order = ProcessingOrder::kGdpr;
  std::vector<MissingFact> missing;
  std::uint64_t document = 0;   // version; 0: nothing was said
  std::uint64_t published = 0;  // the last version; 0: none
  std::string register_json;
};

struct ProcessingPublishing {
  ProcessingOrder order = ProcessingOrder::kGdpr;
  // It is published although something is missing, which takes this reason: it stands in what is
  // published.
  bool incomplete = false;
  std::string reason;
};

struct ProcessingDifference {
  std::uint64_t from = 0;
  Timestamp at;
  DocumentDifference difference;
};

class Processing {
 public:
  // All must outlive it.
  Processing(const Operations& operations, const TwoPersonRule& two_person,
             std::function<BackupStanding()> backups, std::string directory)
      : operations_(operations),
        two_person_(two_person),
        backups_(std::move(backups)),
        directory_(std::move(directory)) {}

  // A further version; the newest, where it says the same. `if_version`: the one the caller saw, 0
  // of none. Errors: those of ParseProcessingDocument; kPreconditionFailed "version_mismatch";
  // kConflict "too_many_versions".
  Result<ProcessingDocument> PutDocument(const Caller& caller, std::string_view json,
                                         std::optional<std::uint64_t> if_version);
  // That version, or the newest. Errors: kNotFound "not_found".
  Result<ProcessingDocument> GetDocument(const Caller& caller,
                                         std::optional<std::uint64_t> version);
  // Errors of all that make the register: kUnprocessable "processing_too_large".
  Result<ProcessingNow> Read(const Caller& caller, ProcessingOrder order);
  // The last version, where the register says the same. Errors: kConflict "processing_incomplete"
  // with an issue for each thing that is missing (50 at most); kUnprocessable "processing_invalid"
  // with issues; kConflict "changed_meanwhile", "too_many_versions".
  Result<PublishedProcessing> Publish(const Caller& caller, const ProcessingPublishing& asked);
  // Without the registers, the newest first.
  Result<Page<PublishedProcessing>> List(const Caller& caller, const PageRequest& page);
  Result<PublishedProcessing> Get(const Caller& caller, std::uint64_t version);
  // From a version, or the last one, to the register as it is now. Errors: kNotFound "not_found".
  Result<ProcessingDifference> Compare(const Caller& caller, std::optional<std::uint64_t> from);

 private:
  struct Sources {
    std::shared_ptr<const Catalog> catalog;
    ProcessingDocument document;
    std::uint64_t published = 0;
    ProcessingFacts facts;
    Timestamp at;
  };
  Result<Sources> Gather(Transaction& transaction) const;
  Result<ProcessingSafeguards> Safeguards() const;

  const Operations& operations_;
  const TwoPersonRule& two_person_;
  const std::function<BackupStanding()> backups_;
  const std::string directory_;
};

}  // namespace coffer::vault
