#include "api/http/version.h"
#include "api/routes/reply.h"
#include "audit/text/clock.h"
#include "crypto/encoding.h"
#include "vault/base/strict_json.h"

namespace coffer::api {
namespace {

using vault::AppendJsonString;

// Writes an object's members: names are ours, values are escaped.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  ~ObjectWriter() { out_ += '}'; }
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  void Text(std::string_view name, std::string_view value) {
    Start(name);
    AppendJsonString(out_, value);
  }
  void Number(std::string_view name, std::uint64_t value) {
    Start(name);
    out_ += std::to_string(value);
  }
  void Flag(std::string_view name, bool value) {
    Start(name);
    out_ += value ? "true" : "false";
  }
  void Time(std::string_view name, audit::Timestamp value) {
    Start(name);
    out_ += '"';
    out_ += audit::FormatTimestamp(value);
    out_ += '"';
  }
  // `value` is a complete JSON value already.
  void Raw(std::string_view name, std::string_view value) {
    Start(name);
    out_ += value;
  }
  std::string& Start(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += name;
    out_ += "\":";
    return out_;
  }

 private:
  std::string& out_;
  bool first_ = true;
};

void AppendTexts(std::string& out, const std::vector<std::string>& texts) {
  out += '[';
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += ',';
    AppendJsonString(out, texts[i]);
  }
  out += ']';
}

std::string_view Name(vault::View view) {
  switch (view) {
    case vault::View::kPlain:
      return "plain";
    case vault::View::kMasked:
      return "masked";
    case vault::View::kPresence:
      return "presence";
    case vault::View::kNone:
      return "none";
  }
  return "";
}

void AppendToken(ObjectWriter& object, const vault::TokenInfo& token) {
  object.Text("id", token.id.Text());
  object.Text("principal", token.principal.Text());
  object.Text("name", token.name);
  object.Text("role", token.role);
  object.Raw("limits", vault::FormatTokenLimits(token.limits));
  object.Time("created", token.created);
  object.Time("expires", token.expires);
  if (token.revoked) object.Time("revoked", *token.revoked);
  object.Text("state", Name(token.state));
  if (token.expires_in_s) {
    object.Number("expires_in_s", static_cast<std::uint64_t>(*token.expires_in_s));
  }
  if (token.replaced_by) object.Text("replaced_by", token.replaced_by->Text());
}

void AppendSession(ObjectWriter& object, const vault::SessionInfo& session) {
  object.Text("id", session.id.Text());
  object.Text("principal", session.principal.Text());
  object.Text("login", session.login);
  object.Time("created", session.created);
  object.Time("expires", session.expires);
  object.Time("seen", session.seen);
  if (session.second_factor) object.Time("second_factor", *session.second_factor);
  if (session.ended) object.Time("ended", *session.ended);
}

}  // namespace

Reply RenderSearch(const vault::SearchPage& page) {
  Reply reply = RenderList(page.items, page.next_cursor);
  if (page.whole) return reply;
  reply.body.pop_back();
  reply.body += ",\"whole\":false}";
  return reply;
}

std::string EntityTag(std::uint64_t version) { return "\"" + std::to_string(version) + "\""; }

void AppendNextCursor(std::string& out, std::string_view cursor) {
  if (cursor.empty()) return;
  out += ",\"next_cursor\":";
  AppendJsonString(out, cursor);
}

void Append(std::string& out, const vault::ClientInfo& client) {
  ObjectWriter object(out);
  object.Text("id", client.id.Text());
  if (!client.external_ref.empty()) object.Text("external_ref", client.external_ref);
  AppendTexts(object.Start("tags"), client.tags);
  object.Number("version", client.version);
  object.Time("created", client.created);
  object.Time("updated", client.updated);
  if (client.relationship_end) object.Time("relationship_end", *client.relationship_end);
}

void Append(std::string& out, const vault::RecordInfo& record) {
  out.reserve(out.size() + record.data.size() + 400);
  ObjectWriter object(out);
  object.Text("id", record.id.Text());
  object.Text("client", record.client.Text());
  object.Text("class", record.class_name);
  object.Number("class_version", record.class_version);
  object.Number("version", record.version);
  object.Time("created", record.created);
  object.Time("updated", record.updated);
  if (!record.data.empty()) {
    object.Raw("data", record.data);
    AppendTexts(object.Start("masked"), record.masked);
    if (!record.present.empty()) AppendTexts(object.Start("present"), record.present);
  }
}

void Append(std::string& out, const std::variant<vault::ClientInfo, vault::RecordInfo>& line) {
  out += std::holds_alternative<vault::ClientInfo>(line) ? "{\"client\":" : "{\"record\":";
  std::visit([&](const auto& value) { Append(out, value); }, line);
  out += '}';
}

void Append(std::string& out, const vault::VersionInfo& version) {
  ObjectWriter object(out);
  object.Number("version", version.version);
  object.Number("class_version", version.class_version);
  object.Time("written", version.written);
}

void Append(std::string& out, const vault::SearchHit& hit) {
  ObjectWriter object(out);
  object.Text("client", hit.client.Text());
  if (hit.record) object.Text("record", hit.record->Text());
}

void Append(std::string& out, const vault::ClassSchema& schema) {
  ObjectWriter object(out);
  object.Text("name", schema.name);
  object.Number("version", schema.version);
  object.Raw("definition", schema.definition);
}

void Append(std::string& out, const vault::TokenInfo& token) {
  ObjectWriter object(out);
  AppendToken(object, token);
}

void Append(std::string& out, const vault::NewToken& token) {
  ObjectWriter object(out);
  AppendToken(object, token.info);
  object.Text("token", token.secret);
}

void Append(std::string& out, const vault::PrincipalInfo& principal) {
  ObjectWriter object(out);
  object.Text("id", principal.id.Text());
  object.Text("name", principal.name);
  object.Text("role", principal.role);
  if (principal.id.kind() == vault::PrincipalKind::kUser) {
    object.Text("login", principal.login);
    object.Flag("enrolled", principal.enrolled);
    object.Flag("second_factor", principal.second_factor);
  } else {
    if (principal.owner) object.Text("owner", principal.owner->Text());
    AppendTexts(object.Start("certificates"), principal.certificates);
  }
  object.Time("created", principal.created);
  if (principal.disabled) object.Time("disabled", *principal.disabled);
}

void Append(std::string& out, const vault::NewEnrolment& enrolment) {
  ObjectWriter object(out);
  Append(object.Start("user"), enrolment.user);
  object.Text("code", enrolment.code);
  object.Time("expires", enrolment.expires);
}

void Append(std::string& out, const vault::EnrolmentDone& done) {
  ObjectWriter object(out);
  Append(object.Start("user"), done.user);
  AppendTexts(object.Start("recovery_codes"), done.recovery_codes);
}

void Append(std::string& out, const vault::SessionInfo& session) {
  ObjectWriter object(out);
  AppendSession(object, session);
}

void Append(std::string& out, const vault::NewSession& session) {
  ObjectWriter object(out);
  AppendSession(object, session.info);
  object.Text("token", session.secret);
}

void Append(std::string& out, const vault::WhoIs& who) {
  ObjectWriter object(out);
  Append(object.Start("principal"), who.principal);
  if (who.token) Append(object.Start("token"), *who.token);
  if (who.session) Append(object.Start("session"), *who.session);
}

void Append(std::string& out, const vault::IssuedCertificate& issued) {
  ObjectWriter object(out);
  Append(object.Start("service"), issued.service);
  object.Text("certificate", issued.certificate);
  object.Text("authority", issued.authority);
}

void Append(std::string& out, const vault::Team& team) {
  ObjectWriter object(out);
  object.Text("id", team.id.Text());
  object.Text("name", team.name);
  object.Time("created", team.created);
  std::vector<std::string> members;
  for (const auto& member : team.members) members.push_back(member.Text());
  AppendTexts(object.Start("members"), members);
}

void Append(std::string& out, const vault::Approval& approval) {
  ObjectWriter object(out);
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
  if (approval.question) Append(object.Start("question"), *approval.question);
  if (approval.preview) Append(object.Start("preview"), *approval.preview);
  if (!approval.account) return;
  ObjectWriter account(object.Start("account"));
  Append(account.Start("principal"), approval.account->principal);
  account.Number("tokens", approval.account->tokens);
  account.Number("sessions", approval.account->sessions);
  account.Flag("enrolment", approval.account->enrolment);
}

void Append(std::string& out, const vault::EmergencyAccess& emergency) {
  ObjectWriter object(out);
  object.Text("id", emergency.id.Text());
  object.Text("client", emergency.client.Text());
  object.Text("principal", emergency.principal.Text());
  object.Text("purpose", emergency.purpose);
  object.Text("ticket", emergency.ticket);
  object.Time("created", emergency.created);
  object.Time("expires", emergency.expires);
  object.Time("review_due", emergency.review_due);
  if (emergency.reviewer) object.Text("reviewer", emergency.reviewer->Text());
  if (emergency.reviewed) {
    object.Time("reviewed", *emergency.reviewed);
    object.Text("finding", emergency.finding);
  }
}

void Append(std::string& out, const vault::RoleDocument& role) {
  ObjectWriter object(out);
  object.Text("name", role.name);
  object.Number("version", role.version);
  object.Flag("built_in", role.version == 0);
  object.Flag("privileged", role.privileged);
  object.Raw("definition", role.definition);
  if (role.not_evaluated.empty()) return;
  std::string& list = object.Start("not_evaluated");
  for (const Issue& issue : role.not_evaluated) {
    list += &issue == &role.not_evaluated.front() ? '[' : ',';
    ObjectWriter member(list);
    member.Text("pointer", issue.pointer);
    member.Text("message", issue.message);
  }
  list += ']';
}

void Append(std::string& out, const vault::Assignment& assignment) {
  ObjectWriter object(out);
  object.Text("client", assignment.client.Text());
  object.Text("principal", assignment.principal.Text());
  object.Time("starts", assignment.starts);
  if (assignment.ends) object.Time("ends", *assignment.ends);
  object.Text("given_by", assignment.given_by.Text());
}

void Append(std::string& out, const vault::Lease& lease) {
  ObjectWriter object(out);
  object.Text("id", lease.id.Text());
  object.Text("client", lease.client.Text());
  object.Text("principal", lease.principal.Text());
  object.Text("class", lease.class_name);
  AppendTexts(object.Start("fields"), lease.fields);
  object.Text("purpose", lease.purpose);
  object.Text("ticket", lease.ticket);
  object.Time("created", lease.created);
  object.Time("expires", lease.expires);
  object.Text("given_by", lease.given_by.Text());
  if (lease.conditions) object.Raw("conditions", *lease.conditions);
}

static void AppendLeases(std::string& out, const std::vector<vault::LeaseAnswer>& leases) {
  out += '[';
  for (std::size_t i = 0; i < leases.size(); ++i) {
    if (i > 0) out += ',';
    ObjectWriter object(out);
    object.Text("id", leases[i].id);
    object.Flag("open", leases[i].open);
    if (!leases[i].open) object.Text("code", leases[i].reason);
    if (leases[i].conditions) object.Raw("conditions", *leases[i].conditions);
  }
  out += ']';
}

void Append(std::string& out, const vault::AccessAnswer& answer) {
  ObjectWriter object(out);
  object.Flag("allowed", answer.allowed);
  object.Text("rule", answer.rule);
  if (!answer.allowed) object.Text("code", answer.reason);
  object.Text("role", answer.role);
  object.Number("role_version", answer.role_version);
  std::string& grants = object.Start("grants");
  grants += '[';
  for (std::size_t i = 0; i < answer.grants.size(); ++i) {
    if (i > 0) grants += ',';
    grants += std::to_string(answer.grants[i]);
  }
  grants += ']';
  if (!answer.leases.empty()) AppendLeases(object.Start("leases"), answer.leases);
  if (!answer.assigned_to.empty()) {
    std::vector<std::string> ids;
    for (const auto& id : answer.assigned_to) ids.push_back(id.Text());
    AppendTexts(object.Start("assigned_to"), ids);
  }
  if (!answer.plain.empty()) object.Raw("plain", PlainFields(answer));
  if (answer.fields.empty()) return;
  ObjectWriter fields(object.Start("fields"));
  for (const auto& [name, view] : answer.fields) fields.Text(name, Name(view));
}

void Append(std::string& out, const vault::Purpose& purpose) {
  out += vault::FormatPurpose(purpose);
}

void Append(std::string& out, const vault::Erasure& erasure) {
  ObjectWriter object(out);
  object.Text("id", erasure.id.Text());
  object.Text("client", erasure.client.Text());
  object.Text("scope", Name(erasure.scope));
  if (!erasure.class_name.empty()) object.Text("class", erasure.class_name);
  object.Text("basis", Name(erasure.basis));
  object.Time("erased", erasure.erased);
  object.Number("records", erasure.records);
  object.Number("versions", erasure.versions);
  object.Number("log_seq", erasure.seq);
}

void Append(std::string& out, const vault::Trace& trace) {
  ObjectWriter object(out);
  object.Text("place", trace.place);
  object.Text("state", trace.state);
  object.Number("count", trace.count);
  object.Text("detail", trace.detail);
}

void Append(std::string& out, const vault::Hold& hold) {
  ObjectWriter object(out);
  const vault::HoldRequest& terms = hold.terms;
  object.Text("id", hold.id.Text());
  if (terms.client) object.Text("client", terms.client->Text());
  if (!terms.class_name.empty()) object.Text("class", terms.class_name);
  if (!terms.tag.empty()) object.Text("tag", terms.tag);
  object.Text("reason", terms.reason);
  object.Text("case_number", terms.case_number);
  object.Time("review_due", terms.review_due);
  object.Time("placed", hold.placed);
  object.Text("placed_by", hold.placed_by.Text());
  if (hold.lifted) object.Time("lifted", *hold.lifted);
  if (hold.lifted_by) object.Text("lifted_by", hold.lifted_by->Text());
}

void Append(std::string& out, const vault::Restriction& restriction) {
  ObjectWriter object(out);
  const vault::RestrictionRequest& terms = restriction.terms;
  object.Text("id", restriction.id.Text());
  object.Text("client", restriction.client.Text());
  if (!terms.class_name.empty()) object.Text("class", terms.class_name);
  object.Text("basis", terms.basis);
  {
    ObjectWriter stops(object.Start("stops"));
    AppendTexts(stops.Start(terms.stops.all_but ? "all_but" : "purposes"), terms.stops.purposes);
  }
  object.Time("since", restriction.since);
  if (restriction.placed_by) object.Text("placed_by", restriction.placed_by->Text());
}

void Append(std::string& out, const vault::StoredSchedule& schedule) {
  ObjectWriter object(out);
  object.Number("version", schedule.version);
  object.Time("created", schedule.created);
  object.Raw("definition", schedule.definition);
}

void Append(std::string& out, const vault::RetentionPreview& preview) {
  ObjectWriter object(out);
  object.Number("schedule", preview.schedule);
  object.Time("at", preview.at);
  object.Number("records", preview.records);
  object.Number("due", preview.due);
  object.Number("held", preview.held);
  AppendTexts(object.Start("months"), preview.months);
  std::string& counts = object.Start("counts");
  counts += '[';
  for (const auto& count : preview.counts) {
    if (&count != preview.counts.data()) counts += ',';
    ObjectWriter row(counts);
    row.Text("class", count.class_name);
    if (!count.policy.empty()) row.Text("policy", count.policy);
    if (!count.action.empty()) row.Text("action", count.action);
    row.Number("records", count.records);
    row.Number("kept", count.kept);
    row.Number("not_begun", count.not_begun);
    row.Number("unknown", count.unknown);
    row.Number("due", count.due);
    row.Number("held", count.held);
    std::string& by_month = row.Start("by_month");
    by_month += '[';
    for (std::size_t i = 0; i < count.by_month.size(); ++i) {
      if (i > 0) by_month += ',';
      by_month += std::to_string(count.by_month[i]);
    }
    by_month += ']';
    row.Number("later", count.later);
  }
  counts += ']';
  std::string& listed = object.Start("listed");
  listed += '[';
  for (const auto& record : preview.listed) {
    if (&record != preview.listed.data()) listed += ',';
    ObjectWriter row(listed);
    if (record.id) row.Text("record", record.id->Text());
    row.Text("client", record.client.Text());
    row.Text("class", record.class_name);
    row.Text("policy", record.policy);
    row.Text("action", record.action);
    row.Flag("held", record.held);
  }
  listed += ']';
}

void Append(std::string& out, const vault::RetentionRun& run) {
  ObjectWriter object(out);
  object.Text("id", run.id.Text());
  object.Number("schedule", run.schedule);
  object.Text("state", run.state);
  object.Text("trigger", run.trigger);
  if (run.asked_by) object.Text("asked_by", run.asked_by->Text());
  object.Time("started", run.started);
  if (run.finished) object.Time("finished", *run.finished);
  if (!run.reason.empty()) object.Text("reason", run.reason);
  if (!run.detail.empty()) object.Text("detail", run.detail);
  object.Number("due", run.due);
  object.Number("erased", run.erased);
  object.Number("restricted", run.restricted);
  object.Number("for_review", run.for_review);
  object.Number("held", run.held);
  object.Number("failed", run.failed);
  object.Number("waiting", run.waiting);
  object.Number("unreached", run.unreached);
  object.Number("unknown", run.unknown);
  object.Flag("counted", run.counted);
}

void Append(std::string& out, const vault::ClassPreview& preview) {
  ObjectWriter object(out);
  object.Text("class", preview.class_name);
  if (preview.version != 0) object.Number("version", preview.version);
  if (preview.schedule != 0) object.Number("schedule", preview.schedule);
  object.Time("at", preview.at);
  object.Flag("moves_due_dates", preview.moves_due_dates);
  std::string& changes = object.Start("changes");
  changes += '[';
  for (const auto& change : preview.changes) {
    if (&change != preview.changes.data()) changes += ',';
    ObjectWriter row(changes);
    row.Text("policy", change.policy);
    row.Text("action", change.action);
    row.Number("records", change.records);
    row.Number("unchanged", change.unchanged);
    row.Number("sooner", change.sooner);
    row.Number("later", change.later);
    row.Number("begins", change.begins);
    row.Number("ends", change.ends);
    row.Number("unreadable", change.unreadable);
    row.Number("due_before", change.due_before);
    row.Number("due_after", change.due_after);
  }
  changes += ']';
}

void Append(std::string& out, const vault::DeepReport& report) {
  ObjectWriter object(out);
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
  std::string& findings = object.Start("findings");
  findings += '[';
  for (std::size_t i = 0; i < report.log.findings.size(); ++i) {
    if (i > 0) findings += ',';
    const auto& finding = report.log.findings[i];
    ObjectWriter item(findings);
    if (finding.seq) item.Number("seq", *finding.seq);
    item.Text("check", finding.check);
    item.Text("message", finding.message);
  }
  findings += ']';
}

void Append(std::string& out, const vault::ConsistencyProof& proof) {
  ObjectWriter object(out);
  object.Number("from", proof.old_size);
  object.Number("to", proof.size);
  std::string& hashes = object.Start("hashes");
  hashes += '[';
  for (std::size_t i = 0; i < proof.hashes.size(); ++i) {
    if (i > 0) hashes += ',';
    hashes += '"' + crypto::Base64Encode(proof.hashes[i]) + '"';
  }
  hashes += ']';
}

void Append(std::string& out, const vault::LogSummary& summary) {
  ObjectWriter object(out);
  object.Number("size", summary.size);
  std::string& items = object.Start("items");
  items += '[';
  for (std::size_t i = 0; i < summary.counts.size(); ++i) {
    if (i > 0) items += ',';
    const auto& count = summary.counts[i];
    ObjectWriter item(items);
    item.Time("from", count.from);
    if (!count.value.empty()) item.Text("value", count.value);
    item.Number("count", count.count);
    item.Number("requests", count.requests);
    item.Number("records", count.records);
    item.Number("clients", count.clients);
  }
  items += ']';
}

namespace {

// Services whose last token ends that soon, and no more than a person reads.
void AppendTokens(ObjectWriter& object, const vault::TokenExpiry& tokens, audit::Timestamp now) {
  constexpr std::int64_t kSoonMs = std::int64_t{30} * 24 * 3600 * 1000;
  constexpr std::size_t kMost = 100;
  ObjectWriter expiry(object.Start("token_expiry"));
  expiry.Number("within_7_days", tokens.within_7_days);
  expiry.Number("within_30_days", tokens.within_30_days);
  if (tokens.next) expiry.Time("next", *tokens.next);
  std::string& out = expiry.Start("services");
  out += '[';
  std::size_t shown = 0;
  for (const auto& service : tokens.services) {
    if (shown == kMost || service.last.ms - now.ms > kSoonMs) break;
    if (shown++ > 0) out += ',';
    ObjectWriter one(out);
    one.Text("service", service.service.Text());
    one.Text("name", service.name);
    one.Number("tokens", service.tokens);
    one.Time("next", service.next);
    one.Time("last", service.last);
  }
  out += ']';
}

}  // namespace

void Append(std::string& out, const ServerStatus& server) {
  const vault::VaultStatus& status = server.vault;
  ObjectWriter object(out);
  object.Text("vault", status.vault_id);
  object.Text("version", kVersion);
  {
    ObjectWriter log(object.Start("log"));
    log.Text("origin", status.log_origin);
    log.Text("key", status.log_key);
    log.Number("size", status.log_size);
    log.Text("checkpoint", status.checkpoint);
  }
  object.Number("clients", status.clients);
  object.Number("records", status.records);
  object.Number("erasures", status.erasures);
  object.Number("classes", status.classes);
  object.Number("purposes", status.purposes);
  object.Number("active_tokens", status.active_tokens);
  AppendTokens(object, status.tokens, status.now);
  if (server.certificate_expires != 0) {
    object.Time("certificate_expires", audit::Timestamp{server.certificate_expires * 1000});
  }
  object.Number("users", status.users);
  object.Number("services", status.services);
  object.Number("open_approvals", status.open_approvals);
  object.Number("unreviewed_emergencies", status.unreviewed_emergencies);
  object.Number("overdue_emergencies", status.overdue_emergencies);
  object.Number("holds", status.holds);
  object.Number("overdue_holds", status.overdue_holds);
  object.Number("restrictions", status.restrictions);
  object.Number("retention_schedule", status.retention_schedule);
  object.Number("classes_without_policy", status.classes_without_policy);
  object.Flag("waiting_for_clock", status.waiting_for_clock);
  if (!status.unknown_time_zone.empty()) {
    object.Text("unknown_time_zone", status.unknown_time_zone);
  }
  object.Flag("two_person", status.two_person);
  object.Flag("memory_locked", status.memory_locked);
  object.Flag("keys_rewrite_pending", status.keys_rewrite_pending);
  object.Flag("wal_truncation_pending", status.wal_truncation_pending);
  {
    ObjectWriter index(object.Start("search_index"));
    index.Number("generation", status.index.generation);
    index.Flag("whole", status.index.whole);
    index.Flag("building", status.index.building || status.index.retiring);
    index.Number("built", status.index.built);
    if (status.index.exchanged) index.Time("exchanged", *status.index.exchanged);
    if (status.index.oldest_uncovered) {
      index.Time("oldest_uncovered", *status.index.oldest_uncovered);
    }
    if (status.index.due) index.Time("exchange_due", *status.index.due);
    index.Flag("exchange_overdue", status.index.overdue);
  }
  object.Time("started", status.started);
  {
    ObjectWriter scrub(object.Start("scrub"));
    scrub.Number("position", status.scrub.position);
    scrub.Number("rounds", status.scrub.rounds);
    if (status.scrub.completed) scrub.Time("completed", *status.scrub.completed);
    scrub.Number("damaged", status.scrub.damaged);
  }
}

}  // namespace coffer::api
