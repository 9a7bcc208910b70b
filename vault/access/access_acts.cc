#include "vault/access/access_acts.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/encoding.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

json NumberOrNull(const std::optional<Timestamp>& time) {
  return time ? json(time->ms) : json(nullptr);
}

std::string TokenText(const TokenRow& row) {
  return row.is_session() ? SessionId{row.id.value}.Text() : row.id.Text();
}

json JsonOfCredentials(const UserCredentials& credentials) {
  json content = {{"password", credentials.password},
                  {"totp_step", credentials.totp_step},
                  {"enrolment_expires", credentials.enrolment_expires.ms},
                  {"recovery", json::array()}};
  for (const auto& digest : credentials.recovery) {
    content["recovery"].push_back(crypto::Base64Encode(digest));
  }
  if (credentials.totp) content["totp"] = crypto::Base64Encode(*credentials.totp);
  if (credentials.enrolment) content["enrolment"] = crypto::Base64Encode(*credentials.enrolment);
  if (credentials.enrolment_totp) {
    content["enrolment_totp"] = crypto::Base64Encode(*credentials.enrolment_totp);
  }
  return content;
}

}  // namespace

void ActRestricted(Transaction& transaction, const Restriction& restriction,
                   ByteView sealed_basis) {
  const RestrictionRequest& terms = restriction.terms;
  json content = {
      {"class", terms.class_name},        {"all_but", terms.stops.all_but},
      {"purposes", terms.stops.purposes}, {"legal_bases", terms.stops.legal_bases},
      {"since", restriction.since.ms},    {"basis", crypto::Base64Encode(sealed_basis)}};
  if (restriction.placed_by) content["placed_by"] = restriction.placed_by->Text();
  transaction.Acted(
      {ActKind::kRestrictionPlaced, restriction.id.Text(), restriction.client, content.dump()});
}

void ActRestrictionLifted(Transaction& transaction, const Restriction& restriction) {
  transaction.Acted({ActKind::kRestrictionLifted, restriction.id.Text(), restriction.client});
}

void ActConsentWithdrawn(Transaction& transaction, const Consent& consent,
                         ByteView sealed_details) {
  const ConsentWithdrawal& withdrawal = *consent.withdrawal;
  json content = {{"purpose", consent.purpose},
                  {"text", consent.text.name},
                  {"version", consent.text.version},
                  {"language", consent.text.language},
                  {"sha256", crypto::Base64Encode(consent.sha256)},
                  {"given", consent.given.ms},
                  {"channel", Name(consent.channel)},
                  {"by_client", consent.by_client},
                  {"expires", NumberOrNull(consent.expires)},
                  {"recorded", consent.recorded.ms},
                  {"recorded_by", consent.recorded_by.Text()},
                  {"details", crypto::Base64Encode(sealed_details)},
                  {"withdrawn", withdrawal.withdrawn.ms},
                  {"withdrawn_by", withdrawal.recorded_by.Text()}};
  if (withdrawal.channel) content["withdrawn_how"] = Name(*withdrawal.channel);
  transaction.Acted(
      {ActKind::kConsentWithdrawn, consent.id.Text(), consent.client, content.dump()});
}

void ActConsentRequired(Transaction& transaction, const std::string& purpose, bool required) {
  transaction.Acted({required ? ActKind::kConsentRequired : ActKind::kConsentNotRequired, purpose});
}

void ActTokenEnded(Transaction& transaction, const TokenRow& row) {
  json content = {{"expires", row.expires.ms}};
  if (row.revoked) content["revoked"] = row.revoked->ms;
  transaction.Acted({ActKind::kTokenEnded, TokenText(row), std::nullopt, content.dump()});
}

void ActPrincipalChanged(Transaction& transaction, const PrincipalRow& before,
                         const PrincipalRow& after) {
  const std::string id = after.id.Text();
  if (after.role != before.role) {
    transaction.Acted(
        {ActKind::kPrincipalRole, id, std::nullopt, json({{"role", after.role}}).dump()});
  }
  if (after.certificates != before.certificates) {
    transaction.Acted({ActKind::kPrincipalCertificates, id, std::nullopt,
                       json({{"certificates", after.certificates}}).dump()});
  }
  if (after.disabled && !before.disabled) {
    transaction.Acted({ActKind::kPrincipalDisabled, id, std::nullopt,
                       json({{"disabled", after.disabled->ms}}).dump()});
  }
  if (!after.disabled && before.disabled) {
    transaction.Acted({ActKind::kPrincipalEnabled, id});
  }
}

void ActCredentials(Transaction& transaction, const PrincipalId& user,
                    const UserCredentials& credentials) {
  transaction.Acted({ActKind::kUserCredentials, user.Text(), std::nullopt,
                     JsonOfCredentials(credentials).dump()});
}

void ActTeamMembers(Transaction& transaction, const TeamRow& row) {
  json members = json::array();
  for (const PrincipalId& member : row.members) members.push_back(member.Text());
  transaction.Acted({ActKind::kTeamMembers, row.id.Text(), std::nullopt,
                     json({{"members", std::move(members)}}).dump()});
}

void ActRolePut(Transaction& transaction, const RoleDocument& role) {
  transaction.Acted({ActKind::kRolePut, role.name, std::nullopt,
                     json({{"version", role.version}, {"definition", role.definition}}).dump()});
}

void ActUnassigned(Transaction& transaction, const ClientId& client, const PrincipalId& principal) {
  transaction.Acted({ActKind::kAssignmentEnded, principal.Text(), client});
}

Status ActAssigned(Transaction& transaction, const AssignmentRow& row,
                   const AssignmentRow* before) {
  const std::string terms =
      json({{"starts", row.starts.ms}, {"ends", NumberOrNull(row.ends)}}).dump();
  const bool later_start = before != nullptr && before->starts < row.starts;
  const bool earlier_end =
      before != nullptr && row.ends && (!before->ends || *row.ends < *before->ends);
  if (later_start || earlier_end) {
    transaction.Acted({ActKind::kAssignmentEnded, row.principal.Text(), row.client, terms});
    return {};
  }
  COFFER_ASSIGN(const bool taken, transaction.stores().acts.Has(ActKind::kAssignmentEnded,
                                                                row.principal.Text(), row.client));
  if (taken) {
    transaction.Acted({ActKind::kAssignmentGiven, row.principal.Text(), row.client, terms});
  }
  return {};
}

void ActLeaseEnded(Transaction& transaction, const LeaseRow& row) {
  transaction.Acted({ActKind::kLeaseEnded, row.id.Text(), row.client,
                     json({{"expires", row.terms.expires.ms}}).dump()});
}

void ActApprovalClosed(Transaction& transaction, const ApprovalRow& row) {
  json content = {{"approved", row.approved},
                  {"decided", NumberOrNull(row.decided)},
                  {"executed", NumberOrNull(row.executed)},
                  {"ended", NumberOrNull(row.ended)}};
  if (row.decider) content["decider"] = row.decider->Text();
  if (row.ended_by) content["ended_by"] = row.ended_by->Text();
  if (row.why) content["why"] = static_cast<int>(*row.why);
  transaction.Acted({ActKind::kApprovalClosed, row.id.Text(), std::nullopt, content.dump()});
}

}  // namespace coffer::vault
