// Where a vault is made, as whom, and beside whom.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <functional>

#include "tests/support/temporary_directory.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;

constexpr uid_t kTheirUser = 61236;  // nobody has it
constexpr gid_t kTheirGroup = 61237;

// Asked for the time in the middle of making a vault: something else happens then, once.
class InterruptedClock final : public audit::Clock {
 public:
  explicit InterruptedClock(std::function<void()> happens) : happens_(std::move(happens)) {}
  audit::Timestamp Now() const override {
    if (const auto happens = std::exchange(happens_, nullptr)) happens();
    return audit::SystemClock().Now();
  }

 private:
  mutable std::function<void()> happens_;
};

struct NewVaults {
  TemporaryDirectory work;
  std::unique_ptr<crypto::RootKeyProvider> root;

  NewVaults() {
    REQUIRE(crypto::InitializeCrypto());
    REQUIRE(crypto::CreateKeyFile(work / "root.key"));
    root = *crypto::OpenKeyFile(work / "root.key");
    REQUIRE(chmod(std::string(work.path()).c_str(), 0711) == 0);
  }
  static InitOptions In(const std::string& directory) {
    InitOptions options;
    options.directory = directory;
    options.log_origin = "vault.example/log";
    return options;
  }
  std::string MakeTheirs(const std::string& name, mode_t mode = 0755) const {
    MakeDirectory(work / name, mode);
    REQUIRE(chown((work / name).c_str(), kTheirUser, kTheirGroup) == 0);
    return work / name;
  }
  static void MakeDirectory(const std::string& path, mode_t mode) {
    REQUIRE(mkdir(path.c_str(), mode) == 0);
    REQUIRE(chmod(path.c_str(), mode) == 0);
  }
};

uid_t OwnerOf(const std::string& path) {
  struct stat status{};
  REQUIRE(lstat(path.c_str(), &status) == 0);
  return status.st_uid;
}

}  // namespace

TEST_CASE("nothing of root's is given away or removed, whatever takes the place of a half vault") {
  if (geteuid() != 0) SKIP("only root can give files away");
  enum class When { kBefore, kInTheMiddle, kAtTheEnd };
  for (const When when : {When::kBefore, When::kInTheMiddle, When::kAtTheEnd}) {
    CAPTURE(static_cast<int>(when));
    NewVaults vaults;
    const std::string theirs = vaults.MakeTheirs("svc");
    const std::string secrets = theirs + "/secrets", work = theirs + "/vault.initialising";
    NewVaults::MakeDirectory(secrets, 0700);
    std::ofstream(secrets + "/root.pem") << "root's";
    const auto exchange = [&] {
      if (fs::exists(work)) fs::rename(work, theirs + "/away");
      fs::rename(secrets, work);
    };
    const InterruptedClock clock(when == When::kInTheMiddle ? exchange : std::function<void()>());
    InitOptions options = NewVaults::In(theirs + "/vault");
    options.clock = &clock;
    options.hand_over = [&](FirstTokens&) -> Status {
      if (when == When::kAtTheEnd) exchange();
      return Fail(Code::kUnavailable, "tokens_not_handed_over");
    };
    if (when == When::kBefore) exchange();
    CHECK_FALSE(InitializeVault(options, *vaults.root));
    REQUIRE(fs::exists(work + "/root.pem"));
    CHECK(OwnerOf(work) == 0);
    CHECK(OwnerOf(work + "/root.pem") == 0);
  }
}

TEST_CASE("what somebody puts in the place of a half vault of root's own stays") {
  NewVaults vaults;
  InitOptions options = NewVaults::In(vaults.work / "vault");
  options.hand_over = [&](FirstTokens&) -> Status {
    fs::rename(vaults.work / "vault.initialising", vaults.work / "away");
    NewVaults::MakeDirectory(vaults.work / "vault.initialising", 0700);
    std::ofstream(vaults.work / "vault.initialising/vault.db") << "another's";
    return Fail(Code::kUnavailable, "tokens_not_handed_over");
  };
  CHECK_FALSE(InitializeVault(options, *vaults.root));
  CHECK(fs::exists(vaults.work / "vault.initialising/vault.db"));
}

TEST_CASE("the directories that are made above a vault are its account's too") {
  if (geteuid() != 0) SKIP("only root can give files away");
  NewVaults vaults;
  const std::string theirs = vaults.MakeTheirs("svc");
  REQUIRE(InitializeVault(NewVaults::In(theirs + "/new/deep/vault"), *vaults.root));
  for (const auto& entry : fs::recursive_directory_iterator(theirs)) {
    INFO(entry.path());
    CHECK(OwnerOf(entry.path()) == kTheirUser);
  }
  CHECK(OwnerOf(theirs + "/new/deep/vault/vault.db") == kTheirUser);
  CHECK(geteuid() == 0);
}

TEST_CASE("a directory of root's within another account's is not made a vault") {
  if (geteuid() != 0) SKIP("only root can give files away");
  NewVaults vaults;
  const std::string theirs = vaults.MakeTheirs("svc");
  NewVaults::MakeDirectory(theirs + "/vault", 0700);
  const auto made = InitializeVault(NewVaults::In(theirs + "/vault"), *vaults.root);
  REQUIRE_FALSE(made);
  CHECK(made.error().reason == "owners_differ");
  CHECK(fs::is_empty(theirs + "/vault"));
}

TEST_CASE("a new vault's anchor is its account's, whoever else may write where it lies") {
  if (geteuid() != 0) SKIP("only root can give files away");
  // Of the directory that the vault is made in, or of the empty one whose place it takes.
  for (const std::string directory : {"svc/vault", "svc"}) {
    CAPTURE(directory);
    NewVaults vaults;
    vaults.MakeTheirs("svc");
    NewVaults::MakeDirectory(vaults.work / "everybody", 01777);
    InitOptions options = NewVaults::In(vaults.work / directory);
    options.anchor_path = vaults.work / "everybody/anchor";
    REQUIRE(InitializeVault(options, *vaults.root));
    CHECK(OwnerOf(options.anchor_path) == kTheirUser);
    CHECK(OwnerOf(vaults.work / directory) == kTheirUser);
    CHECK(OwnerOf(vaults.work / directory + "/vault.db") == kTheirUser);
  }
}

TEST_CASE("two who make one vault do not destroy each other's work") {
  NewVaults vaults;
  const std::string directory = vaults.work / "vault", anchor = vaults.work / "anchor";
  InitOptions second = NewVaults::In(directory);
  second.anchor_path = anchor;
  std::string answer;
  const InterruptedClock clock([&] {
    const auto made = InitializeVault(second, *vaults.root);
    answer = made ? "made" : std::string(made.error().reason);
  });
  InitOptions first = second;
  first.clock = &clock;
  REQUIRE(InitializeVault(first, *vaults.root));
  CHECK(answer == "vault_in_use");
  VaultOptions options;
  options.directory = directory;
  options.anchor_path = anchor;
  options.require_locked_memory = false;
  CHECK(Vault::Open(options, *vaults.root));
}

TEST_CASE("only what is left of a half vault is cleared away") {
  NewVaults vaults;
  const std::string work = vaults.work / "vault.initialising";
  NewVaults::MakeDirectory(work, 0700);
  std::ofstream(work + "/vault.db") << "half";
  std::ofstream(work + "/letter") << "somebody's";
  const auto made = InitializeVault(NewVaults::In(vaults.work / "vault"), *vaults.root);
  REQUIRE_FALSE(made);
  CHECK(made.error().detail.find("letter") != std::string::npos);
  CHECK(fs::exists(work + "/vault.db"));
  fs::remove(work + "/letter");
  CHECK(InitializeVault(NewVaults::In(vaults.work / "vault"), *vaults.root));
  CHECK_FALSE(fs::exists(work));
}

}  // namespace coffer::vault
