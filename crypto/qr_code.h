// QR codes (ISO/IEC 18004) of short texts, for terminals and for pages: an authenticator app reads
// its secret from one. What is drawn holds the text: a drawing of a secret is that secret.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/result.h"

namespace coffer::crypto {

// Light modules that must be around the symbol (section 6.3.8), or cameras do not find it. All
// drawings have them.
inline constexpr std::size_t kQuietZoneModules = 4;

struct QrCode {
  std::size_t size = 0;    // modules to a side, without quiet zone: 21 to 177
  std::vector<bool> dark;  // size * size, row by row

  // False outside of the symbol as well: the quiet zone is light.
  bool IsDark(std::size_t row, std::size_t column) const {
    return row < size && column < size && dark[row * size + column];
  }
};

// `text` as bytes, in the smallest symbol with error correction level M, which reads with 15 % of
// it gone. Errors: kInvalidArgument "qr_text_empty"; kTooLarge "qr_text_too_long" above 2,331
// bytes.
Result<QrCode> EncodeQr(std::string_view text);

// Two rows of modules to a line of UTF-8 half blocks, each line ended by "\n". Light modules are
// what is drawn, so that the symbol has its colours on a dark terminal, as most are.
std::string RenderQrAsText(const QrCode& code);

// An <svg> element of one unit to a module that takes the size it is given; black on white, without
// style, script or text, so that no Content-Security-Policy stands in its way.
std::string RenderQrAsSvg(const QrCode& code);

inline constexpr std::size_t kMaxPixelsPerModule = 32;

// A PNG image (ISO/IEC 15948) for what shows no SVG: greyscale of 8 bits, black and white only, no
// chunk that says anything else. Precondition: pixels_per_module is 1..kMaxPixelsPerModule.
Bytes RenderQrAsPng(const QrCode& code, std::size_t pixels_per_module);

}  // namespace coffer::crypto
