#include "vault/log_key_exchange.h"

#include <unistd.h>

#include <algorithm>

#include "crypto/aead.h"
#include "crypto/atomic_file.h"
#include "vault/engine/log_keys.h"
#include "vault/storage/data_directory.h"

namespace coffer::vault {
namespace {

using crypto::Keyring;

constexpr std::size_t kMaxHandedOverLogKey = 4096;

const std::vector<std::uint32_t>& LogKeyVersionsOf(const crypto::KeyringHeader& header) {
  static const std::vector<std::uint32_t> kNone;
  const auto found = header.versions.find(std::string(kLogSigningName));
  return found == header.versions.end() ? kNone : found->second;
}

bool NamesLogKey(const crypto::KeyringHeader& header, std::uint32_t version) {
  return std::ranges::find(LogKeyVersionsOf(header), version) != LogKeyVersionsOf(header).end();
}

Status Begin(const LogKeyUsers& users, const Keyring::LogKey& next) {
  COFFER_TRY(AnnounceLogKey(users.engine, users.keyring, next));
  audit::Entry none;
  // Between two operations: what is signed before is vouched for, and what is signed after is
  // signed by the new one too.
  COFFER_TRY(
      users.engine.Run(OperationKind::kWrite, EntryRule::kNever, none, [&](Transaction&) -> Status {
        COFFER_TRY(users.ledger.CoverBy(*next.key));
        users.keyring.signing_keys().Add(next);
        return {};
      }));
  return users.publisher.Publish(true);
}

Status TakeUpLogKey(const LogKeyUsers& users, const std::string& path,
                    const crypto::KeyringHeader& header) {
  COFFER_ASSIGN(const crypto::Bytes sealed, crypto::ReadFile(path, kMaxHandedOverLogKey));
  COFFER_ASSIGN(const std::uint32_t version, crypto::KeyIdOf(sealed));
  // Else the next start would not know what has signed.
  if (!NamesLogKey(header, version)) {
    return Fail(Code::kConflict, "keyring_behind",
                path + " has " + std::string(kLogSigningName) + " version " +
                    std::to_string(version) + ", which keyring.json has not: it is not taken up");
  }
  COFFER_ASSIGN(const auto next,
                users.keyring.signing_keys().OpenNext(sealed, users.keyring.note_key()));
  if (next) COFFER_TRY(Begin(users, *next));
  return crypto::RemoveSecretFile(path);
}

Status Retire(const LogKeyUsers& users, std::uint32_t version) {
  // Before the log says so: no checkpoint with that entry is signed by it.
  users.keyring.signing_keys().RetireOldest();
  COFFER_TRY(AnnounceLogKeys(users.engine, users.keyring));
  COFFER_ASSIGN(const LogKeyNotes notes, ReadLogKeyNotes(users.engine));
  if (notes.left == version) return {};
  COFFER_TRY(users.publisher.Publish(true));
  return NoteLogKeyLeft(users.engine, version);
}

}  // namespace

Status FollowLogKeys(const LogKeyUsers& users, const std::string& directory,
                     const crypto::KeyringHeader& header) {
  const std::string path = HandedOverKeyPath(directory, kLogSigningName);
  if (access(path.c_str(), F_OK) == 0) COFFER_TRY(TakeUpLogKey(users, path, header));
  const auto held = users.keyring.log_keys();
  if (const std::uint32_t newest = held.back().version; !NamesLogKey(header, newest)) {
    return Fail(Code::kConflict, "keyring_behind",
                "keyring.json has no " + std::string(kLogSigningName) + " version " +
                    std::to_string(newest) +
                    ", which signs the log: put the newest keyring.json back before the next "
                    "start");
  }
  if (LogKeyVersionsOf(header).back() > held.back().version) {
    return Fail(Code::kConflict, "keyring_ahead",
                "keyring.json has " + std::string(kLogSigningName) + " version " +
                    std::to_string(LogKeyVersionsOf(header).back()) +
                    ", which was not handed over: run 'coffer key rotate log' again, or restart "
                    "the server");
  }
  if (held.size() < 2) return {};
  const std::uint32_t oldest = held.front().version;
  if (NamesLogKey(header, oldest)) {
    return header.oldest_log_key_retiring ? Retire(users, oldest) : Status();
  }
  // It is destroyed.
  COFFER_TRY(Retire(users, oldest));
  users.keyring.signing_keys().ForgetRetiring();
  return {};
}

}  // namespace coffer::vault
