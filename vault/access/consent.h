// What clients consented to, and withdrew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/bytes.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// How it came, or how it was taken back.
enum class ConsentChannel : std::uint8_t {
  kApp,
  kEmail,
  kInPerson,
  kMessage,  // of a messenger, or by SMS
  kPaper,
  kPhone,
  kWebsite,
};
inline constexpr std::string_view kConsentChannels =
    "app, email, in-person, message, paper, phone, website";
std::string_view Name(ConsentChannel channel);
std::optional<ConsentChannel> ConsentChannelFromName(std::string_view name);

// Which text was shown. Each was stored before (vault/catalog/consent_text.h).
struct ShownWording {
  std::string name;
  std::uint64_t version = 0;
  std::string language;
};

struct ConsentRequest {
  std::string purpose;
  ShownWording text;
  std::optional<crypto::Hash> sha256 = {};  // of what was shown, where the caller knows it
  std::optional<Timestamp> given = {};      // absent: now
  std::string channel;
  // In words, and sealed under the client's key: where the evidence is; and, where somebody
  // consented in the client's name, who may. Empty: the client did itself.
  std::string evidence, authority = {};
  // Whether the client is as old as the text asks; where it asks, this is said, and nowhere else.
  std::optional<bool> of_age = {};
  std::optional<Timestamp> expires = {};
};

struct ConsentWithdrawal {
  Timestamp withdrawn;
  std::optional<ConsentChannel> channel;
  PrincipalId recorded_by;
  std::uint64_t seq = 0;  // of its entry in the log
};

struct Consent {
  ConsentId id;
  ClientId client;
  std::string purpose;
  ShownWording text;
  crypto::Hash sha256{};
  Timestamp given, recorded;
  ConsentChannel channel = ConsentChannel::kApp;
  bool by_client = true;
  std::optional<Timestamp> expires;
  PrincipalId recorded_by;
  std::uint64_t seq = 0;  // of its entry in the log
  std::optional<ConsentWithdrawal> withdrawal;
  // Sealed where it is stored. Empty where the client's key was gone before.
  std::string evidence, authority;
  std::optional<bool> of_age;

  bool StandsAt(Timestamp now) const { return !withdrawal && (!expires || *expires > now); }
};

// What the log commits to of one that was given, and of its withdrawal: JSON with sorted members,
// without the words.
std::string StatementOf(const Consent& consent);
std::string WithdrawalStatementOf(const Consent& consent);

}  // namespace coffer::vault
