// Clients: created, read, changed, listed, found. Their erasure: vault_erasure_test.cc.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <set>
#include <span>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

const json kProfile = {"external_ref", "tags"};

TEST_CASE("a client is read back as it was made") {
  TestVault vault;
  const auto made = vault->clients().CreateClient(
      vault.As(kCrmService), {"Kunde «7»/ä", {{"vip", "eu", "a:b.c_d-e", "eu"}}}, {});
  REQUIRE(made);
  CHECK(made->external_ref == "Kunde «7»/ä");
  CHECK(made->tags == Strings{"a:b.c_d-e", "eu", "vip"});  // sorted, each once
  CHECK(made->version == 1);
  CHECK(made->created == vault.clock.Now());
  CHECK(made->updated == vault.clock.Now());
  vault.clock.Advance(1000);
  vault.Close();
  vault.Open();
  const auto read = vault->clients().GetClient(vault.As(kCrmService), made->id);
  REQUIRE(read);
  CHECK(read->id == made->id);
  CHECK(read->external_ref == made->external_ref);
  CHECK(read->tags == made->tags);
  CHECK(read->version == 1);
  CHECK(read->created == made->created);
  CHECK(read->updated == made->updated);
  vault.CheckInvariants();
}

TEST_CASE("a client needs neither reference nor tags") {
  TestVault vault;
  const auto first = vault->clients().CreateClient(vault.As(kCrmService), {}, {});
  const auto second = vault->clients().CreateClient(vault.As(kCrmService), {"", Strings{}}, {});
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->id != second->id);
  CHECK(first->external_ref.empty());
  CHECK(first->tags.empty());
  vault.CheckInvariants();
}

TEST_CASE("what is wrong with a client is told member by member, and nothing is made") {
  TestVault vault;
  const std::string long_ref(201, 'x');
  const auto issues_of = [&](const ClientChange& change) {
    const auto made = vault->clients().CreateClient(vault.As(kCrmService), change, {});
    REQUIRE(!made);
    CHECK(made.error().code == Code::kUnprocessable);
    CHECK(made.error().reason == "client_invalid");
    Strings pointers;
    for (const auto& issue : made.error().issues) pointers.push_back(issue.pointer);
    return pointers;
  };
  CHECK(issues_of({long_ref, {}}) == Strings{"/external_ref"});
  CHECK(issues_of({"a\xff", {}}) == Strings{"/external_ref"});
  CHECK(issues_of({std::string("a\0b", 3), {}}) == Strings{"/external_ref"});
  CHECK(issues_of({{}, {{"ok", "Not", "", "a b", "ä", std::string(65, 'a'), "a/b"}}}) ==
        Strings{"/tags/1", "/tags/2", "/tags/3", "/tags/4", "/tags/5", "/tags/6"});
  CHECK(issues_of({{}, Strings(51, "a")}) == Strings{"/tags"});
  CHECK(issues_of({long_ref, {{"A"}}}) == Strings{"/external_ref", "/tags/0"});
  CHECK(vault.Number("SELECT count(*) FROM clients") == 0);
  CHECK(vault->clients().CreateClient(vault.As(kCrmService),
                                      {std::string(200, 'x'), Strings(50, "a")}, {}));
  vault.CheckInvariants();
}

TEST_CASE("an external reference belongs to one client") {
  TestVault vault;
  const ClientId first = vault.NewClient("A-1");
  const auto taken = vault->clients().CreateClient(vault.As(kCrmService), {"A-1", {}}, {});
  REQUIRE(!taken);
  CHECK(taken.error().code == Code::kConflict);
  CHECK(taken.error().reason == "external_ref_taken");
  vault.NewClient("a-1");  // as it is spelled
  const ClientId third = vault.NewClient("A-3");
  CHECK(AnswerOf(vault->clients().UpdateClient(vault.As(kCrmService), third, 1, {"A-1", {}})) ==
        "external_ref_taken");
  CHECK(vault->clients().GetClient(vault.As(kCrmService), third)->version == 1);
  // Free again when its owner gives it up.
  CHECK(vault->clients().UpdateClient(vault.As(kCrmService), first, 1, {"", {}}));
  CHECK(vault->clients().UpdateClient(vault.As(kCrmService), third, 1, {"A-1", {}}));
  CHECK(vault->searches().SearchByReference(vault.As(kCrmService), "A-1")->items[0].client ==
        third);
  vault.CheckInvariants();
}

TEST_CASE("a client that was refused for its reference is nowhere, not even in the log") {
  TestVault vault;
  vault.NewClient("A-1");
  const auto caller = vault.As(kCrmService);
  CHECK(!vault->clients().CreateClient(caller, {"A-1", {}}, {}));
  CHECK(vault.EntryOf(caller) == vault.Allowed(kCrmService, {{"action", "client.create"},
                                                             {"outcome", "external_ref_taken"}}));
}

TEST_CASE("a change that was refused for its reference is not told as a version of the client") {
  TestVault vault;
  vault.NewClient("A-1");
  const ClientId id = vault.NewClient("A-2");
  const auto caller = vault.As(kCrmService);
  CHECK(!vault->clients().UpdateClient(caller, id, 1, {"A-1", {}}));
  CHECK(vault.EntryOf(caller) == vault.Allowed(kCrmService, {{"action", "client.update"},
                                                             {"client", id.Text()},
                                                             {"outcome", "external_ref_taken"}}));
}

TEST_CASE("a client is changed by who saw its version") {
  TestVault vault;
  const ClientId id = vault.NewClient("A-1", {"old"});
  vault.clock.Advance(5000);
  const auto changed =
      vault->clients().UpdateClient(vault.As(kCrmService), id, 1, {"A-2", {{"new", "b"}}});
  REQUIRE(changed);
  CHECK(changed->external_ref == "A-2");
  CHECK(changed->tags == Strings{"b", "new"});
  CHECK(changed->version == 2);
  CHECK(changed->updated.ms - changed->created.ms == 5000);
  for (const std::uint64_t stale : {0U, 1U, 3U}) {
    const auto lost = vault->clients().UpdateClient(vault.As(kCrmService), id, stale, {"A-3", {}});
    REQUIRE(!lost);
    CHECK(lost.error().code == Code::kPreconditionFailed);
    CHECK(lost.error().reason == "version_mismatch");
  }
  // What is not named stays.
  CHECK(
      vault->clients().UpdateClient(vault.As(kCrmService), id, 2, {{}, Strings{}})->external_ref ==
      "A-2");
  const auto read = vault->clients().GetClient(vault.As(kCrmService), id);
  CHECK(read->tags.empty());
  CHECK(read->version == 3);
  CHECK(vault->searches().SearchByReference(vault.As(kCrmService), "A-1")->items.empty());
  CHECK(vault->searches().SearchByReference(vault.As(kCrmService), "A-2")->items.size() == 1);
  CHECK(IssuesOf(vault->clients().UpdateClient(vault.As(kCrmService), id, 3, {{}, {{"Bad"}}}))
            .size() == 1);
  vault.CheckInvariants();
}

TEST_CASE("a client that does not exist is not found, whoever asks and for what") {
  TestVault vault;
  const auto nobody = ClientId::New(vault.clock.Now());
  // The same row with other random bits is another client.
  ClientId twin = vault.NewClient("A-1");
  twin.value[15] ^= 1;
  for (const ClientId& id : {nobody, twin}) {
    CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), id)) == "not_found");
    CHECK(AnswerOf(vault->clients().UpdateClient(vault.As(kCrmService), id, 1, {})) == "not_found");
    CHECK(AnswerOf(vault->erasures().Erase(vault.As(kPrivacyOfficer), id, {})) == "not_found");
    CHECK(AnswerOf(vault->records().CreateRecord(vault.As(kCrmService), id, "contact",
                                                 {{"last_name", "Doe"}}, {})) == "not_found");
    CHECK(AnswerOf(vault->records().ListRecords(vault.As(kCrmService), id, "", true, {})) ==
          "not_found");
  }
  const auto caller = vault.As(kCrmService);
  CHECK(!vault->clients().GetClient(caller, nobody));
  CHECK(vault.EntryOf(caller) == vault.Denied(kCrmService, {{"action", "client.read"},
                                                            {"client", nobody.Text()},
                                                            {"rule", "check:existence"},
                                                            {"outcome", "not_found"}}));
  vault.CheckInvariants();
}

TEST_CASE("each operation on a client leaves the entry that says what it did") {
  TestVault vault;
  auto caller = vault.As(kCrmService);
  const auto made = vault->clients().CreateClient(caller, {"A-1", {{"vip"}}}, {});
  REQUIRE(made);
  const std::string id = made->id.Text();
  CHECK(vault.EntryOf(caller) ==
        vault.Allowed(kCrmService, {{"action", "client.create"},
                                    {"client", id},
                                    {"fields", kProfile},
                                    {"version", 1},
                                    {"payload_hash", vault.ProfileHash(made->id)}}));
  caller = vault.As(kCrmService);
  CHECK(vault->clients().GetClient(caller, made->id));
  CHECK(vault.EntryOf(caller) ==
        vault.Allowed(
            kCrmService,
            {{"action", "client.read"}, {"client", id}, {"fields", kProfile}, {"version", 1}}));
  caller = vault.As(kCrmService, "billing");
  CHECK(vault->clients().UpdateClient(caller, made->id, 1, {{}, Strings{}}));
  CHECK(vault.EntryOf(caller) ==
        vault.Allowed(kCrmService, {{"action", "client.update"},
                                    {"client", id},
                                    {"fields", {"tags"}},
                                    {"purpose", "billing"},
                                    {"version", 2},
                                    {"payload_hash", vault.ProfileHash(made->id)}}));
  caller = vault.As(kCrmService);
  CHECK(!vault->clients().UpdateClient(caller, made->id, 1, {"A-2", {}}));
  CHECK(vault.EntryOf(caller) == vault.Allowed(kCrmService, {{"action", "client.update"},
                                                             {"client", id},
                                                             {"outcome", "version_mismatch"}}));
  caller = vault.As(kCrmService);
  CHECK(!vault->clients().CreateClient(caller, {std::string(300, 'x'), {}}, {}));
  CHECK(vault.EntryOf(caller) == vault.Denied(kCrmService, {{"action", "client.create"},
                                                            {"rule", "check:input"},
                                                            {"outcome", "client_invalid"}}));
  vault.CheckInvariants();
}

TEST_CASE("a list names each client it disclosed, in front of the entry for the list") {
  TestVault vault;
  const ClientId a = vault.NewClient("A", {"x"});
  const ClientId b = vault.NewClient("B", {"x"});
  vault.NewClient("C", {"y"});
  const auto caller = vault.As(kCrmService);
  const auto page = vault->clients().ListClients(caller, "x", "", {});
  REQUIRE(page);
  REQUIRE(page->items.size() == 2);
  const auto one = [&](const ClientId& id) {
    return vault.Allowed(kCrmService,
                         {{"action", "client.list"}, {"client", id.Text()}, {"fields", kProfile}});
  };
  CHECK(vault.EntriesOf(caller) ==
        std::vector<json>{one(a), one(b), vault.Allowed(kCrmService, {{"action", "client.list"}})});
}

TEST_CASE("a list is read page by page, each client once, in the order they were made") {
  TestVault vault;
  std::vector<ClientId> made;
  for (int i = 0; i < 7; ++i) made.push_back(vault.NewClient("A-" + std::to_string(i), {"t"}));
  for (const std::size_t limit : {1U, 2U, 3U, 6U, 7U, 8U, 200U}) {
    for (const char* tag : {"", "t"}) {
      INFO(limit << " " << tag);
      std::vector<ClientId> listed;
      PageRequest request{limit, {}};
      std::size_t pages = 0;
      do {
        const auto page = vault->clients().ListClients(vault.As(kCrmService), tag, "", request);
        REQUIRE(page);
        CHECK(page->items.size() <= limit);
        for (const auto& client : page->items) listed.push_back(client.id);
        request.cursor = page->next_cursor;
        ++pages;
      } while (!request.cursor.empty());
      CHECK(listed == made);
      CHECK(pages == (made.size() + limit - 1) / limit);
    }
  }
}

TEST_CASE("a list goes on where it was when clients come and go") {
  TestVault vault;
  std::vector<ClientId> made;
  for (int i = 0; i < 4; ++i) made.push_back(vault.NewClient("A-" + std::to_string(i)));
  const auto first = vault->clients().ListClients(vault.As(kCrmService), "", "", {2, {}});
  REQUIRE(first);
  CHECK(vault->erasures().Erase(vault.As(kPrivacyOfficer), made[1], {}));  // the cursor's own
  CHECK(vault->erasures().Erase(vault.As(kPrivacyOfficer), made[2], {}));
  const ClientId fifth = vault.NewClient("A-5");
  const auto rest =
      vault->clients().ListClients(vault.As(kCrmService), "", "", {10, first->next_cursor});
  REQUIRE(rest);
  REQUIRE(rest->items.size() == 2);
  CHECK(rest->items[0].id == made[3]);
  CHECK(rest->items[1].id == fifth);
  CHECK(rest->next_cursor.empty());
  vault.CheckInvariants();
}

TEST_CASE("a list by class has the clients with such records, for its purposes") {
  TestVault vault;
  std::vector<ClientId> with;
  for (int i = 0; i < 6; ++i) {
    const ClientId client = vault.NewClient("A-" + std::to_string(i), {i < 4 ? "t" : "u"});
    if (i % 2 == 1) {
      vault.NewContact(client, {{"last_name", "Doe"}});
      with.push_back(client);
    }
  }
  const auto ids_of = [](const Result<Page<ClientInfo>>& page) {
    REQUIRE(page);
    std::vector<ClientId> ids;
    for (const auto& item : page->items) ids.push_back(item.id);
    return ids;
  };
  CHECK(ids_of(vault->clients().ListClients(vault.As(kCrmService), "", "contact", {})) == with);
  CHECK(ids_of(vault->clients().ListClients(vault.As(kCrmService), "t", "contact", {})) ==
        std::vector<ClientId>{with[0], with[1]});
  CHECK(ids_of(vault->clients().ListClients(vault.As(kCrmService, "complaint-handling"), "",
                                            "complaint", {}))
            .empty());
  // In pages.
  std::vector<ClientId> paged;
  PageRequest request{1, {}};
  do {
    const auto page = vault->clients().ListClients(vault.As(kCrmService), "", "contact", request);
    for (const auto& id : ids_of(page)) paged.push_back(id);
    request.cursor = page->next_cursor;
  } while (!request.cursor.empty());
  CHECK(paged == with);
  CHECK(AnswerOf(vault->clients().ListClients(vault.As(kCrmService, "marketing"), "", "complaint",
                                              {})) == "purpose_not_allowed");
  CHECK(AnswerOf(vault->clients().ListClients(vault.As(kCrmService), "", "nonsense", {})) ==
        "class_unknown");
  CHECK(AnswerOf(vault->clients().ListClients(vault.As(kCrmService), "Not A Tag", "", {})) ==
        "tag_invalid");
}

TEST_CASE("a cursor says nothing of its place, and is of use to nobody but its principal") {
  TestVault vault;
  const ClientId client = vault.NewClient("A", {"t"});
  const ClientId next = vault.NewClient("B", {"t"});
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  const RecordId second = vault.NewContact(client, {{"last_name", "Doe"}});
  for (int i = 0; i < 2; ++i) {
    REQUIRE(vault->holds().PlaceHold(vault.As(kPrivacyOfficer),
                                     {client, {}, {}, "Claim", "K-1", Timestamp{4102444800000}}));
    REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer),
                                    vault.NewClient("gone " + std::to_string(i)), {}));
  }
  struct List {
    Role role;
    std::function<Result<std::string>(const Caller&, const std::string&)> next;
  };
  const auto next_of = [](const auto& page) -> Result<std::string> {
    if (!page) return std::unexpected(page.error());
    return page->next_cursor;
  };
  const std::vector<List> lists = {
      {kCrmService,
       [&](const Caller& caller, const std::string& cursor) {
         return next_of(vault->clients().ListClients(caller, "t", "", {1, cursor}));
       }},
      {kCrmService,
       [&](const Caller& caller, const std::string& cursor) {
         return next_of(vault->records().ListRecords(caller, client, "", false, {1, cursor}));
       }},
      {kCrmService,
       [&](const Caller& caller, const std::string& cursor) {
         return next_of(
             vault->searches().SearchByField(caller, "contact", "last_name", "Doe", {1, cursor}));
       }},
      {kPrivacyOfficer,
       [&](const Caller& caller, const std::string& cursor) {
         return next_of(vault->holds().ListHolds(caller, {}, false, {1, cursor}));
       }},
      {kPrivacyOfficer,
       [&](const Caller& caller, const std::string& cursor) {
         return next_of(vault->erasures().ListErasures(caller, {1, cursor}));
       }},
      {kPrivacyOfficer,
       [&](const Caller& caller, const std::string& cursor) {
         return next_of(vault->exports().PackageClient(caller, client, {1, cursor}));
       }},
      {kPrivacyOfficer,
       [&](const Caller& caller, const std::string& cursor) {
         return next_of(vault->exports().Export(caller, {}, {1, cursor}));
       }},
  };
  for (std::size_t i = 0; i < lists.size(); ++i) {
    INFO("list " << i);
    const auto& [role, list] = lists[i];
    const auto cursor = list(vault.As(role), "");
    REQUIRE(cursor);
    REQUIRE(!cursor->empty());
    CHECK(list(vault.As(role), *cursor));
    // Of the same role, and so of the same rights.
    const auto other = vault.NewTokenFor(Name(role), 3600);
    REQUIRE(other);
    Caller caller = vault.As(role);
    caller.token = other->secret;
    CHECK(AnswerOf(list(caller, "")) == "ok");
    caller.call = CallId::New(vault.clock.Now());
    CHECK(AnswerOf(list(caller, *cursor)) == "cursor_invalid");
    CHECK(vault.EntryOf(caller).at("outcome") == "cursor_invalid");
    CHECK(vault.EntryOf(caller).at("decision") == "deny");
    for (const std::int64_t row : {client.Row(), next.Row(), record.Row(), second.Row()}) {
      Bytes place;
      for (int shift = 56; shift >= 0; shift -= 8) {
        place.push_back(static_cast<std::uint8_t>(row >> shift));
      }
      for (std::string_view rest = *cursor; !rest.empty();) {
        const auto dot = rest.find('.');
        const auto bytes = crypto::Base64UrlDecode(rest.substr(0, dot));
        REQUIRE(bytes);
        // Nor the time in front of it, which two rows of one moment share.
        CHECK(std::ranges::search(*bytes, std::span(place).first(5)).empty());
        rest.remove_prefix(dot == rest.npos ? rest.size() : dot + 1);
      }
    }
    for (std::size_t at = 0; at < cursor->size(); ++at) {
      for (const char c : {'A', '_', '.', '5'}) {
        std::string altered = *cursor;
        if (altered[at] == c) continue;
        altered[at] = c;
        if (AnswerOf(list(vault.As(role), altered)) != "cursor_invalid") FAIL_CHECK(altered);
      }
    }
  }
  vault.CheckInvariants();
}

TEST_CASE("a cursor belongs to the list it came from") {
  TestVault vault;
  const ClientId client = vault.NewClient("A", {"t", "u"});
  vault.NewClient("B", {"t", "u"});
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  vault.NewContact(client, {{"last_name", "Doe"}});
  static_cast<void>(record);
  const auto crm = [&] { return vault.As(kCrmService); };
  const auto clients = [&](const char* tag, const char* class_name, const std::string& cursor) {
    return vault->clients().ListClients(crm(), tag, class_name, {1, cursor});
  };
  const auto records = [&](const char* class_name, const std::string& cursor) {
    return vault->records().ListRecords(crm(), client, class_name, false, {1, cursor});
  };
  const auto search = [&](const char* value, const std::string& cursor) {
    return vault->searches().SearchByField(crm(), "contact", "last_name", value, {1, cursor});
  };
  const std::string all = clients("", "", {})->next_cursor;
  const std::string tagged = clients("t", "", {})->next_cursor;
  const std::string of_client = records("", {})->next_cursor;
  const std::string of_class = records("contact", {})->next_cursor;
  const std::string found = search("Doe", {})->next_cursor;
  const std::set<std::string> cursors = {all, tagged, of_client, of_class, found};
  CHECK(cursors.size() == 5);
  for (const std::string& cursor : cursors) {
    REQUIRE(!cursor.empty());
    CHECK(clients("", "", cursor).has_value() == (cursor == all));
    CHECK(clients("t", "", cursor).has_value() == (cursor == tagged));
    CHECK(!clients("u", "", cursor));
    CHECK(!clients("t", "contact", cursor));
    CHECK(records("", cursor).has_value() == (cursor == of_client));
    CHECK(records("contact", cursor).has_value() == (cursor == of_class));
    CHECK(search("Doe", cursor).has_value() == (cursor == found));
    CHECK(!search("Roe", cursor));
  }
  std::string forged = all;
  forged[5] = forged[5] == 'A' ? 'B' : 'A';
  for (const std::string& cursor :
       {forged, all + "A", all.substr(1), std::string("0"), std::string("AAAAAAAAAAAAAAAAAAAAAA"),
        all + "=", std::string(300, 'A'), std::string("../..")}) {
    const auto refused = clients("", "", cursor);
    REQUIRE(!refused);
    CHECK(refused.error().code == Code::kInvalidArgument);
    CHECK(refused.error().reason == "cursor_invalid");
  }
  CHECK(AnswerOf(records("", forged)) == "cursor_invalid");
  CHECK(AnswerOf(search("Doe", forged)) == "cursor_invalid");
  // A cursor tells nothing of what it points at, and survives a start.
  vault.Close();
  vault.Open();
  CHECK(clients("", "", all)->items.size() == 1);
}

TEST_CASE("a repeated creation makes one client and gets the same answer") {
  TestVault vault;
  const Idempotency once{"key-1", "body"};
  const auto first = vault->clients().CreateClient(vault.As(kCrmService), {"A-1", {{"t"}}}, once);
  REQUIRE(first);
  // Whatever happened in between.
  vault.clock.Advance(60'000);
  REQUIRE(vault->clients().UpdateClient(vault.As(kCrmService), first->id, 1, {"A-9", Strings{}}));
  vault.Close();
  vault.Open();
  const auto caller = vault.As(kCrmService);
  const auto again = vault->clients().CreateClient(caller, {"A-1", {{"t"}}}, once);
  REQUIRE(again);
  CHECK(again->id == first->id);
  CHECK(again->external_ref == first->external_ref);
  CHECK(again->tags == first->tags);
  CHECK(again->version == first->version);
  CHECK(again->created == first->created);
  CHECK(again->updated == first->updated);
  CHECK(vault.EntryOf(caller) == vault.Allowed(kCrmService, {{"action", "client.create"},
                                                             {"client", first->id.Text()},
                                                             {"outcome", "repeated"}}));
  CHECK(vault.Number("SELECT count(*) FROM clients") == 1);
  vault.CheckInvariants();
}

TEST_CASE("an idempotency key with another body is refused, and makes nothing") {
  TestVault vault;
  REQUIRE(vault->clients().CreateClient(vault.As(kCrmService), {"A-1", {}}, {"key-1", "body"}));
  const auto other =
      vault->clients().CreateClient(vault.As(kCrmService), {"A-2", {}}, {"key-1", "other"});
  REQUIRE(!other);
  CHECK(other.error().code == Code::kUnprocessable);
  CHECK(other.error().reason == "idempotency_key_reused");
  CHECK(vault.Number("SELECT count(*) FROM clients") == 1);
  // Another key, another caller, another operation: nothing to do with it.
  CHECK(vault->clients().CreateClient(vault.As(kCrmService), {"A-2", {}}, {"key-2", "body"}));
  const auto token = vault.NewTokenFor(Name(kCrmService), 3600);
  REQUIRE(token);
  CHECK(vault->clients().CreateClient(TestVault::Stranger(token->secret), {"A-3", {}},
                                      {"key-1", "other"}));
  CHECK(vault.Number("SELECT count(*) FROM clients") == 3);
  vault.CheckInvariants();
}

TEST_CASE("a failed creation does not use its idempotency key up") {
  TestVault vault;
  vault.NewClient("A-1");
  CHECK(AnswerOf(vault->clients().CreateClient(vault.As(kCrmService), {"A-1", {}},
                                               {"key", "one"})) == "external_ref_taken");
  CHECK(vault->clients().CreateClient(vault.As(kCrmService), {"A-2", {}}, {"key", "two"}));
}

TEST_CASE("neither idempotency keys nor bodies are stored as they are") {
  TestVault vault;
  REQUIRE(vault->clients().CreateClient(vault.As(kCrmService), {"A-1", {}},
                                        {"SENTINEL-KEY", "SENTINEL-BODY"}));
  CHECK(vault.Number("SELECT count(*) FROM idempotency WHERE instr(key, 'SENTINEL') = 0 AND "
                     "instr(body, 'SENTINEL') = 0") == 1);
}

TEST_CASE("the same key for many requests at once makes one client") {
  TestVault vault;
  std::vector<Result<ClientInfo>> made(8);
  {
    std::vector<std::jthread> callers;
    for (auto& result : made) {
      const Caller caller = vault.As(kCrmService);
      callers.emplace_back([&vault, &result, caller] {
        result = vault->clients().CreateClient(caller, {"A-1", {}}, {"key", "body"});
      });
    }
  }
  for (const auto& result : made) {
    REQUIRE(result);
    CHECK(result->id == made[0]->id);
  }
  CHECK(vault.Number("SELECT count(*) FROM clients") == 1);
  vault.CheckInvariants();
}

TEST_CASE("a key cache that is smaller than the clients loses none of them") {
  TestVault vault({.key_cache_entries = 4});
  std::vector<ClientId> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(vault.NewClient("A-" + std::to_string(i)));
  for (int i = 0; i < 20; ++i) {
    const auto read =
        vault->clients().GetClient(vault.As(kCrmService), clients[static_cast<std::size_t>(i)]);
    REQUIRE(read);
    CHECK(read->external_ref == "A-" + std::to_string(i));
  }
  vault.CheckInvariants();
}

TEST_CASE("a profile that was moved from another client is not served, and raises the alarm") {
  TestVault vault;
  const ClientId a = vault.NewClient("A-1");
  const ClientId b = vault.NewClient("A-2");
  vault.Close();
  vault.Tamper(
      "UPDATE clients SET profile = (SELECT profile FROM clients WHERE id = ?) WHERE id = ?",
      a.Row(), b.Row());
  vault.Open();
  const auto caller = vault.As(kCrmService);
  const auto read = vault->clients().GetClient(caller, b);
  REQUIRE(!read);
  CHECK(read.error().code == Code::kCorrupted);
  CHECK(read.error().reason == "integrity_failed");
  const auto entries = vault.EntriesOf(caller);
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].at("action") == "client.read");
  CHECK(entries[1].at("action") == "integrity.alarm");
  CHECK(entries[1].at("client") == b.Text());
  CHECK(entries[1].at("detail") == "client.read");
  CHECK(AnswerOf(vault->clients().ListClients(vault.As(kCrmService), "", "", {})) ==
        "integrity_failed");
  CHECK(vault->clients().GetClient(vault.As(kCrmService), a));
}

}  // namespace
}  // namespace coffer::vault
