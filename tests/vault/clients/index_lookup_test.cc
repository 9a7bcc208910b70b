// What is stored is found by what a person types, whatever the rules were when it was stored: in a
// vault of before, at each step of making its index anew, and when a class gets other rules.
#include "vault/clients/index_lookup.h"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <iterator>
#include <map>
#include <random>
#include <set>

#include "tests/support/sampling.h"
#include "tests/vault/test_vault.h"
#include "vault/clients/index_terms.h"
#include "vault/clients/sealing_contexts.h"
#include "vault/clients/search_index.h"

namespace coffer::vault {
namespace {

using enum Role;
using Found = std::set<std::string>;

json PersonClass(bool with_rules) {
  json fields = {{"name", {{"type", "string"}, {"index", true}}},
                 {"family", {{"type", "string"}, {"index", true}}},
                 {"mail", {{"type", "email"}, {"index", true}}},
                 {"phone", {{"type", "phone"}, {"index", true}}},
                 {"line", {{"type", "phone"}, {"index", true}}},
                 {"day", {{"type", "date"}, {"index", true}}},
                 {"time", {{"type", "datetime"}, {"index", true}}},
                 {"amount", {{"type", "decimal"}, {"index", true}}},
                 {"code", {{"type", "choice"}, {"values", {"A", "a"}}, {"index", true}}}};
  if (with_rules) {
    fields["family"]["index"] = "loose";
    fields["phone"]["region"] = "RU";
  }
  return {{"name", "person"}, {"purposes", {"client-care"}}, {"fields", fields}};
}

class ValueVault : public TestVault {
 public:
  explicit ValueVault(const Settings& settings = {}) : TestVault(settings) {
    client_ = NewClient("REF-1");
  }

  std::string Store(const std::string& field, const std::string& value) {
    const std::string record = NewRecord(client_, "person", {{field, value}}).Text();
    stored[record] = {field, value};
    return record;
  }
  Result<SearchPage> Search(const std::string& field, const std::string& typed) {
    return (*this)->searches().SearchByField(As(kCrmService), "person", field, typed, {200, ""});
  }
  Found FoundBy(const std::string& field, const std::string& typed) {
    const auto page = Search(field, typed);
    INFO(field << " " << typed << " " << AnswerOf(page));
    REQUIRE(page);
    whole = whole && page->whole;
    Found records;
    for (const auto& hit : page->items) records.insert(hit.record->Text());
    CHECK(records.size() == page->items.size());
    return records;
  }
  // Of what is stored, by the newest version of the class.
  Found RightFor(const std::string& field, const std::string& typed) {
    const auto schema = ParseClass(PersonClass(has_rules).dump());
    const Field& rule = *schema->Find(field);
    const auto form = crypto::SearchForm(rule.normalisation, rule.region, typed);
    REQUIRE(form);
    Found records;
    for (const auto& [record, value] : stored) {
      if (value.first != field) continue;
      const auto its = crypto::SearchForm(rule.normalisation, rule.region, value.second);
      if (its && *its == *form) records.insert(record);
    }
    return records;
  }
  void PutRules() {
    PutClass(PersonClass(true));
    has_rules = true;
  }

  std::map<std::string, std::pair<std::string, std::string>> stored;  // field, value
  bool has_rules = false;
  bool whole = true;  // of all searches

 private:
  ClientId client_;
};

// Values as the program before took them.
const std::pair<const char*, const char*> kOldValues[] = {
    {"name", "Йодко"},
    {"name", "И\u0306одко"},
    {"name", "O\ufb03ce"},
    {"name", "Office"},
    {"name", "\uff10\uff11\uff10\uff16\uff17"},
    {"family", "Щёткин"},
    {"family", "Щеткин"},
    {"mail", "почта@пример.рф"},
    {"mail", "почта@xn--e1afmkfd.xn--p1ai"},
    {"mail", "x21\u00a0@example.org"},
    {"mail", "x21@example.org"},
    {"phone", "+7 (495) 555-01-20"},
    {"phone", "8 (495) 555-01-20"},
    {"phone", "4955550120"},
    {"phone", "74955550120.0"},
    {"phone", "749555501200"},
    {"line", "+44 (0)20 7946 0120"},
    {"line", "+442079460120"},
    {"line", "8 (495) 555-01-20"},
    {"day", "2026-01-02"},
    {"time", "2026-01-02T10:00:00Z"},
    {"amount", "10.50"},
    {"code", "A"},
    {"code", "a"}};
const std::pair<const char*, const char*> kMoreTyped[] = {
    {"name", "йодко"},         {"name", "01067"},
    {"name", "Иодко"},         {"mail", "mailto:X21@EXAMPLE.org "},
    {"phone", "+74955550120"}, {"phone", "7 495 555\u201101\u201120"},
    {"line", "84955550120"},   {"day", " \uff12\uff10\uff12\uff16-01-02"},
    {"amount", "10.5"}};

// The rows, index and state as rules 1 left them, and the values that they took and today's do not.
void MakeOldRules(ValueVault& vault) {
  vault.Close();
  const auto keyring = vault.OpenKeyring();
  const auto schema = ParseClass(PersonClass(false).dump());
  auto rows = vault.OpenVaultDatabase(false);
  auto keys = vault.OpenKeysDatabase();
  auto records = RecordStore::Open(rows);
  auto clients = ClientStore::Open(rows);
  auto store = KeyStore::Open(keys);
  REQUIRE((records && clients && store));
  const auto live =
      static_cast<std::uint64_t>(vault.NumberIn(rows, "SELECT live FROM index_state"));
  const auto wrapped = store->IndexKeys();
  REQUIRE(wrapped);
  const auto index_key = UnwrapIndexKey(keyring, live, wrapped->front().second);
  REQUIRE(index_key);
  const std::string table = vault.IndexTable(rows, "blind_index");
  REQUIRE(rows.Execute(("DELETE FROM " + table).c_str()));
  REQUIRE(rows.Execute("DELETE FROM index_arrivals WHERE place < 2"));
  auto insert = Statement::Prepare(rows, "INSERT INTO " + table + " VALUES (?, ?)");
  auto update = Statement::Prepare(rows, "UPDATE records SET tokens = ?, payload = ? WHERE id = ?");
  REQUIRE((insert && update));
  const auto listed = records->ListIndexed(std::numeric_limits<std::int64_t>::min(), 1000);
  REQUIRE(listed);
  for (const RecordRow& row : *listed) {
    const auto client = clients->FindRow(row.client);
    const auto sealed = store->Find({(*client)->id, (*client)->generation});
    crypto::SecretBytes key(crypto::kAeadKeyBytes);
    REQUIRE(keyring.UnwrapDataKey(**sealed, (*client)->id.value, key.ExposeSecretForWriting()));
    const ClientKeys client_keys{key.ExposeSecret()};
    const auto& [field, value] = vault.stored.at(row.id.Text());
    const auto normalised = crypto::Normalise(LastingRule(*schema->Find(field)), value);
    REQUIRE(normalised);
    const BlindToken token =
        crypto::ComputeBlindToken(keyring.blind_index_key(), "record/person/" + field, *normalised);
    // Format 1: rules, class version, no import, one token.
    Bytes terms = {1, 1, 0, 0, 0, 1, 0};
    terms.insert(terms.end(), token.begin(), token.end());
    Bytes context;
    for (const ByteView part : {crypto::AsBytes("coffer-tokens-v1"), ByteView(keyring.vault_id()),
                                ByteView((*client)->id.value), ByteView(row.id.value)}) {
      context.insert(context.end(), part.begin(), part.end());
    }
    const std::string document = json{{field, value}}.dump();
    REQUIRE(update->Execute(ByteView(client_keys.Seal(context, terms)),
                            ByteView(client_keys.Seal(RecordContext(keyring, (*client)->id, row.id,
                                                                    row.class_name, row.version),
                                                      crypto::AsBytes(document))),
                            row.id.Row()));
    REQUIRE(insert->Execute(ByteView(SearchIndex::Derive(*index_key, token)), row.id.Row()));
  }
  REQUIRE(rows.Execute("UPDATE index_state SET rules = 1"));
  for (const Field& field : schema->fields) {
    const auto code = static_cast<int>(LastingRule(field));
    auto cover =
        Statement::Prepare(rows, "UPDATE index_coverage SET normalisation = ? WHERE field = ?");
    REQUIRE((cover && cover->Execute(code, std::string_view(field.name))));
  }
}

// By each value of before and some more.
template <class Check>
void ForEachTyped(Check&& check) {
  for (const auto& [field, typed] : kOldValues) check(field, typed);
  for (const auto& [field, typed] : kMoreTyped) check(field, typed);
}

void StoreOldValues(ValueVault& vault) {
  vault.PutClass(PersonClass(false));
  for (const auto& [field, value] : kOldValues) {
    const std::string text = value;
    // Something that today's rules take, to be put in its place.
    const bool taken = text != "74955550120.0" && text != "x21\u00a0@example.org";
    const std::string record =
        vault.Store(field, taken                          ? text
                           : std::string(field) == "mail" ? "later@example.org"
                                                          : "1234567");
    vault.stored[record].second = text;
  }
}

}  // namespace

TEST_CASE("a vault of before finds what today's rules find, at each step of its new index") {
  const bool many = GENERATE(false, true);
  // When the class gets other rules: not, before the first step, or in the middle.
  const int class_changes = GENERATE(-1, 0, 20);
  ValueVault vault({.index_rows_compared = many ? 0U : 1000U, .index_rows_per_step = 1});
  StoreOldValues(vault);
  // What the program before found.
  std::map<std::pair<std::string, std::string>, Found> found_before;
  const auto schema = ParseClass(PersonClass(false).dump());
  ForEachTyped([&](const std::string& field, const std::string& typed) {
    const Field& rule = *schema->Find(field);
    const auto form = crypto::Normalise(LastingRule(rule), typed);
    for (const auto& [record, value] : vault.stored) {
      const auto its = crypto::Normalise(LastingRule(rule), value.second);
      if (value.first == field && form && its && *its == *form) {
        found_before[{field, typed}].insert(record);
      }
    }
  });
  MakeOldRules(vault);
  vault.Open();
  CHECK_FALSE(vault->monitoring().ReadStatus(vault.As(kAdministrator))->index.whole);

  bool ended = false;
  for (int step = 0; !ended; ++step) {
    REQUIRE(step < 1000);
    if (step == class_changes) vault.PutRules();
    vault.whole = true;
    // Not each at each step: it takes long.
    if (step % (6 * testing::Every(4)) == 0) {
      ForEachTyped([&](const std::string& field, const std::string& typed) {
        INFO("step " << step << ": " << field << " " << typed);
        const Found found = vault.FoundBy(field, typed);
        const Found right = vault.RightFor(field, typed);
        if (!many) CHECK(found == right);
        for (const std::string& record : found) CHECK(right.contains(record));
        for (const std::string& record : found_before[{field, typed}]) {
          CHECK(found.contains(record) == right.contains(record));
        }
      });
      if (!many) CHECK(vault.whole);
      if (many && step == 0) CHECK_FALSE(vault.whole);
    }
    if (step == 6) vault.Store("phone", "+7 495 555-01-20 доб. 12");
    if (step == 24) vault.Store("name", "Йодко");
    const auto stepped = vault->index_builder().Step();
    REQUIRE(stepped);
    ended = !*stepped && step > class_changes;
    if (step % 9 == 0) {
      vault.Close();
      vault.Open();
    }
  }
  CHECK(vault->monitoring().ReadStatus(vault.As(kAdministrator))->index.whole);
  vault.whole = true;
  ForEachTyped([&](const std::string& field, const std::string& typed) {
    INFO(field << " " << typed);
    CHECK(vault.FoundBy(field, typed) == vault.RightFor(field, typed));
  });
  CHECK(vault.whole);
  CHECK(vault.Number("SELECT rules FROM index_state") ==
        static_cast<std::int64_t>(crypto::SearchRules()));
  vault.CheckRows();
  // A value that older rules took stays, as long as it is as it was.
  for (const auto& [record, value] : vault.stored) {
    if (value.second != "74955550120.0") continue;
    const auto id = *RecordId::Parse(record);
    const auto owner =
        vault->searches().SearchByReference(vault.As(kCrmService), "REF-1")->items[0].client;
    const auto read = vault->records().GetRecord(vault.As(kCrmService), owner, id);
    REQUIRE(read);
    const auto update = [&](const char* phone, std::uint64_t version) {
      return AnswerOf(vault->records().UpdateRecord(vault.As(kCrmService), owner, id, version,
                                                    {{"phone", phone}, {"name", "Doe"}}));
    };
    CHECK(update("74955550120.0", read->version) == "ok");
    CHECK(update("74955550121.0", read->version + 1) == "document_invalid");
  }
}

TEST_CASE("pages of a search that compares, or asks for several tokens, have each record once") {
  const bool many = GENERATE(false, true);
  ValueVault vault({.index_rows_compared = many ? 0U : 1000U});
  StoreOldValues(vault);
  Found wanted;
  for (int i = 0; i < 7; ++i) {
    wanted.insert(vault.Store("name", i % 2 == 0 ? "Moe" : "MOE"));
    vault.Store("name", "Other");
  }
  MakeOldRules(vault);
  vault.Open();
  for (const std::size_t limit : {1U, 2U, 3U, 7U, 50U}) {
    Found found;
    std::string cursor;
    std::size_t items = 0;
    do {
      const auto page = vault->searches().SearchByField(vault.As(kCrmService), "person", "name",
                                                        "moe", {limit, cursor});
      REQUIRE(page);
      for (const auto& hit : page->items) found.insert(hit.record->Text());
      items += page->items.size();
      cursor = page->next_cursor;
    } while (!cursor.empty());
    CHECK(found == wanted);
    CHECK(items == wanted.size());
  }
}

TEST_CASE("records are found by every spelling of their values, and by no other value's") {
  ValueVault vault;
  vault.PutRules();
  struct Values {
    const char* field;
    std::vector<std::vector<std::string>> spellings;
  };
  const Values all[] = {
      {"phone",
       {{"+7 (495) 555-01-20", "8 (495) 555-01-20", "4955550120", "tel:+74955550120",
         "\u202a+74955550120\u202c", "+7 495 555\u201201\u201220", "+7\u00a04955550120",
         "\uff0b\uff17\uff14\uff19\uff15\uff15\uff15\uff15\uff10\uff11\uff12\uff10"},
        {"8-495-555-01-20 доб. 12", "+7 495 5550120 x12"},
        {"+7 495 555 01 21"},
        {"+1 202 555 0120", "+1.202.555.0120"}}},
      {"line", {{"+7 495 5550120", "007 (495) 555 01 20"}, {"8 (495) 555-01-20"}, {"4955550120"}}},
      {"mail",
       {{"почта@пример.рф", "mailto:почта@xn--e1afmkfd.xn--p1ai", "\u00a0ПОЧТА@пример.рф "},
        {"a@example.org", "A@EXAMPLE.ORG"},
        {"b@example.org"}}},
      {"family",
       {{"Щёткин", "Щеткин", " ЩЕТКИН"},
        {"Йодко", "И\u0306одко"},
        {"Иодко"},
        {"O\u2019Nonesuch", "O'NONESUCH"},
        {"ИВАНОВ-ПЕТРОВ", "Иванов Петров"}}},
      {"name", {{"Йодко", "И\u0306одко"}, {"Иодко"}, {"Щёткин"}, {"Щеткин"}, {"Doe", " DOE "}}},
      {"code", {{"A"}, {"a"}}},
      {"day", {{"2026-01-02"}, {"2026-01-03"}}},
      {"amount", {{"10.50"}, {"10.5"}, {"-10.5"}}}};
  for (const Values& values : all) {
    std::vector<Found> records;
    for (const auto& spellings : values.spellings) {
      Found& of = records.emplace_back();
      for (const std::string& spelling : spellings) of.insert(vault.Store(values.field, spelling));
    }
    for (std::size_t i = 0; i < records.size(); ++i) {
      for (const std::string& spelling : values.spellings[i]) {
        CHECK(vault.FoundBy(values.field, spelling) == records[i]);
      }
    }
  }
  CHECK(vault.whole);
  // As it was typed.
  const auto owner =
      vault->searches().SearchByReference(vault.As(kCrmService), "REF-1")->items[0].client;
  for (const auto& [record, value] : vault.stored) {
    const auto read =
        vault->records().GetRecord(vault.As(kCrmService), owner, *RecordId::Parse(record));
    REQUIRE(read);
    CHECK(read->data == json{{value.first, value.second}}.dump());
  }
  for (const char* typed : {"+74955550120, +74955550121", "8 800 555 01 20 (бесплатно)"}) {
    const auto refused = vault.Search("phone", typed);
    CHECK(AnswerOf(refused) == "value_not_normalisable");
    REQUIRE(IssuesOf(refused).size() == 1);
    CHECK(IssuesOf(refused)[0].starts_with("/value "));
  }
  vault.CheckInvariants();
}

// What a class indexes, and how, changes again and again while its indexes are made.
TEST_CASE("whatever a class becomes in the middle of it, searches find what is there or say so") {
  const bool many = GENERATE(false, true);
  ValueVault vault({.index_rows_compared = many ? 0U : 1000U, .index_rows_per_step = 1});
  std::mt19937 random{Catch::getSeed()};
  const auto pick = [&](std::size_t count) { return random() % count; };
  const json indexes[] = {false, true, "loose"};
  const char* const regions[] = {"", "RU", "US"};
  const char* const names[] = {"Щёткин", "Щеткин", "ЩЕТКИН", "O'Nonesuch", "ONonesuch"};
  const char* const phones[] = {"+7 495 555-01-20", "8 (495) 555-01-20", "4955550120",
                                "202-555-0120", "+1 202 555 0120"};
  ClassSchema schema;
  const auto change_class = [&] {
    json name = {{"type", "string"}, {"index", indexes[pick(3)]}};
    json phone = {{"type", "phone"}, {"index", pick(4) > 0}};
    if (const char* region = regions[pick(3)]; *region != '\0') phone["region"] = region;
    const json definition = {{"name", "person"},
                             {"purposes", {"client-care"}},
                             {"fields", {{"name", name}, {"phone", phone}}}};
    vault.PutClass(definition);
    schema = *ParseClass(definition.dump());
  };
  const auto check = [&](const std::string& field, const std::string& typed) {
    const Field& rule = *schema.Find(field);
    INFO(schema.definition << " " << field << " " << typed);
    const auto page = vault.Search(field, typed);
    if (!page) {
      CHECK(AnswerOf(page) == (rule.indexed ? "index_building" : "field_not_indexed"));
      CHECK((many || !rule.indexed));
      return;
    }
    const auto form = crypto::SearchForm(rule.normalisation, rule.region, typed);
    Found found, right;
    for (const auto& hit : page->items) found.insert(hit.record->Text());
    CHECK(found.size() == page->items.size());
    for (const auto& [record, value] : vault.stored) {
      const auto its = crypto::SearchForm(rule.normalisation, rule.region, value.second);
      if (value.first == field && its && form && *its == *form) right.insert(record);
    }
    if (page->whole) CHECK(found == right);
    CHECK(std::ranges::includes(right, found));
    if (!many) CHECK(page->whole);
  };
  change_class();
  for (int step = 0; step < 120; ++step) {
    INFO("step " << step);
    switch (pick(12)) {
      case 0:
        change_class();
        break;
      case 1:
        vault.Close();
        vault.Open();
        break;
      case 2: {
        const char* const phone = phones[pick(std::size(phones))];
        // Not every region has each of them.
        if (ParseDocument(schema, {{"phone", phone}})) vault.Store("phone", phone);
        break;
      }
      case 3:
        vault.Store("name", names[pick(std::size(names))]);
        break;
      case 4: {
        if (vault.stored.empty()) break;
        const auto record =
            std::next(vault.stored.begin(), static_cast<std::ptrdiff_t>(pick(vault.stored.size())));
        const auto owner = vault->searches().SearchByReference(vault.As(kCrmService), "REF-1");
        REQUIRE(owner);
        REQUIRE(vault->records().DeleteRecord(vault.As(kCrmService), owner->items[0].client,
                                              *RecordId::Parse(record->first), std::nullopt));
        vault.stored.erase(record);
        break;
      }
      default:
        REQUIRE(vault->index_builder().Step());
    }
    check("name", names[pick(std::size(names))]);
    check("phone", phones[pick(std::size(phones))]);
  }
  for (int step = 0; *vault->index_builder().Step(); ++step) REQUIRE(step < 1000);
  CHECK(vault->monitoring().ReadStatus(vault.As(kAdministrator))->index.whole);
  for (const char* name : names) check("name", name);
  for (const char* phone : phones) check("phone", phone);
  vault.CheckInvariants();
}

}  // namespace coffer::vault
