#include "api/cli/text/failure.h"

namespace coffer::cli {
namespace {

struct Advice {
  std::string_view reason;
  std::string_view text;
};

constexpr Advice kAdvice[] = {
    {"vault_exists",
     "Name a directory that does not exist yet; an existing vault is never replaced."},
    {"keyring_exists", "Name a directory that does not exist yet."},
    {"keyring_missing", "Name the data directory that holds keyring.json."},
    {"keyring_malformed", "Restore keyring.json from a backup: without it no record can be read."},
    {"root_key_missing", "Name the root key file that the vault was made with."},
    {"root_key_malformed", "The file must hold 64 hexadecimal digits, as `coffer init` wrote it."},
    {"root_key_exposed", "Take the rights of group and others away: chmod 600 FILE."},
    {"root_key_exists", "Name another file, or use the existing one."},
    {"root_key_wrong", "Give the root key, or the passphrase, that this vault was made with."},
    {"root_key_uri_invalid",
     "Write it as pkcs11:token=NAME;object=LABEL?module-path=FILE&pin-source=file:FILE"},
    {"token_missing", "Plug it in, or name another one; --show-slots of its tools lists them."},
    {"token_pin_wrong", "Look at the PIN before you try again: after a few wrong ones it locks."},
    {"passphrase_too_short", "Use at least 12 bytes; several random words are easy to keep."},
    {"secret_file_missing", "Name a file that exists; its first line is used."},
    {"secret_file_exposed", "Take the rights of group and others away: chmod 600 FILE."},
    {"secret_file_malformed", "The file's first line must hold the secret."},
    {"memory_exhausted", "Deriving the key takes 256 MiB: free some memory and try again."},
    {"anchor_missing",
     "Name the anchor with --anchor, or a checkpoint you kept with --checkpoint."},
    {"anchor_malformed",
     "The anchor file is damaged: give a checkpoint you kept with --checkpoint."},
};

std::string_view AdviceFor(std::string_view reason) {
  for (const Advice& advice : kAdvice) {
    if (advice.reason == reason) return advice.text;
  }
  return {};
}

}  // namespace

Failure FailureOf(const Error& error, std::string_view doing) {
  std::string message(doing);
  message += ": ";
  message += error.reason;
  if (!error.detail.empty()) message += " (" + error.detail + ")";
  for (const Issue& issue : error.issues) message += "\n  " + issue.pointer + ": " + issue.message;
  return {Exit::kFailed, std::move(message), std::string(AdviceFor(error.reason)), false,
          std::string(error.reason)};
}

}  // namespace coffer::cli
