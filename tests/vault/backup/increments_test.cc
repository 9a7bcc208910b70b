// What is committed behind a generation, and every moment that it makes.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <thread>

#include "audit/documents/backup_increment.h"
#include "crypto/atomic_file.h"
#include "tests/support/sampling.h"
#include "tests/vault/backup/backed_up_vault.h"

namespace coffer::vault {
namespace {

using enum Role;
namespace fs = std::filesystem;

fs::path LastIn(const fs::path& folder) { return FilesIn(folder).back(); }

// A vault to which things happen, and what can be read of it at moments that can be restored.
class MovingVault : public BackedUpVault {
 public:
  using BackedUpVault::BackedUpVault;

  struct Known {
    Timestamp at;
    std::uint64_t log_size = 0;
    std::map<ClientId, RecordId> there;
    std::set<ClientId> erased;
  };

  void Happen(std::mt19937& chance) {
    switch (chance() % 6) {
      case 0:
      case 1:
      case 2: {
        const ClientId client = NewClient("M-" + std::to_string(++made_));
        now.there.emplace(client, NewContact(client, {{"last_name", "Doe"}}));
        break;
      }
      case 3:
        if (now.there.empty()) break;
        {
          const ClientId client = now.there.begin()->first;
          REQUIRE((*this)->erasures().Erase(As(kPrivacyOfficer), client, {}));
          now.there.erase(client);
          now.erased.insert(client);
        }
        break;
      case 4:  // so much that the log of pages is copied, and begun anew
        for (int i = 0; i < 25; ++i) NewClient("M-" + std::to_string(++made_));
        break;
      default:
        for (const auto& [client, record] : now.there) {
          CHECK(AnswerOf((*this)->records().GetRecord(As(kCrmService), client, record)) == "ok");
        }
    }
  }
  void Remember() {
    now.at = NewestMoment();
    now.log_size = (*this)->operations().engine().Statistics().log_size;
    known.push_back(now);
    clock.Advance(1000);
  }
  void CheckRestored(const Known& at, const std::string& into) {
    INFO("as of " << audit::FormatTimestamp(at.at));
    const auto restored = TryRestoreAt(into, at.at);
    INFO(AnswerOf(restored) << " " << (restored ? "" : restored.error().detail));
    REQUIRE(restored);
    CHECK(restored->created == at.at);
    CHECK(restored->log_size == at.log_size);
    DeepReport report;
    CHECK(FindingsIn(into, &report) == Strings{});
    CHECK(report.log.size == at.log_size);
    const auto opened = OpenRestored(into);
    for (const auto& [client, record] : at.there) {
      const auto read = opened->records().GetRecord(As(kCrmService), client, record);
      // Who was erased later is erased again at the start.
      CHECK(AnswerOf(read) == (now.erased.contains(client) ? "not_found" : "ok"));
    }
    for (const ClientId& client : now.erased) {
      CHECK(AnswerOf(opened->clients().GetClient(As(kCrmService), client)) == "not_found");
    }
  }

  Known now;
  std::vector<Known> known;

 private:
  int made_ = 0;
};

TEST_CASE("every moment of which there is an increment can be restored, and is whole") {
  for (unsigned seed = 1; seed <= testing::Many(3U, 1U); ++seed) {
    INFO("seed " << seed);
    std::mt19937 chance(seed);
    auto settings = WithDestinations();
    if (seed != 2) settings.keys_rewrite_after_ms = settings.keys_rewrite_interval_ms = 0;
    MovingVault vault(settings);
    for (int i = 0; i < 4; ++i) vault.Happen(chance);
    vault.BackUp();
    for (int i = 0; i < 24; ++i) {
      vault.Happen(chance);
      if (chance() % 3 == 0) continue;
      vault.IncrementAll();
      vault.Remember();
      if (i == 12) vault.BackUp();  // the next ones follow it
    }
    CHECK(vault.Verify(vault.data()).findings == Strings{});
    CHECK(vault.Verify(vault.data()).increments > 4);
    CHECK(vault.Verify(vault.keys()).findings == Strings{});
    vault.Close();
    for (std::size_t i = 0; i < vault.known.size(); i += testing::Many(3U, 8U)) {
      vault.CheckRestored(vault.known[i], "restored-" + std::to_string(i));
    }
    vault.CheckRestored(vault.known.back(), "restored-last");
    // Without a time it is the newest of all, too.
    CHECK(vault.Restore("newest").created == vault.known.back().at);
  }
}

TEST_CASE("where nothing was committed nothing is written, and the destination is complete") {
  BackedUpVault vault;
  vault.BackUp();
  vault.IncrementAll();
  const auto files = FilesIn(vault.data()).size() + FilesIn(vault.keys()).size();
  for (int i = 0; i < 3; ++i) {
    vault.clock.Advance(1000);
    vault.IncrementAll();
  }
  CHECK(FilesIn(vault.data()).size() + FilesIn(vault.keys()).size() == files);
  // A read leaves an entry, and nothing of the keys.
  const auto keys = FilesIn(vault.keys()).size();
  (void)vault->clients().GetClient(vault.As(kCrmService), ClientId::New(vault.clock.Now()));
  vault.IncrementAll();
  CHECK(FilesIn(vault.data()).size() == files - keys + 2);
  CHECK(FilesIn(vault.keys()).size() == keys);
}

TEST_CASE("a destination that was away is complete again, from where it stood") {
  BackedUpVault vault;
  vault.BackUp();
  const auto first = vault.NewClient("A-1");
  vault.IncrementAll();
  fs::rename(vault.data(), vault.data() + ".away");
  const auto second = vault.NewClient("A-2");
  for (int i = 0; i < 2; ++i) {
    vault.clock.Advance(1000);
    const auto progress = vault.Increment();
    CHECK(progress[0].problem.starts_with("repository_missing"));
    CHECK(*progress[0].until < vault.clock.Now());
    CHECK(progress[1].problem.empty());
    CHECK(progress[1].until >= vault.clock.Now());
  }
  fs::rename(vault.data() + ".away", vault.data());
  vault.IncrementAll();
  CHECK(!vault->backup_runner().writer().NeedsGeneration());
  vault.Close();
  CHECK(vault.Restore("restored").increments == 2);
  const auto opened = vault.OpenRestored("restored");
  for (const auto& client : {first, second}) {
    CHECK(AnswerOf(opened->clients().GetClient(vault.As(kCrmService), client)) == "ok");
  }
}

TEST_CASE("keys that are behind the data are said to be, with the time that can be restored") {
  BackedUpVault vault;
  vault.BackUp();
  const auto known = vault.NewClient("A-1");
  vault.IncrementAll();
  const Timestamp both = vault.NewestMoment();
  vault.clock.Advance(1000);
  fs::rename(vault.keys(), vault.keys() + ".away");
  vault.NewClient("A-2");
  CHECK(vault.Increment()[0].problem.empty());
  fs::rename(vault.keys() + ".away", vault.keys());
  const auto refused = vault.TryRestore("restored");
  CHECK(AnswerOf(refused) == "keys_generation_missing");
  CHECK(refused.error().detail.find("--at") != std::string::npos);
  CHECK(refused.error().detail.find(audit::FormatTimestamp(both)) != std::string::npos);
  REQUIRE(vault.TryRestoreAt("restored", both));
  vault.Close();
  const auto opened = vault.OpenRestored("restored");
  CHECK(AnswerOf(opened->clients().GetClient(vault.As(kCrmService), known)) == "ok");
}

TEST_CASE("an increment that is altered, missing or another's is told, and what is before stays") {
  BackedUpVault vault;
  vault.BackUp();
  std::vector<Timestamp> moments{vault.NewestMoment()};
  for (int i = 0; i < 4; ++i) {
    vault.NewClient("A-" + std::to_string(i));
    vault.IncrementAll();
    moments.push_back(vault.NewestMoment());
    vault.clock.Advance(1000);
  }
  const fs::path folder = fs::path(vault.data()) / "increments";
  const auto notes = FilesIn(folder);
  REQUIRE(notes.size() == 4);
  const auto read = [](const fs::path& path) { return *crypto::ReadFile(path, 1 << 20); };
  const auto check = [&](const std::string& what, std::size_t broken) {
    INFO(what);
    const auto report = vault.Verify(vault.data());
    CHECK(report.findings.size() == 1);
    CHECK(AnswerOf(vault.TryRestore("refused")) != "ok");
    CHECK(!fs::exists(vault.work() / "refused"));
    CHECK(AnswerOf(vault.TryRestoreAt("refused", moments[broken + 1])) != "ok");
    for (std::size_t i = broken; i < notes.size(); ++i) {
      if (fs::exists(notes[i])) fs::rename(notes[i], notes[i].string() + ".away");
    }
    CHECK(vault.Restore("before").created == moments[broken]);
    fs::remove_all(vault.work() / "before");
    for (std::size_t i = broken; i < notes.size(); ++i) {
      if (fs::exists(notes[i].string() + ".away"))
        fs::rename(notes[i].string() + ".away", notes[i]);
    }
  };
  for (std::size_t i = 0; i < notes.size(); ++i) {
    const Bytes note = read(notes[i]);
    for (std::size_t at = i; at < note.size(); at += note.size() / 5) {
      Bytes altered = note;
      altered[at] ^= 1;
      REQUIRE(crypto::WriteFileAtomically(notes[i], altered));
      check("byte " + std::to_string(at) + " of note " + std::to_string(i), i);
    }
    REQUIRE(crypto::WriteFileAtomically(notes[i], read(notes[(i + 1) % notes.size()])));
    check("the next one's note", i);
    if (i + 1 < notes.size()) {
      fs::remove(notes[i]);
      check("missing " + std::to_string(i), i);
    }
    REQUIRE(crypto::WriteFileAtomically(notes[i], note));
    const auto parsed = audit::ReadBackupIncrement(crypto::AsText(note));
    REQUIRE(parsed);
    REQUIRE(parsed->changes.size() == 1);
    const std::string hex = crypto::HexEncode(parsed->changes[0]);
    const fs::path object = fs::path(vault.data()) / "objects" / hex.substr(0, 2) / hex.substr(2);
    const Bytes content = read(object);
    Bytes altered = content;
    altered[content.size() / 2] ^= 1;
    REQUIRE(crypto::WriteFileAtomically(object, altered));
    CHECK(vault.Verify(vault.data()).findings.size() == 1);
    CHECK(AnswerOf(vault.TryRestore("refused")) == "object_wrong");
    CHECK(!fs::exists(vault.work() / "refused"));
    REQUIRE(crypto::WriteFileAtomically(object, content));
  }
  CHECK(vault.Verify(vault.data()).findings == Strings{});
  // The last ones can be taken away, which no signature tells.
  fs::remove(notes[3]);
  CHECK(vault.Restore("shorter").created == moments[3]);
}

TEST_CASE("where somebody else goes on behind the same generation, another one is begun") {
  BackedUpVault vault;
  vault.BackUp();
  vault.NewClient("A-1");
  vault.IncrementAll();
  const fs::path note = LastIn(fs::path(vault.data()) / "increments");
  std::string next = note.string();
  next.back() = '2';
  fs::copy(note, next);
  vault.NewClient("A-2");
  CHECK(vault.Increment()[0].problem.starts_with("increment_exists"));
  CHECK(vault->backup_runner().writer().NeedsGeneration());
  CHECK(fs::file_size(next) == fs::file_size(note));
  vault.BackUp();
  CHECK(!vault->backup_runner().writer().NeedsGeneration());
  vault.NewClient("A-3");
  vault.IncrementAll();
  CHECK(vault.Restore("restored").increments == 1);
}

TEST_CASE("another repository in the place of one, or one that lost something, begins anew") {
  BackedUpVault vault;
  vault.BackUp();
  vault.NewClient("A-1");
  vault.IncrementAll();
  SECTION("another medium") {
    fs::rename(vault.data(), vault.data() + ".first");
    REQUIRE(vault->backups().InitializeDestination(vault.As(kAdministrator), "here"));
    vault.NewClient("A-2");
    CHECK(vault.Increment()[0].problem.starts_with("repository_changed"));
    CHECK(!fs::exists(fs::path(vault.data()) / "increments"));
  }
  SECTION("the increment before is gone") {
    fs::remove(LastIn(fs::path(vault.data()) / "increments"));
    vault.NewClient("A-2");
    CHECK(vault.Increment()[0].problem.starts_with("increment_missing"));
  }
  SECTION("the generation is gone, with the increments") {
    fs::remove_all(fs::path(vault.data()) / "increments");
    fs::remove(LastIn(fs::path(vault.data()) / "generations"));
    vault.NewClient("A-2");
    CHECK(vault.Increment()[0].problem.starts_with("increment_missing"));
  }
  CHECK(vault->backup_runner().writer().NeedsGeneration());
  vault.BackUp();
  vault.NewClient("A-3");
  vault.IncrementAll();
  CHECK(vault.Verify(vault.data()).findings == Strings{});
  CHECK(vault.Restore("restored").increments == 1);
  CHECK(vault.FindingsIn("restored") == Strings{});
}

TEST_CASE("a destination that is away makes no generations in others") {
  auto settings = WithDestinations();
  settings.backup_destinations.push_back({"away", BackupKind::kData, "backup-away", 0});
  BackedUpVault vault(settings);
  fs::remove_all(vault.work() / "backup-away");
  const auto run = vault->backups().RunBackup(vault.As(kAdministrator));
  REQUIRE(run);
  CHECK(run->destinations[1].copied);
  CHECK(!run->destinations[2].copied);
  REQUIRE(vault->backup_runner().writer().NeedsGeneration());
  const auto again = vault->backup_runner().MakeLacking();
  REQUIRE(again);
  CHECK(!again->copied());
  CHECK(again->generation.empty());
  CHECK(again->destinations.size() == 1);
  CHECK(vault.Verify(vault.keys()).generations.size() == 1);
}

TEST_CASE("a generation that was taken away is missed where its increments are there") {
  BackedUpVault vault;
  const auto first = vault.BackUp();
  vault.NewClient("A-1");
  vault.clock.Advance(1000);
  const auto second = vault.BackUp();
  vault.NewClient("A-2");
  vault.IncrementAll();
  REQUIRE(Repository::Open(vault.data())->RemoveManifest(second.generation));
  CHECK(AnswerOf(vault.TryRestore("newest")) == "generation_missing");
  CHECK(vault.Restore("by-hand", first.generation).generation == first.generation);
}

TEST_CASE("whoever makes generations takes no moment of the last two days away") {
  BackedUpVault vault(WithDestinations(30));
  std::vector<Timestamp> moments;
  for (int i = 0; i < 5; ++i) {
    vault.BackUp();
    vault.NewClient("A-" + std::to_string(i));
    vault.IncrementAll();
    moments.push_back(vault.NewestMoment());
    vault.clock.Advance(3'600'000);
  }
  CHECK(FilesIn(fs::path(vault.data()) / "increments").size() == moments.size());
  const auto restored = vault.TryRestoreAt("first", moments.front());
  REQUIRE(restored);
  CHECK(restored->created == moments.front());
}

TEST_CASE("while the clock is doubted no moment goes, however old it seems") {
  BackedUpVault vault(WithDestinations(30));
  std::vector<Timestamp> moments;
  for (int i = 0; i < 4; ++i) {
    if (i == 1) {
      // Further than anybody has confirmed, and a start looks at it.
      vault.clock.Advance(90 * kOneDay);
      vault.Close();
      vault.Open();
      REQUIRE(vault->monitoring().ReadStatus(vault.As(Role::kAuditor))->waiting_for_clock);
    }
    vault.BackUp();
    vault.NewClient("A-" + std::to_string(i));
    vault.IncrementAll();
    moments.push_back(vault.NewestMoment());
    vault.clock.Advance(1000);
  }
  CHECK(FilesIn(fs::path(vault.data()) / "increments").size() == moments.size());
  for (std::size_t i = 0; i < moments.size(); ++i) {
    const auto restored = vault.TryRestoreAt("doubted-" + std::to_string(i), moments[i]);
    INFO(AnswerOf(restored));
    REQUIRE(restored);
    CHECK(restored->created == moments[i]);
  }
}

TEST_CASE("older increments stay behind the newest two generations") {
  BackedUpVault vault(WithDestinations(30));
  std::vector<std::size_t> notes, objects;
  for (int i = 0; i < 4; ++i) {
    vault.BackUp();
    for (int j = 0; j < 3; ++j) {
      vault.NewClient("A-" + std::to_string(3 * i + j));
      vault.IncrementAll();
    }
    notes.push_back(FilesIn(fs::path(vault.data()) / "increments").size());
    objects.push_back(FilesIn(fs::path(vault.data()) / "objects").size());
    vault.Later(3);
  }
  CHECK(notes == std::vector<std::size_t>{3, 6, 6, 6});
  CHECK(objects[3] < objects[1] + 20);
  for (const auto& repository : {vault.data(), vault.keys()}) {
    const auto report = vault.Verify(repository);
    CHECK(report.findings == Strings{});
    CHECK(report.generations.size() == 4);
    CHECK(report.increments == 6);
  }
  for (const auto& generation : vault.Verify(vault.data()).generations) {
    vault.Restore("restored-" + generation, generation);
    CHECK(vault.FindingsIn("restored-" + generation) == Strings{});
  }
}

TEST_CASE("a vault that runs makes its backups by itself, to the last entry of its log") {
  auto settings = WithDestinations();
  settings.backup_every_hours = 24;
  settings.backup_increment_seconds = 1;
  BackedUpVault vault(settings);
  const auto client = vault.NewClient("A-1");
  const auto record = vault.NewContact(client, {{"last_name", "Doe"}});
  const auto complete = [&] {
    const auto progress = vault->backup_runner().writer().Progress();
    return std::ranges::all_of(progress, [](const auto& one) { return one.until.has_value(); });
  };
  for (int tries = 0; !complete(); ++tries) {
    REQUIRE(tries < 6000);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const auto late = vault.NewClient("A-2");
  vault.Close();
  const auto restored = vault.Restore("restored");
  OfflineVerifyOptions options;
  options.directory = vault.directory();
  const auto original = VerifyDirectory(options, vault.root());
  REQUIRE(original);
  DeepReport report;
  CHECK(vault.FindingsIn("restored", &report) == Strings{});
  CHECK(report.log.size == original->log.size);
  CHECK(restored.log_size == original->log.size);
  const auto opened = vault.OpenRestored("restored");
  CHECK(AnswerOf(opened->records().GetRecord(vault.As(kCrmService), client, record)) == "ok");
  CHECK(AnswerOf(opened->clients().GetClient(vault.As(kCrmService), late)) == "ok");
}

}  // namespace
}  // namespace coffer::vault
