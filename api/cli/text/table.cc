#include <algorithm>
#include <ostream>
#include <set>

#include "api/cli/text/console.h"

namespace coffer::cli {
namespace {

constexpr std::size_t kGap = 2;        // between columns
constexpr std::size_t kNarrowest = 8;  // to which a column is cut at most
constexpr std::size_t kShortestTail = 6;

bool IsId(std::string_view cell) {
  const auto places = FindIds(cell);
  return places.size() == 1 && places[0].from == 0 && places[0].to == cell.size();
}

std::string_view DigitsOf(std::string_view id) { return id.substr(id.find('_') + 1); }

// So many digits at the end tell all of them apart. What they begin with is when they were made,
// and much the same in all.
std::size_t TellingTail(const std::set<std::string, std::less<>>& ids) {
  for (std::size_t tail = kShortestTail;; ++tail) {
    std::set<std::string_view> tails;
    bool whole = false;
    for (const std::string& id : ids) {
      const std::string_view digits = DigitsOf(id);
      whole = whole || tail >= digits.size();
      tails.insert(digits.substr(digits.size() - std::min(tail, digits.size())));
    }
    if (whole || tails.size() == ids.size()) return tail;
  }
}

std::size_t Total(const std::vector<std::size_t>& widths) {
  std::size_t total = 0;
  for (const std::size_t width : widths) total += width + kGap;
  return total - std::min(total, kGap);
}

}  // namespace

void Table::Add(std::vector<std::string> cells) {
  cells.resize(headings_.size());
  rows_.push_back(std::move(cells));
}

Table::Rows Table::ShownRows(const Console& console) const {
  Rows rows = rows_;
  for (auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i >= own_columns_) row[i] = console.names->Show(row[i], console.in_full());
      row[i] = Printable(row[i]);
    }
  }
  return rows;
}

std::vector<std::size_t> Table::WidthsOf(const Rows& rows) const {
  std::vector<std::size_t> widths;
  for (const auto& heading : headings_) widths.push_back(Columns(heading));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Columns(row[i]));
  }
  return widths;
}

void Table::ShortenIds(Rows& rows) const {
  std::set<std::string, std::less<>> ids;
  for (const auto& row : rows) {
    for (const std::string& cell : row) {
      if (IsId(cell)) ids.insert(cell);
    }
  }
  const std::size_t tail = TellingTail(ids);
  for (auto& row : rows) {
    for (std::size_t i = own_columns_; i < row.size(); ++i) {
      if (!IsId(row[i])) continue;
      const std::string_view digits = DigitsOf(row[i]);
      if (tail >= digits.size()) continue;
      row[i] = row[i].substr(0, row[i].find('_') + 1) + "\u2026" +
               std::string(digits.substr(digits.size() - tail));
    }
  }
}

void Table::Narrow(std::vector<std::size_t>& widths, const Console& console) const {
  // Whoever asks for whole ids gets them whole.
  const auto may_be_cut = [&](std::size_t i) {
    if (i < own_columns_ || widths[i] <= kNarrowest) return false;
    return !console.names->full_ids ||
           std::ranges::none_of(rows_, [&](const auto& row) { return !FindIds(row[i]).empty(); });
  };
  while (Total(widths) > console.width) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (may_be_cut(i) && (widest == widths.size() || widths[i] > widths[widest])) widest = i;
    }
    if (widest == widths.size()) return;
    // Down to the next one at once.
    std::size_t next = kNarrowest;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (i != widest && widths[i] < widths[widest] && may_be_cut(i)) {
        next = std::max(next, widths[i]);
      }
    }
    const std::size_t over = Total(widths) - console.width;
    widths[widest] -= std::min(over, widths[widest] - next);
  }
}

void Table::Print(Console& console) const {
  Rows rows = ShownRows(console);
  std::vector<std::size_t> widths = WidthsOf(rows);
  if (console.out_is_terminal && console.width > 0 && Total(widths) > console.width) {
    if (!console.names->full_ids) ShortenIds(rows);
    widths = WidthsOf(rows);
    Narrow(widths, console);
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = CutTo(cells[i], widths[i]);
      text += cell;
      text.append(widths[i] - std::min(widths[i], Columns(cell)) + kGap, ' ');
    }
    // Blanks at the end would wrap on narrow terminals.
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  PrintHeading(console, line(headings_));
  for (const auto& row : rows) console.out << line(row) << '\n';
}

}  // namespace coffer::cli
