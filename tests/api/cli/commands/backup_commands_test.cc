// Drills, and how backups stand, through the tool.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "audit/documents/drill_report.h"
#include "tests/api/cli/run_tool.h"
#include "tests/support/open_vault.h"

namespace coffer::cli {
namespace {

using nlohmann::json;
using testing::OpenVault;

class VaultWithBackup : public OpenVault {
 public:
  VaultWithBackup() : OpenVault(WithDisks()) {
    auto& vault = *operator->();
    for (const char* name : {"disk", "keys"}) {
      REQUIRE(vault.backups().InitializeDestination(As(vault::Role::kAdministrator), name));
    }
    NewContact(NewClient("A-1"), {{"last_name", "Doe"}});
    REQUIRE(vault.backups().RunBackup(As(vault::Role::kAdministrator)));
    std::filesystem::create_directory(scratch());
  }
  static Settings WithDisks() {
    Settings settings;
    settings.backup_destinations = {{"disk", vault::BackupKind::kData, "copies", 0},
                                    {"keys", vault::BackupKind::kKeys, "copies-of-keys", 0}};
    return settings;
  }
  std::string scratch() const { return work() / "scratch"; }
  std::vector<std::string> Drill(const std::vector<std::string>& more) {
    std::vector<std::string> words = {"backup",          "drill",       "--from",
                                      work() / "copies", "--keys-from", work() / "copies-of-keys",
                                      "--scratch",       scratch(),     "--root-key-file",
                                      root_key_file()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

TEST_CASE("a drill is held without a server, and its report is verified by anybody with the key") {
  VaultWithBackup vault;
  Tool coffer(InTurn({Reply(500, "{}")}));
  const std::string report = coffer.directory / "drill.json";
  const Ran ran = coffer(vault.Drill({"--report", report}));
  CAPTURE(ran.out, ran.err);
  CHECK(ran.exit == 0);
  CHECK(Has(ran.out, "PASSED: "));
  CHECK(Has(ran.out, "Not shown: "));
  CHECK(coffer.server.requests().empty());
  CHECK(std::filesystem::is_empty(vault.scratch()));
  CHECK((ModeOf(report) & 0777) == 0600);

  const std::string key = vault.LogKey();
  const Ran verified = coffer({"verify", "--drill-report", report, "--log-key", key, "--json"});
  CAPTURE(verified.out, verified.err);
  CHECK(verified.exit == 0);
  const json answer = json::parse(verified.out);
  CHECK(answer.at("signed_by") == key);
  CHECK(answer.at("drill").at("outcome") == "passed");
  CHECK(answer.at("drill").at("records_checked") == 1);

  // One that is there already stays, and nothing was done for it.
  const std::string before = ContentOf(report);
  CHECK(coffer(vault.Drill({"--report", report})).exit == 2);
  CHECK(ContentOf(report) == before);
  CHECK(coffer(vault.Drill({"--at", "yesterday"})).exit == 2);
  CHECK(coffer(vault.Drill({"--most-mib", "1"})).exit == 1);
  CHECK(Has(coffer(vault.Drill({"--most-mib", "1"})).err, "scratch_too_small"));
  CHECK(std::filesystem::is_empty(vault.scratch()));
}

TEST_CASE("a drill that fails ends with 4, and its report says so and is whole") {
  VaultWithBackup vault;
  std::filesystem::remove_all(std::string(vault.work() / "copies-of-keys") + "/objects");
  Tool coffer(InTurn({Reply(500, "{}")}));
  const std::string report = coffer.directory / "drill.json";
  const Ran ran = coffer(vault.Drill({"--report", report, "--json"}));
  CAPTURE(ran.out, ran.err);
  CHECK(ran.exit == 4);
  const json said = json::parse(ran.out);
  CHECK(said.at("outcome") == "failed");
  CHECK(said.at("findings").size() == 1);
  const Ran verified = coffer({"verify", "--drill-report", report, "--log-key", vault.LogKey()});
  CHECK(verified.exit == 0);
  CHECK(Has(verified.out, "FAILED: "));
}

TEST_CASE("a server is asked for its checkpoint before a drill, and told of it afterwards") {
  VaultWithBackup vault;
  const auto status = vault->monitoring().ReadStatus(vault.As(vault::Role::kAdministrator));
  const json said = {{"log", {{"key", status->log_key}, {"checkpoint", status->checkpoint}}}};
  Tool coffer(InTurn({Reply(200, said.dump()), Reply(201, R"({"log_agrees": true})")}));
  const Ran ran = coffer(vault.Drill({"--tell"}));
  CAPTURE(ran.out, ran.err);
  CHECK(ran.exit == 0);
  CHECK(Has(ran.out, "it contains the checkpoint"));
  CHECK(Has(ran.out, "the same log"));
  REQUIRE(coffer.server.requests().size() == 2);
  CHECK(coffer.server.requests()[0].target == "/v1/status");
  CHECK(coffer.server.requests()[1].target == "/v1/backup/drills");
  const std::string note = json::parse(coffer.server.requests()[1].body).at("note");
  CHECK(audit::ParseDrillReport(note));

  Tool other(InTurn({Reply(200, said.dump()), Reply(201, R"({"log_agrees": false})")}));
  const Ran forked = other(vault.Drill({"--tell"}));
  CHECK(forked.exit == 4);
  CHECK(Has(forked.out, "ANOTHER LOG"));
  // Nobody to tell: known before anything is restored.
  Tool refused(InTurn({Reply(403, R"({"code": "permission_denied", "title": "no"})")}));
  CHECK(refused(vault.Drill({"--tell"})).exit == 1);
  CHECK(refused.server.requests().size() == 1);
}

TEST_CASE("how backups stand is a page that ends with what to do next") {
  const auto answer = [](bool met) {
    const json rule = {{"copies", met ? 3 : 1}, {"media", 2}, {"off_site", 1}, {"met", met}};
    json backups = {{"destinations", 1}, {"drill_failed", false}, {"drill_overdue", !met},
                    {"data", rule},      {"keys", rule},          {"drilled", "2026-01-02"}};
    json one = {{"name", "disk"},
                {"kind", "data"},
                {"off_site", true},
                {"newest", "bkp_1"},
                {"verified", "2026-01-01"}};
    if (!met) one["problem"] = "repository_missing: /mnt/a has no repository";
    return InTurn({Reply(200, json{{"backups", backups}}.dump()),
                   Reply(200, json{{"items", {one}}}.dump()), Reply(200, R"({"items": []})")});
  };
  Tool well(answer(true));
  const Ran ran = well({"backup", "status"});
  CAPTURE(ran.out, ran.err);
  CHECK(ran.exit == 0);
  CHECK(Has(ran.out, "3 copies, 2 media, 1 off site: 3-2-1"));
  CHECK(Has(ran.out, "Nothing is to be done."));
  Tool badly(answer(false));
  const Ran bad = badly({"backup", "status"});
  CHECK(bad.exit == 1);
  CHECK(Has(bad.out, "NOT 3-2-1"));
  CHECK(Has(bad.out, "Next: disk: mount it, or make its repository: coffer backup init disk"));
  CHECK(Has(bad.out, "Next: A drill is overdue"));
  CHECK(Has(bad.out, "Next: The keys want another copy."));
}

TEST_CASE("a prune and a reading back are the server's, and are shown as it says") {
  Tool coffer(InTurn(
      {Reply(200, R"({"items": [{"name": "disk", "kind": "data", "kept": ["bkp_2"],
                                 "removed": ["bkp_1"]}]})"),
       Reply(200, R"({"items": [{"name": "disk", "kind": "data", "kept": [], "removed": [],
                                 "problem": "repository_in_use"}]})"),
       Reply(200, R"({"name": "disk", "generations": ["bkp_2"], "bytes_read": 7, "findings": [],
                      "verified": "2026-01-01"})"),
       Reply(200, R"({"name": "disk", "generations": [], "bytes_read": 7,
                      "findings": ["bkp_2: object_missing"]})")}));
  const Ran dry = coffer({"backup", "prune", "disk", "--dry-run"});
  CAPTURE(dry.out, dry.err);
  CHECK(dry.exit == 0);
  CHECK(Has(dry.out, "WOULD"));
  CHECK(Has(dry.out, "bkp_1"));
  CHECK(coffer({"backup", "prune"}).exit == 1);
  CHECK(coffer({"backup", "verify", "--destination", "disk"}).exit == 0);
  const Ran damaged = coffer({"backup", "verify", "--destination", "disk"});
  CHECK(damaged.exit == 4);
  CHECK(Has(damaged.out, "object_missing"));
  CHECK(coffer({"backup", "verify"}).exit == 2);
  const auto& asked = coffer.server.requests();
  REQUIRE(asked.size() == 4);
  CHECK(json::parse(asked[0].body) == json{{"destination", "disk"}, {"dry_run", true}});
  CHECK(json::parse(asked[1].body) == json{{"dry_run", false}});
  CHECK(Asked(asked[2]) == "POST /v1/backup/destinations/disk/verify ");
}

}  // namespace
}  // namespace coffer::cli
