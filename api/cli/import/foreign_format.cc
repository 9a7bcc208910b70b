#include "api/cli/import/foreign_format.h"

#include <algorithm>
#include <initializer_list>

#include "api/cli/import/cell_text.h"

namespace coffer::cli {
namespace {

constexpr std::string_view kSaveSheet =
    "Open it in Excel or LibreOffice Calc and save the sheet as \"CSV UTF-8 (Comma delimited)\" "
    "(Excel: File > Save As; LibreOffice: File > Save As, Text CSV, character set UTF-8), then "
    "import that file.";
constexpr std::string_view kExportAgain =
    "Export the table as CSV from the program that wrote it, then import that file.";
constexpr std::string_view kUnpack = "Unpack it and import the CSV file in it.";
constexpr std::string_view kSaveContacts =
    "Import it into an address book (Google Contacts, Outlook, Thunderbird) and export from there "
    "as CSV, then import that file.";

bool BeginsWith(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::ranges::equal(text.substr(0, lower.size()), lower, {}, LowerAscii);
}

bool BeginsWithAny(std::string_view text, std::initializer_list<std::string_view> lower) {
  return std::ranges::any_of(lower, [&](std::string_view one) { return BeginsWith(text, one); });
}

bool Has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

// Parts of an archive have their names in front of their bytes.
ForeignFormat OfZip(std::string_view text) {
  if (Has(text, "mimetypeapplication/vnd.oasis.opendocument.spreadsheet")) {
    return {"an OpenDocument spreadsheet", kSaveSheet};
  }
  if (Has(text, "[Content_Types].xml") || Has(text, "xl/") || Has(text, "_rels/")) {
    return {"an Excel workbook (.xlsx)", kSaveSheet};
  }
  if (Has(text, "Index/") || Has(text, ".iwa")) return {"a Numbers spreadsheet", kSaveSheet};
  return {"a ZIP archive", kUnpack};
}

std::optional<ForeignFormat> OfBytes(std::string_view text) {
  if (text.starts_with("PK\x03\x04")) return OfZip(text);
  if (text.starts_with("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) {
    return ForeignFormat{"a workbook of an older Excel (.xls)", kSaveSheet};
  }
  if (text.starts_with("%PDF-")) return ForeignFormat{"a PDF document", kExportAgain};
  if (text.starts_with("{\\rtf")) return ForeignFormat{"a document in RTF", kExportAgain};
  if (text.starts_with("\x1f\x8b") || text.starts_with("7z\xbc\xaf\x27\x1c") ||
      text.starts_with("Rar!\x1a\x07") || text.starts_with("\x28\xb5\x2f\xfd") ||
      text.starts_with("\xfd"
                       "7zXZ")) {
    return ForeignFormat{"a compressed file", kUnpack};
  }
  if (text.starts_with({"SQLite format 3\0", 16})) {
    return ForeignFormat{"an SQLite database", kExportAgain};
  }
  return std::nullopt;
}

// A column of a header may begin with a bracket; what follows one in JSON no header has.
bool IsJson(std::string_view text) {
  if (!text.starts_with('{') && !text.starts_with('[')) return false;
  const auto next = text.find_first_not_of(" \t\r\n", 1);
  return next != text.npos && std::string_view("\"{[]}").find(text[next]) != std::string_view::npos;
}

}  // namespace

std::optional<ForeignFormat> ForeignFormatOf(std::string_view beginning) {
  if (const auto bytes = OfBytes(beginning)) return bytes;
  const auto start = beginning.find_first_not_of(" \t\r\n");
  if (start == beginning.npos) return std::nullopt;
  const std::string_view text = beginning.substr(start);
  if (BeginsWithAny(text, {"<!doctype html", "<html", "<head", "<meta", "<body", "<table", "<style",
                           "<div", "<script", "<title"})) {
    return ForeignFormat{"a web page (HTML), whatever its name says", kSaveSheet};
  }
  if (BeginsWith(text, "<?xml") || BeginsWith(text, "<!--")) {
    if (Has(text, "urn:schemas-microsoft-com:office:spreadsheet")) {
      return ForeignFormat{"an Excel workbook in XML", kSaveSheet};
    }
    return ForeignFormat{"an XML document", kExportAgain};
  }
  if (BeginsWith(text, "mime-version:")) {
    return ForeignFormat{"a web archive (MHTML), whatever its name says", kSaveSheet};
  }
  if (BeginsWith(text, "begin:vcard")) return ForeignFormat{"a vCard address book", kSaveContacts};
  if (BeginsWith(text, "begin:vcalendar")) return ForeignFormat{"an iCalendar file", kExportAgain};
  if (IsJson(text)) return ForeignFormat{"JSON", kExportAgain};
  return std::nullopt;
}

}  // namespace coffer::cli
