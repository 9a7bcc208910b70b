#include "api/routes/approval_preview.h"

#include <nlohmann/json.hpp>

#include "audit/text/clock.h"
#include "vault/deletion/approval_preview.h"

namespace coffer::api {
namespace {

using nlohmann::json;

json Held(const vault::Hold& hold, bool words) {
  json object = {{"id", hold.id.Text()},
                 {"review_due", audit::FormatTimestamp(hold.terms.review_due)}};
  if (hold.terms.client) object["client"] = hold.terms.client->Text();
  PutText(object, "class", hold.terms.class_name);
  PutText(object, "tag", hold.terms.tag);
  if (words) {
    PutText(object, "reason", hold.terms.reason);
    PutText(object, "case_number", hold.terms.case_number);
  }
  return object;
}

json Kept(const vault::KeptByRule& rule) {
  json object = {
      {"class", rule.class_name}, {"state", Name(rule.state)}, {"records", rule.records}};
  PutText(object, "policy", rule.policy);
  PutText(object, "basis", rule.basis);
  if (rule.until) object["until"] = audit::FormatTimestamp(*rule.until);
  return object;
}

json Erased(const vault::ErasurePreview& preview) {
  json object = {{"client", preview.client.Text()},
                 {"there", preview.there},
                 {"records", preview.records},
                 {"missing", preview.missing},
                 {"assignments", preview.assignments},
                 {"leases", preview.leases},
                 {"held_by", preview.held_by},
                 {"all_counted", preview.all_counted},
                 {"classes", json::array()},
                 {"holds", json::array()},
                 {"kept", json::array()}};
  if (preview.external_ref) object["external_ref"] = *preview.external_ref;
  if (preview.schedule) object["schedule"] = *preview.schedule;
  for (const auto& one : preview.classes) {
    json counted = {{"class", one.class_name}, {"records", one.records}};
    PutText(counted, "title", one.title);
    object["classes"].push_back(std::move(counted));
  }
  for (const auto& hold : preview.holds) object["holds"].push_back(Held(hold, preview.hold_words));
  for (const auto& rule : preview.kept) object["kept"].push_back(Kept(rule));
  return object;
}

json Replaced(const vault::ReplacementPreview& preview) {
  json object = {{"what", preview.what},
                 {"version", preview.version},
                 {"is_new", preview.is_new},
                 {"more", preview.difference.more},
                 {"changes", json::array()}};
  PutText(object, "name", preview.name);
  for (const auto& change : preview.difference.changes) {
    json one = {{"change", Name(change.kind)}, {"words", change.words}};
    if (!change.before.empty()) one["before"] = json::parse(change.before, nullptr, false);
    if (!change.after.empty()) one["after"] = json::parse(change.after, nullptr, false);
    object["changes"].push_back(std::move(one));
  }
  return object;
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::ApprovalQuestion& question) {
  json members = json::object();
  PutText(members, "login", question.login);
  PutText(members, "name", question.name);
  PutText(members, "ticket", question.ticket);
  PutText(members, "reason", question.reason);
  object.Members(members);
}

void WriteMembers(ObjectWriter& object, const vault::ApprovalPreview& preview) {
  json members = {{"at", audit::FormatTimestamp(preview.at)}};
  if (preview.erasure) members["erasure"] = Erased(*preview.erasure);
  if (preview.hold) {
    members["hold"] = Held(preview.hold->hold, preview.hold->words);
    members["hold"]["clients"] = preview.hold->clients;
    members["hold"]["more_clients"] = preview.hold->more_clients;
    members["hold"]["other_holds"] = preview.hold->other_holds;
  }
  if (preview.exported) {
    members["export"] = {{"clients", preview.exported->clients},
                         {"more_clients", preview.exported->more_clients}};
  }
  if (preview.replacement) members["replacement"] = Replaced(*preview.replacement);
  object.Members(members);
}

}  // namespace coffer::api
