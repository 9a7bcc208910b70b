// vault.db written anew under another key, beside an engine that commits, fails and is short of
// room.
#include "vault/engine/vault_rewrite.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/vault/test_engine.h"
#include "vault/storage/vault_database.h"

namespace coffer::vault {
namespace {

class RewrittenEngine : public TestEngine {
 public:
  std::uint32_t Version() { return (*this)->vault_rewrite().key_version(); }
  void Await(std::uint32_t version) {
    for (int i = 0; i < 12'000 && Version() != version; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    REQUIRE(Version() == version);
  }
  bool Says(std::string_view words) {
    return std::ranges::any_of(Said(), [&](const auto& said) { return said.contains(words); });
  }
  void AwaitSaid(std::string_view words) {
    for (int i = 0; i < 12'000 && !Says(words); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    REQUIRE(Says(words));
  }
  bool NextIsThere() { return std::filesystem::exists(NextVaultDatabasePath(vault_path())); }
};

}  // namespace

TEST_CASE("vault.db is not copied where there is no room, and is when there is") {
  RewrittenEngine engine;
  engine.vault_rewrite.spare_bytes = std::uint64_t{1} << 60;
  engine.vault_rewrite.retry_ms = 0;
  engine.Close();
  engine.Open();
  engine.Start();
  CHECK(engine.Put(1) == "ok");
  engine.TakeNextDatabaseKeys();
  CHECK(engine.Put(2) == "ok");
  engine.AwaitSaid("MiB more have to stay free");
  CHECK(engine.Version() == 1);
  CHECK_FALSE(engine.NextIsThere());
  CHECK(engine.Put(3) == "ok");
  CHECK(engine.Rows() == Numbers{1, 2, 3});
  // It is under the older key still, which a start finds by itself.
  engine.Close();
  auto opened = OpenVaultDatabase(engine.vault_path(), engine.keyring(), {.read_only = true});
  REQUIRE(opened);
  CHECK(opened->key_version == 1);
}

TEST_CASE("batches that fail while vault.db is copied change nothing of it") {
  RewrittenEngine engine;
  engine.vault_rewrite.retry_ms = 0;
  engine.Close();
  engine.Open();
  engine.Start();
  engine.TakeNextDatabaseKeys();
  Numbers rows;
  for (int n = 0; n < 40; ++n) {
    if (n % 8 == 7) {
      CHECK(engine.PutAndFail(1000 + n, Code::kUnavailable, "storage_full") != "ok");
      continue;
    }
    if (n % 8 == 3) CHECK(engine.PutAndFail(1000 + n) == "changed_mind");
    CHECK(engine.Put(n) == "ok");
    rows.push_back(n);
  }
  engine.Await(2);
  CHECK_FALSE(engine.NextIsThere());
  CHECK(engine.Put(99) == "ok");
  rows.push_back(99);
  CHECK(engine.Rows() == rows);
  engine.CheckInvariants();
  engine.Close();
  engine.Open();
  engine.Start();
  CHECK(engine.Version() == 2);
  CHECK(engine.Put(100) == "ok");
  rows.push_back(100);
  CHECK(engine.Rows() == rows);
  engine.CheckInvariants();
}

}  // namespace coffer::vault
