// docs/permissions.md says what the built-in roles say, word for word.
//   COFFER_WRITE_PERMISSIONS=docs/permissions.md vault_tests "[write-permissions]"
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "vault/catalog/role.h"

namespace coffer::vault {
namespace {

std::string SensitivityNames(const Grant& grant) {
  std::string names;
  for (const auto& [sensitivity, name] : {std::pair(Sensitivity::kInternal, "internal"),
                                          std::pair(Sensitivity::kPersonal, "personal"),
                                          std::pair(Sensitivity::kSpecial, "special")}) {
    if (std::ranges::find(grant.sensitivity, sensitivity) == grant.sensitivity.end()) continue;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return names;
}

// "assigned clients; internal, personal fields", or "yes" when nothing narrows it.
std::string Describe(const Grant& grant) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  if (grant.scope.kind == Scope::Kind::kAssigned) add("assigned clients");
  if (grant.scope.kind == Scope::Kind::kTag) add("clients tagged " + grant.scope.tag);
  if (!grant.sensitivity.empty()) add(SensitivityNames(grant) + " fields");
  if (grant.view == View::kMasked) add("masked");
  if (grant.view == View::kPresence) add("presence only");
  const RevealBudget& budget = grant.conditions.budget;
  if (budget.hour != 0) add("at most " + std::to_string(budget.hour) + " an hour");
  if (budget.day != 0) add("at most " + std::to_string(budget.day) + " a day");
  std::string approves;
  for (const auto& action : grant.approves) {
    approves += (approves.empty() ? "of `" : ", `") + action + "`";
  }
  if (!approves.empty()) add(approves);
  return text.empty() ? "yes" : text;
}

std::string Permissions() {
  std::string text =
      "# What the built-in roles may do\n\n"
      "Written from `vault/catalog/roles/`; a test keeps it equal. An empty cell is a refusal. "
      "Actions "
      "marked "
      "\\* touch client\ndata and need a purpose. Where a cell has several grants, the one that "
      "shows "
      "more of a field counts.\n";
  for (const RoleDocument& role : BuiltInRoles()) {
    text += "\n## " + role.name + "\n\n" + role.title +
            (role.privileged ? " Privileged: giving it takes two people." : "") +
            "\n\n| action | what |\n|---|---|\n";
    for (int i = 0; i < kActionCount; ++i) {
      const auto action = static_cast<Action>(i);
      std::string cell;
      for (const Grant& grant : role.grants) {
        if (!grant.Covers(action)) continue;
        cell += (cell.empty() ? "" : " · ") + std::string(grant.deny ? "never: " : "") +
                Describe(grant);
      }
      if (cell.empty()) continue;
      text += "| `" + std::string(Name(action)) + "`" + (TouchesClientData(action) ? "\\*" : "") +
              " | " + cell + " |\n";
    }
  }
  return text;
}

TEST_CASE("the documented permissions are those of the built-in roles") {
  std::ifstream file(COFFER_SOURCE_DIR "/docs/permissions.md", std::ios::binary);
  REQUIRE(file.good());
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == Permissions());
}

TEST_CASE("the permissions are written for the documentation", "[.][write-permissions]") {
  const char* const path = std::getenv("COFFER_WRITE_PERMISSIONS");
  REQUIRE(path != nullptr);
  std::ofstream(path, std::ios::binary) << Permissions();
}

}  // namespace
}  // namespace coffer::vault
