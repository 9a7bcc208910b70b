#include "audit/tlog/proof.h"

#include <optional>

#include "audit/text/decimal.h"
#include "audit/text/hash_text.h"
#include "audit/text/lines.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kStart = "c2sp.org/tlog-proof@v1\n";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";
constexpr std::size_t kMaxHashes = 63;

}  // namespace

std::string FormatProof(const TlogProof& proof) {
  std::string out(kStart);
  if (!proof.extra.empty()) {
    out.append(kExtra).append(crypto::Base64Encode(proof.extra)).push_back('\n');
  }
  out.append(kIndex);
  AppendDecimal(proof.index, out);
  out.push_back('\n');
  for (const Hash& hash : proof.hashes) {
    out.append(crypto::Base64Encode(hash));
    out.push_back('\n');
  }
  out.push_back('\n');
  out.append(proof.checkpoint);
  return out;
}

Result<TlogProof> ParseProof(std::string_view text) {
  const auto malformed = [](std::string detail) {
    return Fail(Code::kCorrupted, "proof_malformed", std::move(detail));
  };
  if (text.size() > kMaxProofBytes) return malformed("too long");
  if (!text.starts_with(kStart)) return malformed("not a proof of version 1");
  text.remove_prefix(kStart.size());
  TlogProof proof;
  if (text.starts_with(kExtra)) {
    text.remove_prefix(kExtra.size());
    const auto line = TakeLine(text);
    auto extra = crypto::Base64Decode(line.value_or("-"));
    if (!extra) return malformed("the extra line is not base64");
    proof.extra = *std::move(extra);
  }
  if (!text.starts_with(kIndex)) return malformed("no index");
  text.remove_prefix(kIndex.size());
  const auto line = TakeLine(text);
  const auto index = line ? ParseDecimal(*line) : std::nullopt;
  if (!index) return malformed("the index is not a number");
  proof.index = *index;
  while (true) {
    const auto hash = TakeLine(text);
    if (!hash) return malformed("no blank line before the checkpoint");
    if (hash->empty()) break;
    if (proof.hashes.size() == kMaxHashes) return malformed("more than 63 hashes");
    if (!ParseBase64(*hash, proof.hashes.emplace_back())) {
      return malformed("a hash is not 32 bytes in base64");
    }
  }
  if (text.empty()) return malformed("no checkpoint");
  proof.checkpoint = text;
  return proof;
}

Result<Checkpoint> VerifyProof(const TlogProof& proof, crypto::ByteView entry,
                               const VerifierKey& key) {
  COFFER_ASSIGN(Checkpoint checkpoint, VerifyCheckpoint(proof.checkpoint, key));
  COFFER_TRY(VerifyInclusion(LeafHash(entry), proof.index, checkpoint.size, proof.hashes,
                             checkpoint.root));
  return checkpoint;
}

}  // namespace coffer::audit
