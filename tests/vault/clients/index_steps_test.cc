// What an exchange of the index's key does in steps, until it is done: words of holds from before
// they were sealed, rows that nothing should have any more, and what cannot be read.
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/test_engine.h"
#include "tests/vault/test_vault.h"
#include "vault/clients/clients_state.h"

namespace coffer::vault {
namespace {

using enum Role;

class SteppedVault : public TestVault {
 public:
  using TestVault::TestVault;

  void EraseAndExchange() {
    REQUIRE((*this)->Erase(As(kPrivacyOfficer), NewClient("REF-erased"), {}));
    clock.Advance(std::int64_t{11} * 24 * 3600 * 1000);
    for (int steps = 0; steps < 20'000; ++steps) {
      const auto stepped = (*this)->StepIndex();
      INFO(AnswerOf(stepped));
      REQUIRE(stepped);
      if (!*stepped) return;
      if (after_step) after_step();
    }
    FAIL("the exchange has no end");
  }
  std::function<void()> after_step;
};

TEST_CASE("the words of all holds are sealed in one exchange, however many there are") {
  SteppedVault vault;
  const ClientId client = vault.NewClient("REF-1");
  HoldRequest request;
  request.client = client;
  request.reason = "sued over the flat";
  request.case_number = "C-77";
  request.review_due = Timestamp{vault.clock.Now().ms + std::int64_t{30} * 24 * 3600 * 1000};
  REQUIRE(vault->PlaceHold(vault.As(kPrivacyOfficer), request));
  vault.Close();
  // As the format before left them. Of some, the client's key is not there: those come first, and
  // keep nobody else's in clear.
  vault.Tamper(
      "UPDATE holds SET reason = 'sued over the flat', case_number = 'C-77', sealed = NULL");
  const auto copies = [&](int count, const char* hid, const char* cid) {
    vault.Tamper(
        "INSERT INTO holds (hid, cid, class, tag, reason, case_number, review_due, placed, "
        "placed_by, lifted, lifted_by) SELECT " +
        std::string(hid) + ", " + cid +
        ", class, tag, reason, case_number, review_due, placed, placed_by, placed, placed_by FROM "
        "(SELECT * FROM holds ORDER BY id LIMIT 1), (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
        "SELECT i + 1 FROM n WHERE i < " +
        std::to_string(count) + ") SELECT i FROM n)");
  };
  copies(1200, "CAST(x'01' || randomblob(15) AS BLOB)", "randomblob(16)");
  copies(1200, "CAST(x'fe' || randomblob(15) AS BLOB)", "cid");
  vault.Open(true);
  const auto in_clear = [&] {
    return vault.Number("SELECT count(*) FROM holds WHERE reason <> '' AND cid = ?",
                        client.bytes());
  };
  CHECK(in_clear() == 1201);
  std::int64_t before = in_clear(), most = 0;
  vault.after_step = [&] {
    const auto now = in_clear();
    most = std::max(most, before - now);
    before = now;
  };
  vault.EraseAndExchange();
  CHECK(in_clear() == 0);
  CHECK(most > 0);
  CHECK(most <= 200);  // no request waits behind all of them
  // Each step that sealed some has its entry, and the state is as the log says.
  vault.Close();
  vault.Open();
}

TEST_CASE("rows in the tables that are not in use are cleared before they are used again") {
  SteppedVault vault;
  const ClientId client = vault.NewClient("REF-1");
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  std::string index, refs;
  {
    const Database rows = vault.OpenVaultDatabase();
    index = TestVault::IndexTable(rows, "blind_index", false);
    refs = TestVault::IndexTable(rows, "client_refs", false);
  }
  vault.Close();
  vault.Tamper("INSERT INTO " + index + " (token, record) VALUES (zeroblob(16), ?)", record.Row());
  vault.Tamper("INSERT INTO " + refs + " (ref, client) VALUES (zeroblob(16), ?)", client.Row());
  vault.Open();
  vault.EraseAndExchange();
  vault.CheckInvariants();  // what is in the index is what the rows say
}

TEST_CASE("what an operation takes out of the index unread goes with it, or stays with it") {
  TestEngine engine;
  engine.Start();
  const auto put = [&](std::int64_t record) {
    IndexTerms terms;
    terms.tokens = Bytes(16, static_cast<std::uint8_t>(record));
    return engine.Do(OperationKind::kWrite, "index", [&](Transaction& transaction) {
      return transaction.Of<ClientsState>().stores.index.Put(record, terms);
    });
  };
  for (std::int64_t record = 1; record <= 4; ++record) REQUIRE(put(record) == "ok");
  const auto left = [&] {
    const Database reader = engine.Reader();
    auto count = Statement::Prepare(
        reader,
        "SELECT (SELECT count(*) FROM blind_index) + (SELECT count(*) FROM blind_index_odd)");
    REQUIRE(count);
    auto row = count->Query();
    REQUIRE(*row.Next());
    return row.Int(0);
  };
  CHECK(left() == 4);
  const auto take = [&](bool fail) {
    return engine.Do(OperationKind::kWrite, "take", [&](Transaction& transaction) -> Status {
      SearchIndex& index = transaction.Of<ClientsState>().stores.index;
      for (const std::int64_t record : {1, 2, 3}) {
        index.NoteUnread({&record, 1}, record == 3 ? std::optional(record) : std::nullopt);
      }
      if (fail) return Fail(Code::kConflict, "changed_mind");
      return {};
    });
  };
  CHECK(take(true) == "changed_mind");
  CHECK(left() == 4);
  CHECK(engine.Do(OperationKind::kWrite, "another", [](Transaction&) -> Status { return {}; }) ==
        "ok");
  CHECK(left() == 4);
  CHECK(take(false) == "ok");
  CHECK(left() == 1);
}

}  // namespace
}  // namespace coffer::vault
