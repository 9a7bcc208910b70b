#include "api/cli/verify_report.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/json_view.h"
#include "crypto/encoding.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

// The largest number of entries a signature vouches for.
std::uint64_t SignedSize(const VerificationResult& result) {
  return result.log.newest_checkpoint ? result.log.newest_checkpoint->size : 0;
}

json AsJson(const VerificationResult& result) {
  json findings = json::array();
  for (const auto& finding : result.log.findings) {
    json item{{"check", finding.check}, {"message", finding.message}};
    if (finding.seq) item["seq"] = *finding.seq;
    findings.push_back(std::move(item));
  }
  json value{{"ok", result.log.ok()},
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
  return value;
}

std::string Coverage(const VerificationResult& result) {
  if (!result.log.newest_checkpoint) return "none of the checkpoints fits";
  const std::uint64_t covered = SignedSize(result);
  if (covered >= result.log.size) return "signed, over all entries";
  return "signed, over the first " + Grouped(covered) + "; " + Grouped(result.log.size - covered) +
         " newer entries are not signed yet";
}

void PrintFindings(const audit::VerifyReport& log, Console& console) {
  Table table({"ENTRY", "CHECK", "WHAT IS WRONG"});
  for (const auto& finding : log.findings) {
    table.Add({finding.seq ? std::to_string(*finding.seq) : "-", finding.check, finding.message});
  }
  table.Print(console);
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
  if (!result.key_is_pinned) {
    console.out
        << "\nThe verifier key came from what was verified. That proves less: somebody who\n"
           "replaced the whole log would have replaced its key as well. Give the key that\n"
           "was noted when the vault was made with --log-key.\n";
  }
  if (log.ok()) {
    console.out << "\nOK: the log is whole.\n";
    return;
  }
  console.out << "\nDAMAGED:\n";
  PrintFindings(log, console);
  console.out << "\nKeep this data as it is, and compare it with exports, checkpoints and backups\n"
                 "that were kept elsewhere.\n";
}

}  // namespace

Exit PrintVerification(const VerificationResult& result, bool json_wanted, Console& console) {
  if (json_wanted) {
    PrintJson(console, AsJson(result));
  } else {
    PrintText(result, console);
  }
  return result.log.ok() ? Exit::kOk : Exit::kDamaged;
}

}  // namespace coffer::cli
