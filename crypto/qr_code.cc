#include "crypto/qr_code.h"

#include <png.h>
#include <qrencode.h>

#include <cerrno>
#include <memory>

#include "crypto/internal/invariant.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto {
namespace {

constexpr std::size_t kMostBytes = 2331;  // of version 40, level M, byte mode (table 7)

// libqrencode does not clear what it frees.
struct WipeAndFree {
  void operator()(QRcode* code) const {
    const auto width = static_cast<std::size_t>(code->width);
    Wipe({code->data, width * width});
    QRcode_free(code);
  }
};

}  // namespace

Result<QrCode> EncodeQr(std::string_view text) {
  if (text.empty()) return Fail(Code::kInvalidArgument, "qr_text_empty");
  if (text.size() > kMostBytes) return Fail(Code::kTooLarge, "qr_text_too_long");
  const std::unique_ptr<QRcode, WipeAndFree> encoded(
      QRcode_encodeData(static_cast<int>(text.size()),
                        reinterpret_cast<const unsigned char*>(text.data()), 0, QR_ECLEVEL_M));
  internal::Require(encoded != nullptr, "memory for a QR code");
  QrCode code;
  code.size = static_cast<std::size_t>(encoded->width);
  code.dark.resize(code.size * code.size);
  for (std::size_t i = 0; i < code.dark.size(); ++i) {
    code.dark[i] = (encoded->data[i] & 1) != 0;  // the other bits say what a module is for
  }
  return code;
}

std::string RenderQrAsText(const QrCode& code) {
  static constexpr std::string_view kLight[] = {" ", "\u2584", "\u2580", "\u2588"};
  const std::size_t side = code.size + 2 * kQuietZoneModules;
  std::string text;
  for (std::size_t y = 0; y < side; y += 2) {
    for (std::size_t x = 0; x < side; ++x) {
      // In front of the quiet zone's end the differences wrap around, and are outside as well.
      const std::size_t row = y - kQuietZoneModules, column = x - kQuietZoneModules;
      const bool upper = !code.IsDark(row, column);
      const bool lower = y + 1 < side && !code.IsDark(row + 1, column);  // the side is odd
      text += kLight[(upper ? 2 : 0) + (lower ? 1 : 0)];
    }
    text += '\n';
  }
  return text;
}

std::string RenderQrAsSvg(const QrCode& code) {
  const std::string side = std::to_string(code.size + 2 * kQuietZoneModules);
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + side + " " + side +
                    "\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h" + side + "v" +
                    side + "H0z\"/><path fill=\"#000\" d=\"";
  for (std::size_t row = 0; row < code.size; ++row) {
    for (std::size_t column = 0; column < code.size; ++column) {
      if (!code.IsDark(row, column)) continue;
      const std::size_t first = column;
      while (code.IsDark(row, column + 1)) ++column;
      const std::string length = std::to_string(column - first + 1);
      svg += "M" + std::to_string(first + kQuietZoneModules) + " " +
             std::to_string(row + kQuietZoneModules) + "h" + length + "v1h-" + length + "z";
    }
  }
  return svg + "\"/></svg>";
}

Bytes RenderQrAsPng(const QrCode& code, std::size_t pixels_per_module) {
  internal::Require(pixels_per_module >= 1 && pixels_per_module <= kMaxPixelsPerModule,
                    "pixels per module of a QR code");
  const std::size_t side = (code.size + 2 * kQuietZoneModules) * pixels_per_module;
  Bytes pixels(side * side);
  for (std::size_t y = 0; y < side; ++y) {
    for (std::size_t x = 0; x < side; ++x) {
      // In front of the quiet zone's end the differences wrap around, and are outside as well.
      const bool dark = code.IsDark(y / pixels_per_module - kQuietZoneModules,
                                    x / pixels_per_module - kQuietZoneModules);
      pixels[y * side + x] = dark ? 0 : 255;
    }
  }
  // The simplified API: its errors are return values, where the other one's are a longjmp, over
  // destructors.
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = image.height = static_cast<png_uint_32>(side);
  image.format = PNG_FORMAT_GRAY;
  png_alloc_size_t length = PNG_IMAGE_PNG_SIZE_MAX(image);
  Bytes png(length);
  const bool written =
      png_image_write_to_memory(&image, png.data(), &length, 0, pixels.data(), 0, nullptr) != 0;
  Wipe(pixels);
  internal::Require(written, "memory for a PNG image");
  png.resize(length);
  return png;
}

}  // namespace coffer::crypto
