#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "api/routes/classes.h"
#include "api/routes/clients.h"
#include "api/routes/erasures.h"
#include "api/routes/log_proofs.h"
#include "api/routes/purposes.h"
#include "api/routes/records.h"
#include "api/routes/reply.h"
#include "api/routes/roles.h"
#include "api/routes/status.h"
#include "api/routes/tokens.h"
#include "vault/base/strict_json.h"

namespace coffer::api {
namespace {

using nlohmann::json;

constexpr audit::Timestamp kTime{1'767'323'045'678};
constexpr const char* kTimeText = "2026-01-02T03:04:05.678Z";
const std::string kHostile = "\"\\\n\t\x01\x1f</script>ä😀\x7f";

template <class T>
json Rendered(const T& value) {
  std::string out;
  Append(out, value);
  INFO(out);
  const auto parsed = vault::ParseStrictJson(out);
  REQUIRE(parsed);
  return *parsed;
}

template <class Id>
Id IdOf(std::uint8_t byte) {
  Id id;
  id.value.fill(byte);
  return id;
}
const auto kClient = IdOf<vault::ClientId>(1);
const auto kRecord = IdOf<vault::RecordId>(2);

TEST_CASE("a client is rendered with what it has, whatever is in it") {
  vault::ClientInfo client{kClient, kHostile, {"a", "b:c"}, 7, kTime, {kTime.ms + 1}};
  CHECK(Rendered(client) == json{{"id", kClient.Text()},
                                 {"external_ref", kHostile},
                                 {"tags", {"a", "b:c"}},
                                 {"version", 7},
                                 {"created", kTimeText},
                                 {"updated", "2026-01-02T03:04:05.679Z"}});
  client.external_ref.clear();
  client.tags.clear();
  client.relationship_end = kTime;
  CHECK(!Rendered(client).contains("external_ref"));
  CHECK(Rendered(client).at("tags") == json::array());
  CHECK(Rendered(client).at("relationship_end") == kTimeText);
}

TEST_CASE("a record is rendered with its data only where that was read") {
  vault::RecordInfo record{kRecord, kClient, "contact", 3, 9, kTime, kTime, {}, {}, {}};
  const json metadata = {{"id", kRecord.Text()}, {"client", kClient.Text()},
                         {"class", "contact"},   {"class_version", 3},
                         {"version", 9},         {"created", kTimeText},
                         {"updated", kTimeText}};
  CHECK(Rendered(record) == metadata);
  record.data = json{{"name", kHostile}, {"empty", ""}}.dump();
  json full = metadata;
  full["data"] = {{"name", kHostile}, {"empty", ""}};
  full["masked"] = json::array();
  CHECK(Rendered(record) == full);
  record.data = "{}";  // an empty document is a document
  CHECK(Rendered(record).at("data") == json::object());
}

TEST_CASE("a role is rendered with what of it is not evaluated") {
  vault::RoleDocument role;
  role.name = "desk";
  role.definition = "{}";
  CHECK(!Rendered(role).contains("not_evaluated"));
  role.not_evaluated = {{"/grants/0/scope", "does not narrow log.read"},
                        {"/grants/1/view", kHostile}};
  CHECK(Rendered(role).at("not_evaluated") ==
        json::array({{{"pointer", "/grants/0/scope"}, {"message", "does not narrow log.read"}},
                     {{"pointer", "/grants/1/view"}, {"message", kHostile}}}));
}

TEST_CASE("versions, hits and erasures are rendered") {
  CHECK(Rendered(vault::VersionInfo{4, 2, kTime}) ==
        json{{"version", 4}, {"class_version", 2}, {"written", kTimeText}});
  CHECK(Rendered(vault::SearchHit{kClient, kRecord}) ==
        json{{"client", kClient.Text()}, {"record", kRecord.Text()}});
  CHECK(Rendered(vault::SearchHit{kClient, {}}) == json{{"client", kClient.Text()}});
  vault::Erasure erasure;
  erasure.client = kClient;
  erasure.scope = vault::ErasureScope::kClass;
  erasure.basis = vault::ErasureBasis::kUnlawful;
  erasure.class_name = "contact";
  erasure.erased = kTime;
  erasure.records = 3;
  erasure.versions = 1;
  erasure.seq = 42;
  CHECK(Rendered(erasure) == json{{"id", erasure.id.Text()},
                                  {"client", kClient.Text()},
                                  {"scope", "class"},
                                  {"class", "contact"},
                                  {"basis", "unlawful"},
                                  {"erased", kTimeText},
                                  {"records", 3},
                                  {"versions", 1},
                                  {"log_seq", 42}});
}

TEST_CASE("a class is rendered with its definition as it is stored") {
  const auto schema = vault::ParseClass(
      R"({"name":"note","title":"\"N\"","purposes":["care"],"fields":{"a":{"type":"string"}}})");
  REQUIRE(schema);
  CHECK(Rendered(*schema) ==
        json{{"name", "note"}, {"version", 0}, {"definition", json::parse(schema->definition)}});
}

TEST_CASE("a token is rendered without any secret, and says when it was revoked") {
  vault::TokenInfo token;
  token.id = IdOf<vault::TokenId>(3);
  token.principal = IdOf<vault::PrincipalId>(4);
  token.name = kHostile;
  token.role = "crm-service";
  token.created = token.expires = kTime;
  json expected = {{"id", token.id.Text()},    {"principal", token.principal.Text()},
                   {"name", kHostile},         {"role", "crm-service"},
                   {"limits", json::object()}, {"created", kTimeText},
                   {"expires", kTimeText}};
  expected["state"] = "active";
  CHECK(Rendered(token) == expected);
  token.revoked = kTime;
  expected["revoked"] = kTimeText;
  token.state = vault::TokenState::kRevoked;
  expected["state"] = "revoked";
  CHECK(Rendered(token) == expected);
}

TEST_CASE("a purpose is rendered with its code") {
  CHECK(Rendered(vault::Purpose{"care", kHostile, "consent", "", kHostile, {}}) ==
        json{{"code", "care"},
             {"title", kHostile},
             {"legal_basis", "consent"},
             {"description", kHostile}});
}

TEST_CASE("a verification is rendered with its findings") {
  vault::DeepReport report;
  report.log.size = 5;
  report.log.allowed = 3;
  report.log.denied = 2;
  report.clients_checked = 1;
  json expected = {{"ok", true},
                   {"size", 5},
                   {"root", std::string(64, '0')},
                   {"allowed", 3},
                   {"denied", 2},
                   {"clients_checked", 1},
                   {"records_checked", 0},
                   {"versions_checked", 0},
                   {"findings", json::array()}};
  CHECK(Rendered(report) == expected);
  report.log.newest_checkpoint = audit::Checkpoint{"origin", 4, {}};
  report.log.findings = {{7, "chain", kHostile}, {{}, "state", "x"}};
  expected["ok"] = false;
  expected["checkpoint_size"] = 4;
  expected["findings"] = {{{"seq", 7}, {"check", "chain"}, {"message", kHostile}},
                          {{"check", "state"}, {"message", "x"}}};
  CHECK(Rendered(report) == expected);
}

TEST_CASE("a status is rendered with its log") {
  vault::VaultStatus status;
  status.vault_id = "vlt_1";
  status.log_origin = "origin";
  status.log_key = "origin+key";
  status.checkpoint = "origin\n5\nroot\n\n— origin sig\n";
  status.log_size = 5;
  status.clients = 1;
  status.memory_locked = true;
  status.keys_rewrite_pending = true;
  status.index.generation = 2;
  status.index.oldest_uncovered = kTime;
  status.index.due = kTime;
  status.index.overdue = true;
  status.holds = 3;
  status.overdue_holds = 2;
  status.restrictions = 4;
  status.started = status.now = kTime;
  constexpr std::int64_t kMonthMs = std::int64_t{30} * 24 * 3600 * 1000;
  const audit::Timestamp soon{kTime.ms + kMonthMs}, later{kTime.ms + kMonthMs + 1};
  const auto service = vault::PrincipalId::New(kTime, vault::PrincipalKind::kService);
  status.tokens = {
      1, 2, kTime, {{service, kHostile, 2, kTime, soon}, {service, "x", 1, later, later}}};
  const json rendered = Rendered(ServerStatus{status, kTime.ms / 1000});
  CHECK(rendered.at("certificate_expires") == "2026-01-02T03:04:05.000Z");
  const json first = {{"service", service.Text()},
                      {"name", kHostile},
                      {"tokens", 2},
                      {"next", kTimeText},
                      {"last", audit::FormatTimestamp(soon)}};
  CHECK(rendered.at("token_expiry") == json{{"within_7_days", 1},
                                            {"within_30_days", 2},
                                            {"next", kTimeText},
                                            {"services", json::array({first})}});
  status.tokens.services.assign(101, {service, "x", 1, kTime, kTime});
  CHECK(Rendered(ServerStatus{status, 0}).at("token_expiry").at("services").size() == 100);
  CHECK(!Rendered(ServerStatus{status, 0}).contains("certificate_expires"));
  CHECK(rendered.at("log") == json{{"origin", "origin"},
                                   {"key", "origin+key"},
                                   {"size", 5},
                                   {"checkpoint", status.checkpoint}});
  CHECK(rendered.at("memory_locked") == true);
  CHECK(rendered.at("keys_rewrite_pending") == true);
  CHECK(rendered.at("wal_truncation_pending") == false);
  CHECK(rendered.at("search_index") == json{{"generation", 2},
                                            {"whole", true},
                                            {"building", false},
                                            {"built", 0},
                                            {"oldest_uncovered", kTimeText},
                                            {"exchange_due", kTimeText},
                                            {"exchange_overdue", true}});
  CHECK(rendered.at("holds") == 3);
  CHECK(rendered.at("overdue_holds") == 2);
  CHECK(rendered.at("restrictions") == 4);
  CHECK(rendered.at("version") == COFFER_VERSION);
  CHECK(rendered.at("started") == kTimeText);
}

TEST_CASE("lists are rendered with a cursor only where something follows") {
  const std::vector<vault::SearchHit> none;
  CHECK(RenderList(none).body == R"({"items":[]})");
  const std::vector<vault::SearchHit> two(2, {kClient, {}});
  CHECK(json::parse(RenderList(two).body).at("items").size() == 2);
  CHECK(!json::parse(RenderList(two).body).contains("next_cursor"));
  CHECK(json::parse(RenderList(two, "c\"1").body).at("next_cursor") == "c\"1");
  const std::vector<std::shared_ptr<const vault::Purpose>> pointed = {
      std::make_shared<vault::Purpose>(vault::Purpose{"care", "t", "consent", "", "", {}})};
  CHECK(json::parse(RenderList(pointed).body).at("items")[0].at("code") == "care");
  CHECK(RenderList(none).status == 200);
  vault::SearchPage page;
  CHECK(RenderSearch(page).body == R"({"items":[]})");
  page.whole = false;
  CHECK(RenderSearch(page).body == R"({"items":[],"whole":false})");
  page.next_cursor = "c";
  page.items = two;
  CHECK(json::parse(RenderSearch(page).body).at("whole") == false);
  CHECK(json::parse(RenderSearch(page).body).at("next_cursor") == "c");
  CHECK(RenderOne(vault::SearchHit{kClient, {}}, 201).status == 201);
}

TEST_CASE("an entity tag is a version in quotes") {
  CHECK(EntityTag(1) == "\"1\"");
  CHECK(EntityTag(18446744073709551615U) == "\"18446744073709551615\"");
}

}  // namespace
}  // namespace coffer::api
