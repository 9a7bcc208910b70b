#include "vault/log_key_exchange.h"

#include "crypto/aead.h"
#include "crypto/atomic_file.h"
#include "vault/engine/log_keys.h"
#include "vault/storage/data_directory.h"

namespace coffer::vault {
namespace {

using crypto::Keyring;

constexpr std::size_t kMaxHandedOverLogKey = 4096;

Status Begin(const LogKeyUsers& users, const Keyring::LogKey& next) {
  COFFER_TRY(AnnounceLogKey(users.engine, users.keyring, next));
  audit::Entry none;
  Status covered;
  // Between two operations: what is signed before is vouched for, and what is signed after is
  // signed by the new one too. What it fails at is no failure of anybody else's operation.
  COFFER_TRY(
      users.engine.Run(OperationKind::kWrite, EntryRule::kNever, none, [&](Transaction&) -> Status {
        covered = users.ledger.CoverBy(*next.key);
        if (covered) users.keyring.signing_keys().Add(next);
        return {};
      }));
  return covered;
}

Status TakeUpLogKey(const LogKeyUsers& users, const std::string& directory,
                    const crypto::KeyringHeader& header) {
  const std::string path = HandedOverKeyPath(directory, kLogSigningName);
  COFFER_ASSIGN(const crypto::Bytes sealed, crypto::ReadFile(path, kMaxHandedOverLogKey));
  COFFER_ASSIGN(const std::uint32_t version, crypto::KeyIdOf(sealed));
  // Else the next start would not know what has signed.
  if (!header.HasVersion(kLogSigningName, version)) {
    return Fail(Code::kConflict, "keyring_behind",
                path + " has " + std::string(kLogSigningName) + " version " +
                    std::to_string(version) + ", which keyring.json has not: it is not taken up");
  }
  COFFER_ASSIGN(const auto next,
                users.keyring.signing_keys().OpenNext(sealed, users.keyring.note_key()));
  if (next) COFFER_TRY(Begin(users, *next));
  // Also where that failed the last time: when the file is gone, anchor and ledger are the new
  // key's, and nothing needs the one before.
  COFFER_TRY(users.publisher.Publish(true));
  return RemoveHandedOver(directory, kLogSigningName);
}

Status Retire(const LogKeyUsers& users) {
  // Before the log says so: no checkpoint with that entry is signed by it.
  users.keyring.signing_keys().RetireOldest();
  COFFER_TRY(AnnounceLogKeys(users.engine, users.keyring));
  return users.publisher.Publish(false);
}

}  // namespace

Status FollowLogKeys(const LogKeyUsers& users, const std::string& directory,
                     const crypto::KeyringHeader& header) {
  if (IsHandedOver(HandedOverKeyPath(directory, kLogSigningName))) {
    COFFER_TRY(TakeUpLogKey(users, directory, header));
  }
  const auto newest = users.keyring.log_keys().back().version;
  const auto& in_file = header.VersionsOf(kLogSigningName);
  if (!header.HasVersion(kLogSigningName, newest)) {
    return Fail(Code::kConflict, "keyring_behind",
                "keyring.json has no " + std::string(kLogSigningName) + " version " +
                    std::to_string(newest) +
                    ", which signs the log: put the newest keyring.json back before the next "
                    "start");
  }
  if (in_file.back() > newest) {
    return Fail(
        Code::kConflict, "keyring_ahead",
        "keyring.json has " + std::string(kLogSigningName) + " version " +
            std::to_string(in_file.back()) + ", which was not handed over: " +
            (header.oldest_log_key_retiring ? "" : "run 'coffer key rotate log' again, or ") +
            "restart the server");
  }
  for (auto held = users.keyring.log_keys(); held.size() > 1; held = users.keyring.log_keys()) {
    const bool destroyed = !header.HasVersion(kLogSigningName, held.front().version);
    if (!destroyed && !header.oldest_log_key_retiring) return {};
    COFFER_TRY(Retire(users));
    if (!destroyed) return {};
    users.keyring.signing_keys().ForgetRetiring();
  }
  return {};
}

}  // namespace coffer::vault
