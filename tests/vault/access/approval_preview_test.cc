// What an approver is told that an approval would do, for every kind of it, to whom, and when not.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/deletion/retaining_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr const char* kOfficerPurpose = "data-subject-request";

class PreviewVault : public RetainingVault {
 public:
  explicit PreviewVault(bool two_person = true) : RetainingVault({.two_person = two_person}) {
    client = NewClient("REF-7", {"vip"});
    for (int i = 0; i < 3; ++i) {
      contacts.push_back(NewContact(client, {{"last_name", "Doe"}}));
    }
    interaction = NewRecord(client, "interaction", kRetainedInteraction);
  }
  Approval Asked(Role role, const Proposal& proposal, const std::string& reason = {},
                 const std::string& ticket = {}) {
    auto caller = As(role, kOfficerPurpose, reason);
    caller.ticket = ticket;
    const auto asked = (*this)->approvals().RequestApproval(caller, proposal);
    INFO(AnswerOf(asked) << json(IssuesOf(asked)).dump());
    REQUIRE(asked);
    CHECK(!asked->preview);
    return *asked;
  }
  Approval Seen(Role role, const ApprovalId& id, std::string purpose = std::string(kPurpose)) {
    last = As(role, std::move(purpose));
    const auto seen = (*this)->approvals().GetApproval(last, id);
    INFO(AnswerOf(seen));
    REQUIRE(seen);
    return *seen;
  }
  void Schedule(const std::vector<json>& policies) {
    const auto text = json::parse(ScheduleOf(policies).dump());
    const auto asked = Asked(kPrivacyOfficer, {"retention.write", "schedule", text.dump()});
    REQUIRE((*this)->approvals().DecideApproval(As(kSecurityOfficer), asked.id, true));
    const auto stored = Put(text, asked.id.Text());
    INFO(AnswerOf(stored));
    REQUIRE(stored);
  }
  HoldId Hold(const HoldRequest& terms) {
    const auto hold = (*this)->holds().PlaceHold(As(kPrivacyOfficer), terms);
    REQUIRE(hold);
    return hold->id;
  }
  Timestamp Later() { return Timestamp{clock.Now().ms + kYearMs}; }

  ClientId client;
  std::vector<RecordId> contacts;
  RecordId interaction;
  Caller last;
};

std::vector<std::string> Counts(const ErasurePreview& preview) {
  std::vector<std::string> counts;
  for (const auto& one : preview.classes) {
    counts.push_back(one.class_name + " " + std::to_string(one.records));
  }
  return counts;
}

TEST_CASE("an approver sees what an erasure would take, keep and be stopped by") {
  PreviewVault vault;
  vault.Schedule({Policy("contacts", "contact", "creation", "P3Y"),
                  {{"name", "calls"}, {"class", "interaction"}, {"keep", "the law says so"}}});
  const auto held = vault.Hold({vault.client, "contact", "", "a lawsuit", "CASE-9", vault.Later()});
  vault.Hold({std::nullopt, "", "other", "not of this client", "CASE-10", vault.Later()});
  REQUIRE(vault->assignments().Assign(vault.As(kSupervisor), vault.client,
                                      vault.TokenOf(kCaseWorker).principal, {}));

  const std::string part = R"({"class": "contact"})";
  const std::string records = R"({"records": [")" + vault.contacts[0].Text() + R"(", ")" +
                              vault.interaction.Text() + R"(", ")" +
                              RecordId::New(vault.clock.Now()).Text() + "\"]}";
  struct Case {
    std::string action, content;
    Strings counts;
    std::uint64_t records, missing, kept, holds;
  };
  for (const Case& one :
       {Case{"client.erase", "", {"contact 3", "interaction 1"}, 4, 0, 2, 1},
        Case{"record.erase", part, {"contact 3"}, 3, 0, 1, 1},
        Case{"record.erase", R"({"class": "interaction"})", {"interaction 1"}, 1, 0, 1, 0},
        Case{"record.erase", R"({"class": "agreement"})", {}, 0, 0, 0, 0},
        Case{"record.erase", records, {"contact 1", "interaction 1"}, 2, 1, 2, 1}}) {
    INFO(one.action << " " << one.content);
    const auto asked = vault.Asked(kPrivacyOfficer, {one.action, vault.client.Text(), one.content},
                                   "the client wrote on Monday", "DSR-4");
    const auto seen = vault.Seen(kSupervisor, asked.id);
    REQUIRE(seen.question);
    CHECK(seen.question->ticket == "DSR-4");
    CHECK(seen.question->reason == "the client wrote on Monday");
    CHECK(seen.question->name ==
          vault->principals().GetPrincipal(vault.As(kAdministrator), seen.requester)->name);
    REQUIRE(seen.preview);
    CHECK(seen.preview->at == vault.clock.Now());
    REQUIRE(seen.preview->erasure);
    const ErasurePreview& erasure = *seen.preview->erasure;
    CHECK(Counts(erasure) == one.counts);
    CHECK(erasure.records == one.records);
    CHECK(erasure.missing == one.missing);
    CHECK(erasure.kept.size() == one.kept);
    CHECK(erasure.held_by == one.holds);
    CHECK(erasure.holds.size() == one.holds);
    CHECK(erasure.assignments == (one.action == "client.erase" ? 1 : 0));
    CHECK(erasure.schedule == 1);
    CHECK(erasure.external_ref == "REF-7");
    if (!erasure.holds.empty()) {
      CHECK(erasure.holds[0].id == held);
      CHECK(erasure.holds[0].terms.case_number == "CASE-9");
      CHECK(erasure.hold_words);
    }
    for (const auto& rule : erasure.kept) {
      CHECK(rule.until.has_value() == (rule.class_name == "contact"));
      CHECK((rule.state == KeptState::kKept) == (rule.class_name == "interaction"));
      CHECK(!rule.basis.empty());
    }
    // Each thing that is shown besides has its entry before the approval's own.
    const auto entries = vault.EntriesOf(vault.last);
    Strings actions;
    for (const json& entry : entries) {
      CHECK(entry.at("client") == vault.client.Text());
      actions.push_back(entry.at("action"));
    }
    Strings expected(one.holds, "hold.read");
    expected.insert(expected.end(), {"client.read", "approval.read"});
    CHECK(actions == expected);
    CHECK(entries.back().at("detail") == asked.id.Text() + "; reason; preview");
  }
  vault.CheckInvariants();
}

TEST_CASE("the preview is of the moment at which it is read") {
  PreviewVault vault;
  const auto asked = vault.Asked(kPrivacyOfficer, {"client.erase", vault.client.Text(), ""});
  CHECK(vault.Seen(kSupervisor, asked.id).preview->erasure->records == 4);
  vault.NewContact(vault.client, {{"last_name", "Roe"}});
  vault.clock.Advance(1000);
  const auto seen = vault.Seen(kSupervisor, asked.id);
  CHECK(seen.preview->erasure->records == 5);
  CHECK(seen.preview->at == vault.clock.Now());
  CHECK(seen.preview->erasure->holds.empty());
}

TEST_CASE("who may not decide it, nor asked, sees no more of it than it says") {
  PreviewVault vault;
  const auto asked = vault.Asked(kPrivacyOfficer, {"client.erase", vault.client.Text(), ""},
                                 "the client wrote on Monday", "DSR-4");
  for (const Role role : {kPrivacyOfficer, kSupervisor, kSecurityOfficer}) {
    INFO(Name(role));
    CHECK(vault.Seen(role, asked.id).preview);
    CHECK(vault.Seen(role, asked.id).question->reason == "the client wrote on Monday");
  }
  // The administrator approves roles only, and reads no reasons.
  const auto seen = vault.Seen(kAdministrator, asked.id);
  CHECK(!seen.preview);
  CHECK(seen.question->ticket == "DSR-4");
  CHECK(seen.question->reason.empty());
  // The reference is for who may read the client, for a purpose.
  CHECK(vault.Seen(kSupervisor, asked.id, "").preview->erasure->external_ref == std::nullopt);
  CHECK(vault.EntriesOf(vault.last).size() == 1);
  CHECK(vault.Seen(kSecurityOfficer, asked.id).preview->erasure->external_ref == std::nullopt);
  CHECK(vault.EntriesOf(vault.last).size() == 1);
}

TEST_CASE("what is over has no preview, and one whose client is gone says so") {
  PreviewVault vault;
  const auto ask = [&](std::string_view action, const std::string& content) {
    return vault.Asked(kPrivacyOfficer, {std::string(action), vault.client.Text(), content}).id;
  };
  const auto rejected = ask("client.erase", ""), withdrawn = ask("client.erase", ""),
             expired = ask("client.erase", ""), used = ask("client.erase", "");
  REQUIRE(vault->approvals().DecideApproval(vault.As(kSupervisor), rejected, false));
  REQUIRE(vault->approvals().WithdrawApproval(vault.As(kPrivacyOfficer), withdrawn));
  REQUIRE(vault->approvals().DecideApproval(vault.As(kSupervisor), used, true));
  CHECK(vault.Seen(kSupervisor, used).preview);
  CHECK(!vault.Seen(kSupervisor, rejected).preview);
  CHECK(!vault.Seen(kSupervisor, withdrawn).preview);
  auto erasing = vault.As(kPrivacyOfficer, kOfficerPurpose);
  erasing.approval = used.Text();
  const auto open = ask("record.erase", R"({"records": [")" + vault.interaction.Text() + "\"]}");
  REQUIRE(vault->erasures().Erase(erasing, vault.client, {}));
  CHECK(!vault.Seen(kSupervisor, used).preview);
  const auto gone = vault.Seen(kSupervisor, open);
  REQUIRE(gone.preview);
  CHECK(!gone.preview->erasure->there);
  CHECK(gone.preview->erasure->missing == 1);
  CHECK(gone.question->reason.empty());
  vault.clock.Advance(std::int64_t{73} * 3600 * 1000);
  CHECK(!vault.Seen(kSupervisor, expired).preview);
}

TEST_CASE("a preview looks at so many records and clients, and says when there are more") {
  PreviewVault vault;
  const auto named = [&](const std::vector<RecordId>& records) {
    json ids = json::array();
    for (const RecordId& id : records) ids.push_back(id.Text());
    return vault.Asked(kPrivacyOfficer,
                       {"record.erase", vault.client.Text(), json{{"records", ids}}.dump()});
  };
  const RecordId none = RecordId::New(vault.clock.Now());
  const auto some = named({vault.interaction, none}), no = named({none});
  const auto all = vault.Asked(kPrivacyOfficer, {"client.export", "all", ""});
  const auto tagged = vault.Asked(kPrivacyOfficer, {"client.export", "tag:vip", ""});
  const std::string most = std::to_string(ErasurePreview::kMostRecords + 1);
  const std::string numbers =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + most + ") ";
  vault.Tamper(
      numbers +
          "INSERT INTO records (id, rid, client, class, class_version, version, created, "
          "updated, fields, tokens, payload) SELECT i, randomblob(16), ?, 'contact', 1, 1, "
          "0, 0, 0, x'', x'' FROM n",
      vault.client.Row());
  vault.Tamper(numbers +
               "INSERT INTO clients (id, cid, state, version, created, updated, tags, profile) "
               "SELECT i, randomblob(16), 0, 1, 0, 0, 'vip', x'' FROM n");
  vault.Tamper(numbers + "INSERT INTO client_tags (tag, client) SELECT 'vip', i FROM n");
  auto erasure = *vault.Seen(kSupervisor, some.id).preview->erasure;
  CHECK_FALSE(erasure.all_counted);
  CHECK(erasure.missing == 0);  // what was not looked at may be there
  erasure = *vault.Seen(kSupervisor, no.id).preview->erasure;
  CHECK(erasure.all_counted);
  CHECK(erasure.missing == 1);
  auto exported = *vault.Seen(kSecurityOfficer, all.id).preview->exported;
  CHECK(exported.clients == ErasurePreview::kMostRecords + 2);
  CHECK_FALSE(exported.more_clients);
  exported = *vault.Seen(kSecurityOfficer, tagged.id).preview->exported;
  CHECK(exported.clients == 10'000);
  CHECK(exported.more_clients);
}

TEST_CASE("the words of a hold by tag are for whose grants reach the tag") {
  PreviewVault vault(false);  // so that roles are given at once
  const auto tagged = vault.Hold({std::nullopt, "", "vip", "an audit", "CASE-1", vault.Later()});
  const auto asked = vault.Asked(kPrivacyOfficer, {"hold.lift", tagged.Text(), ""});
  struct Case {
    std::string name, scope;
    bool words;
  };
  for (const auto& [name, scope, words] :
       {Case{"of-vip", R"({"tag": "vip"})", true}, Case{"of-plain", R"({"tag": "plain"})", false},
        Case{"of-assigned", R"("assigned")", false}}) {
    INFO(scope);
    REQUIRE(vault->roles().PutRole(vault.As(kAdministrator), name,
                                   R"({"grants": [{"actions": ["approval.read", "approval.decide"]},
                               {"actions": ["hold.read"], "scope": )" +
                                       scope + "}]}"));
    const auto made = vault.NewTokenFor(name, 3600, name);
    REQUIRE(made);
    const auto seen =
        vault->approvals().GetApproval(PreviewVault::Stranger(made->secret), asked.id);
    REQUIRE(seen);
    REQUIRE(seen->preview->hold);
    CHECK(seen->preview->hold->words == words);
  }
}

TEST_CASE("an approver sees what lifting a hold and an export would reach") {
  PreviewVault vault;
  vault.NewClient("REF-8", {"vip"});
  const auto by_tag = vault.Hold({std::nullopt, "", "vip", "an audit", "CASE-1", vault.Later()});
  const auto by_class =
      vault.Hold({vault.client, "contact", "", "a lawsuit", "CASE-2", vault.Later()});
  const auto lifting = [&](const HoldId& id) {
    return vault.Seen(kSecurityOfficer,
                      vault.Asked(kPrivacyOfficer, {"hold.lift", id.Text(), ""}).id);
  };
  auto seen = lifting(by_tag);
  REQUIRE(seen.preview->hold);
  CHECK(seen.preview->hold->clients == 2);
  CHECK(seen.preview->hold->hold.terms.tag == "vip");
  CHECK(seen.preview->hold->other_holds == 0);
  seen = lifting(by_class);
  CHECK(seen.preview->hold->clients == 1);
  CHECK(seen.preview->hold->other_holds == 1);
  CHECK(seen.preview->hold->hold.terms.case_number == "CASE-2");

  const auto exporting = [&](const std::string& target) {
    const auto asked = vault.Asked(kPrivacyOfficer, {"client.export", target, ""});
    return vault.Seen(kSecurityOfficer, asked.id).preview->exported->clients;
  };
  CHECK(exporting("all") == 2);
  CHECK(exporting("tag:vip") == 2);
  CHECK(exporting("tag:none") == 0);
}

TEST_CASE("an approver sees what a role, a class or a schedule would change") {
  PreviewVault vault;
  REQUIRE(vault->roles().PutRole(vault.As(kAdministrator), "desk",
                                 R"({"grants": [{"actions": ["client.read"]}]})"));
  const auto changes = [&](Role asker, Role looker, const Proposal& proposal) {
    const auto seen = vault.Seen(looker, vault.Asked(asker, proposal).id);
    INFO(proposal.action << " " << proposal.target);
    REQUIRE(seen.preview);
    REQUIRE(seen.preview->replacement);
    return *seen.preview->replacement;
  };
  auto found = changes(
      kAdministrator, kSecurityOfficer,
      {"role.write", "desk", R"({"grants": [{"actions": ["client.read", "client.list"]}]})"});
  CHECK(found.what == "role");
  CHECK(found.version == 1);
  REQUIRE(found.difference.changes.size() == 1);
  CHECK(found.difference.changes[0].words == "grant 1, action client.list");

  found = changes(kPrivacyOfficer, kSecurityOfficer,
                  {"retention.write", "schedule", ScheduleOf({}).dump()});
  CHECK(found.what == "schedule");
  CHECK(found.is_new);
  vault.Schedule({Policy("contacts", "contact", "creation", "P3Y")});
  found = changes(kPrivacyOfficer, kSecurityOfficer,
                  {"retention.write", "schedule",
                   ScheduleOf({Policy("contacts", "contact", "creation", "P1Y")}).dump()});
  CHECK(found.version == 1);
  REQUIRE(found.difference.changes.size() == 1);
  CHECK(found.difference.changes[0].words == "policy contacts, period: from P3Y to P1Y");

  json contact = json::parse(testing::ReadShippedFile("classes/contact.json"));
  contact["fields"]["nickname"] = {{"type", "text"}};
  found = changes(kAdministrator, kSecurityOfficer,
                  {"retention.write", "class:contact", contact.dump()});
  CHECK(found.what == "class");
  CHECK(found.name == "contact");
  REQUIRE(found.difference.changes.size() == 1);
  CHECK(found.difference.changes[0].words == "field nickname: type text");

  const auto& worker = vault.TokenOf(kCaseWorker).principal;
  found = changes(kAdministrator, kSecurityOfficer,
                  {"role.give", worker.Text(), R"({"role": "supervisor", "by": "change"})"});
  CHECK(found.what == "role-of-account");
  CHECK(found.name == "case-worker");
  CHECK_FALSE(found.difference.changes.empty());
}

TEST_CASE("each way in which an approval is over is told apart when it is withdrawn or decided") {
  PreviewVault vault;
  const auto ask = [&] {
    return vault.Asked(kPrivacyOfficer, {"client.erase", vault.client.Text(), ""}).id;
  };
  const auto withdraw = [&](Role role, const ApprovalId& id, const std::string& reason) {
    vault.last = vault.As(role, std::string(PreviewVault::kPurpose), reason);
    return AnswerOf(vault->approvals().WithdrawApproval(vault.last, id));
  };
  for (const Role role : {kPrivacyOfficer, kSupervisor}) {
    const auto approved = ask();
    REQUIRE(vault->approvals().DecideApproval(vault.As(kSupervisor), approved, true));
    CHECK(withdraw(role, approved, "") == "reason_required");
    CHECK(vault.EntryOf(vault.last).at("decision") == "deny");
    CHECK(vault.Seen(kSupervisor, approved).state == ApprovalState::kApproved);
    CHECK(withdraw(role, approved, "the letter was forged") == "ok");
    CHECK(vault.EntryOf(vault.last).contains("note_hash"));
    CHECK(withdraw(role, approved, "again") == "approval_withdrawn");
    auto erasing = vault.As(kPrivacyOfficer, kOfficerPurpose);
    erasing.approval = approved.Text();
    CHECK(AnswerOf(vault->erasures().Erase(erasing, vault.client, {})) == "approval_invalid");
  }
  const auto rejected = ask();
  REQUIRE(vault->approvals().DecideApproval(vault.As(kSupervisor), rejected, false));
  CHECK(withdraw(kPrivacyOfficer, rejected, "why") == "approval_rejected");
  const auto expired = ask(), used = ask();
  REQUIRE(vault->approvals().DecideApproval(vault.As(kSupervisor), used, true));
  auto erasing = vault.As(kPrivacyOfficer, kOfficerPurpose);
  erasing.approval = used.Text();
  REQUIRE(vault->erasures().Erase(erasing, vault.client, {}));
  CHECK(withdraw(kPrivacyOfficer, used, "why") == "approval_used");
  CHECK(AnswerOf(vault->approvals().DecideApproval(vault.As(kSecurityOfficer), used, true)) ==
        "approval_used");
  vault.clock.Advance(std::int64_t{73} * 3600 * 1000);
  CHECK(withdraw(kPrivacyOfficer, expired, "why") == "approval_expired");
  CHECK(AnswerOf(vault->approvals().DecideApproval(vault.As(kSupervisor), expired, true)) ==
        "approval_expired");
}

}  // namespace
}  // namespace coffer::vault
