#include "api/cli/files/input_kind.h"

#include "audit/tlog/checkpoint_text.h"

namespace coffer::cli {
namespace {

constexpr std::size_t kSniffed = 64UZ * 1024;

struct Sign {
  InputKind kind;
  std::string_view begins;
};
constexpr Sign kSigns[] = {
    {InputKind::kState, "coffer-log-state-v1\n"},
    {InputKind::kState, "coffer-log-state-v2\n"},
    {InputKind::kAnchor, "coffer-anchor-v1\n"},
    {InputKind::kProof, "c2sp.org/tlog-proof@v1\n"},
    {InputKind::kEvidence, "PK\x03\x04"},
    {InputKind::kLedger, "{\"act\":\"act_"},
    {InputKind::kAct, "{\"act\":"},
    {InputKind::kRunReport, "{\"note\":\"coffer-run-report-"},
    {InputKind::kDrillReport, "{\"note\":\"coffer-drill-report-"},
    {InputKind::kEntries, "{\"action\":\""},
    {InputKind::kLedger, "{\"client\":\"cli_"},
};

struct Spoken {
  InputKind kind;
  std::string_view name, option;
};
constexpr Spoken kNames[] = {
    {InputKind::kUnknown, "of no kind that is known here", ""},
    {InputKind::kEmpty, "empty", ""},
    {InputKind::kEntries, "an export of entries, or an entry", "--entries or --entry"},
    {InputKind::kCheckpoint, "a checkpoint", "--checkpoint"},
    {InputKind::kProof, "a proof", "--proof"},
    {InputKind::kEvidence, "an evidence bundle", "--evidence"},
    {InputKind::kAct, "an act of an erasure", "--act"},
    {InputKind::kRunReport, "a report of a retention run", "--run-report"},
    {InputKind::kDrillReport, "a report of a drill", "--drill-report"},
    {InputKind::kLedger, "a ledger of erasures", "--ledger"},
    {InputKind::kState, "a remembered state", "--state"},
    {InputKind::kAnchor, "an anchor", "--anchor"},
};

const Spoken& NameOf(InputKind kind) {
  for (const Spoken& spoken : kNames) {
    if (spoken.kind == kind) return spoken;
  }
  return kNames[0];
}

// A first line that was damaged makes no other kind of an export.
bool HasEntry(std::string_view beginning) {
  return beginning.find("\n{\"action\":\"") != beginning.npos;
}

}  // namespace

InputKind InputKindOf(std::string_view beginning) {
  if (beginning.empty()) return InputKind::kEmpty;
  for (const Sign& sign : kSigns) {
    if (beginning.starts_with(sign.begins)) return sign.kind;
  }
  if (audit::ReadUnverifiedCheckpoint(beginning)) return InputKind::kCheckpoint;
  return HasEntry(beginning) ? InputKind::kEntries : InputKind::kUnknown;
}

Outcome<void> ExpectKind(const std::string& path, std::string_view beginning, InputKind expected) {
  const InputKind kind = InputKindOf(beginning);
  if (kind == expected) return {};
  const Spoken& is = NameOf(kind);
  return Failed(Exit::kUsage,
                NameOfInput(path) + " is " + std::string(is.name) + ", not " +
                    std::string(NameOf(expected).name) + "; nothing was verified",
                is.option.empty() ? "" : "Give it with " + std::string(is.option) + ".");
}

Outcome<void> ExpectKindOfFile(InputFile& file, InputKind expected) {
  std::string beginning(kSniffed, '\0');
  COFFER_ASSIGN(const std::size_t size, file.Read(beginning));
  beginning.resize(size);
  COFFER_TRY(ExpectKind(file.name(), beginning, expected));
  return file.Rewind();
}

Failure OfAnotherLog(const std::string& what, const std::string& origin, const std::string& key) {
  return {Exit::kUsage,
          NameOfInput(what) + " is of the log \"" + origin + "\", the verifier key of \"" + key +
              "\"; nothing was verified",
          "Give the verifier key, or the files, of one and the same log.", false};
}

}  // namespace coffer::cli
