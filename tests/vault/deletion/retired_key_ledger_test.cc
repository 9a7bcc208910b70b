// A key of the log that was retired writes nothing into the ledger of erasures any more.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>
#include <fstream>

#include "audit/documents/erasure_ledger.h"
#include "tests/vault/test_vault.h"
#include "vault/engine/setting_store.h"
#include "vault/log_key_rotation.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;

// Somebody has the keyring of before the exchange, and writes the ledger's file.
class RetiredKey : public TestVault {
 public:
  RetiredKey() : stolen(OpenKeyring()) {
    living = NewClient("L-1");
    record = NewContact(living, {{"last_name", "Doe"}});
    Erase("G-1");
    Erase("G-2");
    Close();
  }
  void Erase(const std::string& reference) {
    const auto client = NewClient(reference);
    REQUIRE((*this)->erasures().Erase(As(kPrivacyOfficer), client, {}));
  }
  void Exchange() {
    Step(LogKeyStep::kAdd);
    Step(LogKeyStep::kRetire);
  }
  void Step(LogKeyStep step) {
    Close();
    VaultOptions options;
    options.directory = directory();
    options.anchor_path = anchor_path();
    options.page_cache_mib = 4;
    options.require_locked_memory = false;
    options.scrub_entries_per_s = 0;
    options.clock = &clock;
    const auto done = RotateLogKey(options, root(), step);
    INFO(AnswerOf(done));
    REQUIRE(done);
  }
  std::string Path() const { return directory() + "/erasures.ledger"; }
  Strings Lines() const {
    Strings lines;
    std::ifstream file(Path());
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  // The ledger is the first `keep` lines, and one of the retired key that erases the living client.
  void Forge(std::size_t keep) {
    Strings lines = Lines();
    lines.resize(keep);
    std::ofstream file(Path(), std::ios::trunc);
    audit::LedgerLine line;
    for (const auto& text : lines) {
      file << text << '\n';
      line.at.prev = crypto::Sha256(crypto::AsBytes(text));
    }
    line.at.n = keep;
    line.erasure = {crypto::Base32Encode(stolen.vault_id()),
                    ErasureId::New(clock.Now()).Text(),
                    living.Text(),
                    {audit::ScopeKind::kClient},
                    {},
                    1,
                    clock.Now()};
    file << *audit::WriteLedgerLine(line, stolen.log_origin(), *stolen.log_signing_key());
  }
  bool Lives() {
    return AnswerOf((*this)->records().GetRecord(As(kCrmService), living, record)) == "ok";
  }

  const crypto::Keyring stolen;
  ClientId living;
  RecordId record;
};

}  // namespace

TEST_CASE("what a retired key writes into the ledger stops the start, wherever it stands") {
  RetiredKey vault;
  vault.Exchange();
  const bool erased_since = GENERATE(false, true);
  if (erased_since) {
    vault.Open();
    vault.Erase("G-3");
    vault.Close();
  }
  const std::string copy = vault.directory() + ".copy";
  fs::copy(vault.Path(), copy);
  const std::size_t lines = vault.Lines().size();
  for (std::size_t keep = 0; keep <= lines; ++keep) {
    CAPTURE(erased_since, keep);
    fs::copy(copy, vault.Path(), fs::copy_options::overwrite_existing);
    vault.Forge(keep);
    CHECK(AnswerOf(vault.TryOpen()) == "ledger_damaged");
    vault.Close();
  }
  fs::copy(copy, vault.Path(), fs::copy_options::overwrite_existing);
  vault.Open();
  CHECK(vault.Lives());
  vault.CheckInvariants();
}

TEST_CASE("nor does it when an older vault.db is restored that does not know of the exchange") {
  RetiredKey vault;
  vault.Step(LogKeyStep::kAdd);
  const std::string before = vault.directory() + ".before";
  fs::copy(vault.directory(), before, fs::copy_options::recursive);
  vault.Step(LogKeyStep::kRetire);
  for (const char* name : {"vault.db", "anchor"}) {
    fs::copy(before + "/" + name, vault.directory() + "/" + name,
             fs::copy_options::overwrite_existing);
  }
  for (const char* name : {"vault.db-wal", "vault.db-shm", "log-index.db"}) {
    fs::remove(vault.directory() + "/" + name);
  }
  fs::remove_all(before);
  const std::size_t lines = vault.Lines().size();
  vault.Forge(lines);
  CHECK(AnswerOf(vault.TryOpen()) == "ledger_damaged");
  vault.Close();
  fs::resize_file(vault.Path(), fs::file_size(vault.Path()) - vault.Lines().back().size() - 1);
  vault.Open();
  CHECK(vault.Lives());
}

TEST_CASE("without the ledger at hand no key is exchanged") {
  RetiredKey vault;
  VaultOptions options;
  options.directory = vault.directory();
  options.anchor_path = vault.anchor_path();
  options.page_cache_mib = 4;
  options.require_locked_memory = false;
  options.scrub_entries_per_s = 0;
  options.clock = &vault.clock;
  const std::string elsewhere = vault.directory() + ".ledger";
  fs::rename(vault.Path(), elsewhere);
  CHECK(AnswerOf(RotateLogKey(options, vault.root(), LogKeyStep::kAdd)) == "ledger_missing");
  CHECK(vault.OpenKeyring().log_keys().size() == 1);
  options.ledger_path = elsewhere;
  for (const LogKeyStep step : {LogKeyStep::kAdd, LogKeyStep::kRetire}) {
    CHECK(AnswerOf(RotateLogKey(options, vault.root(), step)) == "ok");
  }
  CHECK_FALSE(fs::exists(vault.Path()));
  fs::rename(elsewhere, vault.Path());
  vault.Open();
  CHECK(vault.Lives());
}

TEST_CASE("a ledger of several keys is the one that it was") {
  RetiredKey vault;
  vault.Exchange();
  vault.Open();
  vault.Erase("G-3");
  vault.Exchange();
  const auto today = *audit::ParseVerifierKey(audit::FormatVerifierKey(
      {vault.stolen.log_origin(), vault.OpenKeyring().log_signing_key()->public_key()}));
  // Today's key is enough: it vouches for what the others signed.
  std::size_t lines = 0;
  audit::LedgerReader reader({today}, [&](const auto&) -> Status { return ++lines, Status(); });
  for (const auto& line : vault.Lines()) REQUIRE(reader.Feed(line + "\n"));
  CHECK(reader.Finish());
  CHECK(lines == 5);  // three erasures, and the last one of each key once more
  vault.Open();
  CHECK(vault.Lives());
  vault.CheckInvariants();
}

TEST_CASE("a vault that had its key exchanged by an older version trusts what it then has") {
  RetiredKey vault;
  const Strings before = vault.Lines();
  vault.Exchange();
  const std::string old_key = audit::FormatVerifierKey(
      {vault.stolen.log_origin(), vault.stolen.log_signing_key()->public_key()});
  // As that version left it.
  {
    std::ofstream file(vault.Path(), std::ios::trunc);
    for (const auto& line : before) file << line << '\n';
  }
  vault.Tamper("UPDATE settings SET value = ? WHERE name = 'ledger-keys'",
               std::string_view(old_key + "\n"));
  vault.Open();
  CHECK(vault.Lives());
  vault.Close();
  CHECK(vault.Lines().size() == before.size() + 1);
  vault.Forge(vault.Lines().size());
  CHECK(AnswerOf(vault.TryOpen()) == "ledger_damaged");
}

}  // namespace coffer::vault
