// A file of exported entries, one a line, as `coffer log export` writes it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/cli/files/input_file.h"
#include "api/cli/verify/remote_log.h"
#include "audit/entries/log_reader.h"

namespace coffer::cli {

// Reads forward only, which is how a verification reads; lines longer than any entry are cut, so
// that no file can fill the memory.
class EntriesFile : public audit::LogSource {
 public:
  // Precondition: opened for many passes.
  EntriesFile(std::unique_ptr<InputFile> file, EntryProgress progress);
  ~EntriesFile() override;

  Result<std::uint64_t> Size() override;
  // Precondition: `from` is where the last call ended, or 0.
  Status ReadEntries(std::uint64_t from, std::uint64_t to,
                     const std::function<Status(std::uint64_t, std::string_view)>& each) override;
  Result<crypto::Bytes> ReadTile(unsigned level, std::uint64_t n) override;  // kNotFound

 private:
  struct State;
  Status Rewind();
  Result<bool> NextLine();

  std::unique_ptr<State> state_;
  EntryProgress progress_;
  std::optional<std::uint64_t> size_;
  std::uint64_t at_ = 0;
};

}  // namespace coffer::cli
