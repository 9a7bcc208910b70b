#include "vault/rights/requests.h"

#include <algorithm>
#include <limits>
#include <set>

#include "audit/entries/entry.h"
#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/access/telling.h"
#include "vault/base/words.h"
#include "vault/clients/client_erasure.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/tag_reach.h"
#include "vault/rights/package_step.h"
#include "vault/rights/request_clock.h"
#include "vault/rights/request_rules.h"
#include "vault/rights/request_words.h"
#include "vault/rights/rights_state.h"

namespace coffer::vault {
namespace {

constexpr char kBetweenCursors = '.';
constexpr std::size_t kRequestScan = 2000;  // one page looks at so many
constexpr std::size_t kMaxOpenRequests = 100;
constexpr std::uint64_t kMaxSteps = 1000;
constexpr std::size_t kMaxRegimes = 200;
constexpr std::size_t kMaxAttachments = 20;
constexpr std::size_t kMaxAuthority = 500;
constexpr std::int64_t kMsADay = std::int64_t{24} * 3600 * 1000;
constexpr std::int64_t kOldestMs = std::int64_t{3653} * kMsADay;  // ten years

void AddFaultsOfReceipt(Timestamp received, Timestamp now, std::vector<Issue>& issues) {
  if (received > now) issues.push_back({"/received", "must not be in the future"});
  if (received.ms < now.ms - kOldestMs) {
    issues.push_back({"/received", "must not be more than ten years ago"});
  }
}

std::vector<Issue> FaultsOf(const RequestForm& form, Timestamp now) {
  std::vector<Issue> issues;
  if (std::ranges::find(kChannels, form.channel) == std::end(kChannels)) {
    issues.push_back({"/channel", "must be one of email, in_person, letter, phone, portal, other"});
  }
  if (!form.received_day) AddFaultsOfReceipt(form.received, now, issues);
  if (!form.authority.empty() && !IsWords(form.authority, kMaxAuthority)) {
    issues.push_back({"/authority", WordsRule(kMaxAuthority)});
  }
  if (!form.words.empty() && !IsWords(form.words, kMaxRequestWords, TextForm::kLines)) {
    issues.push_back({"/words", WordsRule(kMaxRequestWords, TextForm::kLines)});
  }
  if (form.attachments.size() > kMaxAttachments) {
    issues.push_back({"/attachments", "must be at most 20 references"});
  }
  for (std::size_t i = 0; i < form.attachments.size() && i < kMaxAttachments; ++i) {
    if (!IsWords(form.attachments[i], kMaxLetter)) {
      issues.push_back({"/attachments/" + std::to_string(i), WordsRule(kMaxLetter)});
    }
  }
  return issues;
}

Error Invalid(std::string_view reason, std::vector<Issue> issues) {
  return {Code::kUnprocessable, reason, {}, std::move(issues)};
}

// What is said, under the client's key. Of a client that is not known yet, or was erased, under the
// vault's: the register's own retention ends it.
Status Seal(const Operations& operations, Transaction& transaction, const RequestRow& row,
            RequestStep& step) {
  const crypto::Keyring& keyring = operations.keyring();
  if (row.client) {
    const auto keys = transaction.PinKey(*row.client);
    if (keys) {
      step.sealed = SealWords(keyring, keys->Expose(), row.id, step);
      return {};
    }
    if (keys.error().code != Code::kNotFound) return std::unexpected(keys.error());
  }
  step.sealed = SealWords(keyring, KeysOfNobody(keyring), row.id, step);
  return {};
}

// What was said before the client was known, under the client's key from now on.
Status Adopt(const Operations& operations, Transaction& transaction, const RequestRow& row) {
  RequestStore& store = transaction.Of<RightsState>().requests;
  const crypto::Keyring& keyring = operations.keyring();
  COFFER_ASSIGN(const auto steps, store.ListSteps(row.id));
  COFFER_ASSIGN(const auto keys, transaction.PinKey(*row.client));
  for (const RequestStep& step : steps) {
    if (step.sealed.empty()) continue;
    // What does not open stays as it is: it must not keep anybody from being answered.
    const auto sealed = ResealWords(keyring, KeysOfNobody(keyring), keys.Expose(), row.id,
                                    step.number, step.sealed);
    if (sealed) COFFER_TRY(store.PutWords(row.id, step.number, *sealed));
  }
  return {};
}

// False: some of it does not open, which must not keep anybody from being answered.
Result<bool> OpenSteps(const Operations& operations, Transaction& transaction,
                       const RequestRow& row, std::vector<RequestStep>& steps) {
  const crypto::Keyring& keyring = operations.keyring();
  std::optional<PinnedKeys> keys;
  if (row.client) {
    auto pinned = transaction.PinKey(*row.client);
    if (pinned) {
      keys = *std::move(pinned);
    } else if (pinned.error().code != Code::kNotFound && pinned.error().code != Code::kCorrupted) {
      return std::unexpected(pinned.error());
    }
  }
  bool opened = true;
  for (RequestStep& step : steps) {
    opened = OpenWords(keyring, keys ? keys->Expose() : KeysOfNobody(keyring), row.id, step)
                 .has_value() &&
             opened;
  }
  return opened;
}

// What is due after these steps. A check that goes on ends with the decision.
Status Compute(Transaction& transaction, const Regime& regime, std::span<const RequestStep> steps,
               RequestRow& row) {
  std::vector<IdentityCheck> checks;
  for (const RequestStep& step : steps) {
    const bool checking = !checks.empty() && !checks.back().until;
    if (step.kind == StepKind::kCheckIdentity && !checking) checks.push_back({step.at, {}});
    if (step.kind == StepKind::kAccept && checking) checks.back().until = step.at;
  }
  if (row.decided && !checks.empty() && !checks.back().until) checks.back().until = row.decided;
  COFFER_ASSIGN(const RequestClock clock,
                ComputeClock(regime, row.kind, {row.received, checks, row.extended.has_value()},
                             ZoneOf(transaction, regime)));
  row.regime_version = regime.version;
  row.last_day = clock.last_day;
  row.due = clock.runs ? std::optional(clock.due) : std::nullopt;
  row.next_due = row.due;
  if (clock.acknowledge_due && !row.acknowledged &&
      (!row.next_due || *clock.acknowledge_due < *row.next_due)) {
    row.next_due = clock.acknowledge_due;
  }
  if (!IsOpen(row.state)) row.next_due.reset();
  return {};
}

std::string DueInWords(const RequestRow& row) {
  if (!IsOpen(row.state)) return std::string(NameOf(row.state));
  return row.due ? "due " + FormatDay(row.last_day) : "not counted now";
}

std::string StepDetail(const RequestRow& row, StepKind kind) {
  return row.id.Text() + " " + std::string(NameOf(row.kind)) + " " + std::string(NameOf(kind)) +
         "; " + DueInWords(row);
}

// The request as it is after the step, and the step with what is due from then on.
Status Store(Transaction& transaction, RequestRow& row, RequestStep step) {
  RequestStore& store = transaction.Of<RightsState>().requests;
  step.due = row.due;
  COFFER_TRY(store.InsertStep(row.id, step));
  return step.kind == StepKind::kRegister ? store.Insert(row) : store.Update(row);
}

// It was done then, or is erased all the same.
bool Succeeded(const audit::Entry& entry) {
  const bool erases =
      entry.action == Name(Action::kClientErase) || entry.action == Name(Action::kRecordErase);
  return entry.decision == audit::Decision::kAllow &&
         (entry.outcome == "ok" || (erases && entry.outcome == "repeated"));
}

// One that was placed, and stands: its entry has the id first. An objection restricts no
// processing.
bool Restricts(Transaction& transaction, const RequestRow& row, const audit::Entry& entry) {
  std::string_view detail = entry.detail;
  if (detail.starts_with("ticket ")) {
    detail.remove_prefix(std::min(detail.find("; "), detail.size() - 2) + 2);
  }
  const auto standing = transaction.Of<AccessState>().restrictions().Of(*row.client);
  return std::ranges::any_of(standing, [&](const Restriction& restriction) {
    return detail.starts_with(restriction.id.Text()) &&
           (row.kind != RequestKind::kRestriction || !restriction.terms.stops.IsObjection());
  });
}

// All of it: with its last part, or without having been prepared.
bool HandsOut(const audit::Entry& entry) {
  const auto step = PackageStepOf(entry.detail);
  return !step || step == PackageStep::kLastPart;
}

// One entry as proof; nullopt: it shows nothing of the kind.
Result<std::optional<audit::Entry>> FindProof(Transaction& transaction, const RequestRow& row,
                                              std::uint64_t seq) {
  COFFER_ASSIGN(const auto bytes, transaction.stores().log->ReadEntry(seq));
  if (!bytes || !row.client) return std::nullopt;
  COFFER_ASSIGN(auto entry, audit::ParseEntry(*bytes));
  if (entry.client != row.client->Text() || !Succeeded(entry)) return std::nullopt;
  // Nothing is kept of the client: that answers everything, also what is asked afterwards.
  if (ErasesClient(entry)) return entry;
  const auto actions = ProvingActions(row.kind);
  const bool is =
      entry.ts >= row.received && std::ranges::find(actions, entry.action) != actions.end() &&
      (entry.action != Name(Action::kRestrictionWrite) || Restricts(transaction, row, entry)) &&
      (entry.action != Name(Action::kClientPackage) || HandsOut(entry)) &&
      // A consent that is given is no withdrawal.
      (entry.action != Name(Action::kConsentWrite) || entry.detail.contains("; withdrawn; "));
  if (!is) return std::nullopt;
  return entry;
}

std::string ProofsWanted(const RequestRow& row) {
  std::string wanted =
      "must be entries of the log about this client, not older than the request, "
      "that say that it was done: ";
  bool first = true;
  for (const std::string_view action : ProvingActions(row.kind)) {
    if (!std::exchange(first, false)) wanted += ", ";
    wanted += action;
  }
  return wanted;
}

// What shows that the request was fulfilled, into the step.
Status Prove(Transaction& transaction, const RequestRow& row, const StepForm& form,
             RequestStep& step) {
  std::vector<std::uint64_t> entries = form.entries;
  std::vector<Issue> issues;
  if (form.erasure) {
    COFFER_ASSIGN(const auto erasure, transaction.stores().erasures.Find(*form.erasure));
    if (!erasure || !row.client || erasure->client != *row.client) {
      issues.push_back({"/erasure", "must be an erasure of this client"});
    } else {
      entries.push_back(erasure->seq);
    }
  }
  bool is_all = false;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    COFFER_ASSIGN(const auto entry, FindProof(transaction, row, entries[i]));
    if (!entry) {
      issues.push_back({i < form.entries.size() ? "/entries/" + std::to_string(i) : "/erasure",
                        ProofsWanted(row)});
      continue;
    }
    is_all = is_all || ErasesClient(*entry);
    step.proofs.push_back({entry->seq, entry->action});
  }
  if (issues.empty() && step.proofs.empty() && !ProvingActions(row.kind).empty()) {
    issues.push_back({"/entries", ProofsWanted(row)});
  }
  if (ProvingActions(row.kind).empty() && step.letter.empty()) {
    issues.push_back({"/letter", "is required: nothing else shows that this was answered"});
  }
  if (issues.empty() && row.kind == RequestKind::kErasure && !is_all && step.article.empty()) {
    issues.push_back(
        {"/article", "is required: not all was erased, so say under which the rest is kept"});
  }
  if (issues.empty()) return {};
  return std::unexpected(Error{Code::kConflict, "fulfilment_missing", {}, std::move(issues)});
}

// What was put right by then, as recipients are told of it: once for each class.
Status NoteRectified(Transaction& transaction, const RequestRow& row, const RequestStep& step) {
  std::set<std::string> classes;
  for (const Proof& proof : step.proofs) {
    COFFER_ASSIGN(const auto bytes, transaction.stores().log->ReadEntry(proof.seq));
    if (!bytes) continue;
    COFFER_ASSIGN(const auto entry, audit::ParseEntry(*bytes));
    if (ErasesClient(entry)) return {};  // they are told of that
    if (!classes.insert(entry.class_name).second) continue;
    COFFER_TRY(NoteAct(transaction, *row.client, ToldAct::kRectified, entry.class_name, step.seq));
  }
  return {};
}

// Who was erased may still ask what became of it.
Status RequireClient(Transaction& transaction, Call& call, const ClientId& id) {
  COFFER_ASSIGN(const auto client, transaction.Of<AccessState>().FindClient(id));
  if (client) return {};
  COFFER_ASSIGN(const auto erasures, transaction.stores().erasures.ListOf(id));
  if (erasures.empty() || !ReachesAll(call.decision)) return NotFound(call);
  return {};
}

Status RequireRoom(RequestStore& store, const ClientId& client) {
  COFFER_ASSIGN(const std::uint64_t open, store.CountOpenOf(client));
  if (open >= kMaxOpenRequests) return Fail(Code::kConflict, "too_many_open_requests");
  return {};
}

Result<bool> MaySee(const Operations& operations, Transaction& transaction, const Call& call,
                    const RequestRow& row) {
  if (!call.role->scoped) return true;
  if (row.client) {
    COFFER_ASSIGN(const auto client, transaction.Of<AccessState>().FindClient(*row.client));
    if (client) {
      COFFER_ASSIGN(const auto decision,
                    operations.DecisionOn(transaction, call, *row.client, nullptr));
      return decision.allowed;
    }
  }
  return ReachesAll(call.decision);
}

const ZoneDays& ZoneOf(Transaction& transaction, const RequestRow& row) {
  static const ZoneDays kUtc;
  const auto regime = transaction.Of<RightsState>().FindRegime(row.regime);
  return regime ? ZoneOf(transaction, *regime) : kUtc;
}

Standing StandingAt(Transaction& transaction, const RequestRow& row) {
  return StandingOf(row, transaction.now(), ZoneOf(transaction, row));
}

Status Impossible(const RequestRow& row, StepKind kind) {
  std::string possible;
  for (const StepKind step : StepsFrom(row.state)) {
    possible += (possible.empty() ? "" : ", ") + std::string(NameOf(step));
  }
  return std::unexpected(
      Error{Code::kConflict,
            "step_not_possible",
            {},
            {{"/step", std::string(NameOf(kind)) + " is not possible while it is " +
                           std::string(NameOf(row.state)) + ": " + possible}}});
}

// What the step changes of the request, but for its clock.
void Advance(StepKind kind, Timestamp now, RequestRow& row) {
  row.state = *After(row.state, kind);
  switch (kind) {
    case StepKind::kAcknowledge:
      if (!row.acknowledged) row.acknowledged = now;
      break;
    case StepKind::kExtend:
      row.extended = now;
      break;
    case StepKind::kAnswer:
    case StepKind::kRefuse:
    case StepKind::kWithdraw:
      row.decided = now;
      break;
    case StepKind::kClose:
      row.closed = now;
      break;
    case StepKind::kReopen:
      row.decided.reset();
      break;
    default:
      break;
  }
}

// Where it is taken up again: who asks has to be known before it is worked on.
RequestState ReopenedTo(std::span<const RequestStep> steps) {
  RequestState state = RequestState::kReceived;
  for (const RequestStep& step : steps) {
    if (step.kind == StepKind::kCheckIdentity) state = RequestState::kIdentityChecking;
    if (step.kind == StepKind::kAccept) state = RequestState::kInProgress;
  }
  return state;
}

Status CheckExtension(const Regime& regime, const RequestRow& row, Timestamp now) {
  const ClockTerms* const terms = regime.For(row.kind);
  if (terms == nullptr || !terms->extension) {
    return std::unexpected(
        Error{Code::kConflict,
              "step_not_possible",
              {},
              {{"/step", "the regime " + regime.name + " extends no such request"}}});
  }
  if (row.extended) return Fail(Code::kConflict, "extended_before");
  if (row.due && now >= *row.due) return Fail(Code::kConflict, "extension_late");
  return {};
}

}  // namespace

Result<RequestRow> Requests::FindRequest(Transaction& transaction, Call& call,
                                         const RequestId& id) const {
  COFFER_ASSIGN(auto row, transaction.Of<RightsState>().requests.Find(id));
  if (!row) return NotFound(call);
  if (!row->client) {
    call.reason_rule = ReasonRule::kVault;
    if (!ReachesAll(call.decision)) return NotFound(call);
    return *std::move(row);
  }
  COFFER_ASSIGN(const auto client, transaction.Of<AccessState>().FindClient(*row->client));
  if (client) {
    call.About(*row->client);
    COFFER_TRY(operations_.Authorize(transaction, call, nullptr));
  } else {
    if (!ReachesAll(call.decision)) return NotFound(call);
    call.entry.client = row->client->Text();
  }
  return *std::move(row);
}

Result<Request> Requests::Describe(Transaction& transaction, const Call& call,
                                   RequestRow row) const {
  RightsState& state = transaction.Of<RightsState>();
  Request request;
  COFFER_ASSIGN(request.steps, state.requests.ListSteps(row.id));
  std::optional<ClientId> there;
  if (row.client) {
    COFFER_ASSIGN(const auto client,
                  transaction.Of<ClientsState>().stores.clients.Find(*row.client));
    if (client) there = row.client;
    if (client && IsOpen(row.state)) request.holds = guard_.HoldsOn(transaction, *client);
    COFFER_ASSIGN(const auto others, state.requests.ListOpenOf(*row.client, row.kind));
    for (const RequestRow& other : others) {
      if (other.id != row.id) request.duplicates.push_back(other.id);
    }
  }
  COFFER_ASSIGN(const auto answers,
                operations_.DecideFor(transaction, call, Action::kRequestWrite, there, nullptr));
  const bool told = answers.allowed && (there || ReachesAll(answers));
  bool opened = true;
  if (told) {
    COFFER_ASSIGN(opened, OpenSteps(operations_, transaction, row, request.steps));
  }
  request.said = !told                  ? SaidInWords::kHidden
                 : !opened              ? SaidInWords::kUnreadable
                 : row.client && !there ? SaidInWords::kGone
                                        : SaidInWords::kShown;
  const auto regime = state.FindRegime(row.regime);
  request.received_day = ZoneOf(transaction, row).DayOf(row.received);
  for (const StepKind step : StepsFrom(row.state)) {
    const bool extends = step == StepKind::kExtend;
    if (extends && (!regime || !CheckExtension(*regime, row, transaction.now()))) continue;
    request.possible.push_back(step);
  }
  request.standing = StandingAt(transaction, row);
  request.row = std::move(row);
  return request;
}

Result<Request> Requests::RegisterRequest(const Caller& caller, const RequestForm& form) {
  const Operation operation{Action::kRequestWrite, OperationKind::kWrite, form.client};
  if (auto issues = FaultsOf(form, operations_.Now()); !issues.empty()) {
    return operations_.Refuse(caller, operation, Invalid("request_invalid", std::move(issues)));
  }
  Call call = operations_.Start(caller, operation);
  if (!form.client) call.reason_rule = ReasonRule::kVault;
  RequestRow row;
  row.id = RequestId::New(operations_.Now());
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Request> {
    RightsState& state = transaction.Of<RightsState>();
    if (form.client) {
      COFFER_TRY(RequireClient(transaction, call, *form.client));
      COFFER_TRY(RequireRoom(state.requests, *form.client));
    } else if (!ReachesAll(call.decision)) {
      return Deny(call, "scope", Code::kPermissionDenied, "permission_denied");
    }
    const auto regime = state.FindRegime(form.regime);
    if (!regime) {
      return std::unexpected(
          Invalid("request_invalid", {{"/regime", "must be the name of a regime"}}));
    }
    if (regime->For(form.kind) == nullptr) {
      return std::unexpected(
          Invalid("request_invalid", {{"/kind", "is none that the regime has a clock for"}}));
    }
    row.client = form.client;
    row.kind = form.kind;
    row.regime = form.regime;
    row.channel = form.channel;
    row.by_representative = !form.authority.empty();
    row.received = form.received;
    if (form.received_day) {
      row.received = ZoneOf(transaction, *regime).StartOf(*form.received_day);
      std::vector<Issue> issues;
      AddFaultsOfReceipt(row.received, transaction.now(), issues);
      if (!issues.empty()) return std::unexpected(Invalid("request_invalid", std::move(issues)));
    }
    row.registered = transaction.now();
    row.seq = transaction.NextSeq();
    COFFER_TRY(Compute(transaction, *regime, {}, row));
    RequestStep step;
    step.at = row.registered;
    step.by = call.actor;
    step.seq = row.seq;
    step.authority = form.authority;
    step.words = form.words;
    step.attachments = form.attachments;
    COFFER_TRY(Seal(operations_, transaction, row, step));
    AddDetail(call.entry, StepDetail(row, StepKind::kRegister) + " under " + row.regime);
    COFFER_TRY(Store(transaction, row, std::move(step)));
    return Describe(transaction, call, row);
  });
}

Result<Request> Requests::GetRequest(const Caller& caller, const RequestId& id) {
  Call call = operations_.Start(caller, {Action::kRequestRead});
  call.entry.detail = id.Text();
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Request> {
    COFFER_ASSIGN(RequestRow row, FindRequest(transaction, call, id));
    return Describe(transaction, call, std::move(row));
  });
}

Result<Page<Request>> Requests::ListRequests(const Caller& caller, const RequestFilter& filter,
                                             const PageRequest& page) {
  using Due = RequestFilter::Due;
  const std::string list = "requests/" + std::to_string(static_cast<int>(filter.due)) + "/" +
                           std::to_string(filter.days) + "/" +
                           (filter.client ? filter.client->Text() : "") + "/" +
                           std::string(filter.kind ? NameOf(*filter.kind) : "") + "/" +
                           std::string(filter.state ? NameOf(*filter.state) : "");
  Call call = operations_.Start(caller, {Action::kRequestRead});
  if (filter.client) call.About(*filter.client);
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Page<Request>> {
    RightsState& state = transaction.Of<RightsState>();
    Page<Request> result;
    // Where it stood when it was shown: what is due next of it may be another time by now.
    const auto between = page.cursor.find(kBetweenCursors);
    const bool in_order = filter.due != Due::kAny;
    DuePlace last;
    COFFER_ASSIGN(last.row, operations_.ReadCursor(
                                call, list, std::string_view(page.cursor).substr(0, between)));
    if (in_order && between != std::string::npos) {
      COFFER_ASSIGN(last.next_due,
                    operations_.ReadCursor(call, list + "/due",
                                           std::string_view(page.cursor).substr(between + 1)));
    } else if (!page.cursor.empty() && (in_order || between != std::string::npos)) {
      return Deny(call, "input", Code::kInvalidArgument, "cursor_invalid");
    }
    const auto go_on = [&] {
      result.next_cursor = operations_.MakeCursor(call, list, last.row);
      if (in_order) {
        result.next_cursor += kBetweenCursors;
        result.next_cursor += operations_.MakeCursor(call, list + "/due", last.next_due);
      }
    };
    const Timestamp now = transaction.now();
    std::vector<RequestRow> rows;
    if (!in_order) {
      const std::int64_t before =
          page.cursor.empty() ? std::numeric_limits<std::int64_t>::max() : last.row;
      COFFER_ASSIGN(rows, state.requests.List(before, filter.client, kRequestScan));
    } else {
      const std::int64_t until = filter.due == Due::kOpen ? std::numeric_limits<std::int64_t>::max()
                                 : filter.due == Due::kOverdue
                                     ? now.ms
                                     : now.ms + static_cast<std::int64_t>(filter.days) * kMsADay;
      COFFER_ASSIGN(rows, state.requests.ListOpen(last, Timestamp{until}, kRequestScan));
    }
    for (const RequestRow& row : rows) {
      if (result.items.size() == page.limit) {
        go_on();
        return result;
      }
      last = PlaceOf(row);
      if (filter.client && row.client != filter.client) continue;
      if (filter.kind && row.kind != *filter.kind) continue;
      if (filter.state && row.state != *filter.state) continue;
      COFFER_ASSIGN(const bool shown, MaySee(operations_, transaction, call, row));
      if (!shown) continue;
      Request& item = result.items.emplace_back();
      item.row = row;
      item.standing = StandingAt(transaction, row);
    }
    if (rows.size() == kRequestScan) go_on();
    return result;
  });
}

// One step of one request: what it changes, its words, its proofs, its clock. `seq`: of the entry
// about it.
Status Requests::Step(Transaction& transaction, const Call& call, const StepForm& form,
                      std::uint64_t seq, RequestRow& row) const {
  RightsState& state = transaction.Of<RightsState>();
  if (!After(row.state, form.kind)) return Impossible(row, form.kind);
  // Answering and closing must always be possible.
  const bool more_talk = form.kind == StepKind::kNote || form.kind == StepKind::kAcknowledge ||
                         form.kind == StepKind::kReopen;
  if (more_talk && row.steps >= kMaxSteps) return Fail(Code::kConflict, "too_many_steps");
  const auto regime = state.FindRegime(row.regime);
  const bool has_clock = regime && regime->For(row.kind) != nullptr;
  // A regime that something open is under keeps its clock: only what was decided can be without.
  if (!has_clock && (IsOpen(row.state) || form.kind == StepKind::kReopen)) {
    return Fail(Code::kConflict, "regime_in_use",
                "the regime has no clock for this any more: give it one again");
  }
  const Timestamp now = transaction.now();
  RequestStep step;
  step.number = ++row.steps;
  step.kind = form.kind;
  step.at = now;
  step.by = call.actor;
  step.seq = seq;
  step.article = form.article;
  step.words = form.words;
  step.letter = form.letter;
  if (form.kind == StepKind::kExtend) COFFER_TRY(CheckExtension(*regime, row, now));
  if (!form.article.empty() && !regime->MayRefuseBy(form.article)) {
    return std::unexpected(
        Invalid("step_invalid", {{"/article", "is none by which the regime lets refuse"}}));
  }
  if (form.kind == StepKind::kAnswer) COFFER_TRY(Prove(transaction, row, form, step));
  if (form.kind == StepKind::kAnswer && row.kind == RequestKind::kRectification) {
    COFFER_TRY(NoteRectified(transaction, row, step));
  }
  COFFER_ASSIGN(auto steps, state.requests.ListSteps(row.id));
  const bool was_open = IsOpen(row.state);
  Advance(form.kind, now, row);
  if (form.kind == StepKind::kReopen) row.state = ReopenedTo(steps);
  COFFER_TRY(Seal(operations_, transaction, row, step));
  steps.push_back(step);
  // Of what was decided before nothing is counted any more, and its regime may have no clock.
  if (was_open || IsOpen(row.state)) COFFER_TRY(Compute(transaction, *regime, steps, row));
  return Store(transaction, row, std::move(step));
}

Result<Request> Requests::TakeStep(const Caller& caller, const RequestId& id,
                                   const StepForm& form) {
  const Operation operation{Action::kRequestWrite, OperationKind::kWrite};
  if (auto issues = vault::FaultsOf(form); !issues.empty()) {
    return operations_.Refuse(caller, operation, Invalid("step_invalid", std::move(issues)));
  }
  Call call = operations_.Start(caller, operation);
  AddDetail(call.entry, id.Text() + " " + std::string(NameOf(form.kind)));
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Request> {
    RequestStore& store = transaction.Of<RightsState>().requests;
    COFFER_ASSIGN(RequestRow row, FindRequest(transaction, call, id));
    if (form.kind == StepKind::kAccept) COFFER_TRY(Identify(transaction, call, form, row));
    if (form.together && row.client) {
      StepForm accepted;
      accepted.kind = StepKind::kAccept;
      COFFER_ASSIGN(const auto others, store.ListOpenOf(*row.client, row.kind));
      for (RequestRow other : others) {
        if (other.id == row.id) continue;
        // Who asks for the one has asked for the others.
        const bool unknown =
            form.kind == StepKind::kAnswer && other.state < RequestState::kAccepted;
        if (unknown) COFFER_TRY(Beside(transaction, call, accepted, other));
        COFFER_TRY(Beside(transaction, call, form, other));
      }
    }
    COFFER_TRY(Step(transaction, call, form, transaction.NextSeq(), row));
    call.entry.detail = StepDetail(row, form.kind);
    return Describe(transaction, call, std::move(row));
  });
}

Status Requests::Beside(Transaction& transaction, const Call& call, const StepForm& form,
                        RequestRow& row) const {
  COFFER_TRY(Step(transaction, call, form, transaction.NextSeq(), row));
  audit::Entry entry;
  entry.action = Name(Action::kRequestWrite);
  entry.client = row.client->Text();
  entry.detail = StepDetail(row, form.kind);
  transaction.Also(std::move(entry));
  return {};
}

// Of whom the request is, where that was not known.
Status Requests::Identify(Transaction& transaction, Call& call, const StepForm& form,
                          RequestRow& row) const {
  if (!After(row.state, StepKind::kAccept)) return Impossible(row, StepKind::kAccept);
  if (row.client) {
    if (!form.client || form.client == row.client) return {};
    return std::unexpected(
        Invalid("step_invalid", {{"/client", "is another one than the request's"}}));
  }
  const bool needed = !ProvingActions(row.kind).empty();
  if (!form.client && needed) {
    return std::unexpected(
        Invalid("step_invalid", {{"/client", "is required: who asks is not known before"}}));
  }
  if (!form.client) return {};
  COFFER_TRY(RequireClient(transaction, call, *form.client));
  COFFER_TRY(RequireRoom(transaction.Of<RightsState>().requests, *form.client));
  COFFER_ASSIGN(const auto client, transaction.Of<AccessState>().FindClient(*form.client));
  call.reason_rule = ReasonRule::kClients;
  row.client = form.client;
  if (!client) {  // it was erased: what is said stays under the vault's key
    call.entry.client = form.client->Text();
    return {};
  }
  call.About(*form.client);
  COFFER_TRY(operations_.Authorize(transaction, call, nullptr));
  return Adopt(operations_, transaction, row);
}

Result<std::vector<std::shared_ptr<const Regime>>> Requests::ListRegimes(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kRequestRead});
  call.reason_rule = ReasonRule::kVault;
  AddDetail(call.entry, "regimes");
  return operations_.Perform(
      call, [&](Transaction& transaction) -> Result<std::vector<std::shared_ptr<const Regime>>> {
        return transaction.Of<RightsState>().ListRegimes();
      });
}

Result<std::shared_ptr<const Regime>> Requests::GetRegime(const Caller& caller,
                                                          std::string_view name) {
  Call call = operations_.Start(caller, {Action::kRequestRead});
  call.reason_rule = ReasonRule::kVault;
  return operations_.Perform(
      call, [&](Transaction& transaction) -> Result<std::shared_ptr<const Regime>> {
        auto regime = transaction.Of<RightsState>().FindRegime(name);
        if (!regime) return NotFound(call);
        AddDetail(call.entry, "regime " + regime->name);
        call.entry.version = regime->version;
        return regime;
      });
}

Result<std::shared_ptr<const Regime>> Requests::PutRegime(const Caller& caller,
                                                          std::string_view name,
                                                          std::string_view definition) {
  auto parsed = ParseRegime(name, definition);
  if (!parsed) return operations_.Refuse(caller, {Action::kRegimeWrite}, parsed.error());
  Call call = operations_.Start(caller, {Action::kRegimeWrite, OperationKind::kWrite});
  AddDetail(call.entry, parsed->name);
  return operations_.Perform(
      call, [&](Transaction& transaction) -> Result<std::shared_ptr<const Regime>> {
        RightsState& state = transaction.Of<RightsState>();
        const auto newest = state.FindRegime(name);
        if (newest && newest->definition == parsed->definition) {
          call.entry.version = newest->version;
          call.entry.outcome = "unchanged";
          return newest;
        }
        if (!newest && state.ListRegimes().size() >= kMaxRegimes) {
          return Fail(Code::kConflict, "too_many_regimes");
        }
        parsed->version = newest ? newest->version + 1 : 1;
        call.entry.version = parsed->version;
        call.entry.payload_hash = crypto::Sha256(crypto::AsBytes(parsed->definition));
        COFFER_TRY(state.requests.InsertRegime(*parsed, transaction.now()));
        COFFER_ASSIGN(const std::uint64_t changed, Recompute(transaction, *parsed));
        AddDetail(call.entry, std::to_string(changed) + " open requests are due at another time");
        StageRegime(transaction, *parsed);
        return std::make_shared<const Regime>(*std::move(parsed));
      });
}

// All open requests under the regime, by its new version. Returns how many are due at another time.
Result<std::uint64_t> Requests::Recompute(Transaction& transaction, const Regime& regime) const {
  RequestStore& store = transaction.Of<RightsState>().requests;
  std::uint64_t changed = 0;
  for (std::int64_t after = 0;;) {
    COFFER_ASSIGN(const auto rows, store.ListOpenUnder(regime.name, after, kRequestScan));
    for (RequestRow row : rows) {
      after = row.id.Row();
      if (regime.For(row.kind) == nullptr) {
        return Fail(Code::kConflict, "regime_in_use",
                    "a request for " + std::string(NameOf(row.kind)) +
                        " is open, for which the regime would have no clock");
      }
      COFFER_ASSIGN(const auto steps, store.ListSteps(row.id));
      const auto due = row.due;
      const auto next_due = row.next_due;
      COFFER_TRY(Compute(transaction, regime, steps, row));
      if (row.due == due && row.next_due == next_due) {
        COFFER_TRY(store.Update(row));
        continue;
      }
      ++changed;
      RequestStep step;
      step.number = ++row.steps;
      step.kind = StepKind::kRecompute;
      step.at = transaction.now();
      step.seq = transaction.NextSeq();
      COFFER_TRY(Store(transaction, row, std::move(step)));
    }
    if (rows.size() < kRequestScan) return changed;
  }
}

}  // namespace coffer::vault
