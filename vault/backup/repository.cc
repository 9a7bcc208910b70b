#include "vault/backup/repository.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "audit/documents/canonical_json.h"
#include "crypto/encoding.h"
#include "crypto/random.h"
#include "vault/backup/open_store.h"
#include "vault/base/ids.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kFormat = "coffer-backup-repository-v1";
constexpr const char* kMarker = "coffer-backup";
constexpr const char* kUnfinishedMark = "unfinished";
constexpr const char* kObjects = "objects";
constexpr const char* kGenerations = "generations";
constexpr const char* kIncrements = "increments";
constexpr std::size_t kIncrementDigits = 6;  // at least
constexpr std::size_t kMaxMarkerBytes = 4096;
constexpr std::size_t kMaxManifestBytes = 64 * 1024;
constexpr std::size_t kRepositoryIdBytes = 16;
constexpr std::size_t kFirstHexDigits = 2;  // folders of objects are by them

std::string In(std::string_view folder, std::string_view name) {
  return std::string(folder) + "/" + std::string(name);
}

std::string ObjectName(const Hash& hash) {
  const std::string hex = crypto::HexEncode(hash);
  return In(In(kObjects, hex.substr(0, kFirstHexDigits)), hex.substr(kFirstHexDigits));
}

// Of what lies where objects do.
std::optional<Hash> ObjectOf(std::string_view name) {
  std::string hex(name.substr(std::min(name.size(), std::string_view(kObjects).size() + 1)));
  std::erase(hex, '/');
  const auto bytes = crypto::HexDecode(hex);
  Hash hash{};
  if (!bytes || bytes->size() != hash.size()) return std::nullopt;
  std::ranges::copy(*bytes, hash.begin());
  return ObjectName(hash) == name ? std::optional(hash) : std::nullopt;
}

std::string IncrementName(const std::string& generation, std::uint64_t n) {
  std::string number = std::to_string(n);
  number.insert(0, kIncrementDigits - std::min(kIncrementDigits, number.size()), '0');
  return In(kIncrements, generation + "." + number);
}

std::string FormatMarker(const std::string& id, BackupKind kind, const Repository::Owner& owner) {
  audit::CanonicalWriter out;
  out.Open().Text("format", kFormat).Text("id", id).Text("kind", audit::Name(kind));
  out.Text("vault", owner.vault).Text("vault_id", owner.vault_id).Close();
  return out.Take() + "\n";
}

// The longest that anything is retained for.
void AddTo(BackupStore::Removal& all, const BackupStore::Removal& one) {
  all.refused = all.refused || one.refused;
  all.kept = all.kept || one.kept;
  if (one.until) all.until = all.until ? std::max(*all.until, *one.until) : *one.until;
}

}  // namespace

std::string InWords(const Error& error) {
  std::string text(error.reason);
  if (!error.detail.empty()) text.append(": ").append(error.detail);
  return text;
}

Result<Repository> Repository::Create(const StorePlace& place, BackupKind kind,
                                      const Owner& owner) {
  COFFER_ASSIGN(auto store, OpenStore(place));
  return Create(std::move(store), kind, owner);
}

Result<Repository> Repository::Create(std::shared_ptr<BackupStore> store, BackupKind kind,
                                      const Owner& owner) {
  COFFER_TRY(store->MakeFolder({}));
  COFFER_ASSIGN(const bool exists, store->Has(kMarker));
  if (exists) return Fail(Code::kConflict, "repository_exists", store->place());
  // What died before it wrote the marker left folders.
  bool empty = true;
  const auto nothing = [&](const BackupStore::Entry& entry) {
    empty = entry.folder && (entry.name == kObjects || entry.name == kGenerations ||
                             entry.name.starts_with(In(kObjects, {})));
    return empty;
  };
  if (const auto listed = store->List({}, nothing); !listed) {
    return Fail(Code::kUnavailable, "destination_unavailable", InWords(listed.error()));
  }
  if (!empty) return Fail(Code::kConflict, "repository_not_empty", store->place());
  COFFER_TRY(store->MakeFolder(kObjects));
  for (int first = 0; first < 256; ++first) {
    const auto byte = static_cast<std::uint8_t>(first);
    COFFER_TRY(store->MakeFolder(In(kObjects, crypto::HexEncode({&byte, 1}))));
  }
  COFFER_TRY(store->SyncFolder(kObjects));
  COFFER_TRY(store->MakeFolder(kGenerations));
  const std::string id = crypto::HexEncode(crypto::RandomBytes(kRepositoryIdBytes));
  const auto made = store->Put(kMarker, crypto::AsBytes(FormatMarker(id, kind, owner)));
  if (!made && made.error().code == Code::kConflict) {
    return Fail(Code::kConflict, "repository_exists", store->place());
  }
  COFFER_TRY(made);
  return Open(std::move(store));
}

Result<Repository> Repository::Open(const StorePlace& place) {
  COFFER_ASSIGN(auto store, OpenStore(place));
  return Open(std::move(store));
}

Result<Repository> Repository::Open(std::shared_ptr<BackupStore> store) {
  auto marker = store->Get(kMarker, kMaxMarkerBytes);
  if (!marker && marker.error().code == Code::kNotFound) {
    return Fail(Code::kNotFound, "repository_missing", store->place() + " has no repository");
  }
  if (!marker && marker.error().code == Code::kUnavailable) {
    return std::unexpected(marker.error());
  }
  Repository repository;
  repository.store_ = std::move(store);
  const std::string_view text = marker ? crypto::AsText(*marker) : std::string_view();
  audit::CanonicalReader in(text.substr(0, text.size() - std::min<std::size_t>(1, text.size())));
  if (!in.Open() || !in.Constant("format", kFormat) || !in.Text("id", repository.id_) ||
      !in.OneOf("kind", audit::kBackupKinds, repository.kind_) ||
      !in.Text("vault", repository.owner_.vault) ||
      !in.Text("vault_id", repository.owner_.vault_id) || !in.Close() || !in.AtEnd() ||
      FormatMarker(repository.id_, repository.kind_, repository.owner_) != text) {
    return Fail(Code::kCorrupted, "repository_malformed", In(repository.path(), kMarker));
  }
  return repository;
}

Result<Repository::Claim> Repository::Take() const { return store_->Take(kMarker); }

Result<bool> Repository::BeginWriting() const {
  COFFER_ASSIGN(const bool before, store_->Has(kUnfinishedMark));
  if (before) return true;
  COFFER_TRY(store_->Put(kUnfinishedMark, {}));
  return false;
}

// Where it is retained, the next run sweeps once more.
Result<Repository::Removal> Repository::EndWriting() const {
  return store_->Remove(kUnfinishedMark);
}

Result<bool> Repository::IsWhole(const Hash& name, std::uint64_t least, std::uint64_t most) const {
  COFFER_ASSIGN(const auto found, store_->Find(ObjectName(name)));
  if (!found) return false;
  if (found->bytes && (*found->bytes < least || *found->bytes > most)) return false;
  // What cannot be read is not there for a restore either.
  return !reads_back_ || Get(name).has_value();
}

Result<bool> Repository::Has(const Hash& name, std::uint64_t least) const {
  return IsWhole(name, least, kMaxObjectBytes);
}

Result<Hash> Repository::Put(ByteView bytes, bool& written) const {
  const Hash hash = crypto::Sha256(bytes);
  const std::string name = ObjectName(hash);
  COFFER_ASSIGN(const bool before, IsWhole(hash, bytes.size(), bytes.size()));
  written = !before;
  if (before) return hash;
  COFFER_ASSIGN(const bool wrong, store_->Has(name));
  auto put = wrong ? store_->Replace(name, bytes) : store_->Put(name, bytes);
  if (!put && put.error().code == Code::kConflict) {
    // Somebody else's, which came in between, unless it is no content at all.
    COFFER_ASSIGN(const bool meanwhile, IsWhole(hash, bytes.size(), bytes.size()));
    if (!meanwhile) return Fail(Code::kUnavailable, "destination_unavailable", put.error().detail);
    written = false;
    return hash;
  }
  COFFER_TRY(put);
  return hash;
}

Result<Bytes> Repository::Get(const Hash& name) const {
  auto bytes = store_->Get(ObjectName(name), kMaxObjectBytes);
  if (bytes && crypto::Sha256(*bytes) != name) {
    return Fail(Code::kCorrupted, "object_wrong", In(path(), ObjectName(name)));
  }
  return bytes;
}

Result<std::vector<std::string>> Repository::ListGenerations() const {
  std::vector<std::string> ids;
  const std::size_t before = std::string_view(kGenerations).size() + 1;
  const auto listed = store_->List(kGenerations, [&](const BackupStore::Entry& entry) {
    std::string name = entry.name.substr(before);
    if (BackupId::Parse(name)) ids.push_back(std::move(name));
    return true;
  });
  if (!listed && listed.error().code == Code::kNotFound) {
    return Fail(Code::kUnavailable, "destination_unavailable", listed.error().detail);
  }
  COFFER_TRY(listed);
  std::ranges::sort(ids);
  return ids;
}

// `missing` and `malformed` are what is said where it is none.
Result<std::string> Repository::GetNote(const std::string& name, std::string_view missing,
                                        std::string_view malformed) const {
  auto note = store_->Get(name, kMaxManifestBytes);
  if (note) return std::string(crypto::AsText(*note));
  switch (note.error().code) {
    case Code::kNotFound:
      return Fail(Code::kNotFound, missing, note.error().detail);
    case Code::kUnavailable:
      return std::unexpected(note.error());
    default:
      return Fail(Code::kCorrupted, malformed, In(path(), name));
  }
}

Result<std::string> Repository::GetManifest(const std::string& generation) const {
  return GetNote(In(kGenerations, generation), "generation_missing", "manifest_malformed");
}

Result<std::string> Repository::GetIncrement(const std::string& generation, std::uint64_t n) const {
  return GetNote(IncrementName(generation, n), "increment_missing", "increment_malformed");
}

Result<bool> Repository::HasIncrement(const std::string& generation, std::uint64_t n) const {
  return store_->Has(IncrementName(generation, n));
}

Result<Repository::Increments> Repository::ListIncrements() const {
  Increments increments;
  const auto listed = store_->List(kIncrements, [&](const BackupStore::Entry& entry) {
    const std::size_t slash = entry.name.find('/'), dot = entry.name.find('.');
    if (dot == std::string::npos) return true;
    const std::string generation = entry.name.substr(slash + 1, dot - slash - 1);
    std::uint64_t n = 0;
    const char* const last = entry.name.data() + entry.name.size();
    const auto read = std::from_chars(entry.name.data() + dot + 1, last, n);
    if (BackupId::Parse(generation) && read.ec == std::errc() && read.ptr == last &&
        IncrementName(generation, n) == entry.name) {
      increments[generation].push_back(n);
    }
    return true;
  });
  if (!listed && listed.error().code != Code::kNotFound) return std::unexpected(listed.error());
  for (auto& [generation, numbers] : increments) std::ranges::sort(numbers);
  return increments;
}

// By whoever claims the repository, where somebody can.
Status Repository::PutIncrement(const std::string& generation, std::uint64_t n,
                                const std::string& note) const {
  if (n == 1) {
    COFFER_TRY(store_->MakeFolder(kIncrements));
    COFFER_TRY(store_->SyncFolder({}));
  }
  const std::string name = IncrementName(generation, n);
  const std::string before =
      n == 1 ? In(kGenerations, generation) : IncrementName(generation, n - 1);
  COFFER_ASSIGN(const bool follows, store_->Has(before));
  if (!follows) return Fail(Code::kConflict, "increment_missing", In(path(), before));
  COFFER_ASSIGN(const bool exists, store_->Has(name));
  Status put =
      exists ? Fail(Code::kConflict, "object_exists") : store_->Put(name, crypto::AsBytes(note));
  if (!put && put.error().code == Code::kConflict) {
    return Fail(Code::kConflict, "increment_exists", In(path(), name));
  }
  return put;
}

Result<Repository::Removal> Repository::RemoveIncrements(
    const std::string& generation, std::vector<std::uint64_t>& numbers) const {
  Removal all;
  const bool any = !numbers.empty();
  while (!numbers.empty() && !all.refused) {
    COFFER_ASSIGN(const Removal one, store_->Remove(IncrementName(generation, numbers.back())));
    AddTo(all, one);
    if (!one.refused) numbers.pop_back();
  }
  if (any) COFFER_TRY(store_->SyncFolder(kIncrements));
  return all;
}

Status Repository::PutManifest(const std::string& generation, const std::string& note) const {
  return store_->Put(In(kGenerations, generation), crypto::AsBytes(note));
}

Result<Repository::Removal> Repository::RemoveManifest(const std::string& generation) const {
  COFFER_ASSIGN(const Removal removal, store_->Remove(In(kGenerations, generation)));
  COFFER_TRY(store_->SyncFolder(kGenerations));
  return removal;
}

Result<Repository::Removal> Repository::RemoveObjects(
    const std::function<bool(const Hash&)>& goes) const {
  Removal all;
  const auto sweep = [&](const char* folder) -> Status {
    Status removed;
    const auto listed = store_->List(folder, [&](const BackupStore::Entry& entry) {
      if (entry.folder || entry.young) return true;
      const auto hash = ObjectOf(entry.name);
      if (!(hash ? goes(*hash) : entry.name.ends_with(".tmp"))) return true;
      const auto one = store_->Remove(entry.name);
      if (one) {
        AddTo(all, *one);
      } else {
        removed = std::unexpected(one.error());
      }
      return removed.has_value();
    });
    COFFER_TRY(removed);
    return listed || listed.error().code == Code::kNotFound ? Status() : listed;
  };
  for (const char* const folder : {kObjects, kGenerations, kIncrements}) {
    COFFER_TRY(sweep(folder));
  }
  return all;
}

}  // namespace coffer::vault
