#include "api/cli/text/text_decoding.h"

#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <array>
#include <new>
#include <vector>

namespace coffer::cli {
namespace {

constexpr std::size_t kPieceOfText = 16UZ * 1024;  // UTF-16 units decoded at a time
constexpr int kLeastConfidence = 15;               // of 100

// UTF-32 before UTF-16, whose mark its own begins with.
constexpr ByteOrderMark kMarks[] = {
    {"\xef\xbb\xbf", "UTF-8"}, {{"\xff\xfe\0\0", 4}, "UTF-32LE"}, {{"\0\0\xfe\xff", 4}, "UTF-32BE"},
    {"\xff\xfe", "UTF-16LE"},  {"\xfe\xff", "UTF-16BE"},          {"\x84\x31\x95\x33", "GB18030"},
};

using Converter = std::unique_ptr<UConverter, void (*)(UConverter*)>;

Converter OpenConverter(const std::string& name) {
  UErrorCode error = U_ZERO_ERROR;
  Converter converter(ucnv_open(name.c_str(), &error), ucnv_close);
  if (U_FAILURE(error)) return {nullptr, ucnv_close};
  ucnv_setToUCallBack(converter.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &error);
  if (U_FAILURE(error)) throw std::bad_alloc();
  return converter;
}

// An empty name would mean the machine's own encoding, and other signs change what a name means.
bool IsName(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == ':' || c == '+' || c == '(' || c == ')';
  });
}

bool IsUnicode(std::string_view name) { return name.starts_with("UTF-"); }

}  // namespace

std::optional<ByteOrderMark> ByteOrderMarkOf(std::string_view beginning) {
  for (const ByteOrderMark& mark : kMarks) {
    if (beginning.starts_with(mark.bytes)) return mark;
  }
  return std::nullopt;
}

std::optional<std::string> EncodingNamed(const std::string& name) {
  const Converter converter = IsName(name) ? OpenConverter(name) : Converter{nullptr, ucnv_close};
  if (converter == nullptr) return std::nullopt;
  UErrorCode error = U_ZERO_ERROR;
  const std::string internal = ucnv_getName(converter.get(), &error);
  for (const char* standard : {"MIME", "IANA"}) {
    error = U_ZERO_ERROR;
    const char* known = ucnv_getStandardName(internal.c_str(), standard, &error);
    if (U_SUCCESS(error) && known != nullptr) return known;
  }
  return internal;
}

struct TextDecoder::State {
  Converter converter;
  bool stands_for_all = false;  // of the bytes, each stands for a character, if only for a control
  std::vector<UChar> units = std::vector<UChar>(kPieceOfText);
  std::ptrdiff_t held = 0;  // at the beginning of `units`: half a pair, when 1

  bool IsText(const UChar* from, const UChar* to) const {
    return std::all_of(from, to, [this](UChar c) {
      return c != 0 && (!stands_for_all || c < 0x80 || c > 0x9f || c == 0x85);
    });
  }
  // False, and nothing appended, for what is no UTF-16.
  static bool Append(const UChar* from, const UChar* to, std::string& text) {
    std::int32_t size = 0;
    const std::size_t had = text.size();
    const auto units_size = static_cast<std::int32_t>(to - from);
    text.resize(had + 3 * static_cast<std::size_t>(units_size));
    UErrorCode error = U_ZERO_ERROR;
    u_strToUTF8(text.data() + had, 3 * units_size, &size, from, units_size, &error);
    text.resize(had + static_cast<std::size_t>(U_FAILURE(error) ? 0 : size));
    return U_SUCCESS(error);
  }
};

TextDecoder::TextDecoder(const std::string& encoding)
    : state_(new State{OpenConverter(encoding), !IsUnicode(encoding)}) {
  if (state_->converter == nullptr) throw std::bad_alloc();
}
TextDecoder::~TextDecoder() = default;
TextDecoder::TextDecoder(TextDecoder&&) noexcept = default;
TextDecoder& TextDecoder::operator=(TextDecoder&&) noexcept = default;

void TextDecoder::Restart() {
  ucnv_resetToUnicode(state_->converter.get());
  state_->held = 0;
}

bool TextDecoder::Decode(std::string_view bytes, bool last, std::string& text) {
  text.clear();
  const char* source = bytes.data();
  const char* const end = source + bytes.size();
  for (;;) {
    UErrorCode error = U_ZERO_ERROR;
    UChar* const units = state_->units.data();
    UChar* target = units + state_->held;
    ucnv_toUnicode(state_->converter.get(), &target, units + kPieceOfText, &source, end, nullptr,
                   static_cast<UBool>(last), &error);
    const bool more = error == U_BUFFER_OVERFLOW_ERROR;
    // A full buffer parts a character of two units: its second one comes with the next piece.
    const bool parted = target > units && U16_IS_LEAD(target[-1]) && (more || !last);
    if (parted) --target;
    const UChar* const fault =
        std::find_if(static_cast<const UChar*>(units), static_cast<const UChar*>(target),
                     [this](UChar c) { return !state_->IsText(&c, &c + 1); });
    const bool whole = State::Append(units, fault, text);
    state_->held = parted ? 1 : 0;
    if (parted) units[0] = *target;
    if (!whole || fault != target) return false;
    if (!more) return U_SUCCESS(error);
  }
}

std::optional<std::string> LikelyEncoding(std::string_view sample) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UCharsetDetector, void (*)(UCharsetDetector*)> detector(ucsdet_open(&error),
                                                                                ucsdet_close);
  ucsdet_setText(detector.get(), sample.data(), static_cast<std::int32_t>(sample.size()), &error);
  std::int32_t count = 0;
  const UCharsetMatch** const matches = ucsdet_detectAll(detector.get(), &count, &error);
  if (U_FAILURE(error)) return std::nullopt;
  for (std::int32_t i = 0; i < count; ++i) {
    if (ucsdet_getConfidence(matches[i], &error) < kLeastConfidence) break;
    const auto name = EncodingNamed(ucsdet_getName(matches[i], &error));
    // Unicode is told by its marks and its zeros; a mainframe's letters are taken for everybody's.
    if (U_FAILURE(error) || !name || IsUnicode(*name) || name->starts_with("IBM42")) continue;
    std::string text;
    if (TextDecoder(*name).Decode(sample, false, text)) return name;
  }
  return std::nullopt;
}

}  // namespace coffer::cli
