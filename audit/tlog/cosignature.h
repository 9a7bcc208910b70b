// What witnesses add to a checkpoint: C2SP tlog-cosignature (https://c2sp.org/tlog-cosignature),
// Ed25519, signature type 04.
//
//   — name base64(key id ‖ u64 big-endian time ‖ signature)
//
// signed: "cosignature/v1\ntime T\n" and the checkpoint's text with its extension lines; T is the
// POSIX time in decimal. It says: at that time this was the largest consistent tree that the
// witness had seen of the log. It says nothing about the log's own signature: VerifyCheckpoint.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/result.h"
#include "crypto/sign.h"

namespace coffer::audit {

// "name+hex(key id)+base64(04 ‖ public key)". Errors: kInvalidArgument "witness_key_malformed".
struct WitnessKey {
  std::string name;
  crypto::PublicKey key{};
};
std::string FormatWitnessKey(const WitnessKey& key);
Result<WitnessKey> ParseWitnessKey(std::string_view text);

// The signature line, with its newline, for the checkpoint in `note` (which a witness must have
// verified). Errors: kCorrupted "checkpoint_malformed"; kInvalidArgument "cosignature_time_invalid"
// beyond 2^63 - 1.
Result<std::string> Cosign(std::string_view note, std::uint64_t time, std::string_view name,
                           const crypto::SigningKey& key);

// The time at which the witness signed, in seconds since 1970. Lines of other keys are ignored;
// each line of this key must hold, and all must say the same. Errors: kCorrupted
// "checkpoint_malformed", "cosignature_missing", "cosignature_wrong", "cosignature_conflicting".
Result<std::uint64_t> VerifyCosignature(std::string_view note, const WitnessKey& key);

// `note` with a line that a witness answered, once it is found to be by `key` and right. A line
// that the note has already is not added again. Errors: as VerifyCosignature for the result.
// Precondition for a useful result: the note was verified; its other lines are kept as they are.
Result<std::string> AddSignatureLine(std::string_view note, std::string_view line,
                                     const WitnessKey& key);

}  // namespace coffer::audit
