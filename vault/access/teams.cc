// Teams: put, list.
#include "vault/access/teams.h"

#include <algorithm>

#include "vault/access/access_acts.h"
#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/principal_name.h"
#include "vault/access/team.h"
#include "vault/base/names.h"
#include "vault/base/word_list.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxTeamMembers = 1000;
constexpr std::size_t kMaxTeams = 1000;

Team InfoOf(const TeamRow& row) { return {row.id, row.name, row.created, row.members}; }

// An entry for each that comes or goes.
void NoteMembers(Transaction& transaction, const TeamRow& team, const TeamRow* before) {
  const std::vector<PrincipalId> none;
  const auto& old = before != nullptr ? before->members : none;
  const auto note = [&](const std::vector<PrincipalId>& from, const std::vector<PrincipalId>& those,
                        std::string_view what) {
    for (const PrincipalId& member : from) {
      if (std::ranges::binary_search(those, member)) continue;
      audit::Entry entry;
      entry.action = Name(Action::kTeamWrite);
      entry.detail = team.id.Text() + " " + member.Text() + " " + std::string(what);
      transaction.Also(std::move(entry));
    }
  };
  note(team.members, old, "added");
  note(old, team.members, "removed");
}

}  // namespace

Result<Team> Teams::PutTeam(const Caller& caller, std::string_view name,
                            const std::vector<PrincipalId>& members) {
  constexpr Action kAction = Action::kTeamWrite;
  std::vector<Issue> issues;
  if (!IsName(name, '-')) {
    issues.push_back({"", "the name must be 1 to 64 of a-z, 0-9 and '-', beginning with a letter"});
  } else if (LooksLikeId(name)) {
    issues.push_back({"", kLooksLikeId});
  }
  if (members.size() > kMaxTeamMembers) issues.push_back({"/members", "has more than 1000 items"});
  if (!issues.empty()) {
    return operations_.Refuse(caller, {kAction},
                              Error{Code::kUnprocessable, "team_invalid", {}, std::move(issues)});
  }
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Team> {
    const TeamRow* const before = transaction.Of<AccessState>().principals().FindTeam(name);
    TeamRow row;
    row.id = before ? before->id : PrincipalId::New(transaction.now(), PrincipalKind::kTeam);
    AddDetail(call.entry, row.id.Text());
    if (before == nullptr &&
        transaction.Of<AccessState>().principals().Teams().size() >= kMaxTeams) {
      return Fail(Code::kConflict, "too_many_teams");
    }
    row.name = name;
    row.created = before ? before->created : transaction.now();
    row.members = members;
    std::ranges::sort(row.members);
    const auto repeated = std::ranges::unique(row.members);
    row.members.erase(repeated.begin(), repeated.end());
    for (const PrincipalId& member : row.members) {
      const PrincipalRow* const known = transaction.Of<AccessState>().principals().Find(member);
      if (known == nullptr) return Fail(Code::kUnprocessable, "principal_unknown");
      const bool was = before != nullptr && std::ranges::binary_search(before->members, member);
      if (!was && known->person() == call.principal->person()) {
        return Deny(call, "separation", Code::kPermissionDenied, "own_request");
      }
    }
    if (before != nullptr && row.members == before->members) {
      call.entry.outcome = "unchanged";
      return InfoOf(*before);
    }
    NoteMembers(transaction, row, before);
    COFFER_TRY(transaction.Of<AccessState>().stores.principals.Put(row));
    if (before != nullptr) ActTeamMembers(transaction, row);
    Team team = InfoOf(row);
    StageTeam(transaction, std::move(row));
    return team;
  });
}

Result<std::vector<Team>> Teams::ListTeams(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kTeamRead});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<std::vector<Team>> {
    std::vector<Team> teams;
    for (const TeamRow* row : transaction.Of<AccessState>().principals().Teams()) {
      teams.push_back(InfoOf(*row));
    }
    return teams;
  });
}

}  // namespace coffer::vault
