// What must be in the log: each route, when it is done and when it is refused, leaves exactly the
// entries that docs/api-guide.md ("Access log") names, with exactly those members, and in none of
// them a value, a name, a search term or a secret. Written from the route table: a route without a
// row here fails.
#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <thread>
#include <variant>

#include "api/openapi/document.h"
#include "audit/documents/drill_report.h"
#include "crypto/client_key.h"
#include "crypto/keyring.h"
#include "crypto/secret_bytes.h"
#include "tests/api/routes/api_calls.h"
#include "tests/support/authenticator.h"
#include "vault/catalog/role.h"
#include "vault/storage/data_directory.h"

namespace coffer::api {
namespace {

using testing::AnswerOf;
using vault::Action;
using vault::ActionKind;
using enum Role;

enum class Holder { kToken, kSession, kNobody };  // of the case's own token or session; of nothing
using enum Holder;

struct Want {
  std::string_view action;
  std::string_view members = "";  // besides those of every entry; "name=value" says which value
  std::string_view detail = "";   // a pattern, * is an id; empty: there is none
  std::string_view outcome = "ok";
};
struct Row {
  std::string_view operation;
  std::variant<Role, Holder> who;
  int status;
  std::vector<Want> leaves;  // in order; the request's own is the last
  std::string_view body = "";
  std::string_view query = "";
  std::map<std::string, std::string> path = {};  // what a segment's name stands for
};

// {mark} is each time another text that no entry may have; the other names are in NewCase(). An
// export's detail names the tag that chose it, a service's its certificates, so {lot} is not
// marked.
const std::vector<Row>& Rows() {
  static const std::vector<Row> rows = {
      // clang-format off
      {"getLiveness", kNobody, 200, {}},
      {"getReadiness", kNobody, 200, {}},
      {"getOpenApi", kNobody, 200, {}},
      {"getMetrics", kAdministrator, 200, {}},
      {"getMe", kCaseWorker, 200, {{"self.read"}}},
      {"getMe", kSession, 200, {{"self.read"}}},
      {"getStatus", kAuditor, 200, {{"status.read"}}},
      {"getKeys", kAuditor, 200, {{"status.read", "", "keys"}}},

      {"createClient", kCrmService, 201, {{"client.create", "client fields=external_ref,tags version=1 payload_hash"}}, R"({"external_ref": "{mark}", "tags": ["{mark}"]})"},
      {"listClients", kCrmService, 200, {{"client.list", "client={client} fields=external_ref,tags"}, {"client.list"}}, "", "tag={tag}"},
      {"listClients", kCrmService, 200, {{"client.list", "client={client} fields=external_ref,tags"}, {"client.list", "class=contact"}}, "", "tag={tag}&class=contact"},
      {"searchClients", kCrmService, 200, {{"client.search", "client={client} record={record} class=contact fields=last_name"}, {"client.search", "class=contact fields=last_name"}}, R"({"class": "contact", "field": "last_name", "value": "{value}"})"},
      {"searchClients", kCrmService, 200, {{"client.search", "class=contact fields=email"}}, R"({"class": "contact", "field": "email", "value": "{mark}@example.org"})"},
      {"searchClients", kCrmService, 200, {{"client.search", "client={client} fields=external_ref"}, {"client.search", "fields=external_ref"}}, R"({"external_ref": "{ref}"})"},
      {"getClient", kCrmService, 200, {{"client.read", "client={client} fields=external_ref,tags version=1"}}},
      {"updateClient", kCrmService, 200, {{"client.update", "client={client} fields=tags version=2 payload_hash"}}, R"({"tags": ["{mark}"]})"},
      {"updateClient", kCrmService, 200, {{"client.update", "client={client} fields=external_ref version=2 payload_hash"}}, R"({"external_ref": "{mark}"})"},
      {"updateClient", kCrmService, 200, {{"client.update", "client={client} fields=relationship_end version=2 payload_hash"}}, R"({"relationship_end": "2025-12-31T00:00:00Z"})"},
      {"eraseClient", kPrivacyOfficer, 200, {{"client.erase", "client={client}", "one person alone; erasure *; scope client"}}},
      {"eraseRecords", kPrivacyOfficer, 200, {{"record.erase", "client={client} record={record} class=contact version=1"}, {"client.reseal", "client={client} version=1 payload_hash"}, {"record.erase", "client={client} class=contact", "one person alone; erasure *; scope class:contact"}}, R"({"class": "contact", "basis": "unlawful"})"},
      {"findTraces", kPrivacyOfficer, 200, {{"client.trace", "client={client}"}}},
      {"listErasures", kAuditor, 200, {{"erasure.read"}}},
      {"getErasure", kAuditor, 200, {{"erasure.read", "client", "{erasure}"}}},
      {"getErasureAct", kAuditor, 200, {{"erasure.read", "client", "act {erasure}"}}, "", "format=html&language=de"},

      {"createRecord", kCrmService, 201, {{"record.create", "client={client} record class=contact fields=email,last_name version=1 payload_hash"}}, R"({"class": "contact", "data": {"last_name": "{mark}", "email": "{mark}@example.org"}})"},
      {"listRecords", kCrmService, 200, {{"record.list", "client={client} record={record} class=contact version=1"}, {"record.list", "client={client}"}}},
      {"listRecords", kCrmService, 200, {{"record.read", "client={client} record={record} class=contact fields=city,last_name version=1"}, {"record.read", "client={client} class=contact"}}, "", "class=contact&data=true"},
      {"getRecord", kCrmService, 200, {{"record.read", "client={client} record={record} class=contact fields=city,last_name version=1"}}},
      {"updateRecord", kCrmService, 200, {{"record.update", "client={client} record={record} class=contact fields=city,last_name version=2 payload_hash"}}, R"({"data": {"last_name": "{mark}"}})"},
      {"patchRecord", kCrmService, 200, {{"record.update", "client={client} record={record} class=contact fields=city,last_name version=2 payload_hash"}}, R"({"data": {"last_name": "{mark}", "city": null}})"},
      {"deleteRecord", kCrmService, 204, {{"record.delete", "client={client} record={record} class=contact version=1"}}},
      {"listRecordVersions", kCrmService, 200, {{"record.list", "client={client} record={record} class=contact"}}},
      {"getRecordVersion", kCrmService, 200, {{"record.read", "client={client} record={record} class=contact fields=city,last_name version=1"}}},
      {"importRecords", kCrmService, 200, {{"client.create", "client fields=external_ref version=1 payload_hash"}, {"record.import", "client record class=contact fields=last_name version=1 payload_hash"}}, R"({"external_ref": "{mark}", "record_key": "{mark}", "data": {"last_name": "{mark}"}})", "class=contact"},
      {"importRecords", kCrmService, 200, {{"record.import", "client={client} record class=contact fields=last_name version=1 payload_hash"}}, R"({"external_ref": "{ref}", "record_key": "{mark}", "data": {"last_name": "{mark}"}})", "class=contact"},
      {"exportClients", kPrivacyOfficer, 200, {{"client.export", "client={client} fields=external_ref,tags version=1"}, {"client.export", "client={client} record={record} class=contact fields=city,last_name version=1"}, {"client.export", "payload_hash", "tag:{lot}; one person alone"}}, R"({"tag": "{lot}"})"},
      {"packageClient", kPrivacyOfficer, 200, {{"client.package", "client={client} fields=external_ref,tags version=1"}, {"client.package", "client={client} record={record} class=contact fields=city,last_name version=1"}, {"client.package", "client={client}"}}, "{}"},
      {"preparePackage", kPrivacyOfficer, 201, {{"client.package", "client={client}", "* prepared"}}, R"({"for": "representative", "days": 7})"},
      {"preparePackage", kPrivacyOfficer, 201, {{"client.package", "client={client}", "* prepared; names staff"}}, R"({"names_staff": true})"},
      {"listPackages", kAuditor, 200, {{"package.read"}}, "", "state=prepared"},
      {"listPackages", kAuditor, 200, {{"package.read", "client={client}"}}, "", "client={client}"},
      {"getPackage", kAuditor, 200, {{"package.read", "client={client}", "{package}"}}},
      {"handOutPackage", kPrivacyOfficer, 200, {{"client.package", "client={client} record={record} class=contact fields=city,last_name version=1", "{package} part 1"}, {"client.package", "client={client} fields=external_ref,tags version=1 payload_hash", "{package} part 1"}}, R"({"key": "a-key-of-22-characters-"})"},
      {"getPackageReceipt", kPrivacyOfficer, 200, {{"client.package", "client={client}", "{handed} receipt"}}, "", "", {{"{package}", "{handed}"}}},
      {"revokePackage", kPrivacyOfficer, 200, {{"client.package", "client={client}", "{package} revoked"}}},

      {"placeHold", kPrivacyOfficer, 201, {{"hold.write", "client={client}", "* client"}}, R"({"client": "{client}", "reason": "{mark}", "case_number": "CASE-{n}", "review_due": "2030-01-01T00:00:00Z"})"},
      {"placeHold", kPrivacyOfficer, 201, {{"hold.write", "client={client} class=contact", "* class contact"}}, R"({"client": "{client}", "class": "contact", "reason": "{mark}", "case_number": "CASE-{n}", "review_due": "2030-01-01T00:00:00Z"})"},
      {"placeHold", kPrivacyOfficer, 201, {{"hold.write", "", "* tag none-{n}"}}, R"({"tag": "none-{n}", "reason": "{mark}", "case_number": "CASE-{n}", "review_due": "2030-01-01T00:00:00Z"})"},
      {"listHolds", kAuditor, 200, {{"hold.read"}}},
      {"listHolds", kAuditor, 200, {{"hold.read", "client={client}"}}, "", "client={client}"},
      {"getHold", kAuditor, 200, {{"hold.read", "client={held} class=interaction", "{hold}"}}},
      {"liftHold", kPrivacyOfficer, 200, {{"hold.lift", "client={held} class=interaction", "{hold}; class interaction; one person alone"}}},
      {"listRestrictions", kAuditor, 200, {{"restriction.read", "client={client}"}}},
      {"placeRestriction", kPrivacyOfficer, 201, {{"restriction.write", "client={client}", "*; stops all purposes"}}, R"({"basis": "{mark}", "stops": {"all_but": []}})"},
      {"placeRestriction", kPrivacyOfficer, 201, {{"restriction.write", "client={client} class=contact", "*; stops all but billing"}}, R"({"class": "contact", "basis": "{mark}", "stops": {"all_but": ["billing"]}})"},
      {"placeRestriction", kPrivacyOfficer, 201, {{"restriction.write", "client={client}", "*; stops billing marketing"}}, R"({"basis": "{mark}", "stops": {"purposes": ["marketing", "billing"]}})"},
      {"getRestriction", kAuditor, 200, {{"restriction.read", "client={client} class=interaction", "{restriction}"}}},
      {"liftRestriction", kPrivacyOfficer, 204, {{"restriction.write", "client={client} class=interaction", "{restriction}; lifted"}}},

      {"listConsentTexts", kAuditor, 200, {{"consent-text.read"}}},
      {"getConsentText", kAuditor, 200, {{"consent-text.read", "", "text-{n} v1: en"}}, "", "", {{"{name}", "text-{n}"}}},
      {"putConsentText", kPrivacyOfficer, 200, {{"consent-text.write", "payload_hash", "terms-{n} v1: de en"}}, R"({"texts": [{"language": "en", "text": "{mark}"}, {"language": "de", "text": "{mark}"}], "minimum_age": 16})", "", {{"{name}", "terms-{n}"}}},
      {"listConsents", kAuditor, 200, {{"consent.read", "client={client}"}}},
      {"giveConsent", kPrivacyOfficer, 201, {{"consent.write", "client={client} payload_hash", "*; given; marketing; text-{n} v1 en"}}, R"({"purpose": "marketing", "text": {"name": "text-{n}", "version": 1, "language": "en"}, "channel": "paper", "evidence": "{mark}", "authority": "{mark}"})"},
      {"getConsent", kAuditor, 200, {{"consent.read", "client={client}", "{consent}"}}},
      {"withdrawConsent", kPrivacyOfficer, 200, {{"consent.write", "client={client} payload_hash", "{consent}; withdrawn; billing"}}, R"({"channel": "email"})"},
      {"registerRequest", kPrivacyOfficer, 201, {{"request.write", "client={client}", "* rectification register; due [-0-9]+ under gdpr"}}, R"({"kind": "rectification", "regime": "gdpr", "channel": "email", "received": "2026-01-02T00:00:00Z", "client": "{client}", "words": "{mark}", "authority": "{mark}", "attachments": ["{mark}"]})"},
      {"registerRequest", kPrivacyOfficer, 201, {{"request.write", "", "* question register; due [-0-9]+ under gdpr"}}, R"({"kind": "question", "regime": "gdpr", "channel": "email", "received": "2026-01-02T00:00:00Z", "words": "{mark}"})"},
      {"listRequests", kAuditor, 200, {{"request.read"}}, "", "due=open"},
      {"listRequests", kAuditor, 200, {{"request.read", "client={client}"}}, "", "client={client}"},
      {"getRequest", kPrivacyOfficer, 200, {{"request.read", "client={client}", "{request}"}}},
      {"takeRequestStep", kPrivacyOfficer, 200, {{"request.write", "client={client}", "{request} erasure accept; due [-0-9]+"}}, R"({"step": "accept", "words": "{mark}"})"},
      {"takeRequestStep", kPrivacyOfficer, 200, {{"request.write", "client={client}", "{request} erasure refuse; refused"}}, R"json({"step": "refuse", "words": "{mark}", "letter": "{mark}", "article": "12(5)"})json"},
      {"createNotice", kPrivacyOfficer, 201, {{"notice.write", "payload_hash", "* created"}}, R"({"title": "{mark}", "selection": {"all": true}, "words": "{mark}", "effective": "2026-06-01T00:00:00Z"})"},
      {"listNotices", kAuditor, 200, {{"notice.read"}}, "", "state=open"},
      {"getNotice", kAuditor, 200, {{"notice.read", "", "{notice}"}}},
      {"tellNotice", kPrivacyOfficer, 200, {{"notice.write", "client={client}", "{notice} told"}, {"notice.write", "", "{notice} told; 1 clients by email"}}, R"({"channel": "email", "evidence": "{mark}", "clients": ["{client}"]})"},
      {"listPendingOfNotice", kAuditor, 200, {{"notice.read", "client={client}"}, {"notice.read", "", "{tag_notice} pending"}}, "", "", {{"{notice}", "{tag_notice}"}}},
      {"listObjectionsToNotice", kAuditor, 200, {{"notice.read", "", "{notice} objections"}}},
      {"closeNotice", kPrivacyOfficer, 200, {{"notice.write", "", "{notice} closed"}}, "{}"},
      {"createRecipient", kPrivacyOfficer, 201, {{"recipient.write", "", "* created"}}, R"({"name": "{mark}", "category": "processor", "contact": "{mark}", "contract": "{mark}"})"},
      {"listRecipients", kAuditor, 200, {{"recipient.read"}}, "", "state=current"},
      {"getRecipient", kAuditor, 200, {{"recipient.read", "", "{recipient}"}}},
      {"changeRecipient", kPrivacyOfficer, 200, {{"recipient.write", "", "{recipient} changed"}}, R"({"name": "{mark}", "category": "authority"})"},
      {"bindRecipientPrincipal", kPrivacyOfficer, 200, {{"recipient.write", "", "{recipient} bound"}}, "", "", {{"{principal}", "{service}"}}},
      {"unbindRecipientPrincipal", kPrivacyOfficer, 200, {{"recipient.write", "", "{recipient} unbound", "unchanged"}}, "", "", {{"{principal}", "{service}"}}},
      {"endRecipient", kPrivacyOfficer, 200, {{"recipient.write", "", "{recipient} ended"}}},
      {"tellRecipient", kPrivacyOfficer, 200, {{"disclosure.write", "client={client} class=interaction", "told {recipient}; restricted [0-9]+"}, {"disclosure.write", "", "told {recipient}"}}, R"({"until": 1000000, "channel": "email", "reference": "{mark}"})"},
      {"recordDisclosure", kPrivacyOfficer, 201, {{"disclosure.write", "client={client}", "* to {recipient}"}, {"disclosure.write", "", "* to {recipient}"}}, R"({"recipient": "{recipient}", "basis": "{mark}", "purpose": "{mark}", "channel": "letter", "reference": "{mark}", "clients": ["{client}"], "classes": ["contact"]})"},
      {"listDisclosures", kAuditor, 200, {{"disclosure.read"}}},
      {"listDisclosures", kAuditor, 200, {{"disclosure.read", "client={client}"}}, "", "client={client}"},
      {"listToTell", kAuditor, 200, {{"disclosure.read", "", "to tell"}}},
      {"getDisclosure", kAuditor, 200, {{"disclosure.read", "", "{disclosure}"}}},
      {"listDisclosedClients", kAuditor, 200, {{"disclosure.read", "", "{disclosure} clients"}}},
      {"addDisclosedClients", kPrivacyOfficer, 200, {{"disclosure.write", "client={client}", "{disclosure} to {recipient}"}, {"disclosure.write", "", "{disclosure}"}}, R"({"clients": ["{client}"]})"},
      {"listRecipientsToTell", kAuditor, 200, {{"disclosure.read", "client={client}", "recipients"}}},
      {"getClientOverview", kPrivacyOfficer, 200, {{"client.overview", "client={client}"}}},
      {"listRegimes", kAuditor, 200, {{"request.read", "", "regimes"}}},
      {"getRegime", kAuditor, 200, {{"request.read", "", "regime gdpr"}}, "", "", {{"{name}", "gdpr"}}},
      {"putRegime", kPrivacyOfficer, 200, {{"regime.write", "version=1 payload_hash", "mine-{n}; 0 open requests are due at another time"}}, R"({"title": "{mark}", "clocks": [{"answer": "P1M"}], "keep": "P1Y"})", "", {{"{name}", "mine-{n}"}}},

      {"listClasses", kAuditor, 200, {{"class.read"}}},
      {"getClass", kAuditor, 200, {{"class.read", "class=contact version=1"}}, "", "", {{"{name}", "contact"}}},
      {"putClass", kAdministrator, 200, {{"class.write", "class=note-{n} version=1 payload_hash"}}, R"({"name": "note-{n}", "keep": "a test", "title": "{mark}", "purposes": ["client-care"], "fields": {"a": {"type": "choice", "values": ["{mark}"], "title": "{mark}"}}})", "", {{"{name}", "note-{n}"}}},
      {"putClass", kAdministrator, 200, {{"class.write", "class=mine-{n} version=1", "", "unchanged"}}, "{class_document}", "", {{"{name}", "mine-{n}"}}},
      {"previewClass", kAdministrator, 200, {{"retention.read", "class=mine-{n} version=1", "preview of the due dates of 0 records"}}, "{class_document}", "", {{"{name}", "mine-{n}"}}},
      {"listPurposes", kAuditor, 200, {{"purpose.read"}}},
      {"getPurpose", kAuditor, 200, {{"purpose.read", "", "client-care"}}, "", "", {{"{code}", "client-care"}}},
      {"putPurpose", kAdministrator, 200, {{"purpose.write", "payload_hash", "survey-{n}"}}, R"({"title": "{mark}", "legal_basis": "consent", "owner": "{mark}", "description": "{mark}"})", "", {{"{code}", "survey-{n}"}}},

      {"listAssignments", kSupervisor, 200, {{"assignment.read", "client={client}"}}},
      {"putAssignment", kSupervisor, 200, {{"assignment.write", "client={client}", "{service}; until 2030-01-01T00:00:00.000Z"}}, R"({"ends": "2030-01-01T00:00:00Z"})", "", {{"{principal}", "{service}"}}},
      {"deleteAssignment", kSupervisor, 204, {{"assignment.write", "client={client}", "{other} ended"}}, "", "", {{"{principal}", "{other}"}}},
      {"listAssignmentsOf", kSupervisor, 200, {{"assignment.read", "", "{service}"}}, "", "principal={service}"},
      {"assignClients", kSupervisor, 200, {{"assignment.write", "client={client}", "{service}"}}, R"({"principal": "{service}", "clients": [{"client": "{client}"}]})"},
      {"handOverClients", kSupervisor, 200, {{"assignment.write", "client={client}", "{other} to {service}"}}, R"({"from": "{other}", "to": "{service}", "clients": [{"client": "{client}"}]})"},
      {"listLeases", kSupervisor, 200, {{"lease.read", "client={client}"}}},
      {"giveLease", kSupervisor, 201, {{"lease.write", "client={client} class=contact fields=city,last_name", "* {other} CASE-{n}"}}, R"({"principal": "{other}", "class": "contact", "fields": ["last_name", "city"], "purpose": "client-care", "ticket": "CASE-{n}", "lifetime_s": 600})"},
      {"endLease", kSupervisor, 200, {{"lease.write", "client={client}", "{lease} ended"}}},

      {"listRoles", kAuditor, 200, {{"role.read"}}},
      {"getRole", kAuditor, 200, {{"role.read", "version=1", "desk-{n}"}}, "", "", {{"{name}", "desk-{n}"}}},
      {"putRole", kAdministrator, 200, {{"role.write", "version=1 payload_hash", "role-{n}"}}, R"({"title": "{mark}", "grants": [{"actions": ["hold.read"], "scope": {"tag": "{mark}"}}]})", "", {{"{name}", "role-{n}"}}},
      {"putRole", kAdministrator, 200, {{"role.write", "version=2 payload_hash", "desk-{n}; one person alone"}}, R"({"title": "{mark}", "grants": [{"actions": ["class.read"]}]})", "", {{"{name}", "desk-{n}"}}},
      {"explainAccess", kSecurityOfficer, 200, {{"access.explain", "client={client} class=contact", "{other} record.read"}}, R"({"principal": "{other}", "action": "record.read", "client": "{client}", "class": "contact", "purpose": "{mark}", "address": "198.51.100.1"})"},

      {"getProcessing", kAuditor, 200, {{"processing.read", "", "pipl"}}, "", "order=pipl"},
      {"getProcessingDocument", kAuditor, 200, {{"processing.read", "version=1", "document"}}, "", "version=1"},
      {"putProcessingDocument", kPrivacyOfficer, 200, {{"processing.write", "version payload_hash", "document"}}, R"({"measures": ["{mark}"]})"},
      {"publishProcessing", kPrivacyOfficer, 201, {{"processing.write", "version payload_hash", "publish gdpr; [0-9]+ things missing"}}, R"({"order": "gdpr", "incomplete": true, "reason": "{mark}"})"},
      {"listProcessingVersions", kAuditor, 200, {{"processing.read", "", "versions"}}},
      {"getProcessingVersion", kAuditor, 200, {{"processing.read", "version=1", "version"}}, "", "", {{"{version}", "1"}}},
      {"compareProcessing", kAuditor, 200, {{"processing.read", "version=1", "difference"}}, "", "from=1"},
      {"findBreachScope", kSecurityOfficer, 200, {{"breach.scope", "", "{token}; {service}; from 198.51.100.0/24; since 2026-01-01T00:00:00.000Z; until 2030-01-01T00:00:00.000Z"}}, R"({"token": "{token}", "principal": "{service}", "address": "198.51.100.0/24", "from": "2026-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z"})"},
      {"openBreach", kPrivacyOfficer, 201, {{"breach.write", "", "* opened"}}, R"({"aware": "2026-01-01T00:00:00Z", "kinds": ["confidentiality"], "regimes": ["gdpr"], "facts": "{mark}"})"},
      {"listBreaches", kAuditor, 200, {{"breach.read"}}},
      {"getBreach", kAuditor, 200, {{"breach.read", "", "{breach}"}}},
      {"noteBreach", kSecurityOfficer, 200, {{"breach.write", "", "{breach} noted"}}, R"({"measures": "{mark}"})"},
      {"scopeBreach", kSecurityOfficer, 200, {{"breach.scope", "", "{breach}; {service}"}, {"breach.write", "", "{breach} scoped"}}, R"({"principal": "{service}"})"},
      {"notifyOfBreach", kPrivacyOfficer, 200, {{"breach.write", "", "{breach} notified"}}, R"({"whom": "subjects", "name": "{mark}", "at": "2026-01-02T00:00:00Z"})"},
      {"closeBreach", kPrivacyOfficer, 200, {{"breach.write", "", "{breach} closed"}}, R"({"conclusion": "{mark}", "not_notified": "{mark}"})"},

      {"listTokens", kAdministrator, 200, {{"token.list"}}},
      {"createToken", kAdministrator, 201, {{"token.create", "", "* * case-worker"}}, R"({"name": "{mark}", "role": "case-worker"})"},
      {"createToken", kAdministrator, 201, {{"token.create", "", "* {service} case-worker; .+record.read.+; one person alone"}}, R"({"name": "{mark}", "principal": "{service}", "limits": {"actions": ["record.read"]}})"},
      {"rotateToken", kToken, 201, {{"token.rotate", "", "{token} * {service}"}}, R"({"overlap_s": 60})"},
      {"rotateToken", kAdministrator, 201, {{"token.rotate", "", "{token} * {service}; one person alone"}}, "{}"},
      {"revokeToken", kAdministrator, 200, {{"token.revoke", "", "{token}"}}},

      {"listUsers", kAdministrator, 200, {{"principal.read"}}},
      {"createUser", kAdministrator, 201, {{"principal.write", "", "* case-worker made"}}, R"({"login": "{mark}@crm.example", "name": "{mark}", "role": "case-worker"})"},
      {"createUser", kAdministrator, 201, {{"principal.write", "", "* supervisor made; one person alone"}}, R"({"login": "{mark}@crm.example", "name": "{mark}", "role": "supervisor"})"},
      {"getUser", kSupervisor, 200, {{"principal.read", "", "{user}"}}, "", "", {{"{principal}", "{user}"}}},
      {"updateUser", kAdministrator, 200, {{"principal.write", "", "{user}; role auditor"}}, R"({"name": "{mark}", "role": "auditor"})", "", {{"{principal}", "{user}"}}},
      {"enrolUserAgain", kAdministrator, 201, {{"principal.write", "", "{user} enrolled again; one person alone"}}, "", "", {{"{principal}", "{user}"}}},
      {"listServices", kAdministrator, 200, {{"principal.read"}}},
      {"createService", kAdministrator, 201, {{"principal.write", "", "* case-worker made; owner {user}; certificates dns:{lot}.example"}}, R"({"name": "{mark}", "role": "case-worker", "owner": "{user}", "certificates": ["dns:{lot}.example"]})"},
      {"getService", kSupervisor, 200, {{"principal.read", "", "{service}"}}, "", "", {{"{principal}", "{service}"}}},
      {"updateService", kAdministrator, 200, {{"principal.write", "", "{service}; disabled"}}, R"({"name": "{mark}", "disabled": true})", "", {{"{principal}", "{service}"}}},
      {"issueCertificate", kAdministrator, 201, {{"principal.write", "", "{service} certificate; spki:[0-9a-f]+; one person alone"}}, R"({"csr": "{csr}"})", "", {{"{principal}", "{service}"}}},
      {"listTeams", kSupervisor, 200, {{"team.read"}}},
      {"putTeam", kSupervisor, 200, {{"team.write", "", "* {service} added"}, {"team.write", "", "*"}}, R"({"members": ["{service}"]})", "", {{"{name}", "{mark}"}}},

      {"readEnrolment", kNobody, 200, {{"enrolment.read"}}, R"({"login": "{new_login}", "code": "{code}"})"},
      {"completeEnrolment", kNobody, 201, {{"enrolment.complete", "", "without second factor"}}, R"({"login": "{new_login}", "code": "{code}", "password": "{password}"})"},
      {"completeEnrolment", kNobody, 201, {{"enrolment.complete", "", "with second factor"}}, R"({"login": "{new_login}", "code": "{code}", "password": "{password}", "totp": "{totp}"})"},
      {"logIn", kNobody, 201, {{"session.create", "", "*"}}, R"({"login": "{login}", "password": "{password}", "second_factor": "{factor}"})"},
      {"listSessions", kAdministrator, 200, {{"session.list"}}},
      {"endSession", kAdministrator, 200, {{"session.revoke", "", "{session}"}}},
      {"logOut", kSession, 204, {{"session.end", "", "{session}"}}},
      {"stepUp", kSession, 200, {{"session.step-up"}}, R"({"second_factor": "{factor}"})"},
      {"changePassword", kSession, 204, {{"password.change"}}, R"({"password": "{password}", "new_password": "{mark} at the lake", "second_factor": "{factor}"})"},

      {"listApprovals", kSecurityOfficer, 200, {{"approval.read"}}},
      {"requestApproval", kPrivacyOfficer, 201, {{"approval.request", "client={client} payload_hash", "* client.erase"}}, R"({"action": "client.erase", "target": "{client}"})"},
      {"requestApproval", kAdministrator, 201, {{"approval.request", "payload_hash", "* role.give"}}, R"({"action": "role.give", "target": "user:{mark}@crm.example", "content": {"role": "auditor", "by": "user"}})"},
      {"getApproval", kSecurityOfficer, 200, {{"approval.read", "client={client}", "{approval}; preview"}}},
      {"decideApproval", kSecurityOfficer, 200, {{"approval.decide", "client={client} payload_hash", "{approval}; client.erase approved"}}, R"({"decision": "approve"})"},
      {"withdrawApproval", kPrivacyOfficer, 200, {{"approval.withdraw", "client={client} payload_hash", "{approval}; client.erase withdrawn"}}},
      {"listEmergencies", kSecurityOfficer, 200, {{"emergency.read"}}},
      {"getEmergency", kSecurityOfficer, 200, {{"emergency.read", "client={client}", "{emergency}"}}},
      {"openEmergency", kSupervisor, 201, {{"emergency.open", "client={client}", "* CASE-{n}"}}, R"({"client": "{client}", "purpose": "client-care", "ticket": "CASE-{n}"})"},
      {"reviewEmergency", kSecurityOfficer, 200, {{"emergency.review", "client={client}", "{emergency}"}}, R"({"finding": "{mark}"})"},

      {"getRetentionSchedule", kAuditor, 200, {{"retention.read", "version=1"}}},
      {"putRetentionSchedule", kPrivacyOfficer, 200, {{"retention.write", "version=1", "", "unchanged"}}, "{schedule}"},
      {"previewRetention", kPrivacyOfficer, 200, {{"retention.read", "version=1", "preview of [0-9]+ records, [0-9]+ ids"}}, R"({"months": 2, "ids": true})"},
      {"listRetentionRuns", kAuditor, 200, {{"retention.read"}}},
      {"startRetentionRun", kPrivacyOfficer, 201, {{"retention.run", "version=1", "*"}}},
      {"getRetentionRun", kAuditor, 200, {{"retention.read", "", "{run}"}}},
      {"getRetentionReport", kAuditor, 200, {{"retention.read", "", "{run}"}}, "", "format=html&language=zh"},
      {"confirmClock", kPrivacyOfficer, 204, {{"clock.confirm", "", "", "unchanged"}}},

      {"listLogEntries", kPrivacyOfficer, 200, {{"log.read", "client={client}", "{user}"}}, "", "client={client}&actor={user}"},
      {"listLogEntries", kAuditor, 200, {{"log.read"}}, "", "request=call_01kdyahq60g7kyhrjxjg7dj13n&purpose=marketing"},
      {"listClientLog", kPrivacyOfficer, 200, {{"log.read", "client={client}", "{user}"}}, "", "actor={user}"},
      {"listPrincipalLog", kAuditor, 200, {{"log.read", "", "{user}"}}, "", "request=call_01kdyahq60g7kyhrjxjg7dj13n", {{"{principal}", "{user}"}}},
      {"getLogEntry", kPrivacyOfficer, 200, {{"log.read", "", "{seq}"}}},
      {"getLogEntryProof", kAuditor, 200, {{"log.read", "", "{seq}"}}},
      {"getLogCheckpoint", kAuditor, 200, {{"log.read"}}},
      {"getLogConsistency", kAuditor, 200, {{"log.read", "", "1 to 2"}}, "", "from=1&to=2"},
      {"countReaders", kAuditor, 200, {{"log.read", "", "readers"}}},
      {"summariseLog", kAuditor, 200, {{"log.read", "client={client}", "summary by rule; {user}"}}, "", "by=rule&client={client}&actor={user}&purpose=marketing"},
      {"makeEvidence", kPrivacyOfficer, 200, {{"log.read", "client={client}", "evidence"}}, R"({"client": "{client}"})"},
      {"makeEvidence", kAuditor, 200, {{"log.read", "", "evidence; {user}"}}, R"({"principal": "{user}"})"},
      {"getTlogCheckpoint", kAuditor, 200, {{"log.read"}}},
      {"getTlogTile", kAuditor, 200, {{"log.read", "", "tile 0/000.p/1"}}, "", "", {{"{path...}", "0/000.p/1"}}},
      {"getTlogTile", kAuditor, 200, {{"log.read", "", "tile entries/000.p/2"}}, "", "", {{"{path...}", "entries/000.p/2"}}},
      {"verifyLog", kAuditor, 200, {{"log.verify", "", "log"}}},
      {"verifyLog", kAuditor, 200, {{"log.verify", "", "deep"}}, R"({"deep": true})"},

      {"listBackupDestinations", kAuditor, 200, {{"backup.read"}}},
      {"initializeBackupDestination", kAdministrator, 201, {{"backup.run", "", "initialize disk"}}, "", "", {{"{destination}", "disk"}}},
      {"runBackup", kAdministrator, 201, {{"backup.run", "", "run"}}},
      {"verifyBackupDestination", kAdministrator, 200, {{"backup.run", "", "verify disk"}}, "", "", {{"{destination}", "disk"}}},
      {"listBackupDrills", kAuditor, 200, {{"backup.read"}}},
      {"recordBackupDrill", kAdministrator, 201, {{"backup.run", "", "drill * failed"}}, R"({"note": "{drill}"})"},
      {"pruneBackups", kAdministrator, 200, {{"backup.run", "", "prune dry disk"}}, R"({"destination": "disk", "dry_run": true})"},
      {"pruneBackups", kAdministrator, 200, {{"backup.run", "", "prune all"}}, "{}"},
      // clang-format on
  };
  return rows;
}

using Names = std::set<std::string>;
const Names kOfEveryEntry = {"v",       "seq",        "ts",      "log",     "prev",
                             "request", "address",    "auth",    "rule",    "actor",
                             "action",  "actor_kind", "outcome", "decision"};

Names NamesIn(const json& entry) {
  Names names;
  for (const auto& [name, value] : entry.items()) names.insert(name);
  return names;
}

// As a row writes it.
std::string Text(const json& value) {
  if (value.is_string()) return value;
  if (!value.is_array()) return value.dump();
  std::string text;
  for (const auto& item : value) text += (text.empty() ? "" : ",") + item.get<std::string>();
  return text;
}

void Replace(std::string& text, const std::string& name, const std::string& value) {
  for (auto at = text.find(name); at != text.npos; at = text.find(name, at + value.size())) {
    text.replace(at, name.size(), value);
  }
}

bool Matches(const std::string& text, std::string pattern) {
  Replace(pattern, "*", "[a-z]+_[0-9a-z]{26}");
  return std::regex_match(text, std::regex(pattern));
}

class LogCalls : public ApiCalls {
 public:
  using Values = std::map<std::string, std::string>;  // "{client}" and what it stands for

  LogCalls()
      : ApiCalls(
            Settings{.backup_destinations = {{"disk", vault::BackupKind::kData, "copies", 0}}}) {}

  std::string Mark() { return "sentinel-" + std::to_string(++marks_); }
  std::string Fill(std::string_view pattern, const Values& values) {
    std::string text(pattern);
    for (const auto& [name, value] : values) Replace(text, name, value);
    for (auto at = text.find("{mark}"); at != text.npos; at = text.find("{mark}")) {
      text.replace(at, 6, Mark());
    }
    return text;
  }

  // Objects of every kind that a row may be about, none of them another row's.
  Values NewCase() {
    auto& vault = *operator->();
    const std::string n = std::to_string(++cases_);
    Values values = {{"{n}", n},
                     {"{version}", "1"},
                     {"{seq}", "0"},
                     {"{tag}", Mark()},
                     {"{lot}", "lot-" + n},
                     {"{value}", Mark()},
                     {"{ref}", Mark()},
                     {"{password}", Mark() + " boats at sea"},
                     {"{csr}", Csr()},
                     {"{other}", TokenOf(kAuditor).principal.Text()}};
    Keep(values["{password}"]);
    const auto client = NewClient(values["{ref}"], {values["{tag}"], values["{lot}"]});
    values["{client}"] = client.Text();
    values["{record}"] =
        NewContact(client, {{"last_name", values["{value}"]}, {"city", Mark()}}).Text();
    const auto other = TokenOf(kAuditor).principal;
    Must(vault.assignments().Assign(As(kSupervisor), client, other, {}));
    values["{lease}"] = Must(vault.leases().GiveLease(As(kSupervisor), client,
                                                      {.principal = other,
                                                       .class_name = "contact",
                                                       .fields = {"last_name"},
                                                       .purpose = "client-care",
                                                       .ticket = "CASE-" + n,
                                                       .lifetime_s = 600}))
                            .id.Text();
    values["{emergency}"] =
        Must(vault.emergencies().OpenEmergency(As(kSupervisor, "client-care", Mark()), client,
                                               {"client-care", "CASE-" + n, 600}))
            .id.Text();
    values["{approval}"] = Must(vault.approvals().RequestApproval(
                                    As(kPrivacyOfficer), {"client.erase", client.Text(), {}}))
                               .id.Text();
    values["{erasure}"] =
        Must(vault.erasures().Erase(As(kPrivacyOfficer), NewClient("gone-" + n), {})).id.Text();
    const auto held = NewClient(Mark());
    values["{held}"] = held.Text();
    values["{hold}"] =
        Must(vault.holds().PlaceHold(As(kPrivacyOfficer), {.client = held,
                                                           .class_name = "interaction",
                                                           .tag = {},
                                                           .reason = Mark(),
                                                           .case_number = "CASE-" + n,
                                                           .review_due = {4102444800000}}))
            .id.Text();
    vault::RecipientFacts given_to;
    given_to.name = Mark();
    given_to.category = "processor";
    const vault::RecipientId recipient =
        Must(vault.recipients().CreateRecipient(As(kPrivacyOfficer), given_to)).id;
    values["{recipient}"] = recipient.Text();
    vault::DisclosureFacts given;
    given.basis = Mark();
    given.channel = "letter";
    values["{disclosure}"] =
        Must(vault.disclosures().RecordDisclosure(As(kPrivacyOfficer, "client-care", Mark()),
                                                  recipient, given, {{client}, {}}))
            .id.Text();
    // Of a class that the client has nothing of, so that no other row meets it.
    values["{restriction}"] =
        Must(vault.restrictions().Restrict(As(kPrivacyOfficer), client, {"interaction", Mark()}))
            .id.Text();
    Must(
        vault.consent_texts().PutConsentText(As(kPrivacyOfficer), "text-" + n, {{{"en", Mark()}}}));
    vault::ConsentRequest agreed;
    agreed.purpose = "billing";
    agreed.text = {"text-" + n, 1, "en"};
    agreed.channel = "paper";
    agreed.evidence = Mark();
    values["{consent}"] =
        Must(vault.consents().GiveConsent(As(kPrivacyOfficer), client, agreed)).consent.id.Text();
    values["{breach}"] = Must(vault.breaches().OpenBreach(As(kPrivacyOfficer),
                                                          {.aware = audit::Timestamp{1767225600000},
                                                           .occurred_from = {},
                                                           .occurred_to = {},
                                                           .kinds = {"integrity"},
                                                           .taken = {},
                                                           .regimes = {"gdpr"},
                                                           .facts = Mark(),
                                                           .effects = {},
                                                           .measures = {}}))
                             .id.Text();
    const auto told_of = [&](vault::NoticeSelection selection) {
      vault::NoticeForm form;
      form.title = Mark();
      form.selection = std::move(selection);
      form.text.words = Mark();
      form.effective = audit::Timestamp{clock.Now().ms + 1000};
      return Must(vault.notices().CreateNotice(As(kPrivacyOfficer), form)).id.Text();
    };
    using Selected = vault::NoticeSelection::Kind;
    values["{notice}"] = told_of({Selected::kTag, "none-" + n});
    values["{tag_notice}"] = told_of({Selected::kTag, values.at("{tag}")});
    Must(vault.processing().PutDocument(As(kPrivacyOfficer),
                                        R"({"measures": [")" + Mark() + R"("]})", {}));
    Must(vault.processing().Publish(As(kPrivacyOfficer),
                                    {vault::ProcessingOrder::kGdpr, true, Mark()}));
    vault::RequestForm asked;
    asked.kind = vault::RequestKind::kErasure;
    asked.regime = "gdpr";
    asked.channel = "letter";
    asked.received = clock.Now();
    asked.client = client;
    asked.words = Mark();
    values["{request}"] =
        Must(vault.requests().RegisterRequest(As(kPrivacyOfficer), asked)).row.id.Text();
    const auto officer = [&] { return As(kPrivacyOfficer); };
    const auto prepare = [&] {
      return Must(vault.packages().PreparePackage(officer(), client, {})).row.id;
    };
    values["{package}"] = prepare().Text();
    const auto handed = prepare();
    for (const std::uint64_t part : {1U, 2U}) {
      Must(vault.packages().HandOutPart(officer(), handed, {part, "a-key-of-22-characters-"}));
    }
    values["{handed}"] = handed.Text();
    const auto token = Must(NewTokenFor("case-worker", 3600, Mark()));
    values["{service}"] = token.info.principal.Text();
    values["{token}"] = token.info.id.Text();
    values["{secret}"] = Keep(token.secret);
    Must(vault.roles().PutRole(As(kAdministrator), "desk-" + n,
                               R"({"grants": [{"actions": ["status.read"]}]})"));
    values["{class_document}"] = R"({"name": "mine-)" + n + R"(", "title": ")" + Mark() +
                                 R"(", "keep": "a test", "purposes": ["client-care"],)" +
                                 R"("fields": {"a": {"type": "string"}}})";
    Must(vault.classes().PutClass(As(kAdministrator), "mine-" + n, values["{class_document}"]));
    if (run_.empty()) run_ = RunOnce();
    values["{run}"] = run_;
    values["{schedule}"] = kSchedule;
    values["{drill}"] = DrillNote();
    AddUsers(values);
    return values;
  }

  struct Answer {
    Reply reply;
    std::vector<json> entries;  // all that were written meanwhile
  };
  Answer Ask(const Route& route, const Row& row, const Values& values, std::string bearer,
             const std::string& purpose = std::string(kPurpose)) {
    Values about = row.path;
    for (auto& [name, value] : about) value = Fill(value, values);
    about.insert(values.begin(), values.end());
    const std::uint64_t before = Look(std::nullopt).size;
    Answer answer;
    answer.reply =
        Do(route.method, Fill(route.path, about), kAuditor, Fill(row.body, about), [&](Call& call) {
          call.caller.token = std::move(bearer);
          call.caller.purpose = purpose;
          call.caller.reason = Mark();
          // Where it can be left out, another row has made a newer version.
          if (row.operation != "putProcessingDocument") call.if_match = "\"1\"";
          call.idempotency_key = Mark();
          for (std::string rest = Fill(row.query, about); !rest.empty();) {
            const std::string one = rest.substr(0, rest.find('&'));
            rest.erase(0, one.size() + 1);
            const auto equals = one.find('=');
            call.query.emplace_back(one.substr(0, equals), one.substr(equals + 1));
          }
        });
    for (const auto& entry : Look(before).entries) {
      answer.entries.push_back(json::parse(entry));
      // The end of a run that a row began comes when it comes, also behind the look.
      if (answer.entries.back().at("action") == "retention.finish") answer.entries.pop_back();
    }
    answer.entries.pop_back();  // the look itself
    // The vault's own, behind that of the request: the key is destroyed.
    const bool erases = route.operation_id == "eraseClient" || route.operation_id == "eraseRecords";
    if (erases && answer.reply.status == 200) {
      CHECK(answer.entries.back().at("action") == "erasure.completed");
      CHECK(answer.entries.back().at("actor") == "vault");
      CHECK(answer.entries.back().at("client") == values.at("{client}"));
      answer.entries.pop_back();
    }
    if (route.operation_id == "runBackup" && answer.reply.status == 201) {
      CHECK(answer.entries.back().at("action") == "backup.ended");
      CHECK(Matches(answer.entries.back().at("detail"), "* disk"));
      answer.entries.pop_back();
    }
    if (route.operation_id == "verifyBackupDestination" && answer.reply.status == 200) {
      CHECK(answer.entries.back().at("action") == "backup.ended");
      CHECK(answer.entries.back().at("detail") == "verify disk");
      answer.entries.pop_back();
    }
    if (route.operation_id == "pruneBackups" && answer.reply.status == 200 &&
        answer.entries.size() > 1) {
      CHECK(answer.entries.back().at("action") == "backup.ended");
      CHECK(answer.entries.back().at("detail") == "prune disk:0");
      answer.entries.pop_back();
    }
    if (answer.reply.status == 201) KeepSecretsOf(answer.reply);
    marked_answers_ += answer.reply.body.contains("sentinel") ? 1 : 0;
    return answer;
  }
  std::string SecretOf(Role role) { return Keep(As(role).token); }

  // The lines that were hashed.
  std::vector<std::string> WholeText() {
    std::vector<std::string> lines;
    for (std::optional<std::uint64_t> start = 0; start;) {
      const auto page = Look(start);
      lines.insert(lines.end(), page.entries.begin(), page.entries.end());
      start = page.next;
    }
    return lines;
  }
  const std::set<std::string>& secrets() const { return secrets_; }
  int marked_answers() const { return marked_answers_; }

 private:
  static constexpr const char* kSchedule = R"({"time_zone": "UTC", "policies": [
    {"name": "a", "class": "agreement", "keep": "a test"},
    {"name": "b", "class": "complaint", "keep": "a test"},
    {"name": "c", "class": "consent-note", "keep": "a test"},
    {"name": "d", "class": "contact", "keep": "a test"},
    {"name": "e", "class": "interaction", "keep": "a test"},
    {"name": "f", "class": "payment-detail", "keep": "a test"}]})";
  // As it stands in JSON.
  std::string DrillNote() {
    const auto keyring = crypto::Keyring::Open(vault::KeyringPath(directory()), root());
    REQUIRE(keyring);
    audit::DrillReport report;
    report.started = report.finished = clock.Now();
    report.vault = crypto::Base32Encode(keyring->vault_id());
    report.log = keyring->log_origin();
    report.generation = "bkp_06bk4v0c5s3x9t7q2n8h1w6m4r";
    report.findings = {"object_missing: objects/ab/cd"};
    const auto note =
        audit::WriteDrillReport(report, keyring->log_origin(), *keyring->log_signing_key());
    REQUIRE(note);
    const std::string quoted = json(*note).dump();
    return quoted.substr(1, quoted.size() - 2);
  }

  // A schedule in force, and a run by it that has ended.
  std::string RunOnce() {
    auto& vault = *operator->();
    Must(vault.retention().PutRetentionSchedule(As(kPrivacyOfficer), kSchedule));
    const auto run = Must(vault.retention().StartRetentionRun(As(kPrivacyOfficer)));
    while (!Must(vault.retention().GetRetentionRun(As(kAuditor), run.id)).finished)
      std::this_thread::yield();
    return run.id.Text();
  }

  std::string run_;

  template <class T>
  static T Must(Result<T> result) {
    INFO(AnswerOf(result));
    REQUIRE(result);
    return *std::move(result);
  }
  // The oldest entries from `start` on; without, none.
  vault::LogPage Look(std::optional<std::uint64_t> start) {
    return Must((*this)->access_log().ReadLog(
        As(kAuditor), {},
        {.limit = start ? 1000U : 1U, .oldest_first = start.has_value(), .start = start}));
  }
  // What is random in it, without the prefix that says what it is.
  std::string Keep(const std::string& secret) {
    secrets_.insert(secret.starts_with("cf") ? secret.substr(4) : secret);
    return secret;
  }
  void KeepSecretsOf(const Reply& reply) {
    static const std::regex bearer("cf[a-z]_[0-9A-Za-z_-]+");
    for (std::sregex_iterator it(reply.body.begin(), reply.body.end(), bearer), end; it != end;
         ++it) {
      Keep(it->str());
    }
    if (!reply.body.contains("recovery_codes")) return;
    for (const auto& code : Parsed(reply).at("recovery_codes")) Keep(code);
  }
  // One who is enrolled and logged in, and one who has a code.
  void AddUsers(Values& values) {
    auto& vault = *operator->();
    const auto password =
        crypto::SecretBytes::CopyOf(crypto::AsBytes(std::string_view(values["{password}"])));
    for (const bool enrolled : {true, false}) {
      const auto made = Must(vault.principals().CreateUser(
          As(kAdministrator), {Mark() + "@crm.example", Mark(), "case-worker"}));
      const std::string& login = made.user.login;
      const auto offer = Must(vault.sessions().ReadEnrolment(Stranger(), login, Keep(made.code)));
      const testing::Authenticator app(offer.totp_uri);
      Keep(app.base32());
      const std::string totp = app.CodeAt(clock.Now());
      values[enrolled ? "{login}" : "{new_login}"] = login;
      values[enrolled ? "{user}" : "{new_user}"] = made.user.id.Text();
      if (!enrolled) {
        values["{code}"] = made.code;
        values["{totp}"] = totp;
        continue;
      }
      const auto done =
          Must(vault.sessions().CompleteEnrolment(Stranger(), login, made.code, password, totp));
      for (const auto& code : done.recovery_codes) Keep(code);
      const auto session =
          Must(vault.sessions().LogIn(Stranger(), login, password, done.recovery_codes[0]));
      values["{factor}"] = done.recovery_codes[1];
      values["{session}"] = session.info.id.Text();
      values["{session_secret}"] = Keep(session.secret);
    }
  }
  // One line of JSON text.
  static const std::string& Csr() {
    static const std::string csr = [] {
      const auto key = crypto::NewClientKey();
      REQUIRE(key);
      const std::string text = json(key->csr_pem).dump();
      return text.substr(1, text.size() - 2);
    }();
    return csr;
  }

  std::set<std::string> secrets_;
  int marks_ = 0, cases_ = 0, marked_answers_ = 0;
};

const Route* RouteOf(const Row& row) {
  const auto found = std::ranges::find(Routes(), row.operation, &Route::operation_id);
  return found == Routes().end() ? nullptr : &*found;
}
bool IsOpen(const Route& route) {
  return route.permission.action() && KindOf(*route.permission.action()) == ActionKind::kOpen;
}

// What decides requests, or lets people in.
const std::set<std::string_view> kChangesState = {"assignClients",
                                                  "bindRecipientPrincipal",
                                                  "changeRecipient",
                                                  "changePassword",
                                                  "closeBreach",
                                                  "closeNotice",
                                                  "completeEnrolment",
                                                  "createNotice",
                                                  "createRecipient",
                                                  "createService",
                                                  "createToken",
                                                  "createUser",
                                                  "decideApproval",
                                                  "deleteAssignment",
                                                  "endLease",
                                                  "endRecipient",
                                                  "endSession",
                                                  "enrolUserAgain",
                                                  "eraseClient",
                                                  "eraseRecords",
                                                  "giveConsent",
                                                  "giveLease",
                                                  "handOutPackage",
                                                  "handOverClients",
                                                  "issueCertificate",
                                                  "liftHold",
                                                  "liftRestriction",
                                                  "logIn",
                                                  "logOut",
                                                  "noteBreach",
                                                  "notifyOfBreach",
                                                  "openBreach",
                                                  "openEmergency",
                                                  "placeHold",
                                                  "placeRestriction",
                                                  "preparePackage",
                                                  "publishProcessing",
                                                  "putAssignment",
                                                  "putClass",
                                                  "putConsentText",
                                                  "putProcessingDocument",
                                                  "putPurpose",
                                                  "putRole",
                                                  "putTeam",
                                                  "recordBackupDrill",
                                                  "requestApproval",
                                                  "reviewEmergency",
                                                  "revokePackage",
                                                  "revokeToken",
                                                  "rotateToken",
                                                  "scopeBreach",
                                                  "stepUp",
                                                  "tellNotice",
                                                  "unbindRecipientPrincipal",
                                                  "updateService",
                                                  "updateUser",
                                                  "withdrawApproval",
                                                  "withdrawConsent"};

// A reason is with the first entry of each client that is named, and the call's own is the first;
// where none is named, with that.
bool HasReason(const std::vector<json>& entries, std::size_t place) {
  const auto client_of = [&](std::size_t i) { return entries[i].value("client", ""); };
  const std::string own = client_of(entries.size() - 1);
  const std::string named = client_of(place);
  bool earlier = false;
  for (std::size_t i = 0; i < place; ++i) {
    earlier = earlier || (named.empty() ? !client_of(i).empty() : client_of(i) == named);
  }
  if (place + 1 == entries.size()) return !named.empty() || !earlier;
  return !named.empty() && named != own && !earlier;
}

// That a client was named in what was read about several (names_test.cc).
bool IsNaming(const json& entry) {
  return entry.at("action") == "client.read" &&
         entry.value("fields", json()) == json::array({"external_ref"});
}

// Every call states a purpose and a reason.
void CheckDone(LogCalls& api, const Route& route, const Row& row, const LogCalls::Values& values,
               LogCalls::Answer answer) {
  std::erase_if(answer.entries, IsNaming);
  const Role* const role = std::get_if<Role>(&row.who);
  const Holder holder = role != nullptr ? kToken : std::get<Holder>(row.who);
  const bool newcomer = row.operation.ends_with("Enrolment");
  const std::string actor = role != nullptr      ? api.TokenOf(*role).principal.Text()
                            : holder == kToken   ? values.at("{service}")
                            : holder == kSession ? values.at("{user}")
                                                 : values.at(newcomer ? "{new_user}" : "{user}");
  const bool own =
      !route.permission.action() || KindOf(*route.permission.action()) != ActionKind::kGranted;
  const std::string name = role != nullptr ? std::string(Name(*role)) : "case-worker";
  CHECK(answer.entries.size() == row.leaves.size());
  if (answer.entries.size() != row.leaves.size()) return;
  for (std::size_t i = 0; i < row.leaves.size(); ++i) {
    const Want& want = row.leaves[i];
    const json& entry = answer.entries[i];
    INFO(entry.dump());
    CHECK(entry.at("request") == api.last.call.Text());
    CHECK(entry.at("action") == want.action);
    CHECK(entry.at("decision") == "allow");
    CHECK(entry.at("outcome") == want.outcome);
    CHECK(entry.at("rule") == (own ? "self" : "role:" + name));
    CHECK(entry.at("actor") == actor);
    CHECK(entry.at("actor_kind") == (actor.starts_with("usr_") ? "user" : "service"));
    const std::string auth = entry.at("auth");
    if (holder == kSession) {
      CHECK(auth.starts_with("session:ses_"));
    } else {
      CHECK(auth == (role != nullptr    ? "token:" + api.TokenOf(*role).id.Text()
                     : holder == kToken ? "token:" + values.at("{token}")
                     : newcomer         ? "enrolment"
                                        : "password"));
    }
    CHECK(entry.at("address") == LogCalls::kAddress);

    Names names = kOfEveryEntry;
    if (!IsOpen(route)) names.insert("purpose");
    // Two operations, each with its reason.
    if (HasReason(answer.entries, i) || row.operation == "scopeBreach") names.insert("note_hash");
    if (i + 1 == row.leaves.size()) {
      if (kChangesState.contains(row.operation) && want.outcome != "unchanged") {
        names.insert("state_hash");
      }
    }
    std::istringstream members{std::string(want.members)};
    for (std::string member; members >> member;) {
      const auto equals = member.find('=');
      names.insert(member.substr(0, equals));
      const json value = entry.value(member.substr(0, equals), json());
      if (equals != member.npos) {
        CHECK(Text(value) == api.Fill(member.substr(equals + 1), values));
      } else if (member == "client" || member == "record") {  // a new one
        CHECK(answer.reply.body.contains(Text(value)));
      }
    }
    if (!want.detail.empty()) {
      names.insert("detail");
      CHECK(Matches(entry.value("detail", ""), api.Fill(want.detail, values)));
    }
    CHECK(NamesIn(entry) == names);
  }
}

struct Refusal {
  int status;
  std::string decision, rule, outcome;
  std::string actor;  // empty: nobody is known
};
void CheckRefused(LogCalls& api, const Route& route, const Row& row, const LogCalls::Values& values,
                  const LogCalls::Answer& answer, const Refusal& wanted) {
  INFO(answer.reply.body);
  CHECK(answer.reply.status == wanted.status);
  CHECK(answer.entries.size() == 1);
  if (answer.entries.size() != 1) return;
  const json& entry = answer.entries[0];
  INFO(entry.dump());
  CHECK(entry.at("request") == api.last.call.Text());
  CHECK(entry.at("action") == (row.leaves.empty() || row.operation == "scopeBreach"
                                   ? Name(*route.permission.action())
                                   : row.leaves.back().action));
  CHECK(entry.at("decision") == wanted.decision);
  CHECK(entry.at("rule") == wanted.rule);
  CHECK(entry.at("outcome") == wanted.outcome);
  CHECK(entry.value("actor", "") == wanted.actor);
  CHECK(entry.contains("actor_kind") == !wanted.actor.empty());
  CHECK(entry.contains("note_hash"));
  CHECK(!entry.contains("payload_hash"));
  CHECK(!entry.contains("state_hash"));
  CHECK(entry.contains("purpose") == (api.last.purpose == LogCalls::kPurpose && !IsOpen(route)));
  if (route.path.contains("{client}")) CHECK(entry.value("client", "") == values.at("{client}"));
  if (route.path.contains("{record}")) CHECK(entry.value("record", "") == values.at("{record}"));
}

// With a role that does not have the action; one's own with a token that has no session; what is
// open to all with secrets that are wrong.
void AskRefused(LogCalls& api, const Route& route, const Row& row, const LogCalls::Values& values) {
  const Action action = *route.permission.action();
  const auto kind = KindOf(action);
  if (kind == ActionKind::kOpen) {
    const bool login = action == Action::kSessionCreate;
    LogCalls::Values wrong = values;
    for (const char* name : {"{code}", "{password}"}) wrong[name] = api.Mark() + " boats at sea";
    CheckRefused(api, route, row, values, api.Ask(route, row, wrong, ""),
                 {401, "deny", login ? "check:password" : "check:enrolment", "login_failed",
                  values.at(login ? "{user}" : "{new_user}")});
    for (const char* name : {"{login}", "{new_login}"}) wrong[name] = api.Mark();
    CheckRefused(api, route, row, values, api.Ask(route, row, wrong, ""),
                 {401, "deny", "check:account", "login_failed", ""});
    return;
  }
  for (const std::string& bearer : {std::string(), "cft_" + api.Mark()}) {
    CheckRefused(api, route, row, values, api.Ask(route, row, values, bearer, api.Mark()),
                 {401, "deny", "check:authentication", "unauthenticated", ""});
  }
  // Somebody else's is not there.
  if (action == Action::kApprovalWithdraw) {
    CheckRefused(
        api, route, row, values, api.Ask(route, row, values, api.SecretOf(kAuditor)),
        {404, "deny", "check:existence", "not_found", api.TokenOf(kAuditor).principal.Text()});
    return;
  }
  if (kind == ActionKind::kOwn && action != Action::kTokenRotate) {
    CheckRefused(api, route, row, values, api.Ask(route, row, values, api.SecretOf(kAuditor)),
                 {422, "allow", "self", "no_session", api.TokenOf(kAuditor).principal.Text()});
    return;
  }
  // Who holds another token may rotate this one who may make new ones. Some actions every built-in
  // role has: then a role that may do nothing but see the status.
  const Action asked = action == Action::kTokenRotate    ? Action::kTokenCreate
                       : row.query.contains("data=true") ? Action::kRecordRead
                                                         : action;
  const auto lacking = std::ranges::find_if(
      vault::kRoles, [&](Role role) { return !vault::RoleAllows(role, asked); });
  const bool built_in = lacking != std::end(vault::kRoles);
  const auto bare = api.NewTokenFor("desk-1", 3600, api.Mark());
  REQUIRE(bare);
  const auto principal = built_in ? api.TokenOf(*lacking).principal : bare->info.principal;
  const std::string secret = built_in ? api.SecretOf(*lacking) : bare->secret;
  CheckRefused(api, route, row, values, api.Ask(route, row, values, secret),
               {403, "deny", "check:role", "permission_denied", principal.Text()});
}

// What stands where an id should is the caller's text. Names of classes, roles and purposes that a
// writer gives are in the log.
void AskOfNothing(LogCalls& api, const Route& route, const Row& row, const LogCalls::Values& values,
                  const std::string& bearer) {
  Row nothing = row;
  nothing.path.clear();
  for (std::size_t at = 0; (at = route.path.find('{', at)) != route.path.npos; ++at) {
    const auto end = route.path.find('}', at) + 1;
    nothing.path.emplace(route.path.substr(at, end - at), "{mark}");
  }
  const bool named = nothing.path.contains("{name}") || nothing.path.contains("{code}");
  if (nothing.path.empty() || (named && route.method == Method::kPut)) return;
  const auto answer = api.Ask(route, nothing, values, bearer);
  INFO(answer.reply.body);
  CHECK(answer.reply.status >= 400);
  CHECK(answer.entries.size() == 1);
  for (const json& entry : answer.entries) {
    INFO(entry.dump());
    CHECK(entry.at("decision") == "deny");
    Names names = kOfEveryEntry;
    names.insert({"note_hash", "purpose"});
    CHECK(NamesIn(entry) == names);
  }
}

TEST_CASE("every route has a row that says what it leaves in the log") {
  for (const Route& route : Routes()) {
    INFO(route.operation_id);
    CHECK(std::ranges::find(Rows(), route.operation_id, &Row::operation) != Rows().end());
  }
  for (const Row& row : Rows()) {
    INFO(row.operation);
    REQUIRE(RouteOf(row) != nullptr);
    const bool silent =
        RouteOf(row)->permission.action().value_or(Action::kMetricsRead) == Action::kMetricsRead;
    CHECK(row.leaves.empty() == silent);
  }
}

TEST_CASE("each route leaves the entries that the guide names, each refusal one, and no value") {
  LogCalls api;
  for (const Row& row : Rows()) {
    INFO(row.operation << " " << row.body << row.query);
    const Route& route = *RouteOf(row);
    const auto values = api.NewCase();
    const Role* const role = std::get_if<Role>(&row.who);
    const std::string bearer = role != nullptr                       ? api.SecretOf(*role)
                               : std::get<Holder>(row.who) == kToken ? values.at("{secret}")
                               : std::get<Holder>(row.who) == kSession
                                   ? values.at("{session_secret}")
                                   : "";
    if (route.permission.action()) AskRefused(api, route, row, values);
    AskOfNothing(api, route, row, values, bearer);
    const auto answer = api.Ask(route, row, values, bearer);
    INFO(answer.reply.body.substr(0, 1000));
    CHECK(answer.reply.status == row.status);
    CheckDone(api, route, row, values, answer);
  }

  CHECK(api.marked_answers() > 20);  // what is looked for did get into the vault
  CHECK(api.secrets().size() > Rows().size());
  for (const std::string& line : api.WholeText()) {
    std::string lower = line;
    std::ranges::transform(lower, lower.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    INFO(line);
    if (lower.contains("sentinel")) FAIL_CHECK("a text of the caller's");
    for (const std::string& secret : api.secrets()) {
      if (line.contains(secret)) FAIL_CHECK("a secret: " << secret);
    }
  }
  api.CheckInvariants();
}

const json& Resolved(const json& document, const json& node) {
  const auto ref = node.find("$ref");
  if (ref == node.end()) return node;
  return Resolved(document,
                  document.at(json::json_pointer(ref->get_ref<const std::string&>().substr(1))));
}

// Members of a documented body, and of which type each is.
void CollectMembers(const json& document, const json& node,
                    std::map<std::string, std::string>& members) {
  const json& schema = Resolved(document, node);
  for (const char* choice : {"oneOf", "anyOf", "allOf"}) {
    for (const json& one : schema.value(choice, json::array())) {
      CollectMembers(document, one, members);
    }
  }
  const json properties = schema.value("properties", json::object());
  for (const auto& [name, member] : properties.items()) {
    const json type = Resolved(document, member).value("type", json());
    members[name] = type.is_array()    ? type[0].get<std::string>()
                    : type.is_string() ? type.get<std::string>()
                                       : "";
  }
}

// Where nothing is something that can be said: what it takes away, a list of none, words that only
// people read.
const std::map<std::string_view, Names> kMayBeEmpty = {
    {"createClient", {"tags"}},
    {"updateClient", {"external_ref", "tags"}},
    {"putTeam", {"members"}},
    {"updateUser", {"certificates"}},
    {"updateService", {"certificates"}},
    {"putRole", {"grants", "title"}},
    {"putClass", {"title"}},
    {"previewClass", {"title"}},
    {"putRetentionSchedule", {"jurisdiction_order", "tag_order", "clients_without_records"}},
    {"putPurpose", {"description", "owner", "title"}},
};

TEST_CASE("an empty or blank member of a body is not taken for an absent one") {
  LogCalls api;
  auto document = vault::ParseStrictJson(OpenApiDocument());
  REQUIRE(document);
  std::set<std::string_view> seen;
  int asked = 0;
  for (const Row& row : Rows()) {
    const Route& route = *RouteOf(row);
    const bool is_json = route.body == Body::kJson || route.body == Body::kMergePatch;
    if (!is_json || row.body.empty() || !seen.insert(row.operation).second) {
      continue;
    }
    std::string method(Name(route.method));
    std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::tolower(c); });
    std::map<std::string, std::string> members;
    CollectMembers(
        *document,
        Resolved(*document,
                 document->at("paths").at(std::string(route.path)).at(method).at("requestBody"))
            .at("content")
            .at(MediaTypeOf(route.body))
            .at("schema"),
        members);
    const auto values = api.NewCase();
    const Role* const role = std::get_if<Role>(&row.who);
    const std::string bearer = role != nullptr                       ? api.SecretOf(*role)
                               : std::get<Holder>(row.who) == kToken ? values.at("{secret}")
                               : std::get<Holder>(row.who) == kSession
                                   ? values.at("{session_secret}")
                                   : "";
    for (const auto& [name, type] : members) {
      std::vector<json> nothings;
      if (type == "string") nothings = {"", " \t"};
      if (type == "array") nothings = {json::array(), json::array({""}), json::array({" "})};
      for (const json& nothing : nothings) {
        const auto allowed = kMayBeEmpty.find(row.operation);
        const bool may = allowed != kMayBeEmpty.end() && allowed->second.contains(name);
        const bool of_document =
            row.operation.starts_with("put") || row.operation == "previewClass";
        const bool words = of_document && nothing.is_string();
        if (may && (words || nothing.empty() || nothing == "")) continue;
        Row empty = row;
        json body = json::parse(api.Fill(row.body, values));
        body[name] = nothing;
        const std::string text = body.dump();
        empty.body = text;
        INFO(row.operation << " " << name << " " << nothing.dump());
        const auto answer = api.Ask(route, empty, values, bearer);
        ++asked;
        INFO(answer.reply.body);
        CHECK(answer.reply.status >= 400);
        if (answer.reply.status < 400) continue;
        if (name.contains("password")) continue;  // one that is wrong, and may be anything
        CHECK((answer.reply.status == 422 || answer.reply.status == 400));
        const auto pointers = LogCalls::Pointers(answer.reply);
        CHECK(std::ranges::any_of(pointers, [&](const std::string& pointer) {
          return pointer == "/" + name || pointer.starts_with("/" + name + "/");
        }));
        REQUIRE(answer.entries.size() == 1);
        CHECK(answer.entries[0].at("decision") == "deny");
      }
    }
  }
  CHECK(asked > 150);
  api.CheckInvariants();
}

}  // namespace
}  // namespace coffer::api
