// A vault that was filled and stopped, to be altered behind its back and looked at again. Each look
// says how the alteration was noticed. Needs sqlcipher.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/opened_databases.h"
#include "tests/support/running_vault.h"
#include "vault/vault.h"

namespace coffer::testing {

class Tampering {
 public:
  explicit Tampering(RunningVault& vault, const std::string& directory = {})
      : vault_(vault), directory_(directory.empty() ? vault.directory() : directory) {}

  OpenedDatabases Open() { return OpenedDatabases::Open(directory_, vault_.root_key_file()); }

  // A copy of the stopped vault's directory under the test's own; and back.
  std::string Save(const std::string& name) {
    const std::string copy = vault_.work() / name;
    std::filesystem::remove_all(copy);
    std::filesystem::copy(directory_, copy, std::filesystem::copy_options::recursive);
    return copy;
  }
  void Restore(const std::string& copy) {
    std::filesystem::remove_all(directory_);
    std::filesystem::copy(copy, directory_, std::filesystem::copy_options::recursive);
  }

  // What the offline verification finds: "check[ at seq]: message" each, or its error.
  std::vector<std::string> Findings(bool deep = true) {
    auto root = crypto::OpenKeyFile(vault_.root_key_file());
    REQUIRE(root);
    coffer::vault::OfflineVerifyOptions options;
    options.directory = directory_;
    options.deep = deep;
    const auto report = coffer::vault::VerifyDirectory(options, **root);
    if (!report) {
      return {"error " + std::string(report.error().reason) + ": " + report.error().detail};
    }
    std::vector<std::string> findings;
    for (const auto& finding : report->log.findings) {
      findings.push_back(finding.check +
                         (finding.seq ? " at " + std::to_string(*finding.seq) : "") + ": " +
                         finding.message);
    }
    return findings;
  }

  // The verification finds something, and names `what` in it.
  void CheckFound(const std::string& what) {
    const auto findings = Findings();
    std::string all;
    for (const auto& finding : findings) all += finding + "\n";
    INFO("looked for '" << what << "' in: " << all);
    CHECK(all.find(what) != std::string::npos);
  }

  // A running vault refuses the read, says nothing of the stored bytes, and raises the alarm.
  void CheckAlarm(const HttpReply& reply, const std::string& subject) {
    INFO(reply.body);
    CHECK(reply.status == 500);
    CHECK(reply.Code() == "integrity_failed");
    CHECK_FALSE(reply.Json().contains("data"));
    bool alarmed = false;
    for (const auto& entry : vault_.EntriesOf(reply.Header("coffer-request-id"))) {
      alarmed = alarmed || (entry.at("action") == "integrity.alarm" &&
                            entry.dump().find(subject) != std::string::npos);
    }
    CHECK(alarmed);
  }

 private:
  RunningVault& vault_;
  const std::string directory_;
};

// Changes one bit of a file.
inline void FlipBit(const std::string& path, std::size_t at, int bit = 0) {
  std::string content = ReadWholeFile(path);
  REQUIRE(at < content.size());
  content[at] = static_cast<char>(content[at] ^ (1 << bit));
  WriteWholeFile(path, content);
}

}  // namespace coffer::testing
