#include "api/cli/import/cell_conversion.h"

#include <catch2/catch_test_macros.hpp>
#include <random>

#include "api/cli/import/cell_text.h"

namespace coffer::cli {
namespace {

using vault::FieldType;

CellRules RulesFor(FieldType type) {
  CellRules rules;
  rules.field.name = "f";
  rules.field.type = type;
  return rules;
}

// JSON; "" where the cell is empty; "!" and the reason where it does not fit.
std::string Converted(const CellRules& rules, const std::string& cell) {
  std::string out;
  const auto converted = AppendConverted(rules, cell, out);
  if (!converted) return "!" + converted.error();
  CHECK(*converted == !out.empty());
  return out;
}

bool Fits(const CellRules& rules, const std::string& cell) {
  return !Converted(rules, cell).starts_with('!');
}

CellRules OfDays(std::vector<std::string> formats, DateContext context = {},
                 FieldType type = FieldType::kDate) {
  CellRules rules = RulesFor(type);
  rules.dates = context;
  for (std::string& format : formats) {
    REQUIRE(DateFormat::Fault(format, context).empty());
    rules.date_formats.emplace_back(std::move(format));
  }
  return rules;
}

}  // namespace

TEST_CASE("a day that is not ISO is none until somebody names its form") {
  for (const char* cell : {"07.03.1984", "3/7/1984", "07/03/1984", "1984/3/7", "07.03.84",
                           "19840307", "30748", "7 марта 1984", "1984年3月7日", "--03-07",
                           "0000-00-00", "1984-02-30", "1984-03-07 14:05:00"}) {
    CAPTURE(cell);
    CHECK_FALSE(Fits(RulesFor(FieldType::kDate), cell));
  }
  CHECK(Converted(RulesFor(FieldType::kDate), "1984-03-07") == "\"1984-03-07\"");
  CHECK(Converted(RulesFor(FieldType::kDate), "1984-03-07T00:00:00Z") == "\"1984-03-07\"");
}

TEST_CASE("the form that was named decides, also against ISO") {
  CHECK(Converted(OfDays({"DD.MM.YYYY"}), "07.03.1984") == "\"1984-03-07\"");
  CHECK(Converted(OfDays({"M/D/YYYY"}), "3/7/1984") == "\"1984-03-07\"");
  CHECK(Converted(OfDays({"D/M/YYYY"}), "3/7/1984") == "\"1984-07-03\"");
  CHECK(Converted(OfDays({"YYYY-DD-MM"}), "1984-07-03") == "\"1984-03-07\"");
  CHECK(Converted(OfDays({"YYYY年M月D日"}), "1984年3月7日") == "\"1984-03-07\"");
  CHECK(Converted(OfDays({"unix-ms"}), "1709769600000") == "\"2024-03-07\"");
  CHECK_FALSE(Fits(OfDays({"unix-ms"}), "1709769600001"));
  CHECK_FALSE(Fits(OfDays({"DD.MM.YYYY"}), "7.3.1984"));
  CHECK_FALSE(Fits(OfDays({"DD.MM.YYYY"}), "31.02.1984"));
  CHECK_FALSE(Fits(OfDays({"DD.MM.YYYY"}),
                   "07.03.1984 "
                   "x"));
}

TEST_CASE("every day of the calendar is read back from every form") {
  std::mt19937 random(1);
  const DateContext context{1930, ""};
  struct Form {
    const char* form;
    const char* printf_form;  // day, month, year
  };
  for (int i = 0; i < 2000; ++i) {
    const int year = 1930 + static_cast<int>(random() % 100),
              month = 1 + static_cast<int>(random() % 12),
              day = 1 + static_cast<int>(random() % 28);
    char iso[40], text[40];
    std::snprintf(iso, sizeof iso, "\"%04d-%02d-%02d\"", year, month, day);
    std::snprintf(text, sizeof text, "%02d.%02d.%04d", day, month, year);
    REQUIRE(Converted(OfDays({"DD.MM.YYYY"}), text) == iso);
    std::snprintf(text, sizeof text, "%d/%d/%04d", month, day, year);
    REQUIRE(Converted(OfDays({"M/D/YYYY"}), text) == iso);
    std::snprintf(text, sizeof text, "%02d.%02d.%02d", day, month, year % 100);
    REQUIRE(Converted(OfDays({"DD.MM.YY"}, context), text) == iso);
  }
}

TEST_CASE("a form that could be read in two ways is refused") {
  for (const char* form : {"DD.MM", "MM.YYYY", "DD.MM.YY", "DD.MM.YYYY YYYY", "dd.mm.yyyy",
                           "DD.MMM.YYYY", "", "DD.MM.YYYYx", "zz DD.MM.YYYY", "DMYYYY", "YYYYMD",
                           "YYYYMDhh:mm", "M/MM/D/YYYY", "D DD.MM.YYYY", "YYYY YY-MM-DD"}) {
    CAPTURE(form);
    CHECK_FALSE(DateFormat::Fault(form, {}).empty());
  }
}

TEST_CASE("a time that says no offset is none until somebody says one") {
  const CellRules plain = RulesFor(FieldType::kDateTime);
  CHECK(Converted(plain, "2026-03-07T14:05:00+03:00") == "\"2026-03-07T14:05:00+03:00\"");
  CHECK(Converted(plain, "2026-03-07 14:05+0300") == "\"2026-03-07T14:05:00+03:00\"");
  CHECK(Converted(plain, "2026-03-07T14:05Z") == "\"2026-03-07T14:05:00Z\"");
  CHECK_FALSE(Fits(plain, "2026-03-07 14:05:00"));
  CHECK_FALSE(Fits(plain, "2026-03-07"));
  CHECK_FALSE(Fits(plain, "1709769600"));
  const CellRules named =
      OfDays({"DD.MM.YYYY hh:mm", "unix-s"}, {std::nullopt, "+03:00"}, FieldType::kDateTime);
  CHECK(Converted(named, "07.03.2026 9:05") == "\"2026-03-07T09:05:00+03:00\"");
  CHECK(Converted(named, "1709769600") == "\"2024-03-07T00:00:00Z\"");
  CHECK_FALSE(Fits(named, "07.03.2026 25:05"));
}

TEST_CASE(
    "numbers are read with the decimal point that was named, and no separators of thousands") {
  CellRules point = RulesFor(FieldType::kDecimal), comma = point;
  comma.decimal_comma = true;
  CHECK(Converted(point, "1234.50") == "\"1234.50\"");
  CHECK(Converted(comma, "1234,50") == "\"1234.50\"");
  CHECK(Converted(point, "\u221212.50") == "\"-12.50\"");
  CHECK(Converted(point, "'-12.50") == "\"-12.50\"");
  for (const char* cell : {"1 234,50", "1\u00a0234.50", "1,234.50", "1.234,50", "1'234.50",
                           "12.5 €", "$5", "(12.50)", "1E+3", "five"}) {
    CAPTURE(cell);
    CHECK_FALSE(Fits(point, cell));
    CHECK_FALSE(Fits(comma, cell));
  }
  CHECK_FALSE(Fits(point, "1234,5"));
  CHECK_FALSE(Fits(comma, "1234.5"));
}

TEST_CASE("whole numbers may be written with a point and noughts, and nothing else behind them") {
  const CellRules rules = RulesFor(FieldType::kInteger);
  CHECK(Converted(rules, "12.0") == "12");
  CHECK(Converted(rules, "-5") == "-5");
  CHECK(Converted(rules, "005") == "5");
  for (const char* cell : {"+-5", "++5", "--5", "-+5", "12.5", "5,0", "1 000", "1,000", "1e3",
                           "9007199254740992", "", "x"}) {
    if (*cell == '\0') continue;
    CAPTURE(cell);
    CHECK_FALSE(Fits(rules, cell));
  }
}

TEST_CASE("truth is told by the words that are known or named") {
  CellRules rules = RulesFor(FieldType::kBoolean);
  CHECK(Converted(rules, "TRUE") == "true");
  CHECK(Converted(rules, "0") == "false");
  CHECK_FALSE(Fits(rules, "Да"));
  rules.yes = {"да"};
  rules.no = {"нет", "1"};
  CHECK(Converted(rules, "ДА") == "true");
  CHECK(Converted(rules, "Нет") == "false");
  CHECK(Converted(rules, "1") == "false");
}

TEST_CASE("a choice is one of the class's values or what was named for one") {
  CellRules rules = RulesFor(FieldType::kChoice);
  rules.field.values = {"email", "phone"};
  rules.values = {{"Почта", "email"}, {"-", ""}};
  CHECK(Converted(rules, " email ") == "\"email\"");
  CHECK(Converted(rules, "Почта") == "\"email\"");
  CHECK(Converted(rules, "-").empty());
  CHECK(Converted(rules, "Email") == "!must be one of the class's values: email, phone");
}

TEST_CASE("lists are split at what was named, or are JSON arrays") {
  CellRules rules = RulesFor(FieldType::kList);
  CHECK(Converted(rules, "A; B ;C") == R"(["A","B","C"])");
  CHECK(Converted(rules, R"(["A;B","C"])") == R"(["A;B","C"])");
  CHECK(Converted(rules, "[]") == "[]");
  CHECK(Converted(rules, "[A]") == R"(["[A]"])");
  CHECK(Converted(rules, " ; ").empty());
  rules.list_separator = ":::";
  CHECK(Converted(rules, "A ::: B") == R"(["A","B"])");
}

TEST_CASE("addresses lose what is not seen, and are refused for what is in the way") {
  const CellRules rules = RulesFor(FieldType::kEmail);
  for (const char* cell :
       {"a@example.org", " a@example.org ", "\u00a0a@example.org", "mailto:a@example.org",
        "MAILTO:a@example.org", "a\u200b@example.org", "'a@example.org"}) {
    CAPTURE(cell);
    CHECK(Converted(rules, cell) == "\"a@example.org\"");
  }
  CHECK(Converted(rules, "A <a@example.org>") == "!has a name beside the address");
  CHECK(Converted(rules, "a@example.org; b@example.org") == "!holds several addresses");
  CHECK(Converted(rules, "n/a") == "!has no @");
  CHECK(Converted(rules, "a @example.org") == "!has a blank in it");
}

TEST_CASE("telephones become E.164 where a region says how they are dialled") {
  CellRules rules = RulesFor(FieldType::kPhone);
  CHECK(Converted(rules, "8 (495) 555-01-20") == "\"8 (495) 555-01-20\"");
  CHECK(Converted(rules, "+7\u00a0495\u2011555\u20110120") == "\"+7 495-555-0120\"");
  CHECK_FALSE(Fits(rules, "74955550163.0"));
  CHECK_FALSE(Fits(rules, "7.49556E+10"));
  CHECK_FALSE(Fits(rules, "+74955550120, +74955550121"));
  rules.region = "RU";
  CHECK(Converted(rules, "8 (495) 555-01-20") == "\"+74955550120\"");
  CHECK(Converted(rules, "＋７４９５５５５０１２０") == "\"+74955550120\"");
}

TEST_CASE("lines stay lines in texts, and are joined in one line only when asked") {
  CHECK(Converted(RulesFor(FieldType::kText), "a\r\nb ") == R"("a\r\nb ")");
  CellRules rules = RulesFor(FieldType::kString);
  CHECK_FALSE(Fits(rules, "a\nb"));
  rules.line_joint = ", ";
  CHECK(Converted(rules, "a \r\n\n b\n") == "\"a, b\"");
}

TEST_CASE("no reason shows anything of the cell, and shapes show no letter and no digit of it") {
  const std::string cells[] = {"Zq7x 83", "zq7@", "83.83.8383x", "+83 zq7 x", "zq7\n83"};
  for (int type = 0; type <= static_cast<int>(FieldType::kList); ++type) {
    for (const std::string& cell : cells) {
      const std::string said = Converted(RulesFor(static_cast<FieldType>(type)), cell);
      if (!said.starts_with('!')) continue;
      CAPTURE(type, cell, said);
      CHECK(said.find("zq7") == std::string::npos);
      CHECK(said.find("83") == std::string::npos);
    }
  }
  CHECK(ShapeOfCell("07.03.1984") == "99.99.9999");
  CHECK(ShapeOfCell("Щукин x5\n\u200b") == "Aaaaa a9⏎?");
  CHECK(ShapeOfCell(std::string(50, '1')) == std::string(32, '9') + "...");
}

TEST_CASE("identifiers that a spreadsheet spoiled are told from those of somebody's own") {
  for (const char* key : {"1.23457E+11", "1,23457E+11", "1E+11", "1.5e5"})
    CHECK_FALSE(DamageToKey(key).empty());
  for (const char* key : {"7E12", "0042", "E+5", "1.5", "A1E+5", ""})
    CHECK(DamageToKey(key).empty());
}

}  // namespace coffer::cli
