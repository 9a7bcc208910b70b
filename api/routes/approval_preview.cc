// What an office's day asks of the vault as JSON: what an approval would do, clients handed over,
// what an emergency was used for, who read how many clients.
#include <cmath>
#include <nlohmann/json.hpp>

#include "api/routes/reply.h"
#include "audit/text/clock.h"

namespace coffer::api {
namespace {

using nlohmann::json;

std::string Time(audit::Timestamp time) { return audit::FormatTimestamp(time); }

void PutText(json& object, const char* name, const std::string& text) {
  if (!text.empty()) object[name] = text;
}

json Held(const vault::Hold& hold, bool words) {
  json object = {{"id", hold.id.Text()}, {"review_due", Time(hold.terms.review_due)}};
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
  if (rule.until) object["until"] = Time(*rule.until);
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

json Uses(const vault::EmergencyReport& report) {
  json uses = json::array();
  for (const auto& use : report.uses) {
    json one = {{"seq", use.seq}, {"ts", Time(use.ts)}, {"action", use.action}};
    PutText(one, "record", use.record);
    PutText(one, "class", use.class_name);
    PutText(one, "detail", use.detail);
    if (use.version != 0) one["version"] = use.version;
    if (!use.fields.empty()) one["fields"] = use.fields;
    uses.push_back(std::move(one));
  }
  return uses;
}

json Answered(const vault::AssignedClient& client) {
  json object = json::object();
  if (client.name.id) object["client"] = client.name.id->Text();
  PutText(object, "external_ref", client.name.external_ref);
  if (client.assignment) {
    object["client"] = client.assignment->client.Text();
    object["outcome"] = client.assignment->changed ? "assigned" : "unchanged";
    std::string assignment;
    Append(assignment, *client.assignment);
    object["assignment"] = json::parse(assignment);
    return object;
  }
  object["outcome"] = "refused";
  object["code"] = client.error->reason;
  if (!client.error->issues.empty()) object["message"] = client.error->issues.front().message;
  return object;
}

json Answered(const std::vector<vault::AssignedClient>& clients) {
  json items = json::array();
  for (const auto& client : clients) items.push_back(Answered(client));
  return items;
}

std::string Written(const json& object) {
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

void Append(std::string& out, const vault::ApprovalQuestion& question) {
  json object = json::object();
  PutText(object, "login", question.login);
  PutText(object, "name", question.name);
  PutText(object, "ticket", question.ticket);
  PutText(object, "reason", question.reason);
  out += Written(object);
}

void Append(std::string& out, const vault::ApprovalPreview& preview) {
  json object = {{"at", Time(preview.at)}};
  if (preview.erasure) object["erasure"] = Erased(*preview.erasure);
  if (preview.hold) {
    object["hold"] = Held(preview.hold->hold, preview.hold->words);
    object["hold"]["clients"] = preview.hold->clients;
    object["hold"]["more_clients"] = preview.hold->more_clients;
    object["hold"]["other_holds"] = preview.hold->other_holds;
  }
  if (preview.exported) {
    object["export"] = {{"clients", preview.exported->clients},
                        {"more_clients", preview.exported->more_clients}};
  }
  if (preview.replacement) object["replacement"] = Replaced(*preview.replacement);
  out += Written(object);
}

void Append(std::string& out, const std::vector<vault::AssignedClient>& clients) {
  out += Written({{"items", Answered(clients)}});
}

void Append(std::string& out, const vault::HandedOver& done) {
  json object = {{"items", Answered(done.clients)}, {"skipped", done.skipped}};
  PutText(object, "next_cursor", done.next_cursor);
  out += Written(object);
}

void Append(std::string& out, const vault::EmergencyReport& report) {
  Append(out, report.emergency);
  out.pop_back();  // the object goes on
  out += ",\"uses\":" + Written(Uses(report));
  AppendNextCursor(out, report.next ? std::to_string(*report.next) : std::string());
  out += '}';
}

void Append(std::string& out, const vault::ReaderReport& report) {
  json object = {{"from", Time(report.from)},
                 {"to", Time(report.to)},
                 {"size", report.size},
                 {"more", report.more},
                 {"items", json::array()}};
  for (const auto& reader : report.readers) {
    json item = {{"principal", reader.principal.Text()},
                 {"name", reader.name},
                 {"role", reader.role},
                 {"reads", reader.reads},
                 {"clients", reader.clients}};
    PutText(item, "login", reader.login);
    if (!reader.group.empty()) {
      item["group"] = reader.group;
      item["colleagues"] = reader.colleagues;
      item["median"] = reader.median;
      // To two places; without colleagues who read any there is nothing to divide by.
      if (reader.median > 0) {
        item["ratio"] = std::round(static_cast<double>(reader.clients) / reader.median * 100) / 100;
      }
    }
    object["items"].push_back(std::move(item));
  }
  out += Written(object);
}

std::string PlainFields(const vault::AccessAnswer& answer) {
  json fields = json::object();
  for (const auto& [name, sources] : answer.plain) {
    json list = json::array();
    for (const auto& source : sources) {
      switch (source.by) {
        case vault::PlainSource::By::kGrant:
          list.push_back({{"by", "grant"}, {"grant", *source.grant}, {"scope", source.scope}});
          break;
        case vault::PlainSource::By::kLease:
          list.push_back({{"by", "lease"}, {"id", source.id}});
          break;
        case vault::PlainSource::By::kEmergency:
          list.push_back({{"by", "emergency"}, {"id", source.id}});
          break;
      }
    }
    fields[name] = std::move(list);
  }
  return Written(fields);
}

}  // namespace coffer::api
