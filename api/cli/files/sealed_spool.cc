#include "api/cli/files/sealed_spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "crypto/aead.h"

namespace coffer::cli {
namespace {

constexpr std::uint32_t kOnlyKey = 0;
constexpr std::size_t kContextName = 20;

// A piece opens at its own place only.
std::array<std::uint8_t, kContextName + 8> ContextOf(std::uint64_t piece) {
  static constexpr char kName[kContextName + 1] = "coffer-input-spool-1";
  std::array<std::uint8_t, kContextName + 8> context{};
  std::memcpy(context.data(), kName, kContextName);
  for (std::size_t i = 0; i < 8; ++i) {
    context[kContextName + i] = static_cast<std::uint8_t>(piece >> (56 - 8 * i));
  }
  return context;
}

// Without a name from the start where the file system can do that.
int OpenUnnamed(const std::string& directory) {
  const int file = open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0) return file;
  std::string name = directory + "/coffer-XXXXXX";
  const int named = mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) unlink(name.c_str());
  return named;
}

}  // namespace

SealedSpool::SealedSpool(std::string directory, int descriptor)
    : directory_(std::move(directory)),
      descriptor_(descriptor),
      key_(crypto::SecretBytes::Random(crypto::kAeadKeyBytes)) {}

SealedSpool::~SealedSpool() {
  close(descriptor_);
  crypto::Wipe({reinterpret_cast<std::uint8_t*>(open_.data()), open_.size()});
  crypto::Wipe(loaded_);
}

Outcome<std::unique_ptr<SealedSpool>> SealedSpool::Create(const std::string& directory) {
  const int descriptor = OpenUnnamed(directory);
  if (descriptor < 0) {
    return Failed(Exit::kFailed,
                  "what can be read only once is kept, sealed, in a temporary file, and none can "
                  "be made in " +
                      directory + ": " + std::strerror(errno),
                  "Name another directory with TMPDIR, or give an ordinary file.");
  }
  return std::unique_ptr<SealedSpool>(new SealedSpool(directory, descriptor));
}

std::unexpected<Failure> SealedSpool::Broken(int error) const {
  if (error != ENOSPC && error != EDQUOT && error != EFBIG) {
    return Failed(Exit::kFailed,
                  "the temporary file in " + directory_ + " failed: " + std::strerror(error));
  }
  return Failed(Exit::kFailed,
                "there is no room in " + directory_ +
                    " for what can be read only once: the disk is full after " +
                    std::to_string(size() >> 20) + " MiB of it",
                "Name a directory with room for all of it with TMPDIR, or give an ordinary file.");
}

Outcome<void> SealedSpool::SealOpenPiece() {
  const auto context = ContextOf(sealed_pieces_);
  const crypto::Bytes sealed =
      crypto::Seal(key_.ExposeSecret(), kOnlyKey, context, crypto::AsBytes(open_));
  const auto start = static_cast<off_t>(sealed_pieces_ * (kPiece + crypto::kAeadOverhead));
  std::size_t written = 0;
  while (written < sealed.size()) {
    const ssize_t size = pwrite(descriptor_, sealed.data() + written, sealed.size() - written,
                                start + static_cast<off_t>(written));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return Broken(size == 0 ? ENOSPC : errno);
    written += static_cast<std::size_t>(size);
  }
  ++sealed_pieces_;
  open_.clear();
  return {};
}

Outcome<void> SealedSpool::Append(std::string_view bytes) {
  if (size() + bytes.size() > kMaxBytes) {
    return Failed(Exit::kFailed, "more than 8 GiB is not taken from what can be read only once",
                  "Give an ordinary file.");
  }
  open_.reserve(kPiece);
  while (!bytes.empty()) {
    const std::size_t taken = std::min(bytes.size(), kPiece - open_.size());
    open_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    if (open_.size() == kPiece) COFFER_TRY(SealOpenPiece());
  }
  return {};
}

Outcome<void> SealedSpool::Load(std::uint64_t piece) {
  crypto::Bytes sealed(kPiece + crypto::kAeadOverhead);
  const auto start = static_cast<off_t>(piece * sealed.size());
  std::size_t got = 0;
  while (got < sealed.size()) {
    const ssize_t size = pread(descriptor_, sealed.data() + got, sealed.size() - got,
                               start + static_cast<off_t>(got));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Broken(errno);
    if (size == 0) break;
    got += static_cast<std::size_t>(size);
  }
  sealed.resize(got);
  auto opened = crypto::Open(key_.ExposeSecret(), ContextOf(piece), sealed);
  if (!opened || opened->size() != kPiece) {
    return Failed(Exit::kFailed, "the temporary file in " + directory_ + " was altered");
  }
  loaded_ = *std::move(opened);
  loaded_piece_ = piece;
  return {};
}

Outcome<std::size_t> SealedSpool::Read(std::uint64_t at, std::span<char> into) {
  if (at >= size() || into.empty()) return std::size_t{0};
  const std::uint64_t piece = at / kPiece;
  const auto offset = static_cast<std::size_t>(at % kPiece);
  std::string_view from = open_;
  if (piece < sealed_pieces_) {
    if (piece != loaded_piece_) COFFER_TRY(Load(piece));
    from = crypto::AsText(loaded_);
  }
  const std::size_t taken = std::min(into.size(), from.size() - offset);
  std::memcpy(into.data(), from.data() + offset, taken);
  return taken;
}

}  // namespace coffer::cli
