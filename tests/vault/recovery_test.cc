// A restored copy becomes the vault: which log goes on, and what says what is lost.
#include "vault/recovery.h"

#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>

#include "audit/entries/succession.h"
#include "crypto/atomic_file.h"
#include "tests/vault/backup/backed_up_vault.h"
#include "vault/backup/ledger_end.h"
#include "vault/check.h"
#include "vault/log_key_rotation.h"
#include "vault/storage/data_directory.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;
using Became = audit::VerifyReport::Compared::Result;

class LostVault : public BackedUpVault {
 public:
  explicit LostVault(const Settings& settings = WithDestinations()) : BackedUpVault(settings) {
    client = NewClient("A-1");
    record = NewContact(client, {{"last_name", "Doe"}});
    BackUp();
  }
  // What is committed behind the copy, and signed.
  void GoOn(int entries = 3) {
    for (int i = 0; i < entries; ++i) {
      REQUIRE((*this)->records().GetRecord(As(kCrmService), client, record));
    }
    Close();
  }
  std::string AnchorNow() {
    const auto bytes = crypto::ReadFile(directory() + "/anchor", audit::kMaxAnchorBytes);
    REQUIRE(bytes);
    return std::string(crypto::AsText(*bytes));
  }
  std::string NoteOf(const std::string& anchor) { return audit::ParseAnchor(anchor)->note; }
  std::uint64_t SizeOf(const std::string& note) {
    return audit::ParseCheckpointNote(note)->checkpoint.size;
  }
  VaultOptions OptionsOf(const std::string& name) {
    VaultOptions options;
    options.directory = work() / name;
    options.require_locked_memory = false;
    options.clock = &clock;
    return options;
  }
  Result<Recovered> TryRecover(const VaultOptions& options,
                               const std::vector<std::string>& checkpoints = {}) {
    clock.Advance(1000);
    return RecoverVault(options, root(), checkpoints);
  }
  Recovered Recover(const VaultOptions& options, const std::vector<std::string>& checkpoints = {}) {
    auto done = TryRecover(options, checkpoints);
    INFO(AnswerOf(done) << " " << (done ? "" : done.error().detail));
    REQUIRE(done);
    CHECK_FALSE(fs::exists(RestoredCopyPath(options.directory)));
    return *std::move(done);
  }
  audit::VerifyReport VerifyCopy(const VaultOptions& options,
                                 const std::vector<std::string>& checkpoints = {}) {
    OfflineVerifyOptions verify;
    verify.directory = options.directory;
    verify.anchor_path = options.anchor_path;
    verify.checkpoints = checkpoints;
    verify.deep = true;
    const auto report = VerifyDirectory(verify, root());
    INFO(AnswerOf(report) << " " << (report ? "" : report.error().detail));
    REQUIRE(report);
    for (const auto& finding : report->log.findings) UNSCOPED_INFO(finding.message);
    CHECK(report->log.ok());
    return report->log;
  }
  void CheckServes(const VaultOptions& options) {
    REQUIRE(CheckDirectory(options, root()));
    const auto opened = Vault::Open(options, root());
    INFO(AnswerOf(opened) << " " << (opened ? "" : opened.error().detail));
    REQUIRE(opened);
    CHECK(AnswerOf((*opened)->records().GetRecord(As(kCrmService), client, record)) == "ok");
  }

  ClientId client;
  RecordId record;
};

std::string Second() { return audit::SuccessorName(TestVault::kOrigin); }

TEST_CASE("a restored copy is served by nobody before it is recovered") {
  LostVault vault;
  vault.Restore("copy");
  const auto options = vault.OptionsOf("copy");
  CHECK(AnswerOf(Vault::Open(options, vault.root())) == "restored_copy");
  CHECK(AnswerOf(CheckDirectory(options, vault.root())) == "restored_copy");
  CHECK(vault.FindingsIn("copy") == Strings{});
  CHECK(AnswerOf(Vault::Open(options, vault.root())) == "restored_copy");
  // A file that nobody here wrote is no reason to take it for the vault.
  REQUIRE(crypto::WriteFileAtomically(RestoredCopyPath(options.directory), {}));
  CHECK(AnswerOf(Vault::Open(options, vault.root())) == "restored_malformed");
}

TEST_CASE("an anchor that lies elsewhere and says more closes the log") {
  LostVault vault;
  vault.GoOn();
  const std::string anchor = vault.AnchorNow();
  const auto restored = vault.Restore("copy");
  auto options = vault.OptionsOf("copy");
  options.anchor_path = vault.work() / "anchor-elsewhere";
  REQUIRE(crypto::WriteFileAtomically(options.anchor_path, crypto::AsBytes(anchor)));

  const auto done = vault.Recover(options);
  CHECK(done.log == Second());
  CHECK(done.kept == restored.log_size);
  REQUIRE(done.closed);
  CHECK(done.closed->origin == TestVault::kOrigin);
  CHECK(done.closed->size == vault.SizeOf(vault.NoteOf(anchor)));
  CHECK(done.closed->size > done.kept);
  const auto kept = crypto::ReadFile(done.closed_note_path, audit::kMaxNoteBytes);
  REQUIRE(kept);
  CHECK(crypto::AsText(*kept) == vault.NoteOf(anchor));
  vault.CheckServes(options);

  // Who has seen the closed log is told, and goes on with what is signed now.
  const auto report = vault.VerifyCopy(options, {vault.NoteOf(anchor)});
  CHECK(report.name == Second());
  CHECK(report.compared.front().result == Became::kLost);
  CHECK(report.newest_key->name == Second());
  REQUIRE(report.successions.size() == 1);
  CHECK(report.successions.front().from == done.kept);
  CHECK(AnswerOf(vault.TryRecover(options)) == "nothing_to_recover");

  // The other way round: recovered by the anchor beside the data, and then told of the other one.
  vault.Restore("mistaken");
  auto mistaken = vault.OptionsOf("mistaken");
  vault.Recover(mistaken);
  mistaken.anchor_path = vault.work() / "anchor-not-named";
  CHECK(AnswerOf(vault.TryRecover(mistaken)) == "anchor_missing");
  REQUIRE(crypto::WriteFileAtomically(mistaken.anchor_path, crypto::AsBytes(anchor)));
  CHECK(AnswerOf(Vault::Open(mistaken, vault.root())) == "anchor_of_closed_log");
  const auto again = vault.Recover(mistaken);
  CHECK(again.log == Second());
  CHECK_FALSE(again.closed);
  vault.CheckServes(mistaken);
  const auto old =
      crypto::ReadFile(mistaken.directory + "/closed-1-" +
                           std::to_string(vault.SizeOf(vault.NoteOf(anchor))) + ".checkpoint",
                       audit::kMaxNoteBytes);
  REQUIRE(old);
  CHECK(crypto::AsText(*old) == vault.NoteOf(anchor));
}

TEST_CASE("an anchor that lies elsewhere and says no more lets the log go on") {
  auto settings = WithDestinations();
  settings.backup_increment_seconds = 3600;
  LostVault vault(settings);
  vault.Close();  // its last increment has the last entry
  vault.Restore("copy");
  auto options = vault.OptionsOf("copy");
  options.anchor_path = vault.work() / "anchor-elsewhere";
  REQUIRE(crypto::WriteFileAtomically(options.anchor_path, crypto::AsBytes(vault.AnchorNow())));
  const auto done = vault.Recover(options);
  CHECK(done.log == TestVault::kOrigin);
  CHECK_FALSE(done.closed);
  vault.CheckServes(options);
  const auto report = vault.VerifyCopy(options, {vault.NoteOf(vault.AnchorNow())});
  CHECK(report.compared.front().result == Became::kHolds);
  CHECK(report.successions.empty());
}

TEST_CASE("an anchor that is older than the copy shows nothing") {
  auto settings = WithDestinations();
  settings.backup_increment_seconds = 3600;
  LostVault vault(settings);
  const std::string older = vault.AnchorNow();
  vault.GoOn();  // its end is in the last increment
  vault.Restore("copy");
  auto options = vault.OptionsOf("copy");
  options.anchor_path = vault.work() / "anchor-of-last-night";
  REQUIRE(crypto::WriteFileAtomically(options.anchor_path, crypto::AsBytes(older)));
  CHECK(AnswerOf(vault.TryRecover(options)) == "anchor_older");
  // Nothing was settled by it.
  const auto copy = ReadRestoredCopy(options.directory);
  REQUIRE(copy);
  REQUIRE(*copy);
  CHECK_FALSE((*copy)->settled);
  options.anchor_path.clear();
  CHECK(vault.Recover(options).log == Second());
}

TEST_CASE("what is named and not there is lost only where somebody says so") {
  LostVault vault;
  vault.GoOn();
  vault.Restore("copy");
  auto options = vault.OptionsOf("copy");
  options.anchor_path = vault.work() / "unmounted-anchor";
  CHECK(AnswerOf(vault.TryRecover(options)) == "anchor_missing");
  options.ledger_path = vault.work() / "unmounted-ledger";
  vault.clock.Advance(1000);
  CHECK(AnswerOf(RecoverVault(options, vault.root(), {}, {.anchor = true})) == "ledger_missing");
  CHECK_FALSE(fs::exists(options.anchor_path));
  CHECK_FALSE((*ReadRestoredCopy(options.directory))->settled);
  vault.clock.Advance(1000);
  const auto done = RecoverVault(options, vault.root(), {}, {.anchor = true, .ledger = true});
  INFO(AnswerOf(done));
  REQUIRE(done);
  CHECK(done->log == Second());
  CHECK(fs::exists(options.anchor_path));
  CHECK(fs::file_size(options.ledger_path) >=
        fs::file_size(options.directory + "/erasures.ledger"));
  vault.CheckServes(options);
}

TEST_CASE("an older ledger is not taken for the newest, nor one that parts from the copy's") {
  LostVault vault;
  vault.Close();
  const std::string ledger = vault.directory() + "/erasures.ledger";
  fs::copy(ledger, vault.work() / "older-ledger");
  vault.Open();
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, {}));
  vault.clock.Advance(1000);
  vault.BackUp();
  vault.Close();
  fs::copy(ledger, vault.work() / "newest-ledger");
  vault.Restore("copy");
  auto options = vault.OptionsOf("copy");
  options.ledger_path = vault.work() / "older-ledger";
  CHECK(AnswerOf(vault.TryRecover(options)) == "ledger_older");
  CHECK_FALSE((*ReadRestoredCopy(options.directory))->settled);
  options.ledger_path = vault.work() / "newest-ledger";
  vault.Recover(options);
}

TEST_CASE("a copy goes on by no ledger that has less than the one it brought along") {
  LostVault vault;
  const auto other = vault.NewClient("A-2");
  const auto before = vault.BackUp();
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), other, {}));
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, {}));
  vault.clock.Advance(1000);
  vault.BackUp();
  vault.Close();
  vault.Restore("copy");
  auto options = vault.OptionsOf("copy");
  const std::string own = options.directory + "/erasures.ledger";
  const std::string whole = vault.work() / "whole-ledger";
  fs::copy(own, whole);
  const auto refused = [&](const char* reason) {
    CHECK(AnswerOf(vault.TryRecover(options)) == reason);
    vault.clock.Advance(1000);
    CHECK(AnswerOf(RecoverVault(options, vault.root(), {}, {.anchor = true, .ledger = true})) ==
          reason);
    CHECK_FALSE((*ReadRestoredCopy(options.directory))->settled);
  };
  CHECK((*ReadRestoredCopy(options.directory))->ledger.lines == 2);
  // Its own, without any other.
  fs::remove(own);
  refused("ledger_missing");
  CHECK_FALSE(fs::exists(own));
  std::ofstream(own).flush();
  refused("ledger_older");
  std::ifstream in(whole);
  std::string first;
  std::getline(in, first);
  std::ofstream(own) << first << '\n';
  refused("ledger_older");
  // Nor another that is empty, with its own away.
  options.ledger_path = vault.work() / "other-ledger";
  std::ofstream(options.ledger_path).flush();
  refused("ledger_older");
  fs::remove(options.ledger_path);
  fs::remove(own);
  CHECK(AnswerOf(RecoverVault(options, vault.root(), {}, {.anchor = true, .ledger = true})) ==
        "ledger_missing");
  CHECK_FALSE(fs::exists(options.ledger_path));
  options.ledger_path = whole;
  const auto done = vault.Recover(options);
  CHECK(done.repeated.erasures == 0);  // the data has them
  // Of a generation from before, both are repeated; and who signs nothing makes less of a ledger.
  vault.Restore("older", before.generation);
  options = vault.OptionsOf("older");
  auto less = **ReadRestoredCopy(options.directory);
  less.ledger = {};
  REQUIRE(WriteRestoredCopy(options.directory, less));
  CHECK(AnswerOf(vault.TryRecover(options)) == "restored_malformed");
  fs::remove_all(options.directory);
  vault.Restore("older", before.generation);
  CHECK(vault.Recover(options).repeated.erasures == 2);
}

TEST_CASE("no copy goes on by the anchor of a vault that serves") {
  auto settings = WithDestinations();
  settings.backup_increment_seconds = 3600;
  LostVault vault(settings);
  vault.Close();
  vault.Restore("copy");
  vault.Open();
  auto options = vault.OptionsOf("copy");
  options.anchor_path = vault.directory() + "/anchor";
  CHECK(AnswerOf(vault.TryRecover(options)) == "anchor_in_use");
  vault.Close();
}

TEST_CASE("a copy from before the log's key was exchanged is recovered by the newest ledger") {
  for (const bool retired : {false, true}) {
    INFO(retired);
    LostVault vault;
    const auto generation = Repository::Open(vault.data())->ListGenerations()->back();
    vault.Close();
    VaultOptions exchange = vault.OptionsOf("data");
    vault.clock.Advance(1000);
    REQUIRE(RotateLogKey(exchange, vault.root(), LogKeyStep::kAdd));
    if (retired) REQUIRE(RotateLogKey(exchange, vault.root(), LogKeyStep::kRetire));
    vault.Open();
    const auto erased = vault.NewClient("A-2");
    REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), erased, {}));
    vault.clock.Advance(1000);
    vault.BackUp();
    vault.GoOn();
    for (const bool by_anchor : {false, true}) {
      const std::string name = by_anchor ? "by-anchor" : "alone";
      vault.Restore(name, generation);
      CHECK((*ReadRestoredCopy(vault.work() / name))->later_keys.empty() == !retired);
      auto options = vault.OptionsOf(name);
      if (retired) {
        // Nobody's key is added by who may write there.
        const auto true_copy = **ReadRestoredCopy(options.directory);
        auto forged = true_copy;
        forged.later_keys +=
            " " + audit::FormatVerifierKey({std::string(TestVault::kOrigin),
                                            crypto::SigningKey::Generate().public_key()});
        REQUIRE(WriteRestoredCopy(options.directory, forged));
        CHECK(AnswerOf(vault.TryRecover(options)) == "restored_malformed");
        REQUIRE(WriteRestoredCopy(options.directory, true_copy));
      }
      if (by_anchor) {
        options.anchor_path = vault.work() / ("anchor-of-" + name);
        REQUIRE(
            crypto::WriteFileAtomically(options.anchor_path, crypto::AsBytes(vault.AnchorNow())));
      }
      const auto done = vault.Recover(options);
      CHECK(done.log == Second());
      if (by_anchor) CHECK(done.closed->size > done.kept);
      vault.CheckServes(options);
      vault.VerifyCopy(options);
    }
  }
}

TEST_CASE("what shows a loss is heard after it was settled that the log goes on") {
  LostVault vault;
  vault.GoOn();
  const std::string seen = vault.NoteOf(vault.AnchorNow());
  vault.Restore("copy");
  const auto options = vault.OptionsOf("copy");
  // As a recovery leaves it that was given no proof, and whose vault did not open.
  auto copy = *ReadRestoredCopy(options.directory);
  REQUIRE(copy);
  copy->settled = SettledLog{std::string(TestVault::kOrigin), copy->log_size, {}, {}};
  REQUIRE(WriteRestoredCopy(options.directory, *copy));
  const auto done = vault.Recover(options, {seen});
  CHECK(done.log == Second());
  REQUIRE(done.closed);
  CHECK(done.closed->size == vault.SizeOf(seen));
  CHECK(vault.VerifyCopy(options, {seen}).compared.front().result == Became::kLost);
}

TEST_CASE("without an anchor from elsewhere nothing shows that nothing is lost") {
  LostVault vault;
  vault.GoOn();
  const std::string seen = vault.NoteOf(vault.AnchorNow());
  vault.Restore("copy");
  vault.Restore("told");
  const auto done = vault.Recover(vault.OptionsOf("copy"));
  CHECK(done.log == Second());
  REQUIRE(done.closed);
  CHECK(done.closed->size == done.kept);
  vault.CheckServes(vault.OptionsOf("copy"));
  vault.VerifyCopy(vault.OptionsOf("copy"));

  // Whoever has seen more is told that it is lost, as it was not known how much was.
  CHECK(vault.VerifyCopy(vault.OptionsOf("copy"), {seen}).compared.front().result == Became::kLost);
  // Told of it, it says how much.
  const auto told = vault.Recover(vault.OptionsOf("told"), {seen});
  CHECK(told.closed->size == vault.SizeOf(seen));
  CHECK(vault.VerifyCopy(vault.OptionsOf("told"), {seen}).compared.front().result == Became::kLost);
}

TEST_CASE("what is of another vault or history is refused, and nothing is changed") {
  LostVault vault;
  vault.GoOn();
  vault.Restore("copy");
  auto options = vault.OptionsOf("copy");
  const auto contents = [&] {
    std::map<std::string, crypto::Bytes> files;
    for (const fs::path& file : FilesIn(options.directory)) {
      if (file.filename() == "lock" || file.extension() == ".lock") continue;
      files[file] = *crypto::ReadFile(file, std::size_t{1} << 30);
    }
    return files;
  };
  const auto before = contents();
  const std::string theirs = audit::SignCheckpoint({std::string(TestVault::kOrigin), 900, {}},
                                                   crypto::SigningKey::Generate());
  CHECK(AnswerOf(vault.TryRecover(options, {theirs})) == "checkpoint_foreign");
  options.anchor_path = vault.work() / "anchor-of-another";
  REQUIRE(crypto::WriteFileAtomically(options.anchor_path,
                                      crypto::AsBytes(audit::FormatAnchor({7, theirs}))));
  CHECK(AnswerOf(vault.TryRecover(options)) == "anchor_foreign");
  // The same keys and another history.
  const auto keyring = vault.OpenKeyring();
  options.anchor_path.clear();
  const std::string forged = audit::SignCheckpoint(
      {std::string(TestVault::kOrigin), 3, crypto::Hash{1}}, *keyring.log_signing_key());
  CHECK(AnswerOf(vault.TryRecover(options, {forged})) == "checkpoint_mismatch");
  CHECK(contents() == before);
  CHECK(AnswerOf(Vault::Open(options, vault.root())) == "restored_copy");
  CHECK(vault.Recover(options).log == Second());
}

TEST_CASE("a vault that was lost a second time has a third log, and backups go on") {
  LostVault vault;
  vault.GoOn();
  vault.Restore("copy");
  const auto done = vault.Recover(vault.OptionsOf("copy"));
  CHECK(done.log == Second());
  // In the place of the old one, with its destinations.
  fs::rename(vault.directory(), vault.work() / "lost");
  fs::rename(vault.work() / "copy", vault.directory());
  vault.clock.Advance(1000);
  vault.Open();
  vault.BackUp();
  const auto other = vault.NewClient("A-2");
  vault.IncrementAll();
  const auto seen = vault.NoteOf(vault.AnchorNow());
  vault.GoOn();
  CHECK(vault.Verify(vault.data()).findings == Strings{});
  // The newest is of the successor, the first one of the closed log.
  const auto generations = Repository::Open(vault.data())->ListGenerations();
  REQUIRE(generations);
  for (const auto& [name, generation] :
       {std::pair<std::string, std::string>{"again", {}}, {"first", generations->front()}}) {
    INFO(name);
    vault.Restore(name, generation);
    auto options = vault.OptionsOf(name);
    options.anchor_path = vault.work() / ("anchor-of-" + name);
    REQUIRE(crypto::WriteFileAtomically(options.anchor_path, crypto::AsBytes(vault.AnchorNow())));
    const auto again = vault.Recover(options);
    CHECK(again.log == audit::SuccessorName(Second()));
    CHECK(again.closed->origin == Second());
    vault.CheckServes(options);
    CHECK(vault.VerifyCopy(options, {seen}).name == again.log);
  }
  // One from before the succession, and nothing from elsewhere: the repository knows the names.
  vault.Restore("alone", generations->front());
  CHECK(vault.Recover(vault.OptionsOf("alone")).log == audit::SuccessorName(Second()));
  // A repository that is made anew has the log's name of then, and fits the older one.
  fs::remove_all(vault.keys());
  vault.clock.Advance(1000);
  vault.Open();
  REQUIRE(vault->backups().InitializeDestination(vault.As(kAdministrator), "keys"));
  vault.BackUp();
  vault.Close();
  vault.Restore("of-both");
  const auto opened = vault.OpenRestored("of-both");
  CHECK(AnswerOf(opened->clients().GetClient(vault.As(kCrmService), other)) == "ok");
}

TEST_CASE("a log that was rolled back without a restore is recovered as well") {
  LostVault vault;
  vault.Close();
  fs::copy(vault.directory(), vault.work() / "rolled", fs::copy_options::recursive);
  vault.Open();
  vault.GoOn();
  auto options = vault.OptionsOf("rolled");
  options.anchor_path = vault.directory() + "/anchor";
  CHECK(AnswerOf(Vault::Open(options, vault.root())) == "log_behind_anchor");
  const auto done = vault.Recover(options);
  CHECK_FALSE(done.copy);
  CHECK(done.log == Second());
  vault.CheckServes(options);
  // The anchor is the successor's now: the vault that it was of is behind it.
  CHECK(AnswerOf(Vault::Open(vault.OptionsOf("data"), vault.root())) == "log_behind_anchor");
}

TEST_CASE("a vault whose anchor is lost is closed only by who says so") {
  LostVault vault;
  vault.Close();
  const auto options = vault.OptionsOf("data");
  const std::string note = vault.NoteOf(vault.AnchorNow());
  fs::remove(vault.directory() + "/anchor");
  CHECK(AnswerOf(vault.TryRecover(options, {note})) == "anchor_missing");
  vault.clock.Advance(1000);
  const auto done = RecoverVault(options, vault.root(), {note}, {.anchor = true});
  REQUIRE(done);
  CHECK(done->log == Second());
  CHECK(done->closed->size == done->kept);
  vault.CheckServes(options);
  CHECK(vault.VerifyCopy(options, {note}).compared.front().result == Became::kHolds);
}

enum class NoFile { kPipe, kDirectory, kDevice };

void PutNoFile(NoFile kind, const fs::path& path) {
  if (kind == NoFile::kPipe) REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  if (kind == NoFile::kDirectory) fs::create_directory(path);
  if (kind == NoFile::kDevice) fs::create_symlink("/dev/zero", path);
}

TEST_CASE("what is no file in the place of one is waited for by nothing that opens a copy") {
  LostVault vault;
  vault.GoOn();
  fs::copy(vault.directory() + "/anchor", vault.work() / "anchor-elsewhere");
  fs::copy(vault.directory() + "/erasures.ledger", vault.work() / "ledger-elsewhere");
  vault.Restore("copy");
  auto options = vault.OptionsOf("copy");
  options.anchor_path = vault.work() / "anchor-elsewhere";
  options.ledger_path = vault.work() / "ledger-elsewhere";
  std::vector<fs::path> files = {options.anchor_path, options.ledger_path};
  for (const auto& file : fs::directory_iterator(options.directory)) {
    // The ledger that counts lies elsewhere.
    if (file.is_regular_file() && file.path().filename() != "erasures.ledger") {
      files.push_back(file.path());
    }
  }
  const fs::path aside = vault.work() / "aside";
  for (const fs::path& file : files) {
    const std::string name = file.filename();
    for (const NoFile kind : {NoFile::kPipe, NoFile::kDevice, NoFile::kDirectory}) {
      CAPTURE(name, static_cast<int>(kind));
      fs::rename(file, aside);
      PutNoFile(kind, file);
      const auto recovered = vault.TryRecover(options);
      CHECK_FALSE(recovered);
      CHECK(fs::exists(RestoredCopyPath(options.directory)));
      UNSCOPED_INFO(AnswerOf(recovered));
      if (name != "keys.db") CHECK_FALSE(CheckDirectory(options, vault.root()));
      OfflineVerifyOptions verify;
      verify.directory = options.directory;
      verify.anchor_path = options.anchor_path;
      const auto verified = VerifyDirectory(verify, vault.root());
      CHECK((verified || verified.error().code != Code::kInternal));
      if (file == options.anchor_path) CHECK(AnswerOf(verified) == "file_not_read");
      CHECK(ReadLedgerEnd(file).has_value() == false);
      fs::remove(file);
      fs::rename(aside, file);
    }
  }
  vault.Recover(options);
}

}  // namespace
}  // namespace coffer::vault
