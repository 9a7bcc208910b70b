// Free-text reasons: sealed aside, committed to by the log, gone with their client.
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr const char* kReasonText = "Ms SENTINEL asked «why» on the phone";

class ReasonVault : public TestVault {
 public:
  ReasonVault() { client = NewClient("A-1"); }
  Caller WithReason(Role role = kCrmService) { return As(role, "client-care", kReasonText); }
  // The last entry of this caller's request.
  std::uint64_t SeqOf(const Caller& caller) {
    std::uint64_t seq = 0;
    for (const auto& entry : WholeLog()) {
      if (entry.request == caller.call.Text()) seq = entry.seq;
    }
    return seq;
  }
  LogEntryView Look(std::uint64_t seq, Role role = kPrivacyOfficer) {
    auto view = (*this)->access_log().ReadLogEntry(As(role), seq);
    INFO(AnswerOf(view));
    REQUIRE(view);
    return *std::move(view);
  }
  // Where the reason is kept: the client's row, 0, or nothing.
  std::optional<std::int64_t> OwnerOf(std::uint64_t seq) {
    if (Number("SELECT count(*) FROM log_notes WHERE seq = ?", seq) == 0) return std::nullopt;
    return Number("SELECT client FROM log_notes WHERE seq = ?", seq);
  }
  std::int64_t Leaks() {
    return Number(
        "SELECT (SELECT count(*) FROM log_entries WHERE instr(entry, 'SENTINEL') > 0) + "
        "(SELECT count(*) FROM log_notes WHERE instr(note, 'SENTINEL') > 0)");
  }
  ClientId client;
};

TEST_CASE("a reason is sealed under its client's key, and the log commits to it") {
  ReasonVault vault;
  const auto caller = vault.WithReason();
  CHECK(vault->clients().GetClient(caller, vault.client));
  const std::uint64_t seq = vault.SeqOf(caller);
  CHECK(vault.OwnerOf(seq) == vault.client.Row());
  CHECK(vault.Leaks() == 0);
  const auto view = vault.Look(seq);
  REQUIRE(view.note_text);
  CHECK(*view.note_text == kReasonText);
  // Whoever is given text and salt can open the commitment with public tools.
  const auto salt = crypto::HexDecode(*view.note_salt);
  REQUIRE(salt);
  REQUIRE(salt->size() == 32);
  std::string opened("coffer-note-v1\0", 15);
  opened += crypto::AsText(*salt);
  opened += kReasonText;
  CHECK(json::parse(view.entry).at("note_hash") ==
        crypto::HexEncode(crypto::Sha256(crypto::AsBytes(opened))));
  vault.CheckInvariants();
}

TEST_CASE("equal reasons cannot be told to be equal") {
  ReasonVault vault;
  const auto first = vault.WithReason();
  const auto second = vault.WithReason();
  CHECK(vault->clients().GetClient(first, vault.client));
  CHECK(vault->clients().GetClient(second, vault.client));
  CHECK(vault.EntryOf(first).at("note_hash") != vault.EntryOf(second).at("note_hash"));
}

TEST_CASE("reasons are shown to those who answer for the vault's use, and to no other auditor") {
  ReasonVault vault;
  const auto caller = vault.WithReason();
  CHECK(vault->clients().GetClient(caller, vault.client));
  const std::uint64_t seq = vault.SeqOf(caller);
  CHECK(vault.Look(seq, kPrivacyOfficer).note_text == kReasonText);
  CHECK(vault.Look(seq, kSecurityOfficer).note_text == kReasonText);
  const auto view = vault.Look(seq, kAuditor);
  CHECK(!view.note_text);
  CHECK(!view.note_salt);
  CHECK(json::parse(view.entry).contains("note_hash"));
}

TEST_CASE("a look into an entry is an entry that says which one") {
  ReasonVault vault;
  const auto caller = vault.As(kSecurityOfficer);
  CHECK(vault->access_log().ReadLogEntry(caller, 1));
  CHECK(vault.EntryOf(caller) ==
        vault.Allowed(kSecurityOfficer, {{"action", "log.read"}, {"detail", "1"}}));
  const auto beyond = vault.As(kSecurityOfficer);
  CHECK(AnswerOf(vault->access_log().ReadLogEntry(beyond, 1'000'000)) == "not_found");
  CHECK(vault.EntryOf(beyond) == vault.Denied(kSecurityOfficer, {{"action", "log.read"},
                                                                 {"detail", "1000000"},
                                                                 {"rule", "check:existence"},
                                                                 {"outcome", "not_found"}}));
}

TEST_CASE("a refusal keeps its reason too") {
  ReasonVault vault;
  const auto stranger_to_it = vault.WithReason(kCaseWorker);
  CHECK(!vault->clients().GetClient(stranger_to_it, vault.client));
  CHECK(vault.Look(vault.SeqOf(stranger_to_it)).note_text == kReasonText);
  const auto missing = vault.WithReason();
  CHECK(!vault->clients().GetClient(missing, ClientId::New(vault.clock.Now())));
  CHECK(vault.OwnerOf(vault.SeqOf(missing)) == std::nullopt);  // of whom, nobody can say
  CHECK(json::parse(vault.Look(vault.SeqOf(missing)).entry).contains("note_hash"));
  const auto stale = vault.WithReason();
  CHECK(!vault->clients().UpdateClient(stale, vault.client, 7, {}));
  CHECK(vault.Look(vault.SeqOf(stale)).note_text == kReasonText);
  const auto bad = vault.WithReason();
  CHECK(!vault->records().CreateRecord(bad, vault.client, "contact", json::object(), {}));
  CHECK(vault.OwnerOf(vault.SeqOf(bad)) == vault.client.Row());
  CHECK(vault.Look(vault.SeqOf(bad)).note_text == kReasonText);
  vault.CheckInvariants();
}

TEST_CASE("the reasons of a client die with it, and the log's commitments stay") {
  ReasonVault vault;
  std::vector<Caller> callers;
  const auto next = [&](Role role = kCrmService) -> Caller& {
    return callers.emplace_back(vault.WithReason(role));
  };
  const RecordId record = vault.NewContact(vault.client, {{"last_name", "Doe"}});
  CHECK(vault->clients().GetClient(next(), vault.client));
  CHECK(vault->clients().UpdateClient(next(), vault.client, 1, {}));
  CHECK(vault->records().GetRecord(next(), vault.client, record));
  CHECK(vault->records().ListRecords(next(), vault.client, "", true, {}));
  CHECK(vault->records().CreateRecord(next(), vault.client, "contact", {{"last_name", "Doe"}}, {}));
  CHECK(vault->records().UpdateRecord(next(), vault.client, record, 1, {{"last_name", "Roe"}}));
  CHECK(vault->records().DeleteRecord(next(), vault.client, record, {}));
  CHECK(!vault->records().GetRecord(next(), vault.client, record));
  const auto erasing = vault.WithReason(kPrivacyOfficer);
  CHECK(vault->erasures().Erase(erasing, vault.client, {}));
  for (const auto& caller : callers) {
    const auto view = vault.Look(vault.SeqOf(caller));
    INFO(view.entry);
    CHECK(json::parse(view.entry).contains("note_hash"));
    CHECK(!view.note_text);
    CHECK(!view.note_salt);
  }
  // Why it was erased stays known.
  CHECK(vault.Look(vault.SeqOf(erasing)).note_text == kReasonText);
  CHECK(vault.Number("SELECT count(*) FROM log_notes WHERE client <> 0") == 0);
  vault.CheckInvariants();
}

TEST_CASE("the reason for which a client was made dies with the client too") {
  ReasonVault vault;
  const auto creating = vault.WithReason();
  const auto made = vault->clients().CreateClient(creating, {"A-2", {}}, {});
  REQUIRE(made);
  const auto importing = vault.WithReason();
  const json data = {{"last_name", "Doe"}};
  const auto imported = vault->imports().ImportRecord(importing, {"A-3", "contact", "", data});
  REQUIRE(imported);
  const std::uint64_t creation = vault.SeqOf(creating);
  const std::uint64_t import = vault.SeqOf(importing);
  CHECK(vault.Look(creation).note_text == kReasonText);
  CHECK(vault.Look(import).note_text == kReasonText);
  CHECK(vault.OwnerOf(creation) == made->id.Row());
  CHECK(vault.OwnerOf(import) == imported->client.Row());
  CHECK(vault->erasures().Erase(vault.As(kPrivacyOfficer), made->id, {}));
  CHECK(vault->erasures().Erase(vault.As(kPrivacyOfficer), imported->client, {}));
  CHECK(!vault.Look(creation).note_text);
  CHECK(!vault.Look(import).note_text);
}

TEST_CASE("a reason that was changed or moved in the database is not shown") {
  for (const char* attack :
       {"UPDATE log_notes SET note = CAST(substr(note, 1, 30) || x'00' || substr(note, 32) AS "
        "BLOB) WHERE seq = ?1",
        "UPDATE log_notes SET note = (SELECT note FROM log_notes WHERE seq <> ?1) WHERE seq = ?1",
        "UPDATE log_notes SET note = substr(note, 1, 20) WHERE seq = ?1"}) {
    ReasonVault vault;
    const auto caller = vault.WithReason();
    CHECK(vault->clients().GetClient(caller, vault.client));
    CHECK(
        vault->clients().GetClient(vault.As(kCrmService, "client-care", "another"), vault.client));
    const std::uint64_t seq = vault.SeqOf(caller);
    vault.Tamper(attack, seq);
    const auto looking = vault.As(kPrivacyOfficer);
    const auto view = vault->access_log().ReadLogEntry(looking, seq);
    REQUIRE(!view);
    CHECK(view.error().reason == "integrity_failed");
    CHECK(vault.EntriesOf(looking).back().at("action") == "integrity.alarm");
  }
}

TEST_CASE("reasons of any text come back as they were") {
  ReasonVault vault;
  for (const std::string& reason :
       {std::string("x"), std::string("\n\"\\\t"), std::string(1000, 'r'), std::string("ä€😀")}) {
    const auto caller = vault.As(kCrmService, "client-care", reason);
    CHECK(vault->clients().GetClient(caller, vault.client));
    CHECK(vault.Look(vault.SeqOf(caller)).note_text == reason);
  }
}

TEST_CASE("a reason beside an operation on no single client is kept with the vault") {
  ReasonVault vault;
  for (const Caller& caller : {vault.WithReason(kAdministrator), vault.WithReason(kAuditor)}) {
    CHECK(vault->classes().ListClasses(caller));
    CHECK(vault.OwnerOf(vault.SeqOf(caller)) == 0);
    CHECK(vault.Look(vault.SeqOf(caller)).note_text == kReasonText);
  }
  CHECK(vault.Leaks() == 0);
}

}  // namespace
}  // namespace coffer::vault
