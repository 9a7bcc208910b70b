#include "vault/oversight/logged_state.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

#include "crypto/secret_bytes.h"
#include "vault/deletion/erase.h"
#include "vault/oversight/logged_object.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kScratchKeyBytes = 32;
constexpr int kOfClient = 0;
constexpr int kOfRecord = 1;

// Of a client only its last version is kept, whose place is 0. A record's last version is that with
// the highest number; those before it are stored beside it.
constexpr const char* kScratchSchema = R"(
  CREATE TABLE states (
    kind    INTEGER NOT NULL,
    id      TEXT NOT NULL,
    place   INTEGER NOT NULL,
    version INTEGER NOT NULL,
    client  TEXT NOT NULL,
    payload BLOB NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (kind, id, place)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX states_client ON states (client);)";

constexpr std::string_view kPutState =
    "INSERT INTO states (kind, id, place, version, client, payload, seq) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (kind, id, place) "
    "DO UPDATE SET version = ?4, payload = ?6, seq = ?7";
constexpr std::string_view kResealState =
    "UPDATE states SET payload = ?1, seq = ?2 WHERE kind = 1 AND id = ?3 AND place = ?4";
constexpr std::string_view kForgetClient = "DELETE FROM states WHERE client = ?";
constexpr std::string_view kForgetRecord = "DELETE FROM states WHERE kind = 1 AND id = ?";
constexpr std::string_view kFindStates =
    "SELECT version, payload, client, seq FROM states WHERE kind = ? AND id = ? ORDER BY place";
constexpr std::string_view kDropStates = "DELETE FROM states WHERE kind = ? AND id = ?";
// The last place of each, without which the one before would be listed as well.
constexpr std::string_view kLeftStates =
    "SELECT kind, id, seq FROM states AS s WHERE place = (SELECT max(place) FROM states WHERE kind "
    "= s.kind AND id = s.id) ORDER BY kind, seq LIMIT ?";

// A new directory for nobody else; nothing where none can be made.
std::optional<std::string> MakeScratchDirectory() {
  const char* const named = getenv("TMPDIR");
  for (const char* parent : {named == nullptr ? "" : named, "/var/tmp", "/tmp"}) {
    if (*parent == '\0') continue;
    std::string path = std::string(parent) + "/coffer-verify-XXXXXX";
    if (mkdtemp(path.data()) != nullptr) return path;
  }
  return std::nullopt;
}

}  // namespace

Result<LoggedState> LoggedState::Create(int cache_kib) {
  const auto directory = MakeScratchDirectory();
  if (!directory) {
    return Fail(Code::kUnavailable, "storage_unavailable",
                "no temporary file can be made in $TMPDIR, /var/tmp or /tmp");
  }
  const std::string path = *directory + "/state.db";
  LoggedState state;
  auto opened = [&]() -> Status {
    COFFER_ASSIGN(state.database_,
                  Database::Open(path, crypto::SecretBytes::Random(kScratchKeyBytes),
                                 {.create = true, .cache_kib = cache_kib}));
    // Nothing of it outlives this process. A journal holds pages as they were when a transaction
    // began: of the only one, next to none.
    return state.database_.Execute(
        "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA secure_delete = OFF; "
        "PRAGMA locking_mode = EXCLUSIVE");
  }();
  if (opened) opened = state.Prepare();
  unlink(path.c_str());
  rmdir(directory->c_str());
  if (!opened) {
    return Fail(Code::kUnavailable, "storage_unavailable",
                std::string(opened.error().reason) + ": " + opened.error().detail);
  }
  return state;
}

Status LoggedState::Prepare() {
  COFFER_TRY(database_.Execute(kScratchSchema));
  COFFER_ASSIGN(put_, Statement::Prepare(database_, kPutState));
  COFFER_ASSIGN(reseal_, Statement::Prepare(database_, kResealState));
  COFFER_ASSIGN(forget_client_, Statement::Prepare(database_, kForgetClient));
  COFFER_ASSIGN(forget_record_, Statement::Prepare(database_, kForgetRecord));
  COFFER_ASSIGN(find_, Statement::Prepare(database_, kFindStates));
  COFFER_ASSIGN(drop_, Statement::Prepare(database_, kDropStates));
  COFFER_ASSIGN(left_, Statement::Prepare(database_, kLeftStates));
  // One transaction that is never committed: pages leave memory when it is full, not before.
  return database_.Execute("BEGIN");
}

Status LoggedState::Take(const audit::Entry& entry) {
  const ObjectChange change = ChangeOf(entry);
  if (change == ObjectChange::kNone) return {};
  if (change == ObjectChange::kGone) {
    return ErasesClient(entry) ? forget_client_.Execute(entry.client)
                               : forget_record_.Execute(entry.record);
  }
  const ByteView payload = *entry.payload_hash;
  if (entry.record.empty()) {
    return put_.Execute(kOfClient, entry.client, 0, entry.version, entry.client, payload,
                        entry.seq);
  }
  // The same versions as before, other bytes.
  if (change == ObjectChange::kResealed) {
    return reseal_.Execute(payload, entry.seq, entry.record, entry.version);
  }
  return put_.Execute(kOfRecord, entry.record, entry.version, entry.version, entry.client, payload,
                      entry.seq);
}

Result<std::vector<LoggedState::Version>> LoggedState::HandOut(int kind, std::string_view id) {
  std::vector<Version> versions;
  {
    auto rows = find_.Query(kind, id);
    for (;;) {
      COFFER_ASSIGN(const bool more, rows.Next());
      if (!more) break;
      Version& version = versions.emplace_back();
      version.version = static_cast<std::uint64_t>(rows.Int(0));
      const ByteView payload = rows.Blob(1);
      if (payload.size() != version.payload.size()) {
        return Fail(Code::kInternal, "scratch_damaged");
      }
      std::ranges::copy(payload, version.payload.begin());
      version.client = rows.Text(2);
      version.seq = static_cast<std::uint64_t>(rows.Int(3));
    }
  }
  if (!versions.empty()) COFFER_TRY(drop_.Execute(kind, id));
  return versions;
}

Result<std::optional<LoggedState::Version>> LoggedState::HandOutClient(std::string_view id) {
  COFFER_ASSIGN(auto versions, HandOut(kOfClient, id));
  if (versions.empty()) return std::nullopt;
  return std::move(versions.back());
}

Result<std::vector<LoggedState::Version>> LoggedState::HandOutRecord(std::string_view id) {
  return HandOut(kOfRecord, id);
}

Result<std::vector<LoggedState::Left>> LoggedState::ListLeft(int limit) {
  std::vector<Left> left;
  auto rows = left_.Query(limit);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return left;
    left.push_back({rows.Int(0) == kOfClient, std::string(rows.Text(1)),
                    static_cast<std::uint64_t>(rows.Int(2))});
  }
}

}  // namespace coffer::vault
