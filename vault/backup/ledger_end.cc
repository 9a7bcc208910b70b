#include "vault/backup/ledger_end.h"

#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <vector>

#include "audit/documents/erasure_ledger.h"

namespace coffer::vault {

Result<LedgerEnd> ReadLedgerEnd(const std::string& path, std::uint64_t most) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return Fail(error ? Code::kUnavailable : Code::kNotFound,
                error ? "file_not_read" : "file_missing", path);
  }
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
