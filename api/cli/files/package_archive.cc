#include "api/cli/files/package_archive.h"

#include "crypto/sealed_message.h"

namespace coffer::cli {
namespace {

Outcome<crypto::Bytes> SealFor(const std::string& certificate, crypto::ByteView content) {
  auto sealed = crypto::SealForRecipient(certificate, content);
  if (sealed) return *std::move(sealed);
  if (sealed.error().code != Code::kInvalidArgument) {
    return std::unexpected(FailureOf(sealed.error(), "cannot encrypt the archive"));
  }
  return Failed(Exit::kUsage, "The recipient's certificate " + sealed.error().detail + ".");
}

}  // namespace

Outcome<void> CheckProtection(const PackageProtection& protection) {
  if (protection.passphrase && protection.passphrase->size() < kLeastPassphrase) {
    return Failed(Exit::kUsage, "The passphrase has fewer than 20 characters.",
                  "Take five or six words at random: whoever has the archive can try as many as "
                  "they like.");
  }
  // What cannot be encrypted for is found before anything is handed out.
  if (!protection.recipient.empty()) {
    const auto tried = SealFor(protection.recipient, crypto::AsBytes("x"));
    if (!tried) return std::unexpected(tried.error());
  }
  return {};
}

Outcome<crypto::Bytes> PackArchive(std::span<const audit::NamedFile> files,
                                   const PackageProtection& protection) {
  auto zip = protection.passphrase ? audit::WriteEncryptedZip(files, *protection.passphrase)
                                   : audit::WriteZip(files);
  if (!zip) return std::unexpected(FailureOf(zip.error(), "cannot make the archive"));
  if (protection.recipient.empty()) return *std::move(zip);
  return SealFor(protection.recipient, *zip);
}

}  // namespace coffer::cli
