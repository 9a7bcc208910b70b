// Words that people type and others read in a line: every text of every body that openapi.json says
// is one, and the reason of a request, against what no line may hold.
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "audit/text/clock.h"
#include "tests/support/problem_schema.h"
#include "tests/support/raw_connection.h"
#include "tests/support/running_vault.h"

using namespace coffer::testing;
using nlohmann::json;

namespace {

// Beside a letter, each makes another line, moves the cursor or turns what stands around it.
const std::map<std::string, std::string>& BadCharacters() {
  static const std::map<std::string, std::string> characters = {{"line feed", "\n"},
                                                                {"carriage return", "\r"},
                                                                {"CRLF", "\r\n"},
                                                                {"tab", "\t"},
                                                                {"vertical tab", "\v"},
                                                                {"form feed", "\f"},
                                                                {"bell", "\a"},
                                                                {"backspace", "\b"},
                                                                {"escape", "\x1b[2J"},
                                                                {"unit separator", "\x1f"},
                                                                {"delete", "\x7f"},
                                                                {"U+0080", "\u0080"},
                                                                {"next line", "\u0085"},
                                                                {"CSI", "\u009b31m"},
                                                                {"line separator", "\u2028"},
                                                                {"paragraph", "\u2029"},
                                                                {"embedding", "\u202a"},
                                                                {"end of it", "\u202c"},
                                                                {"override", "\u202e"},
                                                                {"left override", "\u202d"},
                                                                {"isolate", "\u2066"},
                                                                {"other isolate", "\u2068"},
                                                                {"end of isolate", "\u2069"},
                                                                {"deprecated", "\u206a"},
                                                                {"annotation", "\ufff9"}};
  return characters;
}

// Nothing of them is seen.
const std::vector<std::string>& Blanks() {
  static const std::vector<std::string> blanks = {
      "",       " ",      "\u00a0",         "\u3000 \u2003", "\u200b", "\u200d\u2060\ufeff",
      "\u00ad", "\u3164", " \u200e\u200f ", "\u2800"};
  return blanks;
}

const std::string kGood =
    "Zo\u00eb O\u2019Neill & S\u00f6hne, \u6771\u4eac \u05d0\u05d1 \u200e(1) "
    "\U0001f469\u200d\u2695\ufe0f 50%";

struct WordField {
  std::string operation;  // "POST /v1/holds"
  std::string place;      // "/policies/0/basis"
  bool lines = false, required = false;
};

// Texts of the operation's body that are words for people. Lists by their first item, and members
// of any name as "*".
class WordFields {
 public:
  explicit WordFields(const json& document) : document_(document) {
    for (const auto& [path, item] : document.at("paths").items()) {
      for (const auto& [method, operation] : item.items()) {
        if (!operation.contains("requestBody")) continue;
        operation_ = method + " " + path;
        for (char& c : operation_) {
          if (c == ' ') break;
          c = static_cast<char>(std::toupper(c));
        }
        const json& content = operation.at("requestBody").at("content");
        for (const json& type : content) {
          Walk(type.contains("x-ndjson-line") ? type.at("x-ndjson-line") : type.at("schema"), "",
               {}, true);
        }
      }
    }
  }
  const std::vector<WordField>& fields() const { return fields_; }
  const std::vector<std::string>& unsaid() const { return unsaid_; }

 private:
  void Walk(const json& node, const std::string& place, std::set<std::string> above,
            bool required) {
    if (node.contains("$ref")) {
      const auto ref = node.at("$ref").get<std::string>();
      if (!above.insert(ref).second) return;
      return Walk(document_.at(json::json_pointer(ref.substr(1))), place, above, required);
    }
    const json type = node.value("type", json());
    const bool text = type == "string" ||
                      (type.is_array() && type.dump().find("\"string\"") != std::string::npos);
    if (text) Take(node, place, required);
    const json names = node.value("required", json::array());
    const json properties = node.value("properties", json::object());
    for (const auto& [name, member] : properties.items()) {
      Walk(member, place + "/" + name, above,
           std::find(names.begin(), names.end(), name) != names.end());
    }
    const json any = node.value("additionalProperties", json());
    if (any.is_object()) Walk(any, place + "/*", above, false);
    if (node.contains("items")) Walk(node.at("items"), place + "/0", above, false);
    for (const char* choice : {"oneOf", "anyOf", "allOf"}) {
      for (const json& one : node.value(choice, json::array())) Walk(one, place, above, required);
    }
  }
  void Take(const json& node, const std::string& place, bool required) {
    const std::string says = node.value("x-text", "");
    for (const char* bound : {"pattern", "enum", "format", "const"}) {
      if (node.contains(bound)) return;
    }
    if (says == "line" || says == "lines") {
      fields_.push_back({operation_, place, says == "lines", required});
    } else if (says != "parsed") {
      unsaid_.push_back(operation_ + " " + place);
    }
  }

  const json& document_;
  std::string operation_;
  std::vector<WordField> fields_;
  std::vector<std::string> unsaid_;
};

// A request that is done, for others to be like it but for one text.
struct Sample {
  std::string role, path;
  json body;
  bool ndjson = false;
  std::string reason = {};
};

class Samples {
 public:
  explicit Samples(RunningVault& vault)
      : vault_(vault), client_(vault.NewClient("A-1")), owner_(NewUser()) {
    service_ = Made("administrator", "/v1/services",
                    {{"name", "CRM"}, {"role", "crm-service"}, {"owner", owner_}});
  }

  // Of an operation, all that its words need: as many as it has forms.
  std::vector<std::function<Sample()>> Of(const std::string& operation) {
    const std::string clients = "/v1/clients/" + client_;
    if (operation == "POST /v1/clients") {
      return {
          [=, this] { return Sample{"crm-service", "/v1/clients", {{"external_ref", Next()}}}; }};
    }
    if (operation == "PATCH /v1/clients/{client}") {
      return {[=, this] { return Sample{"crm-service", clients, {{"external_ref", Next()}}}; }};
    }
    if (operation == "POST /v1/import") {
      return {[=, this] {
        return Sample{
            "crm-service",
            "/v1/import?class=contact",
            {{"external_ref", Next()}, {"record_key", Next()}, {"data", {{"last_name", "Doe"}}}},
            true};
      }};
    }
    if (operation == "POST /v1/holds") {
      return {[=, this] {
        return Sample{"privacy-officer",
                      "/v1/holds",
                      {{"client", client_},
                       {"reason", "a claim"},
                       {"case_number", Next()},
                       {"review_due", "2100-01-01T00:00:00Z"}}};
      }};
    }
    if (operation == "POST /v1/clients/{client}/restrictions") {
      return {[=] {
        return Sample{"privacy-officer",
                      clients + "/restrictions",
                      {{"basis", "disputed"}, {"stops", {{"purposes", {"billing"}}}}}};
      }};
    }
    if (operation == "PUT /v1/consent-texts/{name}") {
      return {[] { return ConsentText(); }};
    }
    if (operation == "POST /v1/clients/{client}/consents") {
      if (!text_stored_) Send("PUT", ConsentText());
      text_stored_ = true;
      return {[=] {
        return Sample{"privacy-officer",
                      clients + "/consents",
                      {{"purpose", "marketing"},
                       {"text", {{"name", "words"}, {"version", 1}, {"language", "en"}}},
                       {"channel", "paper"},
                       {"evidence", "folder 12"},
                       {"authority", "her mother"}}};
      }};
    }
    if (operation == "PUT /v1/classes/{name}") {
      return {[] { return Sample{"administrator", "/v1/classes/words", Class()}; }};
    }
    if (operation == "POST /v1/classes/{name}/preview") {
      return {[] { return Sample{"privacy-officer", "/v1/classes/words/preview", Class()}; }};
    }
    if (operation == "PUT /v1/purposes/{code}") {
      return {[] {
        return Sample{
            "administrator",
            "/v1/purposes/words",
            {{"title", "t"}, {"owner", "o"}, {"description", "d"}, {"legal_basis", "contract"}}};
      }};
    }
    if (operation == "POST /v1/tokens") {
      return {[=, this] {
        return Sample{"administrator",
                      "/v1/tokens",
                      {{"name", "t"}, {"principal", service_}, {"lifetime_s", 3600}}};
      }};
    }
    if (operation == "PUT /v1/roles/{name}") {
      return {[] { return Sample{"administrator", "/v1/roles/words", Role()}; }};
    }
    if (operation == "PUT /v1/retention/schedule") {
      return {
          [=, this] { return Sample{"privacy-officer", "/v1/retention/schedule", Schedule()}; }};
    }
    if (operation == "POST /v1/users") {
      return {[=, this] {
        return Sample{"administrator",
                      "/v1/users",
                      {{"login", Next()}, {"name", "n"}, {"role", "case-worker"}}};
      }};
    }
    if (operation == "PATCH /v1/users/{principal}") {
      return {
          [=, this] { return Sample{"administrator", "/v1/users/" + owner_, {{"name", "n"}}}; }};
    }
    if (operation == "POST /v1/services") {
      return {[=, this] {
        return Sample{"administrator",
                      "/v1/services",
                      {{"name", "s"}, {"role", "crm-service"}, {"owner", owner_}}};
      }};
    }
    if (operation == "PATCH /v1/services/{principal}") {
      return {[=, this] {
        return Sample{"administrator", "/v1/services/" + service_, {{"name", "n"}}};
      }};
    }
    if (operation == "POST /v1/approvals") {
      const auto propose = [=](const char* role, const char* target, const json& content) {
        return Sample{
            role,
            "/v1/approvals",
            {{"action", std::string(target) == "words" ? "role.write" : "retention.write"},
             {"target", target},
             {"content", content}}};
      };
      return {[=] { return propose("administrator", "words", Role()); },
              [=, this] { return propose("privacy-officer", "schedule", Schedule()); },
              [=, this] {
                json contact = vault_.As("administrator").Get("/v1/classes/contact").Json();
                json content = contact.contains("definition") ? contact.at("definition") : contact;
                return propose("privacy-officer", "class:contact", content);
              }};
    }
    if (operation == "POST /v1/emergency-access/{emergency}/review") {
      return {[=, this] {
        const auto opened = vault_.As("supervisor")
                                .Post("/v1/emergency-access",
                                      {{"client", client_},
                                       {"purpose", "client-care"},
                                       {"ticket", "T-1"},
                                       {"lifetime_s", 3600}},
                                      {{"Coffer-Reason", "an ambulance"}});
        INFO(opened.body);
        REQUIRE(opened.status == 201);
        return Sample{
            "security-officer",
            "/v1/emergency-access/" + opened.Json().at("id").get<std::string>() + "/review",
            {{"finding", "it was"}}};
      }};
    }
    if (operation == "POST /v1/requests") {
      return {[] { return Asked(); }};
    }
    if (operation == "POST /v1/requests/{request}/steps") {
      return {[=, this] {
        const std::string request = Made("privacy-officer", "/v1/requests", Asked().body);
        return Sample{"privacy-officer",
                      "/v1/requests/" + request + "/steps",
                      {{"step", "refuse"}, {"words", "w"}, {"letter", "l"}, {"article", "a"}}};
      }};
    }
    if (operation == "PUT /v1/regimes/{name}") {
      return {[] {
        return Sample{"privacy-officer",
                      "/v1/regimes/words",
                      {{"title", "t"},
                       {"source", "s"},
                       {"clocks", {{{"answer", "P1M"}, {"article", "a"}}}},
                       {"refusals", {"r"}},
                       {"keep", "P1Y"}}};
      }};
    }
    if (operation == "PUT /v1/processing/document") {
      return {[] {
                const json party = {{"name", "n"}, {"address", "a"}, {"contact", "c"}};
                return Sample{
                    "privacy-officer",
                    "/v1/processing/document",
                    {{"controller", party},
                     {"representative", party},
                     {"data_protection_officer", party},
                     {"joint_controllers", {party}},
                     {"data_subjects", {{{"name", "s"}, {"description", "d"}}}},
                     {"recipients", {{{"name", "r"}, {"description", "d"}, {"country", "DE"}}}},
                     {"transfers", {{{"name", "t"}, {"country", "US"}, {"safeguards", "s"}}}},
                     {"measures", {"m"}},
                     {"begun", "2026-01-01"},
                     {"database_location", "l"},
                     {"impact_assessment", "i"}}};
              },
              [] {
                return Sample{"privacy-officer",
                              "/v1/processing/document",
                              {{"none",
                                {{"data_protection_officer", "w"},
                                 {"joint_controllers", "w"},
                                 {"recipients", "w"},
                                 {"representative", "w"},
                                 {"transfers", "w"}}}}};
              }};
    }
    if (operation == "POST /v1/processing/versions") {
      return {[] {
        return Sample{"privacy-officer",
                      "/v1/processing/versions",
                      {{"order", "gdpr"}, {"incomplete", true}, {"reason", "r"}}};
      }};
    }
    if (operation == "POST /v1/notices") {
      return {[] { return Notice(); }};
    }
    if (operation.starts_with("POST /v1/notices/{notice}/")) {
      const std::string what = operation.substr(operation.rfind('/'));
      return {[=, this] {
        const std::string notice = Made("privacy-officer", "/v1/notices", Notice().body);
        json body = {{"not_told", "n"}};
        if (what == "/tellings") {
          body = {{"channel", "email"}, {"evidence", "e"}, {"clients", {client_}}};
        }
        return Sample{"privacy-officer", "/v1/notices/" + notice + what, body};
      }};
    }
    if (operation == "POST /v1/recipients") {
      return {[] { return RecipientSample(); }};
    }
    if (operation == "PUT /v1/recipients/{recipient}") {
      return {[=, this] {
        const std::string recipient =
            Made("privacy-officer", "/v1/recipients", RecipientSample().body);
        return Sample{"privacy-officer", "/v1/recipients/" + recipient, RecipientSample().body};
      }};
    }
    if (operation == "POST /v1/recipients/{recipient}/told") {
      return {[=, this] {
        const std::string recipient =
            Made("privacy-officer", "/v1/recipients", RecipientSample().body);
        const Sample given = DisclosureSample(recipient);
        REQUIRE(Send("POST", given).status == 201);
        Made("privacy-officer", clients + "/restrictions",
             {{"basis", "disputed"}, {"stops", {{"purposes", {"marketing"}}}}});
        return Sample{"privacy-officer",
                      "/v1/recipients/" + recipient + "/told",
                      {{"client", client_}, {"channel", "email"}, {"reference", "r"}}};
      }};
    }
    if (operation == "POST /v1/disclosures") {
      return {[=, this] {
        const std::string recipient =
            Made("privacy-officer", "/v1/recipients", RecipientSample().body);
        return DisclosureSample(recipient);
      }};
    }
    if (operation == "POST /v1/breaches") {
      return {[] { return Breach(); }};
    }
    if (operation.starts_with("POST /v1/breaches/{breach}/")) {
      const std::string what = operation.substr(operation.rfind('/'));
      return {[=, this] {
        const std::string breach = Made("privacy-officer", "/v1/breaches", Breach().body);
        json body = {{"facts", "f"}, {"effects", "e"}, {"measures", "m"}};
        if (what == "/notices") {
          body = {{"whom", "authority"}, {"regime", "gdpr"}, {"name", "n"},
                  {"reference", "r"},    {"delay", "d"},     {"at", "2026-02-01T00:00:00Z"}};
        } else if (what == "/close") {
          body = {{"conclusion", "c"}, {"not_notified", "n"}};
        }
        return Sample{"privacy-officer", "/v1/breaches/" + breach + what, body};
      }};
    }
    FAIL("no sample of " << operation);
    return {};
  }

  HttpReply Send(const std::string& method, const Sample& sample) {
    const std::string text = sample.body.dump() + (sample.ndjson ? "\n" : "");
    const auto known = callers_.find(sample.role);
    Caller& caller = known != callers_.end()
                         ? known->second
                         : callers_.emplace(sample.role, vault_.As(sample.role)).first->second;
    HeaderList headers;
    if (method == "PATCH") headers.emplace_back("If-Match", "\"1\"");
    if (!sample.reason.empty()) headers.emplace_back("Coffer-Reason", sample.reason);
    return caller.Send(method, sample.path, text,
                       sample.ndjson ? "application/x-ndjson" : "application/json", headers);
  }

 private:
  Sample DisclosureSample(const std::string& recipient) {
    return {"privacy-officer",
            "/v1/disclosures",
            {{"recipient", recipient},
             {"basis", "b"},
             {"purpose", "p"},
             {"channel", "letter"},
             {"reference", "r"},
             {"clients", {client_}}},
            false,
            "by post"};
  }
  std::string Next() { return "n-" + std::to_string(++number_); }
  std::string Made(const std::string& role, const std::string& path, const json& body) {
    const auto reply = vault_.As(role).Post(path, body);
    INFO(reply.body);
    REQUIRE(reply.status == 201);
    const json made = reply.Json();
    return made.contains("user") ? made.at("user").at("id") : made.at("id");
  }
  std::string NewUser() {
    return Made("administrator", "/v1/users",
                {{"login", Next()}, {"name", "Anna"}, {"role", "case-worker"}});
  }
  static json Class() {
    return {{"name", "words"},
            {"title", "t"},
            {"keep", "k"},
            {"purposes", {"client-care"}},
            {"fields", {{"one", {{"type", "choice"}, {"title", "t"}, {"values", {"a", "b"}}}}}}};
  }
  static Sample ConsentText() {
    return {"privacy-officer",
            "/v1/consent-texts/words",
            {{"texts", {{{"language", "en"}, {"text", "I agree."}}}}}};
  }
  static Sample Asked() {
    return {"privacy-officer",
            "/v1/requests",
            {{"kind", "question"},
             {"regime", "ccpa"},
             {"channel", "letter"},
             {"received", "2026-01-02"},
             {"authority", "a"},
             {"words", "w"},
             {"attachments", {"a"}}}};
  }
  static Sample Notice() {
    constexpr std::int64_t kMonthMs = std::int64_t{30} * 24 * 3600 * 1000;
    const std::int64_t now = coffer::audit::SystemClock().Now().ms;
    return {"privacy-officer",
            "/v1/notices",
            {{"title", "t"},
             {"selection", {{"all", true}}},
             {"words", "w"},
             {"effective", coffer::audit::FormatTimestamp({now + kMonthMs})}}};
  }
  static Sample RecipientSample() {
    return {"privacy-officer",
            "/v1/recipients",
            {{"name", "n"}, {"category", "processor"}, {"contact", "c"}, {"contract", "c"}}};
  }
  static Sample Breach() {
    return {"privacy-officer",
            "/v1/breaches",
            {{"aware", "2026-01-01T00:00:00Z"},
             {"kinds", {"confidentiality"}},
             {"taken", {"answers"}},
             {"regimes", {"gdpr"}},
             {"facts", "f"},
             {"effects", "e"},
             {"measures", "m"}}};
  }
  static json Role() {
    return {{"title", "t"},
            {"grants", {{{"actions", {"client.read"}}, {"purposes", {"client-care"}}}}}};
  }
  json Schedule() {
    json policies = {{{"name", "first"},
                      {"class", "interaction"},
                      {"trigger", "date_field"},
                      {"period", "P1Y"},
                      {"action", "erase"},
                      {"basis", "b"}}};
    json kept = json::array();
    const json listed = vault_.As("privacy-officer").Get("/v1/classes").Json();
    for (const auto& item : listed.at("items")) {
      const std::string name = item.at("name");
      if (name != "interaction") {
        policies.push_back({{"name", name + "-kept"}, {"class", name}, {"keep", "k"}});
      }
    }
    return {{"time_zone", "Europe/Berlin"},
            {"policies", policies},
            {"clients_without_records",
             {{{"name", "gone"}, {"period", "P1Y"}, {"basis", "b"}},
              {{"name", "kept"}, {"jurisdiction", "de"}, {"keep", "k"}}}}};
  }

  RunningVault& vault_;
  std::map<std::string, Caller> callers_;
  int number_ = 0;
  bool text_stored_ = false;
  std::string client_, owner_, service_;
};

// The place in this sample, when it has it.
std::optional<json::json_pointer> PlaceIn(const json& body, const std::string& place) {
  std::string found;
  const json* at = &body;
  for (std::size_t i = 1; i <= place.size();) {
    const std::size_t end = std::min(place.find('/', i), place.size());
    std::string step = place.substr(i, end - i);
    i = end + 1;
    if (step == "*" && at->is_object() && !at->empty()) step = at->begin().key();
    if (at->is_object() ? !at->contains(step) : !at->is_array() || at->empty()) return std::nullopt;
    // Of a list, the first item that has what follows.
    if (at->is_array()) {
      const std::string rest = end < place.size() ? place.substr(end) : "";
      std::size_t index = 0;
      while (!rest.empty() && index < at->size() && !PlaceIn((*at)[index], rest)) ++index;
      if (index == at->size()) return std::nullopt;
      step = std::to_string(index);
    }
    found += "/" + step;
    at = &body.at(json::json_pointer(found));
  }
  return json::json_pointer(found);
}

}  // namespace

TEST_CASE("every text that a body may bring says what it may hold") {
  RunningVault vault;
  ProblemSchema problems(vault);
  const WordFields words(problems.document());
  CHECK(words.unsaid() == std::vector<std::string>{});
  CHECK(words.fields().size() > 30);
}

TEST_CASE("no words for people hold what no line may hold, on any route") {
  RunningVault vault;
  ProblemSchema problems(vault);
  const WordFields words(problems.document());
  Samples samples(vault);
  std::size_t refused = 0;
  for (const WordField& field : words.fields()) {
    INFO(field.operation << " " << field.place);
    const std::string method = field.operation.substr(0, field.operation.find(' '));
    bool found = false;
    for (const auto& make : samples.Of(field.operation)) {
      Sample sample = make();
      const auto place = PlaceIn(sample.body, field.place);
      if (!place) continue;
      found = true;
      INFO("at " << place->to_string());
      const auto ask = [&](const std::string& text) {
        sample.body[*place] = text;
        return samples.Send(method, sample);
      };
      const auto check = [&](const std::string& text) {
        const auto reply = ask(text);
        INFO(reply.body);
        if (sample.ndjson) {  // the line is refused, not the request
          CHECK(reply.body.find("\"status\":422") != std::string::npos);
        } else {
          problems.Check(reply);
          CHECK(reply.status == 422);
        }
        CHECK(reply.body.find(json(place->to_string()).dump()) != std::string::npos);
        ++refused;
      };
      for (const auto& [name, character] : BadCharacters()) {
        INFO(name);
        const bool breaks = character == "\n" || character == "\r\n" || character == "\t";
        if (!field.lines || !breaks) check("a" + character + "b");
      }
      // A target is an identifier, and stands for itself.
      if (field.place == "/target") break;
      if (field.required) {
        for (const std::string& blank : Blanks()) {
          INFO("blank: " << json(blank).dump());
          check(blank);
        }
      }
      const auto good =
          ask(field.lines ? kGood + "\n\t" + kGood + "\r\n" : kGood + std::to_string(refused));
      INFO(good.body);
      CHECK(good.status >= 200);
      CHECK(good.status < 300);
      break;
    }
    CHECK(found);
  }
  CHECK(refused > 800);
  CHECK(vault.Verify().at("ok") == true);
}

TEST_CASE("a reason is one line that is seen, whatever asks for it") {
  RunningVault vault;
  ProblemSchema problems(vault);
  const std::string token = vault.Token("supervisor");
  const std::string client = vault.NewClient("A-1");
  const std::string body =
      json{{"client", client}, {"purpose", "client-care"}, {"ticket", "T-1"}, {"lifetime_s", 3600}}
          .dump();
  std::optional<RawConnection> peer;
  const auto ask = [&](const std::string& reason) {
    if (!peer) peer.emplace(vault.port());
    peer->Send(RequestHead("POST", "/v1/emergency-access", token, "") + "Coffer-Reason: " + reason +
               "\r\nContent-Type: application/json\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body);
    auto reply = peer->Read();
    if (reply.Header("connection") == "close") peer.reset();
    return reply;
  };
  const auto encoded = [](const std::string& text) {
    std::string out;
    for (const char c : text) {
      char code[4];
      std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned char>(c));
      out += code;
    }
    return out;
  };
  for (const auto& [name, character] : BadCharacters()) {
    INFO(name);
    problems.Check(ask("a" + encoded(character) + "b"), 400, "header_invalid");
  }
  for (const std::string& blank : Blanks()) {
    INFO(json(blank).dump());
    problems.Check(ask(encoded(blank)), 400, "header_invalid");
  }
  problems.Check(ask("a%00b"), 400, "header_invalid");
  problems.Check(ask("a%FFb"), 400, "header_invalid");
  CHECK(vault.Entries("action=emergency.open&decision=allow").empty());
  CHECK(ask(encoded(kGood)).status == 201);
  CHECK(ask(encoded("50%25") + " 100% %zz %4").status == 201);
}
