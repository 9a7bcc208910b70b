#include "crypto/password_hash.h"

#include <sodium.h>

#include <array>
#include <charconv>
#include <optional>

#include "crypto/bytes.h"
#include "crypto/secret_text.h"

namespace coffer::crypto {
namespace {

constexpr std::uint32_t kMaxHashPasses = 16;
constexpr std::uint32_t kMinHashMemoryKib = 8;
constexpr std::uint32_t kMaxHashMemoryKib = 1024 * 1024;

bool IsAllowed(const PasswordCost& cost) {
  return cost.passes >= 1 && cost.passes <= kMaxHashPasses &&
         cost.memory_kib >= kMinHashMemoryKib && cost.memory_kib <= kMaxHashMemoryKib;
}

bool Take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

// A decimal number without sign or leading zero.
bool TakeNumber(std::string_view& text, std::uint32_t& number) {
  if (text.empty() || text.front() < '1' || text.front() > '9') return false;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

// What the hash says it costs, if it is one of ours. libsodium reads the rest, and would read other
// variants and any cost as well.
std::optional<PasswordCost> CostOf(std::string_view hash) {
  if (hash.size() >= crypto_pwhash_STRBYTES || hash.contains('\0')) return std::nullopt;
  PasswordCost cost;
  if (!Take(hash, "$argon2id$v=19$m=") || !TakeNumber(hash, cost.memory_kib) ||
      !Take(hash, ",t=") || !TakeNumber(hash, cost.passes) || !Take(hash, ",p=1$") ||
      !IsAllowed(cost)) {
    return std::nullopt;
  }
  return cost;
}

Result<SecretBytes> Prepare(const SecretBytes& password) {
  if (password.empty() || password.size() > kMaxPasswordBytes) {
    return Fail(Code::kUnprocessable, "password_malformed", "a password has 1 to 256 bytes");
  }
  auto normalised = NormaliseSecretText(password);
  if (!normalised) {
    return Fail(Code::kUnprocessable, "password_malformed", normalised.error().detail);
  }
  return normalised;
}

}  // namespace

Result<std::string> HashPassword(const SecretBytes& password, const PasswordCost& cost) {
  if (!IsAllowed(cost)) {
    return Fail(Code::kInvalidArgument, "password_cost_invalid",
                "a password hash takes 1 to 16 passes and 8 KiB to 1 GiB");
  }
  COFFER_ASSIGN(const SecretBytes prepared, Prepare(password));
  const std::string_view text = AsText(prepared.ExposeSecret());
  std::array<char, crypto_pwhash_STRBYTES> hash{};
  // With all else checked, the one cause left is that the memory was not given.
  if (crypto_pwhash_str_alg(hash.data(), text.data(), text.size(), cost.passes,
                            std::size_t{cost.memory_kib} * 1024,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return Fail(
        Code::kUnavailable, "memory_exhausted",
        "a password hash was not given its " + std::to_string(cost.memory_kib) + " KiB of memory");
  }
  return std::string(hash.data());
}

bool VerifyPassword(std::string_view hash, const SecretBytes& password) {
  if (!CostOf(hash)) return false;
  const auto prepared = Prepare(password);
  if (!prepared) return false;
  const std::string_view text = AsText(prepared->ExposeSecret());
  return crypto_pwhash_str_verify(std::string(hash).c_str(), text.data(), text.size()) == 0;
}

bool NeedsRehash(std::string_view hash, const PasswordCost& cost) {
  if (!CostOf(hash)) return true;
  return crypto_pwhash_str_needs_rehash(std::string(hash).c_str(), cost.passes,
                                        std::size_t{cost.memory_kib} * 1024) != 0;
}

}  // namespace coffer::crypto
