#include "vault/oversight/logged_object.h"

#include <algorithm>
#include <map>

#include "vault/access/access_policy.h"
#include "vault/deletion/erase.h"
#include "vault/deletion/resealing.h"

namespace coffer::vault {
namespace {}  // namespace

ObjectChange ChangeOf(const audit::Entry& entry) {
  if (entry.decision != audit::Decision::kAllow) return ObjectChange::kNone;
  if (ErasesClient(entry)) return ObjectChange::kGone;
  if ((entry.action == Name(Action::kRecordDelete) || entry.action == Name(Action::kRecordErase)) &&
      entry.outcome == "ok" && !entry.record.empty()) {
    return ObjectChange::kGone;
  }
  if (!entry.payload_hash || entry.version == 0 || entry.client.empty()) return ObjectChange::kNone;
  if (!entry.record.empty()) {
    return entry.action == kRecordReseal ? ObjectChange::kResealed : ObjectChange::kWritten;
  }
  if (entry.action == kClientReseal) return ObjectChange::kResealed;
  const bool of_client =
      entry.action == Name(Action::kClientCreate) || entry.action == Name(Action::kClientUpdate);
  return of_client ? ObjectChange::kWritten : ObjectChange::kNone;
}

LoggedChange LoggedChangeOf(const audit::Entry& entry) {
  LoggedChange change;
  change.change = ChangeOf(entry);
  change.seq = entry.seq;
  change.version = entry.version;
  if (entry.payload_hash) change.payload = *entry.payload_hash;
  change.client = entry.client;
  // An erasure of the whole client may name the last of its records.
  if (!ErasesClient(entry)) change.record = entry.record;
  return change;
}

std::string FaultOfRecord(const StoredObject& stored, const std::vector<LoggedChange>& history) {
  std::map<std::uint64_t, crypto::Hash> versions;
  std::string client;
  for (const LoggedChange& change : history) {
    if (change.change == ObjectChange::kGone) return "was deleted, and is stored again";
    if (change.change == ObjectChange::kWritten) {
      versions[change.version] = change.payload;
      client = change.client;
    } else if (const auto known = versions.find(change.version); known != versions.end()) {
      // Of what was never written, nothing is sealed again either.
      known->second = change.payload;
    }
  }
  if (versions.empty()) return "is stored, and no entry says that it was written";
  const auto [newest, payload] = *versions.rbegin();
  const auto owner = ClientId::Parse(client);
  if (!owner || owner->Row() != stored.client) return "belongs to another client than the log says";
  if (stored.version < newest) return "is older than the log says";
  if (stored.version > newest) return "is newer than the log says";
  if (stored.payload != payload) return std::string(kDiffers);
  versions.erase(newest);
  for (const auto& [version, hash] : stored.old) {
    const auto known = versions.find(version);
    if (known == versions.end()) return "has an old version that no entry wrote";
    if (known->second != hash)
      return "has an old version that is not what the log says was written";
    versions.erase(known);
  }
  return versions.empty() ? "" : "has not all of the old versions that the log says were written";
}

std::string FaultOfClient(const StoredObject& stored, const std::vector<LoggedChange>& history) {
  const LoggedChange* last = nullptr;
  for (const LoggedChange& change : history) {
    if (change.change == ObjectChange::kGone) return "was erased, and is stored again";
    if (change.change == ObjectChange::kWritten || last != nullptr) last = &change;
  }
  if (last == nullptr) return "is stored, and no entry says that it was made";
  if (stored.version < last->version) return "is older than the log says";
  if (stored.version > last->version) return "is newer than the log says";
  return stored.payload == last->payload ? "" : std::string(kDiffers);
}

}  // namespace coffer::vault
