// The register of processing: what is missing of it by each order, what is published, and that it
// stays.
#include "vault/oversight/processing.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <set>

#include "tests/vault/test_vault.h"
#include "vault/oversight/processing_document.h"

namespace coffer::vault {
namespace {

using enum Role;

json CompleteProcessing() {
  const json party = {{"name", "Example Care Ltd"},
                      {"address", "1 Example Street, Exampletown"},
                      {"contact", "privacy@care.example"}};
  return {{"controller", party},
          {"data_protection_officer", party},
          {"data_subjects", json::array({{{"name", "clients"}}})},
          {"recipients", json::array({{{"name", "couriers"}, {"country", "DE"}}})},
          {"transfers",
           json::array({{{"name", "mail provider"}, {"country", "US"}, {"safeguards", "SCC"}}})},
          {"begun", "2026-01-01"},
          {"database_location", "Exampletown"},
          {"impact_assessment", "file 7"},
          {"none", {{"representative", "in the Union"}, {"joint_controllers", "alone"}}}};
}

class ProcessingVault : public TestVault {
 public:
  std::string Put(const json& document, std::optional<std::uint64_t> seen = {}) {
    last = As(kPrivacyOfficer);
    put = (*this)->processing().PutDocument(last, document.dump(), seen);
    issues = IssuesOf(put);
    return AnswerOf(put);
  }
  ProcessingNow Read(ProcessingOrder order = ProcessingOrder::kGdpr) {
    last = As(kAuditor);
    const auto now = (*this)->processing().Read(last, order);
    INFO(AnswerOf(now));
    REQUIRE(now);
    return *now;
  }
  std::set<std::string> Missing(ProcessingOrder order = ProcessingOrder::kGdpr) {
    std::set<std::string> facts;
    for (const MissingFact& one : Read(order).missing) {
      facts.insert(std::string(one.fact) + (one.subject.empty() ? "" : " " + one.subject));
    }
    return facts;
  }
  std::string Publish(const ProcessingPublishing& asked) {
    last = As(kPrivacyOfficer);
    const auto done = (*this)->processing().Publish(last, asked);
    issues = IssuesOf(done);
    if (done) published = *done;
    return AnswerOf(done);
  }
  // What the shipped classes have no policy for.
  void KeepAll() {
    json policies = json::array();
    for (const auto& schema : (*this)->classes().ListClasses(As(kAuditor)).value()) {
      policies.push_back(
          {{"name", "keep-" + schema->name}, {"class", schema->name}, {"keep", "for the test"}});
    }
    const auto put_schedule = (*this)->retention().PutRetentionSchedule(
        As(kPrivacyOfficer), json{{"time_zone", "UTC"}, {"policies", policies}}.dump());
    INFO(AnswerOf(put_schedule));
    REQUIRE(put_schedule);
  }

  Caller last;
  Result<ProcessingDocument> put = ProcessingDocument();
  PublishedProcessing published;
  Strings issues;
};

}  // namespace

TEST_CASE("a document of the processing is strict, and every fault has its place") {
  const auto faults = [](const json& document) {
    const auto parsed = ParseProcessingDocument(document.dump());
    Strings told = IssuesOf(parsed);
    for (std::string& issue : told) issue.resize(std::min(issue.find(' '), issue.size()));
    return told;
  };
  CHECK(faults(CompleteProcessing()).empty());
  CHECK(faults(json::object()).empty());
  CHECK(faults(json::array()) == Strings{""});
  // Each member, with each value that it cannot be.
  const json wrong_values[] = {nullptr,
                               7,
                               "",
                               json::array(),
                               json::array({json::array()}),
                               false,
                               "a\nb",
                               std::string("a\x1b[0m"),
                               "a\u202eb",
                               std::string(3000, 'x')};
  const std::set<std::string> texts = {"database_location", "impact_assessment"};
  for (const auto& [member, value] : CompleteProcessing().items()) {
    for (const json& wrong : wrong_values) {
      json document = CompleteProcessing();
      document[member] = wrong;
      INFO(document.dump());
      CHECK_FALSE(faults(document).empty());
    }
    json deeper = CompleteProcessing();
    json& place = deeper[member].is_array() ? deeper[member][0] : deeper[member];
    if (!place.is_object()) continue;
    place["surprise"] = "x";
    const std::string at = "/" + member + (deeper[member].is_array() ? "/0" : "") + "/surprise";
    CHECK(faults(deeper) == Strings{at});
  }
  json document = CompleteProcessing();
  document["none"]["transfers"] = "none at all";
  CHECK(faults(document) == Strings{"/none/transfers"});
  document = CompleteProcessing();
  document["none"]["controller"] = "nobody";
  CHECK(faults(document) == Strings{"/none/controller"});
  document = CompleteProcessing();
  document["recipients"].push_back(document["recipients"][0]);
  CHECK(faults(document) == Strings{"/recipients/1/name"});
  document = CompleteProcessing();
  document["begun"] = "2026-02-30";
  document["recipients"][0]["country"] = "Germany";
  CHECK(faults(document) == Strings{"/begun", "/recipients/0/country"});
  CHECK(AnswerOf(ParseProcessingDocument("{\"begun\":\"2026-01-01\",\"begun\":\"2026-01-01\"}")) ==
        "json_duplicate_key");
  CHECK(AnswerOf(ParseProcessingDocument(std::string(kMaxProcessingDocument + 1, ' '))) ==
        "document_too_large");
}

TEST_CASE("what an order asks for is missing until it is there, and only that") {
  ProcessingVault vault;
  const auto before = vault.Missing();
  CHECK(before.contains("controller"));
  CHECK(before.contains("transfers"));
  CHECK_FALSE(before.contains("address"));  // of what is not there nothing more is asked
  CHECK(std::ranges::any_of(before, [](const auto& one) { return one.starts_with("retention "); }));
  vault.KeepAll();
  REQUIRE(vault.Put(CompleteProcessing()) == "ok");
  for (const auto order :
       {ProcessingOrder::kGdpr, ProcessingOrder::kRu152Fz, ProcessingOrder::kPipl}) {
    INFO(Name(order));
    auto missing = vault.Missing(order);
    std::erase_if(missing, [](const auto& one) { return one.starts_with("classes_of_purpose "); });
    CHECK(missing.empty());
  }
  // Without one fact: exactly the orders that ask for it miss it.
  const std::map<std::string, std::string> wanted = {
      {"controller", "gdpr ru-152fz pipl"}, {"data_protection_officer", "gdpr pipl"},
      {"data_subjects", "gdpr ru-152fz"},   {"recipients", "gdpr pipl"},
      {"transfers", "gdpr ru-152fz pipl"},  {"begun", "ru-152fz"},
      {"database_location", "ru-152fz"},    {"impact_assessment", "pipl"}};
  for (const auto& [member, orders] : wanted) {
    json document = CompleteProcessing();
    document.erase(member);
    REQUIRE(vault.Put(document) == "ok");
    std::string missed;
    for (const auto order :
         {ProcessingOrder::kGdpr, ProcessingOrder::kRu152Fz, ProcessingOrder::kPipl}) {
      if (vault.Missing(order).contains(member)) {
        missed += (missed.empty() ? "" : " ") + std::string(Name(order));
      }
    }
    INFO(member);
    CHECK(missed == orders);
  }
  // Within what is there: each has its place.
  json document = CompleteProcessing();
  document["controller"].erase("address");
  document["controller"].erase("contact");
  document["transfers"][0].erase("safeguards");
  document["transfers"][0].erase("country");
  document["none"].erase("representative");
  REQUIRE(vault.Put(document) == "ok");
  std::map<std::string, std::string> places;
  for (const MissingFact& one : vault.Read().missing) {
    CHECK(one.article.starts_with("GDPR 30(1)("));
    if (one.route == "PUT /v1/processing/document") places[std::string(one.fact)] = one.pointer;
  }
  CHECK(places ==
        std::map<std::string, std::string>{{"address", "/controller/address"},
                                           {"contact", "/controller/contact"},
                                           {"representative", "/representative"},
                                           {"transfer_country", "/transfers/0/country"},
                                           {"transfer_safeguards", "/transfers/0/safeguards"}});
}

TEST_CASE("the register is written from what is configured") {
  ProcessingVault vault;
  const json before = json::parse(vault.Read().register_json);
  const auto find = [](const json& list, std::string_view name) {
    const auto found =
        std::ranges::find_if(list, [&](const json& one) { return one.at("name") == name; });
    return found == list.end() ? json() : *found;
  };
  const json contact = find(before["classes"], "contact");
  REQUIRE(contact.is_object());
  CHECK_FALSE(contact["fields"].empty());
  CHECK(find(contact["fields"], "email")["sensitivity"] == "personal");
  CHECK(find(before["purposes"], "client-care")["classes"].size() > 0);
  CHECK(find(before["safeguards"], "encryption")["in_force"] == true);
  CHECK(find(before["safeguards"], "backups")["in_force"] == false);
  // Roles that see no client data are not in it; of the others no field more than they see.
  CHECK(find(before["roles"], "auditor").is_null());
  CHECK(find(before["roles"], "administrator").is_null());
  const json worker = find(before["roles"], "case-worker");
  REQUIRE(worker.is_object());
  CHECK(worker["clients"] == "some");
  CHECK(find(before["roles"], "privacy-officer")["clients"] == "all");
  CHECK(find(find(before["roles"], "privacy-officer")["classes"], "contact")["view"] == "plain");
  vault.PutPurpose("newsletter");
  const json after = json::parse(vault.Read().register_json);
  CHECK(find(before["purposes"], "newsletter").is_null());
  CHECK(find(after["purposes"], "newsletter")["legal_basis"] == "consent");
  // Who is registered as a recipient, until it ends; but for whose data it is.
  const auto courier = vault->recipients().CreateRecipient(
      vault.As(kPrivacyOfficer),
      {"Courier Ltd", "processor", {}, "US", "standard_clauses", {}, {}, {}});
  REQUIRE(courier);
  REQUIRE(vault->recipients().CreateRecipient(vault.As(kPrivacyOfficer),
                                              {"The person", "person", {}, {}, {}, {}, {}, {}}));
  CHECK(json::parse(vault.Read().register_json).at("recipients") ==
        json::array({{{"id", courier->id.Text()},
                      {"name", "Courier Ltd"},
                      {"description", "processor; standard_clauses"},
                      {"country", "US"}}}));
  // That there are none is no answer then.
  REQUIRE(vault.Put({{"none", {{"recipients", "nobody"}, {"transfers", "nowhere"}}}}) == "ok");
  CHECK(vault.Missing().contains("recipients"));
  CHECK(vault.Missing().contains("transfers"));
  REQUIRE(vault->recipients().EndRecipient(vault.As(kPrivacyOfficer), courier->id));
  CHECK(!vault.Missing().contains("recipients"));
  CHECK(!vault.Missing().contains("transfers"));
  json ended = json::parse(vault.Read().register_json);
  ended.erase("none");
  CHECK(ended == after);
  const json settled = json::parse(vault.Read().register_json);
  // Nothing in it moves by itself.
  vault.clock.Advance(std::int64_t{3600} * 1000);
  CHECK(json::parse(vault.Read().register_json) == settled);
}

TEST_CASE("documents have versions, and one that says the same makes none") {
  ProcessingVault vault;
  CHECK(AnswerOf(vault->processing().GetDocument(vault.As(kAuditor), std::nullopt)) == "not_found");
  REQUIRE(vault.Put(CompleteProcessing()) == "ok");
  CHECK(vault.put->version == 1);
  const json entry = vault.EntryOf(vault.last);
  CHECK(entry.at("action") == "processing.write");
  CHECK(entry.at("payload_hash") == crypto::HexEncode(vault.put->sha256));
  REQUIRE(vault.Put(CompleteProcessing()) == "ok");
  CHECK(vault.put->version == 1);
  CHECK(vault.EntryOf(vault.last).at("outcome") == "unchanged");
  json other = CompleteProcessing();
  other["measures"] = {"locks"};
  CHECK(vault.Put(other, 2) == "version_mismatch");
  CHECK(vault.Put(other, 1) == "ok");
  CHECK(vault.put->version == 2);
  CHECK(vault.Put({{"surprise", 1}}) == "processing_invalid");
  CHECK(vault->processing().GetDocument(vault.As(kAuditor), 1)->definition ==
        CompleteProcessing().dump());
  CHECK(AnswerOf(vault->processing().GetDocument(vault.As(kAuditor), 3)) == "not_found");
  vault.CheckInvariants();
}

TEST_CASE("a register is published whole and stays, and what is missing has to be said") {
  ProcessingVault vault;
  const ProcessingPublishing gdpr;
  CHECK(vault.Publish(gdpr) == "processing_incomplete");
  CHECK(vault.issues.size() > 5);
  CHECK(vault.Publish({ProcessingOrder::kGdpr, true, {}}) == "processing_invalid");
  CHECK(vault.Publish({ProcessingOrder::kGdpr, false, "why"}) == "processing_invalid");
  CHECK(vault.Number("SELECT count(*) FROM processing_versions") == 0);
  REQUIRE(vault.Publish({ProcessingOrder::kGdpr, true, "it is being written"}) == "ok");
  CHECK(vault.published.version == 1);
  CHECK(vault.published.missing > 0);
  const json entry = vault.EntryOf(vault.last);
  CHECK(entry.at("payload_hash") ==
        crypto::HexEncode(crypto::Sha256(crypto::AsBytes(vault.published.register_json))));
  CHECK(json::parse(vault.published.register_json).at("reason") == "it is being written");

  vault.KeepAll();
  REQUIRE(vault.Put(CompleteProcessing()) == "ok");
  std::string answer = vault.Publish(gdpr);
  // Shipped purposes that no shipped class has.
  for (const std::string& issue : vault.issues) INFO(issue);
  if (answer == "processing_incomplete") {
    answer = vault.Publish({ProcessingOrder::kGdpr, true, "purposes without classes"});
  }
  REQUIRE(answer == "ok");
  CHECK(vault.published.version == 2);
  const std::string second = vault.published.register_json;
  vault.clock.Advance(1000);
  REQUIRE(vault.Publish({vault.published.order, vault.published.missing > 0,
                         vault.published.missing > 0 ? "purposes without classes" : ""}) == "ok");
  CHECK(vault.published.version == 2);
  CHECK(vault.EntryOf(vault.last).at("outcome") == "unchanged");

  const auto listed = vault->processing().List(vault.As(kAuditor), {.limit = 1, .cursor = {}});
  REQUIRE(listed);
  REQUIRE(listed->items.size() == 1);
  CHECK(listed->items[0].version == 2);
  CHECK(listed->items[0].register_json.empty());
  const auto rest =
      vault->processing().List(vault.As(kAuditor), {.limit = 1, .cursor = listed->next_cursor});
  REQUIRE(rest);
  CHECK(rest->items.at(0).version == 1);
  CHECK(rest->next_cursor.empty());
  vault.Close();
  vault.Open();
  CHECK(vault->processing().Get(vault.As(kAuditor), 2)->register_json == second);
  CHECK(AnswerOf(vault->processing().Get(vault.As(kAuditor), 3)) == "not_found");
  vault.CheckInvariants();
}

TEST_CASE("the register is compared with what was published") {
  ProcessingVault vault;
  CHECK(AnswerOf(vault->processing().Compare(vault.As(kAuditor), std::nullopt)) == "not_found");
  REQUIRE(vault.Publish({ProcessingOrder::kGdpr, true, "a first one"}) == "ok");
  auto compared = vault->processing().Compare(vault.As(kAuditor), std::nullopt);
  REQUIRE(compared);
  CHECK(compared->from == 1);
  CHECK(compared->difference.changes.empty());
  vault.PutPurpose("newsletter");
  REQUIRE(vault.Put(CompleteProcessing()) == "ok");
  compared = vault->processing().Compare(vault.As(kAuditor), 1);
  REQUIRE(compared);
  Strings words;
  for (const DocumentChange& change : compared->difference.changes) {
    words.push_back(change.words.substr(0, change.words.find(':')));
  }
  CHECK(std::ranges::find(words, "purpose newsletter") != words.end());
  CHECK(std::ranges::find(words, "controller") != words.end());
  REQUIRE(vault.Publish({ProcessingOrder::kGdpr, true, "a second one"}) == "ok");
  CHECK(vault->processing().Compare(vault.As(kAuditor), std::nullopt)->difference.changes.empty());
  CHECK(vault->processing().Compare(vault.As(kAuditor), 1)->difference.changes.size() ==
        words.size());
  CHECK(AnswerOf(vault->processing().Compare(vault.As(kAuditor), 9)) == "not_found");
}

TEST_CASE("what is stored of the register cannot be altered, and is not taken for whole") {
  ProcessingVault vault;
  REQUIRE(vault.Put(CompleteProcessing()) == "ok");
  REQUIRE(vault.Publish({ProcessingOrder::kPipl, true, "as it is"}) == "ok");
  {
    Database database = vault.OpenVaultDatabase(false);
    for (const char* const sql :
         {"UPDATE processing_versions SET missing = 0", "DELETE FROM processing_versions",
          "UPDATE processing_documents SET definition = '{}'",
          "DELETE FROM processing_documents"}) {
      INFO(sql);
      CHECK_FALSE(database.Execute(sql));
    }
    REQUIRE(database.Execute("DROP TRIGGER processing_versions_stay"));
    REQUIRE(database.Execute("UPDATE processing_versions SET register = '{}'"));
  }
  CHECK(AnswerOf(vault->processing().Get(vault.As(kAuditor), 1)) == "integrity_failed");
}

TEST_CASE("who may not read or write the register of processing does not") {
  ProcessingVault vault;
  REQUIRE(vault.Publish({ProcessingOrder::kGdpr, true, "as it is"}) == "ok");
  for (const Role role : kRoles) {
    INFO(Name(role));
    const std::string read = RoleAllows(role, Action::kProcessingRead) ? "ok" : "permission_denied";
    const bool writes = RoleAllows(role, Action::kProcessingWrite);
    auto& processing = vault->processing();
    CHECK(AnswerOf(processing.Read(vault.As(role), ProcessingOrder::kGdpr)) == read);
    CHECK(AnswerOf(processing.List(vault.As(role), {})) == read);
    CHECK(AnswerOf(processing.Get(vault.As(role), 1)) == read);
    CHECK(AnswerOf(processing.Compare(vault.As(role), 1)) == read);
    CHECK(AnswerOf(processing.PutDocument(vault.As(role), "{}", {})) ==
          (writes ? "ok" : "permission_denied"));
    CHECK(AnswerOf(processing.Publish(vault.As(role), {})) ==
          (writes ? "processing_incomplete" : "permission_denied"));
  }
}

}  // namespace coffer::vault
