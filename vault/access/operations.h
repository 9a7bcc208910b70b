// The steps that all operations share: starting a call, the decision, its entry, its reason, pages
// of lists, and the alarms that an outcome raises. An operation is decided and done as one engine
// operation, and returns only after its entry is durable.
//
// Errors common to all operations: kUnauthenticated; kPermissionDenied "permission_denied";
// kInvalidArgument "purpose_required", kUnprocessable "purpose_unknown", kPermissionDenied
// "purpose_not_allowed" where client data is touched; kNotFound "not_found" for what does not
// exist; kUnavailable when the log or the store cannot be written, and "queue_full".
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "audit/text/clock.h"
#include "crypto/keyring.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/client_row.h"
#include "vault/base/function_ref.h"
#include "vault/base/operator_log.h"
#include "vault/base/timestamp.h"
#include "vault/engine/damaged_objects.h"
#include "vault/engine/engine.h"

namespace coffer::vault {

class Operations {
 public:
  Operations(Engine& engine, const crypto::Keyring& keyring, const DamagedObjects& damaged,
             const audit::Clock& clock, OperatorLog log)
      : engine_(engine),
        keyring_(keyring),
        damaged_(damaged),
        clock_(clock),
        log_(std::move(log)) {}

  Engine& engine() const { return engine_; }
  const crypto::Keyring& keyring() const { return keyring_; }
  const OperatorLog& log() const { return log_; }
  Timestamp Now() const { return clock_.Now(); }
  // The latest time at which a caller was authenticated since the vault was opened: a clock that is
  // set back brings no expired token back. Not kept beyond the process, so that a clock that ran
  // ahead can be mended. Engine thread only.
  Timestamp latest() const { return latest_; }
  void Advance(Timestamp now) const { latest_ = std::max(latest_, now); }

  Call Start(const Caller& caller, const Operation& operation) const;
  // The operation as one engine operation: decision first, then `work`; a reason is sealed beside
  // the entries, as the call's rule says. What `work` returns is returned: Status, or a Result.
  template <class Work>
  auto Perform(Call& call, Work&& work) const {
    using Worked = std::invoke_result_t<Work, Transaction&>;
    if constexpr (std::is_same_v<Worked, Status>) {
      return Decided(call, work);
    } else {
      std::optional<typename Worked::value_type> found;
      const Status done = Decided(call, [&](Transaction& transaction) -> Status {
        auto worked = work(transaction);
        if (!worked) return std::unexpected(std::move(worked).error());
        found = *std::move(worked);
        return {};
      });
      return done ? Worked(*std::move(found)) : Worked(std::unexpected(done.error()));
    }
  }

  // One of many for PerformInBulk; `status` is what Perform would have returned.
  struct Performed {
    Call* call;
    FunctionRef<Status(Transaction&)> work;
    Status status = {};
  };
  // The same of many calls, in their order and in few commits; others are served before them.
  void PerformInBulk(std::span<Performed> all) const;

  // What the vault does for itself, as one engine operation: reads, or writes, without an entry;
  // or with this one.
  Status Look(FunctionRef<Status(Transaction&)> work) const;
  Status Store(FunctionRef<Status(Transaction&)> work) const;
  Status Record(audit::Entry entry, FunctionRef<Status(Transaction&)> work) const;

  // What is wrong with an operation shows before it begins. Records that it was refused, and
  // returns the error to answer: `error`, or the failure to authenticate, which comes first, or
  // that the log could not be written.
  std::unexpected<Error> Refuse(const Caller& caller, const Operation& operation,
                                Error error) const;
  // The same of a request that did not reach its operation (bad JSON, missing header, ...).
  Error Refuse(const Caller& caller, Action action, std::optional<ClientId> client,
               std::optional<RecordId> record, Error error) const;
  // Whether what the caller shows is somebody's and counts, before the rest of the request is here:
  // nothing else is decided, and a success leaves no entry. Errors, logged: kUnauthenticated.
  Status Authenticate(const Caller& caller, Action action, std::optional<ClientId> client) const;

  // Who shows the token or the certificate, and what is wrong with it. Inside a transaction only.
  void Identify(Transaction& transaction, Call& call) const;
  // Identifies the caller and decides; fills in the entry.
  Status Authorize(Transaction& transaction, Call& call, const ClassSchema* record_class) const;
  // The same decision about one client among several, or with another action; the entry stays.
  // `made`: the client as it is about to be.
  Result<AccessDecision> DecideFor(Transaction& transaction, const Call& call, Action action,
                                   const std::optional<ClientId>& client,
                                   const ClassSchema* record_class,
                                   std::optional<Timestamp> at = std::nullopt,
                                   const ClientRow* made = nullptr) const;
  // About one of several clients, for a call that was decided without naming any.
  Result<AccessDecision> DecisionOn(Transaction& transaction, const Call& call,
                                    const ClientId& client, const ClassSchema* record_class) const;
  // What stops the call's purpose for this client, or for this class of it: a restriction, or that
  // the purpose requires a consent and none stands. Only what discloses or changes its data is
  // stopped, and not what is done for its own rights.
  enum class Stop : std::uint8_t { kNone, kRestricted, kConsentMissing };
  Stop StopOf(const Transaction& transaction, const Call& call, Action action,
              const ClientId& client, const ClassSchema* record_class) const {
    return StopAt(transaction, call, action, client, record_class, latest_);
  }
  // For a client that is made by this call: there is none that could have consented.
  static Status RequireNoConsent(const Transaction& transaction, Call& call);
  // Where the decision says so: what the caller is told is that, and not that nothing is there.
  static bool IsStop(const AccessDecision& decision);

  // What the request shows plainly, against the principal's budgets. Each record was decided with
  // those before it counted, so this is the last step: what is refused has spent nothing.
  Status CountReveals(Transaction& transaction, const Call& call) const;

  // Errors: kCorrupted "object_damaged" for what the scrub found to be other than the log says.
  Status CheckWhole(const Id128& id) const;
  // The same for what decides what a request may do and is read from the database: what people
  // approved, and what they log in with.
  Status CheckState() const;

  // Opaque, and bound to the principal that was given them, to what it did and to the list, which
  // names its filter. For calls whose principal is known. Errors: kInvalidArgument
  // "cursor_invalid", marked as a refusal; an empty cursor is row 0.
  std::string MakeCursor(const Call& call, std::string_view list, std::int64_t row) const;
  Result<std::int64_t> ReadCursor(Call& call, std::string_view list, std::string_view cursor) const;

  // Of a call about nobody that is known yet: `how` it will be known.
  Call StartOpen(const Caller& caller, Action action, std::string_view how) const;
  // The entry names the account of this login, where there is one, as that of a wrong password
  // does.
  Error RefuseOpen(Call& call, std::string_view check, Error error,
                   std::string_view login = {}) const;
  // `done`: the call's further entries will be there.
  Status SealReason(Transaction& transaction, Call& call, bool done) const;
  // The case that the request says it belongs to, into the entry.
  static void NoteTicket(Call& call);

  // A further entry of the request, which was allowed and failed afterwards.
  Error FailedLater(const Call& call, Error error) const;
  // A disclosure was logged and then failed: what is stored is not what was sealed.
  Error IntegrityAlarm(const Call& call, std::string_view reason) const;
  // An entry of the vault itself.
  Status LogSystemEvent(std::string_view action, std::string_view outcome,
                        std::string_view detail = {}) const;

 private:
  static Stop StopAt(const Transaction& transaction, const Call& call, Action action,
                     const ClientId& client, const ClassSchema* record_class, Timestamp now);
  template <class Work>
  Status Decided(Call& call, Work&& work) const {
    auto done = engine_.Run(call.kind, call.entry_rule, call.entry, [&](Transaction& transaction) {
      return DecideAndWork(transaction, call, work);
    });
    if (done) return done;
    return std::unexpected(OutcomeOf(call, std::move(done).error()));
  }
  template <class Work>
  Status DecideAndWork(Transaction& transaction, Call& call, Work&& work) const {
    auto decided = Authorize(transaction, call, call.record_class);
    auto worked = decided ? work(transaction) : decided;
    // Only now it is known whom the call disclosed.
    COFFER_TRY(SealReason(transaction, call, worked.has_value()));
    NoteTicket(call);
    return worked;
  }
  // What the caller is told of a failure, and whoever else has to know of it.
  Error OutcomeOf(const Call& call, Error error) const;
  // An entry beside that of the refusal, the first time in an hour.
  Error BudgetAlert(const Call& call, Error error) const;

  Engine& engine_;
  const crypto::Keyring& keyring_;
  const DamagedObjects& damaged_;
  const audit::Clock& clock_;
  OperatorLog log_;
  mutable Timestamp latest_{};
  mutable std::mutex alerted_mutex_;
  mutable std::map<PrincipalId, std::int64_t> alerted_;  // in which hour
};

}  // namespace coffer::vault
