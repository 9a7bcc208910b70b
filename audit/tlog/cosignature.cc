#include "audit/tlog/cosignature.h"

#include <algorithm>
#include <optional>

#include "audit/tlog/checkpoint.h"

namespace coffer::audit {
namespace {

constexpr std::uint64_t kMaxTime = INT64_MAX;
constexpr std::size_t kTimeBytes = 8;

NoteKey ToNoteKey(const WitnessKey& key) { return {KeyType::kCosignature, key.name, key.key}; }

std::string Message(std::string_view text, std::uint64_t time) {
  return "cosignature/v1\ntime " + std::to_string(time) + "\n" + std::string(text);
}

// Nothing unless it is right.
std::optional<std::uint64_t> TimeOf(crypto::ByteView blob, std::string_view text,
                                    const WitnessKey& key) {
  if (blob.size() < kTimeBytes) return std::nullopt;
  std::uint64_t time = 0;
  for (const std::uint8_t byte : blob.first(kTimeBytes)) time = time << 8 | byte;
  if (time > kMaxTime || !crypto::VerifySignature(key.key, crypto::AsBytes(Message(text, time)),
                                                  blob.subspan(kTimeBytes))) {
    return std::nullopt;
  }
  return time;
}

}  // namespace

std::string FormatWitnessKey(const WitnessKey& key) { return FormatNoteKey(ToNoteKey(key)); }

Result<WitnessKey> ParseWitnessKey(std::string_view text) {
  COFFER_ASSIGN(auto key, ParseNoteKey(text, KeyType::kCosignature, "witness_key_malformed"));
  return WitnessKey{std::move(key.name), key.key};
}

Result<std::string> Cosign(std::string_view note, std::uint64_t time, std::string_view name,
                           const crypto::SigningKey& key) {
  COFFER_ASSIGN(const auto parsed, ParseCheckpointNote(note));
  if (time > kMaxTime) return Fail(Code::kInvalidArgument, "cosignature_time_invalid");
  crypto::Bytes blob;
  for (std::size_t i = kTimeBytes; i-- > 0;) {
    blob.push_back(static_cast<std::uint8_t>(time >> (8 * i)));
  }
  const auto signature = key.Sign(crypto::AsBytes(Message(parsed.text, time)));
  blob.insert(blob.end(), signature.begin(), signature.end());
  return FormatSignatureLine({KeyType::kCosignature, std::string(name), key.public_key()}, blob) +
         "\n";
}

Result<std::uint64_t> VerifyCosignature(std::string_view note, const WitnessKey& key) {
  COFFER_ASSIGN(const auto parsed, ParseCheckpointNote(note));
  std::optional<std::uint64_t> signed_at;
  for (const SignatureLine& line : parsed.lines) {
    if (!line.IsBy(ToNoteKey(key))) continue;
    const auto time = TimeOf(line.signature, parsed.text, key);
    if (!time) return Corrupted("cosignature_wrong", "the signature of " + key.name + " is wrong");
    if (signed_at && *signed_at != *time) {
      return Corrupted("cosignature_conflicting", key.name + " signed at several times");
    }
    signed_at = time;
  }
  if (!signed_at) return Corrupted("cosignature_missing", "no signature by " + key.name);
  return *signed_at;
}

Result<std::string> AddSignatureLine(std::string_view note, std::string_view line,
                                     const WitnessKey& key) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  const auto signature = ParseSignatureLine(line);
  if (!signature || !signature->IsBy(ToNoteKey(key))) {
    return Corrupted("cosignature_missing", "not a signature line of " + key.name);
  }
  COFFER_ASSIGN(const auto parsed, ParseCheckpointNote(note));
  std::string result(note);
  const bool known = std::ranges::any_of(parsed.lines, [&](const SignatureLine& other) {
    return other.IsBy(ToNoteKey(key)) && other.signature == signature->signature;
  });
  if (!known) result.append(line).append("\n");
  COFFER_TRY(VerifyCosignature(result, key));
  return result;
}

}  // namespace coffer::audit
