// Erasing a class of a client or single records: what goes is gone for good, what stays is readable
// under a new key, and the log, the ledger and the act say which is which.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "audit/documents/act_document.h"
#include "audit/documents/ledger_file.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;

class PartlyErasedVault : public TestVault {
 public:
  explicit PartlyErasedVault(const Settings& settings = Settings()) : TestVault(settings) {
    client = NewClient("P-1", {"vip"});
    first = NewContact(client, {{"last_name", "Doe"}});
    REQUIRE(
        (*this)->records().UpdateRecord(As(kCrmService), client, first, 1, {{"last_name", "Roe"}}));
    second = NewContact(client, {{"last_name", "Poe"}});
    REQUIRE((*this)->records().UpdateRecord(As(kCrmService), client, second, 1,
                                            {{"last_name", "Loe"}}));
    REQUIRE((*this)->records().UpdateRecord(As(kCrmService), client, second, 2,
                                            {{"last_name", "Foe"}}));
  }
  Result<Erasure> EraseFirst() {
    return (*this)->erasures().Erase(As(kPrivacyOfficer), client,
                                     {ErasureBasis::kUnlawful, {}, {first}});
  }
  std::string Read(const RecordId& id) {
    const auto record = (*this)->records().GetRecord(As(kCrmService), client, id);
    return record ? record->data : std::string(record.error().reason);
  }
  std::string Wrapped() {
    const Database keys = OpenKeysDatabase();
    auto select = Statement::Prepare(keys, "SELECT wrapped FROM client_keys WHERE client = ?");
    REQUIRE(select);
    auto row = select->Query(client.Row());
    REQUIRE(row.Next() == true);
    return std::string(row.Text(0));
  }
  void CheckWholeLog() {
    const auto report = (*this)->verification().VerifyLog(As(kAuditor), true);
    REQUIRE(report);
    for (const auto& finding : report->log.findings) FAIL_CHECK(finding.message);
  }
  ClientId client;
  RecordId first, second;
};

}  // namespace

TEST_CASE("of a client some records go, and the rest is read under a new key") {
  PartlyErasedVault vault;
  const std::string before = vault.Wrapped();
  const std::string payload = vault.PayloadHash(vault.second);
  const auto erasure = vault.EraseFirst();
  REQUIRE(erasure);
  CHECK(erasure->scope == ErasureScope::kRecords);
  CHECK(erasure->records == 1);
  CHECK(erasure->versions == 1);
  CHECK(erasure->complete);
  for (int round = 0; round < 2; ++round) {
    CHECK(vault.Read(vault.first) == "not_found");
    CHECK(vault.Read(vault.second) == R"({"last_name":"Foe"})");
    CHECK(vault->records()
              .GetRecordVersion(vault.As(kCrmService), vault.client, vault.second, 1)
              ->data == R"({"last_name":"Poe"})");
    CHECK(vault->clients().GetClient(vault.As(kCrmService), vault.client)->external_ref == "P-1");
    CHECK(vault->searches()
              .SearchByField(vault.As(kCrmService), "contact", "last_name", "Roe", {})
              ->items.empty());
    vault.Close();
    vault.Open();
  }
  CHECK(vault.Wrapped() != before);
  CHECK(vault.PayloadHash(vault.second) != payload);
  CHECK(vault.Number("SELECT generation FROM clients") == 1);
  REQUIRE(vault->records().UpdateRecord(vault.As(kCrmService), vault.client, vault.second, 3,
                                        {{"last_name", "Zoe"}}));
  CHECK(vault.Read(vault.second) == R"({"last_name":"Zoe"})");
  vault.CheckWholeLog();
  vault.CheckInvariants();
}

TEST_CASE("a class of a client goes, again and again, and at last the client") {
  PartlyErasedVault vault;
  const auto erased = vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client,
                                              {ErasureBasis::kRequest, "contact", {}});
  REQUIRE(erased);
  CHECK(erased->scope == ErasureScope::kClass);
  CHECK(erased->records == 2);
  CHECK(erased->versions == 3);
  const auto again = vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client,
                                             {ErasureBasis::kRequest, "contact", {}});
  REQUIRE(again);
  CHECK(again->id == erased->id);
  const auto record = vault.NewContact(vault.client, {{"last_name", "New"}});
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client,
                                  {ErasureBasis::kRequest, {}, {record}}));
  CHECK(vault.Number("SELECT generation FROM clients") == 2);
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, {}));
  CHECK(vault.KeyCount() == 0);
  CHECK(vault->erasures().ListErasures(vault.As(kAuditor), {})->items.size() == 3);
  vault.CheckWholeLog();
  vault.CheckInvariants();
}

TEST_CASE("what cannot be erased is refused, and nothing changes") {
  PartlyErasedVault vault;
  const auto other = vault.NewClient("P-2");
  const auto foreign = vault.NewContact(other, {{"last_name", "Doe"}});
  const auto answer = [&](const ErasureRequest& request) {
    return AnswerOf(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, request));
  };
  CHECK(answer({ErasureBasis::kRequest, {}, {foreign}}) == "not_found");
  CHECK(answer({ErasureBasis::kRequest, {}, {vault.first, foreign}}) == "not_found");
  CHECK(answer({ErasureBasis::kRequest, "agreement", {}}) == "not_found");
  CHECK(answer({ErasureBasis::kRequest, "nothing", {}}) == "erasure_invalid");
  CHECK(answer({ErasureBasis::kRequest, "contact", {vault.first}}) == "erasure_invalid");
  CHECK(answer({ErasureBasis::kRequest, {}, {vault.first, vault.first}}) == "erasure_invalid");
  CHECK(answer({ErasureBasis::kRetention, {}, {}}) == "erasure_invalid");
  CHECK(AnswerOf(vault->erasures().Erase(vault.As(kCrmService), vault.client,
                                         {ErasureBasis::kRequest, {}, {vault.first}})) ==
        "permission_denied");
  CHECK(vault.Number("SELECT count(*) FROM erasures") == 0);
  CHECK(vault.Number("SELECT count(*) FROM records") == 3);
  vault.CheckInvariants();
}

TEST_CASE("who may not write all of a record does not erase it, in whatever way") {
  PartlyErasedVault vault;
  const json complaint = {{"complaint_number", "C-1"}, {"received_on", "2026-01-02"},
                          {"channel", "phone"},        {"category", "service"},
                          {"status", "received"},      {"description", "The heating fails"}};
  json special = complaint;
  special["special_circumstances"] = "asthma";
  const auto handling = [&](Caller caller) {
    caller.purpose = "complaint-handling";
    return caller;
  };
  const auto crm = [&] { return handling(vault.As(kCrmService)); };
  const auto plain = vault->records().CreateRecord(crm(), vault.client, "complaint", complaint, {});
  const auto sensitive =
      vault->records().CreateRecord(crm(), vault.client, "complaint", special, {});
  // What it had once is erased as well.
  const auto changed = vault->records().CreateRecord(crm(), vault.client, "complaint", special, {});
  REQUIRE((plain && sensitive && changed));
  REQUIRE(vault->records().UpdateRecord(crm(), vault.client, changed->id, 1, complaint));

  int made = 0;
  const auto with = [&](const std::string& grant) {
    const std::string name = "eraser-" + std::to_string(++made);
    REQUIRE(vault->roles().PutRole(
        vault.As(kAdministrator), name,
        R"({"grants": [{"actions": ["client.erase", "record.erase"], )" + grant + "}]}"));
    const auto token = vault.NewTokenFor(name, 3600, name);
    REQUIRE(token);
    return token->secret;
  };
  const auto answer = [&](const std::string& token, const ErasureRequest& request) {
    const auto caller = handling(TestVault::Stranger(token));
    const auto erasure = vault->erasures().Erase(caller, vault.client, request);
    if (!erasure && erasure.error().reason == "field_not_writable") {
      const auto entry = vault.EntryOf(caller);
      CHECK(entry.at("rule") == "check:fields");
      CHECK(entry.at("decision") == "deny");
    }
    return AnswerOf(erasure);
  };
  const auto records = [](std::vector<RecordId> ids) {
    return ErasureRequest{ErasureBasis::kRequest, {}, std::move(ids)};
  };
  const ErasureRequest complaints{ErasureBasis::kRequest, "complaint", {}};
  const auto insensitive = with(R"("sensitivity": ["internal", "personal"])");
  const auto of_contacts = with(R"("classes": ["contact"])");
  const auto of_complaints = with(R"("classes": ["complaint"])");
  for (const auto& token : {insensitive, of_contacts, of_complaints}) {
    CHECK(answer(token, {}) == "field_not_writable");
  }
  CHECK(answer(insensitive, complaints) == "field_not_writable");
  CHECK(answer(insensitive, records({plain->id, sensitive->id})) == "field_not_writable");
  CHECK(answer(insensitive, records({changed->id})) == "field_not_writable");
  // That one has no such field is nothing that an answer may tell.
  CHECK(answer(insensitive, records({plain->id})) == "field_not_writable");
  CHECK(answer(of_contacts, records({plain->id})) == "permission_denied");
  CHECK(vault.Number("SELECT count(*) FROM erasures") == 0);
  CHECK(vault.Number("SELECT count(*) FROM records") == 5);
  CHECK(answer(of_complaints, complaints) == "ok");
  auto of_client = TestVault::Stranger(of_contacts);
  CHECK(AnswerOf(vault->erasures().Erase(of_client, vault.client, {})) == "ok");
  CHECK(vault.Number("SELECT count(*) FROM clients") == 0);
  vault.CheckInvariants();
}

TEST_CASE("without the operator's name nothing is erased") {
  TestVault::Settings settings;
  settings.operator_details.address.clear();
  PartlyErasedVault vault(settings);
  const auto refused = vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, {});
  CHECK(AnswerOf(refused) == "operator_incomplete");
  CHECK(IssuesOf(refused) == std::vector<std::string>{"/operator/address is not configured"});
  CHECK(vault->clients().GetClient(vault.As(kCrmService), vault.client));
}

TEST_CASE("reasons of what stays are kept, those of what goes are not") {
  PartlyErasedVault vault;
  auto caller = vault.As(kCrmService);
  caller.reason = "about the first";
  REQUIRE(vault->records().GetRecord(caller, vault.client, vault.first));
  auto other = vault.As(kCrmService);
  other.reason = "about the second";
  REQUIRE(vault->records().GetRecord(other, vault.client, vault.second));
  std::uint64_t of_first = 0, of_second = 0;
  for (const auto& entry : vault.WholeLog()) {
    if (entry.request == caller.call.Text()) of_first = entry.seq;
    if (entry.request == other.call.Text()) of_second = entry.seq;
  }
  REQUIRE(vault.EraseFirst());
  CHECK_FALSE(vault->access_log().ReadLogEntry(vault.As(kSecurityOfficer), of_first)->note_text);
  CHECK(vault->access_log().ReadLogEntry(vault.As(kSecurityOfficer), of_second)->note_text ==
        "about the second");
}

TEST_CASE("the act of an erasure is one document, and verifies") {
  PartlyErasedVault vault;
  auto caller = vault.As(kPrivacyOfficer);
  caller.ticket = "DSR-17";
  const auto erasure = vault->erasures().Erase(
      caller, vault.client, {ErasureBasis::kConsentWithdrawn, {}, {vault.first}});
  REQUIRE(erasure);
  const auto document = vault->erasure_acts().ReadAct(vault.As(kAuditor), erasure->id, {});
  REQUIRE(document);
  CHECK(*vault->erasure_acts().ReadAct(vault.As(kPrivacyOfficer), erasure->id, {}) == *document);
  const auto status = vault->monitoring().ReadStatus(vault.As(kPrivacyOfficer));
  const auto key = audit::ParseVerifierKey(status->log_key);
  REQUIRE(key);
  const auto report = audit::VerifyAct(*document, {&*key, 1});
  for (const auto& finding : report.findings) FAIL_CHECK(finding.message);
  REQUIRE(report.act);
  CHECK(report.missing.empty());
  CHECK(report.act->client == vault.client.Text());
  CHECK(report.act->reference == "DSR-17");
  CHECK(report.act->records == std::vector{vault.first.Text()});
  CHECK(report.act->key->replaced);
  CHECK(document->find("Roe") == std::string::npos);
  CHECK(vault->erasure_acts()
            .ReadAct(vault.As(kAuditor), erasure->id,
                     {DocumentForm::kPage, audit::PageLanguage::kRussian})
            ->find("Example Care Ltd") != std::string::npos);
  CHECK(vault->erasure_acts()
            .ReadAct(vault.As(kAuditor), erasure->id, {DocumentForm::kLogCsv})
            ->find(vault.client.Text()) != std::string::npos);
  CHECK(AnswerOf(vault->erasure_acts().ReadAct(vault.As(kCrmService), erasure->id, {})) ==
        "permission_denied");
}

TEST_CASE("an act of each basis is worded in each language, with the title that its class has") {
  for (const ErasureBasis basis :
       {ErasureBasis::kRequest, ErasureBasis::kConsentWithdrawn, ErasureBasis::kPurposeReached,
        ErasureBasis::kContractEnd, ErasureBasis::kUnlawful}) {
    PartlyErasedVault vault;
    json contact = json::parse(testing::ReadShippedFile("classes/contact.json"));
    contact["title"] = "Контакты";
    vault.PutClass(contact);
    const auto erasure = vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client,
                                                 {basis, {}, {vault.first}});
    REQUIRE(erasure);
    const auto read = [&](const DocumentRequest& request) {
      const auto text = vault->erasure_acts().ReadAct(vault.As(kAuditor), erasure->id, request);
      REQUIRE(text);
      return *text;
    };
    const std::string as_signed = read({});
    CHECK(as_signed.contains(R"("title":"Контакты")"));
    for (const auto& [language, law] : {std::pair(audit::PageLanguage::kEnglish, "GDPR"),
                                        {audit::PageLanguage::kGerman, "DSGVO"},
                                        {audit::PageLanguage::kRussian, "152-ФЗ"},
                                        {audit::PageLanguage::kChinese, "个人信息保护法"}}) {
      for (const DocumentForm form : {DocumentForm::kPage, DocumentForm::kLogCsv}) {
        const std::string text = read({form, language});
        INFO(Name(basis) << " " << audit::Name(language));
        CHECK(text.contains(law));
        CHECK(text.contains("Контакты"));
        if (language == audit::PageLanguage::kEnglish) continue;
        for (const char* english : {"GDPR", "art.", "records of class", "not part of", "request of",
                                    "accountability", "older copies", "consent withdrawn"}) {
          INFO(english);
          CHECK_FALSE(text.contains(english));
        }
      }
    }
    CHECK(read({DocumentForm::kPage, audit::PageLanguage::kRussian})
              .contains("Контакты<small><code>contact</code></small>"));
    CHECK(read({}) == as_signed);
  }
}

TEST_CASE("acts are kept for three years, erasures for ever") {
  constexpr std::int64_t kThreeYearsMs = std::int64_t{3} * 366 * 24 * 3600 * 1000;
  PartlyErasedVault vault;
  const auto asked = vault.EraseFirst();
  REQUIRE(asked);
  REQUIRE(vault->erasure_acts().ReadAct(vault.As(kAuditor), asked->id, {}));
  const auto never = vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client,
                                             {ErasureBasis::kRequest, {}, {vault.second}});
  REQUIRE(never);
  vault.clock.Advance(1000);
  const auto kept = vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, {});
  REQUIRE(kept);
  vault.clock.Advance(kThreeYearsMs - 500);
  vault.clock.Advance(1000);  // a clock that jumped drops nothing
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  CHECK(vault.Number("SELECT count(*) FROM erasures WHERE facts IS NULL") == 0);
  vault.clock.Advance(-1000);
  vault.Close();
  vault.Tamper("UPDATE settings SET value = ? WHERE name = 'clock-seen'",
               std::string_view(std::to_string(vault.clock.Now().ms)));
  vault.Tamper("UPDATE settings SET value = '' WHERE name = 'clock-unconfirmed'");
  vault.Open(true);
  // The vault clears up once a second when nobody asks for anything.
  constexpr std::string_view kPurged = "SELECT count(*) FROM erasures WHERE facts IS NULL";
  for (int i = 0; i < 1200 && vault.Number(kPurged) == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  CHECK(vault.Number(kPurged) == 2);
  CHECK(vault.Number("SELECT count(*) FROM erasures WHERE act IS NOT NULL") == 0);
  CHECK(vault.Number("SELECT count(*) FROM erasures") == 3);
  // The auditor's token is from before, too.
  vault.clock.Advance(-kThreeYearsMs);
  CHECK(AnswerOf(vault->erasure_acts().ReadAct(vault.As(kAuditor), asked->id, {})) == "act_purged");
  CHECK(AnswerOf(vault->erasure_acts().ReadAct(vault.As(kAuditor), never->id, {})) == "act_purged");
  CHECK(vault->erasure_acts().ReadAct(vault.As(kAuditor), kept->id, {}));
}

TEST_CASE("when an older state is put back, the ledger's erasures are done again") {
  PartlyErasedVault vault;
  const auto whole = vault.NewClient("P-3");
  vault.Close();
  const std::string copy = vault.directory() + ".before";
  fs::copy(vault.directory(), copy, fs::copy_options::recursive);
  vault.Open();
  REQUIRE(vault.EraseFirst());
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), whole, {}));
  vault.Close();
  // Everything of before, but for the ledger.
  fs::copy(vault.directory() + "/erasures.ledger", copy + "/erasures.ledger",
           fs::copy_options::overwrite_existing);
  fs::remove_all(vault.directory());
  fs::rename(copy, vault.directory());
  vault.Open();
  CHECK(vault.Read(vault.first) == "not_found");
  CHECK(vault.Read(vault.second) == R"({"last_name":"Foe"})");
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), whole)) == "not_found");
  CHECK(vault->erasures().ListErasures(vault.As(kAuditor), {})->items.size() == 2);
  vault.CheckWholeLog();
  vault.Close();
  vault.Open();
  CHECK(vault->erasures().ListErasures(vault.As(kAuditor), {})->items.size() == 2);
  vault.CheckInvariants();
}

TEST_CASE("an older vault.db beside a newer keys.db opens, without what lost its key") {
  PartlyErasedVault vault;
  const auto other = vault.NewClient("P-4");
  const auto readable = vault.NewContact(other, {{"last_name", "Moe"}});
  vault.Close();
  const std::string copy = vault.directory() + ".before";
  fs::copy(vault.directory(), copy, fs::copy_options::recursive);
  vault.Open();
  REQUIRE(vault.EraseFirst());
  vault.Close();
  for (const char* name : {"vault.db", "anchor"}) {
    fs::copy(copy + "/" + name, vault.directory() + "/" + name,
             fs::copy_options::overwrite_existing);
  }
  fs::remove(vault.directory() + "/vault.db-wal");
  fs::remove(vault.directory() + "/vault.db-shm");
  fs::remove(vault.directory() + "/log-index.db");
  vault.Open();
  CHECK(vault.Number("SELECT count(*) FROM records WHERE id = ?", vault.first.Row()) == 0);
  CHECK(vault.Number("SELECT count(*) FROM records WHERE id = ?", vault.second.Row()) == 1);
  CHECK(vault.Read(vault.second) == "integrity_failed");
  CHECK((*vault->records().GetRecord(vault.As(kCrmService), other, readable)).data ==
        R"({"last_name":"Moe"})");
  CHECK(vault->erasures().ListErasures(vault.As(kAuditor), {})->items.size() == 1);
  fs::remove_all(copy);
}

TEST_CASE("a ledger that is lost or cut is written again, and an altered one stops the start") {
  PartlyErasedVault vault;
  REQUIRE(vault.EraseFirst());
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, {}));
  vault.Close();
  const std::string path = vault.directory() + "/erasures.ledger";
  const auto content = [&] {
    std::ifstream file(path);
    return std::string((std::istreambuf_iterator<char>(file)), {});
  };
  const std::string first = content();
  fs::remove(path);
  vault.Open();
  vault.Close();
  CHECK(content() == first);
  fs::resize_file(path, first.find('\n') + 1);
  vault.Open();
  vault.Close();
  CHECK(content() == first);
  // What a start finishes first is not missing any more when it compares.
  fs::resize_file(path, first.find('\n') + 1);
  vault.Tamper("UPDATE erasures SET state = 0 WHERE scope = 1");
  vault.Open();
  vault.Close();
  CHECK(content() == first);
  std::string altered = first;
  altered[altered.find("cli_") + 5] ^= 1;
  std::ofstream(path, std::ios::trunc) << altered;
  CHECK(AnswerOf(vault.TryOpen()) == "ledger_damaged");
  std::ofstream(path, std::ios::trunc) << first;
  vault.Open();
}

TEST_CASE("records are written while others of their client are erased") {
  PartlyErasedVault vault;
  std::vector<RecordId> made;
  for (int i = 0; i < 20; ++i) made.push_back(vault.NewContact(vault.client, {{"last_name", "A"}}));
  std::atomic<int> unreadable{0};  // threads make no assertions
  {
    const std::jthread erasing([&] {
      for (const auto& id : made) {
        if (!vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client,
                                     {ErasureBasis::kRequest, {}, {id}})) {
          ++unreadable;
        }
      }
    });
    const std::jthread writing([&] {
      for (int i = 0; i < 50; ++i) {
        const auto record = vault->records().CreateRecord(vault.As(kCrmService), vault.client,
                                                          "contact", {{"last_name", "B"}}, {});
        if (!record || vault.Read(record->id) != R"({"last_name":"B"})") ++unreadable;
      }
    });
    const std::jthread changing([&] {
      std::uint64_t version = 3;
      for (int i = 0; i < 50; ++i) {
        if (vault->records().UpdateRecord(vault.As(kCrmService), vault.client, vault.second,
                                          version, {{"last_name", "C"}})) {
          ++version;
        }
        if (vault.Read(vault.second).find("last_name") == std::string::npos) ++unreadable;
      }
    });
  }
  CHECK(unreadable == 0);
  vault.CheckWholeLog();
  vault.CheckInvariants();
}

TEST_CASE("what is left of a client is told place by place") {
  PartlyErasedVault vault;
  const auto state = [&](std::string_view place) {
    const auto traces = vault->traces().FindTraces(vault.As(kPrivacyOfficer), vault.client);
    REQUIRE(traces);
    for (const auto& trace : *traces) {
      if (trace.place == place) return trace.state + " " + std::to_string(trace.count);
    }
    return std::string("?");
  };
  CHECK(state("records") == "present 2");
  CHECK(state("key") == "present 1");
  CHECK(state("holds") == "absent 0");
  REQUIRE(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), vault.client,
                                         {{}, "disputed", {}}));
  CHECK(state("restrictions") == "present 1");
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, {}));
  CHECK(state("profile") == "absent 0");
  CHECK(state("records") == "absent 0");
  CHECK(state("key") == "absent 0");
  CHECK(state("erasures") == "present 1");
  CHECK(AnswerOf(vault->traces().FindTraces(vault.As(kPrivacyOfficer),
                                            ClientId::New(vault.clock.Now()))) == "not_found");
}

}  // namespace coffer::vault
