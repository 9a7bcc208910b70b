// Three keys of one log, A, B and C, and what a log says of keys.
#pragma once

#include <string>

#include "audit/entries/key_history.h"
#include "tests/audit/tlog/test_keys.h"

namespace coffer::audit {

inline const crypto::SigningKey& SignerA() { return LogKey(); }
inline const crypto::SigningKey& SignerB() { return OtherKey(); }
// RFC 8032 section 7.1, TEST 3.
inline const crypto::SigningKey& SignerC() {
  static const crypto::SigningKey key =
      KeyFromSeed("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
  return key;
}

inline VerifierKey VerifierOf(const crypto::SigningKey& key) {
  return {std::string(kOrigin), key.public_key()};
}
inline VerifierKey KeyA() { return VerifierOf(SignerA()); }
inline VerifierKey KeyB() { return VerifierOf(SignerB()); }
inline VerifierKey KeyC() { return VerifierOf(SignerC()); }

inline std::string NameOf(const VerifierKey& key) {
  if (key.key == SignerA().public_key()) return "A";
  if (key.key == SignerB().public_key()) return "B";
  return key.key == SignerC().public_key() ? "C" : "?";
}

inline std::string Detail(const VerifierKey& key) { return KeyDetail(key).value(); }

inline Entry KeyEntry(std::string_view action, std::string detail) {
  Entry entry;
  entry.action = action;
  entry.decision = Decision::kAllow;
  entry.outcome = "ok";
  entry.detail = std::move(detail);
  return entry;
}

}  // namespace coffer::audit
