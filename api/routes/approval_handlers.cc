// What two people decide, and emergency access with its review.
#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/handlers.h"
#include "api/routes/names.h"
#include "api/routes/render.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

}  // namespace

Result<Reply> RequestApproval(const Service& service, const Call& call) {
  Input input(service, call, Action::kApprovalRequest);
  COFFER_ASSIGN(const json object, input.Object({"action", "target", "content"}));
  vault::Proposal proposal;
  COFFER_ASSIGN(proposal.action, input.Text(object, "action", true));
  COFFER_ASSIGN(proposal.target, input.Text(object, "target", true));
  if (object.contains("content")) proposal.content = object["content"].dump();
  COFFER_ASSIGN(const auto approval,
                service.vault.approvals().RequestApproval(call.caller, proposal));
  return WithNames(service, call, RenderOne(approval, 201));
}

Result<Reply> ListApprovals(const Service& service, const Call& call) {
  Input input(service, call, Action::kApprovalRead);
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto approvals, service.vault.approvals().ListApprovals(call.caller, page));
  return WithClientNames(service, call, RenderList(approvals.items, approvals.next_cursor));
}

Result<Reply> GetApproval(const Service& service, const Call& call) {
  Input input(service, call, Action::kApprovalRead);
  const auto id = vault::ApprovalId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  COFFER_ASSIGN(const auto approval, service.vault.approvals().GetApproval(call.caller, *id));
  return WithClientNames(service, call, RenderOne(approval));
}

Result<Reply> DecideApproval(const Service& service, const Call& call) {
  Input input(service, call, Action::kApprovalDecide);
  const auto id = vault::ApprovalId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  COFFER_ASSIGN(const json object, input.Object({"decision"}));
  COFFER_ASSIGN(const auto decision, input.Text(object, "decision", true));
  if (decision != "approve" && decision != "reject") {
    return input.Invalid("/decision", "must be \"approve\" or \"reject\"");
  }
  COFFER_ASSIGN(const auto approval,
                service.vault.approvals().DecideApproval(call.caller, *id, decision == "approve"));
  return WithNames(service, call, RenderOne(approval));
}

Result<Reply> WithdrawApproval(const Service& service, const Call& call) {
  Input input(service, call, Action::kApprovalWithdraw);
  const auto id = vault::ApprovalId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  COFFER_ASSIGN(const auto approval, service.vault.approvals().WithdrawApproval(call.caller, *id));
  return WithNames(service, call, RenderOne(approval));
}

Result<Reply> OpenEmergency(const Service& service, const Call& call) {
  Input input(service, call, Action::kEmergencyOpen);
  COFFER_ASSIGN(const json object, input.Object({"client", "purpose", "ticket", "lifetime_s"}));
  COFFER_ASSIGN(const auto client, input.ClientIn(object, true));
  vault::EmergencyRequest request;
  COFFER_ASSIGN(request.purpose, input.Text(object, "purpose", true));
  COFFER_ASSIGN(request.ticket, input.Text(object, "ticket", true));
  COFFER_ASSIGN(request.lifetime_s, input.Seconds(object, "lifetime_s", 3600));
  COFFER_ASSIGN(const auto emergency,
                service.vault.emergencies().OpenEmergency(call.caller, *client, request));
  return WithNames(service, call, RenderOne(emergency, 201));
}

Result<Reply> ListEmergencies(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto emergencies, service.vault.emergencies().ListEmergencies(call.caller));
  return WithClientNames(service, call, RenderList(emergencies));
}

Result<Reply> ReviewEmergency(const Service& service, const Call& call) {
  Input input(service, call, Action::kEmergencyReview);
  const auto id = vault::EmergencyId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  COFFER_ASSIGN(const json object, input.Object({"finding"}));
  COFFER_ASSIGN(const auto finding, input.Text(object, "finding", true));
  COFFER_ASSIGN(const auto emergency,
                service.vault.emergencies().ReviewEmergency(call.caller, *id, finding));
  return WithNames(service, call, RenderOne(emergency));
}

}  // namespace coffer::api
