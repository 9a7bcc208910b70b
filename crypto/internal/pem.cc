#include "crypto/internal/pem.h"

#include <sodium.h>

#include <algorithm>

#include "crypto/encoding.h"
#include "crypto/internal/invariant.h"

namespace coffer::crypto::internal {
namespace {

constexpr std::string_view kPemSpace = " \t\r\n";
constexpr std::size_t kLineBytes = 48;  // 64 characters
constexpr std::size_t kLineCharacters = 64;

std::string FirstLine(std::string_view label) {
  return "-----BEGIN " + std::string(label) + "-----";
}
std::string LastLine(std::string_view label) { return "-----END " + std::string(label) + "-----"; }

std::string_view Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kPemSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kPemSpace) - first + 1);
}

std::size_t Base64Characters(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

// Writes the text of a block into memory that the caller owns.
class PemWriter {
 public:
  explicit PemWriter(std::span<std::uint8_t> out) : out_(out) {}

  void Line(std::string_view text) {
    Require(text.size() < out_.size(), "room for a line of PEM");
    std::ranges::copy(text, out_.begin());
    End(text.size());
  }

  // libsodium, in constant time, ends what it writes with a NUL, where the LF comes to stand.
  void Base64Line(ByteView bytes) {
    const std::size_t size = Base64Characters(bytes.size());
    Require(size < out_.size(), "room for a line of PEM");
    sodium_bin2base64(reinterpret_cast<char*>(out_.data()), size + 1, bytes.data(), bytes.size(),
                      sodium_base64_VARIANT_ORIGINAL);
    End(size);
  }

  bool full() const { return out_.empty(); }

 private:
  void End(std::size_t size) {
    out_[size] = '\n';
    out_ = out_.subspan(size + 1);
  }

  std::span<std::uint8_t> out_;
};

}  // namespace

std::string PemEncode(std::string_view label, ByteView der) {
  std::string pem = FirstLine(label) + "\n";
  const std::string base64 = Base64Encode(der);
  for (std::size_t i = 0; i < base64.size(); i += kLineCharacters) {
    pem += base64.substr(i, kLineCharacters) + "\n";
  }
  return pem + LastLine(label) + "\n";
}

SecretBytes PemEncodeSecret(std::string_view label, const SecretBytes& der) {
  const std::string first = FirstLine(label);
  const std::string last = LastLine(label);
  const std::size_t lines = (der.size() + kLineBytes - 1) / kLineBytes;
  SecretBytes pem(first.size() + 1 + Base64Characters(der.size()) + lines + last.size() + 1);
  PemWriter writer(pem.ExposeSecretForWriting());
  writer.Line(first);
  for (ByteView rest = der.ExposeSecret(); !rest.empty();) {
    const std::size_t size = std::min(rest.size(), kLineBytes);
    writer.Base64Line(rest.first(size));
    rest = rest.subspan(size);
  }
  writer.Line(last);
  Require(writer.full(), "PEM of the length that was expected");
  return pem;
}

std::optional<Bytes> PemDecode(std::string_view label, std::string_view pem, std::size_t limit) {
  // Twice the Base64: room for lines of any usual length, and for CR LF.
  if (pem.size() > 2 * Base64Characters(limit) + 256) return std::nullopt;
  std::string_view block = Trimmed(pem);
  const std::string first = FirstLine(label);
  const std::string last = LastLine(label);
  if (block.size() < first.size() + last.size() || !block.starts_with(first) ||
      !block.ends_with(last)) {
    return std::nullopt;
  }
  block.remove_prefix(first.size());
  block.remove_suffix(last.size());
  std::string base64(block);
  std::erase_if(base64, [](char c) { return kPemSpace.contains(c); });
  auto der = Base64Decode(base64);
  if (!der || der->empty() || der->size() > limit) return std::nullopt;
  return *std::move(der);
}

}  // namespace coffer::crypto::internal
