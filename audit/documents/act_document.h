// An act as it is signed and as it is delivered: a signed note
// (audit/documents/signed_document.h) over
//
//   coffer-erasure-act-v1\n<log's origin>\n<act as canonical JSON>\n
//
// and, with its entry and the proof of that, one JSON document, {"act","entry","note", "proof"}.
// docs/formats.md has both to the byte.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/documents/erasure_act.h"
#include "audit/documents/finding.h"
#include "audit/text/clock.h"
#include "audit/tlog/checkpoint.h"
#include "crypto/result.h"
#include "crypto/sign.h"

namespace coffer::audit {

// The signed note. The same act and key give the same bytes. Missing items do not stop it: what was
// destroyed has to be certified. Errors: kInvalidArgument "act_invalid" for ids and scopes of
// another form, texts that are too long or not UTF-8, or a log that is not `name`; kTooLarge
// "document_too_large".
Result<std::string> WriteAct(const ErasureAct& act, std::string_view name,
                             const crypto::SigningKey& key);

// What a note says, of which no signature is checked. Errors: kCorrupted "act_malformed".
Result<ErasureAct> ParseAct(std::string_view note);

// The document to deliver. `entry` is the exact bytes, `proof` a c2sp.org/tlog-proof@v1. Nothing is
// verified. Errors: kCorrupted "act_malformed" when the note is not an act's.
Result<std::string> AssembleAct(std::string_view note, std::string_view entry,
                                std::string_view proof);

inline constexpr std::size_t kMaxActDocumentBytes = 512UZ * 1024;

struct ActReport {
  std::optional<ErasureAct> act;         // as the document says; absent when it cannot be read
  std::optional<VerifierKey> signed_by;  // when the signature holds
  std::optional<Checkpoint> checkpoint;  // when the proof holds
  std::string entry_action;              // empty when the entry cannot be read
  std::optional<Timestamp> entry_time;
  std::vector<std::string> missing;  // mandatory items that the act lacks: no finding
  // "document" (not one of these, not in the one spelling), "signature", "act" (not what was
  // signed; records named twice, or more counted than named), "entry" (another one, or not about
  // this erasure), "proof". Empty: nothing is wrong.
  std::vector<DocumentFinding> findings;
  bool ok() const { return findings.empty(); }
};

// Checks all of it. `trusted` are keys of the one log, as the verifier knows them from elsewhere:
// the act and the checkpoint in its proof may be signed by different ones.
ActReport VerifyAct(std::string_view document, std::span<const VerifierKey> trusted);

}  // namespace coffer::audit
