// Who was erased does not come back with the next file unasked.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <functional>

#include "tests/vault/deletion/retaining_vault.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

// The ways on which a client gets an external reference.
struct WayIn {
  const char* name;
  std::function<std::string(TestVault&, const Caller&, const std::string&, bool accept)> take;
};
const std::vector<WayIn>& WaysIn() {
  static const std::vector<WayIn> ways = {
      {"created",
       [](TestVault& vault, const Caller& caller, const std::string& ref, bool accept) {
         return AnswerOf(vault->clients().CreateClient(caller, {ref, {}, {}, accept}, {}));
       }},
      {"changed",
       [](TestVault& vault, const Caller& caller, const std::string& ref, bool accept) {
         const ClientId other = vault.NewClient("");
         return AnswerOf(vault->clients().UpdateClient(caller, other, 1, {ref, {}, {}, accept}));
       }},
      {"imported",
       [](TestVault& vault, const Caller& caller, const std::string& ref, bool accept) {
         const json data = {{"last_name", "Doe"}};
         return AnswerOf(vault->imports().ImportRecord(caller, {ref, "contact", "", data, accept}));
       }},
  };
  return ways;
}

TEST_CASE("the reference of an erased client is refused on every way in, until it is accepted") {
  for (const auto& way : WaysIn()) {
    INFO(way.name);
    TestVault vault;
    REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.NewClient("A-1"), {}));
    const auto clients = vault.Number("SELECT count(*) FROM clients");
    const auto refused = vault.As(kCrmService);
    CHECK(way.take(vault, refused, "A-1", false) == "erased_before");
    CHECK(vault.EntryOf(refused).at("outcome") == "erased_before");
    CHECK(
        vault.Number(
            "SELECT (SELECT count(*) FROM client_refs) + (SELECT count(*) FROM client_refs_odd) + "
            "(SELECT count(*) FROM index_arrivals WHERE place >= 2)") == 0);
    CHECK(vault.Number("SELECT count(*) FROM records") == 0);
    CHECK(vault.Number("SELECT count(*) FROM clients") <= clients + 1);
    CHECK(way.take(vault, vault.As(kCrmService), "A-2", false) == "ok");

    const auto accepted = vault.As(kCrmService);
    CHECK(way.take(vault, accepted, "A-1", true) == "ok");
    CHECK(vault.EntriesOf(accepted).back().at("detail") == "erased_before accepted");
    // One that is there is not refused for what was.
    const json data = {{"last_name", "Roe"}};
    CHECK(vault->imports().ImportRecord(vault.As(kCrmService), {"A-1", "contact", "", data}));
    CHECK(way.take(vault, vault.As(kCrmService), "A-1", false) ==
          (std::string(way.name) == "imported" ? "ok" : "external_ref_taken"));
    // Nor does it change what else is said of it.
    const auto found = vault->searches().SearchByReference(vault.As(kCrmService), "A-1");
    REQUIRE(found);
    REQUIRE(found->items.size() == 1);
    const ClientId back = found->items.front().client;
    const auto info = vault->clients().GetClient(vault.As(kCrmService), back);
    REQUIRE(info);
    CHECK(vault->clients().UpdateClient(vault.As(kCrmService), back, info->version,
                                        {"A-1", Strings{"vip"}, {}, false}));
    vault.CheckInvariants();
  }
}

TEST_CASE("accepting what was not erased is said in no entry") {
  TestVault vault;
  const auto caller = vault.As(kCrmService);
  CHECK(vault->clients().CreateClient(caller, {"A-1", {}, {}, true}, {}));
  CHECK(!vault.EntryOf(caller).contains("detail"));
}

TEST_CASE("which erasure it was is told to those who may know, and to no one else") {
  TestVault vault;
  const auto erasure =
      vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.NewClient("A-1"), {});
  REQUIRE(erasure);
  const auto create = [&](const Caller& caller) {
    const auto made = vault->clients().CreateClient(caller, {"A-1", {}}, {});
    REQUIRE(!made);
    return IssuesOf(made);
  };
  CHECK(create(vault.As(kCrmService)) ==
        Strings{"/external_ref is that of a client which was erased"});
  REQUIRE(vault->roles().PutRole(vault.As(kAdministrator), "intake", R"({"grants": [
    {"actions": ["client.create"], "scope": "all"}, {"actions": ["erasure.read"]}]})"));
  const auto intake = vault.NewTokenFor("intake", 3600);
  REQUIRE(intake);
  const auto caller = testing::OpenVault::Stranger(intake->secret);
  CHECK(create(caller) ==
        Strings{"/external_ref is that of a client which was erased at " +
                audit::FormatTimestamp(erasure->erased) + " by " + erasure->id.Text()});
  CHECK(vault.EntryOf(caller).at("detail") == erasure->id.Text());
}

TEST_CASE("erasing a part of a client says nothing against its reference") {
  TestVault vault;
  const ClientId client = vault.NewClient("A-1");
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), client,
                                  {ErasureBasis::kRequest, "", {record}}));
  CHECK(vault.Number("SELECT count(*) FROM erasures WHERE ref_token IS NOT NULL") == 0);
  const json data = {{"last_name", "Doe"}};
  CHECK(vault->imports().ImportRecord(vault.As(kCrmService), {"A-1", "contact", "", data}));
}

TEST_CASE("a client without a reference leaves no token, and equals no other") {
  TestVault vault;
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.NewClient(""), {}));
  CHECK(vault.Number("SELECT count(*) FROM erasures WHERE ref_token IS NOT NULL") == 0);
  CHECK(vault->clients().CreateClient(vault.As(kCrmService), {}, {}));
}

TEST_CASE("a reference is known to have been erased as long as the act is kept") {
  TestVault vault;
  const ClientId client = vault.NewClient("A-1");
  const auto state = [&] {
    const auto traces = vault->traces().FindTraces(vault.As(kPrivacyOfficer), client);
    REQUIRE(traces);
    const auto found = std::ranges::find(*traces, "erased-reference", &Trace::place);
    REQUIRE(found != traces->end());
    return found->state + " " + found->detail;
  };
  CHECK(state() == "absent ");
  const auto erasure = vault->erasures().Erase(vault.As(kPrivacyOfficer), client, {});
  REQUIRE(erasure);
  CHECK(state() == "present keyed hash of the external reference, until " +
                       audit::FormatTimestamp(
                           Timestamp{erasure->erased.ms + std::int64_t{3} * 366 * 86'400'000}));
  const auto purge_before = [&](Timestamp time) {
    Database database = vault.OpenVaultDatabase(false);
    auto store = ErasureStore::Open(database);
    REQUIRE(store);
    REQUIRE(store->PurgeActs(time));
  };
  purge_before(vault.clock.Now());
  CHECK(WaysIn().front().take(vault, vault.As(kCrmService), "A-1", false) == "erased_before");
  purge_before(Timestamp{vault.clock.Now().ms + 1});
  CHECK(state() == "absent ");
  CHECK(WaysIn().front().take(vault, vault.As(kCrmService), "A-1", false) == "ok");
}

// With the files of before put back, but for the ledger, and for these.
void PutBack(TestVault& vault, const ClientId& client, const std::vector<std::string>& kept) {
  namespace fs = std::filesystem;
  const fs::path now = vault.directory();
  const fs::path before = vault.work() / "before";
  const fs::path after = vault.work() / "after";
  vault.Close();
  fs::copy(now, before, fs::copy_options::recursive);
  vault.Open();
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), client, {}));
  vault.Close();
  fs::rename(now, after);
  fs::copy(before, now, fs::copy_options::recursive);
  fs::copy_file(after / "erasures.ledger", now / "erasures.ledger",
                fs::copy_options::overwrite_existing);
  for (const auto& file : kept) {
    fs::copy_file(after / file, now / file, fs::copy_options::overwrite_existing);
  }
  vault.Open();
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), client)) == "not_found");
}

TEST_CASE("what the ledger has erased again is known as well") {
  TestVault vault;
  PutBack(vault, vault.NewClient("A-1"), {});
  for (const auto& way : WaysIn()) {
    CHECK(way.take(vault, vault.As(kCrmService), "A-1", false) == "erased_before");
  }
}

TEST_CASE("where the key is gone already, nobody can say any more whose reference it was") {
  TestVault vault;
  PutBack(vault, vault.NewClient("A-1"), {"keys.db", "keys.db.key"});
  CHECK(vault.Number("SELECT count(*) FROM erasures WHERE ref_token IS NOT NULL") == 0);
  CHECK(WaysIn().front().take(vault, vault.As(kCrmService), "A-1", false) == "ok");
}

TEST_CASE("what retention erased does not come back either", "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  vault.FillWithDue(2);
  const auto run = vault->retention().StartRetentionRun(vault.As(kPrivacyOfficer));
  REQUIRE(run);
  REQUIRE(vault.Await(run->id).state == "finished");
  const auto gone = vault.Number("SELECT count(*) FROM erasures WHERE scope = 1");
  CHECK(gone > 0);
  CHECK(vault.Number("SELECT count(*) FROM erasures WHERE ref_token IS NOT NULL") == gone);
}

TEST_CASE("the token matches none of a client that is there, and is not the reference") {
  TestVault vault;
  const ClientId client = vault.NewClient("A-1");
  const Bytes live = vault.Blob("SELECT ref FROM clients");
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), client, {}));
  CHECK(vault.Blob("SELECT ref_token FROM erasures") != live);
  CHECK(vault.Number("SELECT count(*) FROM erasures WHERE instr(ref_token, 'A-1') > 0") == 0);
}

}  // namespace
}  // namespace coffer::vault
