// The vault: every operation a principal may perform. Each takes the acting caller, decides for
// itself, and returns only after its access-log entry is durable: nothing is disclosed before.
//
// Errors common to all operations: kUnauthenticated; kPermissionDenied "permission_denied";
// kInvalidArgument "purpose_required", kUnprocessable "purpose_unknown", kPermissionDenied
// "purpose_not_allowed" where client data is touched; kNotFound "not_found" for what does not
// exist; kUnavailable when the log or the store cannot be written; kExhausted "queue_full".
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "audit/documents/erasure_act.h"
#include "audit/text/clock.h"
#include "audit/tlog/checkpoint.h"
#include "audit/tlog/tile.h"
#include "audit/verify/verify.h"
#include "crypto/hash.h"
#include "crypto/keyring.h"
#include "crypto/password_hash.h"
#include "crypto/result.h"
#include "crypto/root_key_provider.h"
#include "vault/access/access_policy.h"
#include "vault/deletion/approval_preview.h"
#include "vault/access/known_names.h"
#include "vault/access/role.h"
#include "vault/access/token_limits.h"
#include "vault/base/ids.h"
#include "vault/catalog/class_schema.h"
#include "vault/catalog/purpose.h"
#include "vault/deletion/deletion.h"

namespace coffer::vault {

using audit::Timestamp;

// What a caller's client certificate, verified against the configured authorities, says.
struct ClientCertificate {
  std::vector<std::string> bindings;  // "spki:…", "dns:…", "uri:…", see IsCertificateBinding
};

// Who asks, and the facts of the request.
struct Caller {
  std::string token;          // as presented; empty when none was
  std::string address;        // where the request was made from: the peer, or what a proxy says
  bool address_known = true;  // false: a trusted proxy says nothing that can be read
  CallId call;
  std::string purpose;
  std::string reason;  // free text; sealed aside, the log keeps a salted commitment
  std::string ticket;  // the case it belongs to, where a grant asks for one
  std::optional<ClientCertificate> certificate;
  std::string approval;  // id of the approval that a second person gave; empty when none
  // The vault's answer: what is shown is somebody's and counts, whatever became of the request.
  mutable bool authenticated = false;
};

// Idempotency-Key of a request and the bytes of its body; an empty key means none.
struct Idempotency {
  std::string_view key;
  std::string_view body;
};

struct ClientInfo {
  ClientId id;
  std::string external_ref;       // empty when none
  std::vector<std::string> tags;  // sorted
  std::uint64_t version = 0;
  Timestamp created, updated;
  std::optional<Timestamp> relationship_end = {};  // from when retention counts
};

struct ClientChange {
  std::optional<std::string> external_ref = {};  // "" removes it
  std::optional<std::vector<std::string>> tags = {};
  std::optional<std::optional<Timestamp>> relationship_end = {};  // nothing inside: it goes on
  // That the external reference may be an erased client's. Otherwise: kConflict "erased_before".
  bool accept_erased = false;
};

struct RecordInfo {
  RecordId id;
  ClientId client;
  std::string class_name;
  std::uint64_t class_version = 0;
  std::uint64_t version = 0;
  Timestamp created, updated;
  std::string data;  // canonical JSON object; empty where only the metadata was asked for
  // Fields of `data` that are shown masked, and fields that are left out of it but are there.
  std::vector<std::string> masked, present;
};

struct VersionInfo {
  std::uint64_t version = 0;
  std::uint64_t class_version = 0;
  Timestamp written;
};

template <class T>
struct Page {
  std::vector<T> items;
  std::string next_cursor;  // empty at the end
};

struct PageRequest {
  std::size_t limit = 50;  // 1..200
  std::string cursor;      // kInvalidArgument "cursor_invalid" when not one of ours
};

struct SearchHit {
  ClientId client;
  std::optional<RecordId> record;
};
struct SearchPage : Page<SearchHit> {
  // False while the index is made by other rules than before, in a vault with many records: those
  // that were not come to yet are found by the spellings that found them before.
  bool whole = true;
};

// What a bulk export takes along.
struct ExportSelection {
  std::string tag;                   // of the clients; empty: every client
  std::vector<std::string> classes;  // of the records; empty: every class
};
struct ExportPage {
  std::vector<std::variant<ClientInfo, RecordInfo>> lines;  // each client before its records
  std::string next_cursor;                                  // empty at the end
};

// How the document of a change stands to the one that is stored: in its place, or as a merge patch
// of it (RFC 7396), of which what is absent stays and what is null goes.
enum class ChangeForm { kWhole, kMergePatch };

enum class ImportOutcome { kCreated, kUpdated, kUnchanged };
std::string_view Name(ImportOutcome outcome);
struct ImportRow {
  std::string external_ref;
  std::string class_name;
  std::string record_key;  // tells several records of one client and class apart; may be empty
  const nlohmann::json& data;
  bool accept_erased = false;  // as in ClientChange
  ChangeForm form = ChangeForm::kMergePatch;
};
struct ImportResult {
  ImportOutcome outcome = ImportOutcome::kCreated;
  ClientId client;
  RecordId record;
  std::size_t removed = 0;  // fields that the record had, of those that the caller may see
};

struct PrincipalInfo {
  PrincipalId id;
  std::string name, role;
  std::string login;  // of a user
  Timestamp created;
  std::optional<Timestamp> disabled;
  std::optional<PrincipalId> owner;              // of a service: the principal that answers for it
  std::vector<std::string> certificates;         // of a service: bindings that it is known by
  bool enrolled = false, second_factor = false;  // of a user
};
struct ServiceRequest {
  std::string name, role;
  std::optional<PrincipalId> owner;
  std::vector<std::string> certificates;
};
struct UserRequest {
  std::string login;  // 1 to 64 of a-z, 0-9, '.', '_', '-' and '@'; no other user's, for ever
  std::string name, role;
};
// What of a principal is about to change.
struct PrincipalChange {
  std::optional<std::string> name, role;
  std::optional<bool> disabled;
  std::optional<std::vector<std::string>> certificates;
  // With `disabled`: the clients that are assigned to it stay so, and nobody else has them.
  bool leave_clients = false;
};
// A one-time code with which a user sets a password.
struct NewEnrolment {
  PrincipalInfo user;
  std::string code;  // shown once; only a keyed hash is stored
  Timestamp expires;
};
struct EnrolmentOffer {
  std::string login, name;
  std::string totp_uri;  // for the authenticator app; holds a secret
};
struct EnrolmentDone {
  PrincipalInfo user;
  std::vector<std::string> recovery_codes;  // with a second factor; shown once
};

struct IssuedCertificate {
  PrincipalInfo service;
  std::string certificate, authority;  // PEM
};

// Whether a token can be used, and why not. That of a disabled service cannot, until it is enabled.
enum class TokenState { kActive, kDisabled, kExpired, kRevoked, kRotated };
std::string_view Name(TokenState state);
std::optional<TokenState> TokenStateFromName(std::string_view name);
struct TokenInfo {
  TokenId id;
  PrincipalId principal;
  std::string name;  // of the token
  std::string role;  // of its principal
  TokenLimits limits;
  Timestamp created, expires;
  std::optional<Timestamp> revoked;
  TokenState state = TokenState::kActive;
  std::optional<std::int64_t> expires_in_s = {};  // of an active one
  std::optional<TokenId> replaced_by = {};        // what was issued last in its place
};
// Empty members do not filter.
struct TokenFilter {
  std::optional<TokenState> state = {};
  std::string principal = {};  // a service's id or name
};
struct NewToken {
  TokenInfo info;
  std::string secret;  // shown once; only a keyed hash is stored
};
struct TokenRequest {
  std::string name;
  std::optional<PrincipalId> principal;  // a service; absent: a new one of this name and `role`
  std::string role;
  std::int64_t lifetime_s = 0;  // 60 s to 366 days
  TokenLimits limits;
};

struct SessionInfo {
  SessionId id;
  PrincipalId principal;
  std::string login;
  Timestamp created, expires, seen;
  std::optional<Timestamp> second_factor;  // when it was last given
  std::optional<Timestamp> ended;
};
struct NewSession {
  SessionInfo info;
  std::string secret;  // shown once; only a keyed hash is stored
};
struct WhoIs {
  PrincipalInfo principal;
  std::optional<TokenInfo> token;  // what was shown: this, or
  std::optional<SessionInfo> session;
};

struct Team {
  PrincipalId id;
  std::string name;
  Timestamp created;
  std::vector<PrincipalId> members;
};

// What two people decide: hashed as it is stored, and done once as it was hashed.
struct Proposal {
  std::string action;   // of kTwoPersonActions
  std::string target;   // id or name of what it is about
  std::string content;  // canonical JSON of what will be done; empty where the target says it all
};
enum class ApprovalState {
  kPending,
  kApproved,
  kRejected,
  kExecuted,
  kExpired,
  kWithdrawn,
  kVoid  // it ended with the account, or the role, of who asked or approved
};
std::string_view Name(ApprovalState state);
// Why one ended before it was used. The numbers are stored.
enum class ApprovalEnd : std::uint8_t {
  kWithdrawn = 1,
  kRequesterDisabled = 2,
  kRequesterRole = 3,  // has another role
  kApproverDisabled = 4,
  kApproverRole = 5,  // has another role, or one that may not approve this
  kSamePerson = 6,
  kTargetChanged = 7  // what it was to replace has been replaced since it was asked for
};
std::string_view Name(ApprovalEnd end);
inline constexpr std::string_view kWaysToGive[] = {"certificate", "change", "enrolment", "rotation",
                                                   "service",     "token",  "user"};
// An account that is there, for who is asked to open a further way into it.
struct AccountWays {
  PrincipalInfo principal;
  std::uint64_t tokens = 0, sessions = 0;  // that can be used now
  bool enrolment = false;                  // a code that sets its password can be used now
};
struct Approval {
  ApprovalId id;
  Proposal proposal;
  crypto::Hash hash{};
  ApprovalState state = ApprovalState::kPending;
  PrincipalId requester;
  Timestamp created, expires;
  std::optional<PrincipalId> decider;
  std::optional<Timestamp> decided, executed;
  std::optional<Timestamp> ended = {};       // without having been used
  std::optional<PrincipalId> ended_by = {};  // of one that was withdrawn
  std::optional<ApprovalEnd> end = {};
  std::optional<AccountWays> account = {};  // as it is now; not in lists
  // Where one approval is looked at.
  std::optional<ApprovalQuestion> question = {};
  std::optional<ApprovalPreview> preview = {};  // of one that is open
};

struct EmergencyRequest {
  std::string purpose, ticket;
  std::int64_t lifetime_s = 0;  // 60 s to 24 h
};
struct EmergencyAccess {
  EmergencyId id;
  ClientId client;
  PrincipalId principal;
  std::string purpose, ticket;
  Timestamp created, expires;
  Timestamp review_due;
  std::optional<PrincipalId> reviewer;
  std::optional<Timestamp> reviewed;
  std::string finding;  // what the review found
};
// What an emergency access was used for, as the log has it.
struct EmergencyUse {
  std::uint64_t seq = 0;
  Timestamp ts;
  std::string action, record, class_name, detail;
  std::uint64_t version = 0;
  std::vector<std::string> fields;
};
struct EmergencyReport {
  EmergencyAccess emergency;
  std::vector<EmergencyUse> uses;     // oldest first
  std::optional<std::uint64_t> next;  // where to go on, absent at the end
};

struct Assignment {
  ClientId client;
  PrincipalId principal;
  Timestamp starts;
  std::optional<Timestamp> ends;  // absent: until it is taken away
  PrincipalId given_by;
  bool changed = false;  // by the call that answers it
};
struct AssignmentTerms {
  std::optional<Timestamp> starts;  // absent: now
  std::optional<Timestamp> ends;
};

// A client as people name it: by its id, or by its external reference.
struct ClientName {
  std::optional<ClientId> id;
  std::string external_ref;  // where there is no id
};
inline constexpr std::size_t kMostAssigned = 200;  // in one call
// What became of one of several. Each is done, or refused, for itself.
struct AssignedClient {
  ClientName name;
  std::optional<Assignment> assignment;  // absent: `error` says why
  std::optional<Error> error = {};
};
struct HandOverRequest {
  PrincipalId from, to;
  std::vector<ClientName> clients = {};  // empty: all that `from` has, a portion a call
  PageRequest page = {};                 // of these
};
struct HandedOver {
  std::vector<AssignedClient> clients;
  std::uint64_t skipped = 0;  // that the caller has no part in; they stay where they are
  std::string next_cursor;    // empty: that was the last portion
};

// Plain reading of chosen fields of one client's records of one class, for one purpose, under a
// ticket, until a time.
struct Lease {
  LeaseId id;
  ClientId client;
  PrincipalId principal;
  std::string class_name;
  std::vector<std::string> fields;
  std::string purpose;
  std::string ticket;
  Timestamp created, expires;
  PrincipalId given_by;
  // Canonical JSON: what counts in the place of the conditions of its holder's role.
  std::optional<std::string> conditions = {};
};
struct LeaseRequest {
  PrincipalId principal;
  std::string class_name;
  std::vector<std::string> fields;
  std::string purpose;
  std::string ticket;
  std::int64_t lifetime_s = 0;                 // 60 s to 30 days
  std::optional<std::string> conditions = {};  // JSON, as in a role's grant, without a budget
};

// Who would ask for what: nothing of it happens.
struct AccessQuestion {
  PrincipalId principal;
  std::string action;
  std::optional<ClientId> client;
  std::string class_name;  // empty: about no class
  // Of the records; absent: the newest. Those of an older one are shown by the stricter of both.
  std::optional<std::uint64_t> class_version;
  std::string purpose;
  bool reason = false, ticket = false;  // given
  std::optional<Timestamp> at;          // absent: now
  std::string address;                  // from where; empty: it cannot be said
  bool certificate = false;             // shown
  // How long ago the second factor was given; absent: never.
  std::optional<std::int64_t> second_factor_minutes;
};
// A lease, or emergency access, that is for what is asked.
struct LeaseAnswer {
  std::string id;
  std::optional<std::string> conditions;  // its own; absent: those of the role count
  bool open = false;                      // they are met
  std::string reason;                     // what the caller would be told where they are not
};
// What shows a field plainly: a grant of the role, or a lease, or emergency access.
struct PlainSource {
  enum class By : std::uint8_t { kGrant, kLease, kEmergency };
  By by = By::kGrant;
  std::optional<std::size_t> grant = {};  // its place in the role
  std::string scope = {};                 // of the grant: "all", "assigned", "tag:TAG"
  std::string id = {};                    // of the lease or the emergency access
};
struct AccessAnswer {
  bool allowed = false;
  std::string rule;
  std::string reason;  // of a refusal: the code that the caller would get
  std::string role;
  std::uint64_t role_version = 0;
  std::vector<std::size_t> grants;  // places in the role of those that match
  // Of the class, what would be seen, written or searched of each field.
  std::vector<std::pair<std::string, View>> fields;
  std::vector<LeaseAnswer> leases;
  // Of the fields that are plain, where that comes from; and to whom of the principal and its teams
  // the client is assigned.
  std::vector<std::pair<std::string, std::vector<PlainSource>>> plain = {};
  std::vector<PrincipalId> assigned_to = {};
};

struct LogFilter {
  // `actor`: the id of a principal, the login of a user or the name of a service.
  std::string client, record, actor, action, class_name, purpose, decision, rule, outcome, address,
      request;
  std::string field;                  // among the entry's fields
  std::optional<Timestamp> from, to;  // [from, to)
};
struct LogPageRequest {
  std::size_t limit = 100;  // 1..1000
  bool oldest_first = false;
  std::optional<std::uint64_t> start;  // sequence to start at; the log's end when absent
};
struct LogPage {
  std::vector<std::string> entries;   // exact bytes
  std::vector<std::uint64_t> seqs;    // of these, by their place
  std::optional<std::uint64_t> next;  // where to go on, absent at the end
  std::uint64_t size = 0;             // of the log when it was read
  // Who may read the log may know what its actors are called.
  std::shared_ptr<const PrincipalNames> principals = {};
};
// Entries counted in buckets of time (UTC), for each value of a member: "" where it is absent.
struct LogSummaryRequest {
  LogFilter filter;
  std::string by = "action";  // action, actor, decision, outcome, rule, class, purpose or address
  bool daily = false;         // else hourly
};
struct LogCount {
  Timestamp from;  // of the bucket
  std::string value;
  std::uint64_t count = 0;  // of entries: of one request its own and those of what it disclosed
  // How many different ones these entries name.
  std::uint64_t requests = 0, records = 0, clients = 0;
};
struct LogSummary {
  std::vector<LogCount> counts;  // by time, then value; at most 10,000
  std::uint64_t size = 0;        // entries before this one are counted
};
// How many different clients somebody was shown, beside what those with the same work were.
struct ReaderCount {
  PrincipalId principal;
  std::string login, name, role;
  std::uint64_t reads = 0, clients = 0;
  // The others of the smallest of its teams, else of its role, that has enough of them: those who
  // saw nobody too. Fewer than kFewestColleagues are compared with nobody: it would say what one of
  // them did.
  static constexpr std::size_t kFewestColleagues = 3;
  std::string group;  // "team:NAME" or "role:NAME"; empty: there are too few
  std::uint64_t colleagues = 0;
  double median = 0;  // of their clients
};
struct ReaderReport {
  std::vector<ReaderCount> readers;  // those who saw most first; at most kMostReaders
  static constexpr std::size_t kMostReaders = 1000;
  bool more = false;
  Timestamp from, to;      // [from, to)
  std::uint64_t size = 0;  // entries before this one are counted
};
// What the log says of a client, or of a principal, or of a time; one of these at least.
struct EvidenceRequest {
  std::string client, principal;      // the principal's id, or as LogFilter::actor
  std::optional<Timestamp> from, to;  // [from, to)
};
struct ConsistencyProof {
  std::uint64_t old_size = 0, size = 0;
  std::vector<crypto::Hash> hashes;  // RFC 6962 section 2.1.2
};
struct LogEntryView {
  std::string entry;
  // The free-text reason and the salt that opens `note_hash`; absent when none was given, it was
  // erased with its client, or the caller may not see reasons.
  std::optional<std::string> note_text;
  std::optional<std::string> note_salt;  // hex
};

struct Health {
  bool ready = false;
  std::string_view reason;  // why not
};

// How far stored data was compared with the log since the comparison last began anew.
struct ScrubState {
  std::uint64_t position = 0;          // entries of the log that were gone through in this round
  std::uint64_t rounds = 0;            // whole ones since the start
  std::optional<Timestamp> completed;  // the last whole one
  std::uint64_t damaged = 0;  // clients and records that are refused; one for committed state
};

// The search index and its key, which is exchanged some time after something was deleted: until
// then, who has an older copy of vault.db and today's keys can ask it for values.
struct IndexStatus {
  std::uint64_t generation = 0;  // 0: under the key in the keyring
  bool whole = true;             // false: it is made by other rules, or from nothing
  bool building = false;         // the next generation
  std::uint64_t built = 0;       // clients and records that it has
  bool retiring = false;         // the generation before is being destroyed
  std::optional<Timestamp> exchanged;
  // The oldest deletion that it does not cover, when the exchange begins and since when it is late.
  std::optional<Timestamp> oldest_uncovered, due;
  bool overdue = false;
};

// A service's tokens that count now.
struct ServiceTokens {
  PrincipalId service;
  std::string name;
  std::uint64_t tokens = 0;
  Timestamp next, last;  // when the first and when the last of them ends
};
struct TokenExpiry {
  static constexpr std::size_t kMostServices = 1000;
  std::uint64_t within_7_days = 0, within_30_days = 0;  // tokens that end so soon
  std::optional<Timestamp> next;
  std::vector<ServiceTokens> services;  // those first whose last token ends first
};

struct VaultStatus {
  std::string vault_id;
  std::string log_origin;
  std::string log_key;  // verifier key
  std::uint64_t log_size = 0;
  std::string checkpoint;  // the last published note
  std::uint64_t clients = 0, records = 0, erasures = 0;
  std::uint64_t classes = 0, purposes = 0, active_tokens = 0;
  std::uint64_t users = 0, services = 0, open_approvals = 0;
  std::uint64_t unreviewed_emergencies = 0, overdue_emergencies = 0;
  std::uint64_t holds = 0, overdue_holds = 0, restrictions = 0;
  std::uint64_t retention_schedule = 0;  // version; 0: none
  std::uint64_t classes_without_policy = 0;
  bool waiting_for_clock = false;  // deletion waits until the clock is confirmed
  // The schedule's, where this machine does not know it: deletion is paused. Else empty.
  std::string unknown_time_zone;
  bool two_person = true;  // false: switched off when the vault was made
  bool memory_locked = false;
  bool keys_rewrite_pending = false;    // as EngineStatistics::keys_rewrite_pending
  bool wal_truncation_pending = false;  // as EngineStatistics::wal_truncation_pending
  IndexStatus index;
  Timestamp started, now;
  ScrubState scrub;
  TokenExpiry tokens;
};

struct EngineStatistics {
  std::uint64_t operations = 0, batches = 0, commit_failures = 0, refused_full = 0;
  std::uint64_t queue_length = 0, largest_batch = 0, wal_frames = 0, keys_wal_frames = 0;
  std::uint64_t wal_bytes = 0, keys_wal_bytes = 0;  // of the files
  std::uint64_t key_cache_entries = 0, log_size = 0, checkpoint_size = 0;
  std::uint64_t commit_nanoseconds = 0;  // in total
  std::uint64_t open_approvals = 0, unreviewed_emergencies = 0, overdue_emergencies = 0;
  std::uint64_t holds = 0, overdue_holds = 0, restrictions = 0;
  std::uint64_t retention_erased = 0;  // records, since the start
  bool retention_running = false, waiting_for_clock = false;
  bool time_zone_unknown = false;    // the retention schedule's: deletion is paused
  std::uint64_t log_index_size = 0;  // entries that the log's index has
  std::uint64_t keys_rewrites = 0;   // of keys.db, since the start
  // Clients were erased whose keys are not yet beyond the reach of who has the key of keys.db.
  bool keys_rewrite_pending = false;
  // Since an erasure somebody reads so long that the WAL of vault.db still has its pages.
  bool wal_truncation_pending = false;
  IndexStatus index;
  ScrubState scrub;
  TokenExpiry tokens;
};

enum class Severity { kInfo, kWarning, kError };
using OperatorLog = std::function<void(Severity, std::string_view message)>;

using audit::OperatorDetails;

struct VaultOptions {
  std::string directory;
  std::string anchor_path;  // empty: <directory>/anchor
  std::string ledger_path;  // of erasures; empty: <directory>/erasures.ledger
  std::size_t queue_limit = 4096;
  std::size_t key_cache_entries = 131072;
  int page_cache_mib = 160;
  bool require_locked_memory = true;
  std::uint32_t checkpoint_interval_ms = 1000;
  std::uint32_t heartbeat_interval_s = 3600;
  OperatorLog log;
  const audit::Clock* clock = nullptr;  // null: the system's
  crypto::PasswordCost password_cost;
  std::uint32_t session_idle_s = 15 * 60;
  std::uint32_t session_lifetime_s = 12 * 3600;
  std::uint32_t scrub_entries_per_s = 250;  // 0: stored data is not compared with the log
  OperatorDetails operator_details;
  // After an erasure, backups of keys.db could bring the data back for so long; absent: unknown.
  std::optional<std::uint32_t> backup_horizon_days;
  std::optional<std::uint32_t> retention_minute;     // of the UTC day, at which a run starts
  std::uint32_t retention_records_per_s = 2000;      // while requests are served
  std::uint32_t clock_jump_threshold_s = 48 * 3600;  // beyond which deletion waits for people
  // keys.db is rewritten so long after an erasure, and not more often than that.
  std::uint32_t keys_rewrite_after_ms = 5000;
  std::uint32_t keys_rewrite_interval_ms = 60'000;
  // How often it is looked whether the search index is to be rebuilt; 0: only by StepIndex(). And
  // how many of its rows one operation takes at most.
  std::uint32_t index_interval_ms = 500;
  std::uint32_t index_rows_per_step = 1000;
  // While it is made by other rules, a search opens so many records that it has not come to.
  std::uint32_t index_rows_compared = 1000;
  // Opens a vault whose people, tokens, roles, holds or settings are not what the log last
  // recorded, and records them as they are, with an alarm.
  bool take_over_state = false;
};

struct FirstTokens;
// What `coffer init` decides. Makes the directory's files; refuses one that holds a vault.
struct InitOptions {
  std::string directory;
  std::string anchor_path;
  std::string log_origin;
  crypto::Argon2idParameters passphrase;  // for the passphrase provider
  const audit::Clock* clock = nullptr;
  bool two_person = true;  // false, for ever: one person decides alone
  // Gets the tokens when all but the vault's name is durable; while they have reached nobody, there
  // is no vault. What it returns instead of success is what InitializeVault returns.
  std::function<Status(FirstTokens&)> hand_over = {};
};
// The tokens of the first people. With `two_person` there are two from the first minute on.
struct FirstTokens {
  NewToken administrator;
  std::optional<NewToken> security_officer;
};
// Errors: kConflict "vault_exists", "vault_in_use"; kPermissionDenied "owners_differ",
// "account_not_taken"; kUnavailable "directory_not_writable"; those of Keyring and of `hand_over`.
// No vault is left then.
Result<FirstTokens> InitializeVault(const InitOptions& options, crypto::RootKeyProvider& root);

// Whether a start would go well, as far as it can be told without a change: keyring and root key,
// databases, anchor, log, ledger, state, memory, and room to write. Beside a server that has the
// directory: whether there is one. What a start repairs or repeats is not tried, and of a vault
// that it would migrate no more than that it could. Errors: those of Vault::Open.
Result<bool> CheckDirectory(const VaultOptions& options, crypto::RootKeyProvider& root);

// A new key for the log, of a vault that no server has open. kAdd: a second key, announced in the
// log, signs beside the first from now on. kRetire, when everybody who verifies has seen the new
// one: the log says so, and the old private key is destroyed. What a crash leaves is finished when
// the vault is opened. Errors: kConflict "rotation_in_progress", "nothing_to_retire"; those of
// Vault::Open.
enum class LogKeyStep { kAdd, kRetire };
Status RotateLogKey(const VaultOptions& options, crypto::RootKeyProvider& root, LogKeyStep step);

struct DeepReport {
  audit::VerifyReport log;
  std::uint64_t records_checked = 0, versions_checked = 0, clients_checked = 0;
};
// Offline: opens a (copied) data directory read-only, trusting only `log_key`, and checks the whole
// log against the anchor and `checkpoints`; with `deep` also each page of both databases, each
// client's key, and every live record and client against
// its latest entry. Errors: those of opening.
struct OfflineVerifyOptions {
  std::string directory;
  std::string anchor_path;
  std::optional<audit::VerifierKey> log_key;  // absent: the keyring's own, which proves less
  std::vector<std::string> checkpoints;
  bool deep = false;
};
Result<DeepReport> VerifyDirectory(const OfflineVerifyOptions& options,
                                   crypto::RootKeyProvider& root);

class Vault {
 public:
  // Errors: kConflict "vault_in_use" (another process holds the directory); those of the keyring
  // and the databases; kCorrupted "log_behind_anchor", "anchor_mismatch", "anchor_missing".
  static Result<std::unique_ptr<Vault>> Open(const VaultOptions& options,
                                             crypto::RootKeyProvider& root);
  // Writes the stop entry, the last checkpoint and the anchor. Operations must have ended, and none
  // may follow. Errors: kUnavailable when not all of that could be written: the log is whole up to
  // the anchor before.
  Status Close();
  ~Vault();  // closes it, where nobody did

  Result<ClientInfo> CreateClient(const Caller& caller, const ClientChange& client,
                                  const Idempotency& idempotency);
  Result<ClientInfo> GetClient(const Caller& caller, const ClientId& id);
  // `if_version`: the version the caller saw. Errors: kPreconditionFailed "version_mismatch",
  // kConflict "external_ref_taken".
  Result<ClientInfo> UpdateClient(const Caller& caller, const ClientId& id,
                                  std::uint64_t if_version, const ClientChange& change);
  Result<Page<ClientInfo>> ListClients(const Caller& caller, std::string_view tag,
                                       std::string_view class_name, const PageRequest& page);
  Result<SearchPage> SearchByField(const Caller& caller, std::string_view class_name,
                                   std::string_view field, std::string_view value,
                                   const PageRequest& page);
  Result<Page<SearchHit>> SearchByReference(const Caller& caller, std::string_view external_ref);

  // For good, with an act that says so; on the answer no key of it is left. The same again is
  // answered with the erasure that was, for a client and for records that are gone. Takes an
  // approval of "client.erase" or "record.erase" about the client's id, with {"basis": B} unless
  // that is "request", and with {"class": C} or {"records": [...]}. Errors: kConflict "held",
  // "operator_incomplete" (detail: what is missing in the configuration); kUnprocessable
  // "erasure_invalid" with issues; kPermissionDenied "approval_required", "approval_invalid".
  Result<Erasure> Erase(const Caller& caller, const ClientId& client,
                        const ErasureRequest& request);
  Result<Erasure> GetErasure(const Caller& caller, const ErasureId& id);
  Result<Page<Erasure>> ListErasures(const Caller& caller, const PageRequest& page);
  // The signed act, or a page of it, or the export of the log that belongs to it: see
  // audit/documents/erasure_act.h. Errors: kConflict "act_purged" after three years.
  Result<std::string> ReadAct(const Caller& caller, const ErasureId& id,
                              const DocumentRequest& request);
  // Every place that could hold something of the client, which may be erased or unknown.
  Result<std::vector<Trace>> FindTraces(const Caller& caller, const ClientId& client);

  // Errors: kUnprocessable "hold_invalid" with issues.
  Result<Hold> PlaceHold(const Caller& caller, const HoldRequest& request);
  Result<Hold> GetHold(const Caller& caller, const HoldId& id);
  // Of one client (also those by its tags), or all; those that are lifted too where asked for.
  Result<Page<Hold>> ListHolds(const Caller& caller, const std::optional<ClientId>& client,
                               bool lifted, const PageRequest& page);
  // Takes an approval of "hold.lift" about the hold's id. Errors: kConflict "already_lifted".
  Result<Hold> LiftHold(const Caller& caller, const HoldId& id);

  // Beside those that there are. Errors: kUnprocessable "restriction_invalid" with issues,
  // kConflict "too_many_restrictions".
  Result<Restriction> Restrict(const Caller& caller, const ClientId& client,
                               const RestrictionRequest& request);
  Result<std::vector<Restriction>> ListRestrictions(const Caller& caller, const ClientId& client);
  Result<Restriction> GetRestriction(const Caller& caller, const ClientId& client,
                                     const RestrictionId& id);
  // Takes a reason. Errors: kInvalidArgument "reason_required".
  Status LiftRestriction(const Caller& caller, const ClientId& client, const RestrictionId& id);

  // Everything of one client that the caller's role shows, for returning it to the client.
  Result<ExportPage> PackageClient(const Caller& caller, const ClientId& client,
                                   const PageRequest& page);

  // Errors: kNotFound while there is none.
  Result<StoredSchedule> GetRetentionSchedule(const Caller& caller,
                                              std::optional<std::uint64_t> version);
  // Takes an approval of "retention.write" about "schedule" with the document as content. Errors:
  // those of ParseSchedule.
  Result<StoredSchedule> PutRetentionSchedule(const Caller& caller, std::string_view definition);
  Result<RetentionPreview> PreviewRetention(const Caller& caller,
                                            const RetentionPreviewRequest& request);
  // Errors: kConflict "run_in_progress", "no_schedule", "clock_unconfirmed".
  // What `definition` would do to due dates as the newest version of the class. Where it moves
  // some, PutClass takes an approval of "retention.write" about "class:NAME" with it as content.
  // Errors: those of PutClass; kConflict "time_zone_unknown".
  Result<ClassPreview> PreviewClass(const Caller& caller, std::string_view name,
                                    std::string_view definition);
  Result<RetentionRun> StartRetentionRun(const Caller& caller);
  Result<RetentionRun> GetRetentionRun(const Caller& caller, const RunId& id);
  Result<std::vector<RetentionRun>> ListRetentionRuns(const Caller& caller);
  Result<std::string> ReadRunReport(const Caller& caller, const RunId& id,
                                    const DocumentRequest& request);
  // That the clock is right after it jumped. Takes an approval of "clock.confirm" about today's
  // date, "YYYY-MM-DD".
  Status ConfirmClock(const Caller& caller);

  Result<RecordInfo> CreateRecord(const Caller& caller, const ClientId& client,
                                  std::string_view class_name, const nlohmann::json& data,
                                  const Idempotency& idempotency);
  Result<RecordInfo> GetRecord(const Caller& caller, const ClientId& client, const RecordId& id);
  Result<RecordInfo> GetRecordVersion(const Caller& caller, const ClientId& client,
                                      const RecordId& id, std::uint64_t version);
  Result<std::vector<VersionInfo>> ListVersions(const Caller& caller, const ClientId& client,
                                                const RecordId& id);
  Result<Page<RecordInfo>> ListRecords(const Caller& caller, const ClientId& client,
                                       std::string_view class_name, bool with_data,
                                       const PageRequest& page);
  Result<RecordInfo> UpdateRecord(const Caller& caller, const ClientId& client, const RecordId& id,
                                  std::uint64_t if_version, const nlohmann::json& data,
                                  ChangeForm form = ChangeForm::kWhole);
  Status DeleteRecord(const Caller& caller, const ClientId& client, const RecordId& id,
                      std::optional<std::uint64_t> if_version);
  // Clients and records in bulk, as far as the caller may export them, at most page.limit (1..1000)
  // lines a page, or fewer. The first page takes an approval of "client.export" about "all" or
  // "tag:TAG", with {"classes": [...]}; it is for the purpose that is stated with the request for
  // it. The pages after it go on for an hour. Errors: kUnprocessable "export_invalid" with issues;
  // kPermissionDenied "approval_required", "approval_invalid".
  Result<ExportPage> Export(const Caller& caller, const ExportSelection& selection,
                            const PageRequest& page);
  // Whether the caller may import records of this class at all: what is refused here is refused of
  // each of them. A success leaves no entry, a refusal does.
  Status MayImport(const Caller& caller, std::string_view class_name);
  // One client by external reference and one record of it: made, updated or left as they are. What
  // is merged is changed as by UpdateRecord: by who reads a field and writes it.
  Result<ImportResult> ImportRecord(const Caller& caller, const ImportRow& row);

  bool HasClass(std::string_view name) const;  // no entry, no disclosure: for checks ahead
  Result<std::shared_ptr<const ClassSchema>> GetClass(const Caller& caller, std::string_view name,
                                                      std::optional<std::uint64_t> version);
  Result<std::vector<std::shared_ptr<const ClassSchema>>> ListClasses(const Caller& caller);
  // The stored schema, with a new version if the definition differs from the newest.
  Result<std::shared_ptr<const ClassSchema>> PutClass(const Caller& caller, std::string_view name,
                                                      std::string_view definition);
  Result<Purpose> GetPurpose(const Caller& caller, std::string_view code);
  Result<std::vector<Purpose>> ListPurposes(const Caller& caller);
  Result<Purpose> PutPurpose(const Caller& caller, std::string_view code,
                             std::string_view definition);

  Result<std::shared_ptr<const RoleDocument>> GetRole(const Caller& caller, std::string_view name);
  Result<std::vector<std::shared_ptr<const RoleDocument>>> ListRoles(const Caller& caller);
  // With a new version if the definition differs from the newest. Errors: those of ParseRole;
  // kConflict "role_built_in", "too_many_roles".
  Result<std::shared_ptr<const RoleDocument>> PutRole(const Caller& caller, std::string_view name,
                                                      std::string_view definition);

  // Errors: kUnprocessable "principal_unknown", "assignment_invalid" with issues.
  Result<Assignment> Assign(const Caller& caller, const ClientId& client,
                            const PrincipalId& principal, const AssignmentTerms& terms);
  Status Unassign(const Caller& caller, const ClientId& client, const PrincipalId& principal);
  Result<std::vector<Assignment>> ListAssignments(const Caller& caller, const ClientId& client);
  // Those of a principal, or a team, on clients that the caller has a part in; ended ones too.
  Result<Page<Assignment>> ListAssignmentsOf(const Caller& caller, const PrincipalId& principal,
                                             const PageRequest& page);
  // As many calls of Assign, each with its entry and its answer. Finding one by its reference is a
  // search, and leaves the entry of one. Errors, of all: kUnauthenticated; kUnprocessable
  // "assignment_invalid" with issues.
  Result<std::vector<AssignedClient>> AssignMany(const Caller& caller,
                                                 const std::vector<ClientName>& clients,
                                                 const PrincipalId& principal,
                                                 const AssignmentTerms& terms);
  // Each client for itself passes from the one to the other, with the end that its assignment has.
  // What was interrupted is gone on with by doing it again. All that somebody has are listed first,
  // which takes assignment.read too. Errors, of all: as AssignMany.
  Result<HandedOver> HandOver(const Caller& caller, const HandOverRequest& request);

  // Errors: kUnprocessable "principal_unknown", "lease_invalid" with issues.
  Result<Lease> GiveLease(const Caller& caller, const ClientId& client,
                          const LeaseRequest& request);
  Result<Lease> EndLease(const Caller& caller, const ClientId& client, const LeaseId& id);
  Result<std::vector<Lease>> ListLeases(const Caller& caller, const ClientId& client);

  // The decision that the request would get, by the function that would make it. Errors:
  // kUnprocessable "principal_unknown", "question_invalid" with issues.
  Result<AccessAnswer> ExplainAccess(const Caller& caller, const AccessQuestion& question);

  // Users and services. What gives somebody a privileged role, or opens another way into an
  // account that is there, takes an approval of "role.give" about the principal's id, or
  // "user:LOGIN" or "service:NAME" for a new one, with {"role": NAME, "by": HOW}, HOW of
  // kWaysToGive, and with HOW "service" "owner" and "certificates", "change" "certificates" and
  // "disabled", as they will be. The vault adds what the account and the
  // role are, and where these have changed the approval is none. A service without certificates
  // takes none: nobody has it yet. Errors: kUnprocessable "principal_invalid" with issues;
  // kConflict "login_taken", "certificate_taken"; kPermissionDenied "approval_required",
  // "approval_invalid".
  Result<NewEnrolment> CreateUser(const Caller& caller, const UserRequest& request);
  Result<PrincipalInfo> CreateService(const Caller& caller, const ServiceRequest& request);
  Result<std::vector<PrincipalInfo>> ListPrincipals(const Caller& caller, PrincipalKind kind);
  Result<PrincipalInfo> GetPrincipal(const Caller& caller, const PrincipalId& id);
  // A new role, and being disabled, end its sessions, leases, emergency access, and the approvals
  // that it asked for or gave. Errors: kConflict "clients_assigned" for who is to be disabled and
  // has clients, unless these are to be left.
  Result<PrincipalInfo> UpdatePrincipal(const Caller& caller, const PrincipalId& id,
                                        const PrincipalChange& change);
  // A certificate of the vault's own authority for the key that signed `csr` (PKCS #10 as PEM), by
  // which the service is known from then on. Errors: those of CertificateAuthority::Issue.
  Result<IssuedCertificate> IssueCertificate(const Caller& caller, const PrincipalId& service,
                                             std::string_view csr, std::int64_t lifetime_s);
  // The authority's certificate, as PEM: for the TLS layer.
  const std::string& ClientAuthority() const;
  // A new code; the password, the second factor and all sessions of before are void.
  Result<NewEnrolment> EnrolAgain(const Caller& caller, const PrincipalId& user);

  // Errors: kUnprocessable "token_invalid" with issues; "principal_unknown"; kConflict
  // "too_many_tokens" where the service has 50 that can be used.
  Result<NewToken> CreateToken(const Caller& caller, const TokenRequest& request);
  // A new token in the place of one that is valid, which goes on for `overlap_s` (at most 7 days).
  // Its holder may, for as long as it was given for; others need token.create. Errors: kConflict
  // "token_ended", "too_many_tokens".
  Result<NewToken> RotateToken(const Caller& caller, const TokenId& id, std::int64_t overlap_s);
  // In the order of their ids. Errors: kInvalidArgument "filter_unknown" with an issue for a
  // principal that nobody is.
  Result<Page<TokenInfo>> ListTokens(const Caller& caller, const TokenFilter& filter,
                                     const PageRequest& page);
  // With all that were issued in its place.
  Result<TokenInfo> RevokeToken(const Caller& caller, const TokenId& id);
  Result<WhoIs> WhoAmI(const Caller& caller);

  // What these are called now, of those that the caller may know: principals whoever may list them
  // or read the log; clients whoever states a purpose for which the caller's role may read them,
  // each with an entry of its own. Nothing about those that are unknown, erased, or have no name.
  // For the ids in an answer that the caller is about to get.
  Result<std::vector<KnownName>> NamesOf(const Caller& caller, IdsToName ids);

  // Before a user is known. One answer says that login, code, password or second factor is wrong:
  // kUnauthenticated "login_failed"; kExhausted "login_throttled" after too many of these,
  // "logins_busy". Errors of a right code: kUnprocessable "password_invalid" with issues.
  Result<EnrolmentOffer> ReadEnrolment(const Caller& caller, std::string_view login,
                                       std::string_view code);
  // With a code of the authenticator app the user has a second factor from now on.
  Result<EnrolmentDone> CompleteEnrolment(const Caller& caller, std::string_view login,
                                          std::string_view code,
                                          const crypto::SecretBytes& password,
                                          std::string_view totp);
  // `second_factor`: a code of the app or a recovery code; empty for who has none.
  Result<NewSession> LogIn(const Caller& caller, std::string_view login,
                           const crypto::SecretBytes& password, std::string_view second_factor);
  // Of the caller's own session. Errors: kUnprocessable "no_session" for a token.
  Status LogOut(const Caller& caller);
  Result<SessionInfo> StepUp(const Caller& caller, std::string_view second_factor);
  // Ends every session of the user.
  Status ChangePassword(const Caller& caller, const crypto::SecretBytes& old_password,
                        const crypto::SecretBytes& new_password, std::string_view second_factor);
  Result<std::vector<SessionInfo>> ListSessions(const Caller& caller);
  Result<SessionInfo> EndSession(const Caller& caller, const SessionId& id);

  // Errors: kUnprocessable "team_invalid" with issues.
  Result<Team> PutTeam(const Caller& caller, std::string_view name,
                       const std::vector<PrincipalId>& members);
  Result<std::vector<Team>> ListTeams(const Caller& caller);

  // What two people decide. The caller must be allowed what is proposed. Errors: kUnprocessable
  // "proposal_invalid" with issues; kConflict "too_many_approvals" where the caller has 400 open,
  // or 2 MiB of content in these.
  Result<Approval> RequestApproval(const Caller& caller, const Proposal& proposal);
  // With what it would do now, for who may decide it and who asked.
  Result<Approval> GetApproval(const Caller& caller, const ApprovalId& id);
  // Those that wait for a decision first, newest first; fewer than page.limit where contents are
  // long.
  Result<Page<Approval>> ListApprovals(const Caller& caller, const PageRequest& page);
  // Errors: kPermissionDenied "own_request"; kConflict "approval_decided", "approval_used",
  // "approval_expired", "approval_withdrawn", "approval_ended".
  Result<Approval> DecideApproval(const Caller& caller, const ApprovalId& id, bool approve);
  // By who asked, or who approved, before it is used: from then on it is worth nothing. Of one that
  // was approved it takes a reason. Errors: kInvalidArgument "reason_required"; kConflict
  // "approval_used", "approval_expired", "approval_withdrawn", "approval_rejected",
  // "approval_ended" for one that became void.
  Result<Approval> WithdrawApproval(const Caller& caller, const ApprovalId& id);

  // Errors: kUnprocessable "emergency_invalid" with issues.
  Result<EmergencyAccess> OpenEmergency(const Caller& caller, const ClientId& client,
                                        const EmergencyRequest& request);
  Result<std::vector<EmergencyAccess>> ListEmergencies(const Caller& caller);
  // With what was read and written under it.
  Result<EmergencyReport> GetEmergency(const Caller& caller, const EmergencyId& id,
                                       const LogPageRequest& page);
  // Ends the access where it still goes on. Errors: kPermissionDenied "own_request"; kConflict
  // "already_reviewed".
  Result<EmergencyAccess> ReviewEmergency(const Caller& caller, const EmergencyId& id,
                                          std::string_view finding);

  // What is found nowhere has to be a value that the policy or the log knows. Errors:
  // kInvalidArgument "filter_invalid" for what no entry can have, "filter_unknown", both with
  // issues that name the filter ("/action").
  Result<LogPage> ReadLog(const Caller& caller, const LogFilter& filter,
                          const LogPageRequest& page);
  Result<LogEntryView> ReadLogEntry(const Caller& caller, std::uint64_t seq);
  // An inclusion proof under the last published checkpoint, as a tlog-proof document. Errors:
  // kNotFound when no checkpoint covers the entry yet.
  Result<std::string> ProveLogEntry(const Caller& caller, std::uint64_t seq);
  Result<std::string> ReadCheckpoint(const Caller& caller);
  // A tile or an entry bundle (C2SP tlog-tiles) of the last published checkpoint's tree, or of a
  // smaller one's. Errors: kNotFound.
  Result<std::string> ReadLogTile(const Caller& caller, const audit::TilePath& path);
  // Between two sizes that were published or could have been. Errors: kInvalidArgument
  // "size_invalid" unless old_size <= size <= that of the last published checkpoint.
  Result<ConsistencyProof> ProveConsistency(const Caller& caller, std::uint64_t old_size,
                                            std::uint64_t size);
  // Errors: as ReadLog; kUnprocessable "summary_too_large": narrow the time;
  // kUnavailable "index_behind" while the log's index is being made.
  Result<LogSummary> SummariseLog(const Caller& caller, const LogSummaryRequest& request);
  // Who was shown how many different clients, in [from, to). Errors: kInvalidArgument
  // "filter_invalid"; kUnavailable "index_behind".
  Result<ReaderReport> CountReaders(const Caller& caller, std::optional<Timestamp> from,
                                    std::optional<Timestamp> to);
  // A signed archive that an outsider can check: see audit/documents/evidence.h. Reasons are opened
  // for who may read them. Errors: kUnprocessable "evidence_invalid" with issues,
  // "evidence_too_large".
  Result<std::string> MakeEvidence(const Caller& caller, const EvidenceRequest& request);
  Result<DeepReport> VerifyLog(const Caller& caller, bool deep);

  Result<VaultStatus> ReadStatus(const Caller& caller);
  // For monitoring; a success leaves no entry, a refusal does.
  Result<EngineStatistics> ReadStatistics(const Caller& caller);

  // Whether what the caller shows is somebody's and counts, before the rest of the request is here:
  // nothing else is decided, and a success leaves no entry. Errors, logged: kUnauthenticated.
  Status Authenticate(const Caller& caller, Action action, std::optional<ClientId> client);

  // Records that a request which named `action` was refused before it reached the operation (bad
  // JSON, missing header, ...), and returns the error to answer: `error`, or the failure to
  // authenticate, which comes first, or that the log could not be written.
  Error Refuse(const Caller& caller, Action action, std::optional<ClientId> client,
               std::optional<RecordId> record, Error error);

  Health CheckHealth() const;  // no entry, no disclosure

  struct Core;

  // One step of rebuilding the search index; false: none was due. Where nothing else does them.
  Result<bool> StepIndex();

 private:
  explicit Vault(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace coffer::vault
