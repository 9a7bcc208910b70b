#include "vault/backup/change_set.h"

#include <string>
#include <utility>

#include "audit/documents/backup_increment.h"
#include "vault/base/big_endian.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kChangesFormat = "coffer-changes-v1\n";
constexpr std::size_t kChangesObjectBytes = std::size_t{8} << 20;  // begun beyond: another
constexpr std::size_t kMostWaiting = 2;
static_assert(2 * kChangesObjectBytes <= Repository::kMaxObjectBytes);

// Cuts `count` bytes off; false where there are not so many.
bool CutBytes(ByteView& rest, std::size_t count, ByteView& out) {
  if (rest.size() < count) return false;
  out = rest.first(count);
  rest = rest.subspan(count);
  return true;
}

bool CutNumber(ByteView& rest, std::size_t width, std::uint64_t& out) {
  ByteView bytes;
  if (!CutBytes(rest, width, bytes)) return false;
  out = 0;
  for (const std::uint8_t byte : bytes) out = out << 8 | byte;
  return true;
}

void AppendNumber(Bytes& out, std::size_t width, std::uint64_t value) {
  for (std::size_t i = width; i-- > 0;) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

bool CutChange(ByteView& rest, FileChange& change) {
  std::uint64_t name_bytes = 0, content_bytes = 0;
  ByteView name;
  if (!CutNumber(rest, 1, name_bytes) || !CutBytes(rest, name_bytes, name) ||
      !CutNumber(rest, 8, change.file_bytes) || !CutNumber(rest, 8, change.at) ||
      !CutNumber(rest, 4, content_bytes) || !CutBytes(rest, content_bytes, change.content)) {
    return false;
  }
  change.name = crypto::AsText(name);
  return change.at <= change.file_bytes && change.content.size() <= change.file_bytes - change.at;
}

}  // namespace

Status ChangeWriter::Add(const FileChange& change) {
  if (waiting_.empty() || waiting_.back().size() >= kChangesObjectBytes) {
    if (waiting_.size() >= kMostWaiting) COFFER_TRY(PutFirst());
    waiting_.emplace_back(kChangesFormat.begin(), kChangesFormat.end());
  }
  Bytes& object = waiting_.back();
  AppendNumber(object, 1, change.name.size());
  object.insert(object.end(), change.name.begin(), change.name.end());
  AppendNumber(object, 8, change.file_bytes);
  AppendNumber(object, 8, change.at);
  AppendNumber(object, 4, change.content.size());
  object.insert(object.end(), change.content.begin(), change.content.end());
  return {};
}

Status ChangeWriter::PutFirst() {
  if (objects_.size() == audit::kMaxBackupChanges) {
    return Fail(Code::kTooLarge, "increment_too_large", "another generation is needed");
  }
  bool written = false;
  COFFER_ASSIGN(const Hash name, repository_->Put(waiting_.front(), written));
  objects_.push_back(name);
  bytes_ += waiting_.front().size();
  waiting_.pop_front();
  return {};
}

Result<std::vector<Hash>> ChangeWriter::Finish() {
  while (!waiting_.empty()) COFFER_TRY(PutFirst());
  return std::exchange(objects_, {});
}

Status ReadChanges(const Repository& repository, std::span<const Hash> objects,
                   const std::function<Status(const FileChange&)>& take) {
  for (const Hash& object : objects) {
    COFFER_ASSIGN(const Bytes bytes, repository.Get(object));
    ByteView rest(bytes);
    ByteView format;
    if (!CutBytes(rest, kChangesFormat.size(), format) ||
        crypto::AsText(format) != kChangesFormat) {
      return Fail(Code::kCorrupted, "changes_malformed");
    }
    while (!rest.empty()) {
      FileChange change;
      if (!CutChange(rest, change)) return Fail(Code::kCorrupted, "changes_malformed");
      COFFER_TRY(take(change));
    }
  }
  return {};
}

}  // namespace coffer::vault
