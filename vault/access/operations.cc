#include "vault/access/operations.h"

#include <algorithm>
#include <vector>

#include "audit/text/plain_text.h"
#include "crypto/blind_index.h"
#include "crypto/encoding.h"
#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/not_yet.h"
#include "vault/access/reasons.h"
#include "vault/base/big_endian.h"
#include "vault/base/names.h"
#include "vault/base/operator_log.h"
#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kCursorTag = 16;

bool ShowsCertificate(const Caller& caller, std::string_view binding) {
  return caller.certificate && std::ranges::find(caller.certificate->bindings, binding) !=
                                   caller.certificate->bindings.end();
}

// What is wrong with what the caller shows, for the log; the caller is told no more than that he is
// not known.
std::string_view FaultOf(const Call& call, Timestamp now) {
  if (call.principal->disabled) return "principal-disabled";
  if (call.token == nullptr) return {};
  const TokenRow& token = *call.token;
  if (token.revoked) return token.is_session() ? "session-ended" : "token-revoked";
  if (token.expires <= now) return token.is_session() ? "session-expired" : "token-expired";
  if (token.HasIdled(now)) return "session-idle";
  const auto& networks = token.limits.networks;
  const std::string_view address =
      call.caller.address_known ? std::string_view(call.caller.address) : "";
  const auto has_address = [&](const Network& network) { return network.Contains(address); };
  if (!networks.empty() && std::ranges::none_of(networks, has_address)) return "token-network";
  if (!token.limits.certificate.empty() &&
      !ShowsCertificate(call.caller, token.limits.certificate)) {
    return "token-certificate";
  }
  return {};
}

// With its id: what was done with a token that was stolen can be told from what was done with the
// others of its principal.
std::string AuthOf(const TokenRow* token) {
  if (token == nullptr) return "certificate";
  if (token->is_session()) return "session:" + SessionId{token->id.value}.Text();
  return "token:" + token->id.Text();
}

// Erasing the data and handing it out are what restricting it is often a step to.
bool StopsWhenRestricted(Action action) {
  return TouchesClientData(action) && action != Action::kClientErase &&
         action != Action::kRecordErase && action != Action::kClientPackage;
}

constexpr std::string_view kRestrictedRule = "check:restricted", kConsentRule = "check:consent";

AccessDecision RefuseStopped(Operations::Stop stop) {
  const bool restricted = stop == Operations::Stop::kRestricted;
  AccessDecision decision;
  decision.rule = restricted ? kRestrictedRule : kConsentRule;
  decision.error =
      Error{Code::kPermissionDenied, restricted ? "restricted" : "consent_missing", {}, {}};
  return decision;
}

// What the register says of the call's purpose; null: nothing.
const Purpose* PurposeOf(const Transaction& transaction, const Call& call) {
  const auto& purposes = transaction.Of<CatalogState>().current().purposes;
  const auto found = purposes.find(call.caller.purpose);
  return found == purposes.end() ? nullptr : &found->second;
}

bool ConsentIsRequired(const Transaction& transaction, const Call& call) {
  const Purpose* const purpose = PurposeOf(transaction, call);
  return purpose != nullptr && purpose->requires_consent;
}

std::int64_t HourOf(Timestamp time) { return time.ms / (3600 * 1000); }

Result<Reveals> RevealsOf(Transaction& transaction, const PrincipalId& principal, Timestamp now) {
  const std::int64_t hour = HourOf(now);
  auto& store = transaction.Of<AccessState>().stores.reveals;
  Reveals reveals;
  COFFER_ASSIGN(reveals.hour, store.CountSince(principal, hour));
  COFFER_ASSIGN(reveals.day, store.CountSince(principal, hour / 24 * 24));
  return reveals;
}

}  // namespace

Call Operations::Start(const Caller& caller, const Operation& operation) const {
  Call call{caller, operation.action, std::nullopt, {}};
  call.kind = operation.kind;
  call.record_class = operation.record_class;
  call.entry_rule = operation.entry;
  call.reason_rule = ReasonRuleOf(operation.action);
  if (operation.client) call.About(*operation.client);
  if (!caller.token.empty()) {
    call.digest = crypto::KeyedHash(keyring_.token_hash_key(), {crypto::AsBytes(caller.token)});
  }
  call.entry.action = Name(operation.action);
  call.entry.address = caller.address;
  call.entry.request = caller.call.Text();
  call.entry.purpose = caller.purpose;
  call.entry.actor_kind = audit::ActorKind::kUnknown;
  call.entry.auth = call.digest ? "token" : caller.certificate ? "certificate" : "none";
  return call;
}

Call Operations::StartOpen(const Caller& caller, Action action, std::string_view how) const {
  Call call = Start(caller, {action});
  call.digest.reset();
  call.entry.auth = how;
  call.entry.purpose.clear();
  return call;
}

void Operations::Identify(Transaction& transaction, Call& call) const {
  Advance(transaction.now());
  const PrincipalRegister& principals = transaction.Of<AccessState>().principals();
  // An earlier transaction's are gone.
  call.principal = nullptr;
  call.token = nullptr;
  call.credential_fault = {};
  if (call.digest) {
    call.token = principals.FindToken(*call.digest);
    if (call.token != nullptr) call.principal = principals.Find(call.token->principal);
  } else if (call.caller.certificate) {
    for (const auto& binding : call.caller.certificate->bindings) {
      call.principal = principals.FindCertificate(binding);
      if (call.principal != nullptr) break;
    }
  }
  call.caller.authenticated = false;
  if (call.principal == nullptr) return;
  call.credential_fault = FaultOf(call, latest_);
  call.actor = call.principal->id;
  call.role = transaction.Of<CatalogState>().current().Role(call.principal->role);
  // The role became privileged after the login.
  if (call.credential_fault.empty() && call.token != nullptr && call.token->is_session() &&
      !call.token->factor && call.role->privileged) {
    call.credential_fault = "second-factor-missing";
  }
  call.caller.authenticated = call.credential_fault.empty();
}

Result<AccessDecision> Operations::DecideFor(Transaction& transaction, const Call& call,
                                             Action action, const std::optional<ClientId>& client,
                                             const ClassSchema* record_class,
                                             std::optional<Timestamp> at,
                                             const ClientRow* made) const {
  AccessFacts facts;
  facts.action = action;
  facts.now = at.value_or(latest_);
  facts.purpose = call.caller.purpose;
  const auto& purposes = transaction.Of<CatalogState>().current().purposes;
  if (const auto found = purposes.find(call.caller.purpose); found != purposes.end()) {
    facts.registered = &found->second;
  }
  facts.address = call.caller.address_known ? std::string_view(call.caller.address) : "";
  facts.reason_given = !audit::IsBlank(call.caller.reason);
  facts.ticket_given = IsTicket(call.caller.ticket);
  facts.record_class = record_class;
  ClientFacts about;
  std::vector<const LeaseTerms*> leases;
  std::optional<ClientRow> row;
  if (call.principal != nullptr) {
    const PrincipalId& principal = call.principal->id;
    facts.authenticated = true;
    facts.credential_fault = call.credential_fault;
    facts.role = call.role.get();
    // One of its own, where it is known by some.
    const auto& own = call.principal->certificates;
    facts.certificate_shown =
        call.caller.certificate &&
        (own.empty() || std::ranges::any_of(own, [&](const std::string& binding) {
           return ShowsCertificate(call.caller, binding);
         }));
    if (call.token != nullptr) {
      facts.limits = &call.token->limits;
      facts.second_factor = call.token->factor;
    }
    if (client) {
      about.assigned = transaction.Of<AccessState>().access().IsAssigned(
          *client, principal, transaction.Of<AccessState>().principals().TeamsOf(principal),
          facts.now);
      leases = transaction.Of<AccessState>().access().LeasesOf(*client, principal);
      about.leases = leases;
      if (made != nullptr) {
        about.tags = made->tags;
      } else if (call.role && call.role->scoped_by_tag) {
        COFFER_ASSIGN(row, transaction.Of<AccessState>().FindClient(*client));
        if (row) about.tags = row->tags;
        about.gone = !row;
      }
      facts.client = &about;
    }
    if (call.role && call.role->budgeted && TouchesClientData(action)) {
      COFFER_ASSIGN(facts.revealed, RevealsOf(transaction, principal, facts.now));
      facts.revealed.hour += call.reveals;
      facts.revealed.day += call.reveals;
    }
  }
  AccessDecision decision = Decide(facts);
  if (!decision.allowed) return decision;
  // There is nobody yet who could have consented to being stored for it.
  if (action == Action::kClientCreate && ConsentIsRequired(transaction, call)) {
    return RefuseStopped(Stop::kConsentMissing);
  }
  if (!client) return decision;
  // Who may not see the client at all does not learn that it is stopped.
  const Stop stop = StopAt(transaction, call, action, *client, record_class, facts.now);
  if (stop == Stop::kConsentMissing) {
    // Of a client that is not there, that is told.
    COFFER_ASSIGN(const auto known, transaction.Of<AccessState>().FindClient(*client));
    if (!known) return decision;
  }
  if (stop != Stop::kNone) return RefuseStopped(stop);
  return decision;
}

Operations::Stop Operations::StopAt(const Transaction& transaction, const Call& call, Action action,
                                    const ClientId& client, const ClassSchema* record_class,
                                    Timestamp now) {
  if (!StopsWhenRestricted(action)) return Stop::kNone;
  const AccessState& state = transaction.Of<AccessState>();
  const std::string& code = call.caller.purpose;
  const Purpose* const purpose = PurposeOf(transaction, call);
  if (state.restrictions().Stops(
          client, record_class == nullptr ? std::string_view() : record_class->name, code,
          purpose == nullptr ? std::string_view() : purpose->legal_basis)) {
    return Stop::kRestricted;
  }
  const bool missing =
      purpose != nullptr && purpose->requires_consent && !state.consents().Has(client, code, now);
  return missing ? Stop::kConsentMissing : Stop::kNone;
}

Status Operations::RequireNoConsent(const Transaction& transaction, Call& call) {
  if (!ConsentIsRequired(transaction, call)) return {};
  return Deny(call, "consent", Code::kPermissionDenied, "consent_missing");
}

bool Operations::IsStop(const AccessDecision& decision) {
  return decision.rule == kRestrictedRule || decision.rule == kConsentRule;
}

Result<AccessDecision> Operations::DecisionOn(Transaction& transaction, const Call& call,
                                              const ClientId& client,
                                              const ClassSchema* record_class) const {
  if (!call.role->scoped) {
    const Stop stop = StopOf(transaction, call, call.action, client, record_class);
    if (stop != Stop::kNone) return RefuseStopped(stop);
    return call.decision;
  }
  return DecideFor(transaction, call, call.action, client, record_class);
}

Status Operations::Authorize(Transaction& transaction, Call& call,
                             const ClassSchema* record_class) const {
  Identify(transaction, call);
  if (call.principal != nullptr) {
    if (call.entry.actor.empty()) call.entry.actor = call.actor.Text();
    call.entry.actor_kind = call.actor.kind() == PrincipalKind::kUser ? audit::ActorKind::kUser
                                                                      : audit::ActorKind::kService;
    call.entry.auth = AuthOf(call.token);
  }
  // A purpose that is in no register is the caller's text, and free text is not kept in the log.
  if (!transaction.Of<CatalogState>().current().purposes.contains(call.caller.purpose))
    call.entry.purpose.clear();

  // So is what somebody unknown asks about.
  if (call.principal == nullptr) {
    call.entry.detail.clear();
    if (!transaction.Of<CatalogState>().current().Newest(call.entry.class_name))
      call.entry.class_name.clear();
  }

  COFFER_ASSIGN(call.decision,
                DecideFor(transaction, call, call.action, call.subject, record_class));
  call.entry.decision = call.decision.allowed ? audit::Decision::kAllow : audit::Decision::kDeny;
  call.entry.rule = call.decision.rule;
  if (!call.decision.allowed) return std::unexpected(call.decision.error);
  if (call.token != nullptr && call.token->is_session()) {
    COFFER_TRY(transaction.Of<AccessState>().Touch(*call.token, latest_));
  }
  return {};
}

Status Operations::CountReveals(Transaction& transaction, const Call& call) const {
  if (call.reveals == 0) return {};
  return transaction.Of<AccessState>().stores.reveals.Add(call.actor, HourOf(latest_),
                                                          call.reveals);
}

Status Operations::SealReason(Transaction& transaction, Call& call, bool done) const {
  return vault::SealReason(keyring_, transaction, call, done);
}

void Operations::NoteTicket(Call& call) {
  if (!IsTicket(call.caller.ticket) || call.entry.actor.empty()) return;
  std::string& detail = call.entry.detail;
  detail = "ticket " + call.caller.ticket + (detail.empty() ? "" : "; " + detail);
}

Status Operations::CheckWhole(const Id128& id) const {
  if (damaged_.IsDamaged(id)) return Fail(Code::kCorrupted, "object_damaged");
  return {};
}

Status Operations::CheckState() const {
  if (damaged_.StateDiffers()) return Fail(Code::kCorrupted, "object_damaged");
  return {};
}

void Operations::PerformInBulk(std::span<Performed> all) const {
  struct Decided {
    const Operations& operations;
    Performed& performed;
    Status operator()(Transaction& transaction) const {
      return operations.DecideAndWork(transaction, *performed.call, performed.work);
    }
  };
  std::vector<Decided> works;
  std::vector<Engine::Operation> operations;
  works.reserve(all.size());  // which `operations` refer to
  operations.reserve(all.size());
  for (Performed& one : all) {
    works.push_back({*this, one});
    operations.push_back(
        {one.call->kind, one.call->entry_rule, &one.call->entry, works.back(), {}});
  }
  engine_.RunInBulk(operations);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].status = std::move(operations[i].status);
    if (all[i].status) continue;
    all[i].status = std::unexpected(OutcomeOf(*all[i].call, std::move(all[i].status).error()));
  }
}

Status Operations::Look(FunctionRef<Status(Transaction&)> work) const {
  audit::Entry none;
  return engine_.Run(OperationKind::kRead, EntryRule::kNever, none, work);
}

Status Operations::Store(FunctionRef<Status(Transaction&)> work) const {
  audit::Entry none;
  return engine_.Run(OperationKind::kWrite, EntryRule::kNever, none, work);
}

Status Operations::Record(audit::Entry entry, FunctionRef<Status(Transaction&)> work) const {
  return engine_.Run(OperationKind::kWrite, EntryRule::kAlways, entry, work);
}

Status Operations::LogSystemEvent(std::string_view action, std::string_view outcome,
                                  std::string_view detail) const {
  audit::Entry entry = VaultEntry(action);
  entry.outcome = outcome;
  entry.detail = detail;
  return engine_.Run(OperationKind::kRead, EntryRule::kAlways, entry,
                     [](Transaction&) -> Status { return {}; });
}

Error Operations::BudgetAlert(const Call& call, Error error) const {
  {
    const std::lock_guard once_an_hour(alerted_mutex_);
    if (alerted_[call.actor] == HourOf(Now())) return error;
  }
  audit::Entry alert = call.entry;
  alert.action = "budget.alert";
  alert.detail = call.entry.action;
  alert.note_hash.reset();
  const auto logged = engine_.Run(OperationKind::kRead, EntryRule::kAlways, alert,
                                  [](Transaction&) -> Status { return {}; });
  if (log_) {
    log_(Severity::kWarning,
         call.actor.Text() + " has shown more records plainly than its budget allows");
  }
  if (!logged) return logged.error();
  const std::lock_guard once_an_hour(alerted_mutex_);
  alerted_[call.actor] = HourOf(Now());
  return error;
}

Error Operations::FailedLater(const Call& call, Error error) const {
  audit::Entry entry = call.entry;
  entry.outcome = error.reason;
  entry.note_hash.reset();
  const auto logged = engine_.Run(OperationKind::kRead, EntryRule::kAlways, entry,
                                  [](Transaction&) -> Status { return {}; });
  if (!logged) return logged.error();
  return error;
}

Error Operations::IntegrityAlarm(const Call& call, std::string_view reason) const {
  audit::Entry alarm = call.entry;
  alarm.action = "integrity.alarm";
  alarm.detail = call.entry.action;
  alarm.outcome = reason;
  alarm.note_hash.reset();
  const auto logged = engine_.Run(OperationKind::kRead, EntryRule::kAlways, alarm,
                                  [](Transaction&) -> Status { return {}; });
  if (log_) {
    log_(Severity::kError, "stored data failed its integrity check: client " + call.entry.client +
                               (call.entry.record.empty() ? "" : ", record " + call.entry.record));
  }
  if (!logged) return logged.error();
  return Error{Code::kCorrupted, "integrity_failed", "stored data is not what was sealed", {}};
}

// Sealed as SIV does it: the tag over everything is what the row number is hidden under, so that
// one place in one list has one cursor, and no number says how often or when it was asked for.
std::string Operations::MakeCursor(const Call& call, std::string_view list,
                                   std::int64_t row) const {
  const auto& key = keyring_.token_hash_key();
  Bytes place;
  AppendU64(place, static_cast<std::uint64_t>(row));
  const auto tag =
      crypto::KeyedHash(key, {crypto::AsBytes("coffer-cursor-v1"), call.actor.bytes(),
                              crypto::AsBytes(Name(call.action)), crypto::AsBytes(list), place});
  Bytes bytes(tag.begin(), tag.begin() + kCursorTag);
  const auto mask = crypto::KeyedHash(key, {crypto::AsBytes("coffer-cursor-mask-v1"), bytes});
  for (std::size_t i = 0; i < place.size(); ++i) bytes.push_back(place[i] ^ mask[i]);
  return crypto::Base64UrlEncode(bytes);
}

Result<std::int64_t> Operations::ReadCursor(Call& call, std::string_view list,
                                            std::string_view cursor) const {
  if (cursor.empty()) return 0;
  const auto bytes = crypto::Base64UrlDecode(cursor);
  if (bytes && bytes->size() == kCursorTag + 8) {
    const auto mask = crypto::KeyedHash(
        keyring_.token_hash_key(),
        {crypto::AsBytes("coffer-cursor-mask-v1"), ByteView(*bytes).first(kCursorTag)});
    std::uint64_t row = 0;
    for (std::size_t i = 0; i < 8; ++i) row = row << 8 | ((*bytes)[kCursorTag + i] ^ mask[i]);
    const auto place = static_cast<std::int64_t>(row);
    if (crypto::ConstantTimeEqual(crypto::AsBytes(MakeCursor(call, list, place)),
                                  crypto::AsBytes(cursor))) {
      return place;
    }
  }
  return Deny(call, "input", Code::kInvalidArgument, "cursor_invalid");
}

Error Operations::OutcomeOf(const Call& call, Error error) const {
  if (error.code == Code::kCorrupted) return IntegrityAlarm(call, error.reason);
  if (error.reason == kIndexBuilding) {
    // The store is well: whoever asks again a little later gets an answer.
    constexpr std::int64_t kAskAgainS = 5;
    error.code = Code::kUnavailable;
    error.retry_after_s = kAskAgainS;
    return error;
  }
  if (error.reason == "budget_exhausted") return BudgetAlert(call, std::move(error));
  return error;
}

std::unexpected<Error> Operations::Refuse(const Caller& caller, const Operation& operation,
                                          Error error) const {
  return std::unexpected(
      Refuse(caller, operation.action, operation.client, std::nullopt, std::move(error)));
}

Error Operations::Refuse(const Caller& caller, Action action, std::optional<ClientId> client,
                         std::optional<RecordId> record, Error error) const {
  if (KindOf(action) == ActionKind::kOpen) {
    // Nobody is known yet, and nobody has to be to be told what is wrong with the request.
    Call open = StartOpen(caller, action, "none");
    return RefuseOpen(open, "input", std::move(error));
  }
  Call call = Start(caller, {action, OperationKind::kRead, client});
  if (record) call.entry.record = record->Text();
  const Status refused = Perform(call, [&](Transaction&) -> Status {
    call.entry.decision = audit::Decision::kDeny;
    call.entry.rule = "check:input";
    return Fail(error.code, error.reason);
  });
  if (refused || refused.error().reason == error.reason) return error;
  return refused.error();
}

Status Operations::Authenticate(const Caller& caller, Action action,
                                std::optional<ClientId> client) const {
  if (!caller.token.empty() || caller.certificate) {
    Call call = Start(caller, {action});
    const auto looked = engine_.Run(OperationKind::kRead, EntryRule::kNever, call.entry,
                                    [&](Transaction& transaction) -> Status {
                                      Identify(transaction, call);
                                      return {};
                                    });
    if (!looked) return looked;
    if (caller.authenticated) return {};
  }
  return std::unexpected(Refuse(caller, action, client, std::nullopt,
                                Error{Code::kUnauthenticated, "unauthenticated", {}, {}}));
}

Error Operations::RefuseOpen(Call& call, std::string_view check, Error error,
                             std::string_view login) const {
  const auto logged =
      engine_.Run(OperationKind::kRead, EntryRule::kAlways, call.entry,
                  [&](Transaction& transaction) -> Status {
                    COFFER_TRY(SealReason(transaction, call, false));
                    if (const PrincipalRow* const row =
                            transaction.Of<AccessState>().principals().FindLogin(login)) {
                      call.actor = row->id;
                      call.entry.actor = row->id.Text();
                      call.entry.actor_kind = audit::ActorKind::kUser;
                    }
                    NoteTicket(call);
                    // kUnavailable would be the store's own failure.
                    return Deny(call, check, Code::kExhausted, error.reason);
                  });
  // That nothing could be logged comes first.
  if (!logged && logged.error().reason != error.reason) return logged.error();
  return error;
}

}  // namespace coffer::vault
