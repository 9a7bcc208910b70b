#include "vault/access/token_expiry.h"

#include <algorithm>
#include <unordered_map>

#include "vault/access/expiring_tokens.h"

namespace coffer::vault {
namespace {

constexpr std::int64_t kMsPerDay = std::int64_t{24} * 3600 * 1000;

void Count(TokenExpiry& expiry, Timestamp ends, Timestamp now) {
  const std::int64_t left = ends.ms - now.ms;
  if (left <= 7 * kMsPerDay) ++expiry.within_7_days;
  if (left <= 30 * kMsPerDay) ++expiry.within_30_days;
  if (!expiry.next || ends < *expiry.next) expiry.next = ends;
}

}  // namespace

TokenExpiry ExpiryOf(const PrincipalRegister& principals, Timestamp now) {
  TokenExpiry expiry;
  std::unordered_map<PrincipalId, ServiceTokens, IdHash> services;
  for (const TokenRow* token : principals.Tokens()) {
    if (token->is_session() || token->revoked || token->expires <= now) continue;
    const PrincipalRow* const owner = principals.Find(token->principal);
    if (owner == nullptr || owner->disabled) continue;
    Count(expiry, token->expires, now);
    const auto [found, made] = services.try_emplace(owner->id);
    ServiceTokens& service = found->second;
    if (made) {
      service = {owner->id, owner->name, 1, token->expires, token->expires};
    } else {
      ++service.tokens;
      service.next = std::min(service.next, token->expires);
      service.last = std::max(service.last, token->expires);
    }
  }
  expiry.services.reserve(services.size());
  for (auto& [id, service] : services) expiry.services.push_back(std::move(service));
  std::ranges::sort(expiry.services, [](const ServiceTokens& a, const ServiceTokens& b) {
    return a.last != b.last ? a.last < b.last : a.service < b.service;
  });
  if (expiry.services.size() > TokenExpiry::kMostServices) {
    expiry.services.resize(TokenExpiry::kMostServices);
  }
  return expiry;
}

}  // namespace coffer::vault
