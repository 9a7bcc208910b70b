// Inclusion proofs as documents: c2sp.org/tlog-proof@v1 (optionally "extra" and base64, "index N",
// base64 hash lines, blank line, checkpoint).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "audit/tlog/checkpoint.h"
#include "audit/tlog/merkle.h"
#include "crypto/result.h"

namespace coffer::audit {

struct TlogProof {
  std::uint64_t index = 0;
  std::vector<Hash> hashes;
  std::string checkpoint;  // the signed note
  // Whatever somebody added for their own use. Nothing authenticates it; Coffer's proofs have none.
  crypto::Bytes extra = {};
};

inline constexpr std::size_t kMaxProofBytes = 512UZ * 1024;

std::string FormatProof(const TlogProof& proof);
// Strict: at most one line "extra", hashes of 32 bytes in canonical base64, at most 63 of them, no
// leading zeros in the index. Errors: kCorrupted "proof_malformed".
Result<TlogProof> ParseProof(std::string_view text);
// Checks the checkpoint's signature and that `entry` is at the proof's index under it.
Result<Checkpoint> VerifyProof(const TlogProof& proof, crypto::ByteView entry,
                               const VerifierKey& key);

}  // namespace coffer::audit
