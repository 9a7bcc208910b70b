#include <algorithm>
#include <ostream>
#include <set>

#include "api/cli/text/console.h"
#include "api/cli/text/folding.h"

namespace coffer::cli {
namespace {

constexpr std::size_t kGap = 2;  // between columns
// Columns are rather not narrower than their longest word, up to this; where they must be, they are
// not narrower than that.
constexpr std::size_t kLongWord = 12, kNarrowest = 8;
constexpr std::size_t kShortestLast = 16;  // of a last column that stands beside the others
constexpr std::size_t kIndent = 8;         // at most, of what stands below
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

// Columns `first` to `last` stand in the lines of a row, so wide, behind so many blanks.
struct Table::Layout {
  std::size_t first = 0, last = 0;  // `last` is the one behind
  std::size_t room = 0;             // of a line; 0: as much as it takes
  std::size_t indent = 0;
  std::vector<std::size_t> widths;
  std::size_t below = 0;  // columns that a last one has which stands below; 0: it does not

  std::size_t Used() const {
    std::size_t used = indent;
    for (std::size_t i = first; i < last; ++i) used += widths[i] + (i > first ? kGap : 0);
    return used;
  }
};

std::size_t Table::NarrowestOf(const Rows& rows, std::size_t column, std::size_t at_most) const {
  std::size_t longest = std::min(LongestPiece(headings_[column]), at_most);
  for (const auto& row : rows) {
    longest = std::max(longest, std::min(LongestPiece(row[column]), at_most));
  }
  return longest;
}

// Shares the room among the columns of the layout, the most to where there is the most to show.
// False where they have none.
bool Table::Narrow(const Rows& rows, const Console& console, std::size_t at_most,
                   Layout& layout) const {
  const std::vector<std::size_t> whole = layout.widths;
  for (std::size_t i = std::max(layout.first, own_columns_); i < layout.last; ++i) {
    // Whoever asks for whole ids gets them whole.
    const bool asked_for =
        console.names->full_ids &&
        std::ranges::any_of(rows, [&](const auto& row) { return !FindIds(row[i]).empty(); });
    if (!asked_for) layout.widths[i] = std::min(whole[i], NarrowestOf(rows, i, at_most));
  }
  if (layout.Used() > layout.room) return false;
  for (std::size_t spare = layout.room - layout.Used(); spare > 0; --spare) {
    std::size_t neediest = layout.last;
    for (std::size_t i = layout.first; i < layout.last; ++i) {
      if (layout.widths[i] == whole[i]) continue;
      if (neediest == layout.last ||
          whole[i] * layout.widths[neediest] > whole[neediest] * layout.widths[i]) {
        neediest = i;
      }
    }
    if (neediest == layout.last) break;
    ++layout.widths[neediest];
  }
  return true;
}

Table::Layout Table::Fit(const Rows& rows, const Console& console) const {
  const std::size_t columns = headings_.size();
  Layout layout{.last = columns, .room = console.width, .widths = WidthsOf(rows)};
  if (layout.Used() <= layout.room) return layout;
  const std::size_t last_width = layout.widths.back();
  const std::size_t others = layout.Used() - last_width;
  const std::size_t left = layout.room - std::min(layout.room, others);
  const std::size_t indent = std::min(layout.widths.front() + kGap, kIndent);
  const std::size_t below = layout.room - std::min(layout.room - 1, indent);
  const auto lines = [&](std::size_t room) { return (last_width + room - 1) / room; };
  if (columns > own_columns_ + 1 && last_width > kShortestLast &&
      (left < kShortestLast || lines(left) > lines(below) + 1)) {
    layout.below = below;
    layout.last = columns - 1;
  }
  const Layout whole = layout;
  if (layout.Used() <= layout.room || Narrow(rows, console, kLongWord, layout)) return layout;
  layout = whole;
  if (layout.last < 2 || own_columns_ == 0) {
    Narrow(rows, console, kNarrowest, layout);
    return layout;
  }
  // The first column has a line of its own.
  layout.first = 1;
  layout.indent = kGap;
  for (const std::size_t at_most : {kLongWord, kNarrowest}) {
    layout.widths = whole.widths;
    if (layout.Used() <= layout.room || Narrow(rows, console, at_most, layout)) break;
  }
  return layout;
}

std::vector<std::string> Table::Lines(const std::vector<std::string>& cells,
                                      const Layout& layout) const {
  std::vector<std::vector<std::string>> folded(layout.last);
  std::size_t height = 1;
  for (std::size_t i = layout.first; i < layout.last; ++i) {
    folded[i] = layout.room == 0 ? std::vector{cells[i]} : Fold(cells[i], layout.widths[i]);
    height = std::max(height, folded[i].size());
  }
  std::vector<std::string> lines;
  if (layout.first > 0) lines.push_back(cells.front());
  for (std::size_t at = 0; at < height; ++at) {
    std::string line(layout.indent, ' ');
    for (std::size_t i = layout.first; i < layout.last; ++i) {
      const std::string cell = at < folded[i].size() ? folded[i][at] : std::string();
      line += cell;
      line.append(layout.widths[i] - std::min(layout.widths[i], Columns(cell)) + kGap, ' ');
    }
    lines.push_back(std::move(line));
  }
  if (layout.below > 0 && !cells.back().empty()) {
    for (const std::string& part : Fold(cells.back(), layout.below)) {
      lines.push_back(std::string(layout.room - layout.below, ' ') + part);
    }
  }
  // Blanks at the end would wrap on narrow terminals.
  for (std::string& line : lines) line.erase(line.find_last_not_of(' ') + 1);
  return lines;
}

void Table::Print(Console& console) const {
  Rows rows = ShownRows(console);
  Layout layout{.last = headings_.size(), .widths = WidthsOf(rows)};
  if (console.out_is_terminal && console.width > 0 && layout.Used() > console.width) {
    if (!console.names->full_ids) ShortenIds(rows);
    for (auto& row : rows) {
      for (std::string& cell : row) cell = WithoutFractions(std::move(cell));
    }
    layout = Fit(rows, console);
  }
  for (const std::string& line : Lines(headings_, layout)) PrintHeading(console, line);
  for (const auto& row : rows) {
    for (const std::string& line : Lines(row, layout)) console.out << line << '\n';
  }
  if (rows.empty() && console.out_is_terminal) console.out << "none\n";
}

}  // namespace coffer::cli
