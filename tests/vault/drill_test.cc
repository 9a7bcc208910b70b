// A restore that is tried: what it finds, and that nothing is left of it.
#include "vault/drill.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <map>
#include <set>

#include "crypto/atomic_file.h"
#include "tests/vault/backup/backed_up_vault.h"
#include "vault/backup/scratch_place.h"
#include "vault/log_key_rotation.h"

namespace coffer::vault {
namespace {

using enum Role;
namespace fs = std::filesystem;
using audit::DrillComparison;
using audit::DrillOutcome;

class DrilledVault : public BackedUpVault {
 public:
  DrilledVault() { fs::create_directory(scratch()); }
  explicit DrilledVault(const Settings& settings) : BackedUpVault(settings) {
    fs::create_directory(scratch());
  }
  std::string scratch() const { return work() / "scratch"; }
  DrillRequest Request() {
    DrillRequest request{{data(), keys(), {}, {}}, scratch()};
    request.clock = &clock;
    return request;
  }
  Result<Drill> Try(const DrillRequest& request) { return RunDrill(request, OpensRoot()); }
  audit::DrillReport Hold(const DrillRequest& request) {
    clock.Advance(1000);
    auto drill = Try(request);
    INFO(AnswerOf(drill) << " " << (drill ? "" : drill.error().detail));
    REQUIRE(drill);
    const auto document = audit::AssembleDrillReport(drill->note);
    REQUIRE(document);
    const audit::VerifierKey key{std::string(kOrigin),
                                 OpenKeyring().log_signing_key()->public_key()};
    CHECK(audit::VerifyDrillReport(*document, {&key, 1}).ok());
    CHECK(*audit::ParseDrillReport(drill->note) == drill->report);
    CHECK(FilesIn(scratch()).empty());
    CHECK(fs::is_empty(scratch()));
    return drill->report;
  }
  audit::DrillReport Hold() { return Hold(Request()); }
  std::string Checkpoint() {
    return (*this)->monitoring().ReadStatus(As(kAdministrator))->checkpoint;
  }
};

// Every file below a place, byte by byte.
std::map<std::string, Bytes> TreeOf(const std::string& directory) {
  std::map<std::string, Bytes> tree;
  for (const auto& at : fs::recursive_directory_iterator(directory)) {
    Bytes& content = tree[at.path()];
    if (at.is_regular_file()) content = *crypto::ReadFile(at.path(), 1U << 28);
  }
  return tree;
}

TEST_CASE("a drill of a good backup passes, counts what is there, and leaves nothing anywhere") {
  DrilledVault vault;
  std::vector<ClientId> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(vault.NewClient("A-" + std::to_string(i)));
    vault.NewContact(clients.back(), {{"last_name", "Doe"}});
  }
  const auto run = vault.BackUp();
  vault.NewContact(clients[0], {{"last_name", "Roe"}});
  vault.clock.Advance(1000);
  vault.IncrementAll();
  vault.Close();
  const auto before = TreeOf(vault.work().path());
  const auto report = vault.Hold();
  CHECK(TreeOf(vault.work().path()) == before);
  CHECK(report.outcome == DrillOutcome::kPassed);
  CHECK(report.findings == Strings{});
  CHECK(report.generation == run.generation);
  CHECK(report.increments == 1);
  CHECK(report.clients == 5);
  CHECK(report.records == 6);
  CHECK(report.log_size > run.log_size);
  CHECK(report.comparison == DrillComparison::kNone);
  CHECK(report.log == vault.kOrigin);
  // The moment of the generation alone.
  auto request = vault.Request();
  request.restore.generation = run.generation;
  const auto earlier = vault.Hold(request);
  CHECK(earlier.outcome == DrillOutcome::kPassed);
  CHECK(earlier.records == 5);
  CHECK(earlier.log_size == run.log_size);
}

TEST_CASE("a drill does what a start does, and its ledger and anchor are no one's") {
  DrilledVault vault;
  const auto gone = vault.NewClient("A-1"), stays = vault.NewClient("A-2");
  vault.NewContact(gone, {{"last_name", "Doe"}});
  const auto first = vault.BackUp();
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), gone, {}));
  REQUIRE(vault->tokens().RevokeToken(vault.As(kAdministrator), vault.TokenOf(kAuditor).id));
  vault.clock.Advance(1000);
  vault.BackUp();
  auto request = vault.Request();
  request.restore.generation = first.generation;
  const auto report = vault.Hold(request);
  CHECK(report.findings == Strings{});
  CHECK(report.erasures_repeated == 1);
  CHECK(report.acts_repeated >= 1);
  CHECK(report.clients == 1);
  CHECK(report.log_size == first.log_size);
  // What the vault says afterwards is as if there had been none.
  vault.CheckInvariants();
}

TEST_CASE("the restored log is compared with what is known of the log as it is now") {
  DrilledVault vault;
  vault.NewClient("A-1");
  vault.Close();
  vault.Open();
  const std::string earlier = vault.Checkpoint();
  const auto run = vault.BackUp();
  vault.NewClient("A-2");
  vault.Close();
  vault.Open();
  const std::string later = vault.Checkpoint();
  const std::uint64_t later_size = audit::ParseCheckpointNote(later)->checkpoint.size;
  CHECK(later_size > run.log_size);

  auto request = vault.Request();
  request.checkpoints = {earlier};
  auto report = vault.Hold(request);
  CHECK(report.comparison == DrillComparison::kContains);
  CHECK(report.outcome == DrillOutcome::kPassed);

  request.checkpoints = {later, earlier};
  report = vault.Hold(request);
  CHECK(report.comparison == DrillComparison::kUnproven);
  CHECK(report.compared_size == later_size);
  CHECK(report.outcome == DrillOutcome::kPassed);

  const auto auditor = vault.As(kAuditor);
  request.prove = [&](std::uint64_t from, std::uint64_t to) -> Result<std::vector<Hash>> {
    COFFER_ASSIGN(const auto proof, vault->access_log().ProveConsistency(auditor, from, to));
    return proof.hashes;
  };
  report = vault.Hold(request);
  CHECK(report.comparison == DrillComparison::kContinues);
  CHECK(report.outcome == DrillOutcome::kPassed);

  // A proof that does not hold, and one that nobody gives.
  request.prove = [](std::uint64_t, std::uint64_t) -> Result<std::vector<Hash>> {
    return std::vector<Hash>(3);
  };
  report = vault.Hold(request);
  CHECK(report.comparison == DrillComparison::kDiffers);
  CHECK(report.outcome == DrillOutcome::kFailed);
  request.prove = [](std::uint64_t, std::uint64_t) -> Result<std::vector<Hash>> {
    return Fail(Code::kUnavailable, "proof_missing");
  };
  CHECK(vault.Hold(request).comparison == DrillComparison::kUnproven);

  // Signed by the log's key for another log of the same length: a fork.
  const auto keyring = vault.OpenKeyring();
  auto forked = audit::ParseCheckpointNote(earlier)->checkpoint;
  forked.root[0] ^= 1;
  request.checkpoints = {later, audit::SignCheckpoint(forked, *keyring.log_signing_key())};
  report = vault.Hold(request);
  CHECK(report.comparison == DrillComparison::kDiffers);
  CHECK(report.outcome == DrillOutcome::kFailed);
  CHECK(report.findings.size() == 1);

  request.checkpoints = {"no checkpoint"};
  CHECK(AnswerOf(vault.Try(request)) == "checkpoint_unusable");
  CHECK(fs::is_empty(vault.scratch()));
}

TEST_CASE("each kind of damage is a finding of a signed report, or refused in words") {
  DrilledVault vault;
  for (int i = 0; i < 3; ++i) {
    vault.NewContact(vault.NewClient("A-" + std::to_string(i)), {{"last_name", "Doe"}});
  }
  vault.BackUp();
  const auto whole = TreeOf(vault.work().path());
  const auto put_back = [&](const std::string& directory) {
    for (const auto& file : FilesIn(directory)) {
      const auto before = whole.find(file);
      if (before != whole.end()) REQUIRE(crypto::WriteFileAtomically(file, before->second));
    }
  };
  // An object in the place of another, of the data and of the keys.
  for (const auto& repository : {vault.data(), vault.keys()}) {
    auto objects = FilesIn(repository + "/objects");
    REQUIRE(objects.size() >= 2);
    std::ranges::sort(objects, {}, [](const auto& path) { return fs::file_size(path); });
    const auto large = crypto::ReadFile(objects.back(), 1U << 28);
    const auto other = crypto::ReadFile(objects[objects.size() - 2], 1U << 28);
    REQUIRE(crypto::WriteFileAtomically(objects.back(), *other));
    const auto report = vault.Hold();
    CHECK(report.outcome == DrillOutcome::kFailed);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].starts_with("object_wrong"));
    REQUIRE(fs::remove(objects.back()));
    const auto missing = vault.Hold();
    REQUIRE(missing.findings.size() == 1);
    CHECK(missing.findings[0].starts_with("object_missing"));
    REQUIRE(crypto::WriteFileAtomically(objects.back(), *large));
    put_back(repository);
    CHECK(vault.Hold().findings == Strings{});
  }
  // No keys of that time.
  fs::rename(vault.keys() + "/generations", vault.keys() + "/aside");
  fs::create_directory(vault.keys() + "/generations");
  const auto without_keys = vault.Hold();
  REQUIRE(without_keys.findings.size() == 1);
  CHECK(without_keys.findings[0].starts_with("keys_generation_missing"));
  fs::remove(vault.keys() + "/generations");
  fs::rename(vault.keys() + "/aside", vault.keys() + "/generations");

  // What says nothing of the backup.
  const std::string other_key = vault.work() / "other.key";
  REQUIRE(crypto::CreateKeyFile(other_key));
  const auto wrong_root =
      RunDrill(vault.Request(), [&](const std::string&) { return crypto::OpenKeyFile(other_key); });
  CHECK(AnswerOf(wrong_root) == "root_key_wrong");
  auto request = vault.Request();
  request.most_bytes = 1 << 20;
  const auto small = vault.Try(request);
  CHECK(AnswerOf(small) == "scratch_too_small");
  request = vault.Request();
  request.scratch = vault.work() / "nowhere";
  CHECK(AnswerOf(vault.Try(request)) == "file_not_written");
  request.scratch = vault.directory();
  CHECK(AnswerOf(vault.Try(request)) == "scratch_unfit");
  request.scratch = vault.data();
  CHECK(AnswerOf(vault.Try(request)) == "scratch_unfit");
  request.scratch = vault.data() + "/objects";
  CHECK(AnswerOf(vault.Try(request)) == "scratch_unfit");
  request = vault.Request();
  request.restore.generation = "bkp_06bk4v0c5s3x9t7q2n8h1w6m4r";
  CHECK(AnswerOf(vault.Try(request)) == "generation_missing");
  request = vault.Request();
  request.restore.data_repository = vault.keys();
  CHECK(AnswerOf(vault.Try(request)) == "repository_of_other_kind");
  CHECK(fs::is_empty(vault.scratch()));
  CHECK(vault.Hold().findings == Strings{});
}

TEST_CASE("what is not what the log says is found, whoever could sign the backup of it") {
  DrilledVault vault;
  const auto client = vault.NewClient("A-1");
  const auto record = vault.NewContact(client, {{"last_name", "Doe"}});
  vault.Tamper("UPDATE records SET payload = zeroblob(length(payload)) WHERE id = ?", record.Row());
  vault.BackUp();
  const auto report = vault.Hold();
  CHECK(report.outcome == DrillOutcome::kFailed);
  CHECK(std::ranges::any_of(report.findings, [&](const std::string& finding) {
    return finding.find(record.Text()) != finding.npos;
  }));
}

TEST_CASE("what a drill that was killed left goes with the next, and no living one's") {
  DrilledVault vault;
  vault.NewClient("A-1");
  vault.BackUp();
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // Dies in the middle of the restore.
    (void)RunDrill(vault.Request(), [&](const std::string&) {
      static int asked = 0;
      if (++asked > 0) _exit(fs::is_empty(vault.scratch()) ? 1 : 9);
      return crypto::OpenKeyFile(vault.root_key_file());
    });
    _exit(2);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WEXITSTATUS(status) == 9);
  REQUIRE(!fs::is_empty(vault.scratch()));

  fs::create_directory(vault.scratch() + "/coffer-drill-notes");  // somebody's own
  auto living = ScratchPlace::Make(vault.scratch());
  REQUIRE(living);
  struct stat made{};
  REQUIRE(stat(living->path().c_str(), &made) == 0);
  CHECK((made.st_mode & 0777) == 0700);
  // The dead one's is gone already.
  std::set<fs::path> left;
  for (const auto& at : fs::directory_iterator(vault.scratch())) left.insert(at.path());
  CHECK(left == std::set<fs::path>{vault.scratch() + "/coffer-drill-notes", living->path()});
  const auto drill = vault.Try(vault.Request());
  REQUIRE(drill);
  CHECK(fs::exists(living->path()));
  REQUIRE(living->Destroy());
  CHECK(fs::remove(vault.scratch() + "/coffer-drill-notes"));
  CHECK(fs::is_empty(vault.scratch()));
}

TEST_CASE("the vault keeps a drill's report that its log signed, and says when one is due") {
  auto settings = WithDestinations();
  settings.backup_drill_days = 3;
  DrilledVault vault(settings);
  const auto standing = [&] { return vault->backup_runner().Standing(); };
  const auto told = [&](const std::string& note, Role role = kAdministrator) {
    return vault->backups().RecordDrill(vault.As(role), note);
  };
  CHECK(standing().drill_overdue);
  CHECK(!standing().drilled);
  vault.NewClient("A-1");
  vault.BackUp();
  vault.clock.Advance(1000);
  const auto first = vault.Try(vault.Request());
  REQUIRE(first);
  CHECK(AnswerOf(told(first->note, kCaseWorker)) == "permission_denied");
  const auto caller = vault.As(kAdministrator);
  const auto kept = vault->backups().RecordDrill(caller, first->note);
  REQUIRE(kept);
  CHECK(kept->log_agrees);
  CHECK(vault.EntryOf(caller).at("detail") == "drill " + first->report.generation + " passed");
  CHECK(!standing().drill_overdue);
  CHECK(standing().drilled == first->report.finished);
  CHECK(AnswerOf(told(first->note)) == "ok");  // told again

  vault.Close();
  vault.Open();
  CHECK(standing().drilled == first->report.finished);
  vault.Later(4);
  CHECK(standing().drill_overdue);

  // One that failed is the last, and takes nothing from the one before.
  fs::rename(vault.keys() + "/generations", vault.keys() + "/aside");
  fs::create_directory(vault.keys() + "/generations");
  const auto failed = vault.Try(vault.Request());
  REQUIRE(failed);
  REQUIRE(told(failed->note));
  CHECK(standing().drill_failed);
  CHECK(standing().drilled == first->report.finished);
  CHECK(vault->backups().ListDrills(vault.As(kAuditor))->size() == 2);
  CHECK(AnswerOf(told(first->note)) == "drill_report_older");

  // Of another log, of a time to come, by another key, or none at all.
  const auto keyring = vault.OpenKeyring();
  auto report = first->report;
  const auto signed_note = [&] {
    return *audit::WriteDrillReport(report, vault.kOrigin, *keyring.log_signing_key());
  };
  report.finished = vault.clock.Now();
  report.root[0] ^= 1;
  const auto forked = told(signed_note());
  REQUIRE(forked);
  CHECK(!forked->log_agrees);
  CHECK(standing().drilled == first->report.finished);
  CHECK(std::ranges::count_if(vault.WholeLog(), [](const audit::Entry& entry) {
          return entry.action == "integrity.alarm" && entry.outcome == "log_mismatch";
        }) == 1);
  vault.Close();
  vault.Open();
  CHECK(standing().drill_failed);
  CHECK(standing().drilled == first->report.finished);
  report.finished.ms += kOneDay;
  CHECK(AnswerOf(told(signed_note())) == "request_invalid");
  std::string altered = first->note;
  altered[altered.find("passed")] ^= 1;
  CHECK(AnswerOf(told(altered)) == "request_invalid");
  CHECK(AnswerOf(told("no report")) == "request_invalid");
  vault.CheckInvariants();
}

TEST_CASE("a destination that is read back whole is said to be, and a damaged one is not") {
  DrilledVault vault;
  vault.NewClient("A-1");
  vault.BackUp();
  const auto verify = [&](const std::string& name) {
    vault.clock.Advance(1000);
    return vault->backups().VerifyDestination(vault.As(kAdministrator), name);
  };
  CHECK(AnswerOf(verify("none")) == "not_found");
  CHECK(!vault->backup_runner().Standing().verified);
  const auto first = verify("here");
  REQUIRE(first);
  CHECK(first->verified == vault.clock.Now());
  CHECK(!vault->backup_runner().Standing().verified);  // the keys were not
  REQUIRE(verify("keys"));
  CHECK(vault->backup_runner().Standing().verified == first->verified);
  vault.Close();
  vault.Open();
  CHECK(vault->backup_runner().Standing().verified == first->verified);
  const auto objects = FilesIn(vault.data() + "/objects");
  REQUIRE(fs::remove(objects.front()));
  const auto damaged = verify("here");
  REQUIRE(damaged);
  CHECK(!damaged->verified);
  CHECK(!damaged->report.findings.empty());
  CHECK(vault->backup_runner().Standing().verified == first->verified);
  Strings outcomes;
  for (const auto& entry : vault.WholeLog()) {
    if (entry.detail == "verify here" && entry.action == "backup.ended") {
      outcomes.push_back(entry.outcome);
    }
  }
  CHECK(outcomes == Strings{"ok", "integrity_failed"});
}

TEST_CASE("three copies, two media and one off site are told of a vault that has them") {
  auto settings = WithDestinations();
  settings.backup_medium = "disk";
  settings.backup_destinations[0].medium = "disk";
  settings.backup_destinations.push_back({"far", BackupKind::kData, "backup-far"});
  settings.backup_destinations.back().medium = "tape";
  settings.backup_destinations.back().off_site = true;
  DrilledVault vault(settings);
  const auto standing = [&] { return vault->backup_runner().Standing(); };
  CHECK(standing().data == BackupRule{1, 1, 0});
  vault.BackUp();
  CHECK(standing().data == BackupRule{3, 2, 1});
  CHECK(standing().data.met());
  CHECK(standing().keys == BackupRule{2, 1, 0});
  vault.clock.Advance(8 * kOneDay + 1);
  CHECK(standing().data == BackupRule{1, 1, 0});
}

TEST_CASE("a drill of a generation from before the log's key was exchanged passes") {
  for (const bool retired : {false, true}) {
    INFO(retired);
    DrilledVault vault;
    const auto gone = vault.NewClient("A-1");
    vault.NewContact(gone, {{"last_name", "Doe"}});
    const auto first = vault.BackUp();
    vault.Close();
    VaultOptions options;
    options.directory = vault.directory();
    options.require_locked_memory = false;
    options.clock = &vault.clock;
    vault.clock.Advance(1000);
    REQUIRE(RotateLogKey(options, vault.root(), LogKeyStep::kAdd));
    if (retired) REQUIRE(RotateLogKey(options, vault.root(), LogKeyStep::kRetire));
    vault.Open();
    REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), gone, {}));
    vault.clock.Advance(1000);
    vault.BackUp();
    auto request = vault.Request();
    request.restore.generation = first.generation;
    const auto drill = vault.Try(request);
    INFO(AnswerOf(drill));
    REQUIRE(drill);
    CHECK(drill->report.findings == Strings{});
    CHECK(drill->report.outcome == DrillOutcome::kPassed);
    CHECK(drill->report.erasures_repeated == 1);
  }
}

}  // namespace
}  // namespace coffer::vault
