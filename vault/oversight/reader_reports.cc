// Who was shown how many different clients, beside what their colleagues were.
#include "vault/oversight/reader_reports.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/reason_rule.h"
#include "vault/oversight/reader_report.h"

namespace coffer::vault {
namespace {

// Whoever could have read as much: of the same team or role, and of the same kind.
struct Colleagues {
  std::string group;
  std::vector<PrincipalId> members;  // the reader is none of them
};

struct People {
  std::unordered_map<PrincipalId, PrincipalRow, IdHash> all;
  std::vector<TeamRow> teams;
};

People PeopleOf(const PrincipalRegister& principals) {
  People people;
  for (const PrincipalRow* row : principals.Principals()) people.all.emplace(row->id, *row);
  for (const TeamRow* team : principals.Teams()) people.teams.push_back(*team);
  return people;
}

template <class Ids>
Colleagues Among(const People& people, const PrincipalRow& reader, std::string group,
                 const Ids& ids) {
  Colleagues colleagues{std::move(group), {}};
  for (const PrincipalId& id : ids) {
    const auto found = people.all.find(id);
    if (found == people.all.end() || id == reader.id || found->second.disabled) continue;
    // Two accounts of one person are no colleagues.
    if (found->second.person() == reader.person()) continue;
    if (id.kind() == reader.id.kind()) colleagues.members.push_back(id);
  }
  return colleagues;
}

Colleagues ColleaguesOf(const People& people, const PrincipalRow& reader,
                        const std::map<std::string, std::vector<PrincipalId>>& by_role) {
  const auto enough = [](const Colleagues& group) {
    return group.members.size() >= ReaderCount::kFewestColleagues;
  };
  std::optional<Colleagues> smallest;
  for (const TeamRow& team : people.teams) {
    if (!std::ranges::binary_search(team.members, reader.id)) continue;
    Colleagues group = Among(people, reader, "team:" + team.name, team.members);
    if (enough(group) && (!smallest || group.members.size() < smallest->members.size())) {
      smallest = std::move(group);
    }
  }
  if (smallest) return *std::move(smallest);
  Colleagues group = Among(people, reader, "role:" + reader.role, by_role.at(reader.role));
  return enough(group) ? group : Colleagues{};
}

double MedianOf(std::vector<std::uint64_t> counts) {
  std::ranges::sort(counts);
  const std::size_t middle = counts.size() / 2;
  if (counts.size() % 2 == 1) return static_cast<double>(counts[middle]);
  return (static_cast<double>(counts[middle - 1]) + static_cast<double>(counts[middle])) / 2;
}

void Compare(const People& people, ReaderReport& report) {
  std::unordered_map<PrincipalId, std::uint64_t, IdHash> clients;
  for (const ReaderCount& reader : report.readers) clients[reader.principal] = reader.clients;
  std::map<std::string, std::vector<PrincipalId>> by_role;
  for (const auto& [id, row] : people.all) by_role[row.role].push_back(id);
  for (ReaderCount& reader : report.readers) {
    const PrincipalRow& row = people.all.at(reader.principal);
    const Colleagues group = ColleaguesOf(people, row, by_role);
    if (group.members.empty()) continue;
    std::vector<std::uint64_t> counts;
    for (const PrincipalId& id : group.members) {
      const auto found = clients.find(id);
      counts.push_back(found == clients.end() ? 0 : found->second);
    }
    reader.group = group.group;
    reader.colleagues = counts.size();
    reader.median = MedianOf(std::move(counts));
  }
}

}  // namespace

Result<ReaderReport> ReaderReports::CountReaders(const Caller& caller,
                                                 std::optional<Timestamp> from,
                                                 std::optional<Timestamp> to) {
  constexpr Action kAction = Action::kLogRead;
  if (from && to && *to <= *from) {
    return operations_.Refuse(
        caller, {kAction},
        Error{Code::kInvalidArgument, "filter_invalid", {}, {{"/to", "must be after from"}}});
  }
  Call call = operations_.Start(caller, {kAction});
  call.entry.detail = "readers";
  call.reason_rule = ReasonRule::kVault;
  People people;
  ReaderReport report;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    people = PeopleOf(transaction.Of<AccessState>().principals());
    report.to = to.value_or(transaction.now());
    return {};
  }));
  report.from = from.value_or(Timestamp{0});
  std::vector<LogIndexReader::Reader> found;
  const auto count = [&]() -> Status {
    COFFER_ASSIGN(auto reader, readers_.Open());
    LogIndexReader* const index = reader->index();
    if (index == nullptr) return Fail(Code::kUnavailable, "index_behind");
    COFFER_ASSIGN(report.size, index->Size());
    std::uint64_t first = 0, last = report.size;
    if (from) {
      COFFER_ASSIGN(first, index->FirstSince(*from));
    }
    if (to) {
      COFFER_ASSIGN(last, index->FirstSince(*to));
    }
    COFFER_ASSIGN(found, index->CountReaders(first, last));
    return {};
  };
  if (auto counted = count(); !counted) {
    return std::unexpected(operations_.FailedLater(call, std::move(counted).error()));
  }
  for (LogIndexReader::Reader& reader : found) {
    const auto id = PrincipalId::Parse(reader.actor);
    const auto row = id ? people.all.find(*id) : people.all.end();
    if (row == people.all.end()) continue;  // the vault itself
    ReaderCount& one = report.readers.emplace_back();
    one.principal = *id;
    one.login = row->second.login;
    one.name = row->second.name;
    one.role = row->second.role;
    one.reads = reader.reads;
    one.clients = reader.clients;
  }
  Compare(people, report);
  std::ranges::sort(report.readers, [](const ReaderCount& one, const ReaderCount& other) {
    return std::pair(other.clients, one.principal) < std::pair(one.clients, other.principal);
  });
  report.more = report.readers.size() > ReaderReport::kMostReaders;
  if (report.more) report.readers.resize(ReaderReport::kMostReaders);
  return report;
}

}  // namespace coffer::vault
