// Copies that are made while the vault serves, and what comes of them.
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <set>
#include <thread>

#include "audit/documents/backup_increment.h"
#include "crypto/atomic_file.h"
#include "tests/support/sampling.h"
#include "tests/vault/backup/backed_up_vault.h"
#include "vault/key_exchange.h"
#include "vault/log_key_rotation.h"
#include "vault/recovery.h"

namespace coffer::vault {
namespace {

using enum Role;
namespace fs = std::filesystem;

using BackupManifestFile = audit::BackupFile;
constexpr std::size_t kListHead = 20, kPartHead = 20;  // before the hashes, and before the packs

Hash HashAt(const Bytes& bytes, std::size_t at) {
  Hash hash;
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), hash.size(), hash.begin());
  return hash;
}

TEST_CASE("a backup beside writers is one moment, and what was acknowledged before is in it") {
  auto settings = WithDestinations();
  settings.keys_rewrite_after_ms = settings.keys_rewrite_interval_ms = 0;  // all the time
  BackedUpVault vault(settings);
  std::atomic<bool> done{false};
  std::mutex mutex;
  std::vector<std::pair<ClientId, RecordId>> acknowledged;
  std::vector<std::jthread> writers;
  for (int t = 0; t < 3; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; !done; ++i) {
        const auto client = vault->clients().CreateClient(
            vault.As(kCrmService), {"W-" + std::to_string(t) + "-" + std::to_string(i), {}}, {});
        if (!client) continue;
        const auto record = vault->records().CreateRecord(vault.As(kCrmService), client->id,
                                                          "contact", {{"last_name", "Doe"}}, {});
        if (i % 3 == 0) {
          (void)vault->erasures().Erase(vault.As(kPrivacyOfficer), client->id, {});
        } else if (record) {
          const std::lock_guard lock(mutex);
          acknowledged.emplace_back(client->id, record->id);
        }
      }
    });
  }
  struct Made {
    BackupRun run;
    std::vector<std::pair<ClientId, RecordId>> before;
  };
  std::vector<Made> made;
  for (int i = 0; i < 4; ++i) {
    for (std::size_t more = 0; more < 20;) {
      const std::lock_guard lock(mutex);
      more = acknowledged.size() - (made.empty() ? 0 : made.back().before.size());
    }
    std::unique_lock lock(mutex);
    auto before = acknowledged;
    lock.unlock();
    made.push_back({vault.BackUp(), std::move(before)});
  }
  done = true;
  writers.clear();
  vault.Close();
  for (std::size_t i = 0; i < made.size(); ++i) {
    const std::string into = "restored-" + std::to_string(i);
    const auto restored = vault.Restore(into, made[i].run.generation);
    CHECK(restored.generation == made[i].run.generation);
    CHECK(restored.keys_generation == made[i].run.generation);
    CHECK(restored.log_size == made[i].run.log_size);
    DeepReport report;
    CHECK(vault.FindingsIn(into, &report) == Strings{});
    CHECK(report.log.size == made[i].run.log_size);
    const auto again = vault.OpenRestored(into);
    for (const auto& [client, record] : made[i].before) {
      const auto read = again->records().GetRecord(vault.As(kCrmService), client, record);
      REQUIRE(AnswerOf(read) == "ok");
    }
  }
}

TEST_CASE("a generation stores what changed since the one before, and nothing when nothing did") {
  BackedUpVault vault;
  std::vector<std::pair<ClientId, RecordId>> records;
  for (int i = 0; i < 300; ++i) {
    const auto client = vault.NewClient("A-" + std::to_string(i));
    records.emplace_back(client, vault.NewContact(client, {{"last_name", std::string(100, 'x')}}));
  }
  const auto data_figures = [](const BackupRun& run) { return run.destinations.front().figures; };
  const auto first = data_figures(vault.BackUp());
  CHECK(first.pages_stored == first.pages);
  const auto bytes = BytesIn(vault.data());
  for (std::uint64_t version = 1; version <= 3; ++version) {
    const auto updated =
        vault->records().UpdateRecord(vault.As(kCrmService), records[0].first, records[0].second,
                                      version, {{"last_name", "Roe " + std::to_string(version)}});
    REQUIRE(AnswerOf(updated) == "ok");
  }
  const auto second = data_figures(vault.BackUp());
  CHECK(second.pages_stored < second.pages / 4);
  CHECK(data_figures(vault.BackUp()).pages_stored < 20);  // the entries of the run before
  CHECK(BytesIn(vault.data()) < bytes + bytes / 3);
  CHECK(vault.Verify(vault.data()).findings == Strings{});
  CHECK(vault.Verify(vault.data()).generations.size() == 3);
}

TEST_CASE(
    "whatever is changed, cut or taken away in a repository is found, and is never restored") {
  BackedUpVault vault;
  for (int i = 0; i < 20; ++i) {
    vault.NewContact(vault.NewClient("A-" + std::to_string(i)), {{"last_name", "Doe"}});
  }
  vault.BackUp();
  int n = 0;
  for (const auto& repository : {vault.data(), vault.keys()}) {
    CHECK(vault.Verify(repository).findings == Strings{});
    for (const auto& file : FilesIn(repository)) {
      if (file.filename() == "coffer-backup") continue;
      INFO(file);
      const auto whole = crypto::ReadFile(file, 1U << 28);
      REQUIRE(whole);
      Bytes flipped = *whole;
      if (!flipped.empty()) flipped[flipped.size() / 2] ^= 1;
      const Bytes cut(whole->begin(), whole->end() - (whole->empty() ? 0 : 1));
      const auto found = [&] {
        const auto report = vault.Verify(repository);
        const auto restored = vault.TryRestore("refused-" + std::to_string(n++));
        return (!report.findings.empty() || report.generations.empty()) && !restored;
      };
      if (!whole->empty()) {
        REQUIRE(crypto::WriteFileAtomically(file, flipped));
        CHECK(found());
        REQUIRE(crypto::WriteFileAtomically(file, cut));
        CHECK(found());
      }
      fs::remove(file);
      CHECK(found());
      REQUIRE(crypto::WriteFileAtomically(file, *whole));
    }
  }
  CHECK(vault.Verify(vault.data()).findings == Strings{});
  vault.Restore("after-all");
}

TEST_CASE(
    "a restore that fails leaves the place as it was, and what one that died left does not start") {
  BackedUpVault vault;
  vault.NewContact(vault.NewClient("A-1"), {{"last_name", "Doe"}});
  vault.BackUp();
  const fs::path objects = fs::path(vault.keys()) / "objects", aside = vault.work() / "aside";
  const fs::path there = vault.work() / "there", made = vault.work() / "made";
  fs::create_directory(there);
  fs::rename(objects, aside);
  for (const char* into : {"there", "made"}) {
    CHECK(AnswerOf(vault.TryRestore(into)) == "object_missing");
  }
  CHECK(fs::is_empty(there));
  CHECK(!fs::exists(made));
  fs::rename(aside, objects);
  vault.Restore("there");
  CHECK(AnswerOf(vault.TryRestore("there")) == "directory_not_empty");
  CHECK(AnswerOf(vault.TryRestore("backup-data/objects/00")) == "directory_not_empty");
  CHECK(AnswerOf(vault.TryRestore("backup-data/new")) == "directory_not_empty");
  fs::create_directory_symlink("round", vault.work() / "round");
  CHECK(AnswerOf(vault.TryRestore("round/about")) == "file_not_written");
  CHECK(AnswerOf(vault.TryRestore("made", "bkp_0000000000000000000000000a")) ==
        "generation_missing");
  CHECK(!fs::exists(made));
  // As a crash leaves it.
  fs::remove(there / "keyring.json");
  VaultOptions options;
  options.directory = there;
  CHECK(AnswerOf(Vault::Open(options, vault.root())) == "vault_missing");
}

TEST_CASE("a destination that fails in the middle has no generation, and keeps no other from one") {
  auto settings = WithDestinations();
  settings.backup_destinations.push_back({"more", BackupKind::kData, "backup-more"});
  BackedUpVault vault(settings);
  vault.NewContact(vault.NewClient("A-1"), {{"last_name", "Doe"}});
  const fs::path objects = fs::path(vault.data()) / "objects";
  fs::rename(objects, vault.work() / "aside");
  std::ofstream(objects, std::ios::binary) << "in the way";
  const auto run = vault->backups().RunBackup(vault.As(kAdministrator));
  REQUIRE(run);
  CHECK(!run->complete());
  for (const auto& destination : run->destinations) {
    INFO(destination.name);
    CHECK(destination.problem.starts_with("destination_unavailable") ==
          (destination.name == "here"));
  }
  fs::remove(objects);
  fs::rename(vault.work() / "aside", objects);
  CHECK(vault.Verify(vault.data()).generations == Strings{});
  CHECK(vault.Verify(vault.work() / "backup-more").generations == Strings{run->generation});
  const auto next = vault.BackUp();
  CHECK(vault.Verify(vault.data()).generations == Strings{next.generation});
  CHECK(vault.Verify(vault.data()).findings == Strings{});
}

TEST_CASE("a destination is only what was made one, for this vault and this kind") {
  TestVault vault(WithDestinations());
  const auto problems = [&] {
    Strings found;
    const auto run = vault->backups().RunBackup(vault.As(kAdministrator));
    REQUIRE(run);
    for (const auto& destination : run->destinations) {
      found.push_back(destination.problem.substr(0, destination.problem.find(':')));
    }
    return found;
  };
  const auto initialize = [&](const std::string& name) {
    return AnswerOf(vault->backups().InitializeDestination(vault.As(kAdministrator), name));
  };
  CHECK(problems() == Strings{"repository_missing", "repository_missing"});
  CHECK(initialize("nowhere") == "not_found");
  CHECK(initialize("here") == "ok");
  CHECK(initialize("here") == "repository_exists");
  fs::create_directory(vault.work() / "backup-keys");
  std::ofstream(vault.work() / "backup-keys/other") << "x";
  CHECK(initialize("keys") == "repository_not_empty");
  fs::remove(vault.work() / "backup-keys/other");
  CHECK(initialize("keys") == "ok");
  CHECK(problems() == Strings{"", ""});

  const fs::path data = vault.work() / "backup-data", keys = vault.work() / "backup-keys";
  const auto exchange = [&] {
    fs::rename(data, vault.work() / "aside");
    fs::rename(keys, data);
    fs::rename(vault.work() / "aside", keys);
  };
  exchange();
  CHECK(problems() == Strings{"repository_of_other_kind", "repository_of_other_kind"});
  exchange();
  fs::remove_all(data);
  REQUIRE(Repository::Create(
      data, BackupKind::kData,
      {std::string(testing::OpenVault::kOrigin), "00112233445566778899aabbccddeeff"}));
  CHECK(problems() == Strings{"repository_of_other_vault", ""});
  std::ofstream(data / "coffer-backup") << "{}\n";
  CHECK(problems() == Strings{"repository_malformed", ""});
}

TEST_CASE("another's manifest names no page of ours, and is no generation") {
  BackedUpVault vault;
  for (int i = 0; i < 50; ++i) {
    vault.NewContact(vault.NewClient("A-" + std::to_string(i)), {{"last_name", "Doe"}});
  }
  const auto first = vault.BackUp();
  const auto repository = Repository::Open(vault.data());
  REQUIRE(repository);
  auto manifest = vault.ManifestOf(*repository, first.generation);
  // Of every page but the first it says that the content of the one before is its own.
  BackupManifestFile& database = manifest.files.back();
  REQUIRE(database.name == "vault.db");
  const auto list = repository->Get(database.object);
  REQUIRE(list);
  const auto part = repository->Get(HashAt(*list, kListHead));
  REQUIRE(part);
  Bytes wrong = *part;
  const std::size_t pages = kPartHead + 2 + 32 * std::size_t{wrong[kPartHead + 1]};
  for (std::size_t at = wrong.size() - 36; at > pages; at -= 36) {
    std::copy_n(wrong.begin() + static_cast<std::ptrdiff_t>(at) - 36, 4,
                wrong.begin() + static_cast<std::ptrdiff_t>(at));
  }
  bool written = false;
  const auto wrong_part = repository->Put(wrong, written);
  REQUIRE(wrong_part);
  REQUIRE(written);
  Bytes wrong_list(list->begin(), list->begin() + kListHead);
  wrong_list.insert(wrong_list.end(), wrong_part->begin(), wrong_part->end());
  const auto forged_list = repository->Put(wrong_list, written);
  REQUIRE(forged_list);
  database.object = *forged_list;
  char& last = manifest.generation.back();
  last = last == 'z' ? '0' : 'z';
  const std::string other = manifest.generation;
  const auto forged = audit::SignBackupManifest(manifest, crypto::SigningKey::Generate());
  REQUIRE(forged);
  REQUIRE(repository->PutManifest(other, *forged));
  CHECK(vault.Verify(vault.data()).findings ==
        Strings{
            other + ": note_signature_missing: " + vault.data() + "/generations/" + other +
            ": no signature by a trusted key; perhaps by a key of the log from before or after an "
            "exchange, which is not known here. Where it is somebody else's, move it away: what "
            "is before it can be used"});
  const auto second = vault.BackUp();
  CHECK(vault.Restore("true", second.generation).ledger_generation == second.generation);
  CHECK(vault.FindingsIn("true") == Strings{});
  CHECK(AnswerOf(vault.TryRestore("forged", other)) == "note_signature_missing");
  // One that this vault signed itself would be found by what its pages are.
  const auto ours = audit::SignBackupManifest(manifest, *vault.OpenKeyring().log_signing_key());
  REQUIRE(ours);
  REQUIRE(repository->PutManifest(other, *ours));
  CHECK(AnswerOf(vault.TryRestore("ours", other)) == "page_wrong");
}

TEST_CASE("what a run that failed or died left goes with the next, and nothing that is needed") {
  BackedUpVault vault(WithDestinations(1));
  vault.NewContact(vault.NewClient("A-1"), {{"last_name", "Doe"}});
  vault.BackUp();
  const auto repository = Repository::Open(vault.data());
  REQUIRE(repository);
  const auto files = FilesIn(vault.data());
  bool written = false;
  REQUIRE(repository->Put(crypto::AsBytes("of no generation"), written));
  std::ofstream(fs::path(vault.data()) / "objects/00/0123.abcd.tmp") << "half";
  REQUIRE(repository->BeginWriting() == false);
  CHECK(FilesIn(vault.data()).size() == files.size() + 3);
  const auto next = vault.BackUp();
  CHECK(vault.Verify(vault.data()).generations.size() == 2);
  std::set<fs::path> now;
  for (const auto& file : FilesIn(vault.data())) now.insert(file);
  for (const auto& file : files) CHECK(now.contains(file));
  CHECK(!now.contains(fs::path(vault.data()) / "unfinished"));
  CHECK(!now.contains(fs::path(vault.data()) / "objects/00/0123.abcd.tmp"));
  vault.Restore("after", next.generation);
}

TEST_CASE("what is no file in a repository is waited for by nobody") {
  BackedUpVault vault;
  vault.NewContact(vault.NewClient("A-1"), {{"last_name", "Doe"}});
  const auto first = vault.BackUp();
  std::string name = first.generation;
  name.back() = name.back() == '0' ? '1' : '0';
  REQUIRE(mkfifo((vault.data() + "/generations/" + name).c_str(), 0600) == 0);
  const auto run = vault->backups().RunBackup(vault.As(kAdministrator));
  REQUIRE(run);
  CHECK(run->destinations[0].copied);
  CHECK(vault.Verify(vault.data()).findings.size() == 1);
  CHECK(vault->backups().ListDestinations(vault.As(kAuditor)));
  vault.Restore("after");
}

TEST_CASE("a manifest that cannot be read is told, keeps no old keys, and is not the newest") {
  BackedUpVault vault(WithDestinations(1));
  vault.NewContact(vault.NewClient("A-1"), {{"last_name", "Doe"}});
  const auto first = vault.BackUp();
  const fs::path bad = fs::path(vault.keys()) / "generations" / "bkp_7zzzzzzzzzzzzzzzzzzzzzzzzz";
  std::ofstream(bad) << "x";
  vault.Later(2);
  const auto run = vault->backups().RunBackup(vault.As(kAdministrator));
  REQUIRE(run);
  CHECK(!run->complete());
  CHECK(run->destinations[1].copied);
  CHECK(run->destinations[1].problem.starts_with("manifest_malformed: "));
  CHECK(run->destinations[1].problem.contains(bad.filename().string()));
  CHECK(!fs::exists(bad.parent_path() / first.generation));
  CHECK(run->destinations[1].generations_removed == 1);
  std::string ended;
  for (const auto& entry : vault.WholeLog()) {
    if (entry.action == "backup.ended") ended = entry.outcome + ": " + entry.detail;
  }
  CHECK(ended == "incomplete: " + run->generation + " here keys");
  fs::remove(bad);
  const auto files = FilesIn(vault.keys()).size();
  vault.BackUp();
  CHECK(FilesIn(vault.keys()).size() < files + 4);
  CHECK(vault.Verify(vault.keys()).findings == Strings{});
}

TEST_CASE("no restore does without erasures that a later generation may know of, but by hand") {
  BackedUpVault vault;
  const auto client = vault.NewClient("A-1");
  vault.NewContact(client, {{"last_name", "Doe"}});
  const auto before = vault.BackUp();
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), client, {}));
  const auto after = vault.BackUp();
  CHECK(vault.Restore("as-it-is", before.generation).ledger_generation == after.generation);
  const auto repository = Repository::Open(vault.data());
  REQUIRE(repository);
  const auto note = repository->GetManifest(before.generation);
  const auto newest = repository->GetManifest(after.generation);
  REQUIRE((note && newest));
  std::string flipped = *newest;
  flipped[flipped.size() / 2] ^= 1;
  // Damaged, or the one of before by the name of the one of after, or of a time to come.
  const std::string to_come = "bkp_7zzzzzzzzzzzzzzzzzzzzzzzzz";
  for (const auto& [name, text] : {std::pair{after.generation, flipped},
                                   {after.generation, *note},
                                   {to_come, *note},
                                   {to_come, std::string("x")}}) {
    INFO(name << " " << text.size());
    REQUIRE(repository->PutManifest(name, text));
    CHECK(AnswerOf(vault.TryRestore("refused", before.generation)) ==
          "later_generation_unreadable");
    REQUIRE(repository->RemoveManifest(name));
    REQUIRE(repository->PutManifest(after.generation, *newest));
  }
  REQUIRE(repository->RemoveManifest(after.generation));
  CHECK(vault.Restore("by-hand", before.generation).ledger_generation == before.generation);
}

TEST_CASE("lists that name the same part without end are gone through once") {
  BackedUpVault vault(WithDestinations(1));
  vault.NewContact(vault.NewClient("A-1"), {{"last_name", "Doe"}});
  const auto first = vault.BackUp();
  const auto repository = Repository::Open(vault.data());
  REQUIRE(repository);
  bool written = false;
  Bytes part(20 + 2 + 2 * 32 + 36 * 16'384);
  std::ranges::copy(std::string_view("coffer-page-part-v1\n"), part.begin());
  part[21] = 2;
  const auto name = repository->Put(part, written);
  REQUIRE(name);
  Bytes list(20 + 400'000 * 32);
  std::ranges::copy(std::string_view("coffer-page-list-v1\n"), list.begin());
  for (std::size_t at = 20; at < list.size(); at += 32) {
    std::ranges::copy(*name, list.begin() + static_cast<std::ptrdiff_t>(at));
  }
  auto manifest = vault.ManifestOf(*repository, first.generation);
  manifest.files.back().object = *repository->Put(list, written);
  manifest.generation = "bkp_00000000000000000000000001";
  const auto forged = audit::SignBackupManifest(manifest, crypto::SigningKey::Generate());
  REQUIRE(forged);
  REQUIRE(repository->PutManifest(manifest.generation, *forged));
  REQUIRE(repository->BeginWriting() == false);
  vault.BackUp();
  CHECK(VerifyRepository(vault.data(), {})->findings.size() == 1);
}

TEST_CASE("what was found damaged, or is not there any more, is told until it is whole") {
  BackedUpVault vault;
  vault.NewContact(vault.NewClient("A-1"), {{"last_name", "Doe"}});
  vault.BackUp();
  const auto problem = [&] {
    return vault->backups().ListDestinations(vault.As(kAdministrator))->front().problem;
  };
  CHECK(problem().empty());
  const auto files = FilesIn(vault.data() + "/objects");
  const auto whole = *crypto::ReadFile(files.front(), std::size_t{1} << 24);
  auto flipped = whole;
  flipped[flipped.size() / 2] ^= 1;
  REQUIRE(crypto::WriteFileAtomically(files.front(), flipped));
  REQUIRE(vault->backups().VerifyDestination(vault.As(kAdministrator), "here"));
  for (int round = 0; round < 2; ++round) {
    CHECK(problem().starts_with("integrity_failed"));
    CHECK(vault->backup_runner().Standing().with_problem == 1);
    vault.Close();  // as after a start
    vault.Open();
  }
  REQUIRE(crypto::WriteFileAtomically(files.front(), whole));
  REQUIRE(vault->backups().VerifyDestination(vault.As(kAdministrator), "here"));
  CHECK(problem().empty());
  // Nothing is asked of the vault meanwhile.
  vault.BackUp();
  vault.NewClient("A-2");
  vault.IncrementAll();
  CHECK(problem().empty());
  for (const auto& file : FilesIn(vault.data() + "/increments")) std::filesystem::remove(file);
  CHECK(problem().starts_with("increment_missing: the last of the 1"));
  for (const auto& file : FilesIn(vault.data() + "/generations")) {
    std::filesystem::remove(file);
  }
  CHECK(problem().starts_with("generation_missing"));
}

TEST_CASE("what lies under a page's name and is less is written anew with the next generation") {
  BackedUpVault vault(WithDestinations());
  vault.BackUp();
  const auto spoil = [&](const std::function<void(const fs::path&)>& one) {
    std::size_t spoilt = 0;
    for (const std::string& repository : {vault.data(), vault.keys()}) {
      for (const auto& file : fs::recursive_directory_iterator(repository + "/objects")) {
        if (!file.is_regular_file() || file.file_size() == 0) continue;
        one(file.path());
        ++spoilt;
      }
    }
    CHECK(spoilt > 0);
  };
  const auto newest_is_whole = [&] {
    vault.clock.Advance(1000);
    const auto run = vault.BackUp();
    for (const std::string& repository : {vault.data(), vault.keys()}) {
      const auto report = vault.Verify(repository);
      CHECK(std::ranges::find(report.generations, run.generation) != report.generations.end());
    }
    CHECK(vault.Restore("of-" + run.generation).generation == run.generation);
  };
  spoil([](const fs::path& path) { fs::resize_file(path, 0); });
  newest_is_whole();
  // Packs alone, on which the next list would rely by what the one before says of them.
  const auto spoil_packs = [&](std::uintmax_t less) {
    spoil([&](const fs::path& path) {
      if (fs::file_size(path) % 4096 == 0) fs::resize_file(path, fs::file_size(path) - less);
    });
  };
  spoil_packs(4096);
  newest_is_whole();
  spoil([](const fs::path& path) { fs::resize_file(path, fs::file_size(path) - 1); });
  newest_is_whole();
  // Of as many bytes it is seen by who reads them: then nothing is relied on unread.
  spoil([](const fs::path& path) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.put('\xff');
  });
  for (const char* name : {"here", "keys"}) {
    const auto verified = vault->backups().VerifyDestination(vault.As(Role::kAdministrator), name);
    REQUIRE(verified);
    CHECK_FALSE(verified->report.findings.empty());
  }
  newest_is_whole();
}

TEST_CASE("where keys of a moment are damaged later ones are restored in their place") {
  BackedUpVault vault(WithDestinations());
  const auto client = vault.NewClient("A-1");
  const auto record = vault.NewContact(client, {{"last_name", "Doe"}});
  const auto first = vault.BackUp();
  for (const auto& file : fs::recursive_directory_iterator(vault.keys() + "/objects")) {
    if (file.is_regular_file()) fs::resize_file(file.path(), 0);
  }
  CHECK(AnswerOf(vault.TryRestore("damaged")) != "ok");
  vault.clock.Advance(1000);
  vault.NewClient("A-2");
  const auto second = vault.BackUp();
  // All that is stored anew is not what the first generation of the keys has.
  const auto restored = vault.Restore("copy", first.generation);
  CHECK(restored.keys_generation == second.generation);
  const auto opened = vault.OpenRestored("copy");
  CHECK(AnswerOf(opened->records().GetRecord(vault.As(kCrmService), client, record)) == "ok");
}

TEST_CASE("another repository under a destination's name was read back by nobody yet") {
  BackedUpVault vault(WithDestinations());
  vault.BackUp();
  const auto admin = [&] { return vault.As(Role::kAdministrator); };
  REQUIRE(vault->backups().VerifyDestination(admin(), "here"));
  const auto verified = [&] {
    const auto states = vault->backups().ListDestinations(admin());
    REQUIRE(states);
    return std::ranges::find(*states, "here", &DestinationState::name)->verified.has_value();
  };
  CHECK(verified());
  fs::remove_all(vault.data());
  vault.clock.Advance(1000);
  const auto made = vault->backups().InitializeDestination(admin(), "here");
  INFO(AnswerOf(made));
  REQUIRE(made);
  CHECK_FALSE(made->verified);
  CHECK_FALSE(verified());
  vault.Close();
  vault.Open();
  CHECK_FALSE(verified());
  vault.CheckInvariants();
}

TEST_CASE("what was read back before a destination was forgotten is told no more") {
  BackupHistory history;
  const auto before = history.Standing("here");
  history.Publish("here", before, Timestamp{1}, true);
  CHECK(history.Verified("here"));
  history.Forget("here");
  history.Publish("here", before, Timestamp{2}, true);
  history.Publish("here", before, Timestamp{3}, false);
  CHECK_FALSE(history.Verified("here"));
  CHECK_FALSE(history.Damaged("here"));
  history.Publish("elsewhere", history.Standing("elsewhere"), Timestamp{3}, false);
  CHECK(history.Damaged("elsewhere"));
  history.Publish("here", history.Standing("here"), Timestamp{4}, false);
  CHECK(history.Damaged("here"));
}

TEST_CASE("a repository that was made while another was read back has been read back by nobody") {
  BackedUpVault vault(WithDestinations());
  for (int i = 0; i < 8; ++i) {
    vault.NewClient("A-" + std::to_string(i));
    vault.BackUp();
    std::thread reader(
        [&] { (void)vault->backups().VerifyDestination(vault.As(Role::kAdministrator), "here"); });
    // Its first entry is there: what it reads is the repository of before.
    while (std::ranges::count_if(vault.WholeLog(), [&](const auto& entry) {
             return entry.action == "backup.run" && entry.detail == "verify here";
           }) <= i) {
    }
    fs::remove_all(vault.data());
    const auto made =
        vault->backups().InitializeDestination(vault.As(Role::kAdministrator), "here");
    reader.join();
    INFO(AnswerOf(made));
    REQUIRE(made);
    const auto& history = vault->backup_runner().history();
    CHECK_FALSE(history.Verified("here"));
    CHECK_FALSE(history.Damaged("here"));
    vault.Close();
    vault.Open();
    CHECK_FALSE(vault->backup_runner().history().Verified("here"));
    CHECK_FALSE(vault->backup_runner().history().Damaged("here"));
    vault.clock.Advance(1000);
  }
  vault.CheckInvariants();
}

TEST_CASE("where a manifest or an increment cannot be read a restore says which file") {
  BackedUpVault vault(WithDestinations(30));
  vault.BackUp();
  vault.NewClient("A-1");
  vault.IncrementAll();
  const auto moment = vault.NewestMoment();
  vault.clock.Advance(1000);
  vault.NewClient("A-2");
  vault.IncrementAll();
  const std::string junk = vault.data() + "/generations/bkp_7zzzzzzzzzzzzzzzzzzzzzzzzz";
  const auto says = [&](const Result<Restored>& restored, const std::string& words) {
    REQUIRE_FALSE(restored);
    INFO(restored.error().detail);
    CHECK(restored.error().detail.find(words) != std::string::npos);
  };
  std::ofstream(junk) << "x\n";
  says(vault.TryRestore("newest"), junk);
  says(vault.TryRestoreAt("earlier", moment), junk);
  fs::remove(junk);
  // What only the newest increment needs.
  std::set<std::string> of_newest;
  const auto repository = Repository::Open(vault.data());
  const auto increments = repository->ListIncrements();
  const auto& [generation, numbers] = *increments->begin();
  const auto changes_of = [&](std::uint64_t n) {
    std::set<std::string> names;
    const auto note = repository->GetIncrement(generation, n);
    const auto increment = *audit::ReadBackupIncrement(*note);
    for (const auto& object : increment.changes) {
      names.insert(crypto::HexEncode(object));
    }
    return names;
  };
  const auto newest = changes_of(numbers.back());
  const auto before = changes_of(numbers.front());
  for (const std::string& name : newest) {
    if (before.contains(name)) continue;
    fs::remove(vault.data() + "/objects/" + name.substr(0, 2) + "/" + name.substr(2));
  }
  const std::string which = "number " + std::to_string(numbers.back()) + " of " + generation;
  says(vault.TryRestore("newest-increment"), which);
}

TEST_CASE("one process writes to a repository, and one run at a time is made") {
  BackedUpVault vault;
  const auto repository = Repository::Open(vault.data());
  REQUIRE(repository);
  {
    const auto claim = repository->Take();
    REQUIRE(claim);
    const auto run = vault->backups().RunBackup(vault.As(kAdministrator));
    REQUIRE(run);
    CHECK(run->destinations[0].problem.starts_with("repository_in_use"));
    CHECK(run->destinations[1].copied);
  }
  vault.BackUp();
}

// By a server whose clock ran ahead, which is mended since.
TEST_CASE("a generation of a time to come is not the newest for ever: it is told") {
  BackedUpVault vault;
  vault.NewContact(vault.NewClient("A-1"), {{"last_name", "Doe"}});
  const auto first = vault.BackUp();
  const auto repository = Repository::Open(vault.data());
  REQUIRE(repository);
  auto manifest = vault.ManifestOf(*repository, first.generation);
  manifest.generation = "bkp_7zzzzzzzzzzzzzzzzzzzzzzzzz";
  manifest.created.ms += 3650 * kOneDay;
  const auto ahead = audit::SignBackupManifest(manifest, *vault.OpenKeyring().log_signing_key());
  REQUIRE(ahead);
  REQUIRE(repository->PutManifest(manifest.generation, *ahead));
  const auto run = vault->backups().RunBackup(vault.As(kAdministrator));
  REQUIRE(run);
  CHECK(!run->destinations[0].copied);
  CHECK(run->destinations[0].problem.starts_with("generation_in_future: " + manifest.generation));
  CHECK(run->destinations[1].copied);
  REQUIRE(repository->RemoveManifest(manifest.generation));
  const auto after = vault.BackUp();
  CHECK(vault.Verify(vault.data()).generations == Strings{first.generation, after.generation});
}

TEST_CASE("a generation from before the log's key was exchanged is restored with later keys") {
  BackedUpVault vault(WithDestinations(1));
  const auto client = vault.NewClient("A-1");
  const auto record = vault.NewContact(client, {{"last_name", "Doe"}});
  const auto before = vault.BackUp();
  fs::copy(vault.data(), vault.work() / "kept", fs::copy_options::recursive);
  vault.Close();
  VaultOptions options;
  options.directory = vault.directory();
  options.require_locked_memory = false;
  options.clock = &vault.clock;
  REQUIRE(RotateLogKey(options, vault.root(), LogKeyStep::kAdd));
  vault.Open();
  vault.Later(2);
  const auto after = vault.BackUp();
  CHECK(after.destinations[1].generations_removed == 1);
  // Both repositories are of after; of the data there is a copy of before, and of after.
  fs::copy(vault.data(), vault.work() / "kept",
           fs::copy_options::recursive | fs::copy_options::skip_existing);
  const auto restored = RestoreVault(
      {vault.work() / "kept", vault.keys(), before.generation, vault.work() / "restored"},
      vault.OpensRoot());
  INFO(AnswerOf(restored));
  REQUIRE(restored);
  CHECK(restored->keys_generation == after.generation);
  CHECK(restored->ledger_generation == after.generation);
  const auto opened = vault.OpenRestored("restored");
  CHECK(AnswerOf(opened->records().GetRecord(vault.As(kCrmService), client, record)) == "ok");
}

TEST_CASE("a generation of each moment of an exchange of the databases' keys is restored") {
  auto settings = WithDestinations();
  settings.keys_rewrite_after_ms = settings.keys_rewrite_interval_ms = 0;
  BackedUpVault vault(settings);
  const auto client = vault.NewClient("A-1");
  const auto record = vault.NewContact(client, {{"last_name", "Doe"}});
  const auto before = vault.BackUp();
  REQUIRE(BeginKeyExchange(vault.directory(), vault.root(), crypto::KeysInUse::kDatabases));
  const auto begun = vault.BackUp();
  REQUIRE(vault->key_exchange().Step());
  for (int i = 0; i < 20'000 && vault->key_exchange().writing(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  REQUIRE(vault->key_exchange().Step());
  // All pages are others, behind the generation that has both keys.
  vault.IncrementAll();
  const auto moment = vault.NewestMoment();
  REQUIRE(FinishDatabaseKeyExchange(vault.directory(), vault.root()));
  REQUIRE(vault->key_exchange().Step());
  const auto after = vault.BackUp();

  int count = 0;
  const auto restore = [&](RestoreRequest request) {
    request.directory = vault.work() / ("restored-" + std::to_string(++count));
    const auto restored = RestoreVault(request, vault.OpensRoot());
    INFO(AnswerOf(restored) << " " << (restored ? "" : restored.error().detail));
    REQUIRE(restored);
    const auto opened = vault.OpenRestored("restored-" + std::to_string(count));
    CHECK(AnswerOf(opened->records().GetRecord(vault.As(kCrmService), client, record)) == "ok");
    return restored->keyring_generation;
  };
  for (const auto* run : {&before, &begun, &after}) {
    CHECK(restore({vault.data(), vault.keys(), run->generation, {}}) == run->generation);
  }
  CHECK(restore({vault.data(), vault.keys(), {}, {}, moment}) == begun.generation);
  // With keys.db from after, by the keyring that has the keys of both.
  for (const auto* run : {&before, &begun}) {
    REQUIRE(fs::remove(fs::path(vault.keys()) / "generations" / run->generation));
  }
  CHECK(restore({vault.data(), vault.keys(), before.generation, {}}) == begun.generation);
}

TEST_CASE("data from before any exchanges of keys is restored with the keys of after") {
  auto settings = WithDestinations();
  settings.keys_rewrite_after_ms = settings.keys_rewrite_interval_ms = 0;
  BackedUpVault vault(settings);
  const auto client = vault.NewClient("A-1");
  const auto record = vault.NewContact(client, {{"last_name", "Doe"}});
  const auto before = vault.BackUp();
  const bool log_key_too = GENERATE(false, true);
  for (int round = 0; round < 2; ++round) {
    REQUIRE(BeginKeyExchange(vault.directory(), vault.root(), crypto::KeysInUse::kClients));
    while (*vault->key_exchange().Step()) continue;
    REQUIRE(FinishClientKekExchange(vault.directory(), vault.root()));
    REQUIRE(BeginKeyExchange(vault.directory(), vault.root(), crypto::KeysInUse::kDatabases));
    REQUIRE(vault->key_exchange().Step());
    for (int i = 0; i < 20'000 && vault->key_exchange().writing(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    REQUIRE(vault->key_exchange().Step());
    REQUIRE(FinishDatabaseKeyExchange(vault.directory(), vault.root()));
    REQUIRE(vault->key_exchange().Step());
    VaultOptions options;
    options.directory = vault.directory();
    if (log_key_too && round == 0) {
      REQUIRE(RotateLogKey(options, vault.root(), LogKeyStep::kAdd));
      REQUIRE(vault->key_exchange().Step());
      CHECK(AnswerOf(RotateLogKey(options, vault.root(), LogKeyStep::kRetire)) ==
            "rotation_unfinished");
      REQUIRE(vault->key_exchange().Step());
      REQUIRE(RotateLogKey(options, vault.root(), LogKeyStep::kRetire));
      REQUIRE(vault->key_exchange().Step());
    }
    vault.clock.Advance(1000);
    vault.BackUp();
  }
  const auto after = vault.BackUp();
  const auto keys = Repository::Open(vault.keys());
  const auto generations = *keys->ListGenerations();
  for (const auto& generation : generations) {
    if (generation != after.generation) REQUIRE(keys->RemoveManifest(generation));
  }
  const auto restored = vault.Restore("copy", before.generation);
  CHECK(restored.keyring_generation == before.generation);
  CHECK_FALSE(restored.keyring_joined.empty());
  CHECK(vault.FindingsIn("copy") == Strings{});
  const auto keyring = crypto::Keyring::ReadHeader(KeyringPath(vault.work() / std::string("copy")));
  REQUIRE(keyring);
  CHECK(keyring->VersionsOf("vault-db") == std::vector<std::uint32_t>{1, 3});
  CHECK(keyring->VersionsOf("client-kek") == std::vector<std::uint32_t>{1, 3});
  // It goes on as in an exchange.
  for (int start = 0; start < 2; ++start) {
    const auto opened = vault.OpenRestored("copy");
    CHECK(AnswerOf(opened->records().GetRecord(vault.As(kCrmService), client, record)) == "ok");
    REQUIRE(opened->key_exchange().Step());
    for (int i = 0; i < 20'000 && opened->key_exchange().writing(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    REQUIRE(opened->key_exchange().Step());
    while (*opened->key_exchange().Step()) continue;
  }
  const auto settled = crypto::Keyring::ReadHeader(KeyringPath(vault.work() / std::string("copy")));
  CHECK(settled->VersionsOf("vault-db") == std::vector<std::uint32_t>{3});
  CHECK(settled->VersionsOf("client-kek") == std::vector<std::uint32_t>{3});
}

TEST_CASE("a generation of each moment of an exchange of keys is restored, or refused in words") {
  auto settings = WithDestinations();
  settings.keys_rows_per_step = 1;
  BackedUpVault vault(settings);
  const auto client = vault.NewClient("A-1"), other = vault.NewClient("A-2");
  const auto record = vault.NewContact(client, {{"last_name", "Doe"}});
  const auto next_root = [&](const std::string&) {
    return crypto::OpenKeyFile(vault.work() / "next.key");
  };
  const auto before = vault.BackUp();
  REQUIRE(BeginKeyExchange(vault.directory(), vault.root(), crypto::KeysInUse::kClients));
  REQUIRE(vault->key_exchange().Step());
  const auto within = vault.BackUp();
  while (*vault->key_exchange().Step()) continue;
  REQUIRE(FinishClientKekExchange(vault.directory(), vault.root()));
  const auto after = vault.BackUp();
  REQUIRE(crypto::CreateKeyFile(vault.work() / "next.key"));
  REQUIRE(ExchangeRootKey(vault.directory(), vault.root(), **next_root(""), {}));
  const auto last = vault.BackUp();

  int count = 0;
  const auto restore = [&](const std::string& generation, const OpenRootKeyFor& root) {
    const std::string name = "restored-" + std::to_string(++count);
    const auto restored =
        RestoreVault({vault.data(), vault.keys(), generation, vault.work() / name}, root);
    if (!restored) {
      CHECK_FALSE(fs::exists(vault.work() / name));
      return std::string(restored.error().reason);
    }
    VaultOptions options;
    options.directory = vault.work() / name;
    options.open_restored_copy = true;
    options.require_locked_memory = false;
    options.clock = &vault.clock;
    const auto key = root(options.directory);
    REQUIRE(key);
    const auto opened = Vault::Open(options, **key);
    INFO(AnswerOf(opened));
    REQUIRE(opened);
    CHECK(AnswerOf((*opened)->records().GetRecord(vault.As(kCrmService), client, record)) == "ok");
    CHECK(AnswerOf((*opened)->clients().GetClient(vault.As(kCrmService), other)) == "ok");
    return restored->keyring_generation;
  };
  // Each with the keyring of its moment; by the root key of today, with the one that it opens.
  const auto old_root = vault.OpensRoot();
  for (const auto* run : {&before, &within, &after}) {
    CHECK(restore(run->generation, old_root) == run->generation);
  }
  CHECK(restore(last.generation, old_root) == "root_key_wrong");
  CHECK(restore(last.generation, next_root) == last.generation);
  CHECK(restore(after.generation, next_root) == last.generation);
  CHECK(restore(within.generation, next_root) == "keyring_generation_missing");
  CHECK(restore(before.generation, next_root) == "keyring_generation_missing");
  // Where the keys of then are kept no longer, with a keyring that has what the later ones need.
  const auto keys = Repository::Open(vault.keys());
  REQUIRE(keys);
  REQUIRE(keys->RemoveManifest(before.generation));
  CHECK(restore(before.generation, old_root) == within.generation);
  REQUIRE(keys->RemoveManifest(within.generation));
  CHECK(restore(before.generation, old_root) == within.generation);
  CHECK(restore(before.generation, next_root) == last.generation);
}

// What is exchanged behind a generation: its root key first, and the log's key once or twice after
// that; perhaps the keys of clients and databases too.
struct ExchangedBehind {
  int log_keys;
  bool others, backed_up_between;
};

void ExchangeLogKey(BackedUpVault& vault, crypto::RootKeyProvider& root) {
  VaultOptions options;
  options.directory = vault.directory();
  REQUIRE(RotateLogKey(options, root, LogKeyStep::kAdd));
  REQUIRE(vault->key_exchange().Step());
  CHECK(AnswerOf(RotateLogKey(options, root, LogKeyStep::kRetire)) == "rotation_unfinished");
  REQUIRE(vault->key_exchange().Step());
  REQUIRE(RotateLogKey(options, root, LogKeyStep::kRetire));
  REQUIRE(vault->key_exchange().Step());
}

TEST_CASE("what one of two root keys opens is restored with what the other one leads to") {
  const auto behind = GENERATE(ExchangedBehind{1, false, false}, ExchangedBehind{2, false, false},
                               ExchangedBehind{1, true, false}, ExchangedBehind{2, true, true});
  CAPTURE(behind.log_keys, behind.others, behind.backed_up_between);
  auto settings = WithDestinations();
  BackedUpVault vault(settings);
  const auto gone = vault.NewClient("A-1"), stays = vault.NewClient("A-2");
  vault.NewContact(gone, {{"last_name", "Doe"}});
  const auto record = vault.NewContact(stays, {{"last_name", "Roe"}});
  const auto before = vault.BackUp();
  const auto old_root = vault.OpensRoot();
  REQUIRE(crypto::CreateKeyFile(vault.work() / "next.key"));
  const OpenRootKeyFor new_root = [&](const std::string&) {
    return crypto::OpenKeyFile(vault.work() / "next.key");
  };
  const auto next = new_root({});
  REQUIRE(next);
  REQUIRE(ExchangeRootKey(vault.directory(), vault.root(), **next, {}));
  for (int i = 0; i < behind.log_keys; ++i) {
    ExchangeLogKey(vault, **next);
    vault.clock.Advance(1000);
    if (behind.backed_up_between) vault.BackUp();
  }
  if (behind.others) {
    REQUIRE(BeginKeyExchange(vault.directory(), **next, crypto::KeysInUse::kClients));
    while (*vault->key_exchange().Step()) continue;
    REQUIRE(FinishClientKekExchange(vault.directory(), **next));
    REQUIRE(vault->key_exchange().Step());
  }
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), gone, {}));
  vault.clock.Advance(1000);
  const auto after = vault.BackUp();
  if (behind.others) {
    const auto keys = Repository::Open(vault.keys());
    REQUIRE(keys);
    const auto generations = keys->ListGenerations();
    REQUIRE(generations);
    for (const auto& generation : *generations) {
      if (generation != after.generation) REQUIRE(keys->RemoveManifest(generation));
    }
  }
  int count = 0;
  const auto restore = [&](const OpenRootKeyFor& root, const OpenRootKeyFor& later,
                           const std::string& generation) {
    return RestoreVault(
        {vault.data(), vault.keys(), generation, vault.work() / ("r" + std::to_string(++count))},
        root, later);
  };
  // Neither alone, nor somebody else's key beside one of them.
  REQUIRE(crypto::CreateKeyFile(vault.work() / "foreign.key"));
  const OpenRootKeyFor foreign = [&](const std::string&) {
    return crypto::OpenKeyFile(vault.work() / "foreign.key");
  };
  CHECK_FALSE(restore(old_root, {}, before.generation));
  CHECK_FALSE(restore(old_root, foreign, before.generation));
  CHECK_FALSE(restore(new_root, {}, before.generation));
  CHECK_FALSE(restore(foreign, new_root, before.generation));
  CHECK(restore(old_root, new_root, after.generation));
  // Today's copies need the one key alone.
  CHECK(restore(new_root, {}, after.generation));

  const auto restored = restore(old_root, new_root, before.generation);
  INFO(AnswerOf(restored) << " " << (restored ? "" : restored.error().detail));
  REQUIRE(restored);
  CHECK(restored->by_later_root);
  CHECK(restored->keyring_generation == before.generation);
  CHECK(restored->keyring_joined.empty() == !behind.others);
  VaultOptions options;
  options.directory = vault.work() / ("r" + std::to_string(count));
  options.require_locked_memory = false;
  options.clock = &vault.clock;
  vault.Close();
  // By the later one alone: nothing of after is wrapped by the one that was exchanged.
  const auto by_old = crypto::Keyring::Open(KeyringPath(options.directory), vault.root());
  CHECK(AnswerOf(by_old) == "root_key_wrong");
  vault.clock.Advance(1000);
  const auto done = RecoverVault(options, **next, {});
  INFO(AnswerOf(done) << " " << (done ? "" : done.error().detail));
  REQUIRE(done);
  CHECK(done->repeated.erasures == 1);
  {
    const auto opened = Vault::Open(options, **next);
    INFO(AnswerOf(opened) << " " << (opened ? "" : opened.error().detail));
    REQUIRE(opened);
    CHECK(AnswerOf((*opened)->records().GetRecord(vault.As(kCrmService), stays, record)) == "ok");
    CHECK(AnswerOf((*opened)->clients().GetClient(vault.As(kCrmService), gone)) != "ok");
    REQUIRE((*opened)->Close());
  }
  OfflineVerifyOptions verify;
  verify.directory = options.directory;
  verify.deep = true;
  const auto report = VerifyDirectory(verify, **next);
  REQUIRE(report);
  CHECK(report->log.findings.empty());
}

TEST_CASE("an erased client comes back from no generation once its key is kept nowhere") {
  BackedUpVault vault(WithDestinations(7));
  const auto gone = vault.NewClient("A-1"), stays = vault.NewClient("A-2");
  const auto record = vault.NewContact(gone, {{"last_name", "Doe"}});
  const auto other = vault.NewContact(stays, {{"last_name", "Roe"}});
  const auto before = vault.BackUp();
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), gone, {}));
  vault.Later(1);
  const auto after = vault.BackUp();

  // As long as the keys from before are kept, they open it; the ledger erases it at the start.
  vault.Restore("within", before.generation);
  {
    const auto opened = vault.OpenRestored("within");
    CHECK(AnswerOf(opened->records().GetRecord(vault.As(kCrmService), gone, record)) ==
          "not_found");
    CHECK(AnswerOf(opened->records().GetRecord(vault.As(kCrmService), stays, other)) == "ok");
  }
  // Who keeps the old data alone: the oldest keys are those of after the erasure.
  fs::copy(vault.data(), vault.work() / "kept", fs::copy_options::recursive);
  vault.Later(7);
  const auto last = vault.BackUp();
  for (const auto& destination : last.destinations) CHECK(destination.generations_removed == 1);
  const auto restored = RestoreVault(
      {vault.work() / "kept", vault.keys(), before.generation, vault.work() / "beyond"},
      vault.OpensRoot());
  REQUIRE(restored);
  CHECK(restored->keys_generation == after.generation);
  CHECK(vault.FindingsIn("beyond").size() == 1);
  const auto opened = vault.OpenRestored("beyond");
  CHECK(AnswerOf(opened->records().GetRecord(vault.As(kCrmService), gone, record)) == "not_found");
  CHECK(AnswerOf(opened->records().GetRecord(vault.As(kCrmService), stays, other)) == "ok");
  CHECK(vault.Verify(vault.keys()).findings == Strings{});
}

TEST_CASE("what a run did is in the log, whoever asked and whatever came of it") {
  BackedUpVault vault;
  const auto caller = vault.As(kCaseWorker);
  CHECK(AnswerOf(vault->backups().RunBackup(caller)) == "permission_denied");
  CHECK(vault.EntryOf(caller).at("action") == "backup.run");
  vault.BackUp();
  fs::remove_all(vault.keys());
  const auto run = vault->backups().RunBackup(vault.As(kAdministrator));
  REQUIRE(run);
  CHECK(!run->complete());
  Strings outcomes;
  for (const auto& entry : vault.WholeLog()) {
    if (entry.action == "backup.ended") outcomes.push_back(entry.outcome);
  }
  CHECK(outcomes == Strings{"ok", "incomplete"});
  TestVault none;
  CHECK(AnswerOf(none->backups().RunBackup(none.As(kAdministrator))) == "backup_not_configured");
}

}  // namespace
}  // namespace coffer::vault
