// Erasing a part of a large client: what stays is sealed again in steps, between which everybody
// else is served, and the client is read and written under two keys. Whatever comes between, what
// goes is left under a key that dies.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <thread>

#include "audit/documents/act_document.h"
#include "tests/support/sampling.h"
#include "tests/vault/deletion/retaining_vault.h"
#include "vault/deletion/erase.h"
#include "vault/deletion/resealing.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;

constexpr std::size_t kLarge = kResealsAtOnce + 60;  // contacts
const json kStayingCall = {{"occurred_at", "2026-01-01T10:00:00Z"},
                           {"channel", "phone"},
                           {"subject", "a call"},
                           {"summary", "about the weather"}};

// A client of many contacts, of which one was changed, and a call; another client beside it. Names
// of contacts are N0, N1, ...
class LargeClientVault : public RetainingVault {
 public:
  explicit LargeClientVault(const Settings& settings = Settings()) : RetainingVault(settings) {
    client = NewClient("L-1", {"vip"});
    for (std::size_t i = 0; i < kLarge; ++i) {
      contacts.push_back(NewContact(client, {{"last_name", NameOf(i)}}));
    }
    REQUIRE((*this)->records().UpdateRecord(As(kCrmService), client, contacts[1], 1,
                                            {{"last_name", "Two"}}));
    call = NewRecord(client, "interaction", kStayingCall);
    other = NewClient("L-2");
    other_contact = NewContact(other, {{"last_name", "Moe"}});
    const auto noted = As(kCrmService, std::string(kPurpose), "about the second");
    REQUIRE((*this)->records().GetRecord(noted, client, contacts[1]));
    for (const auto& entry : WholeLog()) {
      if (entry.request == noted.call.Text()) note_seq = entry.seq;
    }
  }
  static std::string NameOf(std::size_t i) { return "N" + std::to_string(i); }
  static std::string DataOf(const std::string& name) { return json{{"last_name", name}}.dump(); }

  Result<Erasure> Erase(const ErasureRequest& request) {
    return (*this)->erasures().Erase(As(kPrivacyOfficer), client, request);
  }
  ErasureRequest EraseFirstRequest() const { return {ErasureBasis::kUnlawful, {}, {contacts[0]}}; }
  Result<Erasure> EraseFirst() { return Erase(EraseFirstRequest()); }
  // By a hold that comes between the steps: the client has two keys then.
  HoldId StopAtThird(const ErasureRequest& request) {
    HoldId id;
    BeforeEach([&](int number) {
      if (number != 3) return;
      const auto hold = (*this)->holds().PlaceHold(
          As(kPrivacyOfficer), {client,
                                {},
                                {},
                                "Claim by a neighbour",
                                "K-12",
                                Timestamp{clock.Now().ms + 24 * kRetentionHourMs}});
      INFO(AnswerOf(hold));
      REQUIRE(hold);
      id = hold->id;
    });
    const auto erasure = Erase(request);
    LeaveAlone();
    REQUIRE(!erasure);
    CHECK(erasure.error().reason == "held");
    REQUIRE(Keys() == 2);
    return id;
  }

  // Before each operation of what this thread does next, by number.
  void BeforeEach(std::function<void(int)> act, int number = 0) {
    clock.Interrupt([this, act = std::move(act), number] {
      act(number);
      BeforeEach(act, number + 1);
    });
  }
  void LeaveAlone() {
    clock.Interrupt([] {});
    (void)clock.Now();
  }

  std::string Data(const RecordId& id, std::uint64_t version = 0) {
    const auto record =
        version == 0 ? (*this)->records().GetRecord(As(kCrmService), client, id)
                     : (*this)->records().GetRecordVersion(As(kCrmService), client, id, version);
    return record ? record->data : std::string(record.error().reason);
  }
  std::size_t Found(const std::string& name) {
    const auto found =
        (*this)->searches().SearchByField(As(kCrmService), "contact", "last_name", name, {});
    INFO(AnswerOf(found));
    REQUIRE(found);
    return found->items.size();
  }
  std::string Noted() {
    return (*this)
        ->access_log()
        .ReadLogEntry(As(kSecurityOfficer), note_seq)
        ->note_text.value_or("");
  }
  std::int64_t Keys() {
    return NumberIn(OpenKeysDatabase(), "SELECT count(*) FROM client_keys WHERE client = ?",
                    client.Row());
  }
  std::int64_t Generation() {
    return Number("SELECT generation FROM clients WHERE id = ?", client.Row());
  }
  std::int64_t LogSize() { return Number("SELECT count(*) FROM log_entries"); }
  // The generation of the key that sealed its current version.
  std::uint64_t SealedBy(const RecordId& id) {
    return *crypto::KeyIdOf(Blob("SELECT payload FROM records WHERE id = ?", id.Row()));
  }
  void CheckLog() {
    const auto report = (*this)->verification().VerifyLog(As(kAuditor), true);
    REQUIRE(report);
    for (const auto& finding : report->log.findings) FAIL_CHECK(finding.message);
  }
  // All that stays, as it was.
  void CheckStaying(std::size_t from = 1) {
    const auto contact = [&](std::size_t i) { return Data(contacts[i]); };
    CHECK(contact(1) == DataOf("Two"));
    CHECK(Data(contacts[1], 1) == DataOf(NameOf(1)));
    for (std::size_t i = std::max<std::size_t>(from, 2); i < kLarge; ++i) {
      if (contact(i) != DataOf(NameOf(i))) FAIL_CHECK(i << ": " << contact(i));
    }
    CHECK(Data(call) == kStayingCall.dump());
    CHECK((*this)->clients().GetClient(As(kCrmService), client)->external_ref == "L-1");
    CHECK(Noted() == "about the second");
  }
  // Nothing that is stored of the client is under another key than its only one.
  void CheckOneKey() {
    CHECK(Keys() == 1);
    const auto generation = Generation();
    const std::string is_other = " AND substr(hex($), 3, 8) <> printf('%08X', ?2)";
    const auto others = [&](std::string sql, const std::string& column) {
      sql += is_other;
      sql.replace(sql.find('$'), 1, column);
      INFO(sql);
      CHECK(Number(sql, client.Row(), generation) == 0);
    };
    others("SELECT count(*) FROM clients WHERE id = ?1", "profile");
    others("SELECT count(*) FROM clients WHERE id = ?1 AND ref IS NOT NULL", "ref");
    others("SELECT count(*) FROM records WHERE client = ?1", "payload");
    others("SELECT count(*) FROM records WHERE client = ?1 AND length(tokens) > 0", "tokens");
    others(
        "SELECT count(*) FROM record_versions WHERE record IN (SELECT id FROM records WHERE "
        "client = ?1)",
        "payload");
    others("SELECT count(*) FROM log_notes WHERE client = ?1", "note");
  }
  void CheckDone() {
    CheckOneKey();
    CheckLog();
    CheckInvariants();
  }

  ClientId client, other;
  std::vector<RecordId> contacts;
  RecordId call, other_contact;
  std::uint64_t note_seq = 0;
};

// Of a closed vault, whose databases can be put back.
class DirectoryCopy {
 public:
  DirectoryCopy(LargeClientVault& vault, const std::string& name)
      : directory_(vault.directory()), copy_(vault.work() / name) {
    fs::copy(directory_, copy_, fs::copy_options::recursive);
  }
  void PutVaultBack() const {
    for (const char* prefix : {"vault.db", "anchor", "log-index"}) PutBack(prefix);
  }
  void PutBack(std::string_view prefix) const {
    for (const auto& file : fs::directory_iterator(copy_)) {
      const std::string name = file.path().filename();
      if (!name.starts_with(prefix)) continue;
      fs::copy(file.path(), directory_ / name, fs::copy_options::overwrite_existing);
    }
  }

 private:
  fs::path directory_, copy_;
};

// An erasure that stopped on its way: the client has two keys.
class HalfwayVault : public LargeClientVault {
 public:
  explicit HalfwayVault(const Settings& settings = Settings()) : LargeClientVault(settings) {
    id = StopAtThird(EraseFirstRequest());
  }
  void Lift() {
    const auto lifted = (*this)->holds().LiftHold(As(kPrivacyOfficer), id);
    INFO(AnswerOf(lifted));
    REQUIRE(lifted);
  }
  HoldId id;
};

}  // namespace

TEST_CASE("of a large client no operation seals more than a few, and all are served between them") {
  LargeClientVault vault;
  std::map<std::int64_t, int> grown;  // how many operations left so many entries
  std::int64_t size = 0;
  int operations = 0;
  bool two_keys = false;
  vault.BeforeEach([&](int number) {
    if (size > 0) ++grown[vault.LogSize() - size];
    operations = number + 1;
    CHECK(AnswerOf(vault->records().GetRecord(vault.As(kCrmService), vault.other,
                                              vault.other_contact)) == "ok");
    CHECK(vault.Data(vault.contacts[0]) == vault.DataOf("N0"));
    CHECK(vault.Data(vault.contacts[2]) == vault.DataOf("N2"));
    CHECK(vault.Data(vault.contacts[1], 1) == vault.DataOf("N1"));
    CHECK(vault.Data(vault.contacts.back()) == vault.DataOf(vault.NameOf(kLarge - 1)));
    CHECK(vault.Found("N0") == 1);
    CHECK(vault.Found("N3") == 1);
    CHECK(vault.Noted() == "about the second");
    CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), vault.client)) == "ok");
    if (number == 3) vault.CheckLog();
    two_keys = two_keys || vault.Keys() == 2;
    size = vault.LogSize();
  });
  const auto erasure = vault.EraseFirst();
  vault.LeaveAlone();
  INFO(AnswerOf(erasure));
  REQUIRE(erasure);
  CHECK(erasure->complete);
  CHECK(two_keys);
  CHECK(operations >= 4);
  CHECK(grown.rbegin()->first <= static_cast<std::int64_t>(kResealsAtOnce) + 1);
  CHECK(vault.Generation() == 1);
  for (int round = 0; round < 2; ++round) {
    CHECK(vault.Data(vault.contacts[0]) == "not_found");
    CHECK(vault.Found("N0") == 0);
    CHECK(vault.Found("N3") == 1);
    vault.CheckStaying();
    vault.CheckDone();
    vault.Close();
    vault.Open();
  }
  const auto act = vault->erasure_acts().ReadAct(vault.As(kAuditor), erasure->id, {});
  REQUIRE(act);
  const auto report = audit::VerifyAct(*act, {{*audit::ParseVerifierKey(vault.LogKey())}});
  for (const auto& finding : report.findings) FAIL_CHECK(finding.message);
  CHECK(report.act->key->generation == 0);
}

TEST_CASE("a record of many versions is sealed again in steps of its own") {
  TestVault vault;
  const auto client = vault.NewClient("V-1");
  const auto gone = vault.NewContact(client, {{"last_name", "Doe"}});
  const auto kept = vault.NewContact(client, {{"last_name", "Roe"}});
  constexpr std::uint64_t kVersions = kResealsAtOnce + 30;
  for (std::uint64_t version = 1; version < kVersions; ++version) {
    REQUIRE(vault->records().UpdateRecord(vault.As(kCrmService), client, kept, version,
                                          {{"last_name", "Roe" + std::to_string(version)}}));
  }
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), client,
                                  {ErasureBasis::kRequest, {}, {gone}}));
  for (std::uint64_t version = 1; version <= kVersions; ++version) {
    const auto read =
        vault->records().GetRecordVersion(vault.As(kCrmService), client, kept, version);
    if (!read) FAIL_CHECK(version << ": " << AnswerOf(read));
  }
  vault.CheckInvariants();
}

TEST_CASE("what is written of a client between the steps stays, under its new key") {
  LargeClientVault vault;
  std::vector<std::pair<RecordId, std::string>> written;
  std::uint64_t version = 1;
  const json imported = {{"last_name", "Imported"}};
  vault.BeforeEach([&](int number) {
    const std::string name = "W" + std::to_string(number);
    written.emplace_back(vault.NewContact(vault.client, {{"last_name", name}}), name);
    const auto changed = vault->records().UpdateRecord(
        vault.As(kCrmService), vault.client, vault.contacts[5], version, {{"last_name", name}});
    INFO(AnswerOf(changed));
    REQUIRE(changed);
    ++version;
    REQUIRE(vault->clients().UpdateClient(
        vault.As(kCrmService), vault.client, version - 1,
        {.external_ref = {}, .tags = Strings{"t" + std::to_string(number)}}));
    REQUIRE(
        vault->imports().ImportRecord(vault.As(kCrmService), {"L-1", "contact", name, imported}));
    REQUIRE(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), vault.client,
                                           {"complaint", "disputed " + name, {true, {}}}));
    auto caller = vault.As(kCrmService, std::string(vault.kPurpose), "because of " + name);
    REQUIRE(vault->records().GetRecord(caller, vault.client, vault.contacts[6]));
    REQUIRE(vault->records().DeleteRecord(vault.As(kPrivacyOfficer), vault.client,
                                          vault.contacts[10 + static_cast<std::size_t>(number)],
                                          {}));
  });
  const auto erasure = vault.EraseFirst();
  vault.LeaveAlone();
  INFO(AnswerOf(erasure));
  REQUIRE(erasure);
  REQUIRE(written.size() >= 4);
  for (int round = 0; round < 2; ++round) {
    for (const auto& [id, name] : written) CHECK(vault.Data(id) == vault.DataOf(name));
    for (std::uint64_t old = 1; old <= version; ++old) {
      const auto read = vault->records().GetRecordVersion(vault.As(kCrmService), vault.client,
                                                          vault.contacts[5], old);
      CHECK(AnswerOf(read) == "ok");
    }
    CHECK(vault.Found("Imported") == written.size());
    CHECK(vault.Found("N0") == 0);
    const auto restrictions =
        vault->restrictions().ListRestrictions(vault.As(kAuditor), vault.client);
    REQUIRE(restrictions);
    CHECK(restrictions->size() == written.size());
    for (const auto& one : *restrictions) CHECK(one.terms.basis.starts_with("disputed"));
    vault.CheckDone();
    vault.Close();
    vault.Open();
  }
}

TEST_CASE("what goes is under a key that dies, whatever was done with it between the steps") {
  for (const bool each_time : {false, true}) {
    LargeClientVault vault;
    std::uint64_t version = 1, sealed_by = 0;
    vault.BeforeEach([&](int number) {
      if (number == 4 || each_time) {
        REQUIRE(vault->records().UpdateRecord(vault.As(kCrmService), vault.client,
                                              vault.contacts[0], version,
                                              {{"last_name", "X" + std::to_string(number)}}));
        ++version;
        auto caller = vault.As(kCrmService, std::string(vault.kPurpose), "about who goes");
        REQUIRE(vault->records().GetRecord(caller, vault.client, vault.contacts[0]));
      }
      sealed_by = std::max(sealed_by, vault.SealedBy(vault.contacts[0]));
    });
    const auto erasure = vault.EraseFirst();
    vault.LeaveAlone();
    INFO(AnswerOf(erasure));
    REQUIRE(erasure);
    CHECK(erasure->versions == version - 1);
    CHECK(sealed_by >= 1);
    CHECK(static_cast<std::uint64_t>(vault.Generation()) > sealed_by);
    // Nor is a reason left that was given with it.
    for (const auto& entry : vault.WholeLog()) {
      if (entry.record != vault.contacts[0].Text()) continue;
      CHECK(vault.Number("SELECT count(*) FROM log_notes WHERE client = ? AND seq = ?",
                         vault.client.Row(), entry.seq) == 0);
    }
    CHECK(vault.Data(vault.contacts[0]) == "not_found");
    vault.CheckStaying();
    vault.CheckDone();
  }
}

TEST_CASE("a class that gets records between the steps goes with them") {
  LargeClientVault vault;
  std::vector<RecordId> calls = {vault.call};
  vault.BeforeEach([&](int number) {
    if (number % 3 == 0) {
      calls.push_back(vault.NewRecord(vault.client, "interaction", kStayingCall));
    }
  });
  const auto erasure = vault.Erase({ErasureBasis::kRequest, "interaction", {}});
  vault.LeaveAlone();
  INFO(AnswerOf(erasure));
  REQUIRE(erasure);
  CHECK(erasure->records == calls.size());
  for (const RecordId& id : calls) CHECK(vault.Data(id) == "not_found");
  CHECK(vault.Data(vault.contacts.back()) == vault.DataOf(vault.NameOf(kLarge - 1)));
  vault.CheckDone();
}

TEST_CASE("a hold that comes between the steps keeps everything, and all is read under two keys") {
  HalfwayVault vault;
  for (int round = 0; round < 2; ++round) {
    CHECK(vault.Data(vault.contacts[0]) == vault.DataOf("N0"));
    CHECK(vault.Found("N0") == 1);
    vault.CheckStaying();
    vault.CheckLog();
    CHECK(vault->erasures().ListErasures(vault.As(kAuditor), {})->items.empty());
    CHECK(vault->holds().GetHold(vault.As(kAuditor), vault.id)->terms.reason ==
          "Claim by a neighbour");
    CHECK(vault.Keys() == 2);
    CHECK(AnswerOf(vault.EraseFirst()) == "held");
    vault.Close();
    vault.Open();
  }
  vault.Lift();
  // Another one than what the steps were begun for, and then that.
  for (const std::size_t i : {2U, 0U}) {
    const auto erasure = vault.Erase({ErasureBasis::kRequest, {}, {vault.contacts[i]}});
    INFO(AnswerOf(erasure));
    REQUIRE(erasure);
    CHECK(vault.Data(vault.contacts[i]) == "not_found");
    vault.CheckStaying(3);
    vault.CheckDone();
  }
}

TEST_CASE("the running comparison finds nothing wrong with a client of two keys") {
  HalfwayVault vault({.scrub_entries_per_s = 1'000'000});
  for (const bool done : {false, true}) {
    vault.Close();
    {
      const Database database = vault.OpenVaultDatabase(false);
      auto reset =
          Statement::Prepare(database, "DELETE FROM settings WHERE name = 'scrub-position'");
      REQUIRE(reset);
      REQUIRE(reset->Execute());
    }
    vault.Open();
    std::uint64_t rounds = 0;
    for (int i = 0; i < 10'000 && rounds == 0; ++i) {
      rounds = vault->monitoring().ReadStatus(vault.As(kAdministrator))->scrub.rounds;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    CHECK(rounds > 0);
    for (const auto& entry : vault.WholeLog()) {
      if (entry.action == "integrity.alarm") FAIL_CHECK(entry.detail);
    }
    vault.CheckStaying();
    if (done) break;
    vault.Lift();
    REQUIRE(vault.EraseFirst());
  }
  vault.CheckDone();
}

TEST_CASE("with a damaged key a part of the client is not erased, as what is left may be mended") {
  HalfwayVault vault;
  vault.Lift();
  vault.Close();
  const auto put = [&](const Bytes& wrapped) {
    const Database keys = vault.OpenKeysDatabase(false);
    auto update = Statement::Prepare(
        keys, "UPDATE client_keys SET wrapped = ? WHERE client = ? AND generation = 0");
    REQUIRE(update);
    REQUIRE(update->Execute(ByteView(wrapped), vault.client.Row()));
  };
  Bytes whole;
  {
    const Database keys = vault.OpenKeysDatabase();
    auto select = Statement::Prepare(
        keys, "SELECT wrapped FROM client_keys WHERE client = ? AND generation = 0");
    REQUIRE(select);
    auto row = select->Query(vault.client.Row());
    REQUIRE(row.Next() == true);
    whole.assign(row.Blob(0).begin(), row.Blob(0).end());
  }
  Bytes damaged = whole;
  damaged.back() ^= 1;
  put(damaged);
  vault.Open();
  CHECK(AnswerOf(vault.EraseFirst()) == "integrity_failed");
  CHECK(vault.Data(vault.contacts[0]) == "integrity_failed");
  CHECK(vault.Data(vault.contacts[2]) == vault.DataOf("N2"));
  CHECK(vault.Keys() == 2);
  vault.Close();
  put(whole);
  vault.Open();
  CHECK(vault.Data(vault.contacts[0]) == vault.DataOf("N0"));
  REQUIRE(vault.EraseFirst());
  vault.CheckStaying();
  vault.CheckOneKey();
}

TEST_CASE("a step looks at no more rows than it takes") {
  TestVault vault;
  const Database rows = vault.OpenVaultDatabase();
  for (const std::string_view sql :
       {"EXPLAIN QUERY PLAN SELECT class, id FROM records WHERE client = 1 AND (class, id) > "
        "('a', 1) ORDER BY class, id LIMIT 200",
        "EXPLAIN QUERY PLAN SELECT seq, note FROM log_notes WHERE client = 1 AND seq >= 1 ORDER BY "
        "seq LIMIT 200"}) {
    auto plan = Statement::Prepare(rows, sql);
    REQUIRE(plan);
    auto line = plan->Query();
    while (*line.Next()) {
      INFO(line.Text(3));
      CHECK(line.Text(3).starts_with("SEARCH"));
      CHECK(line.Text(3).find(">") != std::string_view::npos);
    }
  }
}

TEST_CASE("an approval is asked for by each step, and used up by the erasure alone",
          testing::kPlainOnly) {
  LargeClientVault vault({.two_person = true});
  const ErasureRequest request{ErasureBasis::kUnlawful, {}, {vault.contacts[0]}};
  const auto approve = [&] {
    const auto asked = vault->approvals().RequestApproval(vault.As(kPrivacyOfficer),
                                                          ProposalOf(vault.client, request));
    INFO(AnswerOf(asked));
    REQUIRE(asked);
    REQUIRE(vault->approvals().DecideApproval(vault.As(kSupervisor), asked->id, true));
    return asked->id;
  };
  CHECK(AnswerOf(vault.Erase(request)) == "approval_required");
  CHECK(vault.Keys() == 1);
  auto caller = vault.As(kPrivacyOfficer);
  const ApprovalId withdrawn = approve();
  caller.approval = withdrawn.Text();
  vault.BeforeEach([&](int number) {
    if (number != 5) return;
    const auto by = vault.As(kPrivacyOfficer, "client-care", "not wanted any more");
    REQUIRE(vault->approvals().WithdrawApproval(by, withdrawn));
  });
  CHECK(AnswerOf(vault->erasures().Erase(caller, vault.client, request)) == "approval_invalid");
  vault.LeaveAlone();
  CHECK(vault.Keys() == 2);
  vault.CheckStaying(0);
  CHECK(vault.Data(vault.contacts[0]) == vault.DataOf("N0"));
  caller = vault.As(kPrivacyOfficer);
  caller.approval = approve().Text();
  const auto erasure = vault->erasures().Erase(caller, vault.client, request);
  INFO(AnswerOf(erasure));
  REQUIRE(erasure);
  CHECK(vault.EntriesOf(caller).back().at("outcome") == "ok");
  vault.CheckStaying();
  vault.CheckDone();
}

TEST_CASE("a client that goes as a whole between the steps goes with both keys") {
  {
    HalfwayVault vault;
    vault.Lift();
    REQUIRE(vault.Erase({}));
    CHECK(vault.Keys() == 0);
    CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), vault.client)) == "not_found");
    vault.CheckLog();
    vault.CheckInvariants();
  }
  LargeClientVault vault;
  vault.BeforeEach([&](int number) {
    if (number == 4) {
      // Its steps are not waited for.
      REQUIRE(vault.Keys() == 2);
      REQUIRE(vault.Erase({}));
    }
  });
  const auto erasure = vault.EraseFirst();
  vault.LeaveAlone();
  CHECK(AnswerOf(erasure) == "not_found");
  CHECK(vault.Keys() == 0);
  vault.CheckLog();
  vault.CheckInvariants();
}

TEST_CASE("of two erasures of one large client at once both are done") {
  LargeClientVault vault;
  std::vector<std::string> answers(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto caller = vault.As(kPrivacyOfficer);
    threads.emplace_back([&vault, &answers, caller, i] {
      answers[i] = AnswerOf(vault->erasures().Erase(
          caller, vault.client, {ErasureBasis::kRequest, {}, {vault.contacts[2 + i / 2]}}));
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(answers == Strings(4, "ok"));
  CHECK(vault->erasures().ListErasures(vault.As(kAuditor), {})->items.size() == 2);
  CHECK(vault.Data(vault.contacts[2]) == "not_found");
  CHECK(vault.Data(vault.contacts[3]) == "not_found");
  vault.CheckStaying(4);
  vault.CheckDone();
}

TEST_CASE("a copy from between the steps is erased again as the ledger says") {
  HalfwayVault vault;
  vault.Lift();
  vault.Close();
  const std::string copy = vault.work() / "halfway";
  fs::copy(vault.directory(), copy, fs::copy_options::recursive);
  vault.Open();
  REQUIRE(vault.EraseFirst());
  vault.CheckDone();
  vault.Close();
  const auto put_back = [&](const std::string& prefix) {
    for (const auto& file : fs::directory_iterator(copy)) {
      const std::string name = file.path().filename();
      if (!name.starts_with(prefix)) continue;
      fs::copy(file.path(), fs::path(vault.directory()) / name,
               fs::copy_options::overwrite_existing);
    }
  };
  // A key that an older keys.db has beside today's vault.db is destroyed again.
  put_back("keys.db");
  vault.Open();
  CHECK(vault.Data(vault.contacts[0]) == "not_found");
  vault.CheckStaying();
  vault.CheckDone();
  vault.Close();
  // Everything but the ledger.
  for (const char* prefix : {"keys.db", "vault.db", "anchor", "log-index"}) put_back(prefix);
  vault.Open();
  CHECK(vault.Data(vault.contacts[0]) == "not_found");
  CHECK(vault.Found("N0") == 0);
  vault.CheckStaying();
  vault.CheckDone();
}

TEST_CASE("an older vault.db destroys no key that the steps made") {
  LargeClientVault vault;
  vault.Close();
  const DirectoryCopy before(vault, "before");
  vault.Open();
  vault.StopAtThird(vault.EraseFirstRequest());
  CHECK(vault.Keys() == 2);
  vault.Close();
  const DirectoryCopy halfway(vault, "halfway");
  before.PutVaultBack();
  vault.Open();
  CHECK(vault.Keys() == 2);
  CHECK(vault.Data(vault.contacts[0]) == vault.DataOf("N0"));
  vault.CheckStaying();
  vault.Close();
  halfway.PutVaultBack();
  vault.Open();
  CHECK(vault.Keys() == 2);
  CHECK(vault.Data(vault.contacts[0]) == vault.DataOf("N0"));
  vault.CheckStaying();
  vault.CheckLog();
}

TEST_CASE("a key whose commit never came is gone with the next erasure of a part") {
  const auto leave_stray = [](LargeClientVault& vault, const ClientId& client,
                              std::int64_t generation) {
    vault.Close();
    {
      const Database keys = vault.OpenKeysDatabase(false);
      auto insert = Statement::Prepare(
          keys,
          "INSERT INTO client_keys (client, generation, cid, wrapped) SELECT client, ?2, "
          "cid, wrapped FROM client_keys WHERE client = ?1 LIMIT 1");
      REQUIRE(insert);
      REQUIRE(insert->Execute(client.Row(), generation));
    }
    vault.Open();
  };
  {
    HalfwayVault vault;
    vault.Lift();
    leave_stray(vault, vault.client, 2);
    CHECK(vault.Keys() == 3);
    vault.CheckStaying();
    REQUIRE(vault.EraseFirst());
    vault.CheckStaying();
    vault.CheckDone();
  }
  LargeClientVault vault;
  leave_stray(vault, vault.client, 1);
  CHECK(vault.Keys() == 2);
  vault.CheckStaying();
  REQUIRE(vault.EraseFirst());
  vault.CheckStaying();
  vault.CheckDone();
  const auto small = vault.NewClient("S-1");
  const auto gone = vault.NewContact(small, {{"last_name", "Doe"}});
  const auto kept = vault.NewContact(small, {{"last_name", "Roe"}});
  leave_stray(vault, small, 1);
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), small,
                                  {ErasureBasis::kRequest, {}, {gone}}));
  CHECK((*vault->records().GetRecord(vault.As(kCrmService), small, kept)).data ==
        vault.DataOf("Roe"));
  CHECK(vault.NumberIn(vault.OpenKeysDatabase(),
                       "SELECT count(*) FROM client_keys WHERE client = ?", small.Row()) == 1);
  leave_stray(vault, small, 2);
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), small, {}));
  CHECK(vault.NumberIn(vault.OpenKeysDatabase(),
                       "SELECT count(*) FROM client_keys WHERE client = ?", small.Row()) == 0);
  vault.CheckDone();
}

TEST_CASE("a copy of vault.db from between the steps hurts no key of today") {
  for (const bool of_class : {false, true}) {
    LargeClientVault vault;
    const ErasureRequest request = of_class
                                       ? ErasureRequest{ErasureBasis::kRequest, "interaction", {}}
                                       : vault.EraseFirstRequest();
    const HoldId hold = vault.StopAtThird(request);
    REQUIRE(vault->holds().LiftHold(vault.As(kPrivacyOfficer), hold));
    vault.Close();
    const DirectoryCopy halfway(vault, "halfway");
    vault.Open();
    const auto erasure = vault.Erase(request);
    INFO(AnswerOf(erasure));
    REQUIRE(erasure);
    vault.Close();
    const DirectoryCopy after(vault, "after");
    halfway.PutVaultBack();
    const RecordId gone = of_class ? vault.call : vault.contacts[0];
    for (int round = 0; round < 2; ++round) {
      vault.Open();
      CHECK(vault.Number("SELECT count(*) FROM records WHERE id = ?", gone.Row()) == 0);
      CHECK(vault->erasures().ListErasures(vault.As(kAuditor), {})->items.size() == 1);
      CHECK(vault.Keys() == 1);
      vault.Close();
    }
    after.PutVaultBack();
    vault.Open();
    CHECK(vault.Data(gone) == "not_found");
    if (of_class) {
      CHECK(vault.Data(vault.contacts[5]) == vault.DataOf("N5"));
      CHECK(vault->clients().GetClient(vault.As(kCrmService), vault.client)->external_ref == "L-1");
    } else {
      vault.CheckStaying();
    }
    vault.CheckDone();
  }
}

TEST_CASE("what is deleted of a class between the steps is under a key that dies with the class") {
  const ErasureRequest request{ErasureBasis::kRequest, "interaction", {}};
  // Deleted before the erasure goes on, also after a start; or while its own steps are taken.
  for (const int when : {0, 1, 2}) {
    INFO(when);
    LargeClientVault vault;
    RecordId extra;
    std::uint64_t sealed_by = 0;
    const auto add = [&] {
      extra = vault.NewRecord(vault.client, "interaction", kStayingCall);
      sealed_by = vault.SealedBy(extra);
    };
    const auto remove = [&] {
      REQUIRE(vault->records().DeleteRecord(vault.As(kPrivacyOfficer), vault.client, extra, {}));
    };
    if (when < 2) {
      const HoldId hold = vault.StopAtThird(request);
      REQUIRE(vault->holds().LiftHold(vault.As(kPrivacyOfficer), hold));
      add();
      remove();
      if (when == 1) {
        vault.Close();
        vault.Open();
      }
    } else {
      vault.BeforeEach([&](int number) {
        if (number != 3) return;
        add();
        remove();
      });
    }
    const auto erasure = vault.Erase(request);
    vault.LeaveAlone();
    INFO(AnswerOf(erasure));
    REQUIRE(erasure);
    CHECK(sealed_by == 1);
    CHECK(static_cast<std::uint64_t>(vault.Generation()) > sealed_by);
    vault.CheckDone();
  }
  // Of another class it is none of what goes.
  LargeClientVault vault;
  vault.BeforeEach([&](int number) {
    if (number != 3) return;
    REQUIRE(vault->records().DeleteRecord(vault.As(kPrivacyOfficer), vault.client,
                                          vault.contacts[0], {}));
  });
  REQUIRE(vault.Erase(request));
  vault.LeaveAlone();
  CHECK(vault.Generation() == 1);
  vault.CheckDone();
}

TEST_CASE("that the older of two keys is missing is found by a deep verification") {
  HalfwayVault vault;
  vault.CheckLog();
  vault.Close();
  {
    const Database keys = vault.OpenKeysDatabase(false);
    auto remove =
        Statement::Prepare(keys, "DELETE FROM client_keys WHERE client = ? AND generation = 0");
    REQUIRE(remove);
    REQUIRE(remove->Execute(vault.client.Row()));
  }
  vault.Open();
  CHECK(vault.Data(vault.contacts[0]) == "integrity_failed");
  const auto report = vault->verification().VerifyLog(vault.As(kAuditor), true);
  REQUIRE(report);
  REQUIRE(report->log.findings.size() == 1);
  CHECK(report->log.findings[0].message.starts_with("the older key of client " +
                                                    vault.client.Text() + " is not in keys.db"));
}

TEST_CASE("retention erases of a large client what is due, and counts it once", "[retention]") {
  LargeClientVault vault;
  std::vector<RecordId> due;
  for (int i = 0; i < 5; ++i) {
    due.push_back(vault.NewRecord(vault.client, "interaction", kRetainedInteraction));
  }
  vault.Keep({Policy("calls", "interaction", "date_field", "P1Y")});
  const auto run = vault.Run();
  CHECK(run.state == "finished");
  for (const RecordId& id : due) CHECK(vault.Data(id) == "not_found");
  vault.CheckStaying();
  const auto erasures = vault->erasures().ListErasures(vault.As(kAuditor), {});
  REQUIRE(erasures);
  REQUIRE(erasures->items.size() == 1);
  CHECK(erasures->items[0].records == due.size());
  CHECK(run.due == due.size());
  CHECK(run.erased == due.size());
  vault.CheckDone();
}

}  // namespace coffer::vault
