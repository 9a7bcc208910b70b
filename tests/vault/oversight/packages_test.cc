// Access packages: all that is kept of a client, handed out once, with what is left out and why.
#include "vault/oversight/packages.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <numeric>
#include <set>

#include "audit/documents/evidence_bundle.h"
#include "crypto/encoding.h"
#include "tests/vault/test_vault.h"
#include "vault/rights/package_step.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr std::string_view kRequestPurpose = "data-subject-request";
const std::string kPartKey = "first-key-of-22-letters";

class PackageVault : public TestVault {
 public:
  PackageVault() {
    client = NewClient("A-1", {"vip"});
    contact = NewContact(client, {{"last_name", "Doe"}, {"email", "jane@example.org"}});
    other = NewClient("A-2");
  }

  Caller Officer(std::string reason = {}) {
    last = As(kPrivacyOfficer, std::string(kRequestPurpose), std::move(reason));
    return last;
  }
  Result<Package> Prepare(const PackageForm& form = {}, std::optional<ClientId> of = {}) {
    return (*this)->packages().PreparePackage(Officer("SENTINEL why"), of.value_or(client), form);
  }
  PackageId Prepared(const PackageForm& form = {}) {
    const auto package = Prepare(form);
    INFO(AnswerOf(package));
    REQUIRE(package);
    return package->row.id;
  }
  Result<std::string> Part(const PackageId& id, std::uint64_t part,
                           const std::string& key = kPartKey) {
    return (*this)->packages().HandOutPart(Officer(), id, {part, key});
  }
  // All parts, to their bytes.
  Strings HandedOut(const PackageId& id, std::uint64_t from = 1) {
    Strings parts;
    for (std::uint64_t part = from; parts.empty() || !IsLast(parts.back()); ++part) {
      const auto text = Part(id, part);
      INFO(AnswerOf(text));
      REQUIRE(text);
      parts.push_back(*text);
    }
    return parts;
  }
  static bool IsLast(const std::string& part) { return json::parse(part).at("last").get<bool>(); }
  // What the parts have of one member.
  static json AllOf(const Strings& parts, const char* member) {
    json all = json::array();
    for (const std::string& part : parts) {
      const json parsed = json::parse(part);
      if (!parsed.contains(member)) continue;
      for (const json& item : parsed.at(member)) all.push_back(item);
    }
    return all;
  }
  json VersionsOf(const Strings& parts, const RecordId& id) {
    json versions = json::array();
    for (const json& item : AllOf(parts, "records")) {
      if (item.at("record") == id.Text()) versions.push_back(item);
    }
    return versions;
  }
  void Update(const RecordId& id, std::uint64_t version, const json& data) {
    const auto done = (*this)->records().UpdateRecord(As(kCrmService), client, id, version, data);
    INFO(AnswerOf(done));
    REQUIRE(done);
  }
  RequestId Asked(RequestKind kind, std::optional<ClientId> of, bool accepted) {
    RequestForm form;
    form.kind = kind;
    form.regime = "gdpr";
    form.channel = "email";
    form.received = clock.Now();
    form.client = of;
    const auto request = (*this)->requests().RegisterRequest(Officer(), form);
    REQUIRE(request);
    if (accepted) Step(request->row.id, StepKind::kAccept);
    return request->row.id;
  }
  std::string Step(const RequestId& id, StepKind kind, std::vector<std::uint64_t> entries = {}) {
    StepForm form;
    form.kind = kind;
    form.entries = std::move(entries);
    if (kind == StepKind::kReopen) form.words = "again";
    if (kind == StepKind::kRefuse) {
      form.article = "12(5)";
      form.letter = "L-1";
    }
    return AnswerOf((*this)->requests().TakeStep(Officer(), id, form));
  }
  Package Shown(const PackageId& id) {
    const auto package = (*this)->packages().GetPackage(As(kAuditor), id);
    REQUIRE(package);
    return *package;
  }

  ClientId client, other;
  RecordId contact;
  Caller last;
};

Strings ReasonsIn(const json& left_out) {
  Strings reasons;
  for (const json& item : left_out) {
    reasons.push_back(item.at("what").get<std::string>() + " " + item.value("class", "-") + " " +
                      item.value("field", "-") + " " + item.at("reason").get<std::string>());
  }
  return reasons;
}

}  // namespace

TEST_CASE("a package has every stored version, since when, and what the client is kept for") {
  PackageVault vault;
  vault.Update(vault.contact, 1, {{"last_name", "Roe"}});
  vault.Update(vault.contact, 2, {{"last_name", "Poe"}, {"city", "Exampletown"}});
  const PackageId id = vault.Prepared();
  const auto parts = vault.HandedOut(id);
  REQUIRE(parts.size() == 2);
  const json first = json::parse(parts[0]);
  CHECK(first.at("format") == "coffer-access-package-v1");
  CHECK(first.at("package") == id.Text());
  const json& about = first.at("about");
  CHECK(about.at("client").at("id") == vault.client.Text());
  CHECK(about.at("client").at("external_ref") == "A-1");
  CHECK(about.at("client").at("tags") == json{"vip"});
  CHECK(about.at("recipient") == "client");
  REQUIRE(about.at("classes").size() == 1);
  const json& contact = about.at("classes")[0];
  CHECK(contact.at("name") == "contact");
  CHECK(contact.at("title") == "Contact details");
  CHECK(contact.at("records") == 1);
  CHECK(!contact.at("purposes").empty());
  for (const json& purpose : contact.at("purposes")) CHECK(!purpose.at("title").empty());
  const json versions = vault.VersionsOf(parts, vault.contact);
  REQUIRE(versions.size() == 3);
  for (std::size_t i = 0; i < versions.size(); ++i) {
    CHECK(versions[i].at("version") == i + 1);
    CHECK(versions[i].at("current") == (i == 2));
  }
  CHECK(versions[0].at("data") == json{{"last_name", "Doe"}, {"email", "jane@example.org"}});
  CHECK(versions[2].at("data") == json{{"last_name", "Poe"}, {"city", "Exampletown"}});
  CHECK(first.at("left_out").empty());

  // Each part is in the log before it is here, by its hash; no value is.
  const Package shown = vault.Shown(id);
  CHECK(shown.state == PackageState::kHandedOut);
  REQUIRE(shown.parts.size() == 2);
  CHECK(shown.row.completed.has_value());
  const auto log = vault.WholeLog();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const audit::Entry& entry = log.at(shown.parts[i].seq);
    CHECK(entry.action == "client.package");
    CHECK(entry.client == vault.client.Text());
    CHECK(entry.payload_hash == crypto::Sha256(crypto::AsBytes(parts[i])));
    CHECK(PackageStepOf(entry.detail) == (i == 1 ? PackageStep::kLastPart : PackageStep::kPart));
  }
  const audit::Entry& record = log.at(shown.parts[0].seq - 1);
  CHECK(record.record == vault.contact.Text());
  CHECK(record.fields == Strings{"city", "email", "last_name"});
  vault.CheckInvariants();
}

TEST_CASE("each part is as the published schema says") {
  PackageVault vault;
  const RequestId asked = vault.Asked(RequestKind::kAccess, vault.client, true);
  vault.PutClass({{"name", "family"},
                  {"purposes", {"client-care", "data-subject-request"}},
                  {"fields", {{"spouse", {{"type", "string"}, {"third_person", true}}}}}});
  vault.NewRecord(vault.client, "family", {{"spouse", "x"}});
  vault.Update(vault.contact, 1, {{"last_name", "Roe"}});
  REQUIRE(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), vault.client, {"", "b", {}}));
  REQUIRE(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), vault.client,
                                         {"contact", "b", {false, {"marketing"}}}));
  REQUIRE(vault->consent_texts().PutConsentText(vault.As(kPrivacyOfficer), "letter",
                                                {{{"en", "I agree."}}}));
  ConsentRequest agreed;
  agreed.purpose = "marketing";
  agreed.text = {"letter", 1, "en"};
  agreed.channel = "paper";
  agreed.evidence = "folder 12";
  const auto consent =
      vault->consents().GiveConsent(vault.As(kPrivacyOfficer), vault.client, agreed);
  REQUIRE(consent);
  REQUIRE(vault->consents().WithdrawConsent(vault.As(kPrivacyOfficer), vault.client,
                                            consent->consent.id, {}));
  Strings files;
  for (const bool names_staff : {false, true}) {
    const PackageId id = vault.Prepared(
        {.request = asked, .representative = names_staff, .days = 30, .names_staff = names_staff});
    for (const std::string& part : vault.HandedOut(id)) {
      files.push_back(vault.work() / ("part-" + std::to_string(files.size())));
      std::ofstream(files.back()) << part;
    }
  }
  std::string command =
      "python3 -c '"
      "import json, sys, jsonschema\n"
      "v = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))\n"
      "v.check_schema(v.schema)\n"
      "bad = [(p, e.json_path, e.message[:300]) for p in sys.argv[2:] "
      "for e in v.iter_errors(json.load(open(p)))]\n"
      "print(bad) if bad else None\n"
      "sys.exit(bool(bad))' " COFFER_SOURCE_DIR "/docs/access-package.schema.json";
  for (const std::string& file : files) command += " " + file;
  CHECK(std::system(command.c_str()) == 0);
}

TEST_CASE("who looked is told with a proof for each entry, and not by name") {
  PackageVault vault;
  REQUIRE(!vault->records().GetRecord(vault.As(kAuditor), vault.client, vault.contact));
  REQUIRE(vault->records().GetRecord(vault.As(kCrmService), vault.client, vault.contact));
  REQUIRE(vault->holds().PlaceHold(
      vault.As(kPrivacyOfficer),
      {vault.client, "", "", "a dispute", "K-1", Timestamp{vault.clock.Now().ms + 86'400'000}}));
  const auto parts = vault.HandedOut(vault.Prepared());
  const json about = json::parse(parts[0]).at("about");
  const auto key = audit::ParseVerifierKey(about.at("log").at("keys")[0].get<std::string>());
  REQUIRE(key);
  CHECK(audit::FormatVerifierKey(*key) == vault.LogKey());
  const auto checkpoint =
      audit::VerifyCheckpoint(about.at("log").at("checkpoint").get<std::string>(), *key);
  REQUIRE(checkpoint);
  CHECK(checkpoint->size == about.at("log").at("size"));
  const json items = PackageVault::AllOf(parts, "log");
  const auto log = vault.WholeLog();
  std::vector<std::uint64_t> expected;
  for (const auto& entry : log) {
    const bool is = entry.client == vault.client.Text() && !entry.action.starts_with("hold.") &&
                    entry.seq < checkpoint->size;
    if (is) expected.push_back(entry.seq);
  }
  REQUIRE(items.size() == expected.size());
  std::set<std::string> persons;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const json& item = items[i];
    CHECK(item.at("seq") == expected[i]);
    const audit::Entry& entry = log[expected[i]];
    std::string bytes;
    audit::AppendCanonical(entry, bytes);
    const auto leaf = crypto::Base64Decode(item.at("leaf_hash").get<std::string>());
    REQUIRE(leaf);
    const auto hash = audit::LeafHash(crypto::AsBytes(bytes));
    CHECK(std::ranges::equal(*leaf, hash));
    std::vector<audit::Hash> proof;
    for (const json& step : item.at("proof")) {
      const auto decoded = crypto::Base64Decode(step.get<std::string>());
      REQUIRE(decoded);
      std::ranges::copy(*decoded, proof.emplace_back().begin());
    }
    CHECK(audit::VerifyInclusion(hash, entry.seq, checkpoint->size, proof, checkpoint->root));
    CHECK(item.at("action") == entry.action);
    CHECK(item.value("purpose", "") == entry.purpose);
    CHECK(!item.dump().contains(entry.actor));
    CHECK(!item.dump().contains(entry.address));
    CHECK(!item.contains("entry"));
    if (entry.rule == "role:crm-service") CHECK(item.at("who").at("role") == "crm-service");
    if (item.at("who").contains("person")) persons.insert(item.at("who").at("person"));
  }
  CHECK(persons.size() >= 2);
  CHECK(!items.dump().contains("SENTINEL"));

  // In another package they have other names; with a reason the entries are as they are.
  const auto again = vault.HandedOut(
      vault.Prepared({.request = {}, .representative = {}, .days = 1, .names_staff = true}));
  for (const json& item : PackageVault::AllOf(again, "log")) {
    CHECK(!persons.contains(item.at("who").value("person", "")));
    const auto entry = audit::ParseEntry(item.at("entry").get<std::string>());
    REQUIRE(entry);
    CHECK(entry->seq == item.at("seq"));
    if (!entry->actor.empty()) CHECK(item.at("who").at("actor") == entry->actor);
  }
  CHECK(AnswerOf(vault->packages().PreparePackage(
            vault.Officer(), vault.client,
            {.request = {}, .representative = {}, .days = 1, .names_staff = true})) ==
        "reason_required");
}

TEST_CASE("what is left out is named with the reason, as far as the role may know of it") {
  PackageVault vault;
  vault.PutClass({{"name", "family"},
                  {"purposes", {"client-care", "data-subject-request"}},
                  {"fields",
                   {{"note", {{"type", "string"}}},
                    {"spouse", {{"type", "string"}, {"third_person", true}}}}}});
  vault.PutClass({{"name", "inner"},
                  {"purposes", {"client-care"}},
                  {"fields", {{"note", {{"type", "string"}}}}}});
  const RecordId family =
      vault.NewRecord(vault.client, "family", {{"note", "own"}, {"spouse", "SENTINEL other"}});
  const RecordId inner = vault.NewRecord(vault.client, "inner", {{"note", "SENTINEL inner"}});
  const auto parts = vault.HandedOut(vault.Prepared());
  const json versions = vault.VersionsOf(parts, family);
  REQUIRE(versions.size() == 1);
  CHECK(versions[0].at("data") == json{{"note", "own"}});
  CHECK(versions[0].at("left_out") == json{"spouse"});
  CHECK(vault.VersionsOf(parts, inner).empty());
  for (const auto& part : parts) CHECK(!part.contains("SENTINEL"));
  auto reasons = ReasonsIn(PackageVault::AllOf(parts, "left_out"));
  std::ranges::sort(reasons);
  CHECK(reasons ==
        Strings{"field family spouse third_person", "version inner - class_not_for_purpose"});
  // What is said always is said whether there is any or not.
  CHECK(json::parse(parts[0]).at("about").at("left_out").size() == 5);

  // A role that may see one class, and its fields masked, is not told what else there is.
  REQUIRE(vault->roles().PutRole(vault.As(kAdministrator), "front-desk", R"({"grants": [
      {"actions": ["client.package", "record.read"], "classes": ["contact"], "view": "masked"}]})"));
  const auto token = vault.NewTokenFor("front-desk", 3600, "desk");
  REQUIRE(token);
  const PackageId id = vault.Prepared();
  Caller desk = vault.Officer();
  desk.token = token->secret;
  const auto part = vault->packages().HandOutPart(desk, id, {1, kPartKey});
  INFO(AnswerOf(part));
  REQUIRE(part);
  const json seen = json::parse(*part);
  CHECK(!part->contains("jane@example.org"));
  CHECK(!part->contains("spouse"));
  CHECK(!part->contains("inner"));
  // Neither is it named by who asked for it.
  std::size_t hidden = 0;
  for (std::uint64_t number = 2;; ++number) {
    const auto more = vault->packages().HandOutPart(desk, id, {number, kPartKey});
    REQUIRE(more);
    CHECK(!more->contains("spouse"));
    CHECK(!more->contains("inner"));
    for (const json& item : json::parse(*more).value("log", json::array())) {
      if (!item.value("hidden_by_role", false)) continue;
      ++hidden;
      CHECK(!item.contains("record"));
      CHECK(!item.contains("fields"));
      CHECK(item.contains("proof"));
    }
    if (PackageVault::IsLast(*more)) break;
  }
  CHECK(hidden > 0);
  reasons = ReasonsIn(seen.at("left_out"));
  std::ranges::sort(reasons);
  CHECK(reasons == Strings{"field contact email masked_by_role",
                           "field contact last_name masked_by_role",
                           "version - - class_not_for_purpose", "version - - hidden_by_role"});
  vault.CheckInvariants();
}

TEST_CASE("a package is handed out once, within its time, to whoever began") {
  PackageVault vault;
  const PackageId id = vault.Prepared();
  const auto package = vault.Shown(id);
  CHECK(package.row.expires.ms - package.row.prepared.ms == std::int64_t{30} * 86'400'000);
  CHECK(AnswerOf(vault.Part(id, 1, "short")) == "package_invalid");
  CHECK(AnswerOf(vault.Part(id, 1, std::string(22, ' '))) == "package_invalid");
  CHECK(AnswerOf(vault.Part(id, 0)) == "package_invalid");
  CHECK(AnswerOf(vault.Part(id, 2)) == "package_invalid");
  CHECK(vault.Shown(id).state == PackageState::kPrepared);
  CHECK(AnswerOf(vault->packages().MakeReceipt(vault.Officer(), id)) == "package_unfinished");
  REQUIRE(vault.Part(id, 1));
  CHECK(AnswerOf(vault.Part(id, 1, "second-key-of-22-letter")) == "package_handed_out");
  CHECK(AnswerOf(vault.Part(id, 2, "second-key-of-22-letter")) == "package_handed_out");
  CHECK(vault.EntryOf(vault.last).at("decision") == "allow");
  CHECK(vault.EntryOf(vault.last).at("outcome") == "package_handed_out");
  // The answer was lost: the same key goes on, for an hour.
  REQUIRE(vault.Part(id, 1));
  REQUIRE(vault.Part(id, 2));
  REQUIRE(vault.Part(id, 2));
  CHECK(AnswerOf(vault.Part(id, 3)) == "package_invalid");
  CHECK(AnswerOf(vault.Part(id, 4)) == "package_invalid");
  const auto handed = vault.Shown(id);
  CHECK(handed.row.completed.has_value());
  vault.clock.Advance(kHandOutMs - 1);
  REQUIRE(vault.Part(id, 1));
  vault.clock.Advance(1);
  CHECK(AnswerOf(vault.Part(id, 1)) == "package_handed_out");
  CHECK(AnswerOf(vault.Part(id, 2)) == "package_handed_out");
  // Began anew and broken off: what was handed out was, and is not for anybody else.
  CHECK(vault.Shown(id).row.completed == handed.row.completed);
  CHECK(AnswerOf(vault->packages().RevokePackage(vault.Officer(), id)) == "package_handed_out");
  CHECK(AnswerOf(vault->packages().MakeReceipt(vault.Officer(), id)) == "package_unfinished");
  const PackageId other_purpose = vault.Prepared();
  REQUIRE(vault.Part(other_purpose, 1));
  const auto marketing = vault->packages().HandOutPart(vault.As(kPrivacyOfficer, "marketing"),
                                                       other_purpose, {2, kPartKey});
  CHECK(IssuesOf(marketing) ==
        Strings{" was prepared for another purpose than is stated: for data-subject-request"});
  const PackageId late =
      vault.Prepared({.request = {}, .representative = {}, .days = 1, .names_staff = false});
  const PackageId stopped = vault.Prepared();
  CHECK(vault->packages().RevokePackage(vault.Officer(), stopped)->state == PackageState::kRevoked);
  CHECK(AnswerOf(vault.Part(stopped, 1)) == "package_revoked");
  CHECK(AnswerOf(vault->packages().RevokePackage(vault.Officer(), stopped)) == "package_revoked");
  const PackageId begun = vault.Prepared();
  REQUIRE(vault.Part(begun, 1));
  REQUIRE(vault->packages().RevokePackage(vault.Officer(), begun));
  CHECK(AnswerOf(vault.Part(begun, 2)) == "package_revoked");
  const PackageId whole = vault.Prepared();
  vault.HandedOut(whole);
  CHECK(AnswerOf(vault->packages().RevokePackage(vault.Officer(), whole)) == "package_handed_out");
  vault.clock.Advance(std::int64_t{86'400'000} - 1);
  CHECK(vault.Shown(late).state == PackageState::kPrepared);
  vault.clock.Advance(1);
  CHECK(vault.Shown(late).state == PackageState::kExpired);
  CHECK(AnswerOf(vault.Part(late, 1)) == "package_expired");
  CHECK(vault.EntryOf(vault.last).at("outcome") == "package_expired");
  CHECK(AnswerOf(vault->packages().RevokePackage(vault.Officer(), late)) == "package_expired");
  for (const std::uint64_t days : {0U, 91U}) {
    CHECK(AnswerOf(vault.Prepare(
              {.request = {}, .representative = {}, .days = days, .names_staff = false})) ==
          "package_invalid");
  }
  vault.CheckInvariants();
}

TEST_CASE("nothing is handed out while it is not known who asks, nor by somebody else's request") {
  PackageVault vault;
  const auto with = [](const RequestId& id) {
    return PackageForm{.request = id, .representative = {}, .days = 30, .names_staff = false};
  };
  const RequestId asked = vault.Asked(RequestKind::kAccess, vault.client, false);
  CHECK(AnswerOf(vault.Prepare(with(asked))) == "identity_pending");
  CHECK(AnswerOf(vault.Prepare()) == "identity_pending");  // not by leaving it out either
  CHECK(vault.Step(asked, StepKind::kCheckIdentity) == "ok");
  CHECK(AnswerOf(vault.Prepare(with(asked))) == "identity_pending");
  CHECK(AnswerOf(vault.Prepare()) == "identity_pending");
  CHECK(vault.Step(asked, StepKind::kAccept) == "ok");
  const PackageId id = vault.Prepared(with(asked));
  CHECK(vault.Shown(id).row.request == asked);
  // Somebody asks beside: what is named stands for itself.
  const RequestId beside = vault.Asked(RequestKind::kPortability, vault.client, false);
  CHECK(AnswerOf(vault.Prepare()) == "identity_pending");
  REQUIRE(vault.Prepare(with(asked)));
  CHECK(vault.Step(beside, StepKind::kWithdraw) == "ok");
  CHECK(AnswerOf(vault.Prepare(with(beside))) == "request_over");
  // It is asked again when it is handed out.
  CHECK(vault.Step(asked, StepKind::kRefuse) == "ok");
  CHECK(AnswerOf(vault.Part(id, 1)) == "request_over");
  CHECK(vault.Step(asked, StepKind::kReopen) == "ok");
  REQUIRE(vault.Part(id, 1));
  CHECK(vault.Step(asked, StepKind::kWithdraw) == "ok");
  CHECK(AnswerOf(vault.Part(id, 2)) == "request_over");

  const auto pointers = [](const Result<Package>& result) {
    Strings told = IssuesOf(result);
    told.insert(told.begin(), AnswerOf(result));
    return told;
  };
  const RequestId of_other = vault.Asked(RequestKind::kAccess, vault.other, true);
  CHECK(pointers(vault.Prepare(with(of_other))) ==
        Strings{"package_invalid", "/request must be a request of this client"});
  CHECK(pointers(vault.Prepare(with(RequestId::New(vault.clock.Now())))) ==
        Strings{"package_invalid", "/request must be a request of this client"});
  const RequestId erase = vault.Asked(RequestKind::kErasure, vault.client, true);
  CHECK(pointers(vault.Prepare(with(erase))) ==
        Strings{"package_invalid", "/request must be a request for access or portability"});
  vault.CheckInvariants();
}

TEST_CASE("the last part answers a request for access or portability, and nothing before it does") {
  for (const RequestKind kind : {RequestKind::kAccess, RequestKind::kPortability}) {
    PackageVault vault;
    const RequestId asked = vault.Asked(kind, vault.client, true);
    const PackageId id =
        vault.Prepared({.request = asked, .representative = {}, .days = 30, .names_staff = false});
    const auto entry_of = [&](const Caller& caller) {
      std::uint64_t seq = 0;
      for (const auto& entry : vault.WholeLog()) {
        if (entry.request == caller.call.Text()) seq = entry.seq;
      }
      return seq;
    };
    CHECK(vault.Step(asked, StepKind::kAnswer, {vault.Shown(id).row.seq}) == "fulfilment_missing");
    REQUIRE(vault.Part(id, 1));
    const std::uint64_t first = entry_of(vault.last);
    CHECK(vault.Step(asked, StepKind::kAnswer, {first}) == "fulfilment_missing");
    CHECK(vault.Step(asked, StepKind::kAnswer, {first - 1}) == "fulfilment_missing");  // a record's
    REQUIRE(vault.Part(id, 2));
    const std::uint64_t second = entry_of(vault.last);
    REQUIRE(vault->packages().MakeReceipt(vault.Officer(), id));
    CHECK(vault.Step(asked, StepKind::kAnswer, {entry_of(vault.last)}) == "fulfilment_missing");
    CHECK(vault.Step(asked, StepKind::kAnswer, {second}) == "ok");
  }
}

TEST_CASE("a package tells to whom data were given, and what was objected to and lifted") {
  PackageVault vault;
  const auto officer = [&](std::string reason = {}) {
    return vault.As(kPrivacyOfficer, std::string(kRequestPurpose), std::move(reason));
  };
  const auto courier = vault->recipients().CreateRecipient(
      officer(), {"<b>Courier</b> Ltd", "processor", {}, "US", "standard_clauses", {}, {}, {}});
  REQUIRE(courier);
  DisclosureFacts facts;
  facts.purpose = "client-care";
  facts.basis = "GDPR 6(1)(b)";
  facts.channel = "email";
  const auto given = vault->disclosures().RecordDisclosure(officer("by post"), courier->id, facts,
                                                           {{vault.client}, {"contact"}});
  REQUIRE(given);
  REQUIRE(vault->disclosures().RecordDisclosure(officer("by phone"), courier->id, facts,
                                                {{vault.client}, {}}));
  const auto objection = vault->restrictions().Restrict(officer(), vault.client,
                                                        {"", "no", {false, {}, {"contract"}}});
  REQUIRE(objection);
  REQUIRE(vault->restrictions().LiftRestriction(officer("agreed"), vault.client, objection->id));
  const json about = json::parse(vault.HandedOut(vault.Prepared())[0]).at("about");
  const json& disclosures = about.at("disclosures");
  REQUIRE(disclosures.size() == 2);
  CHECK(!disclosures[0].contains("classes"));
  CHECK(disclosures[1].at("id") == given->id.Text());
  CHECK(disclosures[1].at("recipient") == "<b>Courier</b> Ltd");
  CHECK(disclosures[1].at("classes") == json::array({"contact"}));
  CHECK(disclosures[1].at("country") == "US");
  const json& restriction = about.at("restrictions")[0];
  CHECK(restriction.at("legal_bases") == json::array({"contract"}));
  CHECK(restriction.at("lifted").is_string());
}

TEST_CASE("a held or restricted client gets its package, an erased one is told what is left") {
  PackageVault vault;
  REQUIRE(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), vault.client,
                                         {"", "SENTINEL-R disputed", {}}));
  const auto held = vault->holds().PlaceHold(
      vault.As(kPrivacyOfficer),
      {vault.client, "", "", "a dispute", "K-1", Timestamp{vault.clock.Now().ms + 86'400'000}});
  REQUIRE(held);
  // What a hold refused, and what was proposed about it, tells of it too.
  CHECK(AnswerOf(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client,
                                         {.class_name = {}, .records = {vault.contact}})) ==
        "held");
  CHECK(AnswerOf(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, {})) == "held");
  REQUIRE(vault->approvals().RequestApproval(vault.As(kPrivacyOfficer),
                                             {"hold.lift", held->id.Text(), {}}));
  PackageForm named;
  named.names_staff = true;
  const PackageId id = vault.Prepared();
  for (const PackageId& package : {id, vault.Prepared(named)}) {
    const auto parts = vault.HandedOut(package);
    CHECK(json::parse(parts[0]).at("about").at("restrictions")[0].at("basis") ==
          "SENTINEL-R disputed");
    for (const std::string& part : parts) {
      for (const char* telling : {"\"held\"", "hold_", "hold.", "K-1", "a dispute"}) {
        INFO(telling);
        CHECK(!part.contains(telling));
      }
    }
  }
  const PackageId waits = vault.Prepared();
  const PackageId begun = vault.Prepared();
  REQUIRE(vault.Part(begun, 1));
  REQUIRE(vault->holds().LiftHold(vault.As(kPrivacyOfficer, std::string(kRequestPurpose), "over"),
                                  held->id));
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, {}));
  for (const auto& answer : {IssuesOf(vault.Prepare()), IssuesOf(vault.Part(waits, 1)),
                             IssuesOf(vault.Part(begun, 2))}) {
    REQUIRE(answer.size() == 1);
    CHECK(answer[0].starts_with("/client was erased: what is left to tell is when, by era_"));
  }
  CHECK(AnswerOf(vault.Prepare()) == "client_erased");
  CHECK(AnswerOf(vault.Part(begun, 2)) == "client_erased");
  CHECK(AnswerOf(vault.Prepare({}, ClientId::New(vault.clock.Now()))) == "not_found");
  // Whether a client that is gone was one of those denied nobody knows: it is for who is denied
  // none.
  REQUIRE(vault->roles().PutRole(vault.As(kAdministrator), "not-vips", R"({"grants": [
      {"actions": ["package.read", "request.read"]},
      {"deny": true, "actions": ["package.read", "request.read"], "scope": {"tag": "vip"}}]})"));
  const auto denied = vault.NewTokenFor("not-vips", 3600, "reader");
  REQUIRE(denied);
  Caller reader = vault.Officer();
  reader.token = denied->secret;
  const auto packages = vault->packages().ListPackages(reader, {vault.client, {}}, {});
  REQUIRE(packages);
  CHECK(packages->items.empty());
  RequestFilter of_client;
  of_client.client = vault.client;
  const auto requests = vault->requests().ListRequests(reader, of_client, {});
  REQUIRE(requests);
  CHECK(requests->items.empty());
  CHECK(vault.Shown(id).state == PackageState::kHandedOut);
  REQUIRE(vault->packages().MakeReceipt(vault.Officer(), id));
  vault.CheckInvariants();
}

TEST_CASE(
    "a large client comes in bounded parts, each version and entry once, also after a restart") {
  PackageVault vault;
  std::set<std::pair<std::string, std::uint64_t>> expected = {{vault.contact.Text(), 1}};
  std::vector<RecordId> records;
  for (int i = 0; i < 60; ++i) {
    records.push_back(vault.NewContact(vault.client, {{"last_name", "N" + std::to_string(i)}}));
    expected.emplace(records.back().Text(), 1);
  }
  // One record has more versions than a part has room for.
  for (std::uint64_t version = 1; version <= kPackageVersions + 20; ++version) {
    vault.Update(records[30], version, {{"last_name", "V" + std::to_string(version)}});
    expected.emplace(records[30].Text(), version + 1);
  }
  for (int i = 0; i < 1100; ++i) {
    REQUIRE(vault->clients().GetClient(vault.As(kCrmService), vault.client));
  }
  const PackageId id = vault.Prepared();
  Strings parts;
  for (std::uint64_t part = 1; parts.empty() || !PackageVault::IsLast(parts.back()); ++part) {
    if (part % 2 == 0) {
      vault.Close();
      vault.Open();
    }
    const auto text = vault.Part(id, part);
    INFO(AnswerOf(text));
    REQUIRE(text);
    parts.push_back(*text);
    const json parsed = json::parse(*text);
    CHECK(parsed.value("records", json::array()).size() <= kPackageVersions);
    CHECK(parsed.value("log", json::array()).size() <= 1000);
  }
  CHECK(parts.size() >= 4);
  std::set<std::pair<std::string, std::uint64_t>> seen;
  for (const json& item : PackageVault::AllOf(parts, "records")) {
    CHECK(seen.emplace(item.at("record"), item.at("version")).second);
  }
  CHECK(seen == expected);
  std::uint64_t before = 0;
  std::size_t reads = 0;
  for (const json& item : PackageVault::AllOf(parts, "log")) {
    const std::uint64_t seq = item.at("seq");
    CHECK((before == 0 || seq > before));
    before = seq;
    if (item.at("action") == "client.read") ++reads;
  }
  CHECK(reads == 1100);
  vault.CheckInvariants();
}

// Not a test: prints how long a large package takes.
TEST_CASE("figures of a package", "[.figures]") {
  PackageVault vault;
  for (int i = 0; i < 999; ++i) {
    const RecordId id = vault.NewContact(vault.client, {{"last_name", "N" + std::to_string(i)},
                                                        {"email", "n@example.org"},
                                                        {"city", "Exampletown"}});
    for (const std::uint64_t version : {1U, 2U}) {
      vault.Update(id, version, {{"last_name", "M" + std::to_string(i)}});
    }
  }
  while (vault.WholeLog().size() < 10'000) {
    for (int i = 0; i < 1000; ++i) {
      REQUIRE(vault->clients().GetClient(vault.As(kCrmService), vault.client));
    }
  }
  const PackageId id = vault.Prepared();
  Strings parts;
  std::vector<std::int64_t> ms;
  while (parts.empty() || !PackageVault::IsLast(parts.back())) {
    const auto begin = std::chrono::steady_clock::now();
    const auto part = vault.Part(id, parts.size() + 1);
    const auto end = std::chrono::steady_clock::now();
    REQUIRE(part);
    parts.push_back(*part);
    ms.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(end - begin).count());
  }
  std::size_t bytes = 0;
  for (const auto& part : parts) bytes += part.size();
  std::cout << parts.size() << " parts, " << bytes << " bytes, "
            << PackageVault::AllOf(parts, "log").size() << " entries, "
            << std::accumulate(ms.begin(), ms.end(), std::int64_t{0}) << " ms:";
  for (const auto one : ms) std::cout << ' ' << one;
  std::cout << '\n';
}

TEST_CASE("the receipt shows that each part was handed out as it is") {
  PackageVault vault;
  const PackageId id = vault.Prepared();
  const auto parts = vault.HandedOut(id);
  const auto receipt = vault->packages().MakeReceipt(vault.Officer(), id);
  REQUIRE(receipt);
  const auto bytes = crypto::AsBytes(*receipt);
  const auto report = audit::VerifyEvidence(bytes, *audit::ParseVerifierKey(vault.LogKey()));
  CHECK(report.ok());
  CHECK(report.entries == parts.size());
  CHECK(report.subject == vault.client.Text());
  CHECK(report.completeness == audit::EvidenceReport::Completeness::kNotClaimed);
  const auto evidence = audit::ReadEvidence(bytes);
  REQUIRE(evidence);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto entry = audit::ParseEntry(evidence->entries[i].bytes);
    REQUIRE(entry);
    CHECK(entry->payload_hash == crypto::Sha256(crypto::AsBytes(parts[i])));
  }
}

TEST_CASE(
    "what was only prepared, revoked or proven was not disclosed, as the scope of a breach says") {
  PackageVault vault;
  const auto ways = [&] {
    ScopeCriteria criteria;
    criteria.principal = vault.TokenOf(kPrivacyOfficer).principal.Text();
    const auto scope = vault->breach_scopes().FindScope(
        vault.As(kSecurityOfficer), criteria, {.limit = 10, .after = {}, .record_ids = false});
    REQUIRE(scope);
    REQUIRE(scope->page.size() == 1);
    return std::pair(scope->page[0].ways.Has(Way::kNamed), scope->page[0].ways.Has(Way::kExported));
  };
  const PackageId stopped = vault.Prepared();
  REQUIRE(vault->packages().RevokePackage(vault.Officer(), stopped));
  CHECK(ways() == std::pair(true, false));
  REQUIRE(vault.Part(vault.Prepared(), 1));
  CHECK(ways() == std::pair(true, true));
}

TEST_CASE("packages are listed by client and state, to who may know of the client") {
  PackageVault vault;
  const PackageId one = vault.Prepared();
  const auto two = vault.Prepare({}, vault.other);
  REQUIRE(two);
  vault.HandedOut(one);
  const auto listed = [&](PackageFilter filter, Role role = kPrivacyOfficer) {
    Strings ids;
    PageRequest page{1, {}};
    do {
      const auto found = vault->packages().ListPackages(vault.As(role), filter, page);
      INFO(AnswerOf(found));
      REQUIRE(found);
      for (const Package& package : found->items) ids.push_back(package.row.id.Text());
      page.cursor = found->next_cursor;
    } while (!page.cursor.empty());
    return ids;
  };
  const std::string first = one.Text(), second = two->row.id.Text();
  CHECK(listed({}) == Strings{second, first});
  CHECK(listed({}, kAuditor) == Strings{second, first});
  CHECK(listed({vault.client, {}}) == Strings{first});
  CHECK(listed({{}, PackageState::kPrepared}) == Strings{second});
  CHECK(listed({{}, PackageState::kHandedOut}) == Strings{first});
  CHECK(listed({{}, PackageState::kRevoked}).empty());
  for (const Role role :
       {kAdministrator, kCrmService, kCaseWorker, kSupervisor, kSecurityOfficer}) {
    CHECK(AnswerOf(vault->packages().ListPackages(vault.As(role), {}, {})) == "permission_denied");
  }
  for (const Role role :
       {kAdministrator, kCrmService, kCaseWorker, kSupervisor, kSecurityOfficer, kAuditor}) {
    CHECK(!vault->packages().HandOutPart(vault.As(role, std::string(kRequestPurpose)), two->row.id,
                                         {1, kPartKey}));
  }
  CHECK(vault.Shown(two->row.id).state == PackageState::kPrepared);
  CHECK(AnswerOf(vault->packages().GetPackage(vault.As(kAuditor),
                                              PackageId::New(vault.clock.Now()))) == "not_found");
  for (int i = 1; i < 20; ++i) REQUIRE(vault.Prepare({}, vault.other));
  CHECK(AnswerOf(vault.Prepare({}, vault.other)) == "too_many_packages");
}

TEST_CASE("what entries say of packages is read back, and of nothing else") {
  const PackageId id = PackageId::New(Timestamp{1'767'225'600'000});
  using enum PackageStep;
  for (const PackageStep step : {kPrepared, kRevoked, kPart, kLastPart, kReceipt}) {
    const std::string detail = PackageDetail(id, step, 7);
    for (const std::string& said :
         {detail, "ticket K-1; " + detail, detail + "; masked email", detail + "; names staff"}) {
      CHECK(PackageStepOf(said) == step);
    }
  }
  for (const std::string_view said :
       {"", "masked external_ref", "ticket K-1", "ticket pkg_, the last", "req_1 pkg_"}) {
    CHECK(!PackageStepOf(said));
  }
}

}  // namespace coffer::vault
