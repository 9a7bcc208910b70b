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
Status LogKeyEvent(Engine& engine, const crypto::Keyring& keyring, std::string_view action,
                   const crypto::Keyring::LogKey& key, std::string_view setting) {
  audit::Entry entry;
  entry.action = action;
  entry.actor = "vault";
  entry.actor_kind = audit::ActorKind::kSystem;
  entry.decision = audit::Decision::kAllow;
  entry.outcome = "ok";
  COFFER_ASSIGN(entry.detail, DetailOf(keyring, key.key->public_key()));
  const std::string version = std::to_string(key.version);
  return engine.Run(OperationKind::kWrite, EntryRule::kAlways, entry,
                    [&](Transaction& transaction) -> Status {
                      return transaction.stores().settings.Put(setting, version);
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

Status AnnounceLogKey(Engine& engine, const crypto::Keyring& keyring,
                      const crypto::Keyring::LogKey& key) {
  COFFER_ASSIGN(const LogKeyNotes notes, ReadLogKeyNotes(engine));
  // A log from before keys were named began with the oldest one.
  const std::uint32_t first = keyring.log_keys().front().version;
  if (key.version <= (notes.announced == 0 ? first : notes.announced)) return {};
  return LogKeyEvent(engine, keyring, audit::kKeyAnnounced, key, kAnnouncedSetting);
}

Status AnnounceLogKeys(Engine& engine, const crypto::Keyring& keyring) {
  const auto keys = keyring.log_keys();
  for (const auto& key : keys) COFFER_TRY(AnnounceLogKey(engine, keyring, key));
  COFFER_ASSIGN(const LogKeyNotes notes, ReadLogKeyNotes(engine));
  for (const auto& key : keys) {
    if (key.retiring && key.version > notes.retired) {
      COFFER_TRY(LogKeyEvent(engine, keyring, audit::kKeyRetired, key, kRetiredSetting));
    }
  }
  return {};
}

}  // namespace coffer::vault
