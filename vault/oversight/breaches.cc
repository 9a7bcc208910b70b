#include "vault/oversight/breaches.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "vault/access/reason_rule.h"
#include "vault/oversight/breach_clocks.h"
#include "vault/oversight/breach_document.h"
#include "vault/oversight/oversight_state.h"

namespace coffer::vault {
namespace {

// One page looks at so many.
constexpr std::size_t kBreachScan = 500;
constexpr std::size_t kMostBreachEvents = 1000;

Error BreachFault(std::vector<Issue> issues) {
  return {Code::kUnprocessable, "breach_invalid", {}, std::move(issues)};
}

// What times say of each other, and of now. As they will count: what was said before counts where
// nothing new is said.
std::vector<Issue> FaultsOfTimes(const BreachFacts& facts, const BreachFacts& before,
                                 Timestamp now) {
  std::vector<Issue> issues;
  const auto aware = facts.aware ? facts.aware : before.aware;
  const auto from = facts.occurred_from ? facts.occurred_from : before.occurred_from;
  const auto to = facts.occurred_to ? facts.occurred_to : before.occurred_to;
  if (aware && *aware > now) issues.push_back({"/aware", "must not be in the future"});
  if (from && aware && *from > *aware) {
    issues.push_back({"/occurred_from", "must not be later than when somebody was aware of it"});
  }
  if (to && *to > now) issues.push_back({"/occurred_to", "must not be in the future"});
  if (from && to && *to < *from) {
    issues.push_back({"/occurred_to", "must not be earlier than occurred_from"});
  }
  return issues;
}

// The entry has the step and no word of what was said.
void Describe(Call& call, const BreachId& id, BreachStep step) {
  AddDetail(call.entry, id.Text() + " " + std::string(Name(step)));
  call.reason_rule = ReasonRule::kVault;
}

Status AppendEvent(Transaction& transaction, const Call& call, Breach& breach, BreachStep step,
                   std::string document) {
  if (breach.history.size() >= kMostBreachEvents) {
    return Fail(Code::kConflict, "breach_too_long");
  }
  BreachEvent event;
  event.number = breach.history.size();
  event.step = step;
  event.at = transaction.now();
  event.by = call.actor;
  event.seq = transaction.NextSeq();
  event.document = std::move(document);
  COFFER_TRY(transaction.Of<OversightState>().breaches.Append(breach.row, event));
  breach.history.push_back(std::move(event));
  breach.known = {};
  breach.notices.clear();
  return Conclude(breach, transaction.now());
}

Result<Breach> FindOpen(Transaction& transaction, Call& call, const BreachId& id) {
  COFFER_ASSIGN(auto breach, transaction.Of<OversightState>().breaches.Find(id));
  if (!breach) return NotFound(call);
  COFFER_TRY(Conclude(*breach, transaction.now()));
  if (breach->closed) return Fail(Code::kConflict, "breach_closed");
  return *std::move(breach);
}

}  // namespace

Result<Breach> Breaches::OpenBreach(const Caller& caller, const BreachFacts& facts) {
  const Operation operation{Action::kBreachWrite, OperationKind::kWrite};
  if (auto issues = FaultsOf(facts, true); !issues.empty()) {
    return operations_.Refuse(caller, operation, BreachFault(std::move(issues)));
  }
  Call call = operations_.Start(caller, operation);
  Breach breach;
  breach.id = BreachId::New(operations_.Now());
  Describe(call, breach.id, BreachStep::kOpened);
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Breach> {
    if (auto issues = FaultsOfTimes(facts, {}, transaction.now()); !issues.empty()) {
      return std::unexpected(BreachFault(std::move(issues)));
    }
    COFFER_ASSIGN(breach.row, transaction.Of<OversightState>().breaches.Insert(breach.id));
    COFFER_TRY(AppendEvent(transaction, call, breach, BreachStep::kOpened, DocumentOf(facts)));
    return std::move(breach);
  });
}

Result<Breach> Breaches::Say(const Caller& caller, const BreachId& id, BreachStep step,
                             const std::string& document,
                             FunctionRef<std::vector<Issue>(const Breach&)> check) {
  Call call = operations_.Start(caller, {Action::kBreachWrite, OperationKind::kWrite});
  Describe(call, id, step);
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Breach> {
    COFFER_ASSIGN(Breach breach, FindOpen(transaction, call, id));
    if (auto issues = check(breach); !issues.empty()) {
      return std::unexpected(BreachFault(std::move(issues)));
    }
    COFFER_TRY(AppendEvent(transaction, call, breach, step, document));
    return breach;
  });
}

Result<Breach> Breaches::NoteBreach(const Caller& caller, const BreachId& id,
                                    const BreachFacts& facts) {
  if (auto issues = FaultsOf(facts, false); !issues.empty()) {
    return operations_.Refuse(caller, {Action::kBreachWrite}, BreachFault(std::move(issues)));
  }
  return Say(caller, id, BreachStep::kNoted, DocumentOf(facts),
             [&](const Breach& breach) { return FaultsOfTimes(facts, breach.known, breach.now); });
}

Result<Breach> Breaches::ScopeBreach(const Caller& caller, const BreachId& id,
                                     const ScopeCriteria& asked) {
  ScopeCriteria criteria = asked;
  if (auto issues = NormaliseCriteria(criteria); !issues.empty()) {
    return operations_.Refuse(caller, {Action::kBreachScope},
                              Error{Code::kUnprocessable, "scope_invalid", {}, std::move(issues)});
  }
  // Who may not write into the register looks at nothing for it.
  Call writing = operations_.Start(caller, {Action::kBreachScope});
  writing.entry_rule = EntryRule::kOnRefusal;
  AddDetail(writing.entry, id.Text());
  writing.reason_rule = ReasonRule::kVault;
  COFFER_TRY(operations_.Perform(writing, [&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(const auto may, operations_.DecideFor(transaction, writing, Action::kBreachWrite,
                                                        std::nullopt, nullptr));
    if (!may.allowed) {
      writing.entry.decision = audit::Decision::kDeny;
      writing.entry.rule = may.rule;
      return std::unexpected(may.error);
    }
    COFFER_TRY(FindOpen(transaction, writing, id));
    return {};
  }));
  Call call = operations_.Start(caller, {Action::kBreachScope});
  AddDetail(call.entry, id.Text());
  COFFER_ASSIGN(const BreachScope scope, scopes_.CountScope(call, criteria));
  return Say(caller, id, BreachStep::kScoped, DocumentOf(scope),
             [](const Breach&) { return std::vector<Issue>(); });
}

Result<Breach> Breaches::NotifyOfBreach(const Caller& caller, const BreachId& id,
                                        const BreachNotice& notice) {
  if (auto issues = FaultsOf(notice); !issues.empty()) {
    return operations_.Refuse(caller, {Action::kBreachWrite}, BreachFault(std::move(issues)));
  }
  return Say(caller, id, BreachStep::kNotified, DocumentOf(notice), [&](const Breach& breach) {
    std::vector<Issue> issues;
    if (notice.at > breach.now) issues.push_back({"/at", "must not be in the future"});
    if (notice.at < *breach.known.aware) {
      issues.push_back({"/at", "must not be earlier than when somebody was aware of the breach"});
    }
    if (notice.delay.empty() && IsLate(notice, *breach.known.aware)) {
      issues.push_back({"/delay", "is required: it was later than the clock"});
    }
    return issues;
  });
}

Result<Breach> Breaches::CloseBreach(const Caller& caller, const BreachId& id,
                                     const BreachClosing& closing) {
  if (auto issues = FaultsOf(closing); !issues.empty()) {
    return operations_.Refuse(caller, {Action::kBreachWrite}, BreachFault(std::move(issues)));
  }
  return Say(caller, id, BreachStep::kClosed, DocumentOf(closing), [&](const Breach& breach) {
    std::vector<Issue> issues;
    const auto clocks = ClocksOf(breach);
    const bool told = std::ranges::all_of(
        clocks, [](const BreachClock& clock) { return clock.done.has_value(); });
    if (!told && closing.not_notified.empty()) {
      issues.push_back(
          {"/not_notified", "is required: an authority whose clock runs was not told"});
    }
    return issues;
  });
}

Result<Breach> Breaches::GetBreach(const Caller& caller, const BreachId& id) {
  Call call = operations_.Start(caller, {Action::kBreachRead});
  AddDetail(call.entry, id.Text());
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Breach> {
    COFFER_ASSIGN(auto breach, transaction.Of<OversightState>().breaches.Find(id));
    if (!breach) return NotFound(call);
    COFFER_TRY(Conclude(*breach, transaction.now()));
    return *std::move(breach);
  });
}

Result<Page<Breach>> Breaches::ListBreaches(const Caller& caller, BreachesAsked asked,
                                            const PageRequest& page) {
  const std::string list = "breaches/" + std::to_string(static_cast<int>(asked));
  Call call = operations_.Start(caller, {Action::kBreachRead});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Page<Breach>> {
    Page<Breach> result;
    COFFER_ASSIGN(std::int64_t last, operations_.ReadCursor(call, list, page.cursor));
    if (page.cursor.empty()) last = std::numeric_limits<std::int64_t>::max();
    COFFER_ASSIGN(auto breaches, transaction.Of<OversightState>().breaches.List(last, kBreachScan));
    for (Breach& breach : breaches) {
      if (result.items.size() == page.limit) {
        result.next_cursor = operations_.MakeCursor(call, list, last);
        return result;
      }
      last = breach.row;
      COFFER_TRY(Conclude(breach, transaction.now()));
      if (asked != BreachesAsked::kAll &&
          (asked == BreachesAsked::kClosed) != breach.closed.has_value()) {
        continue;
      }
      result.items.push_back(std::move(breach));
    }
    if (breaches.size() == kBreachScan) {
      result.next_cursor = operations_.MakeCursor(call, list, last);
    }
    return result;
  });
}

}  // namespace coffer::vault
