// The route table: every path the server answers, and what it takes to be answered.
#include <algorithm>
#include <array>

#include "api/http/route.h"
#include "api/routes/handlers.h"

namespace coffer::api {
namespace {

using vault::Action;
using enum Method;

constexpr std::array<std::string_view, 0> kNothing{};
constexpr std::string_view kClientQuery[] = {"tag", "class", "limit", "cursor"};
constexpr std::string_view kEraseQuery[] = {"basis"};
constexpr std::string_view kPageQuery[] = {"limit", "cursor"};
constexpr std::string_view kActQuery[] = {"format", "language"};
constexpr std::string_view kRecordQuery[] = {"class", "data", "limit", "cursor"};
constexpr std::string_view kImportQuery[] = {"class", "erased_before", "mode"};
constexpr std::string_view kHoldQuery[] = {"client", "lifted", "limit", "cursor"};
constexpr std::string_view kClassQuery[] = {"version"};
constexpr std::string_view kLogQuery[] = {
    "client",  "record",  "actor",   "action", "class", "field", "purpose", "decision", "rule",
    "outcome", "address", "request", "from",   "to",    "order", "limit",   "cursor"};
constexpr std::string_view kClientLogQuery[] = {
    "record",  "actor",   "action",  "class", "field", "purpose", "decision", "rule",
    "outcome", "address", "request", "from",  "to",    "order",   "limit",    "cursor"};
constexpr std::string_view kPrincipalLogQuery[] = {
    "client",  "record",  "action",  "class", "field", "purpose", "decision", "rule",
    "outcome", "address", "request", "from",  "to",    "order",   "limit",    "cursor"};
constexpr std::string_view kLogSummaryQuery[] = {
    "client",  "record",  "actor",   "action", "class", "purpose", "decision", "rule",
    "outcome", "address", "request", "from",   "to",    "by",      "per"};
constexpr std::string_view kAssignmentQuery[] = {"principal", "limit", "cursor"};
constexpr std::string_view kReadersQuery[] = {"from", "to"};
constexpr std::string_view kTokenQuery[] = {"state", "principal", "limit", "cursor"};
constexpr std::string_view kScheduleQuery[] = {"version"};
constexpr std::string_view kReportQuery[] = {"format", "language"};
constexpr std::string_view kConsistencyQuery[] = {"from", "to"};

constexpr Route kRoutes[] = {
    // clang-format off
    {kGet, "/health/live", Permission::None(), "getLiveness", Body::kNone, kNothing, HandleLive},
    {kGet, "/health/ready", Permission::None(), "getReadiness", Body::kNone, kNothing, HandleReady},
    {kGet, "/openapi.json", Permission::None(), "getOpenApi", Body::kNone, kNothing, HandleOpenApi},
    {kGet, "/metrics", Action::kMetricsRead, "getMetrics", Body::kNone, kNothing, HandleMetrics},
    {kGet, "/v1/me", Action::kSelfRead, "getMe", Body::kNone, kNothing, HandleMe},
    {kGet, "/v1/status", Action::kStatusRead, "getStatus", Body::kNone, kNothing, HandleStatus},

    {kPost, "/v1/clients", Action::kClientCreate, "createClient", Body::kJson, kNothing, CreateClient},
    {kGet, "/v1/clients", Action::kClientList, "listClients", Body::kNone, kClientQuery, ListClients},
    {kPost, "/v1/clients/search", Action::kClientSearch, "searchClients", Body::kJson, kNothing, SearchClients},
    {kGet, "/v1/clients/{client}", Action::kClientRead, "getClient", Body::kNone, kNothing, GetClient},
    {kPatch, "/v1/clients/{client}", Action::kClientUpdate, "updateClient", Body::kJson, kNothing, UpdateClient},
    {kDelete, "/v1/clients/{client}", Action::kClientErase, "eraseClient", Body::kNone, kEraseQuery, EraseClient},
    {kPost, "/v1/clients/{client}/erasures", Action::kRecordErase, "eraseRecords", Body::kJson, kNothing, EraseRecords},
    {kGet, "/v1/clients/{client}/traces", Action::kClientTrace, "findTraces", Body::kNone, kNothing, FindTraces},
    {kGet, "/v1/erasures", Action::kErasureRead, "listErasures", Body::kNone, kPageQuery, ListErasures},
    {kGet, "/v1/erasures/{erasure}", Action::kErasureRead, "getErasure", Body::kNone, kNothing, GetErasure},
    {kGet, "/v1/erasures/{erasure}/act", Action::kErasureRead, "getErasureAct", Body::kNone, kActQuery, GetErasureAct},

    {kPost, "/v1/clients/{client}/records", Action::kRecordCreate, "createRecord", Body::kJson, kNothing, CreateRecord},
    {kGet, "/v1/clients/{client}/records", Action::kRecordList, "listRecords", Body::kNone, kRecordQuery, ListRecords},
    {kGet, "/v1/clients/{client}/records/{record}", Action::kRecordRead, "getRecord", Body::kNone, kNothing, GetRecord},
    {kPut, "/v1/clients/{client}/records/{record}", Action::kRecordUpdate, "updateRecord", Body::kJson, kNothing, UpdateRecord},
    {kPatch, "/v1/clients/{client}/records/{record}", Action::kRecordUpdate, "patchRecord", Body::kMergePatch, kNothing, PatchRecord},
    {kDelete, "/v1/clients/{client}/records/{record}", Action::kRecordDelete, "deleteRecord", Body::kNone, kNothing, DeleteRecord},
    {kGet, "/v1/clients/{client}/records/{record}/versions", Action::kRecordList, "listRecordVersions", Body::kNone, kNothing, ListRecordVersions},
    {kGet, "/v1/clients/{client}/records/{record}/versions/{version}", Action::kRecordRead, "getRecordVersion", Body::kNone, kNothing, GetRecordVersion},
    {kPost, "/v1/import", Action::kRecordImport, "importRecords", Body::kNdjson, kImportQuery, ImportRecords},
    {kPost, "/v1/export", Action::kClientExport, "exportClients", Body::kJson, kNothing, ExportClients},
    {kPost, "/v1/clients/{client}/package", Action::kClientPackage, "packageClient", Body::kJson, kNothing, PackageClient},

    {kPost, "/v1/holds", Action::kHoldWrite, "placeHold", Body::kJson, kNothing, PlaceHold},
    {kGet, "/v1/holds", Action::kHoldRead, "listHolds", Body::kNone, kHoldQuery, ListHolds},
    {kGet, "/v1/holds/{hold}", Action::kHoldRead, "getHold", Body::kNone, kNothing, GetHold},
    {kPost, "/v1/holds/{hold}/lift", Action::kHoldLift, "liftHold", Body::kNone, kNothing, LiftHold},
    {kGet, "/v1/clients/{client}/restrictions", Action::kRestrictionRead, "listRestrictions", Body::kNone, kNothing, ListRestrictions},
    {kPost, "/v1/clients/{client}/restrictions", Action::kRestrictionWrite, "placeRestriction", Body::kJson, kNothing, PlaceRestriction},
    {kGet, "/v1/clients/{client}/restrictions/{restriction}", Action::kRestrictionRead, "getRestriction", Body::kNone, kNothing, GetRestriction},
    {kDelete, "/v1/clients/{client}/restrictions/{restriction}", Action::kRestrictionWrite, "liftRestriction", Body::kNone, kNothing, LiftRestriction},

    {kGet, "/v1/classes", Action::kClassRead, "listClasses", Body::kNone, kNothing, ListClasses},
    {kGet, "/v1/classes/{name}", Action::kClassRead, "getClass", Body::kNone, kClassQuery, GetClass},
    {kPut, "/v1/classes/{name}", Action::kClassWrite, "putClass", Body::kJson, kNothing, PutClass},
    {kPost, "/v1/classes/{name}/preview", Action::kRetentionRead, "previewClass", Body::kJson, kNothing, PreviewClass},
    {kGet, "/v1/purposes", Action::kPurposeRead, "listPurposes", Body::kNone, kNothing, ListPurposes},
    {kGet, "/v1/purposes/{code}", Action::kPurposeRead, "getPurpose", Body::kNone, kNothing, GetPurpose},
    {kPut, "/v1/purposes/{code}", Action::kPurposeWrite, "putPurpose", Body::kJson, kNothing, PutPurpose},

    {kGet, "/v1/clients/{client}/assignments", Action::kAssignmentRead, "listAssignments", Body::kNone, kNothing, ListAssignments},
    {kPut, "/v1/clients/{client}/assignments/{principal}", Action::kAssignmentWrite, "putAssignment", Body::kJson, kNothing, PutAssignment},
    {kDelete, "/v1/clients/{client}/assignments/{principal}", Action::kAssignmentWrite, "deleteAssignment", Body::kNone, kNothing, DeleteAssignment},
    {kGet, "/v1/assignments", Action::kAssignmentRead, "listAssignmentsOf", Body::kNone, kAssignmentQuery, ListAssignmentsOf},
    {kPost, "/v1/assignments", Action::kAssignmentWrite, "assignClients", Body::kJson, kNothing, AssignClients},
    {kPost, "/v1/assignments/hand-over", Action::kAssignmentWrite, "handOverClients", Body::kJson, kNothing, HandOverClients},
    {kGet, "/v1/clients/{client}/leases", Action::kLeaseRead, "listLeases", Body::kNone, kNothing, ListLeases},
    {kPost, "/v1/clients/{client}/leases", Action::kLeaseWrite, "giveLease", Body::kJson, kNothing, GiveLease},
    {kDelete, "/v1/clients/{client}/leases/{lease}", Action::kLeaseWrite, "endLease", Body::kNone, kNothing, EndLease},

    {kGet, "/v1/roles", Action::kRoleRead, "listRoles", Body::kNone, kNothing, ListRoles},
    {kGet, "/v1/roles/{name}", Action::kRoleRead, "getRole", Body::kNone, kNothing, GetRole},
    {kPut, "/v1/roles/{name}", Action::kRoleWrite, "putRole", Body::kJson, kNothing, PutRole},
    {kPost, "/v1/access/explain", Action::kAccessExplain, "explainAccess", Body::kJson, kNothing, ExplainAccess},

    {kGet, "/v1/tokens", Action::kTokenList, "listTokens", Body::kNone, kTokenQuery, ListTokens},
    {kPost, "/v1/tokens", Action::kTokenCreate, "createToken", Body::kJson, kNothing, CreateToken},
    {kPost, "/v1/tokens/{token}/rotate", Action::kTokenRotate, "rotateToken", Body::kJson, kNothing, RotateToken},
    {kDelete, "/v1/tokens/{token}", Action::kTokenRevoke, "revokeToken", Body::kNone, kNothing, RevokeToken},

    {kGet, "/v1/users", Action::kPrincipalRead, "listUsers", Body::kNone, kNothing, ListUsers},
    {kPost, "/v1/users", Action::kPrincipalWrite, "createUser", Body::kJson, kNothing, CreateUser},
    {kGet, "/v1/users/{principal}", Action::kPrincipalRead, "getUser", Body::kNone, kNothing, GetUser},
    {kPatch, "/v1/users/{principal}", Action::kPrincipalWrite, "updateUser", Body::kJson, kNothing, UpdateUser},
    {kPost, "/v1/users/{principal}/enrolment", Action::kPrincipalWrite, "enrolUserAgain", Body::kNone, kNothing, EnrolUserAgain},
    {kGet, "/v1/services", Action::kPrincipalRead, "listServices", Body::kNone, kNothing, ListServices},
    {kPost, "/v1/services", Action::kPrincipalWrite, "createService", Body::kJson, kNothing, CreateService},
    {kGet, "/v1/services/{principal}", Action::kPrincipalRead, "getService", Body::kNone, kNothing, GetService},
    {kPatch, "/v1/services/{principal}", Action::kPrincipalWrite, "updateService", Body::kJson, kNothing, UpdateService},
    {kPost, "/v1/services/{principal}/certificates", Action::kPrincipalWrite, "issueCertificate", Body::kJson, kNothing, IssueCertificate},
    {kGet, "/v1/teams", Action::kTeamRead, "listTeams", Body::kNone, kNothing, ListTeams},
    {kPut, "/v1/teams/{name}", Action::kTeamWrite, "putTeam", Body::kJson, kNothing, PutTeam},

    {kPost, "/v1/enrolments/offer", Action::kEnrolmentRead, "readEnrolment", Body::kJson, kNothing, ReadEnrolment},
    {kPost, "/v1/enrolments", Action::kEnrolmentComplete, "completeEnrolment", Body::kJson, kNothing, CompleteEnrolment},
    {kPost, "/v1/sessions", Action::kSessionCreate, "logIn", Body::kJson, kNothing, LogIn},
    {kGet, "/v1/sessions", Action::kSessionList, "listSessions", Body::kNone, kNothing, ListSessions},
    {kDelete, "/v1/sessions/{session}", Action::kSessionRevoke, "endSession", Body::kNone, kNothing, EndSession},
    {kDelete, "/v1/me/session", Action::kSessionEnd, "logOut", Body::kNone, kNothing, LogOut},
    {kPost, "/v1/me/second-factor", Action::kSessionStepUp, "stepUp", Body::kJson, kNothing, StepUp},
    {kPut, "/v1/me/password", Action::kPasswordChange, "changePassword", Body::kJson, kNothing, ChangePassword},

    {kGet, "/v1/approvals", Action::kApprovalRead, "listApprovals", Body::kNone, kPageQuery, ListApprovals},
    {kPost, "/v1/approvals", Action::kApprovalRequest, "requestApproval", Body::kJson, kNothing, RequestApproval},
    {kGet, "/v1/approvals/{approval}", Action::kApprovalRead, "getApproval", Body::kNone, kNothing, GetApproval},
    {kPost, "/v1/approvals/{approval}/decision", Action::kApprovalDecide, "decideApproval", Body::kJson, kNothing, DecideApproval},
    {kPost, "/v1/approvals/{approval}/withdraw", Action::kApprovalWithdraw, "withdrawApproval", Body::kNone, kNothing, WithdrawApproval},
    {kGet, "/v1/emergency-access", Action::kEmergencyRead, "listEmergencies", Body::kNone, kNothing, ListEmergencies},
    {kPost, "/v1/emergency-access", Action::kEmergencyOpen, "openEmergency", Body::kJson, kNothing, OpenEmergency},
    {kGet, "/v1/emergency-access/{emergency}", Action::kEmergencyRead, "getEmergency", Body::kNone, kPageQuery, GetEmergency},
    {kPost, "/v1/emergency-access/{emergency}/review", Action::kEmergencyReview, "reviewEmergency", Body::kJson, kNothing, ReviewEmergency},

    {kGet, "/v1/retention/schedule", Action::kRetentionRead, "getRetentionSchedule", Body::kNone, kScheduleQuery, GetRetentionSchedule},
    {kPut, "/v1/retention/schedule", Action::kRetentionWrite, "putRetentionSchedule", Body::kJson, kNothing, PutRetentionSchedule},
    {kPost, "/v1/retention/preview", Action::kRetentionRead, "previewRetention", Body::kJson, kNothing, PreviewRetention},
    {kGet, "/v1/retention/runs", Action::kRetentionRead, "listRetentionRuns", Body::kNone, kNothing, ListRetentionRuns},
    {kPost, "/v1/retention/runs", Action::kRetentionRun, "startRetentionRun", Body::kNone, kNothing, StartRetentionRun},
    {kGet, "/v1/retention/runs/{run}", Action::kRetentionRead, "getRetentionRun", Body::kNone, kNothing, GetRetentionRun},
    {kGet, "/v1/retention/runs/{run}/report", Action::kRetentionRead, "getRetentionReport", Body::kNone, kReportQuery, GetRetentionReport},
    {kPost, "/v1/retention/clock", Action::kClockConfirm, "confirmClock", Body::kNone, kNothing, ConfirmClock},

    {kGet, "/v1/log/entries", Action::kLogRead, "listLogEntries", Body::kNone, kLogQuery, ListLogEntries},
    {kGet, "/v1/clients/{client}/access-log", Action::kLogRead, "listClientLog", Body::kNone, kClientLogQuery, ListClientLog},
    {kGet, "/v1/principals/{principal}/access-log", Action::kLogRead, "listPrincipalLog", Body::kNone, kPrincipalLogQuery, ListPrincipalLog},
    {kGet, "/v1/log/entries/{seq}", Action::kLogRead, "getLogEntry", Body::kNone, kNothing, GetLogEntry},
    {kGet, "/v1/log/entries/{seq}/proof", Action::kLogRead, "getLogEntryProof", Body::kNone, kNothing, GetLogEntryProof},
    {kGet, "/v1/log/checkpoint", Action::kLogRead, "getLogCheckpoint", Body::kNone, kNothing, GetLogCheckpoint},
    {kGet, "/v1/log/consistency", Action::kLogRead, "getLogConsistency", Body::kNone, kConsistencyQuery, GetLogConsistency},
    {kGet, "/v1/log/readers", Action::kLogRead, "countReaders", Body::kNone, kReadersQuery, CountReaders},
    {kGet, "/v1/log/summary", Action::kLogRead, "summariseLog", Body::kNone, kLogSummaryQuery, SummariseLog},
    {kPost, "/v1/log/evidence", Action::kLogRead, "makeEvidence", Body::kJson, kNothing, MakeEvidence},
    {kGet, "/log/checkpoint", Action::kLogRead, "getTlogCheckpoint", Body::kNone, kNothing, GetLogCheckpoint},
    {kGet, "/log/tile/{path...}", Action::kLogRead, "getTlogTile", Body::kNone, kNothing, GetLogTile},
    {kPost, "/v1/log/verify", Action::kLogVerify, "verifyLog", Body::kJson, kNothing, VerifyLog},
    // clang-format on
};

// Captures of `pattern` in `path`; nothing when they do not match.
bool MatchPath(std::string_view pattern, std::string_view path,
               std::vector<std::string>& segments) {
  segments.clear();
  while (!pattern.empty() && !path.empty()) {
    if (pattern[0] != '/' || path[0] != '/') return false;
    pattern.remove_prefix(1);
    path.remove_prefix(1);
    const auto wanted = pattern.substr(0, pattern.find('/'));
    const auto given = wanted.ends_with("...}") ? path : path.substr(0, path.find('/'));
    if (wanted.starts_with('{')) {
      if (given.empty()) return false;
      segments.emplace_back(given);
    } else if (wanted != given) {
      return false;
    }
    pattern.remove_prefix(wanted.size());
    path.remove_prefix(given.size());
  }
  return pattern.empty() && path.empty();
}

}  // namespace

std::string_view Name(Method method) {
  switch (method) {
    case kGet:
      return "GET";
    case kPost:
      return "POST";
    case kPut:
      return "PUT";
    case kPatch:
      return "PATCH";
    case kDelete:
      return "DELETE";
  }
  return "";
}

std::optional<Method> MethodFromName(std::string_view name) {
  if (name == "HEAD") return kGet;
  for (const Method method : {kGet, kPost, kPut, kPatch, kDelete}) {
    if (Name(method) == name) return method;
  }
  return std::nullopt;
}

std::string_view Call::Query(std::string_view name) const {
  const auto found = std::ranges::find(
      query, name, [](const auto& pair) -> std::string_view { return pair.first; });
  return found == query.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view MediaTypeOf(Body body) {
  switch (body) {
    case Body::kNone:
      return "";
    case Body::kJson:
      return "application/json";
    case Body::kMergePatch:
      return "application/merge-patch+json";
    case Body::kNdjson:
      return "application/x-ndjson";
  }
  return "";
}

std::span<const Route> Routes() { return kRoutes; }

Match FindRoute(std::optional<Method> method, std::string_view path) {
  Match match;
  if (path == "*") match.allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
  if (path.find('%') != path.npos) return match;
  for (const Route& route : kRoutes) {
    if (!MatchPath(route.path, path, match.segments)) continue;
    if (route.method == method) {
      match.route = &route;
      match.allow.clear();
      return match;
    }
    // "/v1/clients/search" is also a "{client}" that no client is named like.
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += Name(route.method);
    if (route.method == kGet) match.allow += ", HEAD";
    if (route.method == kPatch) match.accept_patch = MediaTypeOf(route.body);
  }
  if (!match.allow.empty() && path != "*") match.allow += ", OPTIONS";
  match.segments.clear();
  return match;
}

}  // namespace coffer::api
