#include "vault/oversight/scope_counter.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "vault/catalog/action.h"
#include "vault/rights/package_step.h"

namespace coffer::vault {
namespace {

// Some 300 bytes for each client and 24 for each record.
constexpr std::size_t kMostClients = 1'000'000;
constexpr std::uint64_t kMostRecords = 4'000'000;

constexpr std::array<std::string_view, kWays> kWayNames = {"read",     "listed", "found",
                                                           "exported", "named",  "changed"};

// By the words of the log (docs/formats.md). Lists of what is kept about clients have one entry for
// the request, which names none.
constexpr MeetingAction kMeetings[] = {
    {"access.explain", Way::kNamed, true},    {"approval.decide", Way::kNamed, false},
    {"approval.read", Way::kNamed, false},    {"approval.request", Way::kNamed, false},
    {"approval.withdraw", Way::kNamed, true}, {"assignment.read", Way::kNamed, true},
    {"assignment.write", Way::kNamed, true},  {"breach.scope", Way::kNamed, false},
    {"client.create", Way::kChanged, true},   {"client.erase", Way::kChanged, true},
    {"client.export", Way::kExported, true},  {"client.list", Way::kListed, true},
    {"client.overview", Way::kNamed, true},   {"client.package", Way::kExported, true},
    {"client.read", Way::kRead, true},        {"client.search", Way::kFound, true},
    {"client.trace", Way::kNamed, true},      {"client.update", Way::kRead, true},
    {"consent.read", Way::kNamed, true},      {"consent.write", Way::kNamed, true},
    {"disclosure.read", Way::kNamed, false},  {"disclosure.write", Way::kNamed, true},
    {"emergency.open", Way::kNamed, true},    {"emergency.read", Way::kNamed, false},
    {"emergency.review", Way::kNamed, true},  {"erasure.read", Way::kNamed, false},
    {"hold.lift", Way::kNamed, true},         {"hold.read", Way::kNamed, false},
    {"hold.write", Way::kNamed, true},        {"lease.read", Way::kNamed, false},
    {"lease.write", Way::kNamed, true},       {"log.read", Way::kNamed, false},
    {"notice.read", Way::kNamed, true},       {"notice.write", Way::kNamed, true},
    {"package.read", Way::kNamed, false},     {"record.create", Way::kChanged, true},
    {"record.delete", Way::kChanged, true},   {"record.erase", Way::kChanged, true},
    {"record.import", Way::kChanged, true},   {"record.list", Way::kListed, true},
    {"record.read", Way::kRead, true},        {"record.update", Way::kChanged, true},
    {"request.read", Way::kNamed, false},     {"request.write", Way::kNamed, true},
    {"restriction.read", Way::kNamed, false}, {"restriction.write", Way::kNamed, true},
    {"retention.read", Way::kNamed, false},
};
static_assert(std::ranges::is_sorted(kMeetings, {}, &MeetingAction::action));

bool HasSucceeded(const audit::Entry& entry) {
  static constexpr std::string_view kDone[] = {"ok", "created", "updated", "unchanged", "repeated"};
  return std::ranges::find(kDone, entry.outcome) != std::end(kDone);
}

// What is said of a package before it is handed out, or after, shows nothing that is in it.
Way WayOf(const MeetingAction& meeting, const audit::Entry& entry) {
  const auto step =
      entry.action == Name(Action::kClientPackage) ? PackageStepOf(entry.detail) : std::nullopt;
  const bool discloses = !step || *step == PackageStep::kPart || *step == PackageStep::kLastPart;
  return discloses ? meeting.way : Way::kNamed;
}

// Texts by number: each is kept once, however many clients have it.
class Texts {
 public:
  std::uint16_t Of(std::string_view text) {
    const auto found = numbers_.find(text);
    if (found != numbers_.end()) return found->second;
    const auto number = static_cast<std::uint16_t>(texts_.size());
    texts_.emplace_back(text);
    numbers_.emplace(text, number);
    return number;
  }
  const std::string& At(std::uint16_t number) const { return texts_[number]; }
  bool full() const { return texts_.size() >= std::numeric_limits<std::uint16_t>::max(); }

 private:
  std::vector<std::string> texts_;
  std::map<std::string, std::uint16_t, std::less<>> numbers_;
};

// Sets of such texts by number: most clients have the same few.
class Sets {
 public:
  Sets() { (void)Of({}); }
  using Set = std::vector<std::uint16_t>;  // sorted
  std::uint32_t Of(Set set) {
    const auto [found, made] = numbers_.try_emplace(std::move(set), sets_.size());
    if (made) sets_.push_back(found->first);
    return static_cast<std::uint32_t>(found->second);
  }
  std::uint32_t Union(std::uint32_t one, std::uint32_t other) {
    if (one == other || other == 0) return one;
    const auto [found, fresh] = unions_.try_emplace({one, other}, 0U);
    if (fresh) {
      Set both;
      std::ranges::set_union(sets_[one], sets_[other], std::back_inserter(both));
      found->second = Of(std::move(both));
    }
    return found->second;
  }
  const Set& At(std::uint32_t number) const { return sets_[number]; }

 private:
  std::vector<Set> sets_;
  std::map<Set, std::size_t> numbers_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> unions_;
};

struct ClassSums {
  std::uint16_t class_name = 0;
  Ways ways;
  std::uint32_t fields = 0;  // a set
  std::uint64_t entries = 0;
  std::vector<Id128> records;  // the first `distinct` sorted and different, the others as they came
  std::size_t distinct = 0;

  // What this takes off the number of those that are kept.
  std::size_t Tidy() {
    const std::size_t before = records.size();
    std::ranges::sort(records);
    records.erase(std::ranges::unique(records).begin(), records.end());
    distinct = records.size();
    return before - distinct;
  }
};

struct ClientSums {
  Ways ways;
  std::uint32_t purposes = 0;  // a set
  std::uint64_t entries = 0, possible = 0;
  Timestamp first, last;
  std::vector<ClassSums> classes;
};

}  // namespace

std::string_view Name(Way way) { return kWayNames[static_cast<std::size_t>(way)]; }

const MeetingAction* FindMeetingAction(std::string_view action) {
  const auto* const found = std::ranges::lower_bound(kMeetings, action, {}, &MeetingAction::action);
  return found != std::end(kMeetings) && found->action == action ? found : nullptr;
}

bool ShowedData(const audit::Entry& entry) {
  const MeetingAction* const meeting = FindMeetingAction(entry.action);
  if (meeting == nullptr || entry.decision != audit::Decision::kAllow || !HasSucceeded(entry)) {
    return false;
  }
  return meeting->way != Way::kNamed && meeting->way != Way::kChanged;
}

struct ScopeCounter::Memory {
  std::unordered_map<ClientId, ClientSums, IdHash> clients;
  std::uint64_t records = 0;
  Texts texts;
  Sets sets;
  std::map<std::string, ScopeAction, std::less<>> actions;
  std::map<std::string, std::uint64_t, std::less<>> purposes;

  ClassSums& ClassOf(ClientSums& client, std::string_view name) {
    const std::uint16_t number = texts.Of(name);
    for (ClassSums& known : client.classes) {
      if (known.class_name == number) return known;
    }
    client.classes.emplace_back().class_name = number;
    return client.classes.back();
  }

  std::uint32_t FieldsOf(const audit::Entry& entry) {
    Sets::Set fields;
    for (const std::string& field : entry.fields) fields.push_back(texts.Of(field));
    std::ranges::sort(fields);
    fields.erase(std::ranges::unique(fields).begin(), fields.end());
    return sets.Of(std::move(fields));
  }

  void Add(ClassSums& sums, const RecordId& record) {
    if (std::binary_search(sums.records.begin(),
                           sums.records.begin() + static_cast<std::ptrdiff_t>(sums.distinct),
                           record.value)) {
      return;
    }
    sums.records.push_back(record.value);
    ++records;
    if (sums.records.size() >= 2 * sums.distinct + 16) records -= sums.Tidy();
  }
};

ScopeCounter::ScopeCounter(BreachScope& scope)
    : scope_(scope), memory_(std::make_unique<Memory>()) {}

ScopeCounter::~ScopeCounter() = default;

Status ScopeCounter::Take(const audit::Entry& entry, bool possible) {
  ++scope_.matched;
  if (entry.decision != audit::Decision::kAllow) {
    ++scope_.denied;
    return {};
  }
  const MeetingAction* const meeting = FindMeetingAction(entry.action);
  // What the vault does by itself shows nobody anything.
  if (meeting == nullptr || entry.actor_kind == audit::ActorKind::kSystem) return {};
  if (!HasSucceeded(entry)) {
    ++scope_.failed;
    return {};
  }
  ScopeAction& action = memory_->actions[entry.action];
  action.way = meeting->way;
  const auto client = ClientId::Parse(entry.client);
  if (!client) {
    ++action.without_client;
    action.exact = action.exact && meeting->exact;
    return {};
  }
  ++action.entries;
  ++scope_.entries;
  if (possible) ++scope_.possible;
  if (!scope_.first) scope_.first = entry.ts;
  scope_.last = entry.ts;
  if (!entry.purpose.empty()) ++memory_->purposes[entry.purpose];

  const auto [found, made] = memory_->clients.try_emplace(*client);
  ClientSums& sums = found->second;
  if (made) sums.first = entry.ts;
  sums.last = entry.ts;
  ++sums.entries;
  if (possible) ++sums.possible;
  const Way way = WayOf(*meeting, entry);
  sums.ways.Add(way);
  if (!entry.purpose.empty()) {
    sums.purposes =
        memory_->sets.Union(sums.purposes, memory_->sets.Of({memory_->texts.Of(entry.purpose)}));
  }
  ClassSums& of_class = memory_->ClassOf(sums, entry.class_name);
  of_class.ways.Add(way);
  ++of_class.entries;
  of_class.fields = memory_->sets.Union(of_class.fields, memory_->FieldsOf(entry));
  if (const auto record = RecordId::Parse(entry.record)) memory_->Add(of_class, *record);

  if (memory_->clients.size() > kMostClients || memory_->records > kMostRecords ||
      memory_->texts.full()) {
    return std::unexpected(Error{Code::kUnprocessable,
                                 "scope_too_large",
                                 {},
                                 {{"/from",
                                   "ask for less time at once, or for less: this finds "
                                   "more than 1,000,000 clients or 4,000,000 records"}}});
  }
  return {};
}

std::vector<ClientId> ScopeCounter::Clients() const {
  std::vector<ClientId> ids;
  ids.reserve(memory_->clients.size());
  for (const auto& [id, sums] : memory_->clients) ids.push_back(id);
  std::ranges::sort(ids);
  return ids;
}

Ways ScopeCounter::WaysOf(const ClientId& client) const { return memory_->clients.at(client).ways; }

ScopeClient ScopeCounter::Describe(const ClientId& client, bool record_ids) const {
  const ClientSums& sums = memory_->clients.at(client);
  const auto texts_of = [&](std::uint32_t set) {
    std::vector<std::string> texts;
    for (const std::uint16_t number : memory_->sets.At(set)) {
      texts.push_back(memory_->texts.At(number));
    }
    std::ranges::sort(texts);
    return texts;
  };
  ScopeClient described;
  described.id = client;
  described.ways = sums.ways;
  described.entries = sums.entries;
  described.possible = sums.possible;
  described.first = sums.first;
  described.last = sums.last;
  described.purposes = texts_of(sums.purposes);
  for (const ClassSums& one : sums.classes) {
    ScopeClass& shown = described.classes.emplace_back();
    shown.class_name = memory_->texts.At(one.class_name);
    shown.ways = one.ways;
    shown.entries = one.entries;
    shown.fields = texts_of(one.fields);
    ClassSums tidy = one;
    tidy.Tidy();
    shown.records = tidy.records.size();
    if (!record_ids) continue;
    for (const Id128& record : tidy.records) shown.record_ids.push_back({record});
  }
  std::ranges::sort(described.classes, {}, &ScopeClass::class_name);
  return described;
}

void ScopeCounter::Finish() {
  for (const auto& [name, action] : memory_->actions) {
    scope_.actions.push_back(action);
    scope_.actions.back().action = name;
  }
  for (const auto& [purpose, count] : memory_->purposes) {
    scope_.purposes.push_back({purpose, count});
  }
  scope_.clients = memory_->clients.size();
  for (const auto& [id, sums] : memory_->clients) {
    if (sums.ways.Discloses()) ++scope_.disclosed;
    if (sums.ways.Has(Way::kChanged)) ++scope_.changed;
  }
}

}  // namespace coffer::vault
