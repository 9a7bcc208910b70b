#include "audit/documents/ledger_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "crypto/hash.h"

namespace coffer::audit {
namespace {

constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;

std::string SystemDetail(std::string_view what, const std::string& path) {
  return std::string(what) + " " + path + ": " + std::generic_category().message(errno);
}

std::unexpected<Error> NotOpened(std::string_view what, const std::string& path) {
  return Fail(Code::kUnavailable, "ledger_not_opened", SystemDetail(what, path));
}

std::unexpected<Error> NotAppended(std::string_view what, const std::string& path) {
  return Fail(Code::kUnavailable, "ledger_not_written", SystemDetail(what, path));
}

// Also for a file that was there already: who created it may have crashed ahead of this.
Status SyncFolderOf(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return NotOpened("cannot open directory", folder);
  const bool synced = fsync(descriptor) == 0;
  Status status = synced ? Status() : NotOpened("cannot sync directory", folder);
  close(descriptor);
  return status;
}

Status CreateLedger(int descriptor, const std::string& path) {
  // The umask may have taken bits away.
  if (fchmod(descriptor, kOwnerOnly) != 0) return NotOpened("cannot set the mode of", path);
  return {};
}

std::unexpected<Error> InvalidLines(std::string detail) {
  return Fail(Code::kInvalidArgument, "ledger_line_invalid", std::move(detail));
}

}  // namespace

LedgerFile::LedgerFile(LedgerFile&& other) noexcept { *this = std::move(other); }

LedgerFile& LedgerFile::operator=(LedgerFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  path_ = std::move(other.path_);
  trusted_ = std::move(other.trusted_);
  head_ = other.head_;
  size_ = other.size_;
  cut_bytes_ = other.cut_bytes_;
  vault_ = std::move(other.vault_);
  last_signer_ = std::move(other.last_signer_);
  broken_ = other.broken_;
  return *this;
}

LedgerFile::~LedgerFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<LedgerFile> LedgerFile::Open(const std::string& path, std::vector<VerifierKey> trusted,
                                    LedgerReader::Each each) {
  constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
  int descriptor = open(path.c_str(), kFlags | O_CREAT | O_EXCL, kOwnerOnly);
  const bool created = descriptor >= 0;
  if (!created && errno == EEXIST) descriptor = open(path.c_str(), kFlags);
  if (descriptor < 0) return NotOpened("cannot open", path);
  LedgerFile file(descriptor, path, std::move(trusted));
  if (created) COFFER_TRY(CreateLedger(descriptor, path));
  COFFER_TRY(file.CheckKind());
  COFFER_TRY(file.Lock());
  COFFER_TRY(SyncFolderOf(path));
  COFFER_TRY(file.ReadAll(each));
  return file;
}

Status LedgerFile::Check(const std::string& path, std::vector<VerifierKey> trusted, bool locked,
                         const LedgerReader::Each& each) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return errno == ENOENT ? Status() : NotOpened("cannot open", path);
  LedgerFile file(descriptor, path, std::move(trusted));
  COFFER_TRY(file.CheckKind());
  // Free again when this returns.
  if (locked) COFFER_TRY(file.Lock());
  COFFER_TRY(file.ReadLines(each));
  return {};
}

Status LedgerFile::CheckKind() const {
  struct stat status{};
  if (fstat(descriptor_, &status) != 0) return NotOpened("cannot look at", path_);
  if (S_ISREG(status.st_mode)) return {};
  return Fail(Code::kUnavailable, "ledger_not_opened", path_ + " is not a file");
}

// Two writers would both write the next number.
Status LedgerFile::Lock() const {
  if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return NotOpened("cannot lock", path_);
  return Fail(Code::kConflict, "ledger_in_use", path_ + " is open in another process");
}

Result<LedgerReader> LedgerFile::ReadLines(const LedgerReader::Each& each) {
  LedgerReader reader(trusted_, each, LedgerSignatures::kOfEachKeysLast);
  std::vector<char> piece(64UZ * 1024);
  while (true) {
    const ssize_t got = read(descriptor_, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return NotOpened("cannot read", path_);
    if (got == 0) break;
    COFFER_TRY(reader.Feed({piece.data(), static_cast<std::size_t>(got)}));
  }
  COFFER_TRY(reader.Finish());
  return reader;
}

Status LedgerFile::ReadAll(const LedgerReader::Each& each) {
  COFFER_ASSIGN(const LedgerReader reader, ReadLines(each));
  const LedgerState state = reader.state();
  head_ = state.head;
  size_ = state.whole_bytes;
  cut_bytes_ = state.torn_bytes;
  vault_ = reader.vault();
  for (const VerifierKey& key : trusted_) {
    if (reader.IsLastBy(key)) last_signer_ = FormatVerifierKey(key);
  }
  if (cut_bytes_ == 0) return {};
  if (ftruncate(descriptor_, static_cast<off_t>(size_)) != 0 || fdatasync(descriptor_) != 0) {
    return NotAppended("cannot cut the unfinished line of", path_);
  }
  return {};
}

Status LedgerBatch::Add(const LedgerErasure& erasure) {
  if (!vault_.empty() && erasure.vault != vault_)
    return InvalidLines("an erasure of another vault");
  COFFER_ASSIGN(const std::string written, WriteLedgerLines(erasure, end_, name_, *key_));
  lines_.append(written);
  vault_ = erasure.vault;
  return {};
}

Status LedgerBatch::Add(const LedgerAct& act) {
  if (!vault_.empty() && act.vault != vault_) return InvalidLines("an act of another vault");
  LedgerLine line{end_, {}};
  line.act = act;
  COFFER_ASSIGN(const std::string written, WriteLedgerLine(line, name_, *key_));
  lines_.append(written);
  const std::string_view without_newline(written.data(), written.size() - 1);
  end_ = {end_.n + 1, crypto::Sha256(crypto::AsBytes(without_newline))};
  vault_ = act.vault;
  return {};
}

Status LedgerFile::Append(std::span<const LedgerErasure> erasures, std::string_view name,
                          const crypto::SigningKey& key) {
  LedgerBatch batch(head_, name, key);
  for (const LedgerErasure& erasure : erasures) COFFER_TRY(batch.Add(erasure));
  return Append(batch);
}

Status LedgerFile::Append(const LedgerBatch& batch) {
  if (broken_) {
    return Fail(Code::kUnavailable, "ledger_not_written", path_ + " has to be opened again");
  }
  // What this file could not be read with must not get into it.
  if (!IsTrusted(batch.name_, batch.key_->public_key())) {
    return InvalidLines("the key is not one of those that the ledger was opened with");
  }
  if (batch.lines_.empty()) return {};
  if (!vault_.empty() && batch.vault_ != vault_) return InvalidLines("an erasure of another vault");
  if (batch.begin_ != head_) return InvalidLines("lines for another place of the ledger");
  COFFER_TRY(Write(batch.lines_));
  last_signer_ = FormatVerifierKey({batch.name_, batch.key_->public_key()});
  head_ = batch.end_;
  size_ += batch.lines_.size();
  vault_ = batch.vault_;
  return {};
}

bool LedgerFile::IsTrusted(std::string_view name, const crypto::PublicKey& key) const {
  return std::ranges::any_of(
      trusted_, [&](const VerifierKey& known) { return known.name == name && known.key == key; });
}

Status LedgerFile::Cover(std::string_view name, const crypto::SigningKey& key) {
  if (broken_) {
    return Fail(Code::kUnavailable, "ledger_not_written", path_ + " has to be opened again");
  }
  if (!IsTrusted(name, key.public_key())) {
    return InvalidLines("the key is not one of those that the ledger was opened with");
  }
  std::string signer = FormatVerifierKey({std::string(name), key.public_key()});
  if (size_ == 0 || last_signer_ == signer) return {};
  COFFER_ASSIGN(LedgerLine last, ReadLast());
  last.at = head_;
  COFFER_ASSIGN(const std::string line, WriteLedgerLine(last, name, key));
  COFFER_TRY(Write(line));
  last_signer_ = std::move(signer);
  const std::string_view without_newline(line.data(), line.size() - 1);
  head_ = {head_.n + 1, crypto::Sha256(crypto::AsBytes(without_newline))};
  size_ += line.size();
  return {};
}

void LedgerFile::Trust(const VerifierKey& key) {
  if (!IsTrusted(key.name, key.key)) trusted_.push_back(key);
}

Result<LedgerLine> LedgerFile::ReadLast() const {
  std::string tail(std::min<std::uint64_t>(size_, kMaxLedgerLineBytes + 2), '\0');
  std::size_t done = 0;
  while (done < tail.size()) {
    const ssize_t got = pread(descriptor_, tail.data() + done, tail.size() - done,
                              static_cast<off_t>(size_ - tail.size() + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return NotOpened("cannot read", path_);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  tail.resize(done > 0 ? done - 1 : 0);
  const std::string_view line = std::string_view(tail).substr(tail.rfind('\n') + 1);
  // What stands there now is vouched for only if it is what was read, or written, by this.
  if (crypto::Sha256(crypto::AsBytes(line)) != head_.prev) {
    return std::unexpected(Error{Code::kCorrupted,
                                 "ledger_damaged",
                                 path_ + " does not end in the line that was written last",
                                 {}});
  }
  return ParseLedgerLine(line);
}

Status LedgerFile::Write(std::string_view lines) {
  std::size_t done = 0;
  while (done < lines.size()) {
    const ssize_t wrote = pwrite(descriptor_, lines.data() + done, lines.size() - done,
                                 static_cast<off_t>(size_ + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      Status status = NotAppended("cannot write", path_);
      broken_ = ftruncate(descriptor_, static_cast<off_t>(size_)) != 0;
      return status;
    }
    done += static_cast<std::size_t>(wrote);
  }
  // What a failed sync left on the disk nobody can say, nor does a second one.
  if (fdatasync(descriptor_) != 0) {
    broken_ = true;
    return NotAppended("cannot sync", path_);
  }
  return {};
}

}  // namespace coffer::audit
