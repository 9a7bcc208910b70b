#include "api/cli/text/console.h"

#include <sys/ioctl.h>
#include <unicode/uchar.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "audit/text/plain_text.h"

namespace coffer::cli {
namespace {

struct Decoded {
  char32_t code = 0;
  std::size_t length = 0;  // 0: not UTF-8 here
};

// One code point of well-formed UTF-8 (Unicode 15, table 3-7).
Decoded Decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
  char32_t code = first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fU);
  }
  static constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {};
  return {code, length};
}

// Characters that a terminal obeys, that change how their neighbours are read, or that do not show.
// Variation selectors choose how the one before them looks.
bool IsTreacherous(char32_t c) { return audit::IsUnseen(c) && (c < 0xfe00 || c > 0xfe0f); }

std::string Escaped(char32_t code) {
  if (code == '\n') return "\\n";
  if (code == '\t') return "\\t";
  if (code == '\r') return "\\r";
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), code < 0x80 ? "\\x%02x" : "\\u{%x}",
                static_cast<unsigned>(code));
  return text.data();
}

std::string EscapedByte(char byte) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "\\x%02x", static_cast<unsigned char>(byte));
  return text.data();
}

std::string Escape(std::string_view text, bool keep_line_feeds) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Decoded next = Decode(text);
    const std::size_t length = std::max<std::size_t>(next.length, 1);
    if (next.length == 0) {
      out += EscapedByte(text[0]);
    } else if (IsTreacherous(next.code) && !(keep_line_feeds && next.code == '\n')) {
      out += Escaped(next.code);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

bool IsOfNoWidth(char32_t c) {
  const auto point = static_cast<UChar32>(c);
  return (U_GET_GC_MASK(point) & (U_GC_MN_MASK | U_GC_ME_MASK)) != 0;
}

std::size_t ColumnsOf(char32_t c) {
  if (c < 0x300) return 1;
  if (IsOfNoWidth(c)) return 0;
  const int width = u_getIntPropertyValue(static_cast<UChar32>(c), UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

// Nothing where it cannot be told.
std::size_t TerminalWidth() {
  constexpr std::size_t kWidest = 10'000;
  std::size_t columns = 0;
  if (const char* const said = std::getenv("COLUMNS"); said != nullptr) {
    const std::string_view text = said;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), columns);
    if (error == std::errc() && end == text.data() + text.size() && columns <= kWidest) {
      return columns;
    }
  }
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kPlain = "\x1b[0m";

}  // namespace

Console StandardConsole() {
  const bool out_is_terminal = isatty(STDOUT_FILENO) == 1;
  const bool err_is_terminal = isatty(STDERR_FILENO) == 1;
  const char* no_colour = std::getenv("NO_COLOR");
  const bool colour = out_is_terminal && (no_colour == nullptr || *no_colour == '\0');
  return {std::cout,
          std::cerr,
          out_is_terminal,
          err_is_terminal,
          colour,
          {},
          out_is_terminal ? TerminalWidth() : 0};
}

std::string Printable(std::string_view text) { return Escape(text, false); }

std::string PrintableLines(std::string_view text) { return Escape(text, true); }

std::size_t Columns(std::string_view printable) {
  std::size_t columns = 0;
  while (!printable.empty()) {
    const Decoded next = Decode(printable);
    columns += next.length == 0 ? 1 : ColumnsOf(next.code);
    printable.remove_prefix(std::max<std::size_t>(next.length, 1));
  }
  return columns;
}

std::size_t BytesIn(std::string_view printable, std::size_t columns) {
  std::size_t used = 0;
  std::size_t kept = 0;
  while (kept < printable.size()) {
    const Decoded next = Decode(printable.substr(kept));
    used += next.length == 0 ? 1 : ColumnsOf(next.code);
    if (used > columns && kept > 0) break;
    kept += std::max<std::size_t>(next.length, 1);
  }
  return kept;
}

std::string Grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

void PrintFields(Console& console, const std::vector<std::pair<std::string, std::string>>& fields,
                 std::string_view indent) {
  const auto named = [&](const std::string& name, const std::string& value) {
    return Printable(name == "id" ? value : console.names->Show(value, true));
  };
  std::size_t width = 0;
  for (const auto& [name, value] : fields) {
    if (!value.empty()) width = std::max(width, Columns(Printable(name)));
  }
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    const std::string label = Printable(name);
    console.out << indent << label << std::string(width - Columns(label) + 2, ' ')
                << named(name, value) << '\n';
  }
}

void PrintHeading(Console& console, std::string_view text) {
  if (console.colour) console.out << kBold;
  console.out << Printable(text);
  if (console.colour) console.out << kPlain;
  console.out << '\n';
}

void ProgressLine::Show(std::string_view text) {
  if (!console_.err_is_terminal) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  shown_ = true;
  console_.err << "\r\x1b[K" << Printable(text) << std::flush;
}

void ProgressLine::Clear() {
  if (shown_) console_.err << "\r\x1b[K" << std::flush;
  shown_ = false;
}

}  // namespace coffer::cli
