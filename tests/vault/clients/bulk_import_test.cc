// Rows that are imported together are what they would be one after the other.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <map>
#include <random>
#include <thread>

#include "tests/support/sampling.h"
#include "tests/vault/test_vault.h"
#include "vault/clients/record_operations.h"

namespace coffer::vault {
namespace {

using enum Role;

struct MadeRow {
  std::string reference, class_name, key;
  json data;
  bool merged = true;
  std::optional<Error> unreadable = {};

  ImportRow Row() const {
    return {reference,
            class_name,
            key,
            data,
            false,
            merged ? ChangeForm::kMergePatch : ChangeForm::kWhole,
            unreadable ? &*unreadable : nullptr};
  }
};

MadeRow RandomRow(std::mt19937& random) {
  const auto below = [&](unsigned n) { return random() % n; };
  MadeRow row{"R-" + std::to_string(below(9)),
              "contact",
              below(4) == 0 ? "k" : "",
              {{"last_name", "Doe" + std::to_string(below(3))}}};
  row.merged = below(3) != 0;
  if (below(3) == 0) row.data["city"] = below(2) == 0 ? json("Bern") : json(nullptr);
  switch (below(14)) {
    case 0:
      row.data.erase("last_name");
      break;
    case 1:
      row.data["nope"] = 1;
      break;
    case 2:
      row.class_name = "nonsense";
      break;
    case 3:
      row.reference = std::string(201, 'x');
      break;
    case 4:
      row.unreadable = Error{Code::kInvalidArgument, "json_invalid", {}, {}};
      break;
    default:
      break;
  }
  return row;
}

std::string Told(const Result<ImportResult>& result) {
  return result ? std::string(Name(result->outcome)) + " " + std::to_string(result->removed)
                : AnswerOf(result);
}

// What an import leaves, without what each vault makes at random.
Strings Left(TestVault& vault) {
  Strings left;
  for (const auto& entry : vault.WholeLog()) {
    if (entry.action == "record.import" || entry.action == "client.create") {
      std::string line = entry.action + " " + entry.outcome + " " + entry.rule + " " +
                         entry.class_name + " " + std::to_string(entry.version) + " " +
                         entry.detail;
      for (const auto& field : entry.fields) line += " " + field;
      left.push_back(std::move(line));
    }
  }
  return left;
}

TEST_CASE("rows that are imported together are answered, stored and logged as one by one") {
  std::mt19937 random(20'261'129);
  for (int round = 0; round < testing::Many(12, 3); ++round) {
    TestVault alone, together;
    for (int part = 0; part < 4; ++part) {
      std::deque<MadeRow> made;
      std::vector<ImportRow> rows;
      Strings expected;
      for (int i = 0; i < 24; ++i) {
        rows.push_back(made.emplace_back(RandomRow(random)).Row());
        expected.push_back(Told(alone->imports().ImportRecord(alone.As(kCrmService), rows.back())));
      }
      Strings answers;
      for (const auto& result : together->imports().ImportRecords(together.As(kCrmService), rows)) {
        answers.push_back(Told(result));
      }
      CHECK(answers == expected);
    }
    CHECK(Left(together) == Left(alone));
    for (const char* count : {"SELECT count(*) FROM clients", "SELECT count(*) FROM records",
                              "SELECT count(*) FROM record_versions"}) {
      CHECK(together.Number(count) == alone.Number(count));
    }
    together.CheckInvariants();
  }
}

TEST_CASE("the reason of each row is kept, however few keys there is room for") {
  TestVault::Settings settings;
  settings.key_cache_entries = 256;
  TestVault vault(settings);
  std::deque<MadeRow> made;
  std::vector<ImportRow> rows;
  for (int i = 0; i < 300; ++i) {
    rows.push_back(
        made.emplace_back(MadeRow{"R-" + std::to_string(i), "contact", "", {{"last_name", "Doe"}}})
            .Row());
  }
  const auto importing = vault.As(kCrmService, "client-care", "moved from the old system");
  for (const auto& result : vault->imports().ImportRecords(importing, rows)) {
    CHECK(Told(result) == "created 0");
  }
  CHECK(vault.Number("SELECT count(*) FROM log_notes") == 300);
  CHECK(vault.KeyCount() == 300);
  vault.CheckInvariants();
}

TEST_CASE("a class that changes while rows wait changes neither their order nor their entries") {
  constexpr int kRounds = 20, kRows = 64, kClients = 5;
  TestVault vault;
  std::atomic<bool> done{false};
  std::atomic<int> changes_left{1};  // while one call runs: fewer than it tries again
  std::size_t refused = 0;
  std::map<std::string, std::string> last;
  std::map<std::string, std::pair<ClientId, RecordId>> made;
  {
    const std::jthread changes([&] {
      for (int version = 0; !done;) {
        if (changes_left <= 0) {
          std::this_thread::yield();
          continue;
        }
        --changes_left;
        vault.PutClass({{"name", "note"},
                        {"purposes", {"client-care"}},
                        {"fields",
                         {{"text", {{"type", "string"}, {"required", true}}},
                          {"more", {{"type", "string"}}},
                          {"f" + std::to_string(version++ % 2), {{"type", "string"}}}}}});
      }
    });
    while (!vault->classes().HasClass("note")) std::this_thread::yield();
    for (int round = 0; round < kRounds; ++round) {
      std::deque<MadeRow> rows_made;
      std::vector<ImportRow> rows;
      for (int i = 0; i < kRows; ++i) {
        const std::string text = std::to_string(round * kRows + i);
        const std::string client = std::to_string(round) + "/" + std::to_string(i % kClients);
        // Only the first is whole.
        const json data = i < kClients ? json{{"text", "x"}, {"more", text}} : json{{"more", text}};
        rows.push_back(rows_made.emplace_back(MadeRow{client, "note", "", data}).Row());
      }
      const auto caller = vault.As(kCrmService);
      changes_left = kClassRetries - 2;
      const auto results = vault->imports().ImportRecords(caller, rows);
      for (std::size_t i = 0; i < results.size(); ++i) {
        if (!results[i]) {
          ++refused;
          continue;
        }
        last[rows[i].external_ref] = rows[i].data["more"];
        made[rows[i].external_ref] = {results[i]->client, results[i]->record};
      }
    }
    done = true;
  }
  CHECK(refused == 0);
  for (const auto& [client, ids] : made) {
    const auto record = vault->records().GetRecord(vault.As(kCrmService), ids.first, ids.second);
    REQUIRE(record);
    CHECK(json::parse(record->data)["more"] == last[client]);
  }
  const auto log = vault.WholeLog();
  CHECK(std::ranges::count(log, "record.import", &audit::Entry::action) == kRounds * kRows);
  vault.CheckInvariants();
}

TEST_CASE("rows of somebody who may import nothing are refused each, and leave nothing") {
  TestVault vault;
  const json data = {{"last_name", "Doe"}};
  const ImportRow rows[] = {{"A-1", "contact", "", data}, {"A-2", "contact", "", data}};
  const auto results = vault->imports().ImportRecords(vault.As(kAuditor), rows);
  REQUIRE(results.size() == 2);
  for (const auto& result : results) CHECK(AnswerOf(result) == "permission_denied");
  CHECK(vault.Number("SELECT count(*) FROM clients") == 0);
  CHECK(vault.KeyCount() == 0);
  CHECK(vault->imports().ImportRecords(vault.As(kCrmService), {}).empty());
  vault.CheckInvariants();
}

}  // namespace
}  // namespace coffer::vault
