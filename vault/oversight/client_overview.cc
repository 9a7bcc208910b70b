#include "vault/oversight/client_overview.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "audit/entries/entry.h"
#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/catalog/catalog_state.h"
#include "vault/catalog/retention_dates.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/record_view.h"
#include "vault/clients/tag_reach.h"
#include "vault/deletion/deletion_state.h"
#include "vault/oversight/log_search.h"
#include "vault/oversight/scope_counter.h"
#include "vault/rights/rights_state.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMostVersionsCounted = 10'000;
constexpr std::int64_t kOverviewDayMs = std::int64_t{24} * 3600 * 1000;

struct PartOfOverview {
  std::string_view name;
  Action action;  // that shows it
  std::string_view route;
};
constexpr std::array<PartOfOverview, kOverviewParts> kParts = {{
    {"consents", Action::kConsentRead, "/v1/clients/{client}/consents"},
    {"requests", Action::kRequestRead, "/v1/requests?client={client}"},
    {"restrictions", Action::kRestrictionRead, "/v1/clients/{client}/restrictions"},
    {"holds", Action::kHoldRead, "/v1/holds"},
    {"assignments", Action::kAssignmentRead, "/v1/clients/{client}/assignments"},
    {"leases", Action::kLeaseRead, "/v1/clients/{client}/leases"},
    {"emergencies", Action::kEmergencyRead, "/v1/emergency-access"},
    {"disclosures", Action::kDisclosureRead, "/v1/disclosures?client={client}"},
    {"to_tell", Action::kDisclosureRead, "/v1/clients/{client}/recipients-to-tell"},
    {"erasures", Action::kErasureRead, "/v1/erasures"},
    {"retention", Action::kRetentionRead, ""},
}};

// Collects one client's parts, inside the engine.
class OverviewCollector {
 public:
  OverviewCollector(Transaction& transaction, const ClientId& client,
                    const std::optional<ClientRow>& row, ClientOverview& overview)
      : transaction_(transaction), client_(client), row_(row), overview_(overview) {}

  Status Collect(OverviewPart part) {
    using enum OverviewPart;
    switch (part) {
      case kConsents:
        return Consents();
      case kRequests:
        return Requests();
      case kRestrictions:
        return Restrictions();
      case kHolds:
        return Holds();
      case kAssignments:
        return Assignments();
      case kLeases:
        return Leases();
      case kEmergencies:
        return Emergencies();
      case kDisclosures:
        return Disclosures();
      case kToTell:
        return ToTell();
      case kErasures:
        return Erasures();
      case kRetention:
        return {};  // counted beside the engine
    }
    return {};
  }

 private:
  AccessState& access() const { return transaction_.Of<AccessState>(); }
  Timestamp now() const { return transaction_.now(); }

  static void Add(OverviewList& list, OverviewItem item) {
    if (list.items.size() == kMostOverviewItems) {
      list.more = true;
      return;
    }
    list.items.push_back(std::move(item));
  }

  Status Consents() {
    OverviewList& list = overview_[OverviewPart::kConsents];
    COFFER_ASSIGN(const auto all, access().stores.consents.ListOf(client_));
    for (auto stored = all.rbegin(); stored != all.rend(); ++stored) {
      const Consent& one = stored->first;
      OverviewItem item;
      item.id = one.id.Text();
      item.what = one.purpose;
      item.state = one.withdrawal ? "withdrawn" : one.StandsAt(now()) ? "stands" : "expired";
      item.at = one.given;
      item.until = one.withdrawal ? std::optional(one.withdrawal->withdrawn) : one.expires;
      item.entry = one.withdrawal ? one.withdrawal->seq : one.seq;
      item.detail =
          one.text.name + " v" + std::to_string(one.text.version) + " " + one.text.language;
      Add(list, std::move(item));
    }
    return {};
  }

  Status Requests() {
    OverviewList& list = overview_[OverviewPart::kRequests];
    COFFER_ASSIGN(const auto rows,
                  transaction_.Of<RightsState>().requests.List(
                      std::numeric_limits<std::int64_t>::max(), client_, kMostOverviewItems + 1));
    for (const RequestRow& row : rows) {
      OverviewItem item;
      item.id = row.id.Text();
      item.what = NameOf(row.kind);
      item.state = NameOf(row.state);
      item.at = row.received;
      if (IsOpen(row.state)) item.until = row.due;
      item.entry = row.seq;
      item.detail = row.regime;
      Add(list, std::move(item));
    }
    return {};
  }

  Status Restrictions() {
    OverviewList& list = overview_[OverviewPart::kRestrictions];
    auto all = access().restrictions().Of(client_);
    std::ranges::sort(all, std::ranges::greater(), &Restriction::id);
    for (const Restriction& one : all) {
      OverviewItem item;
      item.id = one.id.Text();
      item.what = one.terms.class_name.empty() ? "all" : one.terms.class_name;
      item.state = one.terms.stops.IncludeAll() ? "all" : "purposes";
      item.at = one.since;
      item.principal = one.placed_by;
      Add(list, std::move(item));
    }
    return {};
  }

  Status Holds() {
    OverviewList& list = overview_[OverviewPart::kHolds];
    if (!row_) return {};
    auto all = transaction_.Of<DeletionState>().holds().Covering(*row_, {});
    std::ranges::sort(all, std::ranges::greater(), &Hold::id);
    for (const Hold* const one : all) {
      OverviewItem item;
      item.id = one->id.Text();
      item.what = one->terms.class_name.empty() ? "all" : one->terms.class_name;
      item.state = one->terms.review_due <= now() ? "review_overdue" : "review_due";
      item.at = one->placed;
      item.until = one->terms.review_due;
      item.principal = one->placed_by;
      Add(list, std::move(item));
    }
    return {};
  }

  Status Assignments() {
    OverviewList& list = overview_[OverviewPart::kAssignments];
    const auto* const all = access().access().AssignmentsOf(client_);
    if (all == nullptr) return {};
    std::vector<const AssignmentRow*> rows;
    for (const AssignmentRow& one : *all) rows.push_back(&one);
    std::ranges::sort(rows, std::ranges::greater(), &AssignmentRow::starts);
    for (const AssignmentRow* const one : rows) {
      OverviewItem item;
      item.state = one->starts > now()                ? "to_come"
                   : one->ends && *one->ends <= now() ? "ended"
                                                      : "open";
      item.at = one->starts;
      item.until = one->ends;
      item.principal = one->principal;
      Add(list, std::move(item));
    }
    return {};
  }

  void AddTerms(OverviewList& list, std::string id, const LeaseTerms& terms, Timestamp created,
                const PrincipalId& principal) {
    OverviewItem item;
    item.id = std::move(id);
    item.what = terms.purpose;
    item.state = terms.expires <= now() ? "ended" : "open";
    item.at = created;
    item.until = terms.expires;
    item.principal = principal;
    Add(list, std::move(item));
  }

  Status Leases() {
    const auto* const all = access().access().LeasesOf(client_);
    if (all == nullptr) return {};
    std::vector<const LeaseRow*> rows;
    for (const LeaseRow& one : *all) rows.push_back(&one);
    std::ranges::sort(rows, std::ranges::greater(), &LeaseRow::id);
    for (const LeaseRow* const one : rows) {
      AddTerms(overview_[OverviewPart::kLeases], one->id.Text(), one->terms, one->created,
               one->principal);
    }
    return {};
  }

  Status Emergencies() {
    const auto* const all = access().access().EmergenciesOf(client_);
    if (all == nullptr) return {};
    std::vector<const EmergencyRow*> rows;
    for (const EmergencyRow& one : *all) rows.push_back(&one);
    std::ranges::sort(rows, std::ranges::greater(), &EmergencyRow::id);
    for (const EmergencyRow* const one : rows) {
      AddTerms(overview_[OverviewPart::kEmergencies], one->id.Text(), one->terms, one->created,
               one->principal);
    }
    return {};
  }

  Status Disclosures() {
    OverviewList& list = overview_[OverviewPart::kDisclosures];
    COFFER_ASSIGN(const auto rows,
                  access().stores.disclosures.ListOf(
                      client_, std::numeric_limits<std::int64_t>::max(), kMostOverviewItems + 1));
    for (const auto& [one, given] : rows) {
      OverviewItem item;
      item.id = one.id.Text();
      item.what = Name(one.source);
      item.at = one.given;
      item.entry = given.seq;
      item.principal = one.recorded_by;
      item.detail = one.recipient.Text();
      Add(list, std::move(item));
    }
    return {};
  }

  Status ToTell() {
    OverviewList& list = overview_[OverviewPart::kToTell];
    COFFER_ASSIGN(const auto rows,
                  access().stores.disclosures.ListTellingsOf(client_, kMostOverviewItems + 1));
    for (const Telling& one : rows) {
      OverviewItem item;
      item.what = Name(one.act);
      item.state = !one.told ? "open" : one.told->not_told.empty() ? "told" : "not_told";
      item.at = one.act_at;
      if (one.told) item.until = one.told->at;
      item.entry = one.act_seq;
      item.detail = one.recipient.Text();
      Add(list, std::move(item));
    }
    return {};
  }

  Status Erasures() {
    OverviewList& list = overview_[OverviewPart::kErasures];
    COFFER_ASSIGN(const auto rows, transaction_.stores().erasures.ListOf(client_));
    for (const ErasureRow& row : rows) {
      OverviewItem item;
      item.id = row.id.Text();
      item.what = Name(row.scope);
      item.state = row.state == ErasureState::kComplete ? "complete" : "unfinished";
      item.at = row.erased;
      item.entry = row.seq;
      item.detail = row.class_name;
      Add(list, std::move(item));
    }
    return {};
  }

  Transaction& transaction_;
  const ClientId& client_;
  const std::optional<ClientRow>& row_;
  ClientOverview& overview_;
};

std::string_view DueInWords(const RetentionDue& due, Timestamp now) {
  switch (due.state) {
    case RetentionDue::State::kAt:
      return due.at <= now ? "due" : "later";
    case RetentionDue::State::kKept:
      return "kept";
    case RetentionDue::State::kNotBegun:
      return "not_begun";
    case RetentionDue::State::kUnknown:
      return "unknown";
  }
  return "unknown";
}

}  // namespace

std::string_view Name(OverviewPart part) { return kParts[static_cast<std::size_t>(part)].name; }
std::string_view RouteOf(OverviewPart part) { return kParts[static_cast<std::size_t>(part)].route; }

// On a connection beside the engine: a client can have very many records.
Status ClientOverviews::Count(const Call& call, ClientOverview& overview, bool with_retention) {
  COFFER_ASSIGN(auto reader, readers_.Open());
  COFFER_ASSIGN(auto records, RecordStore::Open(reader->database()));
  COFFER_ASSIGN(const auto counts, records.CountByClass(overview.client.Row()));
  for (const auto& [name, count] : counts) {
    overview.classes.push_back({name, count});
    overview.records += count;
  }
  COFFER_TRY(HideClasses(call, overview));
  const auto most = static_cast<std::size_t>(overview.records) + kMostVersionsCounted;
  COFFER_ASSIGN(const std::size_t sealed, records.CountSealed(overview.client.Row(), most));
  overview.old_versions = sealed - std::min<std::size_t>(sealed, overview.records);
  overview.more_versions = sealed >= most;

  const auto catalog = operations_.engine().Of<CatalogState>().Published();
  const auto& stored = catalog->retention;
  if (!with_retention || !stored) return {};
  COFFER_ASSIGN(auto store, RetentionStore::Open(reader->database()));
  COFFER_ASSIGN(const auto client, store.FindClient(overview.client.Row()));
  if (!client) return {};
  const RetentionSchedule& schedule = stored->schedule;
  const RetentionDates dates(*catalog);
  std::optional<Day> relationship_end;
  if (client->relationship_end) {
    relationship_end = schedule.zone().DayOf(*client->relationship_end);
  }
  const Timestamp now = operations_.Now();
  // By class, policy and state: at most a few lines for each class.
  std::map<std::pair<std::string, std::string_view>, OverviewItem> lines;
  COFFER_TRY(store.ScanOf(overview.client.Row(), [&](const RetentionSubject& subject) -> Status {
    RetentionEvents events{subject.created, subject.updated, relationship_end, {}};
    if (dates.IsCurrent(subject.class_name, subject.date_version)) {
      events.date_field = subject.date_field;
    }
    const RetentionPolicy& policy = schedule.PolicyFor(subject.class_name, client->tags);
    const RetentionDue due = schedule.DueAt(policy, events);
    OverviewItem& line = lines[{std::string(subject.class_name), DueInWords(due, now)}];
    line.count = line.count.value_or(0) + 1;
    if (!policy.keeps()) line.detail = policy.name + " " + std::string(NameOf(policy.action));
    if (due.state != RetentionDue::State::kAt) return {};
    if (!line.until || due.at < *line.until) line.until = due.at;
    return {};
  }));
  OverviewList& list = overview[OverviewPart::kRetention];
  return operations_.Look([&](Transaction& transaction) -> Status {
    const HoldRegister& holds = transaction.Of<DeletionState>().holds();
    const RestrictionRegister& restrictions = transaction.Of<AccessState>().restrictions();
    for (auto& [place, line] : lines) {
      line.what = place.first;
      line.state = place.second;
      const bool held = line.state == "due" &&
                        RetentionIsHeld(holds, restrictions, client->id, client->tags, place.first);
      if (held) line.state = "held";
      list.items.push_back(std::move(line));
    }
    return {};
  });
}

// In which class the client has something is named to whose role would show it for some purpose.
Status ClientOverviews::HideClasses(const Call& call, ClientOverview& overview) {
  if (overview.classes.empty()) return {};
  return operations_.Look([&](Transaction& transaction) -> Status {
    const auto catalog = operations_.engine().Of<CatalogState>().Published();
    std::vector<OverviewClass> known;
    overview.hidden = 0;
    for (const OverviewClass& one : overview.classes) {
      const auto schema = catalog->Newest(one.name);
      bool may = false;
      for (const Action action : {Action::kRecordList, Action::kRecordRead}) {
        if (may || !schema) break;
        COFFER_ASSIGN(auto decision,
                      operations_.DecideFor(transaction, call, action, overview.client, nullptr));
        decision.leases.clear();
        may = decision.allowed && !ShowsNothing(FieldViewsOf(decision, *schema));
      }
      if (may) {
        known.push_back(one);
      } else {
        overview.hidden += one.records;
      }
    }
    overview.classes = std::move(known);
    return {};
  });
}

Status ClientOverviews::Summarise(ClientOverview& overview) {
  AccessSummary& summary = overview.accesses;
  COFFER_ASSIGN(auto reader, readers_.Open());
  if (reader->index() == nullptr) {
    summary.known = false;
    return {};
  }
  LogFilter filter;
  filter.client = overview.client.Text();
  filter.decision = "allow";
  filter.from = Timestamp{operations_.Now().ms - kAccessDays * kOverviewDayMs};
  std::set<std::string> actors;
  std::size_t looked_at = 0;
  LogPageRequest request;
  request.limit = 1000;
  for (;;) {
    LogPage page;
    COFFER_TRY(SearchLog(*reader, filter, request, page));
    for (std::size_t i = 0; i < page.entries.size(); ++i) {
      COFFER_ASSIGN(const auto entry, audit::ParseEntry(page.entries[i]));
      if (!ShowedData(entry) || entry.actor_kind == audit::ActorKind::kSystem) continue;
      ++summary.reads;
      actors.insert(entry.actor);
      if (summary.last) continue;
      OverviewItem& last = summary.last.emplace();
      last.what = entry.action;
      last.at = entry.ts;
      last.entry = page.seqs[i];
      if (const auto principal = PrincipalId::Parse(entry.actor)) last.principal = *principal;
    }
    looked_at += page.entries.size();
    if (!page.next) break;
    if (looked_at >= kMostAccessesLookedAt) {
      summary.more = true;
      break;
    }
    request.start = page.next;
  }
  summary.principals = actors.size();
  return {};
}

Result<ClientOverview> ClientOverviews::GetOverview(const Caller& caller, const ClientId& client) {
  Call call = operations_.Start(caller, {Action::kClientOverview});
  call.entry.client = client.Text();
  ClientOverview overview;
  overview.client = client;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(const auto row, transaction.Of<AccessState>().FindClient(client));
    if (row) {
      call.About(client);
      COFFER_TRY(operations_.Authorize(transaction, call, nullptr));
      overview.created = row->created;
      overview.updated = row->updated;
      overview.relationship_end = row->relationship_end;
      overview.version = row->version;
    } else {
      COFFER_ASSIGN(const auto erasures, transaction.stores().erasures.ListOf(client));
      overview.erased = std::ranges::any_of(
          erasures, [](const ErasureRow& one) { return one.scope == ErasureScope::kClient; });
      if (!overview.erased || !ReachesAll(call.decision)) return NotFound(call);
    }
    const std::optional<ClientId> there = row ? std::optional(client) : std::nullopt;
    const auto may = [&](Action action) -> Result<bool> {
      COFFER_ASSIGN(const auto decision,
                    operations_.DecideFor(transaction, call, action, there, nullptr));
      return decision.allowed && (there || ReachesAll(decision));
    };
    OverviewCollector collector(transaction, client, row, overview);
    for (std::size_t i = 0; i < kOverviewParts; ++i) {
      COFFER_ASSIGN(const bool shown, may(kParts[i].action));
      overview.parts[i].withheld = !shown;
      if (shown) COFFER_TRY(collector.Collect(static_cast<OverviewPart>(i)));
    }
    COFFER_ASSIGN(const bool logs, may(Action::kLogRead));
    overview.accesses.withheld = !logs;
    return {};
  }));
  const auto more = [&]() -> Status {
    COFFER_TRY(Count(call, overview, !overview[OverviewPart::kRetention].withheld));
    if (overview.accesses.withheld) return {};
    return Summarise(overview);
  };
  if (auto done = more(); !done) {
    return std::unexpected(operations_.FailedLater(call, std::move(done).error()));
  }
  return overview;
}

}  // namespace coffer::vault
