#include "api/cli/text/folding.h"

#include <algorithm>

#include "api/cli/text/console.h"

namespace coffer::cli {
namespace {

constexpr std::string_view kTime = "9999-99-99T99:99:99";
constexpr std::string_view kFraction = ".999Z";
constexpr std::size_t kDay = 11;        // with the T
constexpr std::size_t kShortWord = 12;  // which is not broken at its marks
constexpr std::string_view kBreaks = " -_.,:;/";
constexpr std::string_view kEllipsis = "\u2026";

bool HasForm(std::string_view text, std::string_view form) {
  if (text.size() < form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] == '9' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) return false;
  }
  return true;
}

// Bytes of what `text` begins with that stand together.
std::size_t PieceOf(std::string_view text) {
  if (HasForm(text, kTime)) return kDay;
  // The clock's part, which a day was in front of.
  if (HasForm(text, kTime.substr(kDay))) return std::min(text.find(' '), text.size() - 1) + 1;
  const std::size_t word = std::min(text.find(' '), text.size() - 1) + 1;
  if (word <= kShortWord) return word;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (kBreaks.find(text[at]) == kBreaks.npos) continue;
    // What is left of a shortened id.
    if (text[at] == '_' && text.substr(at + 1).starts_with(kEllipsis)) continue;
    return at + 1;
  }
  return text.size();
}

std::string_view WithoutBlankAtEnd(std::string_view text) {
  if (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::vector<std::string> Fold(std::string_view printable, std::size_t columns) {
  columns = std::max<std::size_t>(columns, 1);
  std::vector<std::string> lines(1);
  const auto next_line = [&] {
    lines.back() = WithoutBlankAtEnd(lines.back());
    lines.emplace_back();
  };
  while (!printable.empty()) {
    std::string_view piece = printable.substr(0, PieceOf(printable));
    printable.remove_prefix(piece.size());
    if (!lines.back().empty() &&
        Columns(lines.back()) + Columns(WithoutBlankAtEnd(piece)) > columns) {
      next_line();
    }
    while (Columns(WithoutBlankAtEnd(piece)) > columns) {
      const std::size_t kept = BytesIn(piece, columns);
      if (kept == piece.size()) break;
      lines.back() = piece.substr(0, kept);
      piece.remove_prefix(kept);
      next_line();
    }
    lines.back() += piece;
  }
  lines.back() = WithoutBlankAtEnd(lines.back());
  return lines;
}

std::size_t LongestPiece(std::string_view printable) {
  std::size_t longest = 0;
  while (!printable.empty()) {
    const std::string_view piece = printable.substr(0, PieceOf(printable));
    longest = std::max(longest, Columns(WithoutBlankAtEnd(piece)));
    printable.remove_prefix(piece.size());
  }
  return longest;
}

std::string WithoutFractions(std::string text) {
  for (std::size_t at = 0; at + kTime.size() < text.size(); ++at) {
    const std::string_view rest = std::string_view(text).substr(at);
    if (!HasForm(rest, kTime) || !HasForm(rest.substr(kTime.size()), kFraction)) continue;
    text.erase(at + kTime.size(), kFraction.size() - 1);
  }
  return text;
}

}  // namespace coffer::cli
