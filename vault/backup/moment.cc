#include "vault/backup/moment.h"

#include <algorithm>
#include <utility>

#include "audit/entries/succession.h"
#include "crypto/hash.h"

namespace coffer::vault {

Timestamp Moment::created() const {
  return increments.empty() ? manifest.created : increments.back().created;
}

std::uint64_t Moment::log_size() const {
  return increments.empty() ? manifest.log_size : increments.back().log_size;
}

Timestamp Moment::keys_changed() const {
  return increments.empty() ? manifest.created : increments.back().keys_changed;
}

Result<audit::BackupManifest> VerifiedManifest(const Repository& repository,
                                               const std::string& generation,
                                               std::span<const audit::VerifierKey> trusted,
                                               std::string* note) {
  COFFER_ASSIGN(auto read, repository.GetManifest(generation));
  auto verified = trusted.empty() ? audit::ReadBackupManifest(read)
                                  : audit::VerifyBackupManifest(read, trusted);
  const std::string path = repository.path() + "/generations/" + generation;
  if (!verified) {
    Error error = std::move(verified).error();
    const bool unknown = error.reason == "note_signature_missing";
    error.detail = path + (error.detail.empty() ? "" : ": " + error.detail) +
                   (unknown ? "; perhaps by a key of the log from before or after an exchange, "
                              "which is not known here. Where it is somebody else's, move it "
                              "away: what is before it can be used"
                            : "; it cannot be used, and where you move it away, what is before it "
                              "can");
    return std::unexpected(std::move(error));
  }
  auto& manifest = *verified;
  if (manifest.generation != generation || manifest.kind != repository.kind() ||
      !audit::IsOrSucceeds(manifest.vault, repository.owner().vault)) {
    return Fail(Code::kCorrupted, "manifest_malformed",
                path + " is another's manifest: move it away");
  }
  if (note != nullptr) *note = std::move(read);
  return std::move(manifest);
}

Result<audit::BackupFile> FileOf(const audit::BackupManifest& manifest, std::string_view name) {
  const auto found = std::ranges::find(manifest.files, name, &audit::BackupFile::name);
  if (found == manifest.files.end()) {
    return Fail(Code::kCorrupted, "manifest_malformed",
                manifest.generation + " has no " + std::string(name));
  }
  return *found;
}

std::unexpected<Error> OfIncrement(const Repository& repository, const std::string& generation,
                                   std::uint64_t n, Error error) {
  const std::string which = "number " + std::to_string(n) + " of " + generation + " in " +
                            repository.path() +
                            "/increments: without it and those behind it, what is before can be "
                            "restored";
  error.detail = which + (error.detail.empty() ? "" : ": " + error.detail);
  return std::unexpected(std::move(error));
}

Result<Moment> ReadMoment(const Repository& repository, const std::string& generation,
                          std::span<const std::uint64_t> numbers,
                          const std::function<bool(const audit::BackupIncrement&)>& more,
                          std::span<const audit::VerifierKey> trusted) {
  std::string before;
  Moment moment;
  COFFER_ASSIGN(moment.manifest, VerifiedManifest(repository, generation, trusted, &before));
  for (const std::uint64_t number : numbers) {
    const std::uint64_t n = moment.increments.size() + 1;
    const auto fail = [&](Error error) {
      return OfIncrement(repository, generation, n, std::move(error));
    };
    if (number != n) return fail({Code::kNotFound, "increment_missing", {}, {}});
    COFFER_ASSIGN(auto note, repository.GetIncrement(generation, n));
    auto increment = trusted.empty() ? audit::ReadBackupIncrement(note)
                                     : audit::VerifyBackupIncrement(note, trusted);
    if (!increment) return fail(std::move(increment).error());
    if (increment->n != n || increment->base != generation ||
        increment->kind != repository.kind() || increment->vault != moment.manifest.vault ||
        increment->created < moment.created() ||
        increment->previous != crypto::Sha256(crypto::AsBytes(before))) {
      return fail({Code::kCorrupted, "increment_malformed", {}, {}});
    }
    if (!more(*increment)) break;
    before = std::move(note);
    moment.increments.push_back(*std::move(increment));
  }
  return moment;
}

}  // namespace coffer::vault
