#include "vault/recovery.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <system_error>
#include <utility>

#include "audit/entries/key_history.h"
#include "audit/entries/log_reader.h"
#include "audit/entries/log_writer.h"
#include "audit/entries/succession.h"
#include "crypto/atomic_file.h"
#include "vault/deletion/erasure_ledger.h"
#include "vault/engine/log_keys.h"
#include "vault/engine/log_length.h"
#include "vault/engine/log_store.h"
#include "vault/engine/setting_store.h"
#include "vault/opening.h"
#include "vault/storage/data_directory.h"
#include "vault/storage/migrations.h"
#include "vault/storage/vault_database.h"
#include "vault/vault.h"

namespace coffer::vault {
namespace {

// A signed tree head of the log, wherever it was kept.
struct KnownHead {
  audit::Checkpoint checkpoint;
  std::string note;
};

// By a key of the keyring, or one that came after it, under any name that the log had or was to
// have.
Result<KnownHead> ReadHead(std::string note, const crypto::Keyring& keyring,
                           std::span<const audit::VerifierKey> later, std::string_view foreign,
                           const std::string& place) {
  const auto said = audit::ParseCheckpointNote(note);
  if (said && audit::IsSameLog(said->checkpoint.origin, keyring.log_origin())) {
    std::vector<crypto::PublicKey> keys;
    for (const auto& held : keyring.log_keys()) keys.push_back(held.key->public_key());
    for (const auto& one : later) keys.push_back(one.key);
    for (const auto& key : keys) {
      auto checkpoint = audit::VerifyCheckpoint(note, {said->checkpoint.origin, key});
      if (checkpoint) return KnownHead{*std::move(checkpoint), std::move(note)};
    }
  }
  return Fail(Code::kCorrupted, foreign,
              place +
                  " is not signed by a key of this vault's log: it is of another vault, or of "
                  "a key that is newer than this keyring.json");
}

class Recovery {
 public:
  Recovery(const VaultOptions& options, LostFiles are_lost, crypto::Keyring keyring,
           std::vector<audit::VerifierKey> later, Database vault, std::unique_ptr<LogStore> log,
           std::optional<RestoredCopy> copy)
      : options_(options),
        are_lost_(are_lost),
        keyring_(std::move(keyring)),
        later_(std::move(later)),
        vault_(std::move(vault)),
        log_(std::move(log)),
        copy_(std::move(copy)) {}

  // What is known of the log from elsewhere. Errors: as of RecoverVault.
  Status Look(const std::vector<std::string>& checkpoints);
  // That the vault will open by its ledger, before anything is settled that cannot be taken back.
  Status CheckLedger();
  // Says which log goes on, and makes it so.
  Status Settle(crypto::RootKeyProvider& root, Recovered& done);

 private:
  Status LookAtAnchor();
  Status CheckAge(const audit::Anchor& anchor) const;
  Status CheckFits(const KnownHead& head, std::string_view mismatch, const std::string& place);
  bool IsFromElsewhere() const;
  bool AnchorTells() const;
  bool EntriesAreLost() const;
  std::string NewestName() const;
  audit::Checkpoint LastKnown() const;
  Status Succeed(const audit::Checkpoint& closed);
  Result<std::string> KeepNote(const KnownHead& head) const;
  Status KeepClosedNote(Recovered& done) const;
  Status Rename(crypto::RootKeyProvider& root);
  Status WriteAnchor();

  const VaultOptions& options_;
  const LostFiles are_lost_;
  crypto::Keyring keyring_;
  const std::vector<audit::VerifierKey> later_;  // keys that signed behind the copy
  Database vault_;
  std::unique_ptr<LogStore> log_;
  const std::optional<RestoredCopy> copy_;

  audit::LogHead head_;
  audit::Entry last_;
  std::vector<KnownHead> known_;  // of the log's name, or of its successors'
  std::optional<KnownHead> anchor_;
  std::uint64_t anchor_counter_ = 0;
};

Status Recovery::Look(const std::vector<std::string>& checkpoints) {
  COFFER_ASSIGN(head_, audit::LoadHead(*log_));
  if (head_.size == 0) return Fail(Code::kCorrupted, "log_gap", "the access log has no entries");
  COFFER_ASSIGN(const auto bytes, log_->ReadEntry(head_.size - 1));
  COFFER_ASSIGN(last_, audit::ParseEntry(bytes.value_or("")));
  COFFER_TRY(LookAtAnchor());
  COFFER_ASSIGN(const auto stored, log_->ReadCheckpoint());
  if (stored) {
    COFFER_ASSIGN(auto head, ReadHead(*stored, keyring_, later_, "checkpoint_foreign",
                                      "the last signed checkpoint in vault.db"));
    COFFER_TRY(CheckFits(head, "checkpoint_mismatch", "the last signed checkpoint in vault.db"));
  }
  for (const std::string& note : checkpoints) {
    COFFER_ASSIGN(auto head,
                  ReadHead(note, keyring_, later_, "checkpoint_foreign", "a checkpoint given"));
    COFFER_TRY(CheckFits(head, "checkpoint_mismatch", "a checkpoint given"));
  }
  return {};
}

Status Recovery::LookAtAnchor() {
  const auto anchor = Reading(options_.anchor_path, ReadAnchor(options_.anchor_path));
  if (!anchor && anchor.error().reason == "anchor_missing") {
    if (!copy_ || are_lost_.anchor || !IsFromElsewhere()) return {};
    return Fail(
        Code::kConflict, "anchor_missing",
        "there is no anchor at " + options_.anchor_path +
            ": it is not mounted, or lies elsewhere. Where it is lost, --anchor-lost closes "
            "the log, and makes one there");
  }
  if (!anchor) return std::unexpected(anchor.error());
  const std::string place = "the anchor " + options_.anchor_path;
  COFFER_ASSIGN(const auto head, ReadHead(anchor->note, keyring_, later_, "anchor_foreign", place));
  anchor_ = head;
  anchor_counter_ = anchor->counter;
  COFFER_TRY(CheckFits(head, "anchor_mismatch", place));
  return CheckAge(*anchor);
}

// The vault's own is never behind the one that a copy of it brought along: of an older one, which
// was kept or put back, nothing follows about what came after it.
Status Recovery::CheckAge(const audit::Anchor& anchor) const {
  if (!copy_ || !IsFromElsewhere() || anchor_->checkpoint.origin != last_.log) return {};
  const std::string path = AnchorPath(options_.directory, {});
  COFFER_ASSIGN(const auto brought, Reading(path, ReadAnchor(path)));
  COFFER_ASSIGN(const auto head, ReadHead(brought.note, keyring_, later_, "anchor_foreign", path));
  if (head.checkpoint.origin != last_.log) return {};
  if (anchor.counter >= brought.counter && anchor_->checkpoint.size >= head.checkpoint.size) {
    return {};
  }
  return Fail(Code::kConflict, "anchor_older",
              "the anchor " + options_.anchor_path +
                  " is older than the copy, which has one of its own: it shows nothing of what "
                  "came after it. Name the newest one, or none");
}

std::unexpected<Error> LedgerIsGone(const std::string& path) {
  return Fail(Code::kConflict, "ledger_missing",
              "the ledger that the copy brought along is gone from " + path +
                  ": erasures that it has would not be repeated. Name the newest one, or restore "
                  "into another directory");
}

Status CheckGoesOn(const std::string& named, const RestoredCopy& copy) {
  const auto end = ReadLedgerEnd(named, copy.ledger.lines);
  if (!end && end.error().code == Code::kNotFound) return LedgerIsGone(named);
  if (!end) return std::unexpected(end.error());
  if (*end == copy.ledger) return {};
  return Fail(Code::kConflict, "ledger_older",
              "the ledger " + named +
                  " does not go on from the one that the copy brought along, "
                  "which has " +
                  std::to_string(copy.ledger.lines) +
                  " lines: erasures that this has would not be repeated. Name the newest one; "
                  "where the copy's own was changed, restore into another directory");
}

// What the copy brought along is the least that is repeated, wherever the ledger lies. Where that
// of the vault lies elsewhere and is lost, it is made of the copy's own.
Status SettleLedger(const VaultOptions& options, const RestoredCopy& copy, bool is_lost) {
  const std::string own = LedgerPath(options.directory, {});
  const std::string named = LedgerPath(options.directory, options.ledger_path);
  std::error_code error;
  if (named != own && !std::filesystem::exists(named, error)) {
    if (!is_lost) {
      return Fail(
          Code::kConflict, "ledger_missing",
          "there is no ledger at " + named +
              ": it is not mounted, or lies elsewhere. Where it is lost, --ledger-lost puts "
              "the copy's own there");
    }
    COFFER_TRY(CheckGoesOn(own, copy));
    std::ifstream file(own, std::ios::binary);
    std::ostringstream content;
    if (file.peek() != std::ifstream::traits_type::eof()) content << file.rdbuf();
    if (!file.is_open() || file.bad()) return Fail(Code::kUnavailable, "file_not_read", own);
    COFFER_TRY(crypto::WriteFileAtomically(named, crypto::AsBytes(content.str())));
  }
  return CheckGoesOn(named, copy);
}

Status Recovery::CheckLedger() {
  COFFER_ASSIGN(auto settings, SettingStore::Open(vault_));
  COFFER_TRY(ErasureLedger::TrustOnce(settings, later_));
  const std::string path = LedgerPath(options_.directory, options_.ledger_path);
  return Reading(path, ErasureLedger::Check(path, keyring_, settings, false));
}

// Of a name that the log has closed itself, it says what is known.
Status Recovery::CheckFits(const KnownHead& head, std::string_view mismatch,
                           const std::string& place) {
  const audit::Checkpoint& checkpoint = head.checkpoint;
  if (!audit::IsOrSucceeds(checkpoint.origin, last_.log)) return {};
  if (checkpoint.origin == last_.log && checkpoint.size <= head_.size) {
    COFFER_ASSIGN(const auto root,
                  audit::RootAt(checkpoint.size, audit::MakeHashReader(*log_, head_.size)));
    if (root != checkpoint.root) {
      return Fail(Code::kCorrupted, mismatch,
                  "the first " + std::to_string(checkpoint.size) +
                      " entries of this copy are not the ones that " + place +
                      " signed: it is a copy of another history, or was altered");
    }
  }
  known_.push_back(head);
  return {};
}

// Than the directory, of whose copy it would be a part.
bool Recovery::IsFromElsewhere() const {
  std::error_code ignored;
  return std::filesystem::weakly_canonical(options_.anchor_path, ignored) !=
         std::filesystem::weakly_canonical(AnchorPath(options_.directory, {}), ignored);
}

bool Recovery::AnchorTells() const {
  return anchor_ && anchor_->checkpoint.origin == last_.log && IsFromElsewhere();
}

bool Recovery::EntriesAreLost() const {
  return NewestName() != last_.log || std::ranges::any_of(known_, [&](const KnownHead& head) {
           return head.checkpoint.size > head_.size;
         });
}

// The last one that anything here knows of: the next one must be another.
std::string Recovery::NewestName() const {
  std::string newest = last_.log;
  const auto take = [&](const std::string& name) {
    if (audit::IsOrSucceeds(name, newest)) newest = name;
  };
  take(keyring_.log_origin());
  if (copy_) take(copy_->newest_log);
  for (const KnownHead& head : known_) take(head.checkpoint.origin);
  return newest;
}

// Of the newest name of which something is known, the largest.
audit::Checkpoint Recovery::LastKnown() const {
  audit::Checkpoint last{last_.log, head_.size, head_.frontier.Root()};
  for (const KnownHead& head : known_) {
    const audit::Checkpoint& known = head.checkpoint;
    const bool newer =
        known.origin != last.origin && audit::IsOrSucceeds(known.origin, last.origin);
    if (newer || (known.origin == last.origin && known.size > last.size)) last = known;
  }
  return last;
}

Status Recovery::Succeed(const audit::Checkpoint& closed) {
  const std::string name = audit::SuccessorName(NewestName());
  // Before anything is written that would need it.
  COFFER_TRY(crypto::CheckLogOrigin(name));
  COFFER_TRY(audit::KeyDetail({name, keyring_.log_signing_key()->public_key()}));
  audit::LogWriter writer(name, std::move(head_));
  audit::Entry entry = audit::SuccessionEntry(closed);
  std::string bytes;
  std::vector<audit::FullTile> tiles;
  writer.Append(entry, options_.clock->Now(), bytes, tiles);

  COFFER_ASSIGN(auto transaction, DatabaseTransaction::Begin(vault_));
  COFFER_TRY(log_->AppendEntry(entry.seq, bytes));
  for (const audit::FullTile& tile : tiles) COFFER_TRY(log_->AppendTile(tile));
  COFFER_TRY(log_->PutCheckpoint(SignHead(
      {writer.origin(), writer.head().size, writer.head().frontier.Root()}, keyring_.log_keys())));
  COFFER_TRY(transaction.Commit());
  head_ = writer.head();
  last_ = std::move(entry);
  return {};
}

Result<std::string> Recovery::KeepNote(const KnownHead& head) const {
  const audit::Checkpoint& checkpoint = head.checkpoint;
  const std::string path = options_.directory + "/closed-" +
                           std::to_string(audit::SuccessionNumber(checkpoint.origin)) + "-" +
                           std::to_string(checkpoint.size) + ".checkpoint";
  COFFER_TRY(crypto::WriteFileAtomically(path, crypto::AsBytes(head.note)));
  return path;
}

Status Recovery::KeepClosedNote(Recovered& done) const {
  const auto found = std::ranges::find(known_, *done.closed, &KnownHead::checkpoint);
  if (found == known_.end()) return {};
  COFFER_ASSIGN(done.closed_note_path, KeepNote(*found));
  return {};
}

// The log has its successor's name already: what else has it, whatever a crash left.
Status Recovery::Rename(crypto::RootKeyProvider& root) {
  COFFER_TRY(crypto::Keyring::RenameLog(KeyringPath(options_.directory), root, last_.log));
  return WriteAnchor();
}

// What it says of another log is kept.
Status Recovery::WriteAnchor() {
  if (anchor_ && anchor_->checkpoint.origin != last_.log) COFFER_TRY(KeepNote(*anchor_));
  COFFER_ASSIGN(const auto note, log_->ReadCheckpoint());
  const audit::Anchor anchor{anchor_counter_ + 1, note.value_or("")};
  return crypto::WriteFileAtomically(options_.anchor_path,
                                     crypto::AsBytes(audit::FormatAnchor(anchor)));
}

Status Recovery::Settle(crypto::RootKeyProvider& root, Recovered& done) {
  const bool lost = EntriesAreLost();
  // For as long as nothing shows that its end is lost.
  const bool settled = !lost && copy_ && copy_->settled && copy_->settled->log == last_.log;
  const bool anchor_is_of_this = anchor_ && anchor_->checkpoint.origin == last_.log;
  // No server writes such an entry, and none has the log end in one: this did, and died.
  const bool begun = last_.action == audit::kLogSucceeded && !settled &&
                     std::ranges::none_of(known_, [&](const KnownHead& head) {
                       return head.checkpoint.size > head_.size;
                     });
  done.kept = head_.size;
  if (settled) {
    done.kept = copy_->settled->kept;
    done.closed = copy_->settled->closed;
    done.closed_note_path = copy_->settled->closed_note_path;
    if (anchor_ && !anchor_is_of_this) COFFER_TRY(WriteAnchor());
  } else if (begun && (copy_ || last_.log != keyring_.log_origin() || !anchor_is_of_this)) {
    audit::LogNames names{std::string(audit::FirstLogName(last_.log))};
    COFFER_TRY(names.Take(last_.seq, last_));
    done.closed = names.successions().front().closed;
    --done.kept;
    COFFER_TRY(Rename(root));
  } else if (!copy_ && !lost && anchor_ && !anchor_is_of_this) {
    // It is of a log that this one took the place of: of now it tells nothing.
    COFFER_TRY(WriteAnchor());
  } else if (!copy_ && !lost && anchor_) {
    return Fail(Code::kConflict, "nothing_to_recover",
                options_.directory + " is no copy, and its log is as long as its anchor says");
  } else if (!copy_ && !lost && !are_lost_.anchor) {
    return Fail(Code::kConflict, "anchor_missing",
                "there is no anchor at " + options_.anchor_path +
                    ": name its place; where it is lost, --anchor-lost closes the log");
  } else if (lost || !AnchorTells()) {
    COFFER_TRY(CheckLogLength(vault_, *log_, keyring_));
    done.closed = LastKnown();
    COFFER_TRY(KeepClosedNote(done));
    COFFER_TRY(Succeed(*done.closed));
    COFFER_TRY(Rename(root));
  }
  done.log = last_.log;
  if (!copy_ || settled) return {};
  RestoredCopy copy = *copy_;
  copy.settled = {done.log, done.kept, done.closed, done.closed_note_path};
  return WriteRestoredCopy(options_.directory, copy);
}

std::string DetailOfRecovery(const Recovered& done) {
  if (!done.copy) return "rolled back; " + std::to_string(done.kept) + " entries kept";
  return done.copy->generation + " +" + std::to_string(done.copy->increments) + " of " +
         audit::FormatTimestamp(done.copy->created) + "; " + std::to_string(done.kept) +
         " entries kept";
}

// By the entries of the opening, and of those before it that a crash interrupted.
Status CountRepeated(const std::string& directory, crypto::RootKeyProvider& root, Recovered& done) {
  const std::string keyring_path = KeyringPath(directory);
  COFFER_ASSIGN(const auto keyring,
                Reading(keyring_path, crypto::Keyring::Open(keyring_path, root)));
  const std::string path = VaultDatabasePath(directory);
  COFFER_ASSIGN(VaultDatabase opened,
                Reading(path, OpenVaultDatabase(path, keyring, {.read_only = true})));
  COFFER_ASSIGN(const auto log, Reading(path, LogStore::Open(opened.database)));
  COFFER_ASSIGN(done.repeated, Reading(path, ReadRepeated(*log, done.kept, {})));
  return {};
}

}  // namespace

Result<Recovered> RecoverVault(VaultOptions options, crypto::RootKeyProvider& root,
                               const std::vector<std::string>& checkpoints, LostFiles are_lost) {
  options.anchor_path = AnchorPath(options.directory, options.anchor_path);
  if (options.clock == nullptr) options.clock = &audit::SystemClock();
  options.open_restored_copy = true;
  COFFER_TRY(CheckThere(options.directory));
  Recovered done;
  COFFER_ASSIGN(done.copy, ReadRestoredCopy(options.directory));
  {
    COFFER_ASSIGN(const auto lock, DirectoryLock::Acquire(options.directory));
    COFFER_ASSIGN(const auto keyring_lock, KeyringLock::Acquire(options.directory));
    // Of a vault that serves, though of another directory.
    COFFER_ASSIGN(const auto anchor_lock, AnchorLock::Acquire(options.anchor_path));
    const std::string keyring_path = KeyringPath(options.directory);
    const std::string vault_path = VaultDatabasePath(options.directory);
    COFFER_ASSIGN(auto keyring, Reading(keyring_path, crypto::Keyring::Open(keyring_path, root)));
    COFFER_ASSIGN(VaultDatabase opened,
                  Reading(vault_path, OpenVaultDatabase(vault_path, keyring, {})));
    Database vault = std::move(opened.database);
    COFFER_TRY(Reading(vault_path, Migrate(vault, VaultMigrations())));
    COFFER_ASSIGN(auto log, Reading(vault_path, LogStore::Open(vault)));
    std::vector<audit::VerifierKey> later;
    if (done.copy) {
      COFFER_ASSIGN(later, done.copy->LaterKeys(keyring));
    }
    Recovery recovery(options, are_lost, std::move(keyring), std::move(later), std::move(vault),
                      std::move(log), done.copy);
    COFFER_TRY(Reading(vault_path, recovery.Look(checkpoints)));
    if (done.copy) COFFER_TRY(SettleLedger(options, *done.copy, are_lost.ledger));
    COFFER_TRY(recovery.CheckLedger());
    COFFER_TRY(Reading(vault_path, recovery.Settle(root, done)));
  }
  COFFER_ASSIGN(const auto vault, Vault::Open(options, root));
  COFFER_TRY(vault->operations().LogSystemEvent("vault.restored", "ok", DetailOfRecovery(done)));
  COFFER_TRY(vault->Close());
  COFFER_TRY(CountRepeated(options.directory, root, done));
  COFFER_TRY(RemoveRestoredCopy(options.directory));
  return done;
}

}  // namespace coffer::vault
