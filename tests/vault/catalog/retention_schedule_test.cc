// Schedules and which policy of one is for whom. When records are due: retention_due_test.cc.
#include "vault/catalog/retention_schedule.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/open_vault.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::IssuesOf;
using Strings = std::vector<std::string>;
using Classes = std::vector<std::shared_ptr<const ClassSchema>>;

std::shared_ptr<const ClassSchema> ClassOf(const json& definition) {
  auto schema = ParseClass(definition.dump());
  REQUIRE(schema);
  return std::make_shared<const ClassSchema>(*std::move(schema));
}

json Definition(const char* name) {
  return {{"name", name}, {"purposes", {"care"}}, {"fields", {{"day", {{"type", "date"}}}}}};
}

json With(json document, const char* pointer, const json& value) {
  document[json::json_pointer(pointer)] = value;
  return document;
}

json Without(json document, const char* member) {
  document.erase(member);
  return document;
}

// contact: without a date; agreement: with one; consent: keeps itself.
const Classes& TheClasses() {
  static const Classes classes = {ClassOf(Definition("contact")),
                                  ClassOf(With(Definition("agreement"), "/retention_date", "day")),
                                  ClassOf(With(Definition("consent"), "/keep", "Evidence."))};
  return classes;
}

json PolicyOf(const char* name, const char* class_name) {
  return {{"name", name},    {"class", class_name}, {"trigger", "creation"},
          {"period", "P3Y"}, {"action", "erase"},   {"basis", "Because."}};
}

json Narrowed(const char* name, const char* jurisdiction, const char* tag) {
  json policy = PolicyOf(name, "contact");
  if (*jurisdiction != '\0') policy["jurisdiction"] = jurisdiction;
  if (*tag != '\0') policy["tag"] = tag;
  return policy;
}

json Schedule(std::vector<json> more = {}) {
  json policies = {PolicyOf("contact-3y", "contact"),
                   {{"name", "agreements"}, {"class", "agreement"}, {"keep", "Accounts."}}};
  for (auto& policy : more) policies.push_back(std::move(policy));
  return {{"time_zone", "Europe/Berlin"}, {"policies", std::move(policies)}};
}

Result<RetentionSchedule> Parse(const json& document) {
  return ParseSchedule(document.dump(), TheClasses());
}

RetentionSchedule Good(const json& document) {
  auto schedule = Parse(document);
  INFO(schedule.has_value() << " " << document.dump().substr(0, 2000));
  for (const auto& issue : IssuesOf(schedule)) UNSCOPED_INFO(issue);
  REQUIRE(schedule);
  return *std::move(schedule);
}

Strings SchedulePointers(const json& document) {
  const auto schedule = Parse(document);
  if (schedule) return {};
  CHECK(schedule.error().code == Code::kUnprocessable);
  CHECK(schedule.error().reason == "retention_invalid");
  Strings pointers;
  for (const auto& issue : schedule.error().issues) {
    CHECK(!issue.message.empty());
    pointers.push_back(issue.pointer);
  }
  return pointers;
}

std::string NameFor(const RetentionSchedule& schedule, const Strings& tags) {
  std::string stored;
  for (const auto& tag : tags) stored += (stored.empty() ? "" : " ") + tag;
  const auto& policy = schedule.PolicyFor("contact", tags);
  CHECK(&policy == &schedule.PolicyFor("contact", stored));
  return policy.name;
}

TEST_CASE("a schedule has its policies with what was said of each") {
  const auto schedule =
      Good({{"time_zone", "Europe/Paris"},
            {"calendar", {{"first_year", 2026}, {"last_year", 2026}, {"weekend", {"sunday"}}}},
            {"policies",
             {{{"name", "1-contact"},
               {"class", "contact"},
               {"jurisdiction", "us-ca"},
               {"tag", "vip:gold"},
               {"trigger", "last_activity"},
               {"period", "P1Y6M"},
               {"action", "restrict"},
               {"basis", "Art. 5(1)(e) GDPR"}},
              {{"name", "contacts"}, {"class", "contact"}, {"keep", "Until we know."}},
              {{"name", "agreement-end"},
               {"class", "agreement"},
               {"trigger", "date_field"},
               {"period", "P10WD"},
               {"action", "review"},
               {"basis", "«Basis»"}}}}});
  CHECK(schedule.time_zone() == "Europe/Paris");
  REQUIRE(schedule.policies().size() == 3);
  const RetentionPolicy& first = schedule.policies()[0];
  CHECK(first.name == "1-contact");
  CHECK(first.class_name == "contact");
  CHECK(first.jurisdiction == "us-ca");
  CHECK(first.tag == "vip:gold");
  CHECK(!first.keeps());
  CHECK(first.trigger == RetentionTrigger::kLastActivity);
  CHECK(first.period == Period{1, 6, 0, 0});
  CHECK(first.action == RetentionAction::kRestrict);
  CHECK(first.basis == "Art. 5(1)(e) GDPR");
  CHECK(schedule.policies()[1].keeps());
  CHECK(schedule.policies()[1].keep == "Until we know.");
  CHECK(schedule.policies()[2].trigger == RetentionTrigger::kDateField);
  CHECK(schedule.policies()[2].action == RetentionAction::kReview);
  CHECK(schedule.Find("agreement-end") == &schedule.policies()[2]);
  CHECK(schedule.Find("agreement") == nullptr);
  CHECK(schedule.Find("") == nullptr);  // those of no document
}

TEST_CASE("each trigger and each action is known by its name") {
  for (const char* name : {"creation", "last_activity", "relationship_end", "date_field"}) {
    auto policy = PolicyOf("p", "agreement");
    policy["trigger"] = name;
    const auto schedule = Good(With(Schedule(), "/policies/1", policy));
    CHECK(NameOf(schedule.policies()[1].trigger) == name);
  }
  for (const char* name : {"erase", "restrict", "review"}) {
    const auto schedule = Good(With(Schedule(), "/policies/0/action", name));
    CHECK(NameOf(schedule.policies()[0].action) == name);
  }
}

TEST_CASE("a definition is canonical JSON, so that spelling makes no other schedule") {
  const auto one = Good(Schedule());
  const auto other = ParseSchedule(R"({ "policies": [
      {"class": "contact", "name": "contact-3y", "basis": "\u0042ecause.", "period": "P3Y",
       "trigger": "creation", "action": "erase"},
      {"keep": "Accounts.", "class": "agreement", "name": "agreements"}],
      "time_zone" : "Europe/Berlin" })",
                                   TheClasses());
  REQUIRE(other);
  CHECK(one.definition() == other->definition());
  CHECK(one.definition() == Schedule().dump());
  const auto again = ParseSchedule(one.definition(), TheClasses());
  REQUIRE(again);
  CHECK(again->definition() == one.definition());
}

TEST_CASE("each fault of a schedule has an issue that points at it") {
  using V = Strings;
  const json good = Schedule();
  CHECK(SchedulePointers(good).empty());
  CHECK(SchedulePointers(json::array()) == V{""});
  CHECK(SchedulePointers("keep everything") == V{""});
  CHECK(SchedulePointers(With(good, "/version", 1)) == V{"/version"});
  CHECK(SchedulePointers(With(good, "/a~1b", 1)) == V{"/a~1b"});
  CHECK(SchedulePointers(Without(good, "time_zone")) == V{"/time_zone"});
  for (const json& zone :
       {json("Berlin"), json("europe/berlin"), json(""), json(1), json("CET+1")}) {
    CHECK(SchedulePointers(With(good, "/time_zone", zone)) == V{"/time_zone"});
  }
  CHECK(SchedulePointers(With(good, "/calendar", 1)) == V{"/calendar"});
  CHECK(SchedulePointers(With(good, "/calendar", {{"first_year", 2026}, {"last_year", 2026}})) ==
        V{"/calendar/weekend"});
  for (const char* order : {"jurisdiction_order", "tag_order"}) {
    const std::string at = std::string("/") + order;
    CHECK(SchedulePointers(With(good, at.c_str(), "de")) == V{at});
    CHECK(
        SchedulePointers(With(good, at.c_str(), {"de", "fr", "de", 7, "F R", "jurisdiction:de"})) ==
        V{at + "/2", at + "/3", at + "/4", at + "/5"});
    CHECK(SchedulePointers(With(good, at.c_str(), json(1001, "de"))) == V{at});
  }
  CHECK(SchedulePointers(Without(good, "policies")) == V{"/policies"});
  for (const json& policies : {json("all"), json::array(), json(1001, PolicyOf("p", "contact"))}) {
    CHECK(SchedulePointers(With(good, "/policies", policies)) == V{"/policies"});
  }
  CHECK(SchedulePointers(With(good, "/policies/0", "contact")) == V{"/policies/0"});
  CHECK(SchedulePointers(With(good, "/policies/0/owner", "me")) == V{"/policies/0/owner"});
  CHECK(SchedulePointers(With(good, "/policies/0/a~1b", "me")) == V{"/policies/0/a~1b"});
  CHECK(SchedulePointers(With(good, "/policies/0/name", "agreements")) == V{"/policies/1/name"});
  CHECK(SchedulePointers(With(good, "/policies/0", json::object())) ==
        V{"/policies/0/name", "/policies/0/class", "/policies/0/trigger", "/policies/0/period",
          "/policies/0/action", "/policies/0/basis"});
  const std::pair<const char*, std::vector<json>> wrong[] = {
      {"name", {"", "A", "a b", "a_b", "ä", std::string(65, 'a'), 7}},
      {"class", {"", "Contact", "unknown", 7, nullptr}},
      {"jurisdiction", {"", "DE", "d", "deu", "de-", "de-abcd", "d1", "jurisdiction:de", 7}},
      {"tag", {"", "VIP", "a b", "jurisdiction:de", std::string(65, 'a'), 7}},
      {"trigger", {"", "Creation", "created", 7, nullptr}},
      {"period", {"", "P0D", "P10W", "3Y", "P5WD", 7, nullptr}},
      {"action", {"", "delete", "keep", 7}},
      {"basis", {"", "two\nlines", "\x7f", std::string(501, 'x'), 7, nullptr}}};
  for (const auto& [member, values] : wrong) {
    const std::string at = std::string("/policies/0/") + member;
    for (const json& value : values) {
      INFO(at << " " << value.dump().substr(0, 50));
      CHECK(SchedulePointers(With(good, at.c_str(), value)) == V{at});
    }
  }
  CHECK(SchedulePointers(With(good, "/policies/1/keep", "")) == V{"/policies/1/keep"});
  CHECK(SchedulePointers(With(good, "/policies/1/keep", true)) == V{"/policies/1/keep"});
}

TEST_CASE("clients without records have policies of their own") {
  const json policy = {{"name", "client-1y"}, {"period", "P1Y"}, {"basis", "Because."}};
  const auto with = [&](const json& policies) {
    return With(Schedule(), "/clients_without_records", policies);
  };
  const auto plain = Good(Schedule());
  CHECK(!plain.HasClientPolicies());
  CHECK(plain.PolicyFor(audit::kClientItself, Strings{}).keeps());

  json french = policy, kept = policy;
  french["name"] = "client-fr";
  french["jurisdiction"] = "fr";
  kept = {{"name", "client-vip"}, {"tag", "vip"}, {"keep", "They come back."}};
  const auto schedule = Good(with(json::array({policy, french, kept})));
  CHECK(schedule.HasClientPolicies());
  const auto name_for = [&](const RetentionSchedule& of, const Strings& tags) {
    return of.PolicyFor(audit::kClientItself, tags).name;
  };
  CHECK(name_for(schedule, {}) == "client-1y");
  CHECK(name_for(schedule, {"jurisdiction:fr"}) == "client-fr");
  CHECK(name_for(schedule, {"jurisdiction:fr", "vip"}) == "client-vip");
  const RetentionPolicy& one = *schedule.Find("client-1y");
  CHECK(one.class_name == "(client)");
  CHECK(one.trigger == RetentionTrigger::kRelationshipEnd);
  CHECK(one.action == RetentionAction::kErase);
  CHECK(one.period.years == 1);
  // Of those that none is for nothing is ever due.
  const auto some = Good(with(json::array({french})));
  CHECK(name_for(some, {"jurisdiction:fr"}) == "client-fr");
  CHECK(some.PolicyFor(audit::kClientItself, Strings{"vip"}).keeps());

  const std::string at = "/clients_without_records";
  for (const json& policies : {json("all"), json::array(), json(101, policy)}) {
    CHECK(SchedulePointers(with(policies)) == Strings{at});
  }
  CHECK(SchedulePointers(with(json::array({7}))) == Strings{at + "/0"});
  CHECK(SchedulePointers(with(json::array({json::object()}))) ==
        Strings{at + "/0/name", at + "/0/period", at + "/0/basis"});
  for (const char* member : {"class", "trigger", "action", "owner"}) {
    CHECK(SchedulePointers(with(json::array({With(policy, (std::string("/") + member).c_str(),
                                                  "erase")}))) == Strings{at + "/0/" + member});
  }
  CHECK(SchedulePointers(with(json::array({With(policy, "/keep", "Why.")}))) ==
        Strings{at + "/0/period", at + "/0/basis"});
  CHECK(SchedulePointers(with(json::array({With(policy, "/name", "agreements")}))) ==
        Strings{at + "/0/name"});
  CHECK(SchedulePointers(with(json::array({policy, With(policy, "/name", "other")}))) ==
        Strings{at + "/1"});
  json german = With(french, "/jurisdiction", "de");
  german["name"] = "client-de";
  CHECK(SchedulePointers(with(json::array({policy, french, german}))) == Strings{at + "/2"});
  CHECK(SchedulePointers(With(with(json::array({policy, french, german})), "/jurisdiction_order",
                              json::array({"de", "fr"})))
            .empty());
}

TEST_CASE("a policy that keeps says nothing else") {
  CHECK(SchedulePointers(With(Schedule(), "/policies/0/keep", "Why.")) ==
        Strings{"/policies/0/trigger", "/policies/0/period", "/policies/0/action",
                "/policies/0/basis"});
}

TEST_CASE("the date of a field needs a class that names one") {
  auto document = With(Schedule(), "/policies/0/trigger", "date_field");
  CHECK(SchedulePointers(document) == Strings{"/policies/0/trigger"});
  document["policies"][0]["class"] = "agreement";
  document["policies"][1]["class"] = "contact";
  CHECK(SchedulePointers(document).empty());
}

TEST_CASE("each class has a policy for all of its clients, or keeps itself") {
  auto document = Schedule();
  document["policies"].erase(1);
  CHECK(IssuesOf(Parse(document)).size() == 1);
  CHECK(SchedulePointers(document) == Strings{"/policies"});
  CHECK(Parse(document).error().issues[0].message.find("class agreement ") != std::string::npos);
  // One for some of them is not enough.
  CHECK(SchedulePointers(With(Schedule(), "/policies/0/tag", "vip")) == Strings{"/policies"});
  CHECK(SchedulePointers(With(Schedule(), "/policies/0/jurisdiction", "de")) ==
        Strings{"/policies"});
  // consent keeps itself; a policy may say otherwise.
  const auto kept = Good(Schedule());
  CHECK(kept.PolicyFor("consent", Strings{}).keep == "Evidence.");
  CHECK(kept.PolicyFor("consent", Strings{}).class_name == "consent");
  CHECK(kept.PolicyFor("consent", Strings{}).name.empty());
  const auto said = Good(Schedule({PolicyOf("consent-3y", "consent")}));
  CHECK(said.PolicyFor("consent", Strings{}).name == "consent-3y");
  auto some = PolicyOf("consent-vip", "consent");
  some["tag"] = "vip";
  const auto mixed = Good(Schedule({some}));
  CHECK(mixed.PolicyFor("consent", Strings{"vip"}).name == "consent-vip");
  CHECK(mixed.PolicyFor("consent", Strings{"other"}).keep == "Evidence.");
}

TEST_CASE("records of a class that the schedule does not know are kept") {
  const auto schedule = Good(Schedule());
  for (const char* name : {"", "contac", "contacts", "new-class"}) {
    const auto& policy = schedule.PolicyFor(name, Strings{"vip"});
    CHECK(policy.keeps());
    CHECK(policy.name.empty());
    CHECK(!schedule.CutOff(policy, {INT64_MAX}));
  }
}

TEST_CASE("the most specific policy is the one: both, then the tag, then the jurisdiction") {
  const auto schedule =
      Good(Schedule({Narrowed("by-jurisdiction", "de", ""), Narrowed("by-tag", "", "vip"),
                     Narrowed("by-both", "de", "vip")}));
  CHECK(NameFor(schedule, {}) == "contact-3y");
  CHECK(NameFor(schedule, {"other", "jurisdiction:fr"}) == "contact-3y");
  CHECK(NameFor(schedule, {"jurisdiction:de"}) == "by-jurisdiction");
  CHECK(NameFor(schedule, {"vip"}) == "by-tag");
  CHECK(NameFor(schedule, {"jurisdiction:fr", "vip"}) == "by-tag");
  CHECK(NameFor(schedule, {"jurisdiction:de", "vip"}) == "by-both");
  CHECK(NameFor(schedule, {"a", "jurisdiction:de", "jurisdiction:fr", "vip", "z"}) == "by-both");
  // No part of a tag is a tag, and the bare letters of a jurisdiction are none.
  CHECK(NameFor(schedule, {"vi", "vip2", "de", "jurisdiction:d", "jurisdiction:de-by"}) ==
        "contact-3y");
  // Of other classes nothing is said.
  CHECK(schedule.PolicyFor("agreement", Strings{"vip"}).name == "agreements");
}

TEST_CASE("the order of the document decides nothing") {
  std::vector<json> more = {Narrowed("a", "de", ""),    Narrowed("b", "fr", ""),
                            Narrowed("c", "", "vip"),   Narrowed("d", "", "minor"),
                            Narrowed("e", "de", "vip"), Narrowed("f", "fr", "minor")};
  std::vector<Strings> clients;
  for (unsigned bits = 0; bits < 16; ++bits) {
    Strings tags;
    const char* known[] = {"jurisdiction:de", "jurisdiction:fr", "minor", "vip"};
    for (unsigned i = 0; i < 4; ++i) {
      if ((bits >> i & 1) != 0) tags.emplace_back(known[i]);
    }
    clients.push_back(std::move(tags));
  }
  const auto names = [&](const std::vector<json>& policies) {
    auto document = Schedule(policies);
    document["jurisdiction_order"] = {"fr", "de"};
    document["tag_order"] = {"minor", "vip"};
    const auto schedule = Good(document);
    Strings result;
    for (const auto& tags : clients) result.push_back(NameFor(schedule, tags));
    return result;
  };
  const Strings expected = {"contact-3y", "a", "b", "b", "d", "d", "f", "f",
                            "c",          "e", "c", "e", "d", "e", "f", "f"};
  CHECK(names(more) == expected);
  std::ranges::reverse(more);
  CHECK(names(more) == expected);
}

TEST_CASE("two policies that could both be the one for some client are refused, by name") {
  const auto refused = [](const json& one, const json& other, const json& orders = json::object()) {
    auto document = Schedule({one, other});
    document.update(orders);
    const auto schedule = Parse(document);
    if (schedule) return false;
    REQUIRE(schedule.error().issues.size() == 1);
    const auto& issue = schedule.error().issues[0];
    CHECK(issue.pointer == "/policies/3");
    CHECK(issue.message.find(one["name"].get<std::string>()) != std::string::npos);
    CHECK(issue.message.find(other["name"].get<std::string>()) != std::string::npos);
    return true;
  };
  const json jurisdictions = {{"jurisdiction_order", {"de", "fr"}}};
  const json tags = {{"tag_order", {"vip", "minor"}}};
  // For the same clients: no order helps.
  CHECK(refused(Narrowed("one", "de", ""), Narrowed("two", "de", ""), jurisdictions));
  CHECK(refused(Narrowed("one", "", "vip"), Narrowed("two", "", "vip"), tags));
  CHECK(refused(Narrowed("one", "de", "vip"), Narrowed("two", "de", "vip"), tags));
  // For a client of both.
  CHECK(refused(Narrowed("one", "de", ""), Narrowed("two", "fr", "")));
  CHECK(refused(Narrowed("one", "de", ""), Narrowed("two", "fr", ""), tags));
  CHECK(refused(Narrowed("one", "de", ""), Narrowed("two", "us", ""), jurisdictions));
  CHECK(!refused(Narrowed("one", "de", ""), Narrowed("two", "fr", ""), jurisdictions));
  CHECK(refused(Narrowed("one", "", "vip"), Narrowed("two", "", "minor")));
  CHECK(refused(Narrowed("one", "", "vip"), Narrowed("two", "", "minor"), jurisdictions));
  CHECK(!refused(Narrowed("one", "", "vip"), Narrowed("two", "", "minor"), tags));
  CHECK(refused(Narrowed("one", "de", "vip"), Narrowed("two", "fr", "vip"), tags));
  CHECK(!refused(Narrowed("one", "de", "vip"), Narrowed("two", "fr", "minor"), jurisdictions));
  CHECK(refused(Narrowed("one", "de", "vip"), Narrowed("two", "de", "minor"), jurisdictions));
  CHECK(!refused(Narrowed("one", "de", "vip"), Narrowed("two", "de", "minor"), tags));
  // Of different rank, or of different classes, they are no pair.
  CHECK(!refused(Narrowed("one", "de", ""), Narrowed("two", "", "vip")));
  CHECK(!refused(Narrowed("one", "de", ""), Narrowed("two", "fr", "vip")));
  auto other_class = Narrowed("two", "de", "");
  other_class["class"] = "agreement";
  CHECK(!refused(Narrowed("one", "de", ""), other_class));
  // A class twice.
  CHECK(SchedulePointers(Schedule({PolicyOf("again", "contact")})) == Strings{"/policies/2"});
  CHECK(SchedulePointers(Schedule({{{"name", "kept"}, {"class", "contact"}, {"keep", "Why."}}})) ==
        Strings{"/policies/2"});
}

TEST_CASE("a thousand policies are read, and looked up among all tags of a client") {
  json document = Schedule();
  Strings tags;
  for (int i = 0; i < 998; ++i) {
    const std::string tag = "tag-" + std::to_string(i);
    document["tag_order"].push_back(tag);
    document["policies"].push_back(
        Narrowed(("policy-" + std::to_string(i)).c_str(), "", tag.c_str()));
    if (i >= 948) tags.push_back(tag);
  }
  const auto schedule = Good(document);
  CHECK(schedule.PolicyFor("contact", tags).name == "policy-948");
  CHECK(schedule.PolicyFor("contact", Strings{"tag-997"}).name == "policy-997");
  CHECK(schedule.PolicyFor("contact", Strings{"tag-998"}).name == "contact-3y");
  document["policies"].push_back(Narrowed("one-more", "", "more"));
  CHECK(SchedulePointers(document) == Strings{"/policies"});
}

TEST_CASE("at most fifty faults are told, and none repeats a value") {
  json document = Schedule();
  for (int i = 0; i < 200; ++i) document["policies"].push_back(i);
  CHECK(SchedulePointers(document).size() == 50);
  const auto bad = Parse({{"time_zone", "SENTINEL-1"},
                          {"tag_order", {"SENTINEL-2"}},
                          {"calendar", {{"weekend", {"SENTINEL-3"}}}},
                          {"policies",
                           {{{"name", "SENTINEL-4"},
                             {"class", "SENTINEL-5"},
                             {"period", "SENTINEL-6"},
                             {"tag", "SENTINEL-7"}}}}});
  REQUIRE(!bad);
  for (const auto& issue : IssuesOf(bad)) CHECK(issue.find("SENTINEL") == std::string::npos);
}

TEST_CASE("a schedule that is no JSON, or too large, keeps that reason") {
  CHECK(ParseSchedule("{", TheClasses()).error().reason == "json_invalid");
  CHECK(ParseSchedule(R"({"policies":1,"policies":2})", TheClasses()).error().reason ==
        "json_duplicate_key");
  std::string large = Schedule().dump();
  large.append(kMaxScheduleBytes, ' ');
  const auto schedule = ParseSchedule(large, TheClasses());
  REQUIRE(!schedule);
  CHECK(schedule.error().code == Code::kTooLarge);
  CHECK(schedule.error().reason == "document_too_large");
}

TEST_CASE("a class that does not fit the schedule in force is told why") {
  auto by_date = PolicyOf("by-date", "agreement");
  by_date["trigger"] = "date_field";
  const auto schedule = Good(With(Schedule(), "/policies/1", by_date));
  const auto pointers = [&](const json& definition) {
    Strings found;
    for (const auto& issue : schedule.IssuesOfClass(*ClassOf(definition))) {
      CHECK(!issue.message.empty());
      found.push_back(issue.pointer);
    }
    return found;
  };
  CHECK(pointers(Definition("contact")).empty());
  CHECK(pointers(Definition("agreement")) == Strings{"/retention_date"});
  CHECK(pointers(With(Definition("agreement"), "/retention_date", "day")).empty());
  CHECK(pointers(Definition("new")) == Strings{"/keep"});
  CHECK(pointers(With(Definition("new"), "/keep", "For now.")).empty());
  CHECK(pointers(Definition("consent")) == Strings{"/keep"});
}

TEST_CASE("the schedule that is shipped fits the classes that are shipped") {
  Classes classes;
  for (const auto& file : fs::directory_iterator(COFFER_SOURCE_DIR "/deploy/classes")) {
    classes.push_back(ClassOf(
        json::parse(testing::ReadShippedFile("classes/" + file.path().stem().string() + ".json"))));
  }
  const auto schedule = ParseSchedule(testing::ReadShippedFile("retention/schedule.json"), classes);
  for (const auto& issue : IssuesOf(schedule)) UNSCOPED_INFO(issue);
  REQUIRE(schedule);
  bool keeps = false;
  for (const auto& policy : schedule->policies()) keeps = keeps || policy.keeps();
  CHECK(keeps);
  for (const auto& schema : classes) {
    INFO(schema->name);
    CHECK(!schedule->PolicyFor(schema->name, Strings{}).name.empty());
    CHECK(schedule->IssuesOfClass(*schema).empty());
  }
}

}  // namespace
}  // namespace coffer::vault
