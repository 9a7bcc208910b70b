// Stored records, clients and keys are altered by somebody who has the keys of the databases:
// every alteration is noticed and named, and nothing altered is served.
#include <catch2/catch_test_macros.hpp>

#include "crypto/keys_database_key.h"
#include "tests/support/tampering.h"

using namespace coffer;
using namespace coffer::testing;
using nlohmann::json;

namespace {

// Two clients with a record of two versions each; stopped, and saved as "whole".
struct Filled {
  // Nobody but the test looks for damage.
  static VaultSettings WithoutScrub() {
    VaultSettings settings;
    settings.log_settings = "scrub_entries_per_s = 0";
    return settings;
  }
  RunningVault vault{WithoutScrub()};
  Tampering tampering{vault};
  std::string anna, bert, annas, berts, whole;

  Filled() {
    anna = vault.NewClient("A-1");
    bert = vault.NewClient("B-2");
    annas = Twice(anna, "Anna");
    berts = Twice(bert, "Bert");
    (void)vault.Token("privacy-officer");
    (void)vault.Token("security-officer");
    vault.Stop();
    whole = tampering.Save("whole");
    REQUIRE(tampering.Findings().empty());
  }
  std::string Twice(const std::string& client, const std::string& name) {
    const auto record = vault.NewContact(client, {{"last_name", name}, {"city", "Köln"}});
    const auto reply = vault.As("crm-service")
                           .Put(Path(client, record), {{"data", {{"last_name", name + " Neu"}}}},
                                {{"If-Match", "\"1\""}});
    REQUIRE(reply.status == 200);
    return record;
  }
  static std::string Path(const std::string& client, const std::string& record) {
    return "/v1/clients/" + client + "/records/" + record;
  }
  HttpReply Read(const std::string& client, const std::string& record, const char* more = "") {
    return vault.As("crm-service").Get(Path(client, record) + more);
  }
  // Starts, lets the running vault verify itself, and finds `what` named.
  void CheckNamedOnline(const std::string& what) {
    const auto report = vault.Verify();
    INFO(report.dump());
    CHECK(report.at("ok") == false);
    CHECK(report.at("findings").dump().find(what) != std::string::npos);
    CHECK_FALSE(vault.Entries("action=integrity.alarm").empty());
  }
};

}  // namespace

TEST_CASE("a flipped bit of a payload is noticed by the read and by the verification") {
  Filled f;
  for (const std::size_t at : {0U, 3U, 5U, 16U, 17U, 40U}) {
    INFO(at);
    f.tampering.Restore(f.whole);
    {
      auto opened = f.tampering.Open();
      auto payload =
          *Blob(opened.vault, "SELECT payload FROM records WHERE id = ?", RowOf(f.annas));
      payload[at] ^= 1;
      CHECK(Change(opened.vault, "UPDATE records SET payload = ? WHERE id = ?",
                   crypto::ByteView(payload), RowOf(f.annas)) == 1);
    }
    f.tampering.CheckFound(f.annas);
    if (at != 17) continue;
    f.vault.Start();
    f.tampering.CheckAlarm(f.Read(f.anna, f.annas), f.annas);
    f.tampering.CheckAlarm(
        f.vault.As("crm-service").Get("/v1/clients/" + f.anna + "/records?data=true"), f.annas);
    CHECK(f.Read(f.anna, f.annas, "/versions/1").status == 200);  // was not touched
    CHECK(f.Read(f.bert, f.berts).status == 200);
    f.CheckNamedOnline(f.annas);
    CHECK(f.vault.ServerLog().find(f.annas) != std::string::npos);
    f.vault.Stop();
  }
}

TEST_CASE("payloads swapped between two clients are noticed on both") {
  Filled f;
  {
    auto opened = f.tampering.Open();
    const auto annas =
        *Blob(opened.vault, "SELECT payload FROM records WHERE id = ?", RowOf(f.annas));
    const auto berts =
        *Blob(opened.vault, "SELECT payload FROM records WHERE id = ?", RowOf(f.berts));
    Change(opened.vault, "UPDATE records SET payload = ? WHERE id = ?", crypto::ByteView(berts),
           RowOf(f.annas));
    Change(opened.vault, "UPDATE records SET payload = ? WHERE id = ?", crypto::ByteView(annas),
           RowOf(f.berts));
  }
  f.tampering.CheckFound(f.annas);
  f.tampering.CheckFound(f.berts);
  f.vault.Start();
  f.tampering.CheckAlarm(f.Read(f.anna, f.annas), f.annas);
  f.tampering.CheckAlarm(f.Read(f.bert, f.berts), f.berts);
  f.CheckNamedOnline(f.annas);
}

TEST_CASE("a record moved to another client is noticed and not served there") {
  Filled f;
  {
    auto opened = f.tampering.Open();
    CHECK(Change(opened.vault, "UPDATE records SET client = ? WHERE id = ?", RowOf(f.bert),
                 RowOf(f.annas)) == 1);
  }
  f.tampering.CheckFound(f.annas + " was moved to client " + f.bert);
  f.vault.Start();
  f.tampering.CheckAlarm(f.Read(f.bert, f.annas), f.annas);
  CHECK(f.Read(f.anna, f.annas).status == 404);
  f.CheckNamedOnline(f.annas);
}

TEST_CASE("an old version put back in the newest one's place is noticed") {
  Filled f;
  const char* replay =
      "UPDATE records SET payload = (SELECT payload FROM record_versions WHERE record = "
      "records.id) "
      "WHERE id = ?";
  {
    auto opened = f.tampering.Open();
    CHECK(Change(opened.vault, replay, RowOf(f.annas)) == 1);
  }
  f.tampering.CheckFound(f.annas);
  f.vault.Start();
  f.tampering.CheckAlarm(f.Read(f.anna, f.annas), f.annas);
  f.vault.Stop();

  // With its version number as well, it opens: only the log knows that it is not the newest.
  f.tampering.Restore(f.whole);
  {
    auto opened = f.tampering.Open();
    Change(opened.vault, replay, RowOf(f.annas));
    Change(opened.vault, "UPDATE records SET version = 1 WHERE id = ?", RowOf(f.annas));
    Change(opened.vault, "DELETE FROM record_versions WHERE record = ?", RowOf(f.annas));
  }
  f.tampering.CheckFound(f.annas +
                         " is not what the log last recorded (version 1 stored, 2 logged)");
  f.vault.Start();
  f.CheckNamedOnline(f.annas);
}

TEST_CASE("a record or a client that was taken away is missed by name") {
  Filled f;
  {
    auto opened = f.tampering.Open();
    Change(opened.vault, "DELETE FROM records WHERE id = ?", RowOf(f.annas));
  }
  f.tampering.CheckFound("record " + f.annas + " is in the log, but not stored");
  f.tampering.Restore(f.whole);
  {
    auto opened = f.tampering.Open();
    Change(opened.vault, "DELETE FROM clients WHERE id = ?", RowOf(f.bert));
  }
  f.tampering.CheckFound("client " + f.bert + " is in the log, but not stored");
  f.vault.Start();
  f.CheckNamedOnline(f.bert);
}

TEST_CASE("a client's profile and its old versions are sealed to their place as well") {
  Filled f;
  {
    auto opened = f.tampering.Open();
    const auto annas =
        *Blob(opened.vault, "SELECT profile FROM clients WHERE id = ?", RowOf(f.anna));
    Change(opened.vault, "UPDATE clients SET profile = ? WHERE id = ?", crypto::ByteView(annas),
           RowOf(f.bert));
    auto old =
        *Blob(opened.vault, "SELECT payload FROM record_versions WHERE record = ?", RowOf(f.annas));
    old[30] ^= 4;
    Change(opened.vault, "UPDATE record_versions SET payload = ? WHERE record = ?",
           crypto::ByteView(old), RowOf(f.annas));
  }
  f.tampering.CheckFound(f.bert);
  f.vault.Start();
  f.tampering.CheckAlarm(f.vault.As("crm-service").Get("/v1/clients/" + f.bert), f.bert);
  f.tampering.CheckAlarm(f.vault.As("crm-service").Get("/v1/clients"), f.bert);
  f.tampering.CheckAlarm(f.Read(f.anna, f.annas, "/versions/1"), f.annas);
  CHECK(f.Read(f.anna, f.annas).status == 200);
  f.CheckNamedOnline(f.bert);
}

TEST_CASE("old versions are verified too") {
  Filled f;
  {
    auto opened = f.tampering.Open();
    auto old =
        *Blob(opened.vault, "SELECT payload FROM record_versions WHERE record = ?", RowOf(f.annas));
    old[30] ^= 4;
    Change(opened.vault, "UPDATE record_versions SET payload = ? WHERE record = ?",
           crypto::ByteView(old), RowOf(f.annas));
    Change(opened.vault, "DELETE FROM record_versions WHERE record = ?", RowOf(f.berts));
  }
  f.tampering.CheckFound(f.annas);
  f.tampering.CheckFound(f.berts);
}

TEST_CASE("keys that were exchanged or taken away are noticed") {
  Filled f;
  {
    auto opened = f.tampering.Open();
    const auto annas =
        *Blob(opened.keys, "SELECT wrapped FROM client_keys WHERE client = ?", RowOf(f.anna));
    Change(opened.keys, "UPDATE client_keys SET wrapped = ? WHERE client = ?",
           crypto::ByteView(annas), RowOf(f.bert));
  }
  f.tampering.CheckFound(f.bert);
  f.vault.Start();
  f.tampering.CheckAlarm(f.Read(f.bert, f.berts), f.bert);
  CHECK(f.Read(f.anna, f.annas).status == 200);
  f.vault.Stop();

  f.tampering.Restore(f.whole);
  {
    auto opened = f.tampering.Open();
    CHECK(Change(opened.keys, "DELETE FROM client_keys WHERE client = ?", RowOf(f.anna)) == 1);
  }
  f.tampering.CheckFound(f.anna);
  f.vault.Start();
  // A client without its key is damage, and not the same as no client.
  f.tampering.CheckAlarm(f.Read(f.anna, f.annas), f.anna);
}

TEST_CASE("an erased client put back with its key is named, and not served") {
  Filled f;
  f.vault.Start();
  REQUIRE(f.vault.As("privacy-officer", "data-subject-request")
              .Delete("/v1/clients/" + f.anna)
              .status == 200);
  f.vault.Stop();
  {
    auto opened = f.tampering.Open();
    const auto key = [](const crypto::SecretBytes& secret) {
      return "\"x'" + crypto::HexEncode(secret.ExposeSecret()) + "'\"";
    };
    const auto attach = [&](vault::Database& database, const char* file,
                            const crypto::SecretBytes& secret) {
      const std::string sql = "ATTACH '" + f.whole + file + "' AS old KEY " + key(secret);
      REQUIRE(database.Execute(sql.c_str()));
    };
    attach(opened.vault, "/vault.db", opened.keyring.vault_db_key());
    const auto keys = crypto::ReadKeysDatabaseKeys(f.whole + "/keys.db.key", opened.keyring);
    REQUIRE(keys);
    attach(opened.keys, "/keys.db", keys->front().key);
    for (const char* sql : {"INSERT INTO clients SELECT * FROM old.clients WHERE id = ?",
                            "INSERT INTO records SELECT * FROM old.records WHERE client = ?",
                            "INSERT INTO index_arrivals SELECT * FROM old.index_arrivals WHERE "
                            "place = 3 AND owner = ?"}) {
      CHECK(Change(opened.vault, sql, RowOf(f.anna)) == 1);
    }
    CHECK(Change(opened.keys,
                 "INSERT INTO client_keys SELECT * FROM old.client_keys WHERE client = ?",
                 RowOf(f.anna)) == 1);
  }
  f.tampering.CheckFound("client " + f.anna + " is stored, but the log has no such client");
  f.tampering.CheckFound("record " + f.annas);
  if (const auto refused = f.vault.TryStart()) {
    CHECK(refused->err.find("eras") != std::string::npos);
    return;
  }
  f.CheckNamedOnline(f.anna);
  const auto read = f.Read(f.anna, f.annas);
  INFO(read.body);
  CHECK(read.status >= 400);
  CHECK(read.body.find("Anna") == std::string::npos);
}
