#include "audit/documents/act_document.h"

#include <algorithm>
#include <set>
#include <utility>

#include "audit/documents/act_json.h"
#include "audit/documents/signed_document.h"
#include "audit/entries/entry.h"
#include "audit/entries/succession.h"
#include "audit/tlog/note.h"
#include "audit/tlog/proof.h"
#include "crypto/hash.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kReplayedAction = "erasure.replayed";
constexpr std::string_view kErasureActions[] = {"client.erase", kReplayedAction, "record.erase",
                                                "retention.erase"};

struct ActDocument {
  ErasureAct act;
  std::string entry, note, proof;
};

std::string FormatActDocument(std::string_view act_json, std::string_view entry,
                              std::string_view note, std::string_view proof) {
  CanonicalWriter out;
  out.Open().Json("act", act_json).Text("entry", entry).Text("note", note);
  out.Text("proof", proof).Close();
  return out.Take();
}

std::optional<ActDocument> ParseActDocument(std::string_view text) {
  // Files end with a line feed that the document does not have.
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.size() > kMaxActDocumentBytes) return std::nullopt;
  ActDocument document;
  CanonicalReader in(text);
  if (!in.Open() || !in.Member("act") || !ReadActJson(in, document.act) ||
      !in.Text("entry", document.entry) || !in.Text("note", document.note) ||
      !in.Text("proof", document.proof) || !in.Close() || !in.AtEnd() ||
      !ActProblem(document.act).empty() ||
      FormatActDocument(FormatActJson(document.act), document.entry, document.note,
                        document.proof) != text) {
    return std::nullopt;
  }
  return document;
}

class ActCheck {
 public:
  ActCheck(const ActDocument& document, std::span<const VerifierKey> trusted, ActReport& report)
      : document_(document), act_(document.act), trusted_(trusted), report_(report) {}

  void Run() {
    CheckSignature();
    CheckCounts();
    CheckEntry();
    CheckProof();
  }

 private:
  void Add(std::string check, std::string message) {
    report_.findings.push_back({std::move(check), std::move(message)});
  }

  void CheckSignature() {
    auto signer = VerifyDocument(document_.note, kActFormat, trusted_);
    if (!signer) {
      Add("signature", std::string(signer.error().reason) + ": " + signer.error().detail);
      return;
    }
    if (*DocumentIn(document_.note, kActFormat) != FormatActJson(act_)) {
      Add("act", "the act is not the one that was signed");
    }
    if (act_.log != signer->name) Add("act", "the act is of another log");
    report_.signed_by = *std::move(signer);
  }

  void CheckCounts() {
    // An act that is not the one that was signed may say anything.
    if (act_.scope.kind != ScopeKind::kRecords || !report_.findings.empty()) return;
    const std::set<std::string_view> named(act_.records.begin(), act_.records.end());
    if (named.size() != act_.records.size()) Add("act", "the act names a record twice");
    std::uint64_t counted = 0;
    for (const auto& category : act_.categories) {
      counted += std::min<std::uint64_t>(category.records, kMaxActRecords + 1);
    }
    if (counted > named.size()) {
      Add("act", "the act counts more records than it names");
    }
  }

  void CheckEntry() {
    if (crypto::Sha256(crypto::AsBytes(document_.entry)) != act_.entry_hash) {
      Add("entry", "the entry is not the one that the act names");
    }
    const auto entry = ParseEntry(document_.entry);
    if (!entry) {
      Add("entry", "this is no entry: " + entry.error().detail);
      return;
    }
    report_.entry_action = entry->action;
    report_.entry_time = entry->ts;
    if (entry->seq != act_.log_seq || !IsOrSucceeds(act_.log, entry->log)) {
      Add("entry", "the entry has another number, or is of another log");
    }
    if (std::ranges::find(kErasureActions, entry->action) == std::end(kErasureActions) ||
        entry->decision != Decision::kAllow || entry->outcome != "ok") {
      Add("entry", "the entry is not of an erasure that was done");
    }
    if ((entry->action == kReplayedAction) != act_.replayed.has_value()) {
      Add("entry", "the act or the entry is of an erasure that was repeated after a restore");
    }
    const bool other_class =
        act_.scope.kind == ScopeKind::kClass && entry->class_name != act_.scope.class_name;
    if (entry->client != act_.client || other_class ||
        !IsAboutErasure(entry->detail, act_.erasure, act_.scope)) {
      Add("entry", "the entry is about another erasure, client or scope");
    }
  }

  void CheckProof() {
    const auto proof = ParseProof(document_.proof);
    if (!proof) {
      Add("proof", proof.error().detail);
      return;
    }
    if (proof->index != act_.log_seq) {
      Add("proof", "the proof is of another entry");
      return;
    }
    Error last{Code::kCorrupted, "proof_unsigned", "no key is trusted"};
    for (const VerifierKey& key : trusted_) {
      auto checkpoint = VerifyProof(*proof, crypto::AsBytes(document_.entry), key);
      if (checkpoint && checkpoint->origin == act_.log) {
        report_.checkpoint = *std::move(checkpoint);
        return;
      }
      last = checkpoint ? Error{Code::kCorrupted, "proof_origin_wrong", "it is of another log"}
                        : checkpoint.error();
    }
    Add("proof", std::string(last.reason) + ": " + last.detail);
  }

  const ActDocument& document_;
  const ErasureAct& act_;
  std::span<const VerifierKey> trusted_;
  ActReport& report_;
};

}  // namespace

Result<std::string> WriteAct(const ErasureAct& act, std::string_view name,
                             const crypto::SigningKey& key) {
  std::string problem = ActProblem(act);
  if (problem.empty() && act.log != name) problem = "the act is of another log than its key";
  if (!problem.empty()) return Fail(Code::kInvalidArgument, "act_invalid", std::move(problem));
  return SignDocument(kActFormat, FormatActJson(act), name, key);
}

Result<ErasureAct> ParseAct(std::string_view note) {
  const auto json = DocumentIn(note, kActFormat);
  if (!json) return Corrupted("act_malformed", json.error().detail);
  ErasureAct act;
  CanonicalReader in(*json);
  if (!ReadActJson(in, act) || !in.AtEnd() || FormatActJson(act) != *json) {
    return Corrupted("act_malformed", "not an act in its canonical spelling");
  }
  if (std::string problem = ActProblem(act); !problem.empty()) {
    return Corrupted("act_malformed", std::move(problem));
  }
  return act;
}

Result<std::string> AssembleAct(std::string_view note, std::string_view entry,
                                std::string_view proof) {
  COFFER_ASSIGN(const ErasureAct act, ParseAct(note));
  return FormatActDocument(FormatActJson(act), entry, note, proof);
}

ActReport VerifyAct(std::string_view document, std::span<const VerifierKey> trusted) {
  ActReport report;
  const auto parsed = ParseActDocument(document);
  if (!parsed) {
    report.findings.push_back(
        {"document", "not the document of an act, or not in its canonical spelling"});
    return report;
  }
  report.act = parsed->act;
  report.missing = MissingItems(parsed->act);
  ActCheck(*parsed, trusted, report).Run();
  return report;
}

}  // namespace coffer::audit
