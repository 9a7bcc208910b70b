#include "vault/backup/ledger_end.h"

#include <fstream>
#include <string_view>
#include <vector>

#include "audit/documents/erasure_ledger.h"
#include "crypto/atomic_file.h"

namespace coffer::vault {

Result<LedgerEnd> ReadLedgerEnd(const std::string& path, std::uint64_t most) {
  COFFER_TRY(crypto::CheckIsFile(path));
  std::ifstream file(path, std::ios::binary);
  LedgerEnd end;
  if (!file.is_open()) return Fail(Code::kUnavailable, "file_not_read", path);
  std::vector<char> line(audit::kMaxLedgerLineBytes + 2);
  while (end.lines < most && file.getline(line.data(), static_cast<std::streamsize>(line.size()))) {
    if (file.eof()) break;  // without a newline: of an append that was cut short
    ++end.lines;
    const auto bytes = static_cast<std::size_t>(file.gcount()) - 1;
    end.last = crypto::Sha256(crypto::AsBytes(std::string_view(line.data(), bytes)));
  }
  if (file.bad()) return Fail(Code::kUnavailable, "file_not_read", path);
  if (file.fail() && !file.eof()) {
    return Fail(Code::kCorrupted, "ledger_damaged",
                path + " has a line that is longer than any of a ledger");
  }
  return end;
}

}  // namespace coffer::vault
