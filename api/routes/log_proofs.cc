#include "api/routes/log_proofs.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/reply.h"
#include "crypto/encoding.h"

namespace coffer::api {
namespace {

using vault::Action;

constexpr std::uint64_t kMaxProven = std::uint64_t{1} << 53;

Reply RenderText(std::string text) {
  return {200, "text/plain; charset=utf-8", std::move(text), {}};
}

Result<Reply> GetLogEntryProof(const Service& service, const Call& call) {
  Input input(service, call, Action::kLogRead);
  const auto seq = ParseDecimal(call.segments[0], kMaxProven);
  if (!seq) return input.Refuse({Code::kNotFound, "not_found", {}, {}});
  COFFER_ASSIGN(auto proof, service.vault.ProveLogEntry(call.caller, *seq));
  return RenderText(std::move(proof));
}

Result<Reply> GetLogCheckpoint(const Service& service, const Call& call) {
  COFFER_ASSIGN(auto checkpoint, service.vault.ReadCheckpoint(call.caller));
  return RenderText(std::move(checkpoint));
}

Result<Reply> GetLogConsistency(const Service& service, const Call& call) {
  Input input(service, call, Action::kLogRead);
  COFFER_ASSIGN(const auto from, input.QueryNumber("from", kMaxProven));
  COFFER_ASSIGN(const auto to, input.QueryNumber("to", kMaxProven));
  if (!from || !to) return input.InvalidParameter(from ? "to" : "from", "is required");
  COFFER_ASSIGN(const auto proof, service.vault.ProveConsistency(call.caller, *from, *to));
  return RenderOne(proof);
}

Result<Reply> GetLogTile(const Service& service, const Call& call) {
  const auto path = audit::ParseTilePath(call.segments[0]);
  if (!path) {
    return Input(service, call, Action::kLogRead).Refuse({Code::kNotFound, "not_found", {}, {}});
  }
  COFFER_ASSIGN(auto tile, service.vault.ReadLogTile(call.caller, *path));
  Reply reply{200, "application/octet-stream", std::move(tile), {}};
  // What a path of the tree names never changes; only who has looked at it may keep it.
  reply.headers.emplace_back("Cache-Control", "private, max-age=31536000, immutable");
  return reply;
}

Result<Reply> VerifyLog(const Service& service, const Call& call) {
  Input input(service, call, Action::kLogVerify);
  bool deep = false;
  if (!call.body.empty()) {
    COFFER_ASSIGN(const nlohmann::json object, input.Object({"deep"}));
    if (const auto found = object.find("deep"); found != object.end()) {
      if (!found->is_boolean()) {
        return input.Refuse(
            {Code::kUnprocessable, "request_invalid", {}, {{"/deep", "must be true or false"}}});
      }
      deep = found->get<bool>();
    }
  }
  COFFER_ASSIGN(const auto report, service.vault.VerifyLog(call.caller, deep));
  return RenderOne(report);
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::ConsistencyProof& proof) {
  object.Number("from", proof.old_size);
  object.Number("to", proof.size);
  std::vector<std::string> hashes;
  for (const auto& hash : proof.hashes) hashes.push_back(crypto::Base64Encode(hash));
  object.Texts("hashes", hashes);
}

void WriteMembers(ObjectWriter& object, const vault::DeepReport& report) {
  object.Flag("ok", report.log.ok());
  object.Number("size", report.log.size);
  object.Text("root", crypto::HexEncode(report.log.root));
  object.Number("allowed", report.log.allowed);
  object.Number("denied", report.log.denied);
  if (report.log.newest_checkpoint) {
    object.Number("checkpoint_size", report.log.newest_checkpoint->size);
  }
  object.Number("clients_checked", report.clients_checked);
  object.Number("records_checked", report.records_checked);
  object.Number("versions_checked", report.versions_checked);
  object.Objects("findings", report.log.findings, [](ObjectWriter& item, const auto& finding) {
    if (finding.seq) item.Number("seq", *finding.seq);
    item.Text("check", finding.check);
    item.Text("message", finding.message);
  });
}

std::span<const Route> LogProofRoutes() {
  using enum Method;
  static constexpr std::string_view kConsistencyQuery[] = {"from", "to"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/log/entries/{seq}/proof", Action::kLogRead, "getLogEntryProof", Body::kNone, {}, GetLogEntryProof},
      {kGet, "/v1/log/checkpoint", Action::kLogRead, "getLogCheckpoint", Body::kNone, {}, GetLogCheckpoint},
      {kGet, "/v1/log/consistency", Action::kLogRead, "getLogConsistency", Body::kNone, kConsistencyQuery, GetLogConsistency},
      {kGet, "/log/checkpoint", Action::kLogRead, "getTlogCheckpoint", Body::kNone, {}, GetLogCheckpoint},
      {kGet, "/log/tile/{path...}", Action::kLogRead, "getTlogTile", Body::kNone, {}, GetLogTile},
      {kPost, "/v1/log/verify", Action::kLogVerify, "verifyLog", Body::kJson, {}, VerifyLog},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
