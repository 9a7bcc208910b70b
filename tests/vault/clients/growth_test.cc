// Operations of every kind, for long: afterwards there is what was stored, and of all that comes
// and goes no more than is bounded. docs/operator-guide.md ("What grows") lists both.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>

#include "tests/vault/test_vault.h"
#include "vault/access/living_tokens.h"
#include "vault/access/open_approvals.h"

namespace coffer::vault {
namespace {

using enum Role;

// A sanitizer's build takes many times as long for each, and one without optimisation several.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kGrowthOperations = 6'000;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::size_t kGrowthOperations = 6'000;
#elif defined(__OPTIMIZE__)
constexpr std::size_t kGrowthOperations = 100'000;
#else
constexpr std::size_t kGrowthOperations = 24'000;
#endif
#elif defined(__OPTIMIZE__)
constexpr std::size_t kGrowthOperations = 100'000;
#else
constexpr std::size_t kGrowthOperations = 24'000;
#endif
constexpr std::size_t kGrowthThreads = 24;
constexpr std::int64_t kGrowthDayMs = std::int64_t{24} * 3600 * 1000;

class WorkedVault : public TestVault {
 public:
  WorkedVault() : TestVault({.key_cache_entries = 256, .scrub_entries_per_s = 1000}) {
    for (std::size_t i = 0; i < kGrowthThreads; ++i) {
      const std::string login = "user" + std::to_string(i);
      const auto user =
          (*this)->principals().CreateUser(As(kAdministrator), {login, "U", "case-worker"});
      REQUIRE(user);
      REQUIRE((*this)->sessions().CompleteEnrolment(Stranger(), login, user->code, Password(), ""));
    }
  }
  static crypto::SecretBytes Password() {
    return crypto::SecretBytes::CopyOf(crypto::AsBytes("correct horse battery staple"));
  }
  std::uintmax_t FileSize(const std::string& name) const {
    std::error_code none;
    const auto size = std::filesystem::file_size(directory() + "/" + name, none);
    return none ? 0 : size;
  }
  std::atomic<std::size_t> done{0};
};

// One thread's part of the work: what it has made, and what it does next. Says by kind what went
// well, as the assertions are the main thread's.
class Worker {
 public:
  static constexpr std::size_t kKinds = 24;

  Worker(WorkedVault& vault, std::size_t number)
      : vault_(vault),
        login_("user" + std::to_string(number)),
        name_("w" + std::to_string(number)) {
    const auto token = vault.NewTokenFor("case-worker", 30 * 24 * 3600, name_);
    REQUIRE(token);
    token_ = *token;
  }

  void Run(std::size_t operations) {
    NextClient();
    for (std::size_t i = 0; i < operations; ++i) {
      const std::string answer = Do(i);
      ++answers[std::to_string(i % kKinds) + " " + answer];
      ++vault_.done;
    }
  }
  std::map<std::string, int> answers;  // "kind answer"

 private:
  Caller As(Role role, const char* purpose = "client-care", const char* reason = "") {
    return vault_.As(role, purpose, reason);
  }
  std::string NextClient() {
    key_ = name_ + "-" + std::to_string(++made_);
    const auto made =
        vault_->clients().CreateClient(As(kCrmService), {.external_ref = key_}, {key_, "body"});
    if (made) client_ = made->id;
    record_.reset();
    return AnswerOf(made);
  }
  std::string NextRecord(const json& data, const Idempotency& once) {
    const auto made =
        vault_->records().CreateRecord(As(kCrmService), client_, "contact", data, once);
    if (made) record_ = made->id;
    return AnswerOf(made);
  }
  const RecordId& Record() {
    if (!record_) NextRecord({{"last_name", "Doe"}}, {});
    return *record_;
  }
  std::string Rotate(std::int64_t overlap_s) {
    auto rotated =
        vault_->tokens().RotateToken(TestVault::Stranger(token_.secret), token_.info.id, overlap_s);
    std::string answer = AnswerOf(rotated);
    if (rotated) token_ = *std::move(rotated);
    if (answer == "too_many_tokens") return Rotate(0);
    return answer;
  }
  std::string Do(std::size_t i) {
    const std::size_t kind = i % kKinds;
    if (kind < 6) return DoWithRecords(kind, i);
    if (kind < 11) return DoWithRights(kind);
    if (kind < 16) return DoWithCredentials(kind, i);
    return DoWithTheRest(kind, i);
  }
  std::string DoWithRecords(std::size_t kind, std::size_t i) {
    const json data = {{"last_name", "Roe" + std::to_string(i)}};
    switch (kind) {
      case 0:
        if (i % 480 == 0) return NextClient();
        return AnswerOf(
            vault_->clients().ListClients(As(kCrmService), "", "", {.limit = 5, .cursor = {}}));
      case 1:
        return NextRecord(data, {});
      case 2: {
        const auto now = vault_->records().GetRecord(As(kCrmService), client_, Record());
        if (!now) return AnswerOf(now);
        return AnswerOf(
            vault_->records().UpdateRecord(As(kCrmService), client_, *record_, now->version, data));
      }
      case 3: {
        const RecordId record = Record();
        record_.reset();
        return AnswerOf(vault_->records().DeleteRecord(As(kCrmService), client_, record, {}));
      }
      case 4:
        return AnswerOf(vault_->searches().SearchByField(As(kCrmService), "contact", "last_name",
                                                         "Roe" + std::to_string(i), {}));
      default:
        return AnswerOf(vault_->imports().ImportRecord(As(kCrmService),
                                                       {name_ + "-import", "contact", "k", data}));
    }
  }
  std::string DoWithRights(std::size_t kind) {
    const PrincipalId service = token_.info.principal;
    switch (kind) {
      case 6:
        return AnswerOf(vault_->leases().GiveLease(
            As(kSupervisor), client_,
            {service, "contact", {"last_name"}, "client-care", "C-1", 60}));
      case 7: {
        const auto taken = vault_->emergencies().OpenEmergency(
            As(kSupervisor, "client-care", "urgent"), client_, {"client-care", "C-1", 60});
        if (taken) emergency_ = taken->id;
        return AnswerOf(taken);
      }
      case 8:
        if (!emergency_) return "none";
        return AnswerOf(vault_->emergencies().ReviewEmergency(As(kSecurityOfficer), *emergency_,
                                                              "it was right"));
      case 9:
        return AnswerOf(
            vault_->assignments().Assign(As(kSupervisor), client_, service, AssignmentTerms{}));
      default:
        return AnswerOf(vault_->assignments().Unassign(As(kSupervisor), client_, service));
    }
  }
  std::string DoWithCredentials(std::size_t kind, std::size_t i) {
    Caller somewhere = TestVault::Stranger();
    somewhere.address = "198.51.100." + std::to_string(i / kKinds % 250);
    switch (kind) {
      case 11:
      case 12:
        return Rotate(3600);
      case 13:
        return Rotate(0);
      case 14:
        return AnswerOf(vault_->sessions().LogIn(somewhere, login_, WorkedVault::Password(), ""));
      default:
        return AnswerOf(
            vault_->sessions().LogIn(somewhere, "nobody" + std::to_string(i),
                                     crypto::SecretBytes::CopyOf(crypto::AsBytes("a guess")), ""));
    }
  }
  std::string DoWithTheRest(std::size_t kind, std::size_t i) {
    const Caller erasing = As(kPrivacyOfficer, "data-subject-request");
    switch (kind) {
      case 16: {
        const auto asked =
            vault_->approvals().RequestApproval(erasing, {"client.erase", client_.Text(), {}});
        if (asked) approval_ = asked->id;
        return AnswerOf(asked);
      }
      case 17:
        if (!approval_) return "none";
        return AnswerOf(vault_->approvals().WithdrawApproval(As(kPrivacyOfficer), *approval_));
      case 18:
        return AnswerOf(vault_->clients().GetClient(TestVault::Stranger("no token"), client_));
      case 19:
        return AnswerOf(vault_->records().ListRecords(As(kCrmService), client_, "", true,
                                                      {.limit = 3, .cursor = {}}));
      case 20: {
        if (i % 960 != 20) return AnswerOf(vault_->clients().GetClient(As(kCrmService), client_));
        const auto erased = vault_->erasures().Erase(erasing, client_, {});
        NextClient();
        return AnswerOf(erased);
      }
      case 21:
        return NextRecord({{"last_name", "Moe"}}, {key_ = name_ + "r" + std::to_string(i), "body"});
      case 22:
        return AnswerOf(vault_->records().ListVersions(As(kCrmService), client_, Record()));
      default:
        return AnswerOf(vault_->purposes().PutPurpose(
            As(kAdministrator), "care-" + name_,
            R"({"title": "P)" + std::to_string(i % 3) + R"(", "legal_basis": "consent"})"));
    }
  }

  WorkedVault& vault_;
  const std::string login_, name_;
  std::string key_;
  NewToken token_;
  ClientId client_;
  std::optional<RecordId> record_;
  std::optional<EmergencyId> emergency_;
  std::optional<ApprovalId> approval_;
  std::size_t made_ = 0;
};

TEST_CASE("after a hundred thousand operations of every kind nothing has grown that need not") {
  WorkedVault vault;
  const auto log_before = vault->monitoring().ReadStatistics(vault.As(kAdministrator))->log_size;
  std::map<std::string, int> answers;
  {
    std::vector<std::unique_ptr<Worker>> workers;
    for (std::size_t i = 0; i < kGrowthThreads; ++i) {
      workers.push_back(std::make_unique<Worker>(vault, i));
    }
    std::vector<std::jthread> threads;
    for (auto& worker : workers) {
      threads.emplace_back([&] { worker->Run(kGrowthOperations / kGrowthThreads); });
    }
    // Ten days pass.
    for (std::size_t day = 1; day <= 10; ++day) {
      while (vault.done < (kGrowthOperations - kGrowthOperations % kGrowthThreads) * day / 11) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      vault.clock.Advance(kGrowthDayMs);
    }
    threads.clear();
    for (const auto& worker : workers) {
      for (const auto& [answer, count] : worker->answers) answers[answer] += count;
    }
  }
  std::string all;
  for (const auto& [answer, count] : answers) all += answer + " " + std::to_string(count) + "\n";
  INFO(all);
  for (std::size_t kind = 0; kind < Worker::kKinds; ++kind) {
    const char* const usual = kind == 15   ? " login_failed"
                              : kind == 18 ? " unauthenticated"
                                           : " ok";
    CHECK(answers[std::to_string(kind) + usual] > 0);
  }
  CHECK(vault.done >= kGrowthOperations - kGrowthThreads);
  const auto statistics = vault->monitoring().ReadStatistics(vault.As(kAdministrator));
  REQUIRE(statistics);

  // What comes and goes.
  const auto services = vault.Number("SELECT count(*) FROM principals WHERE kind = 1");
  const auto users = vault.Number("SELECT count(*) FROM principals WHERE kind = 2");
  const auto of_each = static_cast<std::int64_t>(kMaxEndedTokens + kMaxLivingTokens) + 2;
  CHECK(vault.Number("SELECT count(*) FROM tokens WHERE idle = 0") <= services * of_each);
  CHECK(vault.Number("SELECT count(*) FROM tokens WHERE idle > 0") <= users * of_each);
  CHECK(vault.Number("SELECT max(c) FROM (SELECT count(*) AS c FROM tokens GROUP BY principal)") <=
        of_each);
  CHECK(vault.Number("SELECT max(c) FROM (SELECT count(*) AS c FROM approvals WHERE executed IS "
                     "NULL GROUP BY requester)") <=
        static_cast<std::int64_t>(kMaxOpenApprovals + kMaxUnusedApprovals) + 1);
  CHECK(vault.Number("SELECT count(*) FROM emergencies WHERE reviewed IS NULL") <= 400);
  CHECK(vault.Number("SELECT max(c) FROM (SELECT count(*) AS c FROM leases WHERE expires > ? GROUP "
                     "BY client)",
                     vault.clock.Now().ms) <= 200);
  CHECK(vault.FileSize("vault.db-wal") <= 24 * 1024 * 1024);
  CHECK(vault.FileSize("keys.db-wal") <= 24 * 1024 * 1024);
  CHECK(statistics->wal_bytes == vault.FileSize("vault.db-wal"));
  CHECK(vault.FileSize("anchor") < 64 * 1024);
  CHECK(statistics->key_cache_entries <= 256);

  // What is kept for some time only goes when it has passed, without a request that asks for it.
  vault.clock.Advance(3 * kGrowthDayMs);
  const auto gone = [&] {
    return vault.Number("SELECT count(*) FROM idempotency") == 0 &&
           vault.Number("SELECT count(*) FROM reveals") == 0;
  };
  for (int tries = 0; tries < 600 && !gone(); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  CHECK(gone());
  // And this with the next of its kind.
  const ClientId client = vault.NewClient("the last");
  REQUIRE(vault->leases().GiveLease(
      vault.As(kSupervisor), client,
      {vault.TokenOf(kCaseWorker).principal, "contact", {"last_name"}, "client-care", "C-1", 60}));
  CHECK(vault.Number("SELECT count(*) FROM leases") == 1);

  // What stays is what was stored and the log, which grows by what an entry is long.
  const auto entries = static_cast<std::uintmax_t>(statistics->log_size - log_before);
  CHECK(entries >= kGrowthOperations);
  CHECK(vault.FileSize("vault.db") < entries * 2048 + 8 * 1024 * 1024);
  const auto clients = static_cast<std::uintmax_t>(vault.Number("SELECT count(*) FROM clients"));
  CHECK(vault.KeyCount() == clients);
  CHECK(vault.FileSize("keys.db") < (clients + kGrowthOperations / 400) * 1024 + 1024 * 1024);
  for (const auto& line : vault.operator_log()) {
    CHECK(!line.contains("could not be"));
  }
  vault.CheckInvariants();
}

}  // namespace
}  // namespace coffer::vault
