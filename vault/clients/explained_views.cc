#include "vault/clients/explained_views.h"

#include <algorithm>

#include "vault/access/access_question.h"
#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/access/operations.h"
#include "vault/catalog/role_narrowing.h"
#include "vault/clients/client_operations.h"
#include "vault/clients/record_view.h"
#include "vault/clients/search_permission.h"

namespace coffer::vault {
namespace {

void Refuse(AccessAnswer& answer, std::string_view check, std::string_view reason) {
  answer.allowed = false;
  answer.rule = "check:" + std::string(check);
  answer.reason = reason;
}

// Records of which nothing is shown are not there; who writes or destroys must do so plainly.
void RefuseHidden(Action action, AccessAnswer& answer) {
  switch (action) {
    case Action::kRecordRead:
    case Action::kRecordList:
      return Refuse(answer, "class", "permission_denied");
    case Action::kClientSearch:
      return Refuse(answer, "fields", "permission_denied");
    case Action::kRecordCreate:
    case Action::kRecordUpdate:
    case Action::kRecordDelete:
    case Action::kRecordImport:
    case Action::kRecordErase:
      return Refuse(answer, "fields", "field_not_writable");
    default:
      return;
  }
}

std::string NameOfScope(const Scope& scope) {
  switch (scope.kind) {
    case Scope::Kind::kAll:
      return "all";
    case Scope::Kind::kAssigned:
      return "assigned";
    case Scope::Kind::kTag:
      break;
  }
  return "tag:" + scope.tag;
}

// Of a field whose sensitivity the class has changed since, what covers it as either.
bool ShowsPlainly(const Grant& grant, const ClassSchema& schema, const Field& field) {
  if (grant.deny || grant.view != View::kPlain || !grant.CoversClass(schema.name)) return false;
  return grant.CoversField(field.name, field.sensitivity) ||
         (field.later_sensitivity && grant.CoversField(field.name, *field.later_sensitivity));
}

}  // namespace

const ClassSchema* DecidedWith(Action action, const ClassSchema* schema) {
  const bool with =
      action == Action::kClientList || (IsAboutRecords(action) && action != Action::kClientErase);
  return with ? schema : nullptr;
}

Status ExplainFields(const Operations& operations, Transaction& transaction, const Call& asked,
                     const AccessDecision& decision, const ClassSchema* about,
                     const AccessQuestion& question, AccessAnswer& answer) {
  if (!about && asked.action == Action::kClientSearch &&
      ReferenceViewOf(decision, true) != View::kPlain) {
    RefuseHidden(asked.action, answer);
  }
  if (about && asked.action == Action::kClientList) {
    COFFER_ASSIGN(const bool known, MayKnowOfRecords(operations, transaction, asked,
                                                     question.client, *about, question.at));
    if (!known) Refuse(answer, "class", "permission_denied");
    return {};
  }
  if (!about || !IsAboutRecords(asked.action)) return {};
  const ClassSchema& schema = *about;
  auto views = FieldViewsOf(decision, schema);
  if (asked.action == Action::kRecordUpdate || asked.action == Action::kClientSearch) {
    COFFER_ASSIGN(const auto reading, operations.DecideFor(transaction, asked, Action::kRecordRead,
                                                           question.client, &schema, question.at));
    if (asked.action == Action::kRecordUpdate) {
      views = WritableFields(views, FieldViewsOf(reading, schema));
    } else {
      views.emplace(schema.fields.size(), View::kNone);
      for (std::size_t i = 0; i < schema.fields.size(); ++i) {
        const Field& field = schema.fields[i];
        if (field.indexed && FindableBy(decision, reading, schema, field.name) != Findable::kNot) {
          (*views)[i] = View::kPlain;
        }
      }
      if (ShowsNothing(views) && IsTold(reading)) {
        answer.allowed = false;
        answer.rule = reading.rule;
        answer.reason = reading.error.reason;
        return {};
      }
    }
  }
  const bool writes = asked.action == Action::kRecordUpdate;
  // A record goes as a whole.
  const bool hides =
      views && std::ranges::any_of(*views, [](View view) { return view != View::kPlain; });
  const bool destroys =
      asked.action == Action::kRecordDelete || asked.action == Action::kRecordErase;
  if (destroys ? hides : writes ? WritesNothing(views) : ShowsNothing(views)) {
    RefuseHidden(asked.action, answer);
  }
  if (!answer.allowed) return {};
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    answer.fields.emplace_back(schema.fields[i].name, views ? (*views)[i] : View::kPlain);
  }
  return {};
}

void ExplainPlainFields(const Transaction& transaction, const AccessDecision& decision,
                        const ClassSchema* schema, const AccessQuestion& question,
                        AccessAnswer& answer) {
  for (const auto& [name, view] : answer.fields) {
    const Field* const field = view == View::kPlain ? schema->Find(name) : nullptr;
    if (field == nullptr) continue;
    std::vector<PlainSource> sources;
    for (const Grant* grant : decision.grants) {
      if (!ShowsPlainly(*grant, *schema, *field)) continue;
      sources.push_back({PlainSource::By::kGrant, grant->place, NameOfScope(grant->scope)});
    }
    for (const LeaseTerms* lease : decision.leases) {
      const bool covers =
          lease->CoversClass(schema->name) &&
          (lease->fields.empty() || std::ranges::binary_search(lease->fields, name));
      if (!covers) continue;
      sources.push_back({lease->emergency ? PlainSource::By::kEmergency : PlainSource::By::kLease,
                         {},
                         {},
                         lease->id});
    }
    answer.plain.emplace_back(name, std::move(sources));
  }
  if (!question.client) return;
  const auto* const rows = transaction.Of<AccessState>().access().AssignmentsOf(*question.client);
  if (rows == nullptr) return;
  const Timestamp at = question.at.value_or(transaction.now());
  const auto& teams = transaction.Of<AccessState>().principals().TeamsOf(question.principal);
  for (const AssignmentRow& row : *rows) {
    const bool its = row.principal == question.principal ||
                     std::ranges::find(teams, row.principal) != teams.end();
    if (its && row.starts <= at && (!row.ends || at < *row.ends)) {
      answer.assigned_to.push_back(row.principal);
    }
  }
}

}  // namespace coffer::vault
