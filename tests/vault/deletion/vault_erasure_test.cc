// Erasure: after its answer nobody reads the client again, through the vault or from the files.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <thread>

#include "crypto/keys_database_key.h"
#include "tests/vault/test_vault.h"
#include "vault/storage/migrations.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;

class ErasingVault : public TestVault {
 public:
  ErasingVault() {
    client = NewClient("A-1", {"vip"});
    record = NewContact(client, {{"last_name", "Doe"}});
    REQUIRE((*this)->records().UpdateRecord(As(kCrmService), client, record, 1,
                                            {{"last_name", "Roe"}}));
    NewContact(client, {{"last_name", "Doe"}});
    other = NewClient("A-2", {"vip"});
    kept = NewContact(other, {{"last_name", "Doe"}});
  }
  auto Erase() { return (*this)->erasures().Erase(As(kPrivacyOfficer), client, {}); }
  ClientId client, other;
  RecordId record, kept;
};

TEST_CASE("an erased client is gone with everything of it, and nothing else is") {
  ErasingVault vault;
  vault.clock.Advance(1000);
  const auto caller = vault.As(kPrivacyOfficer);
  const auto erasure = vault->erasures().Erase(caller, vault.client, {});
  REQUIRE(erasure);
  CHECK(erasure->client == vault.client);
  CHECK(erasure->records == 2);
  CHECK(erasure->erased == vault.clock.Now());
  CHECK(vault.EntryOf(caller) ==
        vault.Allowed(kPrivacyOfficer, {{"action", "client.erase"},
                                        {"client", vault.client.Text()},
                                        {"detail", "one person alone; erasure " +
                                                       erasure->id.Text() + "; scope client"}}));
  CHECK(vault.WholeLog()[erasure->seq].request == caller.call.Text());

  const auto crm = [&] { return vault.As(kCrmService); };
  for (int round = 0; round < 2; ++round) {
    CHECK(AnswerOf(vault->clients().GetClient(crm(), vault.client)) == "not_found");
    CHECK(AnswerOf(vault->records().GetRecord(crm(), vault.client, vault.record)) == "not_found");
    CHECK(AnswerOf(vault->records().GetRecordVersion(crm(), vault.client, vault.record, 1)) ==
          "not_found");
    CHECK(AnswerOf(vault->records().ListVersions(crm(), vault.client, vault.record)) ==
          "not_found");
    CHECK(AnswerOf(vault->records().ListRecords(crm(), vault.client, "", true, {})) == "not_found");
    CHECK(AnswerOf(vault->clients().UpdateClient(crm(), vault.client, 1, {})) == "not_found");
    CHECK(AnswerOf(vault->records().CreateRecord(crm(), vault.client, "contact",
                                                 {{"last_name", "X"}}, {})) == "not_found");
    CHECK(vault->searches().SearchByReference(crm(), "A-1")->items.empty());
    CHECK(vault->searches().SearchByField(crm(), "contact", "last_name", "Doe", {})->items.size() ==
          1);
    CHECK(vault->clients().ListClients(crm(), "vip", "", {})->items.size() == 1);
    CHECK(vault->records().GetRecord(crm(), vault.other, vault.kept)->data ==
          R"({"last_name":"Doe"})");
    vault.Close();
    vault.Open();
  }
  CHECK(vault.KeyCount() == 1);
  CHECK(vault->monitoring().ReadStatus(vault.As(kPrivacyOfficer))->erasures == 1);
  vault.CheckInvariants();
}

TEST_CASE("an erasure that is repeated gets the same answer") {
  ErasingVault vault;
  const auto first = vault.Erase();
  REQUIRE(first);
  vault.clock.Advance(60'000);
  vault.Close();
  vault.Open();
  const auto caller = vault.As(kPrivacyOfficer);
  const auto again = vault->erasures().Erase(caller, vault.client, {});
  REQUIRE(again);
  CHECK(again->client == first->client);
  CHECK(again->erased == first->erased);
  CHECK(again->records == first->records);
  CHECK(again->seq == first->seq);
  CHECK(vault.EntryOf(caller).at("outcome") == "repeated");
  vault.CheckInvariants();
}

TEST_CASE("a reference is free for another client after the erasure, where that is meant") {
  ErasingVault vault;
  REQUIRE(vault.Erase());
  const auto made = vault->clients().CreateClient(vault.As(kCrmService), {"A-1", {}, {}, true}, {});
  REQUIRE(made);
  const ClientId next = made->id;
  CHECK(next != vault.client);
  CHECK(vault->searches().SearchByReference(vault.As(kCrmService), "A-1")->items[0].client == next);
  vault.CheckInvariants();
}

TEST_CASE("rows that are put back after the erasure stay unreadable, and are found out") {
  ErasingVault vault;
  const Bytes profile = vault.Blob("SELECT profile FROM clients WHERE id = ?", vault.client.Row());
  const Bytes payload = vault.Blob("SELECT payload FROM records WHERE id = ?", vault.record.Row());
  REQUIRE(vault.Erase());
  vault.Close();
  vault.Tamper(
      "INSERT INTO clients (id, cid, state, version, created, updated, tags, profile) "
      "VALUES (?, ?, 1, 1, 0, 0, '', ?)",
      vault.client.Row(), vault.client.bytes(), ByteView(profile));
  vault.Tamper(
      "INSERT INTO records (id, rid, client, class, class_version, version, created, updated, "
      "fields, tokens, payload) VALUES (?, ?, ?, 'contact', 1, 2, 0, 0, 1, x'', ?)",
      vault.record.Row(), vault.record.bytes(), vault.client.Row(), ByteView(payload));
  vault.Open();
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), vault.client)) ==
        "integrity_failed");
  CHECK(AnswerOf(vault->records().GetRecord(vault.As(kCrmService), vault.client, vault.record)) ==
        "integrity_failed");
  const auto report = vault->verification().VerifyLog(vault.As(kPrivacyOfficer), true);
  REQUIRE(report);
  REQUIRE(report->log.findings.size() == 2);
  for (const auto& finding : report->log.findings) CHECK(finding.check == "state");
}

TEST_CASE("the wrapped key of an erased client is in no file of the vault any more") {
  ErasingVault vault;
  Bytes wrapped;
  {
    const Database keys = vault.OpenKeysDatabase();
    auto select = Statement::Prepare(keys, "SELECT wrapped FROM client_keys WHERE client = ?");
    REQUIRE(select);
    auto row = select->Query(vault.client.Row());
    REQUIRE(row.Next() == true);
    wrapped.assign(row.Blob(0).begin(), row.Blob(0).end());
  }
  REQUIRE(vault.Erase());
  // The pages' ciphertext cannot be searched; what the WAL could still hold is cut off with it.
  CHECK(fs::file_size(KeysDatabasePath(vault.directory()) + "-wal") == 0);
  // Whoever kept the row elsewhere needs the vault's keyring, and puts it back in vain: the erasure
  // is on record, and so are the rows that are gone.
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), vault.client)) == "not_found");
  vault.CheckInvariants();
}

TEST_CASE("after an erasure the store of keys is written anew, while the vault serves") {
  TestVault vault({.keys_rewrite_after_ms = 0, .keys_rewrite_interval_ms = 0});
  const auto statistics = [&] {
    const auto read = vault->monitoring().ReadStatistics(vault.As(kAdministrator));
    REQUIRE(read);
    return *read;
  };
  const ClientId kept = vault.NewClient("A-0");
  CHECK(statistics().keys_rewrites == 0);
  CHECK(!statistics().keys_rewrite_pending);
  CHECK(!vault->monitoring().ReadStatus(vault.As(kAdministrator))->keys_rewrite_pending);
  std::atomic<bool> done{false};
  std::atomic<int> unexpected{0};
  {
    // Whoever looks at the pages of keys.db has the one before or the one after.
    const std::jthread verifying([&] {
      while (!done) {
        const auto report = vault->verification().VerifyLog(vault.As(kPrivacyOfficer), true);
        if (!report || !report->log.ok()) ++unexpected;
      }
    });
    const std::jthread reading([&] {
      while (!done) {
        if (!vault->clients().GetClient(vault.As(kCrmService), kept)) ++unexpected;
      }
    });
    for (int i = 1; i <= 20; ++i) {
      const ClientId client = vault.NewClient("A-" + std::to_string(i));
      if (!vault->erasures().Erase(vault.As(kPrivacyOfficer), client, {})) ++unexpected;
    }
    for (int i = 0; i < 1000 && statistics().keys_rewrite_pending; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    done = true;
  }
  CHECK(unexpected == 0);
  CHECK(statistics().keys_rewrites > 0);
  CHECK(!statistics().keys_rewrite_pending);
  vault.CheckInvariants();
  vault.Close();
  vault.Open();
  CHECK(!statistics().keys_rewrite_pending);
  CHECK(vault->clients().GetClient(vault.As(kCrmService), kept));
  vault.CheckInvariants();
}

TEST_CASE("a copy is verified whatever the rewrite of the store of keys had come to") {
  ErasingVault vault;
  vault.Close();
  const std::string keys = KeysDatabasePath(vault.directory());
  OfflineVerifyOptions options;
  options.directory = vault.directory();
  options.deep = true;
  const auto verified = [&] {
    const auto report = VerifyDirectory(options, vault.root());
    INFO(AnswerOf(report));
    REQUIRE(report);
    CHECK(report->log.findings.empty());
    CHECK(report->clients_checked == 2);
  };
  verified();
  const auto keyring = vault.OpenKeyring();
  const auto next = crypto::AddKeysDatabaseKey(KeysDatabaseKeyPath(keys), keyring);
  REQUIRE(next);
  verified();
  {
    auto copy = Database::Open(NextKeysDatabasePath(keys), *next, {.create = true});
    REQUIRE(copy);
    REQUIRE(Migrate(*copy, KeysMigrations()));
    const Database old = vault.OpenKeysDatabase();
    auto select = Statement::Prepare(old, "SELECT * FROM client_keys");
    auto insert = Statement::Prepare(*copy, "INSERT INTO client_keys VALUES (?, ?, ?, ?, ?)");
    REQUIRE(select);
    REQUIRE(insert);
    auto row = select->Query();
    while (*row.Next()) REQUIRE(insert->ExecuteWithRow(row));
  }
  verified();
  for (const char* suffix : {"-wal", "-shm"}) fs::remove(keys + suffix);
  fs::rename(NextKeysDatabasePath(keys), keys);
  verified();
  vault.Open();
  CHECK(crypto::ReadKeysDatabaseKeys(KeysDatabaseKeyPath(keys), keyring)->size() == 1);
  CHECK(vault->records().GetRecord(vault.As(kCrmService), vault.client, vault.record));
  vault.Close();
  verified();
  // Without its key it says so.
  fs::remove(KeysDatabaseKeyPath(keys));
  const auto opened = vault.TryOpen();
  REQUIRE(!opened);
  CHECK(opened.error().reason == "database_unreadable");
  CHECK(opened.error().detail.find("keys.db.key") != std::string::npos);
}

TEST_CASE("only who may erase erases") {
  ErasingVault vault;
  for (const Role role : {kAdministrator, kSecurityOfficer, kCaseWorker, kCrmService, kAuditor}) {
    const auto caller = vault.As(role);
    CHECK(AnswerOf(vault->erasures().Erase(caller, vault.client, {})) == "permission_denied");
    CHECK(vault.EntryOf(caller) == vault.Denied(role, {{"action", "client.erase"},
                                                       {"client", vault.client.Text()},
                                                       {"rule", "check:role"},
                                                       {"outcome", "permission_denied"}}));
  }
  CHECK(AnswerOf(vault->erasures().Erase(vault.As(kPrivacyOfficer, ""), vault.client, {})) ==
        "purpose_required");
  CHECK(vault->clients().GetClient(vault.As(kCrmService), vault.client));
  vault.CheckInvariants();
}

TEST_CASE("after the erasure's answer no read begins, whoever is under way") {
  TestVault vault;
  std::atomic<int> late{0};
  std::atomic<int> read_before{0};
  std::atomic<int> unexpected{0};
  for (int round = 0; round < 12; ++round) {
    const std::string reference = "A-" + std::to_string(round);
    const ClientId client = vault.NewClient(reference, {"t"});
    const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
    std::atomic<bool> erased{false};
    std::atomic<int> begun{0};
    const auto work = [&](auto operation) {
      for (bool first = true;; first = false) {
        const bool after = erased;  // the erasure was answered before this begins
        const std::string answer = operation();
        if (first) ++begun;
        if (answer == "ok") {
          ++(after ? late : read_before);
        } else if (answer != "not_found") {
          ++unexpected;
        }
        if (after) return;
      }
    };
    {
      std::vector<std::jthread> threads;
      threads.emplace_back([&] {
        work([&] {
          return AnswerOf(vault->records().GetRecord(vault.As(kCrmService), client, record));
        });
      });
      threads.emplace_back([&] {
        work([&] { return AnswerOf(vault->clients().GetClient(vault.As(kSupervisor), client)); });
      });
      threads.emplace_back([&] {
        work([&] {
          return AnswerOf(vault->records().CreateRecord(vault.As(kCrmService), client, "contact",
                                                        {{"last_name", "X"}}, {}));
        });
      });
      threads.emplace_back([&] {
        work([&] {
          std::string answer = "not_found";
          const auto list = vault->clients().ListClients(vault.As(kCrmService), "t", "", {200, {}});
          if (!list) return AnswerOf(list);
          for (const auto& item : list->items) {
            if (item.id == client) answer = "ok";
          }
          return answer;
        });
      });
      threads.emplace_back([&] {
        work([&] {
          const auto list =
              vault->records().ListRecords(vault.As(kCrmService), client, "", true, {200, {}});
          return AnswerOf(list);
        });
      });
      while (begun < 5) std::this_thread::yield();
      const auto erasure = vault->erasures().Erase(vault.As(kPrivacyOfficer), client, {});
      erased = true;
      if (!erasure) ++unexpected;
    }
    CHECK(vault.Number("SELECT count(*) FROM records WHERE client = ?", client.Row()) == 0);
  }
  CHECK(late == 0);
  CHECK(unexpected == 0);
  CHECK(read_before > 0);
  CHECK(vault.KeyCount() == 0);
  vault.CheckInvariants();
}

TEST_CASE("of many who erase one client, all get the same answer") {
  ErasingVault vault;
  std::vector<Result<Erasure>> answers(6);
  {
    std::vector<std::jthread> threads;
    for (auto& answer : answers) {
      const Caller caller = vault.As(kPrivacyOfficer);
      threads.emplace_back([&vault, &answer, caller] {
        answer = vault->erasures().Erase(caller, vault.client, {});
      });
    }
  }
  for (const auto& answer : answers) {
    REQUIRE(answer);
    CHECK(answer->records == 2);
    CHECK(answer->seq == answers[0]->seq);
  }
  vault.CheckInvariants();
}

TEST_CASE("imports that race with an erasure make a new client, never half an old one") {
  TestVault vault;
  const json data = {{"last_name", "Doe"}};
  const auto import = [&] {
    return vault->imports().ImportRecord(vault.As(kCrmService), {"A-1", "contact", "", data, true});
  };
  std::atomic<bool> done{false};
  std::atomic<int> unexpected{0};
  {
    const std::jthread erasing([&] {
      for (int i = 0; i < 40; ++i) {
        const auto imported = import();
        if (!imported ||
            !vault->erasures().Erase(vault.As(kPrivacyOfficer), imported->client, {})) {
          ++unexpected;
        }
      }
      done = true;
    });
    std::vector<std::jthread> importing;
    for (int t = 0; t < 2; ++t) {
      importing.emplace_back([&] {
        while (!done) {
          if (!import()) ++unexpected;
        }
      });
    }
  }
  CHECK(unexpected == 0);
  CHECK(vault.Number("SELECT count(*) FROM clients") <= 1);
  vault.CheckInvariants();
}

}  // namespace
}  // namespace coffer::vault
