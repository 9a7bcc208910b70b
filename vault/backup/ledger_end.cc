#include "vault/backup/ledger_end.h"

#include <filesystem>
#include <fstream>
#include <system_error>

namespace coffer::vault {

Result<LedgerEnd> ReadLedgerEnd(const std::string& path, std::uint64_t most) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return Fail(error ? Code::kUnavailable : Code::kNotFound,
                error ? "file_not_read" : "file_missing", path);
  }
  std::ifstream file(path, std::ios::binary);
  LedgerEnd end;
  std::string line, last;
  while (end.lines < most && std::getline(file, line) && !file.eof()) {
    ++end.lines;
    last.swap(line);
  }
  if (file.bad() || !file.is_open()) return Fail(Code::kUnavailable, "file_not_read", path);
  if (end.lines > 0) end.last = crypto::Sha256(crypto::AsBytes(last));
  return end;
}

}  // namespace coffer::vault
