// Evidence bundles: chosen entries of a log, signed, in one file that an outsider can check without
// Coffer. A zip archive of
//
//   MANIFEST.json         what this is, and SHA-256 and size of every other file
//   MANIFEST.sig          C2SP signed note over "coffer-evidence-v1\n<origin>\n<SHA-256 of
//                         MANIFEST.json in hex>\n", by the log's key
//   checkpoint            the signed tree head that the proofs lead to
//   log.vkey              verifier keys of the log, one a line; first the one that signed this
//   entries.ndjson        the exact entries in the log's order, one a line
//   proofs/<seq>.tlog-proof   c2sp.org/tlog-proof@v1 of each entry
//   reasons.ndjson        {"salt","seq","text"} of each reason opened; only when they are included
//   index.html, index.ru.html, index.zh.html, index.de.html   the same for reading
//   VERIFY.txt            how to check it with public tools
//
// docs/formats.md has them to the byte. A proof is a file of its own because it is then a standard
// document that other tools of transparency logs take as it is.
//
// What a bundle shows, and what not. Inclusion proofs show that each entry is of the log,
// unaltered. They say nothing of entries that are not in the bundle: that a selection (of a client,
// of a principal) is all there is, the manifest only claims, with the vault's signature under it. A
// range of the log proves it: numbers without a gap, each entry chained to the one before it, and
// beyond each end a neighbour outside the time span, or the log's own end.
#pragma once

#include "audit/documents/evidence.h"
#include "audit/tlog/checkpoint.h"
#include "crypto/bytes.h"
#include "crypto/result.h"
#include "crypto/sign.h"

namespace coffer::audit {

// The bundle's bytes. What would not pass VerifyEvidence is not written: its proofs, its checkpoint
// and its notes are checked with the public half of `key` first. Errors: kCorrupted
// "evidence_invalid" with the first finding, and an issue for each that is about an entry
// ("/entries/41"); kTooLarge "evidence_too_large".
Result<crypto::Bytes> WriteEvidence(const Evidence& evidence, const crypto::SigningKey& key);

// What a bundle holds. Strict in form, and every file must be the manifest's; no signature and no
// proof is checked. Errors: kCorrupted "evidence_invalid" with the first finding.
Result<Evidence> ReadEvidence(crypto::ByteView bundle);

// Checks all of it. `trusted` is the log's key as the verifier knows it from elsewhere: a key that
// comes with the bundle shows nothing.
EvidenceReport VerifyEvidence(crypto::ByteView bundle, const VerifierKey& trusted);

}  // namespace coffer::audit
