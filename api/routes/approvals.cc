#include "api/routes/approvals.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/approval_preview.h"
#include "api/routes/names.h"
#include "api/routes/principals.h"
#include "api/routes/reply.h"
#include "crypto/encoding.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

Result<Reply> ListApprovals(const Service& service, const Call& call) {
  Input input(service, call, Action::kApprovalRead);
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto approvals, service.vault.ListApprovals(call.caller, page));
  return WithClientNames(service, call, RenderList(approvals.items, approvals.next_cursor));
}

Result<Reply> RequestApproval(const Service& service, const Call& call) {
  Input input(service, call, Action::kApprovalRequest);
  COFFER_ASSIGN(const json object, input.Object({"action", "target", "content"}));
  vault::Proposal proposal;
  COFFER_ASSIGN(proposal.action, input.Text(object, "action", true));
  COFFER_ASSIGN(proposal.target, input.Text(object, "target", true));
  if (object.contains("content")) proposal.content = object["content"].dump();
  COFFER_ASSIGN(const auto approval, service.vault.RequestApproval(call.caller, proposal));
  return WithNames(service, call, RenderOne(approval, 201));
}

Result<Reply> GetApproval(const Service& service, const Call& call) {
  Input input(service, call, Action::kApprovalRead);
  const auto id = vault::ApprovalId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  COFFER_ASSIGN(const auto approval, service.vault.GetApproval(call.caller, *id));
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
                service.vault.DecideApproval(call.caller, *id, decision == "approve"));
  return WithNames(service, call, RenderOne(approval));
}

Result<Reply> WithdrawApproval(const Service& service, const Call& call) {
  Input input(service, call, Action::kApprovalWithdraw);
  const auto id = vault::ApprovalId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  COFFER_ASSIGN(const auto approval, service.vault.WithdrawApproval(call.caller, *id));
  return WithNames(service, call, RenderOne(approval));
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::Approval& approval) {
  object.Text("id", approval.id.Text());
  object.Text("action", approval.proposal.action);
  object.Text("target", approval.proposal.target);
  if (!approval.proposal.content.empty()) object.Raw("content", approval.proposal.content);
  object.Text("hash", crypto::HexEncode(approval.hash));
  object.Text("state", Name(approval.state));
  object.Text("requester", approval.requester.Text());
  object.Time("created", approval.created);
  object.Time("expires", approval.expires);
  if (approval.decider) object.Text("decider", approval.decider->Text());
  if (approval.decided) object.Time("decided", *approval.decided);
  if (approval.executed) object.Time("executed", *approval.executed);
  if (approval.ended) object.Time("ended", *approval.ended);
  if (approval.ended_by) object.Text("ended_by", approval.ended_by->Text());
  if (approval.end) object.Text("end", Name(*approval.end));
  if (approval.question) object.Object("question", *approval.question);
  if (approval.preview) object.Object("preview", *approval.preview);
  if (!approval.account) return;
  ObjectWriter account = object.Object("account");
  account.Object("principal", approval.account->principal);
  account.Number("tokens", approval.account->tokens);
  account.Number("sessions", approval.account->sessions);
  account.Flag("enrolment", approval.account->enrolment);
}

std::span<const Route> ApprovalRoutes() {
  using enum Method;
  static constexpr std::string_view kPageQuery[] = {"limit", "cursor"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/approvals", Action::kApprovalRead, "listApprovals", Body::kNone, kPageQuery, ListApprovals},
      {kPost, "/v1/approvals", Action::kApprovalRequest, "requestApproval", Body::kJson, {}, RequestApproval},
      {kGet, "/v1/approvals/{approval}", Action::kApprovalRead, "getApproval", Body::kNone, {}, GetApproval},
      {kPost, "/v1/approvals/{approval}/decision", Action::kApprovalDecide, "decideApproval", Body::kJson, {}, DecideApproval},
      {kPost, "/v1/approvals/{approval}/withdraw", Action::kApprovalWithdraw, "withdrawApproval", Body::kNone, {}, WithdrawApproval},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
