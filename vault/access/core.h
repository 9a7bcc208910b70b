// What the vault's operations share: the call, the decision, sealing, cursors.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "audit/documents/evidence.h"
#include "audit/entries/entry.h"
#include "audit/verify/verify.h"
#include "crypto/certificate_authority.h"
#include "crypto/hash.h"
#include "crypto/keyring.h"
#include "vault/access/access_state.h"
#include "vault/access/login.h"
#include "vault/base/function_ref.h"
#include "vault/clients/index_builder.h"
#include "vault/deletion/erasure_ledger.h"
#include "vault/deletion/erasure_turns.h"
#include "vault/deletion/retention_runner.h"
#include "vault/engine/engine.h"
#include "vault/engine/log_publisher.h"
#include "vault/oversight/log_follower.h"
#include "vault/oversight/log_index.h"
#include "vault/oversight/scrubber.h"
#include "vault/vault.h"

namespace coffer::vault {

// Under whose key the reason of a call is kept.
enum class ReasonRule : std::uint8_t {
  kClients,  // of each client that its entries name; where they name none, or one that is not
             // there, it is not kept: somebody may be meant whose erasure would not reach it
  kVault,    // the same, but the vault's where they name none
  kErasure,  // the vault's: why something was erased stays known
};
// Of a call of which nothing more is known than its action.
ReasonRule ReasonRuleOf(Action action);

// One request on its way through an operation.
struct Call {
  const Caller& caller;
  Action action;
  std::optional<TokenDigest> digest;  // of the token presented
  audit::Entry entry;
  std::optional<ClientId> subject = {};  // the client it is about
  // Set by Identify, and valid until the transaction ends; null: nobody we know, or no token (a
  // certificate).
  const PrincipalRow* principal = nullptr;
  const TokenRow* token = nullptr;
  std::string_view credential_fault = {};
  PrincipalId actor = {};
  // Set by Authorize. The decision points into the role and, until the transaction ends, leases.
  std::shared_ptr<const RoleDocument> role = {};
  AccessDecision decision = {};
  // Records that this request is about to show plainly by a grant with a budget.
  std::uint64_t reveals = 0;
  ReasonRule reason_rule = ReasonRule::kClients;

  void About(const ClientId& client) {
    subject = client;
    entry.client = client.Text();
  }
};

// Another process's claim on the directory ends with this object.
class DirectoryLock {
 public:
  static Result<DirectoryLock> Acquire(const std::string& directory);
  DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  int fd_;
};

// Connections for reading the log beside the engine, with the index where there is one yet.
struct LogReader {
  Database database;
  std::unique_ptr<LogStore> log;
  std::unique_ptr<LogIndexReader> index;
};

struct ErasedContent;
struct Giving;

struct Vault::Core {
  Core(VaultOptions given, DirectoryLock directory_lock, crypto::Keyring keys)
      : options(std::move(given)),
        lock(std::move(directory_lock)),
        keyring(std::move(keys)),
        passwords(options.password_cost) {}

  VaultOptions options;
  DirectoryLock lock;
  crypto::Keyring keyring;
  std::unique_ptr<ErasureLedger> ledger;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<LogPublisher> publisher;
  Timestamp started;
  std::unique_ptr<LogFollower> follower;
  std::unique_ptr<Scrubber> scrubber;
  std::unique_ptr<RetentionRunner> retention;
  std::unique_ptr<IndexBuilder> index_builder;
  mutable ErasureTurns erasure_turns;
  std::atomic<int> long_reads{0}, short_reads{0};
  std::mutex idle_readers_mutex;
  std::vector<std::unique_ptr<LogReader>> idle_readers;
  bool two_person = true;
  std::optional<crypto::CertificateAuthority> authority;  // of clients; set while opening

  Timestamp Now() const { return options.clock->Now(); }

  Call StartCall(const Caller& caller, Action action) const;

  // The latest time at which a caller was authenticated since the vault was opened: a clock that is
  // set back brings no expired token back. Not kept beyond the process, so that a clock that ran
  // ahead can be mended. Engine thread only.
  mutable Timestamp latest{};

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

  // Whether a restriction of the client, or of this class of it, stops the call's purpose. Only
  // what discloses or changes its data is stopped, and not what is done for its own rights.
  static bool IsRestricted(const Transaction& transaction, const Call& call, Action action,
                           const ClientId& client, const ClassSchema* record_class);

  // Stores it, its basis sealed under the client's key.
  Status PlaceRestriction(Transaction& transaction, const Restriction& restriction) const;
  Bytes RestrictionContext(const ClientId& client, const RestrictionId& id) const;
  // With their bases opened, the oldest first.
  Result<std::vector<Restriction>> OpenRestrictions(Transaction& transaction,
                                                    const ClientId& client) const;
  // Those of the format before get an id each, and their bases are sealed.
  Status MoveOlderRestrictions() const;

  // The operation as one engine operation: decision first, then `work`; a reason is sealed beside
  // the entries, as the call's rule says. `client`: which the own entry is about, where it is known
  // already.
  template <class Work>
  Status Perform(OperationKind kind, Call& call, std::optional<ClientId> client,
                 const ClassSchema* record_class, Work&& work,
                 EntryRule rule = EntryRule::kAlways) const {
    auto done = engine->Run(kind, rule, call.entry, [&](Transaction& transaction) -> Status {
      auto decided = Authorize(transaction, call, record_class);
      auto worked = decided ? work(transaction) : decided;
      // Only now it is known whom the call disclosed.
      COFFER_TRY(SealReason(transaction, call, client, worked.has_value()));
      NoteTicket(call);
      return worked;
    });
    if (!done && done.error().code == Code::kCorrupted) {
      return std::unexpected(IntegrityAlarm(call, done.error().reason));
    }
    if (!done && done.error().reason == kIndexBuilding) {
      return std::unexpected(IndexIsBuilding(std::move(done).error()));
    }
    if (!done && done.error().reason == "budget_exhausted") {
      return std::unexpected(BudgetAlert(call, done.error()));
    }
    return done;
  }

  // What the request shows plainly, against the principal's budgets. Each record was decided with
  // those before it counted, so this is the last step: what is refused has spent nothing.
  Status CountReveals(Transaction& transaction, const Call& call) const;
  // An entry beside that of the refusal, the first time in an hour.
  Error BudgetAlert(const Call& call, Error error) const;
  static Error IndexIsBuilding(Error error);
  mutable std::mutex alerted_mutex;
  mutable std::map<PrincipalId, std::int64_t> alerted;  // in which hour

  // Passes when a second person approved exactly this, for this caller, and marks that as done; or
  // when the vault was made for one person. Errors: kPermissionDenied "approval_required",
  // "approval_invalid", "approval_void" for one that ended with who asked or approved.
  Status RequireApproval(Transaction& transaction, Call& call, const Proposal& proposal) const;
  // The same where what gives a role takes two. `target` names the account.
  Status RequireApprovalToGive(Transaction& transaction, Call& call, const Giving& giving,
                               std::string target) const;
  // As RequireApproval, which is this and MarkExecuted: what takes several steps may begin, and
  // nothing is marked as done yet. Nothing: one person is enough.
  Result<std::optional<ApprovalRow>> CheckApproval(Transaction& transaction, Call& call,
                                                   const Proposal& proposal) const;
  static Status MarkExecuted(Transaction& transaction, ApprovalRow row);
  // The row of the approval that the call names, if it is for this and of this caller.
  Result<std::optional<ApprovalRow>> FindOwnApproval(Transaction& transaction, const Call& call,
                                                     const Proposal& proposal) const;
  Approval DescribeApproval(const Transaction& transaction, const ApprovalRow& row) const;
  Result<std::optional<AccountWays>> WaysInto(Transaction& transaction,
                                              const Proposal& proposal) const;
  // Passes where RequireApproval passed with the same approval within the last hour: what takes
  // several requests goes on.
  Status RequireStarted(Transaction& transaction, Call& call, const Proposal& proposal) const;
  crypto::Hash HashOf(const Proposal& proposal) const;
  // Passes where no hold covers the client, or these of its classes (none: all of it). Errors:
  // kConflict "held" with an issue for each hold.
  Status RequireNoHold(Transaction& transaction, Call& call, const ClientRow& client,
                       const std::set<std::string, std::less<>>& classes) const;
  // Passes where no hold is on a tag that the client loses. Errors: as RequireNoHold.
  Status RequireTagsKept(Transaction& transaction, Call& call, const ClientRow& before,
                         const ClientRow& after) const;
  // What acts will say, as it is now, as members of a JSON object without its braces: of the
  // operator, which is the same for all; of whoever asked, too.
  std::string StandingFacts() const;
  std::string FactsOfCall(Transaction& transaction, const Call& call) const;
  // Their keys are destroyed, and the ledger has them: entries that say so.
  Status CompleteErasures(std::span<const ErasureRow> rows) const;
  Status CompleteInterruptedErasures() const;
  // What the ledger has and the vault has not is erased again: an older state was opened. What the
  // vault has and the ledger has not is added to it. Both by the records, not by the erasures. What
  // neither has any more is named.
  Status ReconcileLedger();
  Status NameIncomplete(const std::set<ErasureId>& known,
                        const std::set<std::string>& mended) const;
  // Of one client, in one operation: what stays is sealed again once.
  Status Replay(std::span<const ErasureRow> found);
  Result<std::string> MakeAct(const ErasureRow& row);

  IndexStatus IndexStatusNow() const;
  // What waits for people.
  Status CountWaiting(Transaction& transaction, VaultStatus& status) const;
  Status CheckProposer(Transaction& transaction, Call& call, std::string_view action,
                       const std::optional<ClientId>& client) const;

  // Users. What is asked before somebody is known is logged with the account that it was about, and
  // answered alike whether there is one.
  mutable LoginThrottle throttle;
  mutable PasswordChecks passwords;
  crypto::Hash AccountHash(std::string_view login) const;
  Call StartOpenCall(const Caller& caller, Action action, std::string_view how) const;
  // Errors: kExhausted "login_throttled", logged.
  Result<LoginThrottle::Attempt> BeginAttempt(Call& call, std::string_view login) const;
  // The entry names the account of this login, where there is one, as that of a wrong password
  // does.
  Error RefuseOpen(Call& call, std::string_view check, Error error,
                   std::string_view login = {}) const;
  // The account's id, and its password's hash: empty when there is none.
  Result<std::pair<PrincipalId, std::string>> FindAccount(std::string_view login) const;
  // As Perform; the credentials are stored as `work` leaves them. Errors: kUnauthenticated
  // "login_failed" for who is not there or disabled.
  Status PerformOpen(
      Call& call, const PrincipalId& user,
      FunctionRef<Status(Transaction&, const PrincipalRow&, UserCredentials&)> work) const;
  Status CheckEnrolment(Call& call, const PrincipalRow& user, const UserCredentials& credentials,
                        std::string_view code) const;
  Result<NewEnrolment> StartEnrolment(Transaction& transaction, const PrincipalRow& user) const;
  // Who is given a privileged role has a second factor, or is to be enrolled yet.
  Status RequireSecondFactor(Transaction& transaction, const PrincipalRow& row) const;
  static Result<PrincipalInfo> DescribePrincipal(Transaction& transaction, const PrincipalRow& row);

  // The case that the request says it belongs to, into the entry.
  static void NoteTicket(Call& call);

  // `done`: the call's further entries will be there.
  Status SealReason(Transaction& transaction, Call& call, const std::optional<ClientId>& client,
                    bool done) const;
  // Returns whether the client is there.
  Result<bool> SealReasonFor(Transaction& transaction, const Call& call, const ClientId& client,
                             audit::Entry& entry, std::size_t place) const;
  // What a sealed reason is bound to.
  Bytes NoteContext(const CallId& call) const;
  Result<std::pair<crypto::Hash, std::string>> OpenReason(ByteView sealed, std::string_view call,
                                                          const ClientKeys& keys) const;

  // The tree as it is, for proofs about any earlier one.
  struct PublishedTree {
    audit::Checkpoint checkpoint;
    std::string note;
    audit::LogHead head;  // of the log then, which is no smaller
  };
  // With `check` in the operation that authorises it: of the checkpoint's size.
  Result<PublishedTree> LookAtTree(Call& call,
                                   FunctionRef<Status(Transaction&, std::uint64_t)> check) const;
  // The tree with a checkpoint of now; for who was authorised already.
  Result<PublishedTree> LookAtNewestTree() const;
  Result<audit::Checkpoint> Published(std::string& note) const;
  Result<std::string> WriteEvidence(const Call& call, const EvidenceRequest& request,
                                    bool actor_known, audit::Evidence& evidence);
  Status CountLog(const LogSummaryRequest& request, bool actor_known, LogSummary& summary);
  // A further entry of the request, which was allowed and failed afterwards.
  Error FailedLater(const Call& call, Error error) const;

  // Errors: kCorrupted "object_damaged" for what the scrub found to be other than the log says.
  Status CheckWhole(const Id128& id) const;
  // The same for what decides what a request may do and is read from the database: what people
  // approved, and what they log in with.
  Status CheckState() const;

  // An entry of the vault itself.
  Status LogSystemEvent(std::string_view action, std::string_view outcome,
                        std::string_view detail = {}) const;
  // A disclosure was logged and then failed: what is stored is not what was sealed.
  Error IntegrityAlarm(const Call& call, std::string_view reason) const;

  // The client's key for sealing ahead of an operation; nothing when there is no such client.
  Result<std::optional<PinnedKeys>> PinForWriting(const ClientId& client) const;

  Bytes RecordContext(const ClientId& client, const RecordId& record, std::string_view class_name,
                      std::uint64_t version) const;
  Bytes ClientContext(const ClientId& client, std::uint64_t version) const;
  BlindToken ReferenceToken(std::string_view external_ref) const;
  BlindToken FieldToken(std::string_view class_name, std::string_view field,
                        std::string_view normalised) const;
  // Of the values, under the keyring's key (index_terms.h).
  IndexTerms TermsOf(const ClassSchema& schema, std::span<const Document::Indexed> indexed) const;

  // Opaque, and bound to the principal that was given them, to what it did and to the list, which
  // names its filter. For calls whose principal is known. Errors: kInvalidArgument
  // "cursor_invalid", marked as a refusal; an empty cursor is row 0.
  std::string MakeCursor(const Call& call, std::string_view list, std::int64_t row) const;
  Result<std::int64_t> ReadCursor(Call& call, std::string_view list, std::string_view cursor) const;

  struct IdempotencyKeys {
    crypto::Hash key{}, body{};
  };
  std::optional<IdempotencyKeys> HashIdempotency(const Call& call, std::string_view target,
                                                 const Idempotency& idempotency) const;
  // The object a repeated request made before. Errors: kUnprocessable "idempotency_key_reused".
  static Result<std::optional<Id128>> FindRepeated(Transaction& transaction,
                                                   const std::optional<IdempotencyKeys>& keys);
};

// "client.erase" or "record.erase" of the client, with what goes and why.
Proposal ProposalOf(const ClientId& client, const ErasureRequest& request);

// One more thing in the entry's detail.
void AddDetail(audit::Entry& entry, std::string_view text);

// Marks the entry as a refusal by the named check.
std::unexpected<Error> Deny(Call& call, std::string_view check, Code code, std::string_view reason);

// Marks the entry as a refusal because nothing is there for this caller.
std::unexpected<Error> NotFound(Call& call);

// One of a few LogReaders, taken from those that are idle and put back. Short reads (a tile, a
// proof: some hundred rows by their keys) have a bound of their own, which is wide enough for the
// programs of others that fetch a log with many hands at once; long ones cannot keep them out.
// Errors: kExhausted "too_many_long_reads", "too_many_short_reads".
class SnapshotReader {
 public:
  enum class Kind : std::uint8_t { kLong, kShort };
  static Result<std::unique_ptr<SnapshotReader>> Open(Vault::Core& core, Kind kind = Kind::kLong);
  ~SnapshotReader();
  SnapshotReader(const SnapshotReader&) = delete;
  SnapshotReader& operator=(const SnapshotReader&) = delete;
  LogStore& log() { return *reader_->log; }
  LogIndexReader* index() { return reader_->index.get(); }
  void DropIndex() { reader_->index.reset(); }  // it cannot be read
  Database& database() { return reader_->database; }

 private:
  SnapshotReader(Vault::Core& core, Kind kind) : core_(core), kind_(kind) {}
  std::atomic<int>& running() const {
    return kind_ == Kind::kLong ? core_.long_reads : core_.short_reads;
  }
  Vault::Core& core_;
  Kind kind_;
  std::unique_ptr<LogReader> reader_;
};

std::string AnchorPath(const std::string& directory, const std::string& configured);
std::string VaultDatabasePath(const std::string& directory);
std::string KeysDatabasePath(const std::string& directory);
std::string LedgerPath(const std::string& directory, const std::string& configured);
std::string LogIndexPath(const std::string& directory);
std::string KeyringPath(const std::string& directory);

// What a client's profile is bound to.
Bytes ClientContext(const crypto::Keyring& keyring, const ClientId& client, std::uint64_t version);
// What a version of a record is bound to.
Bytes RecordContext(const crypto::Keyring& keyring, const ClientId& client, const RecordId& record,
                    std::string_view class_name, std::uint64_t version);

struct FoundKey {
  std::optional<Bytes> wrapped;
  bool erased = false;           // since the snapshot was taken: there should be no key
  std::uint64_t generation = 0;  // another than in the snapshot: erased in part since
  bool has_older = false;        // the one before is there too, or was destroyed by an erasure
};

// What a verification reads. `keys` and `find_keys` are for a deep one; `keys` is looked at page by
// page only, in no transaction, and one answer of `find_keys` is asked for each client.
struct VerificationSource {
  Database& vault;
  Database* keys;
  const crypto::Keyring& keyring;
  LogIndexReader* index = nullptr;  // compared with the log, where there is one
  std::function<Result<std::vector<FoundKey>>(std::span<const ClientId>)> find_keys;
};
Result<DeepReport> VerifyAll(const VerificationSource& source, audit::VerifyOptions options,
                             bool deep);

}  // namespace coffer::vault
