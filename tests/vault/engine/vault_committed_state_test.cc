// Who can write vault.db, and kept older pages of it, brings back no token, hold or role unseen.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/support/running_vault.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kPageBytes = 4096;

// What `vault.db` is after the vault was closed, and another time put back in parts.
class StateVault : public TestVault {
 public:
  using TestVault::TestVault;

  std::string Pages() { return testing::ReadWholeFile(VaultDatabasePath(directory())); }
  void PutBack(const std::string& pages) {
    testing::WriteWholeFile(VaultDatabasePath(directory()), pages);
  }
  // Answers from one opening, without a trace in the directory.
  template <class Look>
  std::string Try(Look&& look) {
    namespace fs = std::filesystem;
    const fs::path kept = work() / "kept";
    fs::remove_all(kept);
    fs::copy(directory(), kept, fs::copy_options::recursive);
    const auto opened = TryOpen();
    const std::string answer = opened ? look() : std::string(opened.error().reason);
    Close();
    fs::remove_all(directory());
    fs::copy(kept, directory(), fs::copy_options::recursive);
    return answer;
  }
  std::vector<std::string> DeepFindings() {
    const auto report = (*this)->verification().VerifyLog(As(Role::kAuditor), true);
    if (!report) return {std::string(report.error().reason)};
    std::vector<std::string> messages;
    for (const auto& finding : report->log.findings) messages.push_back(finding.message);
    return messages;
  }
  std::vector<audit::Entry> StateEntries() {
    auto log = WholeLog();
    std::erase_if(log, [](const audit::Entry& entry) { return !entry.state_hash; });
    return log;
  }
};

constexpr std::string_view kTokensDiffer =
    "of the tables tokens something is not what the log last recorded: an older page was put back, "
    "or they were changed past the vault";

}  // namespace

TEST_CASE("entries say what committed state is where they changed it, and only there") {
  StateVault vault;
  const auto client = vault.NewClient("S-1");
  const PrincipalId worker = vault.TokenOf(Role::kCaseWorker).principal;
  vault.As(Role::kSupervisor);
  const auto first = vault.StateEntries();
  REQUIRE_FALSE(first.empty());
  CHECK(first.front().action == "vault.start");
  vault.NewContact(client, {{"last_name", "Muster"}});
  CHECK(vault->clients().GetClient(vault.As(Role::kCrmService), client));
  CHECK(vault.StateEntries().size() == first.size());
  REQUIRE(vault->assignments().Assign(vault.As(Role::kSupervisor), client, worker, {}));
  const auto second = vault.StateEntries();
  REQUIRE(second.size() == first.size() + 1);
  CHECK(second.back().action == "assignment.write");
  CHECK(second.back().state_hash != first.back().state_hash);
  CHECK(vault->assignments().Unassign(vault.As(Role::kSupervisor), client, worker));
  CHECK(vault.StateEntries().back().state_hash == first.back().state_hash);
  // Refused: nothing was changed.
  CHECK_FALSE(
      vault->restrictions().Restrict(vault.As(Role::kCrmService), client, {{}, "accuracy", {}}));
  CHECK(vault.StateEntries().size() == second.size() + 1);
  for (const auto& entry : vault.WholeLog()) CHECK(entry.action != "state.changed");
  vault.CheckInvariants();
}

// All pages that differ, one at a time: whichever it is, the token stays revoked or nothing opens.
TEST_CASE("no old page brings a revoked token back") {
  StateVault vault;
  const auto made = vault.NewTokenFor("crm-service", 3600);
  REQUIRE(made);
  const auto client = vault.NewClient("S-1");
  vault.Close();
  const std::string before = vault.Pages();
  vault.Open();
  REQUIRE(vault->tokens().RevokeToken(vault.As(Role::kAdministrator), made->info.id));
  vault.Close();
  const std::string after = vault.Pages();
  const auto look = [&] {
    Caller caller = StateVault::Stranger(made->secret);
    caller.purpose = StateVault::kPurpose;
    const std::string answer = AnswerOf(vault->clients().GetClient(caller, client));
    return answer + (vault.DeepFindings().empty() ? "" : ", found");
  };
  CHECK(vault.Try(look) == "unauthenticated");

  int refused = 0;
  for (std::size_t at = 0; at + kPageBytes <= std::min(before.size(), after.size());
       at += kPageBytes) {
    if (before.compare(at, kPageBytes, after, at, kPageBytes) == 0) continue;
    std::string mixed = after;
    mixed.replace(at, kPageBytes, before, at, kPageBytes);
    vault.PutBack(mixed);
    const std::string answer = vault.Try(look);
    INFO("page " << at / kPageBytes + 1 << ": " << answer);
    CHECK_FALSE(answer.starts_with("ok"));
    if (answer == "state_differs") ++refused;
  }
  CHECK(refused >= 1);
}

TEST_CASE("rows changed past the vault are named by a start and by a verification") {
  StateVault vault;
  const auto client = vault.NewClient("S-1", {"gold"});
  REQUIRE(vault->restrictions().Restrict(vault.As(Role::kPrivacyOfficer), client,
                                         {{}, "accuracy", {}}));
  vault.Close();
  const std::string whole = vault.Pages();
  for (const auto& [change, table] : std::vector<std::pair<std::string, std::string>>{
           {"DELETE FROM client_restrictions", "client_restrictions"},
           {"UPDATE tokens SET expires = expires + 1", "tokens"},
           {"UPDATE principals SET role = 'administrator'", "principals"},
           {"DELETE FROM settings WHERE name = 'two_person'", "settings"},
           {"UPDATE classes SET definition = replace(definition, 'standard', 'public')",
            "classes"}}) {
    INFO(change);
    vault.PutBack(whole);
    vault.Tamper(change);
    const auto opened = vault.TryOpen();
    REQUIRE_FALSE(opened);
    CHECK(opened.error().reason == "state_differs");
    CHECK(opened.error().detail.contains("of the tables " + table + " something"));
    auto report = VerifyDirectory({.directory = vault.directory(),
                                   .anchor_path = {},
                                   .log_key = {},
                                   .checkpoints = {},
                                   .deep = true},
                                  vault.root());
    REQUIRE(report);
    REQUIRE(report->log.findings.size() == 1);
    CHECK(report->log.findings[0].message.contains("of the tables " + table + " something"));
  }
  vault.PutBack(whole);
  vault.Open();
  vault.CheckInvariants();
}

TEST_CASE("what is known of the log's last state hash may be old itself, or gone") {
  StateVault vault;
  const auto client = vault.NewClient("S-1");
  vault.Close();
  const std::int64_t size = vault.Number("SELECT size FROM committed_state");
  const std::int64_t seq = vault.Number("SELECT seq FROM committed_state");
  const Bytes sums = vault.Blob("SELECT sums FROM committed_state");
  vault.Open();
  REQUIRE(vault->restrictions().Restrict(vault.As(Role::kPrivacyOfficer), client,
                                         {{}, "accuracy", {}}));
  vault.Close();
  const std::string whole = vault.Pages();
  const auto nothing = [] { return std::string("opened"); };

  // Only what helps to find and to name it: the log has the rest.
  vault.Tamper("UPDATE committed_state SET size = ?, seq = ?, sums = ?", size, seq, ByteView(sums));
  CHECK(vault.Try(nothing) == "opened");
  vault.Tamper("DELETE FROM committed_state");
  CHECK(vault.Try(nothing) == "opened");
  vault.Tamper("DELETE FROM client_restrictions");
  CHECK(vault.Try(nothing) == "state_differs");

  vault.PutBack(whole);
  vault.Tamper("UPDATE committed_state SET size = ?, seq = ?, sums = ?", size, seq, ByteView(sums));
  vault.Tamper("DELETE FROM client_restrictions");
  const auto opened = vault.TryOpen();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().detail.contains("people, tokens, roles, holds or settings are not"));
  vault.PutBack(whole);
  vault.Tamper("UPDATE committed_state SET seq = 0");
  CHECK(vault.Try(nothing) == "log_gap");
  // The entry with the newest hash hidden by an old page of the log.
  vault.PutBack(whole);
  vault.Tamper("UPDATE committed_state SET size = ?, seq = ?, sums = ?", size, seq, ByteView(sums));
  vault.Tamper("DELETE FROM client_restrictions");
  vault.Tamper(
      "DELETE FROM log_entries WHERE seq >= ? AND seq < (SELECT max(seq) FROM log_entries)", size);
  CHECK(vault.Try(nothing) != "opened");
}

TEST_CASE("a changed state is taken over when somebody says so, and the log keeps that") {
  StateVault vault;
  vault.Close();
  vault.Tamper("UPDATE tokens SET expires = expires + 1");
  CHECK(AnswerOf(vault.TryOpen()) == "state_differs");
  vault.Open(true);
  vault.Close();
  vault.Open();
  const auto log = vault.WholeLog();
  const auto alarm = std::ranges::find(log, "integrity.alarm", &audit::Entry::action);
  REQUIRE(alarm != log.end());
  CHECK(alarm->outcome == "stored_data_differs");
  CHECK(alarm->detail.starts_with("taken over; of the tables tokens"));
  CHECK(alarm->state_hash);
  vault.CheckInvariants();
}

TEST_CASE("state that is changed under a running vault is found, and what reads it refused") {
  // The first look comes some seconds after the start.
  StateVault vault({.two_person = true, .scrub_entries_per_s = 64});
  vault.Tamper("UPDATE tokens SET expires = expires + 1");
  CHECK(vault.DeepFindings() == Strings{std::string(kTokensDiffer)});
  const auto damaged = [&] {
    const auto status = vault->monitoring().ReadStatus(vault.As(Role::kAdministrator));
    REQUIRE(status);
    return status->scrub.damaged;
  };
  // In this round of the scrub or the next. Each look is an entry, which it has to go through too.
  for (int i = 0; i < 300 && damaged() == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  CHECK(damaged() == 1);
  const auto log = vault.WholeLog();
  const auto alarm = std::ranges::find_if(log, [](const audit::Entry& entry) {
    return entry.action == "integrity.alarm" && entry.detail.starts_with("scrub");
  });
  REQUIRE(alarm != log.end());
  CHECK(alarm->outcome == "stored_data_differs");
  // Approvals and credentials are read from what is damaged, and refused; records are not.
  const auto client = vault.NewClient("S-1");
  Caller privacy = vault.As(Role::kPrivacyOfficer);
  privacy.approval = client.Text();
  CHECK(AnswerOf(vault->erasures().Erase(privacy, client, {})) == "integrity_failed");
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(Role::kCrmService), client)) == "ok");
}

}  // namespace coffer::vault
