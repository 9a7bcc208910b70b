#include "vault/engine/log_keys.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "audit/entries/key_history.h"
#include "audit/entries/succession.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kRetiredSetting = "log-key-retired";

Result<std::uint32_t> VersionIn(SettingStore& settings, std::string_view name) {
  COFFER_ASSIGN(const auto text, settings.Find(name));
  std::uint32_t version = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), version);
  return version;
}

// The entry, and the setting that remembers it.
Status LogKeyEvent(Engine& engine, std::string_view action, std::string detail,
                   std::string_view setting, const std::string& note) {
  audit::Entry entry;
  entry.action = action;
  entry.actor = "vault";
  entry.actor_kind = audit::ActorKind::kSystem;
  entry.decision = audit::Decision::kAllow;
  entry.outcome = "ok";
  entry.detail = std::move(detail);
  return engine.Run(OperationKind::kWrite, EntryRule::kAlways, entry,
                    [&](Transaction& transaction) -> Status {
                      return transaction.stores().settings.Put(setting, note);
                    });
}

}  // namespace

std::vector<audit::VerifierKey> VerifierKeysOf(const crypto::Keyring& keyring) {
  std::vector<audit::VerifierKey> keys;
  for (const auto& held : keyring.log_keys()) {
    auto named = audit::UnderAllNames({keyring.log_origin(), held.key->public_key()});
    std::ranges::move(named, std::back_inserter(keys));
  }
  return keys;
}

Result<std::string> DetailOf(const crypto::Keyring& keyring, const crypto::PublicKey& key) {
  return audit::KeyDetail({keyring.log_origin(), key});
}

Result<audit::Checkpoint> VerifyByAnyKey(std::string_view note, const crypto::Keyring& keyring) {
  const auto said = audit::ParseCheckpointNote(note);
  if (said && said->checkpoint.origin != keyring.log_origin() &&
      audit::IsOrSucceeds(said->checkpoint.origin, keyring.log_origin())) {
    return Fail(Code::kCorrupted, "log_behind_anchor",
                "the signed anchor is of " + said->checkpoint.origin +
                    ", which took the place of " + keyring.log_origin() +
                    ", the log of this vault: the vault was rolled back");
  }
  Result<audit::Checkpoint> checkpoint = Fail(Code::kCorrupted, "checkpoint_signature_missing");
  for (const audit::VerifierKey& key : VerifierKeysOf(keyring)) {
    checkpoint = audit::VerifyCheckpoint(note, key);
    if (checkpoint) break;
  }
  return checkpoint;
}

std::string SignHead(const audit::Checkpoint& head,
                     const std::vector<crypto::Keyring::LogKey>& keys) {
  std::string note;
  for (const auto& held : keys) {
    if (held.retiring) continue;
    const std::string own = audit::SignCheckpoint(head, *held.key);
    // The text is the same; of a further key the signature line is added.
    note += note.empty() ? own : own.substr(own.find("\n\n") + 2);
  }
  return note;
}

Result<LogKeyNotes> ReadLogKeyNotes(SettingStore& settings) {
  LogKeyNotes notes;
  COFFER_ASSIGN(notes.announced, VersionIn(settings, kAnnouncedSetting));
  COFFER_ASSIGN(const auto announced, settings.Find(kAnnouncedSetting));
  if (const auto blank = announced.value_or("").find(' '); blank != std::string::npos) {
    notes.announced_key = announced->substr(blank + 1);
  }
  COFFER_ASSIGN(notes.retired, VersionIn(settings, kRetiredSetting));
  return notes;
}

Result<LogKeyNotes> ReadLogKeyNotes(Engine& engine) {
  LogKeyNotes notes;
  audit::Entry none;
  COFFER_TRY(engine.Run(OperationKind::kRead, EntryRule::kNever, none,
                        [&](Transaction& transaction) -> Status {
                          COFFER_ASSIGN(notes, ReadLogKeyNotes(transaction.stores().settings));
                          return {};
                        }));
  return notes;
}

std::string AnnouncedNote(const crypto::Keyring& keyring, const crypto::Keyring::LogKey& key) {
  // Under the log's first name: a succession changes none of its keys.
  const audit::VerifierKey named{std::string(audit::FirstLogName(keyring.log_origin())),
                                 key.key->public_key()};
  return std::to_string(key.version) + " " + audit::FormatVerifierKey(named);
}

bool IsAnnounced(const LogKeyNotes& notes, const crypto::Keyring& keyring,
                 const crypto::Keyring::LogKey& key) {
  // A log from before keys were named began with the oldest one.
  if (notes.announced == 0) return key.version <= keyring.log_keys().front().version;
  if (key.version != notes.announced || notes.announced_key.empty()) {
    return key.version <= notes.announced;
  }
  return AnnouncedNote(keyring, key) == std::to_string(notes.announced) + " " + notes.announced_key;
}

Status AnnounceLogKey(Engine& engine, const crypto::Keyring& keyring,
                      const crypto::Keyring::LogKey& key) {
  COFFER_ASSIGN(const LogKeyNotes notes, ReadLogKeyNotes(engine));
  if (IsAnnounced(notes, keyring, key)) return {};
  if (key.version == notes.announced) {
    // That one went with a keyring.json, and signs nothing any more.
    COFFER_TRY(LogKeyEvent(engine, audit::kKeyRetired, "key " + notes.announced_key,
                           kAnnouncedSetting, std::to_string(key.version - 1)));
  }
  COFFER_ASSIGN(std::string detail, DetailOf(keyring, key.key->public_key()));
  return LogKeyEvent(engine, audit::kKeyAnnounced, std::move(detail), kAnnouncedSetting,
                     AnnouncedNote(keyring, key));
}

Status AnnounceLogKeys(Engine& engine, const crypto::Keyring& keyring) {
  const auto keys = keyring.log_keys();
  for (const auto& key : keys) COFFER_TRY(AnnounceLogKey(engine, keyring, key));
  COFFER_ASSIGN(const LogKeyNotes notes, ReadLogKeyNotes(engine));
  for (const auto& key : keys) {
    if (key.retiring && key.version > notes.retired) {
      COFFER_ASSIGN(std::string detail, DetailOf(keyring, key.key->public_key()));
      COFFER_TRY(LogKeyEvent(engine, audit::kKeyRetired, std::move(detail), kRetiredSetting,
                             std::to_string(key.version)));
    }
  }
  return {};
}

}  // namespace coffer::vault
