#include "api/cli/text/package_page.h"

#include <map>
#include <nlohmann/json.hpp>

#include "api/cli/text/json_view.h"
#include "api/cli/text/mustache.h"
#include "audit/documents/messages.h"

namespace coffer::cli {
namespace {

using audit::Messages;
using nlohmann::json;

// Each value stands in its own <bdi>.
constexpr std::string_view kPage = R"PAGE(<!doctype html>
<html lang="{{tag}}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{package_title}}</title>
<style>
body{font:16px/1.5 sans-serif;max-width:64em;margin:2em auto;padding:0 1em;color:#111;background:#fff}
h1,h2,h3{line-height:1.2}table{border-collapse:collapse;width:100%;margin:.5em 0 1em}
th,td{border:1px solid #bbb;padding:.25em .5em;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{background:#eee}bdi{white-space:pre-wrap}code{overflow-wrap:anywhere}dt{font-weight:bold}dd{margin:0 0 .4em 1em}
@media print{body{max-width:none;margin:0}}
</style>
</head>
<body>
<h1>{{package_title}}</h1>
<p>{{package_intro}}</p>
<dl>
<dt>{{package_number}}</dt><dd><code>{{id}}</code>, {{recipient}}</dd>
<dt>{{package_made}}</dt><dd>{{made}}</dd>
{{#has_contact}}
<dt>{{package_contact}}</dt><dd><bdi>{{contact}}</bdi></dd>
{{/has_contact}}
</dl>
<h2>{{package_section_client}}</h2>
<dl>
{{#client}}
<dt>{{name}}</dt><dd><bdi>{{value}}</bdi></dd>
{{/client}}
</dl>
<h2>{{package_section_stored}}</h2>
{{#classes}}
<h3><bdi>{{title}}</bdi></h3>
<dl>
<dt>{{package_class_purposes}}</dt>
{{#purposes}}
<dd><bdi>{{.}}</bdi></dd>
{{/purposes}}
<dt>{{package_class_retention}}</dt><dd><bdi>{{rule}}</bdi></dd>
<dt>{{package_class_fields}}</dt><dd><bdi>{{fields}}</bdi></dd>
</dl>
<table>
<tr><th>{{package_column_data}}</th><th>{{package_column_version}}</th><th>{{package_column_written}}</th><th>{{package_column_current}}</th><th>{{package_column_kept}}</th><th>{{package_source}}</th></tr>
{{#versions}}
<tr><td>{{#values}}<div><bdi>{{name}}</bdi>: <bdi>{{value}}</bdi></div>{{/values}}</td><td>{{version}}</td><td>{{written}}</td><td>{{current}}</td><td>{{kept}}</td><td>{{source}}</td></tr>
{{/versions}}
</table>
{{/classes}}
{{^classes}}
<p>{{package_none}}</p>
{{/classes}}
<h2>{{package_section_consents}}</h2>
{{#has_consents}}
<table>
<tr><th>{{column_purpose}}</th><th>{{package_column_text}}</th><th>{{package_column_given}}</th><th>{{package_column_expires}}</th><th>{{package_column_withdrawn}}</th></tr>
{{#consents}}
<tr><td><bdi>{{purpose}}</bdi></td><td><bdi>{{text}}</bdi></td><td>{{given}}</td><td>{{expires}}</td><td>{{withdrawn}}</td></tr>
{{/consents}}
</table>
{{/has_consents}}
{{^has_consents}}
<p>{{package_none}}</p>
{{/has_consents}}
<h2>{{package_section_restrictions}}</h2>
{{#has_restrictions}}
<table>
<tr><th>{{package_column_given}}</th><th>{{package_column_what}}</th><th>{{package_column_why}}</th></tr>
{{#restrictions}}
<tr><td>{{since}}</td><td><bdi>{{what}}</bdi></td><td><bdi>{{why}}</bdi></td></tr>
{{/restrictions}}
</table>
{{/has_restrictions}}
{{^has_restrictions}}
<p>{{package_none}}</p>
{{/has_restrictions}}
<h2>{{package_section_requests}}</h2>
{{#has_requests}}
<table>
<tr><th>{{column_time}}</th><th>{{package_column_what}}</th><th>{{package_column_state}}</th></tr>
{{#requests}}
<tr><td>{{at}}</td><td><bdi>{{what}}</bdi></td><td><bdi>{{state}}</bdi></td></tr>
{{/requests}}
</table>
{{/has_requests}}
{{^has_requests}}
<p>{{package_none}}</p>
{{/has_requests}}
<h2>{{package_section_disclosures}}</h2>
<p>{{package_disclosures_how}}</p>
{{#has_disclosures}}
<table>
<tr><th>{{package_column_given}}</th><th>{{package_column_recipient}}</th><th>{{package_column_what}}</th><th>{{column_seq}}</th></tr>
{{#disclosures}}
<tr><td>{{at}}</td><td><bdi>{{recipient}}</bdi></td><td><bdi>{{what}}</bdi></td><td>{{seq}}</td></tr>
{{/disclosures}}
</table>
{{/has_disclosures}}
{{^has_disclosures}}
<p>{{package_none}}</p>
{{/has_disclosures}}
<h2>{{package_section_packages}}</h2>
<table>
<tr><th>{{column_time}}</th><th>{{package_number}}</th><th>{{package_column_state}}</th></tr>
{{#packages}}
<tr><td>{{at}}</td><td><code>{{what}}</code></td><td><bdi>{{state}}</bdi></td></tr>
{{/packages}}
</table>
<h2>{{package_section_looked}}</h2>
<p>{{package_looked_how}}</p>
<table>
<tr><th>{{column_seq}}</th><th>{{column_time}}</th><th>{{column_actor}}</th><th>{{column_action}}</th><th>{{column_purpose}}</th><th>{{column_fields}}</th><th>{{column_decision}}</th><th>{{column_outcome}}</th></tr>
{{#log}}
<tr><td>{{seq}}</td><td>{{at}}</td><td><bdi>{{who}}</bdi></td><td>{{action}}</td><td><bdi>{{purpose}}</bdi></td><td><bdi>{{fields}}</bdi></td><td>{{decision}}</td><td>{{outcome}}</td></tr>
{{/log}}
</table>
<h2>{{package_section_left_out}}</h2>
<table>
<tr><th>{{package_column_what}}</th><th>{{package_column_why}}</th></tr>
{{#left_out}}
<tr><td><bdi>{{what}}</bdi></td><td>{{why}}</td></tr>
{{/left_out}}
</table>
<h2>{{package_section_rights}}</h2>
<p>{{package_rights}}</p>
<p>{{package_complain}}</p>
<h2>{{package_section_check}}</h2>
<p>{{package_check_how}}</p>
</body>
</html>
)PAGE";

std::string DayAndTime(const std::string& time) {
  constexpr std::size_t kMinutes = 16;
  if (time.size() < kMinutes || time[10] != 'T') return time;
  return time.substr(0, 10) + " " + time.substr(11, 5) + " UTC";
}

// "package.section.client" as the template has it.
std::string TemplateNameOf(std::string_view key) {
  std::string name(key);
  for (char& c : name) {
    if (c == '.') c = '_';
  }
  return name;
}

class PackagePageValues {
 public:
  PackagePageValues(const json& package, audit::PageLanguage language)
      : package_(package),
        about_(Member(package, "about")),
        messages_(audit::MessagesIn(language)) {
    for (const json& item : Member(about_, "classes")) {
      const std::string name = Text(item, "name"), title = Text(item, "title");
      classes_[name] = title.empty() ? name : title;
      for (const json& field : Member(item, "fields")) {
        const std::string label = Text(field, "title");
        fields_[name + "." + Text(field, "name")] = label.empty() ? Text(field, "name") : label;
      }
    }
    for (const json& item : Member(package, "log")) {
      const std::string action = Text(item, "action");
      if (action != "record.create" && action != "record.import") continue;
      sources_.try_emplace(Text(item, "record"), audit::Fill(Say("package.source." + action),
                                                             DayAndTime(Text(item, "at"))));
    }
  }

  json All(audit::PageLanguage language, std::string_view contact) const {
    json values = Sentences();
    values["tag"] = audit::LanguageTag(language);
    values["id"] = Text(package_, "package");
    values["made"] = DayAndTime(Text(package_, "made"));
    values["recipient"] = WordFor("package.recipient.", Text(about_, "recipient"));
    values["has_contact"] = !contact.empty();
    values["contact"] = contact;
    values["client"] = ClientRows();
    values["classes"] = Classes();
    PutRows(values, "consents", Consents());
    PutRows(values, "restrictions", Restrictions());
    PutRows(values, "requests", Asked("requests", "received", "kind"));
    PutRows(values, "disclosures", Disclosed());
    PutRows(values, "packages", Asked("packages", "prepared", "id"));
    values["log"] = Looked();
    values["left_out"] = LeftOut();
    return values;
  }

 private:
  const std::string& Say(std::string_view key) const { return audit::Say(messages_, key); }
  // The word for a code, or the code.
  std::string WordFor(std::string_view prefix, const std::string& code) const {
    const std::string* const word = audit::Find(messages_, prefix, code);
    return word == nullptr ? code : *word;
  }
  std::string PurposeOf(const std::string& code) const {
    const std::string title = Text(Member(Member(about_, "purposes"), code), "title");
    return title.empty() ? code : title + " (" + code + ")";
  }
  std::string ClassOf(const std::string& name) const {
    const auto found = classes_.find(name);
    return found == classes_.end() ? name : found->second;
  }
  std::string FieldOf(const std::string& class_name, const std::string& field) const {
    const auto found = fields_.find(class_name + "." + field);
    return found == fields_.end() ? field : found->second;
  }

  json Sentences() const {
    json values = json::object();
    for (const auto& [key, text] : messages_) {
      if (key.starts_with("package.") || key.starts_with("column.")) {
        values[TemplateNameOf(key)] = text;
      }
    }
    return values;
  }
  static void PutRows(json& values, const std::string& name, json rows) {
    values["has_" + name] = !rows.empty();
    values[name] = std::move(rows);
  }

  json ClientRows() const {
    const json& client = Member(about_, "client");
    json rows = json::array();
    const auto add = [&](std::string_view key, const std::string& value) {
      if (!value.empty()) rows.push_back({{"name", Say(key)}, {"value", value}});
    };
    add("package.client.id", Text(client, "id"));
    add("package.client.reference", Text(client, "external_ref"));
    std::string tags;
    for (const auto& tag : TextList(client, "tags")) tags += (tags.empty() ? "" : ", ") + tag;
    add("package.client.tags", tags);
    add("package.client.created", DayAndTime(Text(client, "created")));
    add("package.client.ended", DayAndTime(Text(client, "relationship_end")));
    return rows;
  }

  std::string RuleIn(const json& rule) const {
    if (!rule.is_object()) return Say("package.rule.none");
    if (rule.contains("keep")) return audit::Fill(Say("package.rule.keep"), Text(rule, "keep"));
    return Text(rule, "period") + ", " + WordFor("package.rule.from.", Text(rule, "from")) + ", " +
           WordFor("package.rule.then.", Text(rule, "then")) + " (" + Text(rule, "basis") + ")";
  }

  json Classes() const {
    std::map<std::string, json> versions;
    for (const json& item : Member(package_, "records")) {
      versions.try_emplace(Text(item, "class"), json::array())
          .first->second.push_back(VersionRow(item));
    }
    json rows = json::array();
    for (const json& item : Member(about_, "classes")) {
      const std::string name = Text(item, "name");
      json purposes = json::array();
      for (const json& purpose : Member(item, "purposes")) {
        const std::string basis = Text(purpose, "legal_basis");
        purposes.push_back(Text(purpose, "title") + (basis.empty() ? "" : ": " + basis));
      }
      std::string fields;
      for (const json& field : Member(item, "fields")) {
        fields += (fields.empty() ? "" : ", ") + FieldOf(name, Text(field, "name"));
      }
      const auto found = versions.find(name);
      rows.push_back({{"title", ClassOf(name)},
                      {"purposes", std::move(purposes)},
                      {"rule", RuleIn(Member(item, "retention"))},
                      {"fields", fields},
                      {"versions", found == versions.end() ? json::array() : found->second}});
      if (found != versions.end()) versions.erase(found);
    }
    // Of a class that came while the package was made.
    for (auto& [name, of_class] : versions) {
      rows.push_back({{"title", name},
                      {"purposes", json::array()},
                      {"rule", Say("package.rule.none")},
                      {"fields", ""},
                      {"versions", std::move(of_class)}});
    }
    return rows;
  }

  json VersionRow(const json& item) const {
    const std::string class_name = Text(item, "class");
    json values = json::array();
    for (const auto& [name, value] : Member(item, "data").items()) {
      values.push_back({{"name", FieldOf(class_name, name)}, {"value", TextOf(value)}});
    }
    for (const auto& name : TextList(item, "left_out")) {
      values.push_back({{"name", FieldOf(class_name, name)}, {"value", Say("package.hidden")}});
    }
    const auto source = sources_.find(Text(item, "record"));
    return {{"values", std::move(values)},
            {"version", Text(item, "version")},
            {"written", DayAndTime(Text(item, "written"))},
            {"current", Say(Member(item, "current") == true ? "package.yes" : "package.no")},
            {"kept", DayAndTime(Text(Member(item, "kept"), "until"))},
            {"source", source == sources_.end() ? Say("package.source.unknown") : source->second}};
  }

  json Consents() const {
    json rows = json::array();
    for (const json& item : Member(about_, "consents")) {
      rows.push_back(
          {{"purpose", PurposeOf(Text(item, "purpose"))},
           {"text", Text(item, "text") + " " + Text(item, "text_version") + " (" +
                        Text(item, "language") + ", SHA-256 " + Text(item, "sha256") + ")"},
           {"given", DayAndTime(Text(item, "given"))},
           {"expires", DayAndTime(Text(item, "expires"))},
           {"withdrawn", DayAndTime(Text(item, "withdrawn"))}});
    }
    return rows;
  }

  json Restrictions() const {
    json rows = json::array();
    for (const json& item : Member(about_, "restrictions")) {
      const bool all_but = item.contains("all_but");
      std::string codes;
      for (const auto& code : TextList(item, all_but ? "all_but" : "purposes")) {
        codes += (codes.empty() ? "" : ", ") + PurposeOf(code);
      }
      std::string what = !all_but        ? codes
                         : codes.empty() ? Say("package.stops.all")
                                         : audit::Fill(Say("package.stops.but"), codes);
      std::string bases;
      for (const auto& basis : TextList(item, "legal_bases")) {
        bases += (bases.empty() ? "" : ", ") + WordFor("register.basis.", basis);
      }
      if (!bases.empty()) {
        what += (what.empty() ? "" : "; ") + audit::Fill(Say("package.stops.based"), bases);
      }
      if (const std::string lifted = Text(item, "lifted"); !lifted.empty()) {
        what += "; " + audit::Fill(Say("package.stops.lifted"), DayAndTime(lifted));
      }
      const std::string of = Text(item, "class");
      if (!of.empty()) what = ClassOf(of) + ": " + what;
      rows.push_back({{"since", DayAndTime(Text(item, "since"))},
                      {"what", what},
                      {"why", Text(item, "basis")}});
    }
    return rows;
  }

  json Asked(const char* list, const char* time, const char* what) const {
    json rows = json::array();
    for (const json& item : Member(about_, list)) {
      rows.push_back({{"at", DayAndTime(Text(item, time))},
                      {"what", Text(item, what)},
                      {"state", Text(item, "state")}});
    }
    return rows;
  }

  json Disclosed() const {
    json rows = json::array();
    for (const json& item : Member(about_, "disclosures")) {
      std::string recipient = Text(item, "recipient");
      if (const std::string country = Text(item, "country"); !country.empty()) {
        recipient += " (" + country + ")";
      }
      std::string what;
      for (const auto& name : TextList(item, "classes")) {
        what += (what.empty() ? "" : ", ") + ClassOf(name);
      }
      if (const std::string purpose = Text(item, "purpose"); !purpose.empty()) {
        what += (what.empty() ? "" : "; ") + PurposeOf(purpose);
      }
      rows.push_back({{"at", DayAndTime(Text(item, "given"))},
                      {"recipient", recipient},
                      {"what", what},
                      {"seq", Text(item, "entry")}});
    }
    return rows;
  }

  json Looked() const {
    json rows = json::array();
    for (const json& item : Member(package_, "log")) {
      const json& who = Member(item, "who");
      std::string person = WordFor("kind.", Text(who, "kind"));
      for (const char* member : {"role", "actor", "person"}) {
        const std::string text = Text(who, member);
        if (!text.empty()) person += ", " + text;
      }
      const std::string class_name = Text(item, "class");
      std::string fields = class_name.empty() ? "" : ClassOf(class_name);
      for (const auto& field : TextList(item, "fields")) {
        fields += (fields.empty() ? "" : ", ") + FieldOf(class_name, field);
      }
      rows.push_back({{"seq", Text(item, "seq")},
                      {"at", DayAndTime(Text(item, "at"))},
                      {"who", person},
                      {"action", WordFor("action.", Text(item, "action"))},
                      {"purpose", PurposeOf(Text(item, "purpose"))},
                      {"fields", fields},
                      {"decision", WordFor("decision.", Text(item, "decision"))},
                      {"outcome", WordFor("outcome.", Text(item, "outcome"))}});
    }
    return rows;
  }

  json LeftOut() const {
    json rows = json::array();
    for (const json& item : Member(package_, "left_out")) {
      const std::string of = Text(item, "class"), field = Text(item, "field");
      std::string what = of.empty() ? "…" : ClassOf(of);
      if (!field.empty()) what += ": " + FieldOf(of, field);
      what += " (" + Text(item, "count") + ")";
      rows.push_back({{"what", what}, {"why", WordFor("package.why.", Text(item, "reason"))}});
    }
    for (const json& item : Member(about_, "left_out")) {
      const std::string what = Text(item, "what");
      const std::string key = what == "log"        ? "package.section.looked"
                              : what == "requests" ? "package.section.requests"
                                                   : "package.section.consents";
      rows.push_back({{"what", Say(key)}, {"why", WordFor("package.why.", Text(item, "reason"))}});
    }
    return rows;
  }

  const json& package_;
  const json& about_;
  const Messages& messages_;
  std::map<std::string, std::string> classes_, fields_, sources_;
};

}  // namespace

Outcome<std::string> PackagePage(const json& package, audit::PageLanguage language,
                                 std::string_view contact) {
  const PackagePageValues values(package, language);
  return RenderMustache(kPage, values.All(language, contact));
}

}  // namespace coffer::cli
