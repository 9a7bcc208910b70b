// The text of a table: what is in a file, decoded, twice. What a file is, is judged of the file: a
// single character that its encoding does not have makes it another file than it was taken for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/cli/files/input_file.h"
#include "api/cli/text/failure.h"
#include "api/cli/text/text_decoding.h"
#include "api/cli/text/utf8_check.h"

namespace coffer::cli {

class ImportSource {
 public:
  // `encoding`: one of ICU's names, or nothing for what a byte order mark says, else `otherwise`,
  // else UTF-8; "-"
  // as `path` is standard input. Exit::kUsage for a name that is not known or that the byte order
  // mark contradicts, for a file that is empty, or of another kind than a table in text.
  static Outcome<std::unique_ptr<ImportSource>> Open(const std::string& path,
                                                     const std::string& encoding = {},
                                                     const std::string& otherwise = {});
  ImportSource(const ImportSource&) = delete;
  ImportSource& operator=(const ImportSource&) = delete;

  // The next piece in UTF-8, without a byte order mark; nothing at the end. Valid until the next
  // call. Exit::kUsage, with the line and what the file may be, for what is not of the encoding;
  // nothing can be read behind that.
  Outcome<std::string_view> Next();
  Outcome<void> Rewind();

  const std::string& name() const { return file_->name(); }

 private:
  explicit ImportSource(std::unique_ptr<InputFile> file) : file_(std::move(file)) {}
  Outcome<void> Begin(const std::string& encoding, const std::string& otherwise);
  Outcome<void> ChooseEncoding(std::string_view beginning, const std::string& encoding);
  Outcome<void> RefuseForeignFormat(std::string_view beginning);
  Outcome<std::string_view> NextUtf8(std::string_view bytes);
  Outcome<std::string_view> NextDecoded(std::string_view bytes);
  Outcome<void> CheckNotUtf8() const;

  struct Look;
  Outcome<Look> LookAgain(std::uint64_t offset);
  Failure NotUtf8(std::uint64_t offset);
  Failure NotDecoded();

  std::unique_ptr<InputFile> file_;
  std::string buffer_;
  std::string encoding_ = "UTF-8";
  bool named_ = false;    // by whoever imports, not by a mark
  std::size_t mark_ = 0;  // bytes of the byte order mark
  bool at_start_ = true, ended_ = false;
  Utf8Check utf8_;
  std::optional<std::uint64_t> other_than_utf8_;  // where, in a file of a named encoding
  std::optional<TextDecoder> decoder_;            // of what is not UTF-8
  std::string decoded_;
  std::uint64_t lines_ = 1;  // that were decoded
};

}  // namespace coffer::cli
