// Files by how they are written: encodings, delimiters, blanks, empty rows, keys, other formats.
#pragma once

#include "tests/e2e/import_case.h"

namespace coffer::testing {

inline std::vector<std::string> With(std::vector<std::string> options,
                                     const std::vector<std::string>& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

inline std::vector<std::string> OfRussianOffice(const std::vector<std::string>& more = {}) {
  return With(
      {"--class", "contact", "--key", "Код", "--map", "last_name=Фамилия", "--map",
       "first_name=Имя", "--map", "phone=Телефон", "--map", "email=Почта", "--map", "city=Город"},
      more);
}

inline std::map<std::string, nlohmann::json> RussianClients(const std::string& prefix) {
  return {{prefix + "-001",
           {{"last_name", "Вымышленов"},
            {"first_name", "Пётр"},
            {"phone", "+7 (495) 555-01-01"},
            {"email", "petr@example.org"},
            {"city", "Примерск"}}},
          {prefix + "-002",
           {{"last_name", "Щукина"},
            {"first_name", "Жанна"},
            {"phone", "8 (495) 555-01-02"},
            {"email", "zhanna@example.org"},
            {"city", "Нигдейск"}}}};
}

inline std::vector<std::string> OfChineseOffice(const std::vector<std::string>& more = {}) {
  return With({"--class", "contact", "--key", "客户编号", "--map", "last_name=姓名", "--map",
               "phone=手机", "--map", "email=邮箱", "--map", "city=城市"},
              more);
}

inline std::vector<ImportCase> EncodingCases() {
  const nlohmann::json two_created = {{"rows", 2}, {"created", 2}, {"refused", 0}};
  return {
      {.file = "01-ru-excel-cp1251-semicolon.csv",
       .options = OfRussianOffice({"--delimiter", ";"}),
       .exit = 2,
       .says = {"not UTF-8, first at line 1; it looks like windows-1251: try --encoding "
                "windows-1251"}},
      {.file = "01-ru-excel-cp1251-semicolon.csv",
       .options = OfRussianOffice({"--delimiter", ";", "--encoding", "windows-1251"}),
       .summary = two_created,
       .stored = RussianClients("R1")},
      {.file = "02-ru-excel-utf8bom-semicolon.csv",
       .options = OfRussianOffice({"--delimiter", ";", "--encoding", "windows-1251"}),
       .exit = 2,
       .says = {"byte order mark of UTF-8, and --encoding says windows-1251"}},
      {.file = "02-ru-excel-utf8bom-semicolon.csv",
       .options = OfRussianOffice(),
       .exit = 2,
       .says = {"--delimiter ';'"}},
      {.file = "02-ru-excel-utf8bom-semicolon.csv",
       .options = OfRussianOffice({"--delimiter", ";"}),
       .summary = two_created,
       .stored = RussianClients("R2")},
      {.file = "03-excel-unicode-text-utf16le-tab.txt",
       .options = OfRussianOffice(),
       .exit = 2,
       .says = {"--delimiter tab"}},
      {.file = "03-excel-unicode-text-utf16le-tab.txt",
       .options = OfRussianOffice({"--delimiter", "tab"}),
       .summary = two_created,
       .stored = RussianClients("R3")},
      {.file = "05-zh-excel-gb18030.csv",
       .options = OfChineseOffice(),
       .exit = 2,
       .says = {"not UTF-8, first at line 1; it looks like GB18030: try --encoding GB18030"}},
      {.file = "05-zh-excel-gb18030.csv",
       .options = OfChineseOffice({"--encoding", "gb18030"}),
       .summary = two_created,
       .stored = {{"Z5-001",
                   {{"last_name", "样本一"},
                    {"phone", "13800000001"},
                    {"email", "yi@example.com"},
                    {"city", "示例市"}}},
                  {"Z5-002",
                   {{"last_name", "样本二"},
                    {"phone", "+86 138 0000 0002"},
                    {"email", "er@example.com"},
                    {"city", "虚构县"}}}}},
      {.file = "60-gb18030-accidentally-utf8.csv",
       .options = AsContacts({"--map", "city=City"}),
       .exit = 2,
       .says = {"not UTF-8, first at line 3; it looks like GB18030"}},
  };
}

inline std::vector<ImportCase> LayoutCases() {
  return {
      {.file = "09-bom-quoted-header.csv",
       .options = AsContacts(),
       .summary = {{"rows", 1}, {"created", 1}, {"refused", 0}},
       .stored = {{"B9-1", {{"last_name", "Alpha"}}}}},
      {.file = "10-excel-sep-line.csv",
       .options = AsContacts({"--delimiter", ","}),
       .exit = 2,
       .says = {"separated by ';', and --delimiter says ','"}},
      {.file = "10-excel-sep-line.csv",
       .options = AsContacts(),
       .summary = {{"rows", 1}, {"created", 1}, {"refused", 0}},
       .stored = {{"S10-1", {{"last_name", "Alpha"}}}}},
      {.file = "11-excel-trailing-empties.csv",
       .options = AsContacts({"--map", "email=Email"}),
       .summary =
           {{"rows", 2}, {"created", 2}, {"refused", 0}, {"empty_rows", 2}, {"unnamed_columns", 2}},
       .stored = {{"T11-1", {{"last_name", "Alpha"}, {"email", "a11@example.org"}}},
                  {"T11-2", {{"last_name", "Beta"}, {"email", "b11@example.org"}}}},
       .says = {"Passed over: 2 empty rows and 2 columns without a name"}},
      {.file = "57-empty-rows-at-end.csv",
       .options = AsContacts({"--map", "email=Email"}),
       .summary = {{"rows", 1}, {"created", 1}, {"refused", 0}, {"empty_rows", 3}},
       .stored = {{"ET57-1", {{"last_name", "Alpha"}, {"email", "a57@example.org"}}}},
       .says = {"Passed over: 3 empty rows"}},
      {.file = "35-not-csv-xlsx.csv",
       .options = AsContacts(),
       .exit = 2,
       .says = {"an Excel workbook (.xlsx), not CSV", "CSV UTF-8"}},
      {.file = "36-html-as-xls.csv",
       .options = AsContacts(),
       .exit = 2,
       .says = {"a web page (HTML), whatever its name says, not CSV", "CSV UTF-8"}},
      {.file = "37-vcard.vcf",
       .options = AsContacts(),
       .exit = 2,
       .says = {"a vCard address book, not CSV", "as CSV"}},
  };
}

inline std::vector<ImportCase> KeyCases() {
  return {
      {.file = "42-leading-zero-postcode.csv",
       .options = AsContacts({"--map", "postal_code=Zip"}),
       .summary = {{"rows", 2}, {"created", 2}, {"refused", 0}},
       .stored = {{"0042", {{"last_name", "Alpha"}, {"postal_code", "01067"}}},
                  {"42", {{"last_name", "Beta"}, {"postal_code", "1067"}}}}},
      {.file = "43-nfd-names.csv",
       .options = AsContacts({"--map", "city=City"}),
       .summary = {{"rows", 1}, {"created", 1}, {"refused", 0}},
       .found = {{"last_name", "Йодко", "V43-1"}}},
      {.file = "45-full.csv",
       .options =
           AsContacts({"--map", "email=Email", "--map", "phone=Phone", "--map", "city=City"}),
       .summary = {{"rows", 1}, {"created", 1}},
       .stored = {{"K45-1",
                   {{"last_name", "Alpha"},
                    {"email", "a45@example.org"},
                    {"phone", "+12025550100"},
                    {"city", "Exampleton"}}}}},
      {.file = "45-partial-update.csv",
       .options = AsContacts({"--map", "phone=Phone"}),
       .summary = {{"rows", 1}, {"updated", 1}},
       .stored = {{"K45-1",
                   {{"last_name", "Alpha"},
                    {"email", "a45@example.org"},
                    {"phone", "+12025550145"},
                    {"city", "Exampleton"}}}}},
      {.file = "46-key-differs-by-space-and-case.csv",
       .options = AsContacts(),
       .exit = 3,
       .summary = {{"rows", 4}, {"created", 2}, {"refused", 2}, {"warned", 1}},
       .stored = {{"Case46", {{"last_name", "Alpha"}}}, {"case46", {{"last_name", "Beta"}}}},
       .says = {"line 3, column \"Id\", field external_ref: differs from the key of line 2 by "
                "capitals or blanks alone",
                "line 4: names the same client and record as line 2",
                "line 5: names the same client and record as line 2"}},
  };
}

inline std::vector<ImportCase> FileCases() {
  std::vector<ImportCase> all = EncodingCases();
  for (const auto& part : {LayoutCases(), KeyCases()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace coffer::testing
