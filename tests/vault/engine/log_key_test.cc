// The log's key exchanged: announced in the log, beside the old one for a while, then alone.
#include <catch2/catch_test_macros.hpp>

#include "audit/verify/verify.h"
#include "crypto/atomic_file.h"
#include "tests/vault/test_vault.h"
#include "vault/log_key_rotation.h"

namespace coffer::vault {
namespace {

using enum Role;

class Rotated : public TestVault {
 public:
  Rotated() {
    old_key = *audit::ParseVerifierKey(LogKey());
    NewClient("A-1");
  }
  std::string Rotate(LogKeyStep step) {
    Close();
    VaultOptions options;
    options.directory = directory();
    options.anchor_path = anchor_path();
    options.page_cache_mib = 4;
    options.require_locked_memory = false;
    options.scrub_entries_per_s = 0;
    options.clock = &clock;
    return AnswerOf(RotateLogKey(options, root(), step));
  }
  audit::VerifierKey NewKey() { return *audit::ParseVerifierKey(LogKey()); }
  std::string Anchor() {
    const auto bytes = crypto::ReadFile(AnchorPath(directory(), anchor_path()), 64 * 1024);
    REQUIRE(bytes);
    return audit::ParseAnchor(crypto::AsText(*bytes))->note;
  }
  // "ok", or the first finding's check, of a copy that is verified with this key alone.
  std::string Verified(const audit::VerifierKey& key, std::vector<std::string> more = {}) {
    OfflineVerifyOptions options;
    options.directory = directory();
    options.anchor_path = anchor_path();
    options.log_key = key;
    options.checkpoints = std::move(more);
    const auto report = VerifyDirectory(options, root());
    INFO(AnswerOf(report));
    REQUIRE(report);
    return report->log.ok() ? "ok" : report->log.findings.front().check;
  }
  std::vector<std::string> KeyEvents() {
    std::vector<std::string> events;
    for (const auto& entry : WholeLog()) {
      if (entry.action.starts_with("log.key.")) events.push_back(entry.action);
    }
    return events;
  }

  audit::VerifierKey old_key;
};

}  // namespace

TEST_CASE("a log's key is exchanged, and whoever trusts the old one comes to the new one") {
  Rotated vault;
  const auto genesis = vault.WholeLog().front();
  CHECK(genesis.detail.starts_with("key vault.example/log+"));
  REQUIRE(vault.Rotate(LogKeyStep::kAdd) == "ok");
  const auto new_key = vault.NewKey();
  CHECK(new_key.key != vault.old_key.key);
  CHECK(vault.Verified(vault.old_key) == "ok");
  CHECK(vault.Verified(new_key) == "ok");
  const std::string overlap = vault.Anchor();
  CHECK(audit::VerifyCheckpoint(overlap, vault.old_key));
  CHECK(audit::VerifyCheckpoint(overlap, new_key));
  CHECK(vault.Rotate(LogKeyStep::kAdd) == "ok");  // goes on with the same
  CHECK(vault.NewKey().key == new_key.key);

  vault.Open();
  vault.NewClient("A-2");
  REQUIRE(vault.Rotate(LogKeyStep::kRetire) == "ok");
  CHECK_FALSE(audit::VerifyCheckpoint(vault.Anchor(), vault.old_key));
  CHECK(vault.OpenKeyring().log_keys().size() == 1);
  CHECK(vault.Verified(new_key) == "ok");
  CHECK(vault.Verified(new_key, {overlap}) == "ok");
  // With the old key alone the new one is nobody's, unless a checkpoint of both is at hand.
  CHECK(vault.Verified(vault.old_key) == "epoch");
  CHECK(vault.Verified(vault.old_key, {overlap}) == "ok");
  CHECK(vault.Rotate(LogKeyStep::kRetire) == "nothing_to_retire");

  vault.Open();
  CHECK(vault.KeyEvents() == std::vector<std::string>{"log.key.announced", "log.key.retired"});
  vault.CheckInvariants();
}

TEST_CASE("what a crash left of an exchange is finished when the vault is opened") {
  Rotated vault;
  vault.Close();
  const std::string path = KeyringPath(vault.directory());
  REQUIRE(crypto::Keyring::AddLogKey(path, vault.root()));
  vault.Open();
  vault.Close();
  CHECK(vault.Verified(vault.old_key) == "ok");
  REQUIRE(crypto::Keyring::RetireLogKey(path, vault.root()));
  vault.Open();
  vault.Close();
  CHECK(vault.OpenKeyring().log_keys().size() == 1);
  CHECK(vault.Verified(vault.NewKey()) == "ok");
  vault.Open();
  CHECK(vault.KeyEvents().size() == 2);
  vault.CheckInvariants();
}

TEST_CASE("what the retired key signs afterwards is refused") {
  Rotated vault;
  const crypto::Keyring stolen = vault.OpenKeyring();
  REQUIRE(vault.Rotate(LogKeyStep::kAdd) == "ok");
  REQUIRE(vault.Rotate(LogKeyStep::kRetire) == "ok");
  const auto checkpoint = *audit::VerifyCheckpoint(vault.Anchor(), vault.NewKey());
  CHECK(vault.Verified(vault.NewKey(),
                       {audit::SignCheckpoint(checkpoint, *stolen.log_signing_key())}) == "epoch");
}

}  // namespace coffer::vault
