// The log's signing keys as the log announces them.
#pragma once

#include "audit/tlog/checkpoint.h"
#include "crypto/keyring.h"
#include "crypto/result.h"
#include "vault/engine/engine.h"

namespace coffer::vault {

// Each key that the keyring holds, under each name that the log has had
// (audit/entries/succession.h).
std::vector<audit::VerifierKey> VerifierKeysOf(const crypto::Keyring& keyring);

// Of an anchor: by any of these. Errors: those of audit::VerifyCheckpoint; kCorrupted
// "log_behind_anchor" of a name that the log does not have yet: the vault is older than its anchor.
Result<audit::Checkpoint> VerifyByAnyKey(std::string_view note, const crypto::Keyring& keyring);

// By each of the keys that does not retire. As they are when the head is: another may sign greater
// sizes only.
std::string SignHead(const audit::Checkpoint& head,
                     const std::vector<crypto::Keyring::LogKey>& keys);

// Entries about keys that the log does not name yet, or does not name as retired yet. To be called
// while the vault is opened, before anything is signed.
Status AnnounceLogKeys(Engine& engine, const crypto::Keyring& keyring);
// The same of one that the keyring is about to hold.
Status AnnounceLogKey(Engine& engine, const crypto::Keyring& keyring,
                      const crypto::Keyring::LogKey& key);

// What the vault noted of its exchange: versions, and 0 for none.
struct LogKeyNotes {
  std::uint32_t announced = 0;  // the newest that the log names; 0: it named none
  std::string announced_key;    // its verifier key; empty where an earlier version noted it
  std::uint32_t retired = 0;    // the newest that the log says is retired
};
// Where keyring.json was put back from before an announcement, the next key of the log has a
// version that was announced, and is another.
bool IsAnnounced(const LogKeyNotes& notes, const crypto::Keyring& keyring,
                 const crypto::Keyring::LogKey& key);
Result<LogKeyNotes> ReadLogKeyNotes(SettingStore& settings);
Result<LogKeyNotes> ReadLogKeyNotes(Engine& engine);

// The detail of the log's first entry, and of those about keys. Errors: as audit::KeyDetail.
Result<std::string> DetailOf(const crypto::Keyring& keyring, const crypto::PublicKey& key);

// The version of the newest key that the log names, and behind a blank that key.
inline constexpr std::string_view kAnnouncedSetting = "log-key-announced";
std::string AnnouncedNote(const crypto::Keyring& keyring, const crypto::Keyring::LogKey& key);

inline constexpr std::string_view kLogSigningName = "log-signing";  // in keyring.json

}  // namespace coffer::vault
