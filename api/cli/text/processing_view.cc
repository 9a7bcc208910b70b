#include "api/cli/text/processing_view.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/text/json_view.h"
#include "api/cli/text/mustache.h"
#include "audit/documents/messages.h"
#include "audit/text/csv_cell.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

// In each order its sections, with the articles that ask for them.
struct OrderedSection {
  std::string_view name, article;
};
constexpr std::array<OrderedSection, 12> kGdprSections = {{{"controller", "30(1)(a)"},
                                                           {"purposes", "30(1)(b)"},
                                                           {"data_subjects", "30(1)(c)"},
                                                           {"classes", "30(1)(c)"},
                                                           {"recipients", "30(1)(d)"},
                                                           {"roles", "30(1)(d)"},
                                                           {"transfers", "30(1)(e)"},
                                                           {"retention", "30(1)(f)"},
                                                           {"safeguards", "30(1)(g)"},
                                                           {"consent_texts", "7(1)"},
                                                           {"further", ""},
                                                           {"missing", ""}}};
constexpr std::array<OrderedSection, 12> kRussianSections = {{{"controller", "22(3)(1), (7.1)"},
                                                              {"purposes", "22(3)(2), 22(3.1)"},
                                                              {"classes", "22(3.1)"},
                                                              {"data_subjects", "22(3.1)"},
                                                              {"safeguards", "22(3)(7), (11)"},
                                                              {"further", "22(3)(8), (10.1)"},
                                                              {"retention", "22(3)(9)"},
                                                              {"transfers", "22(3)(10)"},
                                                              {"recipients", ""},
                                                              {"roles", ""},
                                                              {"consent_texts", "9(4)"},
                                                              {"missing", ""}}};
constexpr std::array<OrderedSection, 12> kChineseSections = {{{"purposes", "56(1)"},
                                                              {"classes", "55(1)"},
                                                              {"data_subjects", ""},
                                                              {"recipients", "55(3)"},
                                                              {"transfers", "55(4)"},
                                                              {"safeguards", "56(3)"},
                                                              {"roles", "51"},
                                                              {"retention", "17(2)"},
                                                              {"consent_texts", "14"},
                                                              {"controller", "17(1), 52, 53"},
                                                              {"further", "55"},
                                                              {"missing", ""}}};

const std::array<OrderedSection, 12>& SectionsOf(std::string_view order) {
  if (order == "ru-152fz") return kRussianSections;
  return order == "pipl" ? kChineseSections : kGdprSections;
}

constexpr std::string_view kRegisterPage = R"(<!DOCTYPE html>
<html lang="{{language}}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}}</title>
<style>
body{font:14px/1.5 system-ui,sans-serif;margin:0 auto;padding:2rem;max-width:72rem;color:#111}
h1{font-size:1.4rem;margin:0}h2{font-size:1.05rem;margin:1.6rem 0 .4rem}
small{color:#555;font-weight:400}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}
dt{color:#555}dd{margin:0}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .5rem;border-bottom:1px solid #ddd}
th{background:#f2f4f6}td,dd{overflow-wrap:anywhere;unicode-bidi:isolate}
@media print{@page{size:A4 landscape;margin:12mm}body{font-size:9px;padding:0;max-width:none}tr{break-inside:avoid}}
</style>
</head>
<body>
<h1>{{title}}</h1>
<p>{{order}}</p>
<dl>
{{#facts}}<dt>{{name}}</dt><dd>{{value}}</dd>
{{/facts}}</dl>
{{#sections}}<h2>{{heading}} <small>{{article}}</small></h2>
{{#any}}<table>
<thead><tr>{{#columns}}<th>{{.}}</th>{{/columns}}</tr></thead>
<tbody>
{{#rows}}<tr>{{#cells}}<td>{{.}}</td>{{/cells}}</tr>
{{/rows}}</tbody>
</table>
{{/any}}{{^any}}<p>{{nothing}}</p>
{{/any}}{{/sections}}</body>
</html>
)";

class ViewWriter {
 public:
  ViewWriter(const json& whole, audit::PageLanguage language)
      : whole_(whole), messages_(audit::MessagesIn(language)) {}

  std::string Say(std::string_view key) const {
    return audit::Say(messages_, "register." + std::string(key));
  }
  // What the program has a code for; another one stands as it is.
  std::string Word(std::string_view prefix, const std::string& code) const {
    const std::string* const words = audit::Find(messages_, prefix, code);
    return words == nullptr ? code : *words;
  }
  std::string YesOrNo(const json& object, std::string_view member) const {
    const std::string said = Text(object, member);
    if (said.empty()) return {};
    return said == "true" ? Say("yes") : Say("no");
  }

  void Fill(std::string_view name, RegisterSection& section) {
    if (name == "controller") return Controllers(section);
    if (name == "purposes") return Purposes(section);
    if (name == "data_subjects") return Named(name, {"name", "description"}, section);
    if (name == "classes") return Classes(section);
    if (name == "recipients") return Named(name, {"name", "description", "country"}, section);
    if (name == "transfers") return Named(name, {"name", "country", "safeguards"}, section);
    if (name == "retention") return Retention(section);
    if (name == "roles") return Roles(section);
    if (name == "consent_texts") return ConsentTexts(section);
    if (name == "safeguards") return Safeguards(section);
    return Further(section);
  }

  void Missing(const json& missing, RegisterSection& section) const {
    Columns(section, {"fact", "subject", "article", "where"});
    for (const json& one : missing) {
      const std::string pointer = Text(one, "pointer");
      section.rows.push_back({Word("register.fact.", Text(one, "fact")), Text(one, "subject"),
                              Text(one, "article"),
                              Text(one, "route") + (pointer.empty() ? "" : " " + pointer)});
    }
  }

 private:
  void Columns(RegisterSection& section, std::initializer_list<std::string_view> names) const {
    for (const std::string_view name : names) {
      section.columns.push_back(Word("register.column.", std::string(name)));
    }
  }
  static std::string Joined(const std::vector<std::string>& texts) {
    std::string joined;
    for (const std::string& text : texts) joined += (joined.empty() ? "" : ", ") + text;
    return joined;
  }
  // "title (name)"
  static std::string Titled(const json& object) {
    const std::string title = Text(object, "title"), name = Text(object, "name");
    return title.empty() ? name : title + " (" + name + ")";
  }
  void AddNone(std::string_view member, RegisterSection& section, std::size_t before) const {
    const std::string why = Text(Member(whole_, "none"), member);
    if (why.empty()) return;
    std::vector<std::string> row(section.columns.size());
    row[before] = audit::Fill(Say("none"), why);
    section.rows.push_back(std::move(row));
  }

  void Controllers(RegisterSection& section) const {
    Columns(section, {"who", "name", "address", "contact"});
    for (const char* const member :
         {"controller", "joint_controllers", "representative", "data_protection_officer"}) {
      const std::string who = Word("register.party.", member);
      const json& said = Member(whole_, member);
      const auto add = [&](const json& party) {
        section.rows.push_back(
            {who, Text(party, "name"), Text(party, "address"), Text(party, "contact")});
      };
      if (said.is_array()) {
        for (const json& party : said) add(party);
      } else if (said.is_object()) {
        add(said);
      }
      const std::size_t rows = section.rows.size();
      AddNone(member, section, 1);
      if (section.rows.size() > rows) section.rows.back()[0] = who;
    }
  }

  void Purposes(RegisterSection& section) const {
    Columns(section,
            {"name", "title", "legal_basis", "owner", "consent", "classes", "description"});
    for (const json& one : Member(whole_, "purposes")) {
      section.rows.push_back({Text(one, "name"), Text(one, "title"),
                              Word("register.basis.", Text(one, "legal_basis")), Text(one, "owner"),
                              YesOrNo(one, "requires_consent"), Joined(TextList(one, "classes")),
                              Text(one, "description")});
    }
  }

  // Objects whose members are columns, or why there are none.
  void Named(std::string_view member, std::initializer_list<std::string_view> columns,
             RegisterSection& section) const {
    Columns(section, columns);
    for (const json& one : Member(whole_, member)) {
      std::vector<std::string>& row = section.rows.emplace_back();
      for (const std::string_view column : columns) row.push_back(Text(one, column));
    }
    AddNone(member, section, 0);
  }

  void Classes(RegisterSection& section) const {
    Columns(section, {"class", "fields", "special", "third_person", "index"});
    for (const json& one : Member(whole_, "classes")) {
      std::vector<std::string> fields, special, third, indexed;
      for (const json& field : Member(one, "fields")) {
        const std::string name = Titled(field);
        fields.push_back(name);
        if (Text(field, "sensitivity") == "special") special.push_back(name);
        if (Text(field, "third_person") == "true") third.push_back(name);
        if (Text(field, "index") == "true") indexed.push_back(name);
      }
      section.rows.push_back(
          {Titled(one), Joined(fields), Joined(special), Joined(third), Joined(indexed)});
    }
  }

  void AddPolicies(const std::string& of, const json& policies, RegisterSection& section) const {
    for (const json& policy : policies) {
      std::string whose = of;
      for (const char* const narrowed : {"jurisdiction", "tag"}) {
        const std::string by = Text(policy, narrowed);
        if (!by.empty()) whose += ", " + by;
      }
      const std::string keep = Text(policy, "keep");
      section.rows.push_back(
          {whose, keep.empty() ? Text(policy, "period") : std::string(),
           Word("register.trigger.", Text(policy, "trigger")),
           Word("register.action.", keep.empty() ? Text(policy, "action") : std::string("keep")),
           keep.empty() ? Text(policy, "basis") : keep});
    }
  }
  void Retention(RegisterSection& section) const {
    Columns(section, {"class", "period", "trigger", "action", "basis"});
    for (const json& one : Member(whole_, "classes")) {
      AddPolicies(Titled(one), Member(one, "retention"), section);
      const std::string keep = Text(one, "keep");
      if (!keep.empty()) {
        section.rows.push_back({Titled(one), {}, {}, Word("register.action.", "keep"), keep});
      }
    }
    AddPolicies({}, Member(whole_, "clients_without_records"), section);
  }

  void Roles(RegisterSection& section) const {
    Columns(section, {"who", "clients", "class", "plain", "masked"});
    for (const json& role : Member(whole_, "roles")) {
      for (const json& one : Member(role, "classes")) {
        const std::string view = Text(one, "view");
        const std::string all = Word("register.fields.", "all");
        section.rows.push_back({Text(role, "name"),
                                Word("register.clients.", Text(role, "clients")), Text(one, "name"),
                                view == "plain" ? all : Joined(TextList(one, "plain")),
                                view == "masked" ? all : Joined(TextList(one, "masked"))});
      }
    }
  }

  void ConsentTexts(RegisterSection& section) const {
    Columns(section, {"name", "version", "languages"});
    for (const json& one : Member(whole_, "consent_texts")) {
      section.rows.push_back(
          {Text(one, "name"), Text(one, "version"), Joined(TextList(one, "languages"))});
    }
  }

  void Safeguards(RegisterSection& section) const {
    Columns(section, {"measure", "in_force", "details"});
    for (const json& one : Member(whole_, "safeguards")) {
      section.rows.push_back({Word("register.safeguard.", Text(one, "name")),
                              YesOrNo(one, "in_force"), Joined(TextList(one, "details"))});
    }
    for (const std::string& measure : TextList(whole_, "measures")) {
      section.rows.push_back({Word("register.safeguard.", "measure"), {}, measure});
    }
  }

  void Further(RegisterSection& section) const {
    Columns(section, {"fact", "value"});
    for (const char* const member : {"begun", "database_location", "impact_assessment"}) {
      const std::string said = Text(whole_, member);
      if (!said.empty()) section.rows.push_back({Word("register.further.", member), said});
    }
  }

  const json& whole_;
  const audit::Messages& messages_;
};

}  // namespace

RegisterView ViewOfProcessing(const json& answer, std::string_view order,
                              audit::PageLanguage language) {
  // What was published has the register within.
  const bool published = answer.contains("publication");
  const json& head = published ? Member(answer, "publication") : answer;
  ViewWriter writer(Member(head, "register"), language);
  RegisterView view;
  view.title = writer.Say("title");
  view.order = writer.Word("register.order.", std::string(order));
  const json& missing = Member(head, "missing");
  view.complete = Text(head, "complete") == "true";
  const auto fact = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) view.facts.emplace_back(writer.Say(key), value);
  };
  fact("at", Text(answer, published ? "published" : "at"));
  fact("state", view.complete ? writer.Word("register.state.", "complete")
                              : audit::Fill(writer.Word("register.state.", "incomplete"),
                                            std::to_string(missing.size())));
  fact("version", Text(answer, published ? "version" : "published"));
  fact("document", Text(head, "document"));
  fact("reason", Text(head, "reason"));
  fact("sha256", Text(answer, "sha256"));
  for (const auto& [name, article] : SectionsOf(order)) {
    if (name == "missing" && missing.empty()) continue;
    RegisterSection& section = view.sections.emplace_back();
    section.name = name;
    section.heading = writer.Word("register.section.", section.name);
    section.article = article;
    name == "missing" ? writer.Missing(missing, section) : writer.Fill(name, section);
  }
  return view;
}

void PrintProcessing(const RegisterView& view, audit::PageLanguage language, Console& console) {
  PrintHeading(console, view.title);
  console.out << Printable(view.order) << '\n';
  PrintFields(console, view.facts);
  for (const RegisterSection& section : view.sections) {
    console.out << '\n';
    PrintHeading(console,
                 section.heading + (section.article.empty() ? "" : "  " + section.article));
    if (section.rows.empty()) {
      console.out << audit::Say(audit::MessagesIn(language), "register.nothing") << '\n';
      continue;
    }
    Table table(section.columns);
    for (const auto& row : section.rows) table.Add(row);
    table.Print(console);
  }
}

std::string ProcessingCsv(const RegisterView& view) {
  std::string csv = "\"section\",\"row\",\"column\",\"value\"\n";
  const auto add = [&](const std::string& section, std::size_t row, const std::string& column,
                       const std::string& value) {
    if (value.empty()) return;
    std::string line;
    for (const std::string& cell : {section, std::to_string(row), column, value}) {
      audit::AppendCsvCell(cell, line);
    }
    csv += line + "\n";
  };
  for (const auto& [name, value] : view.facts) add("register", 1, name, value);
  for (const RegisterSection& section : view.sections) {
    for (std::size_t i = 0; i < section.rows.size(); ++i) {
      for (std::size_t j = 0; j < section.rows[i].size(); ++j) {
        add(section.name, i + 1, section.columns[j], section.rows[i][j]);
      }
    }
  }
  return csv;
}

Outcome<std::string> ProcessingPage(const RegisterView& view, audit::PageLanguage language) {
  json values = {{"language", audit::LanguageTag(language)},
                 {"title", view.title},
                 {"order", view.order},
                 {"nothing", audit::Say(audit::MessagesIn(language), "register.nothing")},
                 {"facts", json::array()},
                 {"sections", json::array()}};
  for (const auto& [name, value] : view.facts) {
    values["facts"].push_back({{"name", name}, {"value", value}});
  }
  for (const RegisterSection& section : view.sections) {
    json rows = json::array();
    for (const auto& row : section.rows) rows.push_back({{"cells", row}});
    values["sections"].push_back({{"heading", section.heading},
                                  {"article", section.article},
                                  {"any", !section.rows.empty()},
                                  {"columns", section.columns},
                                  {"rows", std::move(rows)}});
  }
  return RenderMustache(kRegisterPage, values);
}

}  // namespace coffer::cli
