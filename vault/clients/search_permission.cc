#include "vault/clients/search_permission.h"

#include <algorithm>

#include "vault/access/call.h"
#include "vault/access/operations.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/record_operations.h"

namespace coffer::vault {

View ViewOfField(const AccessDecision& decision, const ClassSchema& schema,
                 std::string_view field) {
  const Field* const found = schema.Find(field);
  if (found == nullptr || !decision.allowed) return View::kNone;
  return ViewsOf(decision, schema)[static_cast<std::size_t>(found - schema.fields.data())];
}

Findable FindableBy(const AccessDecision& search, const AccessDecision& read,
                    const ClassSchema& schema, std::string_view field) {
  if (ViewOfField(search, schema, field) != View::kPlain) return Findable::kNot;
  AccessDecision own = read;
  own.leases.clear();
  if (ViewOfField(own, schema, field) == View::kPlain) return Findable::kInSight;
  AccessDecision unseen = search;
  std::erase_if(unseen.grants,
                [](const Grant* grant) { return !grant->deny && !grant->search_unseen; });
  if (ViewOfField(unseen, schema, field) != View::kPlain) return Findable::kNot;
  const bool free = ViewOfField(WithoutBudgets(unseen), schema, field) == View::kPlain;
  return free ? Findable::kUnseen : Findable::kUnseenCounted;
}

bool IsTold(const AccessDecision& read) {
  return !read.allowed && read.rule != "check:role" && read.rule != "check:scope";
}

Status SearchPermission::Start() {
  COFFER_ASSIGN(reading_, operations_.DecideFor(transaction_, call_, Action::kRecordRead,
                                                std::nullopt, &newest_));
  best_ = FindableBy(call_.decision, reading_, newest_, field_);
  misses_count_ = MissesCount();
  if (best_ != Findable::kNot) return {};
  if (IsTold(reading_)) {
    call_.entry.decision = audit::Decision::kDeny;
    call_.entry.rule = reading_.rule;
    return std::unexpected(reading_.error);
  }
  return Deny(call_, "fields", Code::kPermissionDenied, "permission_denied");
}

// That nothing is found tells something of every record that could have been: also of clients out
// of reading's scope, and of versions of the class of which less is seen.
bool SearchPermission::MissesCount() const {
  AccessDecision everywhere = reading_;
  std::erase_if(everywhere.grants, [](const Grant* grant) {
    return !grant->deny && grant->scope.kind != Scope::Kind::kAll;
  });
  const auto versions = transaction_.Of<CatalogState>().current().classes.find(newest_.name);
  return versions != transaction_.Of<CatalogState>().current().classes.end() &&
         std::ranges::any_of(versions->second, [&](const auto& schema) {
           return FindableBy(call_.decision, everywhere, *schema, field_) ==
                  Findable::kUnseenCounted;
         });
}

Result<Findable> SearchPermission::Find(const ClientId& client, const RecordRow& record) {
  COFFER_ASSIGN(const auto schema, ClassOf(transaction_, record.class_name, record.class_version));
  if (!schema->AllowsPurpose(call_.caller.purpose)) return Findable::kNot;
  const bool alike = !call_.role->scoped && !call_.role->budgeted;
  if (alike) {
    if (operations_.StopOf(transaction_, call_, call_.action, client, schema.get()) !=
        Operations::Stop::kNone) {
      return Findable::kNot;
    }
    const auto known = by_version_.find(schema->version);
    if (known != by_version_.end()) return known->second;
    const Findable found = FindableBy(call_.decision, reading_, *schema, field_);
    by_version_.emplace(schema->version, found);
    return found;
  }
  COFFER_ASSIGN(const auto search,
                operations_.DecideFor(transaction_, call_, call_.action, client, schema.get()));
  if (!search.allowed) {
    return search.error.code == Code::kExhausted ? Findable::kSpent : Findable::kNot;
  }
  COFFER_ASSIGN(const auto reading, operations_.DecideFor(transaction_, call_, Action::kRecordRead,
                                                          client, schema.get()));
  return FindableBy(search, reading, *schema, field_);
}

Status SearchPermission::Disclose(Findable found) {
  if (found == Findable::kSpent) {
    return Deny(call_, "budget", Code::kExhausted, "budget_exhausted");
  }
  if (found == Findable::kUnseenCounted) ++call_.reveals;
  return {};
}

Status SearchPermission::Finish() {
  if (misses_count_ && call_.reveals == 0) call_.reveals = 1;
  return operations_.CountReveals(transaction_, call_);
}

}  // namespace coffer::vault
