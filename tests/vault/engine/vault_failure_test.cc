// What callers of a whole vault get when its storage fails at any one write: an answer whose entry
// is in the durable log, or the documented refusal. Of the engine alone: engine_failure_test.cc.
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <set>

#include "tests/crypto/child_process.h"
#include "tests/support/sampling.h"
#include "tests/vault/faulty_storage.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr int kStorageEnds = 74;  // the exit code for storage that can no longer be trusted

// What callers were answered, in memory that outlives a process which ends in between.
struct Answers {
  struct One {
    std::array<char, 40> call;
    std::array<char, 40> answer;
  };
  std::array<One, 32> all;
  std::size_t count;
  std::uint64_t late;  // a bit for each whose answer is made after its entry was committed
  int failures;

  void Add(const Caller& caller, const std::string& answer) {
    One& one = all.at(count);
    caller.call.Text().copy(one.call.data(), one.call.size() - 1);
    answer.copy(one.answer.data(), one.answer.size() - 1);
    ++count;  // only now it was answered
  }
};

// Where syncing costs nothing: there are thousands of commits here.
class InSharedMemory {
 public:
  InSharedMemory() {
    const char* const before = getenv("TMPDIR");
    if (before != nullptr) before_ = before;
    if (access("/dev/shm", W_OK) == 0) setenv("TMPDIR", "/dev/shm", 1);
  }
  ~InSharedMemory() {
    if (before_) {
      setenv("TMPDIR", before_->c_str(), 1);
    } else {
      unsetenv("TMPDIR");
    }
  }
  InSharedMemory(const InSharedMemory&) = delete;
  InSharedMemory& operator=(const InSharedMemory&) = delete;

 private:
  std::optional<std::string> before_;
};

class StruckVault {
 public:
  StruckVault() : disk_(FaultyStorage::Instance()) {
    void* const shared =
        mmap(nullptr, sizeof(Answers), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(shared != MAP_FAILED);
    answers_ = static_cast<Answers*>(shared);
    vault_.Open();
  }
  ~StruckVault() { munmap(answers_, sizeof(Answers)); }

  using Work = void (StruckVault::*)();

  // Lets the storage fail at every single write of `file` that `work` makes (under a sanitizer at
  // some of them), one round after the other, and from there on to the end of the round. How many
  // there were.
  int StrikeEach(const char* file, Fault fault, Work work, bool in_child) {
    int first = 0;
    while (first < kTooMany && Strike(file, fault, first, work, in_child)) {
      first += fault == Fault::kSync ? 1 : kStride;
    }
    CHECK(first < kTooMany);
    vault_.Close();
    vault_.Open();  // what was left behind is mended
    vault_.Close();
    vault_.testing::OpenVault::CheckInvariants();
    vault_.Open();
    // A key is stored before its client: one of a client that never came to be may be left.
    vault_.CheckRows();
    return first;
  }

  void EverythingButErasing() {
    TestVault& vault = vault_;
    const auto crm = [&] { return vault.As(kCrmService); };
    const auto subject = [&] { return vault.As(kPrivacyOfficer, "data-subject-request"); };
    const auto auditor = [&] { return vault.As(kAuditor); };
    const std::string number = std::to_string(rounds_);
    const json data = {{"last_name", "Roe"}};
    EvidenceRequest evidence;
    evidence.client = client_.Text();
    Step(crm(), [&](auto& c) { return vault->clients().GetClient(c, client_); });
    Step(crm(),
         [&](auto& c) { return vault->clients().CreateClient(c, {"made-" + number, {}}, {}); });
    Step(crm(), [&](auto& c) { return vault->records().GetRecord(c, client_, record_); });
    Step(crm(), [&](auto& c) {
      return vault->searches().SearchByField(c, "contact", "last_name", "Doe",
                                             {.limit = 5, .cursor = {}});
    });
    Step(crm(),
         [&](auto& c) { return vault->records().CreateRecord(c, client_, "contact", data, {}); });
    Step(crm(), [&](auto& c) { return vault->records().ListRecords(c, client_, "", true, {}); });
    Step(subject(), [&](auto& c) {
      return vault->restrictions().Restrict(c, client_, {"consent-note", "b", {}});
    });
    Step(crm(),
         [&](auto& c) { return vault->records().UpdateRecord(c, client_, record_, 1, data); });
    Step(auditor(), [&](auto& c) { return vault->access_log().ReadLog(c, {}, {}); });
    Step(auditor(), [&](auto& c) { return vault->access_log().ReadLogEntry(c, 3); });
    Step(subject(),
         [&](auto& c) { return vault->exports().Export(c, {}, {.limit = 3, .cursor = {}}); });
    Step(crm(), [&](auto& c) { return vault->records().DeleteRecord(c, client_, record_, {}); });
    Step(subject(), [&](auto& c) { return vault->exports().PackageClient(c, client_, {}); });
    PackageId package;
    Step(subject(), [&](auto& c) {
      auto prepared = vault->packages().PreparePackage(c, client_, {});
      if (prepared) package = prepared->row.id;
      return prepared;
    });
    for (const std::uint64_t part : {1U, 2U}) {
      Step(subject(), [&](auto& c) {
        return vault->packages().HandOutPart(c, package, {part, "a-key-of-22-characters-"});
      });
    }
    LateStep(auditor(), [&](auto& c) { return vault->evidence().MakeEvidence(c, evidence); });
    Step(auditor(), [&](auto& c) { return vault->access_log().ProveLogEntry(c, 3); });
    Step(crm(), [&](auto& c) { return vault->searches().SearchByReference(c, "kept-" + number); });
  }

  void Erasing() {
    Step(vault_.As(kCrmService),
         [&](auto& c) { return vault_->records().GetRecord(c, client_, record_); });
    LateStep(vault_.As(kPrivacyOfficer),
             [&](auto& c) { return vault_->erasures().Erase(c, client_, {}); });
    Step(vault_.As(kCrmService),
         [&](auto& c) { return vault_->searches().SearchByReference(c, "nobody"); });
  }

  int ended = 0;  // rounds in which the process ended
  std::size_t answered = 0, refused = 0;

 private:
  bool Strike(const char* file, Fault fault, int first, Work work, bool in_child) {
    INFO(file << ", fault " << static_cast<int>(fault) << " after " << first);
    vault_.clock.Advance(1000);  // ids count on from where a child before left off
    client_ = vault_.NewClient("kept-" + std::to_string(++rounds_));
    record_ = vault_.NewContact(client_, {{"last_name", "Doe"}});
    std::memset(static_cast<void*>(answers_), 0, sizeof(Answers));
    const auto run = [&] {
      disk_.Break(file, fault, first);
      (this->*work)();
      answers_->failures = disk_.failures();
      disk_.Mend();
    };
    bool has_ended = false;
    if (in_child) {
      vault_.Close();
      // Which then ends without a word, as in a crash.
      const int status = crypto::StatusOfChild([&] {
        vault_.Open();
        run();
        return 0;
      });
      vault_.Open();
      has_ended = WIFEXITED(status) && WEXITSTATUS(status) == kStorageEnds;
      CHECK((has_ended || status == 0));
      ended += has_ended ? 1 : 0;
    } else {
      run();
    }
    CheckAnswers(in_child && fault == Fault::kWriteAndLie);
    return has_ended || answers_->failures > 0;
  }

  template <class Operation>
  void Step(const Caller& caller, Operation operation) {
    answers_->Add(caller, AnswerOf(operation(caller)));
  }
  template <class Operation>
  void LateStep(const Caller& caller, Operation operation) {
    answers_->late |= std::uint64_t{1} << answers_->count;
    Step(caller, operation);
  }

  // What was answered well is in the durable log, as what it was. What was not says why in the
  // documented words, and no entry claims that it went well. But for two: what is
  // made after its entry was committed, the act of an erasure or a bundle of evidence, may fail
  // then, and the entry says more than was disclosed; and a commit that reached
  // the disk, of which the disk said that it did not, is found there after a crash.
  void CheckAnswers(bool may_be_logged) {
    std::set<std::string> went_well;
    Database database = vault_.OpenVaultDatabase();
    auto log = LogStore::Open(database);
    REQUIRE(log);
    REQUIRE((*log)->ReadEntries(
        checked_, UINT64_MAX >> 1, [&](std::uint64_t seq, std::string_view bytes) -> Status {
          COFFER_ASSIGN(const auto entry, audit::ParseEntry(bytes));
          if (entry.decision == audit::Decision::kAllow && entry.outcome == "ok") {
            went_well.insert(entry.request);
          }
          checked_ = seq + 1;
          return {};
        }));
    for (std::size_t i = 0; i < answers_->count; ++i) {
      const std::string answer = answers_->all[i].answer.data();
      INFO("step " << i << ": " << answer);
      const bool logged = went_well.contains(answers_->all[i].call.data());
      if (answer == "ok") {
        CHECK(logged);
        ++answered;
      } else {
        CHECK((answer == "log_unavailable" || answer == "storage_unavailable"));
        const bool late = (answers_->late >> i & 1) != 0;
        if (!late && !may_be_logged) CHECK_FALSE(logged);
        ++refused;
      }
    }
  }

  static constexpr int kTooMany = 1000;
  static constexpr int kStride = testing::Every(15);

  InSharedMemory place_;
  FaultyStorage& disk_;  // registered before a database is opened
  TestVault vault_{{.open = false}};
  Answers* answers_ = nullptr;
  ClientId client_;
  RecordId record_;
  int rounds_ = 0;
  std::uint64_t checked_ = 0;
};

}  // namespace

TEST_CASE("whichever write fails, an answer is in the durable log or it was a refusal") {
  StruckVault vault;
  for (const Fault fault : {Fault::kFull, Fault::kWrite, Fault::kWriteAndLie}) {
    CHECK(vault.StrikeEach("vault.db-wal", fault, &StruckVault::EverythingButErasing, false) > 50);
    CHECK(vault.StrikeEach("keys.db-wal", fault, &StruckVault::EverythingButErasing, false) > 1);
  }
  CHECK(vault.answered > testing::Many(500U, 50U));
  CHECK(vault.refused > testing::Many(500U, 50U));
}

TEST_CASE("whichever write of an erasure fails, it is done and logged, or neither") {
  StruckVault vault;
  for (const Fault fault : {Fault::kFull, Fault::kWrite, Fault::kWriteAndLie}) {
    CHECK(vault.StrikeEach("vault.db-wal", fault, &StruckVault::Erasing, true) > 5);
    CHECK(vault.StrikeEach("keys.db-wal", fault, &StruckVault::Erasing, true) > 1);
  }
  CHECK(vault.ended > testing::Many(5, 2));
}

TEST_CASE("whichever sync fails, the process ends and what it answered is in the durable log") {
  StruckVault vault;
  int syncs = 0;
  for (const auto work : {&StruckVault::EverythingButErasing, &StruckVault::Erasing}) {
    for (const char* file : {"vault.db-wal", "keys.db-wal"}) {
      const int here = vault.StrikeEach(file, Fault::kSync, work, true);
      CHECK(here > 0);
      syncs += here;
    }
  }
  CHECK(syncs > 10);
  CHECK(vault.ended == syncs);
  CHECK(vault.refused == 0);
}

}  // namespace coffer::vault
