// A vault whose scrub goes through everything at once.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/vault/deletion/retaining_vault.h"

namespace coffer::vault {

class ScrubbedVault : public RetainingVault {
 public:
  explicit ScrubbedVault(std::uint32_t entries_per_s = 1'000'000)
      : RetainingVault({.scrub_entries_per_s = entries_per_s}) {}

  // A whole round over what is stored now.
  ScrubState Scrub() {
    Close();
    {
      const Database database = OpenVaultDatabase(false);
      auto reset =
          Statement::Prepare(database, "DELETE FROM settings WHERE name = 'scrub-position'");
      REQUIRE(reset);
      REQUIRE(reset->Execute());
    }
    Open();
    return AwaitRound();
  }
  ScrubState AwaitRound() {
    for (int i = 0; i < 10'000; ++i) {
      const auto status = (*this)->monitoring().ReadStatus(As(Role::kAdministrator));
      REQUIRE(status);
      if (status->scrub.rounds > 0) return status->scrub;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    FAIL("the scrub came to no end");
    return {};
  }
  // Entries of the vault itself with this action.
  std::vector<audit::Entry> SystemEntries(std::string_view action) {
    std::vector<audit::Entry> found;
    for (auto& entry : WholeLog()) {
      if (entry.action == action && entry.actor == "vault") found.push_back(std::move(entry));
    }
    return found;
  }
  // How often each object was said to be damaged: "client/record", the latter empty of a client.
  std::map<std::string, int> Alarms() {
    std::map<std::string, int> alarms;
    for (const auto& entry : SystemEntries("integrity.alarm")) {
      if (entry.detail.starts_with("scrub;")) ++alarms[entry.client + "/" + entry.record];
    }
    return alarms;
  }
  // What the offline verification finds, a line each.
  std::string DeepFindings() {
    OfflineVerifyOptions options;
    options.directory = directory();
    options.deep = true;
    const auto report = VerifyDirectory(options, root());
    REQUIRE(report);
    std::string findings;
    for (const auto& finding : report->log.findings) findings += finding.message + "\n";
    return findings;
  }
};

}  // namespace coffer::vault
