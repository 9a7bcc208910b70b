// Export in bulk: who may, what of it they see, page by page, and what the log says of it.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

const json kExportedData = {{"last_name", "Roe"}};
const std::string kSubjectRequest = "data-subject-request";

struct Line {
  std::string client, record;
  bool operator==(const Line&) const = default;
  auto operator<=>(const Line&) const = default;
};

class ExportingVault : public TestVault {
 public:
  explicit ExportingVault(bool two_person = false) : TestVault({.two_person = two_person}) {}

  // All pages; `answer` is the first refusal.
  std::vector<Line> All(Caller caller, const ExportSelection& selection, std::size_t limit = 1000) {
    std::vector<Line> lines;
    PageRequest page{limit, ""};
    pages = 0;
    do {
      caller.call = CallId::New(clock.Now());
      const auto exported = (*this)->exports().Export(caller, selection, page);
      answer = AnswerOf(exported);
      last = caller;
      if (!exported) return lines;
      ++pages;
      CHECK(exported->lines.size() <= limit);
      for (const auto& line : exported->lines) {
        if (const auto* client = std::get_if<ClientInfo>(&line)) {
          lines.push_back({client->id.Text(), ""});
        } else {
          const auto& record = std::get<RecordInfo>(line);
          data.push_back(record.data);
          lines.push_back({record.client.Text(), record.id.Text()});
        }
      }
      page.cursor = exported->next_cursor;
    } while (!page.cursor.empty());
    return lines;
  }
  Caller Officer() { return As(kPrivacyOfficer, kSubjectRequest); }

  std::string answer;
  std::vector<std::string> data;
  std::size_t pages = 0;
  Caller last;
};

std::vector<Line> Sorted(std::vector<Line> lines) {
  std::ranges::sort(lines);
  return lines;
}

}  // namespace

TEST_CASE("an export has every client and record once, whatever the pages' size") {
  ExportingVault vault;
  std::vector<Line> expected;
  for (int i = 0; i < 7; ++i) {
    const ClientId client = vault.NewClient("A-" + std::to_string(i));
    expected.push_back({client.Text(), ""});
    for (int r = 0; r < i; ++r) {
      expected.push_back({client.Text(), vault.NewContact(client, kExportedData).Text()});
    }
  }
  std::ranges::sort(expected);
  for (const std::size_t limit : {1U, 2U, 3U, 5U, 1000U}) {
    const auto lines = vault.All(vault.Officer(), {}, limit);
    CHECK(vault.answer == "ok");
    CHECK(Sorted(lines) == expected);
    // Each client stands before its records.
    std::string current;
    for (const Line& line : lines) {
      if (line.record.empty()) current = line.client;
      CHECK(line.client == current);
    }
  }
  vault.CheckInvariants();
}

TEST_CASE("an export takes along what was chosen") {
  ExportingVault vault;
  const ClientId plain = vault.NewClient("A-1");
  vault.NewContact(plain, kExportedData);
  const ClientId tagged = vault.NewClient("A-2", {"vip"});
  vault.NewContact(tagged, kExportedData);
  const auto lines = vault.All(vault.Officer(), {.tag = "vip", .classes = {}});
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].client == tagged.Text());
  // Clients are named even where no record of them was chosen.
  CHECK(vault.All(vault.Officer(), {.tag = "", .classes = {"interaction"}}).size() == 2);
  CHECK(vault.All(vault.Officer(), {.tag = "", .classes = {"interaction", "contact"}}).size() == 4);
  CHECK(vault.All(vault.Officer(), {.tag = "nobody", .classes = {}}).empty());
}

TEST_CASE("an export leaves an entry for each client and each record") {
  ExportingVault vault;
  const ClientId client = vault.NewClient("A-1");
  const RecordId record = vault.NewContact(client, kExportedData);
  vault.All(vault.Officer(), {});
  const auto entries = vault.EntriesOf(vault.last);
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].at("action") == "client.export");
  CHECK(entries[0].at("client") == client.Text());
  CHECK(entries[0].at("fields") == json({"external_ref", "tags"}));
  CHECK(entries[1].at("record") == record.Text());
  CHECK(entries[1].at("class") == "contact");
  CHECK(entries[1].at("fields") == json({"last_name"}));
  CHECK(entries[2].at("detail") == "all; one person alone");
  CHECK(entries[2].contains("payload_hash"));
}

TEST_CASE("who may not export learns nothing, and bad choices are named") {
  ExportingVault vault;
  vault.NewClient("A-1");
  for (const Role role :
       {kAdministrator, kSecurityOfficer, kCaseWorker, kCrmService, kSupervisor}) {
    CHECK(vault.All(vault.As(role, kSubjectRequest), {}).empty());
    CHECK(vault.answer == "permission_denied");
  }
  CHECK(vault.All(vault.As(kPrivacyOfficer, ""), {}).empty());
  CHECK(vault.answer == "purpose_required");
  vault.All(vault.Officer(), {.tag = "Not A Tag", .classes = {"nothing"}});
  CHECK(vault.answer == "export_invalid");
  for (const std::string cursor : {"x", "AAAA", ".", "a.b", "AAAAAAAAAAAAAAAAAAAAAA"}) {
    CHECK(AnswerOf(vault->exports().Export(vault.Officer(), {}, {10, cursor})) == "cursor_invalid");
  }
}

TEST_CASE("a masked export is masked, and only of the clients in scope") {
  ExportingVault vault;
  const ClientId own = vault.NewClient("A-1");
  const ClientId foreign = vault.NewClient("A-2");
  vault.NewContact(own, kExportedData);
  vault.NewContact(foreign, kExportedData);
  REQUIRE(vault->roles().PutRole(vault.As(kAdministrator), "desk", R"({"grants": [
      {"actions": ["client.export"], "scope": "assigned", "view": "masked"}]})"));
  const auto token = vault.NewTokenFor("desk", 3600);
  REQUIRE(token);
  Caller caller = ExportingVault::Stranger(token->secret);
  caller.purpose = kSubjectRequest;
  CHECK(vault.All(caller, {}).empty());
  CHECK(vault.answer == "ok");
  REQUIRE(vault->assignments().Assign(vault.As(kSupervisor), own, token->info.principal, {}));
  const auto lines = vault.All(caller, {});
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].client == own.Text());
  REQUIRE(vault.data.size() == 1);
  CHECK(vault.data[0].find("Roe") == std::string::npos);
}

TEST_CASE("an export takes the approval of another person, and goes on for an hour") {
  ExportingVault vault(true);
  const ClientId client = vault.NewClient("A-1");
  vault.NewContact(client, kExportedData);
  CHECK(AnswerOf(vault->exports().Export(vault.Officer(), {}, {1, ""})) == "approval_required");
  // Nobody's who could not do it.
  const Proposal all{"client.export", "all", {}};
  CHECK(AnswerOf(vault->approvals().RequestApproval(vault.As(kSupervisor, kSubjectRequest), all)) ==
        "permission_denied");
  CHECK(AnswerOf(vault->approvals().RequestApproval(
            vault.Officer(), {"client.export", "some", {}})) == "proposal_invalid");
  CHECK(AnswerOf(vault->approvals().RequestApproval(
            vault.Officer(), {"client.export", "all", R"({"classes": ["nothing"]})"})) ==
        "proposal_invalid");
  CHECK(AnswerOf(vault->approvals().RequestApproval(
            vault.Officer(), {"client.export", "all", R"({"purpose": "billing"})"})) ==
        "proposal_invalid");
  const auto asked = vault->approvals().RequestApproval(
      vault.Officer(), {"client.export", "all", R"({"classes": ["interaction", "contact"]})"});
  REQUIRE(asked);
  CHECK(asked->proposal.content ==
        R"({"classes":["contact","interaction"],"purpose":"data-subject-request"})");
  auto caller = vault.Officer();
  caller.approval = asked->id.Text();
  const ExportSelection chosen{.tag = "", .classes = {"contact", "interaction"}};
  CHECK(AnswerOf(vault->exports().Export(caller, chosen, {1, ""})) ==
        "approval_invalid");  // not yet
  CHECK(AnswerOf(vault->approvals().DecideApproval(vault.As(kSupervisor), asked->id, true)) ==
        "permission_denied");
  REQUIRE(vault->approvals().DecideApproval(vault.As(kSecurityOfficer), asked->id, true));
  // Neither more, nor for another purpose.
  CHECK(AnswerOf(vault->exports().Export(caller, {}, {1, ""})) == "approval_invalid");
  auto other = vault.As(kPrivacyOfficer, "client-care");
  other.approval = caller.approval;
  CHECK(AnswerOf(vault->exports().Export(other, chosen, {1, ""})) == "approval_invalid");
  const auto first = vault->exports().Export(caller, chosen, {1, ""});
  INFO(AnswerOf(first));
  REQUIRE(first);
  REQUIRE_FALSE(first->next_cursor.empty());
  CHECK(AnswerOf(vault->exports().Export(caller, chosen, {1, ""})) == "approval_invalid");  // once
  CHECK(AnswerOf(vault->exports().Export(caller, {}, {1, first->next_cursor})) == "cursor_invalid");
  const auto second = vault->exports().Export(caller, chosen, {1, first->next_cursor});
  REQUIRE(second);
  CHECK(std::holds_alternative<RecordInfo>(second->lines.at(0)));
  vault.clock.Advance(3601 * 1000);
  CHECK(AnswerOf(vault->exports().Export(caller, chosen, {1, first->next_cursor})) ==
        "approval_invalid");
}

}  // namespace coffer::vault
