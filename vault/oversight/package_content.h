// What an access package has of what is stored: about the client, and each stored version of its
// records. docs/access-package.md has the members, docs/access-package.schema.json their shapes.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "crypto/result.h"
#include "vault/access/call.h"
#include "vault/access/operations.h"
#include "vault/clients/client_store.h"
#include "vault/oversight/package.h"

namespace coffer::vault {

// A part has so many versions of records, or fewer where they are large, so that nobody waits long
// for the engine.
inline constexpr std::size_t kPackageVersions = 200;
inline constexpr std::size_t kPackageBytes = 512 * 1024;

// The log's tree that the package's proofs lead to.
struct PackageTree {
  std::string checkpoint;         // signed note
  std::vector<std::string> keys;  // verifier keys of the log
};

// What the call discloses is logged with it: an entry for each record, and its own entry names the
// fields of the client's profile where they are in the part.
using ClassNamesOfPackage = std::set<std::string, std::less<>>;
// Classes that a package names to whose role would show them for some purpose.
Result<ClassNamesOfPackage> ClassesToName(const Operations& operations, Transaction& transaction,
                                          const Call& call, const ClientId& client);

class PackageContent {
 public:
  // All must outlive it. `client`: the row's, with its key.
  PackageContent(const Operations& operations, Transaction& transaction, Call& call,
                 const PackageRow& row, const ClientRow& client, const PinnedKeys& key)
      : operations_(operations),
        transaction_(transaction),
        call_(call),
        row_(row),
        client_(client),
        key_(key) {}

  // The value of "about", as JSON. Errors: kCorrupted.
  Result<std::string> About(const PackageTree& tree);

  struct Records {
    std::string items;     // a JSON array
    std::string left_out;  // another
  };
  // Those from `place` on, which is moved to where the next part begins: the log, where none is
  // left. The caller counts the reveals, last (Operations::CountReveals). Errors: kCorrupted;
  // kExhausted "budget_exhausted".
  Result<Records> RecordsFrom(PackagePlace& place, std::uint64_t part);

 private:
  const Operations& operations_;
  Transaction& transaction_;
  Call& call_;
  const PackageRow& row_;
  const ClientRow& client_;
  const PinnedKeys& key_;
};

}  // namespace coffer::vault
