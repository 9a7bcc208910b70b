// What every refusal must look like: the documented problem, its entry in the log, nothing of the
// input in the answer, nothing changed.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "tests/support/running_vault.h"

namespace coffer::testing {

// Stands in every value that a refused request carries.
inline constexpr const char* kSentinel = "zq7sentinel";

class Refusals {
 public:
  explicit Refusals(RunningVault& vault) : vault_(vault), before_(vault.Counts()) {}

  // `action` is what the log names; empty: no entry, because no client data was asked for and
  // nobody was known. `decision` is "allow" where the caller may and the state says no.
  void Expect(const HttpReply& reply, int status, const std::string& code,
              const std::string& action = "", const std::string& decision = "deny") {
    INFO("expected " << status << " " << code << ", got " << reply.status << " " << reply.body);
    CHECK(reply.status == status);
    CHECK(reply.Header("content-type") == "application/problem+json");
    CHECK(reply.Header("cache-control") == "no-store");
    CHECK(reply.body.find(kSentinel) == std::string::npos);
    const auto problem = reply.Json();
    REQUIRE(problem.is_object());
    CHECK(problem.value("code", "") == code);
    CHECK(problem.value("status", 0) == status);
    CHECK(problem.value("type", "") == "urn:coffer:problem:" + code);
    CHECK_FALSE(problem.value("title", "").empty());
    const std::string request = reply.Header("coffer-request-id");
    CHECK(problem.value("request_id", "") == request);
    if (request.empty()) return;
    const auto entries = vault_.EntriesOf(request);
    REQUIRE(entries.size() == (action.empty() ? 0 : 1));
    if (entries.empty()) return;
    CHECK(entries[0].at("action") == action);
    CHECK(entries[0].at("decision") == decision);
    CHECK(entries[0].at("outcome") == code);
    CHECK(entries[0].dump().find(kSentinel) == std::string::npos);
  }

  // A request that was refused has left nothing; the log is whole.
  void CheckNothingChanged() {
    CHECK(vault_.Counts() == before_);
    const auto report = vault_.Verify();
    INFO(report.dump());
    CHECK(report.at("ok") == true);
  }

 private:
  RunningVault& vault_;
  nlohmann::json before_;
};

}  // namespace coffer::testing
