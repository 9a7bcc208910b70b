#include "api/http/problem.h"

#include <algorithm>

#include "vault/base/strict_json.h"

namespace coffer::api {
namespace {

using vault::AppendJsonString;

struct Title {
  std::string_view reason;
  std::string_view text;
};

constexpr Title kTitles[] = {
    {"act_purged", "The act was kept for three years and is gone."},
    {"already_lifted", "This hold was lifted already."},
    {"already_reviewed", "This emergency access was reviewed already."},
    {"approval_decided", "This approval was decided already."},
    {"approval_ended",
     "This approval is void: it ended with who asked or approved, or with what it was to replace."},
    {"approval_expired", "This approval has expired."},
    {"approval_invalid", "The approval is not valid, or not for exactly this."},
    {"approval_rejected", "This was rejected."},
    {"approval_required", "This takes the approval of a second person, named in Coffer-Approval."},
    {"approval_used", "This approval was used already."},
    {"approval_void",
     "Who asked for or gave this approval was disabled, or may not decide this any more."},
    {"approval_withdrawn", "This approval was withdrawn already."},
    {"assignment_invalid", "The assignment is not valid."},
    {"backup_not_configured", "The configuration has no destination for backups."},
    {"backup_running", "A backup is being made."},
    {"body_required", "The request needs a body."},
    {"body_too_large", "The request's body is too large."},
    {"breach_closed", "The breach is closed in the register: nothing is added to it."},
    {"breach_invalid", "What is said of the breach is not valid."},
    {"breach_too_long",
     "The breach has as many entries in the register as one can have: open another that names it."},
    {"budget_exhausted", "The caller's budget of plainly shown records is used up."},
    {"calendar_ends", "The regime's calendar does not reach as far as this is due."},
    {"certificate_authority_expired", "The vault's certificate authority has expired."},
    {"certificate_lifetime_invalid", "The certificate's lifetime is not valid."},
    {"certificate_required", "The caller's role asks for a client certificate here."},
    {"certificate_taken", "Another service is known by this certificate."},
    {"changed_meanwhile", "What it is made from was changed at the same time: try again."},
    {"class_changed", "The class was changed meanwhile; try again."},
    {"class_invalid", "The class definition is not valid."},
    {"class_unknown", "There is no such class."},
    {"client_erased", "The client was erased."},
    {"client_invalid", "The client is not valid."},
    {"client_key_missing", "Stored data is damaged and is not served."},
    {"clients_assigned", "Clients are assigned to this account, and nobody was said to have them."},
    {"clock_unconfirmed", "The clock has jumped; two people must confirm it first."},
    {"conflict", "The request conflicts with the stored state."},
    {"consent_invalid", "The consent is not valid."},
    {"consent_missing", "This purpose requires a consent of the client, and none stands."},
    {"consent_text_invalid", "The consent text is not valid."},
    {"csr_key_refused", "The certificate request's key is of no kind that is signed here."},
    {"csr_malformed", "The certificate request is malformed."},
    {"csr_signature_invalid", "The certificate request is not signed by its own key."},
    {"cursor_invalid", "The cursor does not belong to this list."},
    {"destination_unavailable", "The destination cannot be used now."},
    {"disclosure_invalid", "What is said of the disclosure is not valid."},
    {"disclosure_made_by_export", "An export made the disclosure: it says itself what was given."},
    {"document_invalid", "The document does not fit its class."},
    {"document_too_large", "The document is too large."},
    {"drill_report_older", "The vault has the report of a later drill."},
    {"emergency_invalid", "The emergency access is not valid."},
    {"erased_before", "A client with this external reference was erased."},
    {"erasure_invalid", "What is to be erased is not valid."},
    {"erasure_unfinished", "This erasure is not finished yet."},
    {"evidence_invalid", "What evidence is asked for is not valid."},
    {"evidence_too_large", "The evidence would have too many entries; narrow the time."},
    {"export_invalid", "What is to be exported is not valid."},
    {"extended_before", "The time to answer was extended already."},
    {"extension_late", "The time to answer is over: it cannot be extended any more."},
    {"external_ref_taken", "Another client has this external reference."},
    {"field_not_indexed", "The class has no such field, or it is not indexed."},
    {"field_not_writable", "The caller may not write every field that this would change."},
    {"file_not_read", "A file of the vault cannot be read."},
    {"filter_invalid", "A filter of the log has a value that no entry can have."},
    {"filter_unknown", "A filter of the log names what neither the vault nor its log knows."},
    {"format_unknown", "The document is not made in that form."},
    {"fulfilment_missing", "Nothing shows that this was done."},
    {"generation_in_future", "The destination has a generation of a time to come."},
    {"generation_missing", "The destination lacks a generation that was written to it."},
    {"header_invalid", "A header is malformed or repeated."},
    {"headers_too_large", "A header is too long, or there are too many."},
    {"held", "A legal hold covers what this would take away."},
    {"hold_invalid", "The hold is not valid."},
    {"idempotency_key_reused", "The idempotency key was used with another body."},
    {"idempotent_object_gone", "What the first request made does not exist any more."},
    {"identity_pending",
     "It is not known yet who asks: check the identity, and accept the request."},
    {"if_match_required", "The update needs If-Match with the version that it replaces."},
    {"import_invalid", "The import line is not valid."},
    {"increment_missing", "The destination lacks an increment that was written to it."},
    {"index_building", "The search index is being made anew; try again soon."},
    {"index_behind", "The log's index is still being made; try again soon."},
    {"integrity_failed", "The stored data failed its integrity check and is not served."},
    {"internal_error", "Something went wrong inside the server."},
    {"json_duplicate_key", "The JSON names a member twice."},
    {"json_invalid", "The body is not valid JSON."},
    {"json_not_utf8", "The body is not valid UTF-8."},
    {"json_too_deep", "The JSON is nested too deeply."},
    {"key_cache_full", "Too many clients are in use at once."},
    {"lease_invalid", "The lease is not valid."},
    {"length_required", "The request's length must be known."},
    {"log_mismatch", "The access log read back is not the one written."},
    {"log_unavailable", "The access log cannot be written, so nothing is served."},
    {"login_failed", "The login name, the password or the second factor is wrong."},
    {"login_taken", "Another user has, or had, this login name."},
    {"login_throttled", "Too many failed logins; try again later."},
    {"logins_busy", "Too many logins at once; try again."},
    {"media_type_unsupported", "The body's media type is not supported here."},
    {"memory_exhausted", "The server has no memory for this request now; nothing was changed."},
    {"method_not_allowed", "The resource does not have this method."},
    {"network_not_allowed", "The caller's role does not allow this from here."},
    {"no_schedule", "There is no retention schedule."},
    {"no_second_factor", "The user has no second factor."},
    {"no_session", "This is for users' sessions."},
    {"not_found", "There is no such resource."},
    {"notice_closed", "The notice is closed."},
    {"notice_invalid", "What is said of the notice is not valid."},
    {"notice_too_long", "The notice has as many steps as one can have."},
    {"notice_untold", "Clients that the notice concerns were not told: say why, or tell them."},
    {"nothing_to_tell", "The recipient is to be told of nothing of that."},
    {"operator_incomplete",
     "The configuration does not name the operator, whom an act of erasure must name."},
    {"outside_hours", "The caller's role does not allow this at this time."},
    {"own_request", "Nobody does this for themselves."},
    {"package_expired", "The package was not handed out before it expired: prepare another."},
    {"package_handed_out", "The package was handed out: it is once only."},
    {"package_invalid", "What is said of the package is not valid."},
    {"package_revoked", "The package was revoked."},
    {"package_unfinished", "Not all of the package was handed out."},
    {"parameter_invalid", "A query parameter is not valid."},
    {"parameter_unknown", "A query parameter is not known here."},
    {"password_invalid", "The password or the code is not accepted."},
    {"password_wrong", "The present password is wrong."},
    {"path_too_long", "The path is too long."},
    {"permission_denied", "The caller's role does not allow this."},
    {"preview_invalid", "The preview is not valid."},
    {"principal_bound", "The account is bound to another recipient."},
    {"principal_invalid", "The user or service is not valid."},
    {"principal_unknown", "There is no such principal."},
    {"processing_incomplete", "The register of processing is not complete."},
    {"processing_invalid", "What is said of the processing is not valid."},
    {"processing_too_large", "The register of processing is too large to be written."},
    {"proposal_invalid", "What is proposed is not valid."},
    {"purpose_invalid", "The purpose is not valid."},
    {"purpose_not_allowed", "The class or the caller's role does not allow this purpose."},
    {"purpose_required", "The request needs a Coffer-Purpose header."},
    {"purpose_unknown", "The purpose is not in the register."},
    {"question_invalid", "The question is not valid."},
    {"queue_full", "The server is overloaded."},
    {"reason_required", "The request needs a Coffer-Reason header."},
    {"recipient_ended", "The recipient has ended: nothing more is given to it."},
    {"recipient_invalid", "What is said of the recipient is not valid."},
    {"recipient_too_long", "The recipient has as many entries in the register as one can have."},
    {"recipient_unknown", "There is no such recipient."},
    {"regime_in_use", "Requests are open that the regime would have no clock for."},
    {"regime_invalid", "The regime is not valid."},
    {"request_line_invalid", "The request line is malformed."},
    {"repository_exists", "The destination has a repository already."},
    {"repository_not_empty", "The destination's directory has other files."},
    {"repository_of_other_kind", "The destination has a repository of another kind."},
    {"repository_of_other_vault", "The destination has the repository of another vault."},
    {"repository_replaced", "The destination has another repository than the one that was read."},
    {"request_invalid", "The request is not valid."},
    {"request_over", "The request was refused, withdrawn or closed."},
    {"request_too_slow", "The request came too slowly."},
    {"restricted", "The client, or this class of it, is restricted to other purposes."},
    {"restriction_invalid", "The restriction is not valid."},
    {"retention_invalid", "The retention schedule is not valid."},
    {"role_built_in", "Built-in roles cannot be changed."},
    {"role_invalid", "The role is not valid."},
    {"role_unknown", "There is no such role."},
    {"run_in_progress", "A retention run is under way."},
    {"scope_invalid", "What the scope of a breach is asked for is not valid."},
    {"scope_too_large",
     "The scope has too many clients or records to be told at once: ask for less time."},
    {"search_invalid", "The search is not valid."},
    {"second_factor_required", "The caller's role asks for a fresh second factor here."},
    {"second_factor_wrong", "The second factor is wrong."},
    {"size_invalid", "The sizes are not in order, or beyond the published checkpoint."},
    {"step_invalid", "The step is not valid."},
    {"step_not_possible", "The request is in a state from which this step is not possible."},
    {"stopping", "The server is stopping."},
    {"storage_busy", "Another program holds the storage; this may be tried again."},
    {"storage_corrupted", "Stored data is damaged and is not served."},
    {"storage_full", "The storage is full, so nothing is served."},
    {"storage_unavailable", "The storage cannot be used now, so nothing is served."},
    {"summary_too_large", "There are too many counts; narrow the time, or count per day."},
    {"tag_invalid", "The tag is not valid."},
    {"team_invalid", "The team is not valid."},
    {"telling_invalid", "What is said of how the recipient was told is not valid."},
    {"ticket_required", "The request needs a Coffer-Ticket header."},
    {"time_zone_unknown", "The machine does not have the time zone of the retention schedule."},
    {"time_zones_unavailable", "The rules of time zones cannot be read."},
    {"token_ended", "The token was revoked or has expired."},
    {"token_invalid", "The token is not valid."},
    {"too_many_approvals",
     "The caller has too many approvals open; withdraw those that are not needed."},
    {"too_many_certificates", "The service has too many certificates."},
    {"too_many_classes", "There are too many classes."},
    {"too_many_consent_texts", "There are too many versions of consent texts."},
    {"too_many_consents", "There are too many consents of this client."},
    {"too_many_emergencies",
     "The caller has too many emergency accesses that nobody has reviewed."},
    {"too_many_leases", "There are too many leases of this client to this principal."},
    {"too_many_long_reads", "Too many long reads are running."},
    {"too_many_open_requests", "There are too many open requests of this client."},
    {"too_many_packages",
     "The client has 20 packages that can be handed out: hand one out, or revoke one."},
    {"too_many_purposes", "There are too many purposes."},
    {"too_many_recipients", "The register of recipients has as many as there can be."},
    {"too_many_regimes", "There are too many regimes."},
    {"too_many_restrictions", "There are too many restrictions of this client."},
    {"too_many_roles", "There are too many roles."},
    {"too_many_short_reads", "Too many short reads are running."},
    {"too_many_steps", "The request has too many steps."},
    {"too_many_teams", "There are too many teams."},
    {"too_many_tokens", "The service has too many tokens; revoke those that it does not use."},
    {"too_many_versions", "There are as many versions as there can be."},
    {"unauthenticated", "The request needs a valid token."},
    {"value_not_normalisable", "The value cannot be searched for in this field."},
    {"version_mismatch", "The resource has another version than If-Match names."},
    {"version_not_supported", "The request's version of HTTP is not supported."},
    {"wal_too_long", "Something reads the database for so long that no copy can be made."},
};

std::string_view TitleOf(std::string_view reason) {
  for (const auto& title : kTitles) {
    if (title.reason == reason) return title.text;
  }
  return "The request was refused.";
}

// At the end of a code point.
void AppendCut(std::string& out, std::string_view text, std::size_t most) {
  if (text.size() <= most) return AppendJsonString(out, text);
  std::size_t end = most - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  AppendJsonString(out, std::string(text.substr(0, end)) + "...");
}

void AppendIssues(std::string& out, const std::vector<Issue>& issues, std::size_t most) {
  if (issues.empty()) return;
  const auto append = [&](std::string_view pointer, std::string_view message) {
    out += "{\"pointer\":";
    AppendCut(out, pointer, kMaxPointer);
    out += ",\"message\":";
    AppendCut(out, message, kMaxMessage);
    out += '}';
  };
  const std::size_t listed = issues.size() > most ? most - 1 : issues.size();
  out += ",\"errors\":[";
  for (std::size_t i = 0; i < listed; ++i) {
    if (i > 0) out += ',';
    append(issues[i].pointer, issues[i].message);
  }
  if (listed < issues.size()) {
    out += ',';
    append("", "there are more errors than are listed");
  }
  out += ']';
}

Reply Render(int status, std::string_view reason, const std::vector<Issue>& issues,
             std::string_view request_id, std::int64_t retry_after_s = 1) {
  Reply reply;
  reply.status = status;
  reply.content_type = "application/problem+json";
  std::string& out = reply.body;
  out = "{\"type\":\"urn:coffer:problem:";
  out += reason;
  out += "\",\"title\":";
  AppendJsonString(out, TitleOf(reason));
  out += ",\"status\":" + std::to_string(status) + ",\"code\":\"";
  out += reason;
  out += "\",\"request_id\":\"";
  out += request_id;
  out += '"';
  AppendIssues(out, issues, kMaxIssues);
  out += '}';
  if (status == 401) reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (status == 429 || status == 503) {
    reply.headers.emplace_back("Retry-After",
                               std::to_string(std::max<std::int64_t>(retry_after_s, 1)));
  }
  return reply;
}

}  // namespace

int StatusOf(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return 400;
    case Code::kUnauthenticated:
      return 401;
    case Code::kPermissionDenied:
      return 403;
    case Code::kNotFound:
      return 404;
    case Code::kConflict:
      return 409;
    case Code::kPreconditionFailed:
      return 412;
    case Code::kTooLarge:
      return 413;
    case Code::kUnsupportedMedia:
      return 415;
    case Code::kUnprocessable:
      return 422;
    case Code::kPreconditionRequired:
      return 428;
    case Code::kExhausted:
      return 429;
    case Code::kCorrupted:
    case Code::kInternal:
      return 500;
    case Code::kUnavailable:
      return 503;
  }
  return 500;
}

Reply RenderProblem(const Error& error, std::string_view request_id) {
  return Render(StatusOf(error.code), error.reason, error.issues, request_id, error.retry_after_s);
}

Reply RenderProblem(int status, std::string_view reason, std::string_view request_id) {
  return Render(status, reason, {}, request_id);
}

Reply RenderProblem(int status, const Error& error, std::string_view request_id) {
  return Render(status, error.reason, error.issues, request_id, error.retry_after_s);
}

void AppendProblemMembers(std::string& out, const Error& error) {
  out += "\"status\":" + std::to_string(StatusOf(error.code)) + ",\"code\":\"";
  out += error.reason;
  out += '"';
  AppendIssues(out, error.issues, kMaxLineIssues);
}

}  // namespace coffer::api
