#include "api/cli/verify/verify_report.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "crypto/encoding.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

// The largest number of entries a signature vouches for.
std::uint64_t SignedSize(const VerificationResult& result) {
  return result.log.newest_checkpoint ? result.log.newest_checkpoint->size : 0;
}

using Became = audit::VerifyReport::Compared::Result;

std::string_view NameOf(Became result) {
  switch (result) {
    case Became::kHolds:
      return "holds";
    case Became::kLost:
      return "lost";
    case Became::kDiffers:
      return "differs";
    case Became::kBeyond:
      return "beyond";
    case Became::kUnreached:
      return "unreached";
    case Became::kMalformed:
      return "malformed";
    case Became::kOtherLog:
      return "other_log";
    case Became::kUnsigned:
      return "unsigned";
    case Became::kWronglySigned:
      return "wrongly_signed";
    case Became::kUntrusted:
      return "untrusted";
  }
  std::abort();
}

std::string_view SayOf(Became result) {
  switch (result) {
    case Became::kHolds:
      return "contained, unchanged";
    case Became::kLost:
      return "of a log that was closed: the end of it is LOST, see below";
    case Became::kDiffers:
      return "CONTRADICTS: these are other entries";
    case Became::kBeyond:
      return "covers more entries than there are";
    case Became::kUnreached:
      return "covers entries that are missing";
    case Became::kMalformed:
      return "no checkpoint";
    case Became::kOtherLog:
      return "of another log";
    case Became::kUnsigned:
      return "signed by no key of this log";
    case Became::kWronglySigned:
      return "not what was signed";
    case Became::kUntrusted:
      return "signed by a key that is not trusted for it";
  }
  std::abort();
}

// Of each note: what became of it, as far as it was looked at.
std::size_t Looked(const VerificationResult& result) {
  return std::min(result.notes.size(), result.log.compared.size());
}

bool IsContradicted(const VerificationResult& result) {
  for (std::size_t i = 0; i < Looked(result); ++i) {
    const Became became = result.log.compared[i].result;
    if (became == Became::kDiffers || became == Became::kBeyond || became == Became::kLost) {
      return true;
    }
  }
  return false;
}

// What proves a contradiction: each note that does not fit, and those that it does not fit.
std::vector<const VerificationResult::Note*> NotesToKeep(const VerificationResult& result) {
  std::vector<const VerificationResult::Note*> notes;
  if (!IsContradicted(result)) return notes;
  for (std::size_t i = 0; i < Looked(result); ++i) {
    const Became became = result.log.compared[i].result;
    const bool sound = became == Became::kHolds || became == Became::kDiffers ||
                       became == Became::kBeyond || became == Became::kUntrusted ||
                       became == Became::kLost;
    if (sound && !result.notes[i].text.empty()) notes.push_back(&result.notes[i]);
  }
  return notes;
}

std::string NameOfNote(const VerificationResult& result, std::size_t place) {
  return place < result.notes.size() ? result.notes[place].from : std::string();
}

std::string_view StatusOf(const VerificationResult& result) {
  if (result.log.ok()) return result.IsSucceeded() ? "succeeded" : "ok";
  return result.IsBehind() ? "behind" : "damaged";
}

// "entries 7 to 9" of which a checkpoint was known, or how it is said that there is none.
std::string LostOf(const audit::Succession& succession) {
  if (!succession.end_is_known()) return "how many entries are lost is not known";
  if (succession.closed.size < succession.from) return "what it had behind that is lost";
  return "entries " + Grouped(succession.from) + " to " + Grouped(succession.closed.size - 1) +
         " were signed and are lost";
}

void AddComparison(const VerificationResult& result, json& value) {
  value["compared"] = json::array();
  for (std::size_t i = 0; i < Looked(result); ++i) {
    const auto& compared = result.log.compared[i];
    value["compared"].push_back({{"from", result.notes[i].from},
                                 {"given", result.notes[i].given},
                                 {"size", compared.size},
                                 {"result", NameOf(compared.result)}});
  }
  if (result.state) {
    json state{{"file", result.state->path}, {"before", nullptr}, {"now", nullptr}};
    if (result.state->before) state["before"] = *result.state->before;
    if (result.state->now) state["now"] = *result.state->now;
    value["state"] = std::move(state);
  }
  for (const auto& succession : result.log.successions) {
    value["successions"].push_back({{"log", succession.successor},
                                    {"closed", succession.closed.origin},
                                    {"from", succession.from},
                                    {"closed_size", succession.closed.size}});
  }
  if (result.log.parting) {
    value["parting"] = {{"from", result.log.parting->from}, {"before", result.log.parting->before}};
  }
  for (const auto* note : NotesToKeep(result)) {
    value["keep"].push_back({{"from", note->from}, {"note", note->text}});
  }
}

json AsJson(const VerificationResult& result) {
  json findings = json::array();
  for (const auto& finding : result.log.findings) {
    json item{{"check", finding.check}, {"message", finding.message}};
    if (finding.seq) item["seq"] = *finding.seq;
    if (finding.checkpoint) item["checkpoint"] = NameOfNote(result, *finding.checkpoint);
    findings.push_back(std::move(item));
  }
  json value{{"ok", StatusOf(result) == "ok"},
             {"status", StatusOf(result)},
             {"origin", result.origin},
             {"key_pinned", result.key_is_pinned},
             {"size", result.log.size},
             {"root", crypto::HexEncode(result.log.root)},
             {"allowed", result.log.allowed},
             {"denied", result.log.denied},
             {"checkpoint_size", SignedSize(result)},
             {"findings", std::move(findings)}};
  if (result.deep) {
    value["clients_checked"] = result.deep->clients;
    value["records_checked"] = result.deep->records;
  }
  AddComparison(result, value);
  return value;
}

std::string Coverage(const VerificationResult& result) {
  if (!result.log.newest_checkpoint) return "none of the checkpoints fits";
  const std::uint64_t covered = SignedSize(result);
  if (covered >= result.log.size) return "signed, over all entries";
  return "signed, over the first " + Grouped(covered) + "; " + Grouped(result.log.size - covered) +
         " newer entries are not signed yet";
}

void PrintFindings(const VerificationResult& result, Console& console) {
  Table table({"ENTRY", "CHECK", "WHAT IS WRONG"});
  for (const auto& finding : result.log.findings) {
    const std::string file =
        finding.checkpoint ? NameOfNote(result, *finding.checkpoint) : std::string();
    table.Add({finding.seq ? std::to_string(*finding.seq) : "-", finding.check,
               (file.empty() ? "" : file + ": ") + finding.message});
  }
  table.Print(console);
}

// What this verification was able to see, and what not.
void PrintComparison(const VerificationResult& result, Console& console) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (std::size_t i = 0; i < Looked(result); ++i) {
    const auto& note = result.notes[i];
    if (!note.given) continue;
    const auto& compared = result.log.compared[i];
    lines.emplace_back(lines.empty() ? "compared with" : "and with",
                       note.from + ", " + Grouped(compared.size) +
                           " entries: " + std::string(SayOf(compared.result)));
  }
  if (lines.empty()) {
    lines.emplace_back("compared with",
                       "nothing from before: whether entries were taken back or replaced since "
                       "another time is not known");
  }
  if (result.state && !result.state->before) {
    lines.emplace_back(
        "state", result.state->path +
                     " did not exist: there was nothing to compare "
                     "with" +
                     (result.state->now
                          ? "; it remembers " + Grouped(*result.state->now) + " entries from now on"
                          : "; nothing is remembered"));
  } else if (result.state) {
    lines.emplace_back("state", result.state->path + " remembered " +
                                    Grouped(*result.state->before) + " entries, and remembers " +
                                    Grouped(*result.state->now) + " now");
  }
  for (const auto& succession : result.log.successions) {
    lines.emplace_back("from entry " + Grouped(succession.from),
                       succession.successor + ", in the place of " + succession.closed.origin +
                           ", which was closed: " + LostOf(succession));
  }
  PrintFields(console, lines);
}

void PrintNotesToKeep(const VerificationResult& result, Console& console) {
  const auto notes = NotesToKeep(result);
  if (notes.empty()) return;
  console.out
      << "\nKeep all of these notes, to the byte, where whoever runs the vault cannot reach "
         "them:\nthat they do not fit together is evidence, which anybody can check who "
         "has the\nverifier key.\n";
  for (const auto* note : notes) {
    console.out << "\n--- " << Printable(note->from) << ":\n" << PrintableLines(note->text);
  }
}

void PrintBehind(const VerificationResult& result, Console& console) {
  console.out << "\nBEHIND: what is there is whole, and it ends before what was seen already:\n";
  PrintFindings(result, console);
  console.out << "\nA mirror that was not brought up to date, an export or a copy of an earlier "
                 "time are so.\nIf this is the vault's own log, its end was taken away.\n";
  PrintNotesToKeep(result, console);
}

void PrintText(const VerificationResult& result, Console& console) {
  const audit::VerifyReport& log = result.log;
  const auto checked = [&](std::uint64_t VerificationResult::Deep::* count) {
    return result.deep ? Grouped((*result.deep).*count) + " compared with the log" : std::string();
  };
  PrintFields(console, {{"log", result.origin},
                        {"entries", Grouped(log.size) + " (" + Grouped(log.allowed) + " allowed, " +
                                        Grouped(log.denied) + " denied)"},
                        {"root", crypto::HexEncode(log.root)},
                        {"checkpoint", Coverage(result)},
                        {"key", result.key_is_pinned ? "as given" : "not given: see below"},
                        {"stored clients", checked(&VerificationResult::Deep::clients)},
                        {"stored records", checked(&VerificationResult::Deep::records)}});
  PrintComparison(result, console);
  if (!result.key_is_pinned) {
    console.out
        << "\nThe verifier key came from what was verified. That proves less: somebody who\n"
           "replaced the whole log would have replaced its key as well. Give the key that\n"
           "was noted when the vault was made with --log-key.\n";
  }
  if (result.IsSucceeded()) {
    console.out
        << "\nSUCCEEDED: the log that was compared with is closed, and its end is lost. What "
           "is there is whole,\nand has its successor's name. Whether the loss is as it was "
           "told is for whoever runs the vault to show.\n";
    PrintNotesToKeep(result, console);
    return;
  }
  if (log.ok()) {
    console.out << "\nOK: the log is whole.\n";
    return;
  }
  if (result.IsBehind()) {
    PrintBehind(result, console);
    return;
  }
  console.out << "\nDAMAGED:\n";
  PrintFindings(result, console);
  console.out << "\nKeep this data as it is, and compare it with exports, checkpoints and backups\n"
                 "that were kept elsewhere.\n";
  PrintNotesToKeep(result, console);
}

}  // namespace

bool VerificationResult::IsSucceeded() const {
  return log.ok() && std::ranges::any_of(log.compared, [](const auto& compared) {
           return compared.result == audit::VerifyReport::Compared::Result::kLost;
         });
}

bool VerificationResult::IsBehind() const {
  if (is_origin || log.ok() || !log.newest_checkpoint) return false;
  for (const auto& finding : log.findings) {
    if (finding.check != "truncated") return false;
  }
  // Its own checkpoint covers no more than there is: nothing was taken from what it had.
  for (std::size_t i = 0; i < notes.size() && i < log.compared.size(); ++i) {
    if (!notes[i].given &&
        log.compared[i].result != audit::VerifyReport::Compared::Result::kHolds) {
      return false;
    }
  }
  return true;
}

Exit PrintVerification(const VerificationResult& result, bool json_wanted, Console& console) {
  if (json_wanted) {
    PrintJson(console, AsJson(result));
  } else {
    PrintText(result, console);
  }
  if (result.IsSucceeded()) return Exit::kSucceeded;
  return result.log.ok() ? Exit::kOk : result.IsBehind() ? Exit::kBehind : Exit::kDamaged;
}

}  // namespace coffer::cli
