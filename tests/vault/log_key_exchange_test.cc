// The key that signs the log exchanged while a vault serves: whoever verifies by either key comes
// through, what is signed at every moment is by a key that may, and the old one is gone.
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "audit/documents/erasure_ledger.h"
#include "audit/verify/verify.h"
#include "crypto/atomic_file.h"
#include "tests/vault/test_vault.h"
#include "vault/key_exchange.h"
#include "vault/log_key_rotation.h"
#include "vault/oversight/verify_directory.h"
#include "vault/storage/data_directory.h"

namespace coffer::vault {
namespace {

using enum Role;

class LogKeyExchanged : public TestVault {
 public:
  explicit LogKeyExchanged(bool erases = true) {
    if (erases) Erase("S-1");
  }
  void Erase(const std::string& reference) {
    const auto client = NewClient(reference);
    NewContact(client, {{"last_name", "Doe"}});
    const auto erased = (*this)->erasures().Erase(As(kPrivacyOfficer), client, {});
    INFO(AnswerOf(erased));
    REQUIRE(erased);
    acts_.push_back(erased->id);
  }
  Result<LogKeyRotated> Rotate(LogKeyStep step) {
    VaultOptions options;
    options.directory = directory();
    return RotateLogKey(options, root(), step);
  }
  void Reopen() {
    Close();
    Open();
  }
  // Without a server.
  std::string RotateOffline(LogKeyStep step, const std::string& ledger = {}) {
    VaultOptions options;
    options.directory = directory();
    options.anchor_path = anchor_path();
    options.ledger_path = ledger;
    options.page_cache_mib = 4;
    options.require_locked_memory = false;
    options.scrub_entries_per_s = 0;
    options.clock = &clock;
    return AnswerOf(RotateLogKey(options, root(), step));
  }
  std::string Step() { return AnswerOf((*this)->key_exchange().Step()); }
  std::string HandedOver() { return HandedOverKeyPath(directory(), "log-signing"); }
  // As the vault says that is open, or keyring.json.
  audit::VerifierKey KeyOfLog() {
    if (operator->() == nullptr) return *audit::ParseVerifierKey(LogKey());
    const auto status = (*this)->monitoring().ReadStatus(As(kAuditor));
    REQUIRE(status);
    return *audit::ParseVerifierKey(status->log_key);
  }
  std::string Anchor() {
    const auto bytes = crypto::ReadFile(AnchorPath(directory(), anchor_path()), 64UZ * 1024);
    REQUIRE(bytes);
    return audit::ParseAnchor(crypto::AsText(*bytes))->note;
  }
  std::string Verified(const audit::VerifierKey& key, std::vector<std::string> more = {}) {
    OfflineVerifyOptions options;
    options.directory = directory();
    options.anchor_path = anchor_path();
    options.log_key = key;
    options.checkpoints = std::move(more);
    options.deep = true;
    const auto report = VerifyDirectory(options, root());
    INFO(AnswerOf(report));
    REQUIRE(report);
    return report->log.ok() ? "ok" : report->log.findings.front().check;
  }
  Strings KeyEvents() {
    Strings events;
    for (const auto& entry : WholeLog()) {
      if (entry.action.starts_with("log.key.")) events.push_back(entry.action);
    }
    return events;
  }
  // By whom the ledger, as it is, can be read.
  std::string LedgerReadBy(const audit::VerifierKey& key) {
    const auto bytes = crypto::ReadFile(directory() + "/erasures.ledger", 1UZ << 20);
    REQUIRE(bytes);
    audit::LedgerReader reader({key}, [](const auto&) -> Status { return {}; });
    Status read = reader.Feed(crypto::AsText(*bytes));
    if (read) read = reader.Finish();
    return AnswerOf(read);
  }
  void CheckActs() {
    for (const auto& act : acts_) {
      CHECK(AnswerOf((*this)->erasure_acts().ReadAct(As(kAuditor), act, {})) == "ok");
    }
  }

 private:
  std::vector<ErasureId> acts_;
};

}  // namespace

TEST_CASE("the log's key is exchanged while the vault serves") {
  LogKeyExchanged vault;
  const auto old_key = vault.KeyOfLog();
  const auto rotated = vault.Rotate(LogKeyStep::kAdd);
  INFO(AnswerOf(rotated));
  REQUIRE(rotated);
  CHECK((rotated->served && rotated->begun));
  // Nothing of it before the vault has announced it.
  CHECK(AnswerOf(vault.Rotate(LogKeyStep::kRetire)) == "rotation_unfinished");
  CHECK(vault.KeyEvents().empty());
  REQUIRE(vault.Step() == "ok");
  CHECK_FALSE(std::filesystem::exists(vault.HandedOver()));
  CHECK(vault.KeyEvents() == Strings{"log.key.announced"});
  const auto new_key = vault.KeyOfLog();
  CHECK(new_key.key != old_key.key);
  const std::string overlap = vault.Anchor();
  CHECK(audit::VerifyCheckpoint(overlap, old_key));
  CHECK(audit::VerifyCheckpoint(overlap, new_key));
  CHECK(vault.LedgerReadBy(new_key) == "ok");
  vault.Erase("S-2");
  vault.CheckActs();

  // Again changes nothing.
  const auto again = vault.Rotate(LogKeyStep::kAdd);
  REQUIRE(again);
  CHECK_FALSE(again->begun);
  REQUIRE(vault.Step() == "ok");
  CHECK(vault.KeyOfLog().key == new_key.key);
  CHECK(vault.KeyEvents().size() == 1);

  CHECK(AnswerOf(vault.Rotate(LogKeyStep::kRetire)) == "rotation_unfinished");
  CHECK(AnswerOf(vault.Rotate(LogKeyStep::kAdd)) == "rotation_in_progress");
  REQUIRE(vault.Step() == "ok");
  CHECK(vault.KeyEvents() == Strings{"log.key.announced", "log.key.retired"});
  const auto alone = audit::VerifyCheckpoint(vault.Anchor(), new_key);
  REQUIRE(alone);
  CHECK_FALSE(audit::VerifyCheckpoint(vault.Anchor(), old_key));
  vault.Erase("S-3");
  const auto finished = vault.Rotate(LogKeyStep::kRetire);
  INFO(AnswerOf(finished));
  REQUIRE(finished);
  CHECK(vault.OpenKeyring().log_keys().size() == 1);
  REQUIRE(vault.Step() == "ok");
  CHECK(AnswerOf(vault.Rotate(LogKeyStep::kRetire)) == "nothing_to_retire");
  vault.Erase("S-4");
  vault.CheckActs();
  CHECK(vault.LedgerReadBy(new_key) == "ok");

  vault.Close();
  CHECK(vault.Verified(new_key) == "ok");
  CHECK(vault.Verified(old_key) == "epoch");
  CHECK(vault.Verified(old_key, {overlap}) == "ok");
  vault.Open();
  CHECK(vault.KeyEvents().size() == 2);
  vault.CheckInvariants();
}

TEST_CASE("a log's key can be exchanged again and again without a start between") {
  LogKeyExchanged vault;
  for (int i = 0; i < 3; ++i) {
    CAPTURE(i);
    REQUIRE(vault.Rotate(LogKeyStep::kAdd));
    REQUIRE(vault.Step() == "ok");
    CHECK(AnswerOf(vault.Rotate(LogKeyStep::kRetire)) == "rotation_unfinished");
    REQUIRE(vault.Step() == "ok");
    REQUIRE(vault.Rotate(LogKeyStep::kRetire));
    // Without a look at it in between, next time.
    if (i == 1) REQUIRE(vault.Step() == "ok");
    vault.Erase("R-" + std::to_string(i));
  }
  CHECK(vault.KeyEvents().size() == 6);
  vault.Reopen();
  CHECK(vault.KeyEvents().size() == 6);
  vault.Close();
  CHECK(vault.Verified(vault.KeyOfLog()) == "ok");
}

TEST_CASE("what a restart finds of an exchange of the log's key it brings to its end") {
  LogKeyExchanged vault;
  const auto old_key = vault.KeyOfLog();
  // How far the server has come, and the command.
  const int stage = GENERATE(0, 1, 2, 3);
  CAPTURE(stage);
  REQUIRE(vault.Rotate(LogKeyStep::kAdd));
  if (stage > 0) REQUIRE(vault.Step() == "ok");
  if (stage > 1) CHECK(AnswerOf(vault.Rotate(LogKeyStep::kRetire)) == "rotation_unfinished");
  if (stage > 2) REQUIRE(vault.Step() == "ok");
  vault.Erase("C-1");
  vault.Reopen();
  REQUIRE(vault.Step() == "ok");
  CHECK_FALSE(std::filesystem::exists(vault.HandedOver()));
  CHECK(vault.OpenKeyring().log_keys().size() == (stage > 1 ? 1 : 2));
  CHECK(vault.KeyEvents().size() == (stage > 1 ? 2 : 1));
  CHECK(vault.LedgerReadBy(vault.KeyOfLog()) == "ok");
  CHECK(vault.KeyOfLog().key != old_key.key);
  vault.Erase("C-2");
  vault.CheckActs();
  if (stage <= 1) {
    CHECK(AnswerOf(vault.Rotate(LogKeyStep::kRetire)) == "rotation_unfinished");
    REQUIRE(vault.Step() == "ok");
    REQUIRE(vault.Rotate(LogKeyStep::kRetire));
    REQUIRE(vault.Step() == "ok");
  }
  vault.Reopen();
  vault.Close();
  CHECK(vault.Verified(vault.KeyOfLog()) == "ok");
}

TEST_CASE("a key of the log that keyring.json does not have signs nothing") {
  LogKeyExchanged vault;
  const auto old_key = vault.KeyOfLog();
  const std::string path = KeyringPath(vault.directory());
  const auto before = crypto::ReadFile(path, 1UZ << 20);
  REQUIRE(before);
  REQUIRE(vault.Rotate(LogKeyStep::kAdd));
  const auto with_next = crypto::ReadFile(path, 1UZ << 20);
  REQUIRE(with_next);
  SECTION("handed over, and not in the file") {
    REQUIRE(crypto::WriteFileAtomically(path, *before));
    CHECK(vault.Step() == "keyring_behind");
    CHECK(vault.KeyOfLog().key == old_key.key);
    CHECK(vault.KeyEvents().empty());
    REQUIRE(crypto::WriteFileAtomically(path, *with_next));
    CHECK(vault.Step() == "ok");
  }
  SECTION("in the file, and not handed over") {
    std::filesystem::remove(vault.HandedOver());
    CHECK(vault.Step() == "keyring_ahead");
    CHECK(vault.KeyOfLog().key == old_key.key);
    REQUIRE(vault.Rotate(LogKeyStep::kAdd));
    CHECK(vault.Step() == "ok");
  }
  SECTION("and one that signs already is missed there") {
    CHECK(vault.Step() == "ok");
    REQUIRE(crypto::WriteFileAtomically(path, *before));
    CHECK(vault.Step() == "keyring_behind");
    REQUIRE(crypto::WriteFileAtomically(path, *with_next));
    CHECK(vault.Step() == "ok");
  }
  SECTION("what was handed over is altered, or nothing") {
    auto altered = *crypto::ReadFile(vault.HandedOver(), 4096);
    altered.back() ^= 1;
    REQUIRE(crypto::WriteFileAtomically(vault.HandedOver(), crypto::Bytes(80)));
    CHECK(vault.Step() == "envelope_malformed");
    REQUIRE(crypto::WriteFileAtomically(vault.HandedOver(), altered));
    CHECK(vault.Step() == "envelope_not_authentic");
    CHECK(vault.KeyOfLog().key == old_key.key);
    REQUIRE(vault.Rotate(LogKeyStep::kAdd));
    CHECK(vault.Step() == "ok");
  }
  CHECK(vault.KeyOfLog().key != old_key.key);
  CHECK(vault.KeyEvents() == Strings{"log.key.announced"});
}

TEST_CASE("the new key vouches for no line of the ledger that was not written by the vault") {
  LogKeyExchanged vault;
  const auto old_key = vault.KeyOfLog();
  const std::string path = vault.directory() + "/erasures.ledger";
  const auto ledger = *crypto::ReadFile(path, 1UZ << 20);
  // Somebody without any key writes another client into the last line, of as many bytes.
  auto altered = ledger;
  const auto at = crypto::AsText(altered).rfind("cli_");
  REQUIRE(at != std::string_view::npos);
  altered[at + 10] = altered[at + 10] == 'a' ? 'b' : 'a';
  REQUIRE(vault.Rotate(LogKeyStep::kAdd));
  const auto write = [&](const crypto::Bytes& bytes) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.write(crypto::AsText(bytes).data(), static_cast<std::streamsize>(bytes.size()));
    REQUIRE(file.flush());
  };
  write(altered);
  CHECK(vault.Step() == "ledger_damaged");
  CHECK(vault.KeyOfLog().key == old_key.key);
  CHECK(*crypto::ReadFile(path, 1UZ << 20) == altered);
  // Nobody else's operation failed with it.
  vault.NewClient("V-1");
  write(ledger);
  CHECK(vault.Step() == "ok");
  CHECK(vault.KeyOfLog().key != old_key.key);
  CHECK(vault.LedgerReadBy(vault.KeyOfLog()) == "ok");
  CHECK(vault.KeyEvents() == Strings{"log.key.announced"});
  vault.Reopen();
  vault.CheckInvariants();
}

TEST_CASE("what is no file was handed over by nobody, and holds nobody up") {
  LogKeyExchanged vault;
  for (const char* name : {"log-signing", "client-kek", "vault-db", "keys-db", "search-index"}) {
    const std::string path = HandedOverKeyPath(vault.directory(), name);
    REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  }
  CHECK(vault.Step() == "ok");
  for (const char* name : {"log-signing", "search-index"}) {
    const std::string path = HandedOverKeyPath(vault.directory(), name);
    REQUIRE(std::filesystem::remove(path));
    REQUIRE(std::filesystem::create_directory(path));
  }
  CHECK(vault.Step() == "ok");
  vault.Reopen();
  CHECK(vault.Step() == "ok");
}

TEST_CASE("without a server a key is not retired before the log has announced the other") {
  LogKeyExchanged vault;
  vault.Close();
  REQUIRE(crypto::Keyring::AddLogKey(KeyringPath(vault.directory()), vault.root()));
  VaultOptions options;
  options.directory = vault.directory();
  options.anchor_path = vault.anchor_path();
  options.page_cache_mib = 4;
  options.require_locked_memory = false;
  options.scrub_entries_per_s = 0;
  options.clock = &vault.clock;
  CHECK(AnswerOf(RotateLogKey(options, vault.root(), LogKeyStep::kRetire)) ==
        "rotation_unfinished");
  const auto again = RotateLogKey(options, vault.root(), LogKeyStep::kAdd);
  REQUIRE(again);
  CHECK_FALSE(again->begun);
  REQUIRE(RotateLogKey(options, vault.root(), LogKeyStep::kRetire));
  vault.Open();
  CHECK(vault.KeyEvents() == Strings{"log.key.announced", "log.key.retired"});
}

TEST_CASE("where no checkpoint can be published a new key is taken up when one can") {
  LogKeyExchanged vault;
  REQUIRE(vault.Rotate(LogKeyStep::kAdd));
  const std::string anchor = AnchorPath(vault.directory(), vault.anchor_path());
  std::filesystem::rename(anchor, anchor + ".away");
  std::filesystem::create_directory(anchor);
  CHECK(vault.Step() != "ok");
  CHECK(std::filesystem::exists(vault.HandedOver()));
  CHECK(AnswerOf(vault.Rotate(LogKeyStep::kRetire)) == "rotation_unfinished");
  // What is published by the old key alone still holds.
  const auto report = vault->verification().VerifyLog(vault.As(kAuditor), false);
  REQUIRE(report);
  CHECK(report->log.ok());
  std::filesystem::remove(anchor);
  std::filesystem::rename(anchor + ".away", anchor);
  CHECK(vault.Step() == "ok");
  CHECK_FALSE(std::filesystem::exists(vault.HandedOver()));
  CHECK(audit::VerifyCheckpoint(vault.Anchor(), vault.KeyOfLog()));
}

TEST_CASE("an exchange of the log's key leaves no entry but its own") {
  LogKeyExchanged vault;
  const auto before = vault.WholeLog().size();
  REQUIRE(vault.Rotate(LogKeyStep::kAdd));
  REQUIRE(vault.Step() == "ok");
  CHECK(AnswerOf(vault.Rotate(LogKeyStep::kRetire)) == "rotation_unfinished");
  REQUIRE(vault.Step() == "ok");
  REQUIRE(vault.Rotate(LogKeyStep::kRetire));
  REQUIRE(vault.Step() == "ok");
  Strings actions;
  const auto log = vault.WholeLog();
  for (auto i = before; i < log.size(); ++i) {
    if (log[i].actor == "vault") actions.push_back(log[i].action);
  }
  CHECK(actions == Strings{"log.key.announced", "log.key.retired"});
}

TEST_CASE("what a command is just handing over is not removed under it") {
  LogKeyExchanged vault;
  REQUIRE(vault.Rotate(LogKeyStep::kAdd));
  REQUIRE(BeginKeyExchange(vault.directory(), vault.root(), crypto::KeysInUse::kClients));
  REQUIRE(BeginKeyExchange(vault.directory(), vault.root(), crypto::KeysInUse::kDatabases));
  REQUIRE(AskForIndexExchange(vault.directory(), vault.root()));
  Strings begun;
  for (const char* name : {"log-signing", "client-kek", "vault-db", "keys-db", "search-index"}) {
    begun.push_back(HandedOverKeyPath(vault.directory(), name) + ".0123456789abcdef.tmp");
    std::ofstream(begun.back()) << "a part of it";
  }
  {
    const auto lock = KeyringLock::Acquire(vault.directory());
    REQUIRE(lock);
    for (int step = 0; step < 5; ++step) CHECK(vault.Step() == "ok");
    for (const std::string& path : begun) CHECK(std::filesystem::exists(path));
  }
  // What was taken up meanwhile, and nobody writes any more.
  for (int step = 0; step < 5; ++step) CHECK(vault.Step() == "ok");
  for (const char* name : {"log-signing", "client-kek", "vault-db", "keys-db"}) {
    CHECK_FALSE(IsHandedOver(HandedOverKeyPath(vault.directory(), name)));
  }
  CHECK(vault.KeyEvents() == Strings{"log.key.announced"});
}

TEST_CASE("a key of the log is added as often as anybody likes beside a server that takes it up") {
  LogKeyExchanged vault;
  Strings answers;
  std::atomic<bool> ended{false};
  std::thread commands([&] {
    for (int i = 0; i < 40; ++i) {
      VaultOptions options;
      options.directory = vault.directory();
      answers.push_back(AnswerOf(RotateLogKey(options, vault.root(), LogKeyStep::kAdd)));
    }
    ended = true;
  });
  Strings steps;
  while (!ended) steps.push_back(vault.Step());
  commands.join();
  CHECK(answers == Strings(40, "ok"));
  // The key is in keyring.json a moment before it is handed over.
  std::erase_if(steps, [](const auto& step) { return step == "ok" || step == "keyring_ahead"; });
  CHECK(steps == Strings{});
  CHECK(vault.Step() == "ok");
  CHECK(vault.KeyEvents() == Strings{"log.key.announced"});
}

TEST_CASE("without a server no other ledger than the vault's is vouched for by a new key") {
  LogKeyExchanged vault;
  const auto restricted = vault.NewClient("H-1");
  REQUIRE(
      vault->restrictions().Restrict(vault.As(kPrivacyOfficer), restricted, {{}, "accuracy", {}}));
  vault.Erase("S-2");
  const auto key = vault.KeyOfLog();
  vault.Close();
  const std::string own = vault.directory() + "/erasures.ledger";
  const auto bytes = crypto::ReadFile(own, 1UZ << 20);
  REQUIRE(bytes);
  const std::string all(crypto::AsText(*bytes));
  REQUIRE(std::ranges::count(all, '\n') >= 2);
  const std::string other = vault.work() / "other-ledger";
  for (std::size_t end = 0; end < all.size(); end = all.find('\n', end) + 1) {
    CAPTURE(end, all.size());
    std::ofstream(other, std::ios::binary | std::ios::trunc) << all.substr(0, end);
    CHECK(vault.RotateOffline(LogKeyStep::kAdd, other) == "ledger_older");
    CHECK(std::filesystem::file_size(other) == end);
  }
  std::filesystem::remove(other);
  CHECK(vault.RotateOffline(LogKeyStep::kAdd, other) == "ledger_missing");
  REQUIRE(mkfifo(other.c_str(), 0600) == 0);
  CHECK(vault.RotateOffline(LogKeyStep::kAdd, other) == "file_not_read");
  CHECK(vault.OpenKeyring().log_keys().size() == 1);
  CHECK(vault.KeyOfLog().key == key.key);
  CHECK(vault.RotateOffline(LogKeyStep::kAdd) == "ok");
  CHECK(vault.RotateOffline(LogKeyStep::kRetire) == "ok");
  vault.Open();
  vault.CheckActs();
}

TEST_CASE("a key that comes after a keyring.json of before is announced all the same") {
  const bool served = GENERATE(true, false);
  LogKeyExchanged vault(false);
  REQUIRE(std::filesystem::file_size(vault.directory() + "/erasures.ledger") == 0);
  const auto first = vault.KeyOfLog();
  const auto keyring = crypto::ReadFile(KeyringPath(vault.directory()), 1UZ << 20);
  REQUIRE(keyring);
  REQUIRE(vault.Rotate(LogKeyStep::kAdd));
  REQUIRE(vault.Step() == "ok");
  const auto lost = vault.KeyOfLog();
  const std::string by_lost = vault.Anchor();
  vault.Close();
  REQUIRE(crypto::WriteFileAtomically(KeyringPath(vault.directory()), *keyring));
  if (served) {
    vault.Open();
    REQUIRE(vault.Rotate(LogKeyStep::kAdd));
    CHECK(AnswerOf(vault.Rotate(LogKeyStep::kRetire)) == "rotation_unfinished");
    REQUIRE(vault.Step() == "ok");
  } else {
    CHECK(vault.RotateOffline(LogKeyStep::kAdd) == "ok");
    vault.Open();
  }
  const auto second = vault.KeyOfLog();
  CHECK(second.key != lost.key);
  CHECK(second.key != first.key);
  CHECK(vault.KeyEvents() == Strings{"log.key.announced", "log.key.retired", "log.key.announced"});
  const std::string overlap = vault.Anchor();
  vault.Reopen();
  CHECK(vault.KeyEvents().size() == 3);
  vault.Close();
  CHECK(vault.RotateOffline(LogKeyStep::kRetire) == "ok");
  vault.Open();
  vault.Close();
  CHECK(vault.Verified(second) == "ok");
  CHECK(vault.Verified(first, {overlap, by_lost}) == "ok");
  // It was announced, and leads to what its own signature covers.
  CHECK(vault.Verified(lost, {by_lost}) == "epoch");
  vault.Open();
  vault.CheckInvariants();
}

}  // namespace coffer::vault
