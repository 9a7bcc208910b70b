// The search index under one key after another: what an older vault.db answers once the key it was
// made with is destroyed, and that nothing is missed or found twice while it is made anew.
#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "crypto/atomic_file.h"
#include "tests/vault/test_vault.h"
#include "vault/clients/index_exchange_request.h"
#include "vault/clients/index_terms.h"
#include "vault/clients/search_index.h"
#include "vault/key_exchange.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;

constexpr std::int64_t kIndexDayMs = std::int64_t{24} * 3600 * 1000;

// Of type "choice" values are compared exactly, of type "string" by their folded text.
json IndexedClass(const std::vector<std::string>& indexed, const std::string& type = "string") {
  json fields;
  for (const char* name : {"city", "name"}) {
    json field = {{"type", type}};
    if (type == "choice") field["values"] = {"Doe", "Moe", "Roe", "Ulm"};
    if (std::ranges::find(indexed, name) != indexed.end()) field["index"] = true;
    fields[name] = std::move(field);
  }
  return {{"name", "visit"}, {"purposes", {"client-care"}}, {"fields", fields}};
}

class IndexVault : public TestVault {
 public:
  using TestVault::TestVault;

  // As often as anything is due.
  int Exchange() {
    for (int steps = 0; steps < 20'000; ++steps) {
      const auto stepped = (*this)->index_builder().Step();
      INFO(AnswerOf(stepped));
      REQUIRE(stepped);
      if (!*stepped) return steps;
    }
    FAIL("the exchange has no end");
    return 0;
  }
  // One that is due because of an erasure.
  void EraseAndExchange(const ClientId& client) {
    REQUIRE((*this)->erasures().Erase(As(kPrivacyOfficer), client, {}));
    clock.Advance(11 * kIndexDayMs);
    CHECK(Exchange() > 0);
  }
  IndexStatus State() { return (*this)->monitoring().ReadStatus(As(kAdministrator))->index; }

  std::set<std::string> Find(const std::string& value, const std::string& class_name = "contact",
                             const std::string& field = "last_name") {
    const auto found =
        (*this)->searches().SearchByField(As(kCrmService), class_name, field, value, {});
    INFO(AnswerOf(found));
    REQUIRE(found);
    std::set<std::string> records;
    for (const auto& hit : found->items) records.insert(hit.record->Text());
    CHECK(records.size() == found->items.size());
    return records;
  }
  std::string SearchAnswer(const std::string& value, const std::string& class_name,
                           const std::string& field) {
    return AnswerOf(
        (*this)->searches().SearchByField(As(kCrmService), class_name, field, value, {}));
  }

  // What each key that there is today makes of the values.
  std::vector<BlindToken> TokensToday(const std::vector<BlindToken>& values) {
    std::vector<BlindToken> tokens = values;
    const auto keyring = OpenKeyring();
    auto keys = OpenKeysDatabase();
    auto select = Statement::Prepare(keys, "SELECT generation, wrapped FROM index_keys");
    REQUIRE(select);
    auto row = select->Query();
    while (*row.Next()) {
      const auto key = UnwrapIndexKey(keyring, static_cast<std::uint64_t>(row.Int(0)), row.Blob(1));
      REQUIRE(key);
      for (const BlindToken& value : values) tokens.push_back(SearchIndex::Derive(*key, value));
    }
    return tokens;
  }
  // In which tables of this vault.db any of them stands, wherever in a value.
  std::set<std::string> TablesWith(const std::string& path, const std::vector<BlindToken>& tokens) {
    auto database = Database::Open(path, OpenKeyring().vault_db_key(), {.read_only = true});
    INFO(AnswerOf(database));
    REQUIRE(database);
    std::set<std::string> tables, found;
    {
      auto select = Statement::Prepare(
          *database,
          "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sql%'");
      REQUIRE(select);
      auto row = select->Query();
      while (*row.Next()) tables.emplace(row.Text(0));
    }
    for (const std::string& table : tables) {
      auto select = Statement::Prepare(*database, "SELECT * FROM \"" + table + "\"");
      REQUIRE(select);
      const int columns = static_cast<int>(NumberIn(
          *database, "SELECT count(*) FROM pragma_table_info(?)", std::string_view(table)));
      auto row = select->Query();
      while (*row.Next()) {
        for (int i = 0; i < columns; ++i) {
          const auto value = row.Blob(i);
          for (const BlindToken& token : tokens) {
            if (!std::ranges::search(value, token).empty()) found.insert(table);
          }
        }
      }
    }
    return found;
  }
  BlindToken FieldToken(const std::string& class_name, const std::string& field,
                        const std::string& normalised) {
    return crypto::ComputeBlindToken(OpenKeyring().blind_index_key(),
                                     "record/" + class_name + "/" + field, normalised);
  }
  BlindToken ReferenceToken(const std::string& ref) {
    return crypto::ComputeBlindToken(OpenKeyring().blind_index_key(), "client/external_ref", ref);
  }
};

// What the first program left: tokens in clear, under the keyring's key.
void MakeFirstGeneration(IndexVault& vault) {
  vault.Close();
  const auto keyring = vault.OpenKeyring();
  {
    auto rows = vault.OpenVaultDatabase(false);
    auto keys = vault.OpenKeysDatabase();
    for (const char* sql : {"DELETE FROM blind_index_odd", "DELETE FROM client_refs_odd",
                            "DELETE FROM index_arrivals", "DELETE FROM index_coverage",
                            "UPDATE index_state SET live = 0, next = NULL, phase = 0, rules = 0"}) {
      REQUIRE(rows.Execute(sql));
    }
    auto records = RecordStore::Open(rows);
    auto clients = ClientStore::Open(rows);
    auto store = KeyStore::Open(keys);
    REQUIRE((records && clients && store));
    const auto key_of = [&](const ClientRow& client) {
      const auto wrapped = store->Find({client.id, client.generation});
      REQUIRE((wrapped && *wrapped));
      crypto::SecretBytes key(crypto::kAeadKeyBytes);
      REQUIRE(keyring.UnwrapDataKey(**wrapped, client.id.value, key.ExposeSecretForWriting()));
      return key;
    };
    auto insert = Statement::Prepare(rows, "INSERT INTO blind_index VALUES (?, ?)");
    auto insert_ref = Statement::Prepare(rows, "INSERT INTO client_refs VALUES (?, ?)");
    auto update =
        Statement::Prepare(rows, "UPDATE records SET tokens = ?, import_token = ? WHERE id = ?");
    REQUIRE((insert && insert_ref && update));
    const auto listed_clients = clients->ListIndexed(0, 1000);
    for (const ClientRow& listed : *listed_clients) {
      if (listed.ref.empty()) continue;
      const auto key = key_of(listed);
      const auto token = OpenReference(keyring, {key.ExposeSecret()}, listed.id, listed.ref);
      REQUIRE(token);
      REQUIRE(clients->PutRef(listed.id.Row(), *token));
      REQUIRE(insert_ref->Execute(ByteView(*token), listed.id.Row()));
    }
    const auto listed_records = records->ListIndexed(0, 1000);
    for (const RecordRow& row : *listed_records) {
      if (row.tokens.empty()) continue;
      const auto client = clients->FindRow(row.client);
      const auto key = key_of(**client);
      const auto terms =
          OpenTerms(keyring, {key.ExposeSecret()}, (*client)->id, row.id.value, row.tokens);
      REQUIRE(terms);
      const auto put = [&](ByteView token) { REQUIRE(insert->Execute(token, row.id.Row())); };
      std::optional<ByteView> import_token;
      if (terms->import_token) {
        import_token = *terms->import_token;
        put(*import_token);
      }
      for (std::size_t at = 0; at < terms->tokens.size(); at += kTokenBytes) {
        put(ByteView(terms->tokens).subspan(at, kTokenBytes));
      }
      REQUIRE(update->Execute(ByteView(terms->tokens), import_token, row.id.Row()));
    }
  }
  {
    auto keys = vault.OpenKeysDatabase(false);
    REQUIRE(keys.Execute("DELETE FROM index_keys"));
  }
  vault.Open();
}

}  // namespace

TEST_CASE("after an exchange no key of today makes a token that any older vault.db has") {
  IndexVault vault;
  const ClientId erased = vault.NewClient("REF-1");
  vault.NewContact(erased, {{"last_name", "Doe"}, {"email", "doe@example.org"}});
  REQUIRE(vault->imports().ImportRecord(vault.As(kCrmService),
                                        {"REF-1", "contact", "home", {{"last_name", "Doe"}}}));
  const ClientId kept = vault.NewClient("REF-2");
  const RecordId stays = vault.NewContact(kept, {{"last_name", "Roe"}});
  const std::vector<BlindToken> values = {
      vault.FieldToken("contact", "last_name", "doe"),
      vault.FieldToken("contact", "last_name", "roe"),
      vault.FieldToken("contact", "email", "doe@example.org"),
      vault.FieldToken("contact", "$import", erased.Text() + ":home"),
      vault.ReferenceToken("REF-1"),
      vault.ReferenceToken("REF-2")};
  const std::string path = vault.directory() + "/vault.db";
  const bool first_generation = GENERATE(false, true);
  if (first_generation) MakeFirstGeneration(vault);
  const auto keep_copy = [&](const std::string& name) {
    vault.Close();
    fs::copy(path, vault.work() / name);
    vault.Open();
    return std::string(vault.work() / name);
  };

  std::vector<std::string> copies;
  if (!first_generation) copies.push_back(keep_copy("before"));
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), erased, {}));
  if (!first_generation) {
    // As the documents say: until the exchange the index of before answers.
    CHECK_FALSE(vault.TablesWith(copies.front(), vault.TokensToday(values)).empty());
    CHECK(vault.Exchange() == 0);
    CHECK(vault.State().oldest_uncovered == vault.clock.Now());
    vault.clock.Advance(9 * kIndexDayMs);
    CHECK(vault.Exchange() == 0);
    CHECK_FALSE(vault.State().overdue);
    vault.clock.Advance(2 * kIndexDayMs);
  }
  // A copy of each step on the way.
  for (int step = 0;; ++step) {
    const auto stepped = vault->index_builder().Step();
    REQUIRE(stepped);
    if (!*stepped) break;
    CHECK(vault.Find("roe") == std::set{stays.Text()});
    if (!first_generation) copies.push_back(keep_copy("step" + std::to_string(step)));
  }
  const std::uint64_t generation = vault.State().generation;
  CHECK(generation == (first_generation ? 1 : 2));
  CHECK(vault.State().oldest_uncovered.has_value() == false);
  CHECK(vault.Find("doe").empty());
  CHECK(vault.Find("roe") == std::set{stays.Text()});
  CHECK(vault->searches().SearchByReference(vault.As(kCrmService), "REF-2")->items.size() == 1);
  CHECK(vault->searches().SearchByReference(vault.As(kCrmService), "REF-1")->items.empty());
  vault.CheckInvariants();

  // A further exchange: the index of the steps is past as well. What was erased later than that is.
  const ClientId later = vault.NewClient("REF-3");
  vault.EraseAndExchange(later);
  CHECK(vault.State().generation == generation + 1);
  CHECK(vault.Find("roe") == std::set{stays.Text()});
  vault.Close();
  const auto tokens = vault.TokensToday(values);
  for (const std::string& copy : copies) {
    INFO(copy);
    CHECK(vault.TablesWith(copy, tokens).empty());
  }
  // Nor has today's what it needs not: the rows have it sealed, the index under its own key.
  {
    const Database rows = vault.OpenVaultDatabase();
    CHECK(vault.TablesWith(path, tokens) ==
          std::set{vault.IndexTable(rows, "blind_index"), vault.IndexTable(rows, "client_refs")});
  }
  CHECK(vault.TablesWith(path, values).empty());
  vault.Open();
  int begun = 0, exchanged = 0;
  for (const auto& entry : vault.WholeLog()) {
    begun += entry.action == "index.rebuild" ? 1 : 0;
    exchanged += entry.action == "index.exchange" ? 1 : 0;
  }
  CHECK(begun == 2);
  CHECK(exchanged == 2);
}

TEST_CASE("the WAL of before an erasure, cut anywhere, shows nothing of it") {
  IndexVault vault;
  const ClientId erased = vault.NewClient("REF-1");
  const RecordId record = vault.NewContact(erased, {{"last_name", "Doe"}});
  const std::string path = vault.directory() + "/vault.db";
  const bool read = GENERATE(false, true);
  std::optional<Database> reader;
  if (read) {
    reader = vault.OpenVaultDatabase();
    REQUIRE(reader->Execute("BEGIN"));
    CHECK(vault.NumberIn(*reader, "SELECT count(*) FROM records") == 1);
  }
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), erased, {}));
  const auto pending = [&] {
    return vault->monitoring().ReadStatus(vault.As(kAdministrator))->wal_truncation_pending;
  };
  if (read) {
    CHECK(pending());
    const auto traces = vault->traces().FindTraces(vault.As(kPrivacyOfficer), erased);
    REQUIRE(traces);
    const auto found = std::ranges::find(*traces, "write-ahead-logs", &Trace::place);
    REQUIRE(found != traces->end());
    CHECK(found->state == "present");
    reader.reset();
  }
  // The vault's own readers may be at it for a moment.
  for (int i = 0; i < 3000 && pending(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  REQUIRE_FALSE(pending());
  constexpr std::uintmax_t kHeader = 32, kFrame = 24 + 4096;
  const fs::path cut = vault.work() / "cut.db";
  const auto size = fs::file_size(path + "-wal");
  for (std::uintmax_t length = kHeader; length <= std::max(size, kHeader); length += kFrame) {
    fs::copy_file(path, cut, fs::copy_options::overwrite_existing);
    const fs::path wal = cut.string() + "-wal";
    fs::remove(cut.string() + "-shm");
    fs::copy_file(path + "-wal", wal, fs::copy_options::overwrite_existing);
    if (length < size) fs::resize_file(wal, length);
    auto opened = Database::Open(cut, vault.OpenKeyring().vault_db_key(), {});
    REQUIRE(opened);
    CHECK(vault.NumberIn(*opened, "SELECT count(*) FROM records WHERE id = ?", record.Row()) == 0);
    CHECK(vault.NumberIn(*opened, "SELECT count(*) FROM clients WHERE id = ?", erased.Row()) == 0);
  }
}

// A vault in which everything happens between the steps of exchanges, and the one that should be.
class BusyIndex : public IndexVault {
 public:
  BusyIndex() : IndexVault(Settings{.index_rows_per_step = 1}) {}

  struct Known {
    ClientId client;
    std::string ref;
    std::map<std::string, std::string> records;  // last name, by id
  };

  std::size_t Pick(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }
  std::string NewName() { return "n" + std::to_string(Pick(5)); }

  void Act() {
    switch (known.empty() ? 0 : Pick(11)) {
      case 0:
      case 1: {
        Known made{{}, "ref" + std::to_string(++made_), {}};
        made.client = NewClient(made.ref);
        known.push_back(std::move(made));
        break;
      }
      case 2:
      case 3: {
        Known& one = known[Pick(known.size())];
        const std::string name = NewName();
        one.records[NewContact(one.client, {{"last_name", name}}).Text()] = name;
        break;
      }
      case 4: {
        Known& one = known[Pick(known.size())];
        if (one.records.empty()) break;
        auto& [id, name] = *one.records.begin();
        name = NewName();
        const auto record = *RecordId::Parse(id);
        const auto now = (*this)->records().GetRecord(As(kCrmService), one.client, record);
        REQUIRE(now);
        REQUIRE((*this)->records().UpdateRecord(As(kCrmService), one.client, record, now->version,
                                                {{"last_name", name}}));
        break;
      }
      case 5: {
        Known& one = known[Pick(known.size())];
        if (one.records.empty()) break;
        const auto record = *RecordId::Parse(one.records.begin()->first);
        REQUIRE((*this)->records().DeleteRecord(As(kCrmService), one.client, record, std::nullopt));
        one.records.erase(one.records.begin());
        break;
      }
      case 6: {
        Known& one = known[Pick(known.size())];
        const auto client = (*this)->clients().GetClient(As(kCrmService), one.client);
        REQUIRE(client);
        one.ref = "ref" + std::to_string(++made_);
        REQUIRE((*this)->clients().UpdateClient(As(kCrmService), one.client, client->version,
                                                {.external_ref = one.ref}));
        break;
      }
      case 7: {
        const std::size_t at = Pick(known.size());
        REQUIRE((*this)->erasures().Erase(As(kPrivacyOfficer), known[at].client, {}));
        gone.push_back(known[at].ref);
        known.erase(known.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      }
      case 8: {
        Known& one = known[Pick(known.size())];
        if (one.records.empty()) break;
        const auto record = *RecordId::Parse(one.records.begin()->first);
        REQUIRE((*this)->erasures().Erase(As(kPrivacyOfficer), one.client,
                                          {ErasureBasis::kRequest, {}, {record}}));
        one.records.erase(one.records.begin());
        break;
      }
      case 9: {
        Known& one = known[Pick(known.size())];
        const std::string name = NewName();
        const auto imported = (*this)->imports().ImportRecord(
            As(kCrmService), {one.ref, "contact", "key", {{"last_name", name}}});
        REQUIRE(imported);
        CHECK(imported->client == one.client);
        one.records[imported->record.Text()] = name;
        break;
      }
      default:
        Close();
        Open();
    }
  }

  void Check() {
    std::map<std::string, std::set<std::string>> by_name;
    for (const Known& one : known) {
      for (const auto& [id, name] : one.records) by_name[name].insert(id);
      const auto found = (*this)->searches().SearchByReference(As(kCrmService), one.ref);
      REQUIRE(found);
      REQUIRE(found->items.size() == 1);
      CHECK(found->items.front().client == one.client);
    }
    for (int i = 0; i < 5; ++i) {
      const std::string name = "n" + std::to_string(i);
      CHECK(Find(name) == by_name[name]);
    }
    if (!known.empty()) {
      const auto taken = (*this)->clients().CreateClient(
          As(kCrmService), {.external_ref = known[Pick(known.size())].ref}, {});
      CHECK(AnswerOf(taken) == "external_ref_taken");
    }
    CheckIndex(OpenVaultDatabase());
  }

  std::vector<Known> known;
  std::vector<std::string> gone;

 private:
  std::mt19937 random_{Catch::getSeed()};
  int made_ = 0;
};

TEST_CASE("whatever happens in the middle of an exchange, searches find what is there") {
  BusyIndex vault;
  for (int i = 0; i < 12; ++i) vault.Act();
  std::uint64_t generation = vault.State().generation;
  for (int exchange = 0; exchange < 3; ++exchange) {
    const ClientId client = vault.NewClient("going " + std::to_string(exchange));
    REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), client, {}));
    vault.clock.Advance(11 * kIndexDayMs);
    int steps = 0;
    do {
      REQUIRE(vault->index_builder().Step());
      if (++steps % 2 == 0) vault.Act();
      vault.Check();
      REQUIRE(steps < 2000);
    } while (vault.State().generation == generation);
    generation = vault.State().generation;
    vault.CheckInvariants();
  }
  vault.Exchange();
  vault.Check();
  vault.CheckInvariants();
}

TEST_CASE("without the key of the index it is built from nothing, and nothing is missed silently") {
  const bool many = GENERATE(false, true);  // more than a search compares
  IndexVault vault(IndexVault::Settings{.index_rows_compared = many ? 0U : 1000U});
  const ClientId client = vault.NewClient("REF-1");
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  const bool building = GENERATE(false, true);
  if (building) {
    REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.NewClient("REF-9"), {}));
    vault.clock.Advance(11 * kIndexDayMs);
    REQUIRE(*vault->index_builder().Step());
    REQUIRE(*vault->index_builder().Step());
  }
  vault.Close();
  REQUIRE(vault.OpenKeysDatabase(false).Execute("DELETE FROM index_keys"));
  vault.Open();
  CHECK_FALSE(vault.State().whole);
  if (many) {
    CHECK(vault.SearchAnswer("doe", "contact", "last_name") == "index_building");
  } else {
    CHECK(vault.Find("doe") == std::set{record.Text()});
  }
  const auto refused = vault->searches().SearchByReference(vault.As(kCrmService), "REF-1");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::kUnavailable);
  CHECK(refused.error().retry_after_s > 0);
  CHECK(AnswerOf(vault->clients().CreateClient(vault.As(kCrmService), {.external_ref = "REF-1"},
                                               {})) == "index_building");
  CHECK(AnswerOf(vault->imports().ImportRecord(vault.As(kCrmService),
                                               {"REF-1", "contact", "", {{"last_name", "Doe"}}})) ==
        "index_building");
  CHECK(vault->records().GetRecord(vault.As(kCrmService), client, record));
  const RecordId meanwhile = vault.NewContact(client, {{"last_name", "Doe"}});
  CHECK(vault.Exchange() > 0);
  CHECK(vault.State().whole);
  CHECK(vault.Find("doe") == std::set{record.Text(), meanwhile.Text()});
  CHECK(AnswerOf(vault->clients().CreateClient(vault.As(kCrmService), {.external_ref = "REF-1"},
                                               {})) == "external_ref_taken");
  vault.CheckInvariants();
}

TEST_CASE("a search over a field that was indexed later finds old records, or waits for them") {
  const bool many = GENERATE(false, true);  // more than a search compares
  IndexVault vault(IndexVault::Settings{.index_rows_compared = many ? 0U : 1000U});
  const auto check_city = [&](const char* city, const std::set<std::string>& records) {
    if (many) {
      CHECK(vault.SearchAnswer(city, "visit", "city") == "index_building");
    } else {
      CHECK(vault.Find(city, "visit", "city") == records);
    }
  };
  const ClientId client = vault.NewClient("REF-1");
  vault.PutClass(IndexedClass({"name"}));
  const auto visit = [&](const char* name, const char* city) {
    return vault.NewRecord(client, "visit", {{"name", name}, {"city", city}}).Text();
  };
  const std::string old = visit("Doe", "Ulm");
  CHECK(vault.Find("ulm", "visit", "name").empty());
  vault.PutClass(IndexedClass({"city", "name"}));
  const std::string young = visit("Roe", "Ulm");
  check_city("ulm", {old, young});
  CHECK(vault.Find("doe", "visit", "name") == std::set{old});
  CHECK_FALSE(vault.State().whole);
  REQUIRE(*vault->index_builder().Step());
  REQUIRE(*vault->index_builder().Step());
  check_city("ulm", {old, young});
  SECTION("at rest") {
    vault.Exchange();
    CHECK(vault.Find("ulm", "visit", "city") == std::set{old, young});
  }
  SECTION("by another rule, in the middle of the exchange") {
    vault.PutClass(IndexedClass({"city", "name"}, "choice"));
    check_city("Ulm", {old, young});
    if (!many) check_city("ulm", {});
    CHECK(vault.Find("Doe", "visit", "name") == std::set{old});
    CHECK(vault.Find("doe", "visit", "name").empty());
    vault.Exchange();
    CHECK(vault.Find("Ulm", "visit", "city") == std::set{old, young});
    CHECK(vault.Find("ulm", "visit", "city").empty());
    CHECK(vault.Find("Doe", "visit", "name") == std::set{old});
  }
  SECTION("dropped and indexed again, in the middle of the exchange") {
    vault.PutClass(IndexedClass({"name"}));
    const std::string between = visit("Moe", "Ulm");
    vault.PutClass(IndexedClass({"city", "name"}));
    check_city("ulm", {old, young, between});
    vault.Exchange();
    CHECK(vault.Find("ulm", "visit", "city") == std::set{old, young, between});
  }
  CHECK(vault.State().whole);
  CHECK(vault.Exchange() == 0);
  vault.CheckInvariants();
}

TEST_CASE("a vault of before has fields that were indexed later found out as well") {
  const bool many = GENERATE(false, true);
  IndexVault vault(IndexVault::Settings{.index_rows_compared = many ? 0U : 1000U});
  const ClientId client = vault.NewClient("REF-1");
  vault.PutClass(IndexedClass({"name"}));
  const std::string old =
      vault.NewRecord(client, "visit", {{"name", "Doe"}, {"city", "Ulm"}}).Text();
  vault.PutClass(IndexedClass({"city", "name"}));
  MakeFirstGeneration(vault);
  if (many) CHECK(vault.SearchAnswer("ulm", "visit", "city") == "index_building");
  if (!many) CHECK(vault.Find("ulm", "visit", "city") == std::set{old});
  CHECK(vault.Find("doe", "visit", "name") == std::set{old});
  vault.Exchange();
  CHECK(vault.Find("ulm", "visit", "city") == std::set{old});
  CHECK(vault.Find("doe", "visit", "name") == std::set{old});
  vault.CheckInvariants();
}

TEST_CASE("the exchange is late when it could not be done within the horizon") {
  IndexVault vault(IndexVault::Settings{.backup_horizon_days = 6});
  const ClientId client = vault.NewClient("REF-1");
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  CHECK_FALSE(vault.State().due.has_value());
  REQUIRE(vault->records().DeleteRecord(vault.As(kCrmService), client, record, std::nullopt));
  const Timestamp deleted = vault.clock.Now();
  CHECK(vault.State().oldest_uncovered == deleted);
  CHECK(vault.State().due == Timestamp{deleted.ms + 2 * kIndexDayMs});
  vault.clock.Advance(6 * kIndexDayMs);
  CHECK_FALSE(vault.State().overdue);
  vault.clock.Advance(1);
  CHECK(vault.State().overdue);
  vault.Exchange();
  CHECK_FALSE(vault.State().overdue);
  CHECK(vault.State().exchanged == vault.clock.Now());
}

TEST_CASE("copies that the keyring answers are not said to be unreadable") {
  IndexVault vault;
  const ClientId client = vault.NewClient("REF-1");
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), client, {}));
  vault.Close();
  // As of a vault that was made, and had erased the client, before there were generations.
  vault.Tamper("UPDATE index_state SET live = 0, uncovered = NULL");
  vault.Open();
  const auto traces = vault->traces().FindTraces(vault.As(kPrivacyOfficer), client);
  REQUIRE(traces);
  const auto trace = std::ranges::find(*traces, "index-copies", &Trace::place);
  REQUIRE(trace != traces->end());
  CHECK(trace->state == "present");
}

TEST_CASE("a deletion by a clock that ran ahead makes the exchange due") {
  IndexVault vault;
  const ClientId client = vault.NewClient("REF-1");
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  const Timestamp now = vault.clock.Now();
  vault.clock.Advance(200 * kIndexDayMs);
  REQUIRE(vault->records().DeleteRecord(vault.As(kCrmService), client, record, std::nullopt));
  vault.clock.Set(now);
  CHECK(vault.Exchange() > 0);
  CHECK_FALSE(vault.State().oldest_uncovered.has_value());
}

TEST_CASE("a key of the index that somebody holds is tried again, and not the next moment") {
  IndexVault vault;
  vault.NewClient("REF-1");
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.NewClient("REF-2"), {}));
  vault.clock.Advance(11 * kIndexDayMs);
  const std::uint64_t before = vault.State().generation;
  while (!vault.State().retiring) REQUIRE(vault->index_builder().Step());
  CHECK(vault.State().generation > before);
  {
    Database held = vault.OpenKeysDatabase(false);
    REQUIRE(held.Execute("BEGIN IMMEDIATE"));
    for (int i = 0; i < 3; ++i) CHECK(AnswerOf(vault->index_builder().Step()) == "index_key_kept");
    REQUIRE(held.Execute("ROLLBACK"));
  }
  CHECK(vault.Exchange() > 0);
  CHECK_FALSE(vault.State().retiring);
}

TEST_CASE("the words of a hold on a client are under its key, also those of before") {
  IndexVault vault;
  const ClientId client = vault.NewClient("REF-1");
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  const auto place = [&](const char* reason) {
    HoldRequest request;
    request.client = client;
    request.reason = reason;
    request.case_number = "C-77";
    request.review_due = Timestamp{vault.clock.Now().ms + 30 * kIndexDayMs};
    const auto hold = vault->holds().PlaceHold(vault.As(kPrivacyOfficer), request);
    REQUIRE(hold);
    return hold->id;
  };
  const HoldId hold = place("sued over the flat");
  const HoldId lifted = place("sued over the car");
  REQUIRE(vault->holds().LiftHold(vault.As(kPrivacyOfficer), lifted));
  const auto in_clear = [&] {
    return vault.Number("SELECT count(*) FROM holds WHERE reason <> '' OR case_number <> ''");
  };
  const auto check = [&] {
    CHECK(vault->holds().GetHold(vault.As(kAuditor), hold)->terms.reason == "sued over the flat");
    const auto all = vault->holds().ListHolds(vault.As(kAuditor), client, true, {});
    REQUIRE(all);
    REQUIRE(all->items.size() == 2);
    for (const Hold& one : all->items) CHECK(one.terms.case_number == "C-77");
    const auto held = vault->erasures().Erase(vault.As(kPrivacyOfficer), client, {});
    CHECK(IssuesOf(held).size() == 1);
    CHECK(IssuesOf(held).front().find("C-77") != std::string::npos);
    CHECK(in_clear() == 0);
  };
  check();
  vault.Close();
  vault.Open();
  check();
  // Of before.
  vault.Close();
  vault.Tamper(
      "UPDATE holds SET reason = 'sued over the flat', case_number = 'C-77', sealed = NULL");
  vault.Open(true);
  CHECK(in_clear() == 2);
  CHECK(vault->holds().GetHold(vault.As(kAuditor), hold)->terms.reason == "sued over the flat");
  REQUIRE(vault->records()
              .DeleteRecord(vault.As(kCrmService), vault.NewClient("x"), record, std::nullopt)
              .has_value() == false);
  vault.EraseAndExchange(vault.NewClient("REF-2"));
  CHECK(in_clear() == 0);
  CHECK(vault->holds().GetHold(vault.As(kAuditor), hold)->terms.reason == "sued over the flat");
  // Under the new key of a client of whom some is erased.
  REQUIRE(vault->holds().LiftHold(vault.As(kPrivacyOfficer), hold));
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), client,
                                  {ErasureBasis::kRequest, {}, {record}}));
  CHECK(vault->holds().GetHold(vault.As(kAuditor), hold)->terms.reason == "sued over the flat");
  vault.Close();
  vault.Open();
  vault.CheckInvariants();
}

TEST_CASE("what would be stored anew by the class of today is no unchanged import") {
  IndexVault vault;
  vault.PutClass(IndexedClass({"name"}));
  const json data = {{"name", "Doe"}, {"city", "Ulm"}};
  const auto import = [&] {
    const auto done =
        vault->imports().ImportRecord(vault.As(kCrmService), {"REF-1", "visit", "k", data});
    REQUIRE(done);
    return std::pair(done->record.Text(), done->outcome);
  };
  const auto [record, outcome] = import();
  CHECK(outcome == ImportOutcome::kCreated);
  CHECK(import() == std::pair(record, ImportOutcome::kUnchanged));
  SECTION("an index") { vault.PutClass(IndexedClass({"city", "name"})); }
  SECTION("a rule") { vault.PutClass(IndexedClass({"name"}, "choice")); }
  SECTION("nothing but the version") { vault.PutClass(IndexedClass({})); }
  SECTION("the day that retention goes by") {
    json with_date = IndexedClass({"name"});
    with_date["fields"]["seen"] = {{"type", "date"}};
    with_date["retention_date"] = "seen";
    vault.PutClass(with_date);
  }
  CHECK(import() == std::pair(record, ImportOutcome::kUpdated));
  CHECK(import() == std::pair(record, ImportOutcome::kUnchanged));
  vault.Exchange();
  CHECK(import() == std::pair(record, ImportOutcome::kUnchanged));
  vault.CheckInvariants();
}

TEST_CASE("the index's key is exchanged when somebody with the root key asks for it") {
  IndexVault vault;
  const ClientId client = vault.NewClient("REF-1");
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  const std::set<std::string> found = {record.Text()};
  const std::vector<BlindToken> values = {vault.FieldToken("contact", "last_name", "doe"),
                                          vault.ReferenceToken("REF-1")};
  const auto before = vault.TokensToday(values);
  const std::string request = HandedOverKeyPath(vault.directory(), kSearchIndexName);
  const auto follow = [&] { return AnswerOf(vault->key_exchange().Step()); };
  CHECK(vault.Exchange() == 0);
  const std::uint64_t first = vault.State().generation;

  const bool served = GENERATE(true, false);
  CAPTURE(served);
  if (!served) vault.Close();
  for (int i = 0; i < 2; ++i) {
    const auto asked = AskForIndexExchange(vault.directory(), vault.root());
    INFO(AnswerOf(asked));
    REQUIRE(asked);
    CHECK((asked->generation == first && asked->served == served));
  }
  if (!served) vault.Open();
  CHECK(follow() == "ok");
  // It stays until the work is done: a restart finds it.
  CHECK(fs::exists(request));
  vault.Close();
  vault.Open();
  CHECK(follow() == "ok");
  CHECK(vault.Find("Doe") == found);
  CHECK(vault.Exchange() > 0);
  CHECK(vault.State().generation > first);
  CHECK(vault.Find("Doe") == found);
  for (const BlindToken& token : vault.TokensToday(values)) {
    // Those under the keyring's key are in no index.
    if (std::ranges::find(values, token) != values.end()) continue;
    CHECK(std::ranges::find(before, token) == before.end());
  }
  CHECK(follow() == "ok");
  CHECK_FALSE(fs::exists(request));
  CHECK(vault.Exchange() == 0);

  // Asked for once more when it is done and nobody has looked: another one.
  REQUIRE(AskForIndexExchange(vault.directory(), vault.root()));
  CHECK(follow() == "ok");
  CHECK(vault.Exchange() > 0);
  const std::uint64_t second = vault.State().generation;
  const auto once_more = AskForIndexExchange(vault.directory(), vault.root());
  REQUIRE(once_more);
  CHECK(once_more->generation == second);
  CHECK(follow() == "ok");
  CHECK(vault.Exchange() > 0);
  CHECK(vault.State().generation > second);
  CHECK(follow() == "ok");

  // Asked for while the next one is built, it is that one's key that goes.
  REQUIRE(AskForIndexExchange(vault.directory(), vault.root()));
  CHECK(follow() == "ok");
  while (!vault.State().building) REQUIRE(vault->index_builder().Step() == true);
  fs::remove(request);
  const auto while_built = AskForIndexExchange(vault.directory(), vault.root());
  REQUIRE(while_built);
  CHECK(while_built->generation > vault.State().generation);
  CHECK(follow() == "ok");
  CHECK(vault.Exchange() > 0);
  CHECK(follow() == "ok");
  CHECK(vault.Exchange() > 0);
  CHECK(vault.State().generation > while_built->generation);
  CHECK(follow() == "ok");
  CHECK_FALSE(fs::exists(request));
  vault.CheckInvariants();
}

TEST_CASE("what asks for another key of the index without the root key is not followed") {
  IndexVault vault;
  vault.NewClient("REF-1");
  CHECK(vault.Exchange() == 0);
  const std::string request = HandedOverKeyPath(vault.directory(), kSearchIndexName);
  std::ofstream(request) << "please";
  CHECK(AnswerOf(vault->key_exchange().Step()) == "envelope_malformed");
  REQUIRE(AskForIndexExchange(vault.directory(), vault.root()));
  auto altered = *crypto::ReadFile(request, 256);
  altered.back() ^= 1;
  REQUIRE(crypto::WriteFileAtomically(request, altered));
  CHECK(AnswerOf(vault->key_exchange().Step()) == "envelope_not_authentic");
  CHECK(vault.Exchange() == 0);
  // Whoever has it puts right what lies there.
  REQUIRE(AskForIndexExchange(vault.directory(), vault.root()));
  CHECK(AnswerOf(vault->key_exchange().Step()) == "ok");
  CHECK(vault.Exchange() > 0);
}

}  // namespace coffer::vault
