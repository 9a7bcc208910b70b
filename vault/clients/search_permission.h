// Finding records by a field's value tells that value: of whom may be asked, and what it costs.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "vault/access/call.h"
#include "vault/access/operations.h"
#include "vault/clients/record_store.h"

namespace coffer::vault {

// How one record may be found by one field.
enum class Findable : std::uint8_t {
  kNot,
  kInSight,        // the caller sees the field plainly
  kUnseen,         // not so, but a grant says that it is searched nevertheless
  kUnseenCounted,  // the same, by a grant with a budget
  kSpent,          // the same, and the budget is spent
};

// One search. The field is to be seen plainly by reading, in the record's own class version and in
// the newest, by grants of the role: leases are for what they name, and not for finding it.
class SearchPermission {
 public:
  SearchPermission(const Operations& operations, Transaction& transaction, Call& call,
                   const ClassSchema& newest, std::string_view field)
      : operations_(operations),
        transaction_(transaction),
        call_(call),
        newest_(newest),
        field_(field) {}

  // Errors: kPermissionDenied "permission_denied" where no record can be found; where that is
  // because a condition of reading is not met, its error.
  Status Start();
  Result<Findable> Find(const ClientId& client, const RecordRow& record);
  // A record is disclosed as found. Errors: kExhausted "budget_exhausted".
  Status Disclose(Findable found);
  // Call it once, after the last one. That nothing was found by an unseen field is an answer, too.
  Status Finish();

 private:
  bool MissesCount() const;

  const Operations& operations_;
  Transaction& transaction_;
  Call& call_;
  const ClassSchema& newest_;
  const std::string_view field_;
  AccessDecision reading_;  // of no client in particular
  Findable best_ = Findable::kNot;
  bool misses_count_ = false;
  std::map<std::uint64_t, Findable> by_version_;  // where all clients are alike
};

// The view of one field under the decision; kNone where the class has no such field.
View ViewOfField(const AccessDecision& decision, const ClassSchema& schema, std::string_view field);
// Whether it is told what reading lacks, and not only that there is nothing to search by.
bool IsTold(const AccessDecision& read);
// What the field is to this search, under the decisions on searching and reading.
Findable FindableBy(const AccessDecision& search, const AccessDecision& read,
                    const ClassSchema& schema, std::string_view field);

}  // namespace coffer::vault
