#include "audit/tlog/proof.h"
#include "tests/audit/tlog/test_keys.h"
#include "tests/fuzz/fuzz.h"

using coffer::fuzz::Require;

COFFER_FUZZ(FuzzProof)(const std::uint8_t* data, std::size_t size) {
  namespace audit = coffer::audit;
  const std::string_view text = coffer::fuzz::Text(data, size);
  const auto proof = audit::ParseProof(text);
  if (!proof) return 0;
  Require(audit::FormatProof(*proof) == text, "a proof has one spelling");
  const auto entry = coffer::crypto::AsBytes("entry 257");
  const auto shown = audit::VerifyProof(*proof, entry, audit::LogVerifier());
  if (!shown) return 0;
  Require(proof->index < shown->size, "a proved entry is in the log");
  Require(!audit::VerifyProof(*proof, coffer::crypto::AsBytes("entry 258"), audit::LogVerifier()),
          "a proof proves one entry");
  return 0;
}
