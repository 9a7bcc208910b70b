#include "api/cli/import/import_source.h"

#include <algorithm>
#include <utility>

#include "api/cli/import/foreign_format.h"

namespace coffer::cli {
namespace {

constexpr std::size_t kPiece = 64UZ * 1024;
constexpr std::size_t kSample = 64UZ * 1024;
constexpr std::uint64_t kMostLooked = std::uint64_t{16} << 20;  // behind a fault, for a sample
// So many characters of several bytes in a row are UTF-8 by no chance in another encoding.
constexpr std::uint64_t kCertainlyUtf8 = 8;

std::uint64_t Count(std::string_view text, char c) {
  return static_cast<std::uint64_t>(std::ranges::count(text, c));
}

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// UTF-16 needs its mark, or its order of bytes said.
bool LacksByteOrder(std::string_view encoding) {
  return encoding == "UTF-16" || encoding == "UTF-32";
}

// UTF-16 of European texts has a zero in every other place.
std::string LikelyUtf16(std::string_view bytes) {
  std::size_t even = 0, odd = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\0') ++(i % 2 == 0 ? even : odd);
  }
  if (4 * (even + odd) < bytes.size()) return {};
  if (even > 8 * odd) return "UTF-16BE";
  return odd > 8 * even ? "UTF-16LE" : "";
}

std::string Suggestion(const std::string& encoding) {
  return encoding.empty() ? "" : "; it looks like " + encoding + ": try --encoding " + encoding;
}

constexpr const char* kNothingStored =
    "Nothing was stored. A table can also be exported again, as CSV in UTF-8.";

}  // namespace

// What a second look at a file finds that could not be decoded.
struct ImportSource::Look {
  std::uint64_t line = 1;  // of the fault
  std::string beginning;   // of the file
  std::string sample;      // of its lines that are not ASCII
};

Outcome<std::unique_ptr<ImportSource>> ImportSource::Open(const std::string& path,
                                                          const std::string& encoding,
                                                          const std::string& otherwise) {
  COFFER_ASSIGN(auto file, InputFile::Open(path));
  std::unique_ptr<ImportSource> source(new ImportSource(std::move(file)));
  COFFER_TRY(source->Begin(encoding, otherwise));
  return source;
}

Outcome<void> ImportSource::Begin(const std::string& encoding, const std::string& otherwise) {
  buffer_.resize(kPiece);
  COFFER_ASSIGN(const std::size_t size, file_->Read(buffer_));
  const std::string_view beginning(buffer_.data(), size);
  if (beginning.empty()) {
    return Failed(Exit::kUsage, name() + (file_->IsReadOnce() ? " gave nothing" : " is empty"),
                  "The first line of a table must name its columns.");
  }
  const bool says_nothing = encoding.empty() && !ByteOrderMarkOf(beginning);
  COFFER_TRY(ChooseEncoding(beginning, says_nothing ? otherwise : encoding));
  COFFER_TRY(RefuseForeignFormat(beginning.substr(mark_)));
  return Rewind();
}

Outcome<void> ImportSource::ChooseEncoding(std::string_view beginning,
                                           const std::string& encoding) {
  const auto mark = ByteOrderMarkOf(beginning);
  if (mark) {
    encoding_ = mark->encoding;
    mark_ = mark->bytes.size();
  }
  if (!encoding.empty()) {
    const auto known = EncodingNamed(encoding);
    if (!known) {
      return Failed(Exit::kUsage, "there is no encoding \"" + encoding + "\" here",
                    "Names are those of ICU, such as UTF-8, UTF-16LE, windows-1251, windows-1252, "
                    "IBM866, KOI8-R, GB18030, Big5, Shift_JIS.");
    }
    if (mark && *known != encoding_ &&
        !(LacksByteOrder(*known) && std::string_view(encoding_).starts_with(*known))) {
      return Failed(Exit::kUsage,
                    name() + " begins with the byte order mark of " + encoding_ +
                        ", and --encoding says " + *known,
                    "Leave --encoding out: the mark says what the file is.");
    }
    if (!mark && LacksByteOrder(*known)) {
      return Failed(Exit::kUsage, name() + " has no byte order mark",
                    "Say --encoding " + *known + "LE (of Windows) or " + *known + "BE.");
    }
    if (!mark) encoding_ = *known;
    named_ = !mark;
  }
  if (encoding_ != "UTF-8") decoder_.emplace(encoding_);
  return {};
}

Outcome<void> ImportSource::RefuseForeignFormat(std::string_view beginning) {
  if (mark_ > 0 && decoder_) {
    decoder_->Decode(beginning, false, decoded_);
    beginning = decoded_;
  }
  const auto format = ForeignFormatOf(beginning);
  if (!format) return {};
  return Failed(Exit::kUsage, name() + " is " + std::string(format->name) + ", not CSV",
                std::string(format->advice));
}

Outcome<void> ImportSource::Rewind() {
  at_start_ = true;
  ended_ = false;
  utf8_ = {};
  other_than_utf8_.reset();
  lines_ = 1;
  if (decoder_) decoder_->Restart();
  return file_->Rewind();
}

Outcome<std::string_view> ImportSource::Next() {
  for (;;) {
    if (ended_) return std::string_view();
    COFFER_ASSIGN(const std::size_t size, file_->Read(buffer_));
    ended_ = size < buffer_.size();
    std::string_view bytes(buffer_.data(), size);
    if (std::exchange(at_start_, false)) bytes.remove_prefix(std::min(mark_, bytes.size()));
    COFFER_ASSIGN(const std::string_view text, decoder_ ? NextDecoded(bytes) : NextUtf8(bytes));
    if (!text.empty()) return text;
  }
}

Outcome<std::string_view> ImportSource::NextUtf8(std::string_view bytes) {
  auto fault = utf8_.Take(bytes);
  if (!fault && ended_) fault = utf8_.Finish();
  if (fault) return std::unexpected(NotUtf8(*fault + mark_));
  return bytes;
}

Outcome<std::string_view> ImportSource::NextDecoded(std::string_view bytes) {
  const bool decoded = decoder_->Decode(bytes, ended_, decoded_);
  lines_ += Count(decoded_, '\n');
  if (!decoded) return std::unexpected(NotDecoded());
  if (named_ && !other_than_utf8_) {
    other_than_utf8_ = utf8_.Take(bytes);
    if (ended_ && !other_than_utf8_) other_than_utf8_ = utf8_.Finish();
  }
  if (ended_) COFFER_TRY(CheckNotUtf8());
  return decoded_;
}

// Most encodings can read UTF-8 as other characters, and store rubbish.
Outcome<void> ImportSource::CheckNotUtf8() const {
  if (!named_ || other_than_utf8_ || utf8_.wide_characters() < kCertainlyUtf8) return {};
  return Failed(Exit::kUsage,
                name() + " is UTF-8 from its beginning to its end; as " + encoding_ +
                    " it would be other characters",
                "Say --encoding UTF-8.");
}

// Reads the file once more. Whatever fails is told instead of the fault.
Outcome<ImportSource::Look> ImportSource::LookAgain(std::uint64_t offset) {
  COFFER_TRY(file_->Rewind());
  ended_ = true;
  Look look;
  std::uint64_t at = 0, line_feeds = 0, returns = 0;
  for (;;) {
    COFFER_ASSIGN(const std::size_t size, file_->Read(buffer_));
    const std::string_view bytes(buffer_.data(), size);
    if (at == 0) look.beginning = bytes;
    if (at < offset) {
      const std::string_view before = bytes.substr(0, offset - at);
      line_feeds += Count(before, '\n');
      returns += Count(before, '\r');
    }
    at += size;
    for (std::size_t from = 0; from < size && look.sample.size() < kSample;) {
      const std::size_t end = std::min(bytes.find('\n', from), size - 1) + 1;
      const std::string_view line = bytes.substr(from, end - from);
      if (!IsAscii(line)) look.sample += line.substr(0, kSample - look.sample.size());
      from = end;
    }
    if (size < buffer_.size() || (at > offset && look.sample.size() >= kSample) ||
        at > offset + kMostLooked) {
      break;
    }
  }
  look.line += line_feeds > 0 ? line_feeds : returns;
  return look;
}

Failure ImportSource::NotUtf8(std::uint64_t offset) {
  const auto look = LookAgain(offset);
  if (!look) return look.error();
  const std::string where = "first at line " + std::to_string(look->line);
  const std::string wide = LikelyUtf16(look->beginning);
  if (!wide.empty()) {
    return {Exit::kUsage, name() + " is not UTF-8, " + where + Suggestion(wide), kNothingStored};
  }
  if (look->beginning.find('\0') != std::string::npos) {
    return {Exit::kUsage, name() + " is no text: it has zero bytes, " + where, kNothingStored};
  }
  const std::string likely = LikelyEncoding(look->sample).value_or("");
  return {Exit::kUsage, name() + " is not UTF-8, " + where + (mark_ > 0 ? "" : Suggestion(likely)),
          kNothingStored};
}

Failure ImportSource::NotDecoded() {
  ended_ = true;
  const std::string what =
      name() + " is not " + encoding_ + ", first at line " + std::to_string(lines_);
  const auto look = LookAgain(0);
  if (!look) return look.error();
  const std::string likely = mark_ > 0 ? "" : LikelyEncoding(look->sample).value_or("");
  return {Exit::kUsage, what + Suggestion(likely == encoding_ ? "" : likely), kNothingStored};
}

}  // namespace coffer::cli
