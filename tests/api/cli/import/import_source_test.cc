// What a file is, told of all of it: encodings, their marks, other formats.
#include "api/cli/import/import_source.h"

#include <unicode/ucnv.h>

#include <catch2/catch_test_macros.hpp>
#include <fstream>

#include "api/cli/import/foreign_format.h"
#include "crypto/secret_bytes.h"
#include "tests/support/temporary_directory.h"

namespace coffer::cli {
namespace {

struct Decoded {
  std::string text, fault, advice;
};

// Both passes, which must not differ.
Decoded DecodeFile(const std::string& bytes, const std::string& encoding = {}) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "table.csv";
  std::ofstream(path, std::ios::binary) << bytes;
  const auto failed = [&](const Failure& failure) {
    CHECK(failure.exit == Exit::kUsage);
    return Decoded{{},
                   failure.message.substr(failure.message.find(path) == 0 ? path.size() : 0),
                   failure.advice};
  };
  auto source = ImportSource::Open(path, encoding);
  if (!source) return failed(source.error());
  std::string passes[2];
  for (std::string& text : passes) {
    REQUIRE((*source)->Rewind());
    for (;;) {
      const auto piece = (*source)->Next();
      if (!piece) return failed(piece.error());
      if (piece->empty()) break;
      text += *piece;
    }
  }
  CHECK(passes[0] == passes[1]);
  return {passes[0], {}, {}};
}

std::string Encoded(const std::string& text, const std::string& encoding) {
  std::string bytes(8 * text.size() + 16, '\0');
  UErrorCode error = U_ZERO_ERROR;
  const auto size =
      ucnv_convert(encoding.c_str(), "UTF-8", bytes.data(), static_cast<std::int32_t>(bytes.size()),
                   text.data(), static_cast<std::int32_t>(text.size()), &error);
  REQUIRE(U_SUCCESS(error));
  bytes.resize(static_cast<std::size_t>(size));
  return bytes;
}

// So long that characters are cut between pieces.
std::string LongTable(const std::string& row) {
  std::string text = "Id,Last\n";
  for (int i = 0; text.size() < 200'000; ++i) text += std::to_string(i) + "," + row + "\n";
  return text;
}

const std::string kRussianRow = "Вымышленов Пётр, Примерск";
const std::string kChineseRow = "样本一，示例市虚构县";
const std::string kFrenchRow = "Élodie Müller, façade";

}  // namespace

TEST_CASE("a text in a named encoding is the text that was written") {
  for (const auto& [encoding, row] :
       {std::pair<std::string, std::string>{"windows-1251", kRussianRow},
        {"KOI8-R", kRussianRow},
        {"IBM866", kRussianRow},
        {"windows-1252", kFrenchRow},
        {"ISO-8859-1", kFrenchRow},
        {"GB18030", kChineseRow},
        {"GBK", kChineseRow},
        {"UTF-16LE", kChineseRow},
        {"UTF-16BE", kRussianRow},
        {"UTF-32LE", "😀 " + kFrenchRow},
        {"UTF-8", "😀 " + kChineseRow}}) {
    for (const std::string& text : {"Id,Last\n1," + row + "\n", LongTable(row)}) {
      CAPTURE(encoding, text.size());
      const Decoded decoded = DecodeFile(Encoded(text, encoding), encoding);
      CHECK(decoded.fault.empty());
      CHECK(decoded.text == text);
    }
  }
}

TEST_CASE("characters of two units are whole at every place of a file") {
  for (const char* encoding : {"UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE", "GB18030"}) {
    // With one letter more or less in front, every buffer ends between the two units once.
    for (const std::string before : {"", "a", "ab"}) {
      CAPTURE(encoding, before);
      std::string text = before;
      for (int i = 0; i < 50'000; ++i) text += "😀";
      text += "\nend\n";
      const Decoded decoded = DecodeFile(Encoded(text, encoding), encoding);
      CHECK(decoded.fault.empty());
      CHECK((decoded.text == text));
    }
  }
}

TEST_CASE("a byte order mark says what a file is, and is no part of it") {
  for (const auto& [mark, encoding] : {std::pair<std::string, std::string>{"\xef\xbb\xbf", "UTF-8"},
                                       {"\xff\xfe", "UTF-16LE"},
                                       {"\xfe\xff", "UTF-16BE"},
                                       {{"\xff\xfe\0\0", 4}, "UTF-32LE"},
                                       {{"\0\0\xfe\xff", 4}, "UTF-32BE"},
                                       {"\x84\x31\x95\x33", "GB18030"}}) {
    CAPTURE(encoding);
    for (const std::string& text : {std::string("a,样\n"), LongTable(kChineseRow)}) {
      const std::string bytes = mark + Encoded(text, encoding);
      CHECK(DecodeFile(bytes).text == text);
      CHECK(DecodeFile(bytes, encoding).text == text);
      for (const std::string other : {"windows-1251", "UTF-8", "UTF-16LE", "UTF-32BE", "UTF-16"}) {
        if (other == encoding || (other == "UTF-16" && encoding.starts_with(other))) continue;
        CAPTURE(other);
        CHECK(DecodeFile(bytes, other).fault ==
              " begins with the byte order mark of " + encoding + ", and --encoding says " + other);
      }
    }
  }
}

TEST_CASE("names of encodings that mean nothing are wrong use") {
  for (const std::string name :
       {"nonsense", "windows-1251,swaplfnl", "../cp1251", " ", "UTF-8\n"}) {
    CHECK(DecodeFile("a,b\n", name).fault == "there is no encoding \"" + name + "\" here");
  }
  CHECK(DecodeFile("a,b\n", "utf8").text == "a,b\n");
  CHECK(DecodeFile("a,b\n", "cp1251").text == "a,b\n");
  CHECK(DecodeFile(Encoded("a,b\n", "UTF-16LE"), "UTF-16").fault == " has no byte order mark");
}

TEST_CASE("one character that is not of the encoding makes the file another, at any place in it") {
  for (const std::size_t good : {0UZ, 1UZ, 1'000UZ, 40'000UZ}) {
    CAPTURE(good);
    std::string rows = "Id,Last\n";
    for (std::size_t i = 0; i < good; ++i) rows += "1,ж\n";
    const std::string at = ", first at line " + std::to_string(good + 2);
    for (const std::string bad : {"\xff", "\xc2", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80"}) {
      for (const std::string rest : {"\n", ""}) {
        CHECK(DecodeFile(rows + "1," + bad + rest).fault.starts_with(" is not UTF-8" + at));
      }
    }
    const std::string zero = DecodeFile(rows + std::string("1,\0\n", 4)).fault;
    CHECK((zero == " is no text: it has zero bytes" + at || zero == " is not UTF-8" + at));
    const std::string windows = Encoded(rows, "windows-1251");
    CHECK(DecodeFile(windows + "1,\x98\n", "windows-1251")
              .fault.starts_with(" is not windows-1251" + at));
    CHECK(DecodeFile(windows + std::string("1,\0\n", 4), "windows-1251")
              .fault.starts_with(" is not windows-1251" + at));
    CHECK(DecodeFile(Encoded(rows, "GB18030") + "1,\xff\n", "GB18030")
              .fault.starts_with(" is not GB18030" + at));
    const std::string wide = Encoded(rows, "UTF-16LE");
    CHECK(DecodeFile("\xff\xfe" + wide + std::string("1\0\0\xd8", 4)).fault ==
          " is not UTF-16LE" + at);
    CHECK(DecodeFile("\xff\xfe" + wide + "1").fault == " is not UTF-16LE" + at);
  }
}

TEST_CASE("what a file may be is suggested, and never taken for granted") {
  for (const auto& [encoding, row] :
       {std::pair<std::string, std::string>{"windows-1251", kRussianRow},
        {"KOI8-R", kRussianRow},
        {"GB18030", kChineseRow}}) {
    CAPTURE(encoding);
    CHECK(DecodeFile(Encoded(LongTable(row), encoding)).fault ==
          " is not UTF-8, first at line 2; it looks like " + encoding + ": try --encoding " +
              encoding);
  }
  CHECK(
      DecodeFile(Encoded("Id,Last\n1,Alpha\n", "UTF-16LE")).fault.ends_with("--encoding UTF-16LE"));
  CHECK(
      DecodeFile(Encoded("Id,Last\n1,Alpha\n", "UTF-16BE")).fault.ends_with("--encoding UTF-16BE"));
  CHECK(DecodeFile("\x80\x81\n").fault.starts_with(" is not UTF-8, first at line 1"));
}

TEST_CASE("a file in UTF-8 is not taken for one in another encoding") {
  for (const std::string encoding : {"windows-1251", "ISO-8859-1", "windows-1252", "KOI8-R"}) {
    CAPTURE(encoding);
    const Decoded decoded = DecodeFile("Id,Last\n1,Вымышленов\n", encoding);
    CHECK((decoded.fault.starts_with(" is UTF-8 from its beginning to its end; as " + encoding) ||
           decoded.fault.starts_with(" is not " + encoding)));
  }
  // Too little to tell: whoever names the encoding knows.
  CHECK(DecodeFile("1,\xd0\xb6\n", "windows-1251").text == "1,Р¶\n");
}

TEST_CASE("files of other formats are named, with how they become CSV") {
  const std::pair<std::string, std::string> formats[] = {
      {std::string("PK\x03\x04\x14\0\x06\0", 8) + "[Content_Types].xml",
       "an Excel workbook (.xlsx)"},
      {std::string("PK\x03\x04\n\0\0\0", 8) +
           "mimetypeapplication/vnd.oasis.opendocument.spreadsheetPK",
       "an OpenDocument spreadsheet"},
      {"PK\x03\x04 contacts.csv", "a ZIP archive"},
      {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 rest", "a workbook of an older Excel (.xls)"},
      {"%PDF-1.7\n", "a PDF document"},
      {"{\\rtf1 x}", "a document in RTF"},
      {"\x1f\x8b\x08 rest", "a compressed file"},
      {"\n <HTML><body>", "a web page (HTML), whatever its name says"},
      {"<!DOCTYPE html><p>", "a web page (HTML), whatever its name says"},
      {"<table border=1><tr>", "a web page (HTML), whatever its name says"},
      {"<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">",
       "an Excel workbook in XML"},
      {"<?xml version=\"1.0\"?><a/>", "an XML document"},
      {"MIME-Version: 1.0\nContent-Type: multipart/related",
       "a web archive (MHTML), whatever its name says"},
      {"BEGIN:VCARD\r\nVERSION:3.0\r\n", "a vCard address book"},
      {"begin:vcalendar\r\n", "an iCalendar file"},
      {"{\"id\": 1}\n", "JSON"},
      {"[\n  {\"id\": 1}]", "JSON"},
      {"[[1]]", "JSON"}};
  for (const auto& [bytes, name] : formats) {
    CAPTURE(name);
    for (const std::string& encoding : {std::string(), std::string("windows-1251")}) {
      const Decoded decoded = DecodeFile(bytes, encoding);
      CHECK(decoded.fault == " is " + name + ", not CSV");
      CHECK(decoded.advice.find("CSV") != std::string::npos);
    }
    if (static_cast<unsigned char>(bytes[0]) < 0x80 && !bytes.starts_with("PK")) {
      CHECK((bytes[0] == '\x1f' || DecodeFile("\xff\xfe" + Encoded(bytes, "UTF-16LE")).fault ==
                                       " is " + name + ", not CSV"));
    }
  }
  for (const std::string table :
       {"[Id],Last\n", "{Id},Last\n", "<Id>,Last\n", "PK,Last\n", "%,a\n"}) {
    CHECK(DecodeFile(table).text == table);
  }
}

TEST_CASE("a file that is written to while it is read is given up") {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "table.csv";
  std::ofstream(path) << "Id,Last\n1,Alpha\n";
  auto source = ImportSource::Open(path);
  REQUIRE(source);
  std::ofstream(path, std::ios::app) << "2,Beta\n";
  const auto piece = (*source)->Next();
  REQUIRE_FALSE(piece);
  CHECK(piece.error().message == path + " was changed while it was read");
}

TEST_CASE("what never ends is given up at its first fault") {
  REQUIRE(crypto::InitializeCrypto());
  auto source = ImportSource::Open("/dev/zero");
  REQUIRE(source);
  const auto piece = (*source)->Next();
  REQUIRE_FALSE(piece);
  CHECK(piece.error().exit == Exit::kUsage);
  CHECK(piece.error().message.find("is no text") != std::string::npos);
}

TEST_CASE("what is no file is told") {
  REQUIRE(crypto::InitializeCrypto());
  CHECK(ImportSource::Open("/").error().message == "cannot read /: it is no file");
  CHECK(ImportSource::Open("/nonexistent").error().exit == Exit::kUsage);
  CHECK(ImportSource::Open("/dev/null").error().message == "/dev/null gave nothing");
}

}  // namespace coffer::cli
