#include "api/cli/files/secret_text.h"

#include "vault/base/strict_json.h"

namespace coffer::cli {
namespace {

constexpr std::size_t kMaxValue = 4096;
// So that the text never moves, and leaves no copy where it was: a few values, each byte escaped.
constexpr std::size_t kCapacity = 8 * 6 * kMaxValue;

}  // namespace

void Forget(std::string& secret) {
  crypto::Wipe({reinterpret_cast<std::uint8_t*>(secret.data()), secret.size()});
  secret.clear();
}

SecretJson::SecretJson() {
  text_.reserve(kCapacity);
  text_ += '{';
}

Outcome<void> SecretJson::Add(std::string_view name, std::string_view value) {
  if (value.size() > kMaxValue || !vault::IsCleanUtf8(value)) {
    return Failed(Exit::kUsage, "the " + std::string(name) + " is not UTF-8 text, or too long",
                  "Use a UTF-8 terminal; at most 4096 bytes are taken.");
  }
  if (text_.size() > 1) text_ += ',';
  vault::AppendJsonString(text_, name);
  text_ += ':';
  vault::AppendJsonString(text_, value);
  return {};
}

Outcome<void> SecretJson::Add(std::string_view name, const crypto::SecretBytes& value) {
  return Add(name, crypto::AsText(value.ExposeSecret()));
}

std::string SecretJson::Take() {
  text_ += '}';
  return std::move(text_);
}

}  // namespace coffer::cli
