// Notes with the signatures of the log and of witnesses, and the texts of their keys.
#include "audit/tlog/checkpoint.h"
#include "audit/tlog/cosignature.h"
#include "audit/tlog/note.h"
#include "tests/audit/tlog/test_keys.h"
#include "tests/fuzz/fuzz.h"

using coffer::fuzz::Require;

COFFER_FUZZ(FuzzCheckpoint)(const std::uint8_t* data, std::size_t size) {
  namespace audit = coffer::audit;
  const std::string_view note = coffer::fuzz::Text(data, size);
  if (const auto key = audit::ParseVerifierKey(note)) {
    Require(audit::FormatVerifierKey(*key) == note, "a verifier key has one spelling");
  }
  if (const auto key = audit::ParseWitnessKey(note)) {
    Require(audit::FormatWitnessKey(*key) == note, "a witness's key has one spelling");
  }
  const audit::WitnessKey witness{"witness.example/w1", audit::OtherKey().public_key()};
  const auto checkpoint = audit::VerifyCheckpoint(note, audit::LogVerifier());
  const auto time = audit::VerifyCosignature(note, witness);
  const auto parsed = audit::ParseCheckpointNote(note);
  if (!parsed) {
    Require(!checkpoint && !time, "what is no checkpoint is not verified");
    return 0;
  }
  const std::string text = audit::CheckpointText(parsed->checkpoint);
  Require(note.starts_with(text), "a checkpoint's three lines have one spelling");
  if (checkpoint) Require(*checkpoint == parsed->checkpoint, "what is verified is what is there");
  const auto line = audit::Cosign(note, 1'679'315'147, witness.name, audit::OtherKey());
  Require(line.has_value(), "a checkpoint can be cosigned");
  const auto added = audit::AddSignatureLine(note, *line, witness);
  // Only a witness's other line stands against it, or a note that is full.
  Require(added || time || note.size() + line->size() > 64 * 1024 ||
              added.error().reason == "cosignature_wrong" ||
              added.error().reason == "cosignature_conflicting",
          "a right line can be added");
  if (added) {
    Require(audit::VerifyCosignature(*added, witness) == 1'679'315'147U,
            "an added line is verified");
    Require(
        audit::VerifyCheckpoint(*added, audit::LogVerifier()).has_value() == checkpoint.has_value(),
        "an added line changes nothing for the log's own");
  }
  return 0;
}
