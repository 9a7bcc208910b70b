// Why somebody may do something, or may not.
#include "vault/clients/access_explanations.h"

#include <algorithm>

#include "vault/access/access_question.h"
#include "vault/access/access_state.h"
#include "vault/access/accounts.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/conditions.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/explained_views.h"

namespace coffer::vault {
namespace {

LeaseAnswer AnswerOn(const LeaseTerms& lease, std::string_view closed_for) {
  LeaseAnswer answer{lease.id, std::nullopt, closed_for.empty(), std::string(closed_for)};
  if (lease.own) answer.conditions = lease.own->definition;
  return answer;
}

}  // namespace

Result<AccessAnswer> AccessExplanations::ExplainAccess(const Caller& caller,
                                                       const AccessQuestion& question) {
  constexpr Action kAction = Action::kAccessExplain;
  const auto action = ActionFromName(question.action);
  const auto catalog = operations_.engine().Of<CatalogState>().Published();
  const auto schema = question.class_version
                          ? catalog->Version(question.class_name, *question.class_version)
                          : catalog->Newest(question.class_name);
  std::vector<Issue> issues;
  if (!action) issues.push_back({"/action", "is not an action"});
  if (!question.class_name.empty() && !catalog->Newest(question.class_name)) {
    issues.push_back({"/class", "is not a class"});
  } else if (question.class_version && !schema) {
    issues.push_back({"/class_version", "is not a version of the class"});
  }
  if (!question.address.empty() && !AddressBlock(question.address)) {
    issues.push_back({"/address", "is no address"});
  }
  if (!issues.empty()) {
    return operations_.Refuse(
        caller, {.action = kAction, .client = question.client},
        Error{Code::kUnprocessable, "question_invalid", {}, std::move(issues)});
  }
  Call call = operations_.Start(caller, {kAction});
  if (question.client) call.About(*question.client);
  call.entry.class_name = question.class_name;
  call.entry.detail = question.principal.Text() + " " + question.action;
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<AccessAnswer> {
    AccessAnswer answer;
    const PrincipalRow* const principal =
        transaction.Of<AccessState>().principals().Find(question.principal);
    if (principal == nullptr) return Fail(Code::kUnprocessable, "principal_unknown");
    Caller asker;
    asker.purpose = question.purpose;
    asker.address = question.address;
    asker.address_known = !question.address.empty();
    if (question.reason) asker.reason = "given";
    if (question.ticket) asker.ticket = "given";
    if (question.certificate) {
      asker.certificate = ClientCertificate{principal->certificates};
    }
    TokenRow shown;
    if (question.second_factor_minutes) {
      const Timestamp at = question.at.value_or(operations_.latest());
      shown.factor = Timestamp{at.ms - *question.second_factor_minutes * 60'000};
    }
    Call asked = operations_.Start(asker, {*action});
    asked.principal = principal;
    asked.token = &shown;
    asked.role = transaction.Of<CatalogState>().current().Role(principal->role);
    if (auto able = RequireSecondFactor(transaction, *principal); !able) {
      asked.credential_fault = "second-factor-missing";
    }
    if (principal->disabled) asked.credential_fault = "principal-disabled";
    COFFER_ASSIGN(const auto decision,
                  operations_.DecideFor(transaction, asked, *action, question.client,
                                        DecidedWith(*action, schema.get()), question.at));
    answer.allowed = decision.allowed;
    answer.rule = decision.rule;
    if (!decision.allowed) answer.reason = decision.error.reason;
    // An import makes the client that it does not find: where it may not, it is not "not
    // found".
    if (action == Action::kRecordImport && decision.error.code == Code::kNotFound) {
      answer.reason = "permission_denied";
    }
    answer.role = asked.role->name;
    answer.role_version = asked.role->version;
    for (const Grant* grant : decision.grants) {
      answer.grants.push_back(grant->place);
    }
    for (const LeaseTerms* lease : decision.leases) {
      answer.leases.push_back(AnswerOn(*lease, ""));
    }
    for (const ClosedLease& closed : decision.closed_leases) {
      answer.leases.push_back(AnswerOn(*closed.lease, closed.reason));
    }
    if (!decision.allowed) return answer;
    COFFER_TRY(
        ExplainFields(operations_, transaction, asked, decision, schema.get(), question, answer));
    ExplainPlainFields(transaction, decision, schema.get(), question, answer);
    return answer;
  });
}

}  // namespace coffer::vault
