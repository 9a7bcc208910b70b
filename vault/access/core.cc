#include "vault/access/core.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "audit/text/plain_text.h"
#include "crypto/blind_index.h"
#include "vault/access/access_state.h"
#include "vault/base/names.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/clients_state.h"

namespace coffer::vault {
namespace {

constexpr int kMaxLongReads = 4;
constexpr int kMaxShortReads = 64;
// Each has some 2 MiB of pages.
constexpr std::size_t kMaxIdleReaders = 12;
constexpr int kSnapshotCacheKib = 2048;
constexpr std::size_t kCursorTag = 16;

void AppendText(Bytes& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

void AppendBytes(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void AppendU64(Bytes& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::uint8_t>(value >> shift));
}

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
  if (token.is_session() && now.ms - token.seen.ms >= token.idle_ms) return "session-idle";
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

// Erasing the data and handing it out are what restricting it is often a step to.
bool StopsWhenRestricted(Action action) {
  return TouchesClientData(action) && action != Action::kClientErase &&
         action != Action::kRecordErase && action != Action::kClientPackage;
}

AccessDecision RefuseRestricted() {
  AccessDecision decision;
  decision.rule = "check:restricted";
  decision.error = Error{Code::kPermissionDenied, "restricted", {}, {}};
  return decision;
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

Result<DirectoryLock> DirectoryLock::Acquire(const std::string& directory) {
  const std::string path = directory + "/lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return Fail(Code::kUnavailable, "directory_not_writable",
                "cannot open " + path + ": " + std::strerror(errno) +
                    "; the data directory must exist and be writable by this user");
  }
  DirectoryLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return Fail(Code::kConflict, "vault_in_use",
                "another process is using " + directory + "; stop it first, or choose another one");
  }
  return lock;
}

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) close(fd_);
}

std::string AnchorPath(const std::string& directory, const std::string& configured) {
  return configured.empty() ? directory + "/anchor" : configured;
}
std::string VaultDatabasePath(const std::string& directory) { return directory + "/vault.db"; }
std::string KeysDatabasePath(const std::string& directory) { return directory + "/keys.db"; }
std::string LedgerPath(const std::string& directory, const std::string& configured) {
  return configured.empty() ? directory + "/erasures.ledger" : configured;
}
std::string LogIndexPath(const std::string& directory) { return directory + "/log-index.db"; }
std::string KeyringPath(const std::string& directory) { return directory + "/keyring.json"; }

Call Vault::Core::StartCall(const Caller& caller, Action action) const {
  Call call{caller, action, std::nullopt, {}};
  call.reason_rule = ReasonRuleOf(action);
  if (!caller.token.empty()) {
    call.digest = crypto::KeyedHash(keyring.token_hash_key(), {crypto::AsBytes(caller.token)});
  }
  call.entry.action = Name(action);
  call.entry.address = caller.address;
  call.entry.request = caller.call.Text();
  call.entry.purpose = caller.purpose;
  call.entry.actor_kind = audit::ActorKind::kUnknown;
  call.entry.auth = call.digest ? "token" : caller.certificate ? "certificate" : "none";
  return call;
}

void Vault::Core::Identify(Transaction& transaction, Call& call) const {
  latest = std::max(latest, transaction.now());
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
  call.credential_fault = FaultOf(call, latest);
  call.actor = call.principal->id;
  call.role = transaction.Of<CatalogState>().current().Role(call.principal->role);
  // The role became privileged after the login.
  if (call.credential_fault.empty() && call.token != nullptr && call.token->is_session() &&
      !call.token->factor && call.role->privileged) {
    call.credential_fault = "second-factor-missing";
  }
  call.caller.authenticated = call.credential_fault.empty();
}

Result<AccessDecision> Vault::Core::DecideFor(Transaction& transaction, const Call& call,
                                              Action action, const std::optional<ClientId>& client,
                                              const ClassSchema* record_class,
                                              std::optional<Timestamp> at,
                                              const ClientRow* made) const {
  AccessFacts facts;
  facts.action = action;
  facts.now = at.value_or(latest);
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
        COFFER_ASSIGN(row, transaction.Of<ClientsState>().stores.clients.Find(*client));
        if (row) about.tags = row->tags;
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
  // Who may not see the client at all does not learn that it is restricted.
  if (decision.allowed && client &&
      IsRestricted(transaction, call, action, *client, record_class)) {
    return RefuseRestricted();
  }
  return decision;
}

bool Vault::Core::IsRestricted(const Transaction& transaction, const Call& call, Action action,
                               const ClientId& client, const ClassSchema* record_class) {
  return StopsWhenRestricted(action) &&
         transaction.Of<AccessState>().restrictions().Stops(
             client, record_class == nullptr ? std::string_view() : record_class->name,
             call.caller.purpose);
}

Result<AccessDecision> Vault::Core::DecisionOn(Transaction& transaction, const Call& call,
                                               const ClientId& client,
                                               const ClassSchema* record_class) const {
  if (!call.role->scoped) {
    if (IsRestricted(transaction, call, call.action, client, record_class)) {
      return RefuseRestricted();
    }
    return call.decision;
  }
  return DecideFor(transaction, call, call.action, client, record_class);
}

Status Vault::Core::Authorize(Transaction& transaction, Call& call,
                              const ClassSchema* record_class) const {
  Identify(transaction, call);
  if (call.principal != nullptr) {
    if (call.entry.actor.empty()) call.entry.actor = call.actor.Text();
    call.entry.actor_kind = call.actor.kind() == PrincipalKind::kUser ? audit::ActorKind::kUser
                                                                      : audit::ActorKind::kService;
    call.entry.auth = call.token == nullptr      ? "certificate"
                      : call.token->is_session() ? "session"
                                                 : "token";
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
    COFFER_TRY(transaction.Of<AccessState>().Touch(*call.token, latest));
  }
  return {};
}

Status Vault::Core::CountReveals(Transaction& transaction, const Call& call) const {
  if (call.reveals == 0) return {};
  return transaction.Of<AccessState>().stores.reveals.Add(call.actor, HourOf(latest), call.reveals);
}

void AddDetail(audit::Entry& entry, std::string_view text) {
  if (!entry.detail.empty()) entry.detail += "; ";
  entry.detail += text;
}

std::unexpected<Error> Deny(Call& call, std::string_view check, Code code,
                            std::string_view reason) {
  call.entry.decision = audit::Decision::kDeny;
  call.entry.rule = "check:" + std::string(check);
  return Fail(code, reason);
}

void Vault::Core::NoteTicket(Call& call) {
  if (!IsTicket(call.caller.ticket) || call.entry.actor.empty()) return;
  std::string& detail = call.entry.detail;
  detail = "ticket " + call.caller.ticket + (detail.empty() ? "" : "; " + detail);
}

std::unexpected<Error> NotFound(Call& call) {
  return Deny(call, "existence", Code::kNotFound, "not_found");
}

Bytes Vault::Core::NoteContext(const CallId& call) const {
  Bytes context;
  AppendText(context, "coffer-note-v1");
  AppendBytes(context, keyring.vault_id());
  AppendBytes(context, call.bytes());
  return context;
}

Result<std::pair<crypto::Hash, std::string>> Vault::Core::OpenReason(ByteView sealed,
                                                                     std::string_view call,
                                                                     const ClientKeys& keys) const {
  COFFER_ASSIGN(const CallId id, CallId::Parse(call));
  const Bytes context = NoteContext(id);
  COFFER_ASSIGN(const Bytes plain, keys.Open(context, sealed));
  if (plain.size() < 32) return Fail(Code::kCorrupted, "note_malformed");
  std::pair<crypto::Hash, std::string> opened;
  std::copy_n(plain.begin(), 32, opened.first.begin());
  opened.second.assign(plain.begin() + 32, plain.end());
  return opened;
}

Status Vault::Core::CheckWhole(const Id128& id) const {
  if (scrubber && scrubber->IsDamaged(id)) return Fail(Code::kCorrupted, "object_damaged");
  return {};
}

Status Vault::Core::CheckState() const {
  if (scrubber && scrubber->StateDiffers()) return Fail(Code::kCorrupted, "object_damaged");
  return {};
}

Status Vault::Core::LogSystemEvent(std::string_view action, std::string_view outcome,
                                   std::string_view detail) const {
  audit::Entry entry;
  entry.action = action;
  entry.actor = "vault";
  entry.actor_kind = audit::ActorKind::kSystem;
  entry.decision = audit::Decision::kAllow;
  entry.outcome = outcome;
  entry.detail = detail;
  return engine->Run(OperationKind::kRead, EntryRule::kAlways, entry,
                     [](Transaction&) -> Status { return {}; });
}

// The store is well: whoever asks again a little later gets an answer.
Error Vault::Core::IndexIsBuilding(Error error) {
  constexpr std::int64_t kAskAgainS = 5;
  error.code = Code::kUnavailable;
  error.retry_after_s = kAskAgainS;
  return error;
}

Error Vault::Core::BudgetAlert(const Call& call, Error error) const {
  {
    const std::lock_guard once_an_hour(alerted_mutex);
    if (alerted[call.actor] == HourOf(Now())) return error;
  }
  audit::Entry alert = call.entry;
  alert.action = "budget.alert";
  alert.detail = call.entry.action;
  alert.note_hash.reset();
  const auto logged = engine->Run(OperationKind::kRead, EntryRule::kAlways, alert,
                                  [](Transaction&) -> Status { return {}; });
  if (options.log) {
    options.log(Severity::kWarning,
                call.actor.Text() + " has shown more records plainly than its budget allows");
  }
  if (!logged) return logged.error();
  const std::lock_guard once_an_hour(alerted_mutex);
  alerted[call.actor] = HourOf(Now());
  return error;
}

Error Vault::Core::FailedLater(const Call& call, Error error) const {
  audit::Entry entry = call.entry;
  entry.outcome = error.reason;
  entry.note_hash.reset();
  const auto logged = engine->Run(OperationKind::kRead, EntryRule::kAlways, entry,
                                  [](Transaction&) -> Status { return {}; });
  if (!logged) return logged.error();
  return error;
}

Error Vault::Core::IntegrityAlarm(const Call& call, std::string_view reason) const {
  audit::Entry alarm = call.entry;
  alarm.action = "integrity.alarm";
  alarm.detail = call.entry.action;
  alarm.outcome = reason;
  alarm.note_hash.reset();
  const auto logged = engine->Run(OperationKind::kRead, EntryRule::kAlways, alarm,
                                  [](Transaction&) -> Status { return {}; });
  if (options.log) {
    options.log(Severity::kError,
                "stored data failed its integrity check: client " + call.entry.client +
                    (call.entry.record.empty() ? "" : ", record " + call.entry.record));
  }
  if (!logged) return logged.error();
  return Error{Code::kCorrupted, "integrity_failed", "stored data is not what was sealed", {}};
}

Result<std::optional<PinnedKeys>> Vault::Core::PinForWriting(const ClientId& client) const {
  std::optional<PinnedKeys> pinned;
  if (auto pin = engine->key_cache().Find(client)) {
    pinned.emplace(*std::move(pin));
    return pinned;
  }
  audit::Entry none;
  COFFER_TRY(engine->Run(OperationKind::kRead, EntryRule::kNever, none,
                         [&](Transaction& transaction) -> Status {
                           auto pin = transaction.PinKey(client);
                           if (pin) {
                             pinned = *std::move(pin);
                           } else if (pin.error().code != Code::kNotFound) {
                             return std::unexpected(pin.error());
                           }
                           return {};
                         }));
  return pinned;
}

Bytes Vault::Core::RecordContext(const ClientId& client, const RecordId& record,
                                 std::string_view class_name, std::uint64_t version) const {
  return vault::RecordContext(keyring, client, record, class_name, version);
}

Bytes RecordContext(const crypto::Keyring& keyring, const ClientId& client, const RecordId& record,
                    std::string_view class_name, std::uint64_t version) {
  Bytes context;
  context.reserve(96 + class_name.size());
  AppendText(context, "coffer-record-v1");
  AppendBytes(context, keyring.vault_id());
  AppendBytes(context, client.bytes());
  AppendBytes(context, record.bytes());
  AppendU64(context, version);
  AppendText(context, class_name);
  return context;
}

Bytes ClientContext(const crypto::Keyring& keyring, const ClientId& client, std::uint64_t version) {
  Bytes context;
  AppendText(context, "coffer-client-v1");
  AppendBytes(context, keyring.vault_id());
  AppendBytes(context, client.bytes());
  AppendU64(context, version);
  return context;
}

Bytes Vault::Core::ClientContext(const ClientId& client, std::uint64_t version) const {
  return vault::ClientContext(keyring, client, version);
}

BlindToken Vault::Core::ReferenceToken(std::string_view external_ref) const {
  return crypto::ComputeBlindToken(keyring.blind_index_key(), "client/external_ref", external_ref);
}

BlindToken Vault::Core::FieldToken(std::string_view class_name, std::string_view field,
                                   std::string_view normalised) const {
  std::string domain = "record/";
  domain += class_name;
  domain += '/';
  domain += field;
  return crypto::ComputeBlindToken(keyring.blind_index_key(), domain, normalised);
}

IndexTerms Vault::Core::TermsOf(const ClassSchema& schema,
                                std::span<const Document::Indexed> indexed) const {
  IndexTerms terms;
  terms.class_version = schema.version;
  terms.tokens.reserve(indexed.size() * kTokenBytes);
  for (const auto& value : indexed) {
    AppendBytes(terms.tokens, FieldToken(schema.name, value.field, value.normalised));
  }
  return terms;
}

// Sealed as SIV does it: the tag over everything is what the row number is hidden under, so that
// one place in one list has one cursor, and no number says how often or when it was asked for.
std::string Vault::Core::MakeCursor(const Call& call, std::string_view list,
                                    std::int64_t row) const {
  const auto& key = keyring.token_hash_key();
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

Result<std::int64_t> Vault::Core::ReadCursor(Call& call, std::string_view list,
                                             std::string_view cursor) const {
  if (cursor.empty()) return 0;
  const auto bytes = crypto::Base64UrlDecode(cursor);
  if (bytes && bytes->size() == kCursorTag + 8) {
    const auto mask = crypto::KeyedHash(
        keyring.token_hash_key(),
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

std::optional<Vault::Core::IdempotencyKeys> Vault::Core::HashIdempotency(
    const Call& call, std::string_view target, const Idempotency& idempotency) const {
  if (idempotency.key.empty()) return std::nullopt;
  // What was shown stands for its principal: each has its own keys.
  crypto::Hash digest = call.digest.value_or(crypto::Hash{});
  if (!call.digest && call.caller.certificate && !call.caller.certificate->bindings.empty()) {
    digest = crypto::Sha256(crypto::AsBytes(call.caller.certificate->bindings.front()));
  }
  return IdempotencyKeys{
      crypto::KeyedHash(keyring.token_hash_key(),
                        {crypto::AsBytes("idempotency"), digest, crypto::AsBytes(Name(call.action)),
                         crypto::AsBytes(target), crypto::AsBytes(idempotency.key)}),
      crypto::KeyedHash(keyring.token_hash_key(),
                        {crypto::AsBytes("idempotent body"), crypto::AsBytes(idempotency.body)})};
}

Result<std::optional<Id128>> Vault::Core::FindRepeated(Transaction& transaction,
                                                       const std::optional<IdempotencyKeys>& keys) {
  if (!keys) return std::nullopt;
  COFFER_ASSIGN(const auto row, transaction.Of<ClientsState>().stores.idempotency.Find(keys->key));
  if (!row) return std::nullopt;
  if (!crypto::ConstantTimeEqual(row->body, keys->body)) {
    return Fail(Code::kUnprocessable, "idempotency_key_reused");
  }
  return row->object;
}

Result<std::unique_ptr<SnapshotReader>> SnapshotReader::Open(Vault::Core& core, Kind kind) {
  std::unique_ptr<SnapshotReader> taken(new SnapshotReader(core, kind));
  if (taken->running().fetch_add(1) >= (kind == Kind::kLong ? kMaxLongReads : kMaxShortReads)) {
    return Fail(Code::kExhausted,
                kind == Kind::kLong ? "too_many_long_reads" : "too_many_short_reads");
  }
  auto& reader = taken->reader_;
  {
    const std::lock_guard lock(core.idle_readers_mutex);
    if (!core.idle_readers.empty()) {
      reader = std::move(core.idle_readers.back());
      core.idle_readers.pop_back();
    }
  }
  if (!reader) {
    reader = std::make_unique<LogReader>();
    COFFER_ASSIGN(
        reader->database,
        Database::Open(VaultDatabasePath(core.options.directory), core.keyring.vault_db_key(),
                       {.read_only = true, .cache_kib = kSnapshotCacheKib}));
    COFFER_ASSIGN(reader->log, LogStore::Open(reader->database));
  }
  if (kind == Kind::kLong && !reader->index && core.follower && core.follower->size() > 0) {
    COFFER_ASSIGN(reader->index, LogIndexReader::Open(LogIndexPath(core.options.directory),
                                                      core.keyring.vault_db_key()));
  }
  return taken;
}

SnapshotReader::~SnapshotReader() {
  running().fetch_sub(1);
  // What ended within a transaction is not handed on.
  if (!reader_ || !reader_->log || database().InTransaction()) return;
  const std::lock_guard lock(core_.idle_readers_mutex);
  if (core_.idle_readers.size() < kMaxIdleReaders) {
    core_.idle_readers.push_back(std::move(reader_));
  }
}

}  // namespace coffer::vault
