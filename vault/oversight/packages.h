// Access packages: prepared for a client, listed, revoked, and handed out once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "crypto/result.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/page.h"
#include "vault/engine/published_tree.h"
#include "vault/oversight/log_reader.h"
#include "vault/oversight/package.h"
#include "vault/oversight/package_content.h"

namespace coffer::vault {

struct PackageFilter {
  std::optional<ClientId> client;
  std::optional<PackageState> state;
};

// Which part is asked for. `key`: chosen by who takes the first part, 22 to 64 of A-Z, a-z, 0-9,
// "-" and "_" that nobody else can know; with it the hand-out goes on.
struct PartRequest {
  std::uint64_t part = 1;
  std::string key;
};

class Packages {
 public:
  Packages(const Operations& operations, LogReaders& readers, const PublishedTrees& trees)
      : operations_(operations), readers_(readers), trees_(trees) {}

  // Errors: kUnprocessable "package_invalid" with issues; kInvalidArgument "reason_required";
  // kConflict "identity_pending" while it is not known who asks, "request_over" for one that was
  // refused, withdrawn or closed, "client_erased" with what can still be told, "too_many_packages"
  // where the client has 20 that can be handed out.
  Result<Package> PreparePackage(const Caller& caller, const ClientId& client,
                                 const PackageForm& form);
  Result<Package> GetPackage(const Caller& caller, const PackageId& id);
  // Without their parts. A page looks at 2000 at most.
  Result<Page<Package>> ListPackages(const Caller& caller, const PackageFilter& filter,
                                     const PageRequest& page);
  // Also one whose hand-out has begun and not ended. Errors: kConflict "package_handed_out",
  // "package_expired", "package_revoked".
  Result<Package> RevokePackage(const Caller& caller, const PackageId& id);

  // A part of the content: a JSON object as docs/access-package.schema.json says, made of what is
  // stored now. Its entry in the log has its SHA-256, and is durable before this returns. The first
  // part begins the hand-out. For an hour its key gets it again, also the first one, which begins
  // anew, and the one that was handed out last; nobody else does. Errors: kUnprocessable
  // "package_invalid"; kConflict "package_handed_out", "package_expired", "package_revoked",
  // "client_erased", "identity_pending", "request_over".
  Result<std::string> HandOutPart(const Caller& caller, const PackageId& id,
                                  const PartRequest& request);
  // An evidence bundle (audit/documents/evidence_bundle.h) of the entries of its parts, by which
  // anybody can check that they are what was handed out. Errors: kConflict "package_unfinished"
  // before the last part.
  Result<std::string> MakeReceipt(const Caller& caller, const PackageId& id);

 private:
  struct Found {
    PackageRow row;
    ClientRow client;
  };
  Result<PackageRow> FindRow(Transaction& transaction, Call& call, const PackageId& id) const;
  Result<Found> FindForHandOut(Transaction& transaction, Call& call, const PackageId& id,
                               const PartRequest& request) const;
  Result<PackagePlace> PlaceOf(Transaction& transaction, const PackageRow& row,
                               std::uint64_t part) const;
  Result<std::string> WriteReceipt(const Call& call, const PackageRow& row,
                                   const std::vector<PackagePart>& parts) const;

  const Operations& operations_;
  LogReaders& readers_;
  const PublishedTrees& trees_;
};

}  // namespace coffer::vault
