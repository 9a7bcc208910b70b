// What all pages for reading have in common: HTML without scripts and without anything from
// elsewhere, in one of the languages of audit/messages/. What arrives as text is escaped, and what
// does not show is shown by its code point; parameters named `html` are markup.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "audit/documents/messages.h"
#include "audit/documents/page_language.h"
#include "audit/documents/page_names.h"
#include "audit/text/clock.h"

namespace coffer::audit {

// Nothing for nothing.
std::string CodeHtml(std::string_view text);

class PageWriter {
 protected:
  // `more_style` is CSS behind the common one.
  explicit PageWriter(PageLanguage language, const PageNames& names,
                      std::string_view more_style = {})
      : language_(language),
        messages_(MessagesIn(language)),
        names_(names),
        more_style_(more_style) {}

  // Up to the heading; `before_heading` is markup.
  void Start(std::string_view title, std::string_view before_heading = {});
  std::string Finish();

  const std::string& Text(std::string_view key) const { return Say(messages_, key); }
  // The words for a code with the code under them; the code alone when there are no words.
  std::string Labelled(std::string_view prefix, std::string_view code) const;
  // A title with the code under it, or the code alone.
  static std::string Titled(std::string_view title, std::string_view code);
  // A text that counts, with its number.
  std::string Counted(std::string_view key, std::uint64_t n) const;
  // In a sentence, and in a table.
  std::string LongTime(Timestamp ts) const;
  std::string ShortTime(Timestamp ts) const;
  void Heading(std::string_view key);
  void Paragraph(std::string_view key);
  // Left out when there is nothing to say.
  void Definition(std::string_view key, std::string_view html);
  void Cell(std::string_view html, std::string_view kind = {});
  // Begins a table: keys of the columns, and a kind where it is one of numbers.
  void HeadCells(std::initializer_list<std::pair<std::string_view, std::string_view>> cells);
  void EndTable();

  PageLanguage language_;
  const Messages& messages_;
  const PageNames& names_;
  std::string out_;

 private:
  std::string_view more_style_;
  std::string title_;
  // In a narrow window a row becomes a list, whose cells are named by the table's heads.
  std::string cell_names_;
  std::size_t tables_ = 0;
};

}  // namespace coffer::audit
