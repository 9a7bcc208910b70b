// Clients and records, handed out in bulk.
#pragma once

#include <optional>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/access/recipient.h"
#include "vault/access/two_person_rule.h"
#include "vault/base/ids.h"
#include "vault/base/page.h"
#include "vault/clients/export_page.h"
#include "vault/clients/export_selection.h"

namespace coffer::vault {

class Exports {
 public:
  Exports(const Operations& operations, const TwoPersonRule& two_person)
      : operations_(operations), two_person_(two_person) {}

  // Clients and records in bulk, as far as the caller may export them, at most page.limit (1..1000)
  // lines a page, or fewer. The first page takes an approval of "client.export" about "all" or
  // "tag:TAG", with {"classes": [...]}; it is for the purpose that is stated with the request for
  // it. The pages after it go on for an hour. Errors: kUnprocessable "export_invalid" with issues;
  // kPermissionDenied "approval_required", "approval_invalid". Where a recipient is named, with
  // each page, what is handed out is recorded as disclosed to it; kUnprocessable
  // "recipient_unknown", kConflict "recipient_ended".
  Result<ExportPage> Export(const Caller& caller, const ExportSelection& selection,
                            const PageRequest& page,
                            const std::optional<RecipientId>& recipient = {});
  // Everything of one client that the caller's role shows, for returning it to the client.
  Result<ExportPage> PackageClient(const Caller& caller, const ClientId& client,
                                   const PageRequest& page,
                                   const std::optional<RecipientId>& recipient = {});

 private:
  const Operations& operations_;
  const TwoPersonRule& two_person_;
};

}  // namespace coffer::vault
