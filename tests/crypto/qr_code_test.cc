#include "crypto/qr_code.h"

#include <png.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <charconv>
#include <string>
#include <vector>

namespace coffer::crypto {
namespace {

using Grid = std::vector<std::vector<bool>>;  // dark modules, quiet zone included

QrCode Encode(std::string_view text) {
  auto code = EncodeQr(text);
  REQUIRE(code);
  return *std::move(code);
}

// The symbol with four light modules around, which is what all drawings must show.
Grid WithQuietZone(const QrCode& code) {
  Grid grid(code.size + 8, std::vector<bool>(code.size + 8));
  for (std::size_t row = 0; row < code.size; ++row) {
    for (std::size_t column = 0; column < code.size; ++column) {
      grid[row + 4][column + 4] = code.dark[row * code.size + column];
    }
  }
  return grid;
}

// Reads half blocks: the half that is drawn is light.
Grid GridOfText(std::string_view text) {
  Grid grid(1);
  grid.emplace_back();
  while (!text.empty()) {
    if (text.front() == '\n') {
      grid.emplace_back();
      grid.emplace_back();
      text.remove_prefix(1);
      continue;
    }
    const bool blank = text.front() == ' ';
    const std::string_view block = text.substr(0, blank ? 1 : 3);
    REQUIRE((blank || block == "\u2580" || block == "\u2584" || block == "\u2588"));
    grid[grid.size() - 2].push_back(!(block == "\u2580" || block == "\u2588"));
    grid[grid.size() - 1].push_back(!(block == "\u2584" || block == "\u2588"));
    text.remove_prefix(block.size());
  }
  grid.resize(grid.size() - 2);  // after the last "\n"
  return grid;
}

std::size_t TakeNumber(std::string_view& text) {
  std::size_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  REQUIRE(fault == std::errc());
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

void Take(std::string_view& text, std::string_view expected) {
  REQUIRE(text.starts_with(expected));
  text.remove_prefix(expected.size());
}

Grid GridOfSvg(std::string_view svg) {
  Take(svg, R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 )");
  const std::size_t side = TakeNumber(svg);
  const std::string number = std::to_string(side);
  Take(svg, " " + number + R"(" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h)" + number +
                "v" + number + R"(H0z"/><path fill="#000" d=")");
  Grid grid(side, std::vector<bool>(side));
  while (svg.front() == 'M') {
    Take(svg, "M");
    const std::size_t column = TakeNumber(svg);
    Take(svg, " ");
    const std::size_t row = TakeNumber(svg);
    Take(svg, "h");
    const std::size_t length = TakeNumber(svg);
    Take(svg, "v1h-" + std::to_string(length) + "z");
    for (std::size_t i = 0; i < length; ++i) grid.at(row).at(column + i) = true;
  }
  CHECK(svg == R"("/></svg>)");
  return grid;
}

// Reads the pixels, of which each module must have a square of one colour.
Grid GridOfPng(ByteView png, std::size_t pixels_per_module) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  REQUIRE(png_image_begin_read_from_memory(&image, png.data(), png.size()) != 0);
  CHECK(image.format == PNG_FORMAT_GRAY);
  REQUIRE(image.width == image.height);
  REQUIRE(image.width % pixels_per_module == 0);
  const std::size_t width = image.width;
  Bytes pixels(PNG_IMAGE_SIZE(image));
  REQUIRE(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr) != 0);
  REQUIRE(pixels.size() == width * width);
  const std::size_t side = width / pixels_per_module;
  Grid grid(side, std::vector<bool>(side));
  bool is_square = true;
  for (std::size_t y = 0; y < width; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      const std::size_t row = y / pixels_per_module, column = x / pixels_per_module;
      const std::uint8_t pixel = pixels[y * width + x];
      is_square = is_square && (pixel == 0 || pixel == 255) &&
                  pixel == pixels[(row * width + column) * pixels_per_module];
      grid[row][column] = pixel == 0;
    }
  }
  CHECK(is_square);
  return grid;
}

std::size_t BigEndian(ByteView bytes) {
  std::size_t value = 0;
  for (const std::uint8_t byte : bytes.first(4)) value = value << 8 | byte;
  return value;
}

// ISO/IEC 18004, table 10: what each of the eight masks inverts.
bool IsInverted(unsigned mask, std::size_t i, std::size_t j) {
  switch (mask) {
    case 0:
      return (i + j) % 2 == 0;
    case 1:
      return i % 2 == 0;
    case 2:
      return j % 3 == 0;
    case 3:
      return (i + j) % 3 == 0;
    case 4:
      return (i / 2 + j / 3) % 2 == 0;
    case 5:
      return i * j % 2 + i * j % 3 == 0;
    case 6:
      return (i * j % 2 + i * j % 3) % 2 == 0;
    default:
      return ((i + j) % 2 + i * j % 3) % 2 == 0;
  }
}

// What a camera would read from a symbol of version 1, which has its data in one piece: format
// information (section 7.9), mask, placement (7.7.3), byte mode (7.4.5).
std::string ReadVersion1(const QrCode& code) {
  REQUIRE(code.size == 21);
  unsigned format = 0;
  for (std::size_t column = 0; column < 5; ++column) {
    format = format << 1 | (code.IsDark(8, column) ? 1U : 0U);
  }
  format ^= 0b10101;          // the first five bits of its own mask
  REQUIRE(format >> 3 == 0);  // level M
  std::vector<bool> bits;
  bool upwards = true;
  for (std::size_t right = 20; right >= 1 && right <= 20; right -= 2) {
    if (right == 6) --right;  // the vertical timing pattern
    for (std::size_t step = 0; step < 21; ++step) {
      const std::size_t row = upwards ? 20 - step : step;
      for (const std::size_t column : {right, right - 1}) {
        const bool reserved =
            row == 6 || (row < 9 && (column < 9 || column > 12)) || (row > 12 && column < 9);
        if (!reserved)
          bits.push_back(code.IsDark(row, column) != IsInverted(format & 7, row, column));
      }
    }
    upwards = !upwards;
  }
  REQUIRE(bits.size() == 26 * 8);
  std::size_t at = 0;
  auto take = [&](int count) {
    unsigned value = 0;
    for (int i = 0; i < count; ++i) value = value << 1 | (bits[at++] ? 1U : 0U);
    return value;
  };
  REQUIRE(take(4) == 4);  // byte mode
  std::string text(take(8), '\0');
  REQUIRE(text.size() <= 14);
  for (char& c : text) c = static_cast<char>(take(8));
  return text;
}

std::string Repeat(std::string_view text, std::size_t count) {
  std::string repeated;
  for (std::size_t i = 0; i < count; ++i) repeated += text;
  return repeated;
}

}  // namespace

TEST_CASE("what a camera reads is the text") {
  for (const std::string& text :
       {std::string("otpauth://x"), std::string("a"), std::string("01234567"), std::string("HELLO"),
        std::string("fourteen bytes"), std::string("\u5c71 \u00e9\u2713"), std::string("a\0b", 3),
        std::string(14, '\xff')}) {
    CHECK(ReadVersion1(Encode(text)) == text);
  }
}

TEST_CASE("the symbol is the smallest that holds the text") {
  // ISO/IEC 18004, table 7, level M.
  const std::pair<std::size_t, std::size_t> capacities[] = {
      {14, 1}, {26, 2}, {42, 3}, {62, 4}, {84, 5}, {106, 6}, {122, 7}, {213, 10}, {2331, 40}};
  for (const auto& [bytes, version] : capacities) {
    CHECK(Encode(std::string(bytes, 'x')).size == 17 + 4 * version);
    if (version < 40) CHECK(Encode(std::string(bytes + 1, 'x')).size == 17 + 4 * (version + 1));
  }
}

TEST_CASE("every symbol has the patterns by which it is found") {
  const std::string finder[] = {"#######", "#     #", "# ### #", "# ### #",
                                "# ### #", "#     #", "#######"};
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{100}, std::size_t{2000}}) {
    const QrCode code = Encode(std::string(bytes, 'x'));
    REQUIRE(code.dark.size() == code.size * code.size);
    for (std::size_t row = 0; row < 7; ++row) {
      for (std::size_t column = 0; column < 7; ++column) {
        const bool dark = finder[row][column] == '#';
        CHECK(code.IsDark(row, column) == dark);
        CHECK(code.IsDark(row, code.size - 7 + column) == dark);
        CHECK(code.IsDark(code.size - 7 + row, column) == dark);
      }
    }
    for (std::size_t i = 8; i < code.size - 8; ++i) {
      CHECK(code.IsDark(6, i) == (i % 2 == 0));
      CHECK(code.IsDark(i, 6) == (i % 2 == 0));
    }
    CHECK(code.IsDark(code.size - 8, 8));
    CHECK_FALSE(code.IsDark(code.size, 0));
    CHECK_FALSE(code.IsDark(0, code.size));
    CHECK_FALSE(code.IsDark(~std::size_t{0}, 0));
  }
}

TEST_CASE("text and SVG show the same modules, with a quiet zone of four") {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{150}, std::size_t{2331}}) {
    const QrCode code = Encode(std::string(bytes, 'x'));
    const Grid expected = WithQuietZone(code);
    CHECK(GridOfSvg(RenderQrAsSvg(code)) == expected);
    Grid drawn = GridOfText(RenderQrAsText(code));
    REQUIRE(drawn.size() == expected.size() + 1);
    drawn.pop_back();  // half a line below the symbol, in the terminal's own colour
    CHECK(drawn == expected);
  }
}

TEST_CASE("the quiet zone is drawn, as a terminal's own background is dark") {
  const std::string text = RenderQrAsText(Encode("x"));
  const std::string full = Repeat("\u2588", 29) + "\n";
  CHECK(text.starts_with(full + full + Repeat("\u2588", 4) + " " + Repeat("\u2584", 5) + " "));
  CHECK(text.ends_with("\n" + full + Repeat("\u2580", 29) + "\n"));
}

TEST_CASE("a PNG shows the same modules, as squares of the size that was asked for") {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{150}, std::size_t{2331}}) {
    const QrCode code = Encode(std::string(bytes, 'x'));
    for (const std::size_t pixels : {std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
      CHECK(GridOfPng(RenderQrAsPng(code, pixels), pixels) == WithQuietZone(code));
    }
  }
  const QrCode code = Encode("otpauth://totp/x");
  CHECK(GridOfPng(RenderQrAsPng(code, kMaxPixelsPerModule), kMaxPixelsPerModule) ==
        WithQuietZone(code));
}

TEST_CASE("a PNG is greyscale of 8 bits, and says neither when nor by what it was made") {
  const Bytes png = RenderQrAsPng(Encode("x"), 4);
  const ByteView view = png;
  CHECK(AsText(view.first(8)) == "\x89PNG\r\n\x1a\n");
  // Colour is what it may speak about.
  constexpr std::string_view kAllowed = "IHDR sRGB gAMA cHRM IDAT IEND";
  for (std::size_t at = 8; at < view.size(); at += 12 + BigEndian(view.subspan(at))) {
    CHECK(kAllowed.contains(AsText(view.subspan(at + 4, 4))));
  }
  const ByteView header = view.subspan(16);
  CHECK(BigEndian(header) == 29 * 4);
  CHECK(BigEndian(header.subspan(4)) == 29 * 4);
  CHECK(header[8] == 8);   // bits a sample
  CHECK(header[9] == 0);   // greyscale
  CHECK(header[12] == 0);  // not interlaced
}

TEST_CASE("an SVG holds nothing of the text but its modules") {
  const std::string svg = RenderQrAsSvg(Encode("</svg><script>alert('zq7')</script>"));
  CHECK_FALSE(svg.contains("script"));
  CHECK_FALSE(svg.contains("zq7"));
  CHECK_FALSE(svg.contains("style"));
}

TEST_CASE("a text that is empty or fits no symbol is refused") {
  const auto empty = EncodeQr("");
  REQUIRE(!empty);
  CHECK(empty.error().code == Code::kInvalidArgument);
  CHECK(empty.error().reason == "qr_text_empty");
  const auto long_text = EncodeQr(std::string(2332, '0'));
  REQUIRE(!long_text);
  CHECK(long_text.error().code == Code::kTooLarge);
  CHECK(long_text.error().reason == "qr_text_too_long");
}

}  // namespace coffer::crypto
