// An answer without entries says that something did not happen. So it differs from the answer to a
// search that could find nothing: over each filter of each route that searches the log, generated
// from the route table.
#include <algorithm>
#include <catch2/generators/catch_generators.hpp>
#include <chrono>
#include <map>
#include <thread>

#include "tests/api/routes/api_calls.h"

namespace coffer::api {
namespace {

using testing::AnswerOf;
using enum Role;

struct FilterCase {
  std::vector<std::string> found;    // the log has such entries
  std::vector<std::string> nothing;  // known, and there are none
  std::vector<std::string> unknown;  // well-formed: 400 filter_unknown
  std::vector<std::string> invalid;  // 400 filter_invalid
  std::string code = "filter_invalid";
};

// The index follows the log with its checkpoints.
testing::OpenVault::Settings MadeOften() {
  testing::OpenVault::Settings settings;
  settings.checkpoint_interval_ms = 50;
  return settings;
}

class FilteredVault : public ApiCalls {
 public:
  FilteredVault() : ApiCalls(MadeOften()) {
    client = NewClient("A-1");
    record = NewContact(client, {{"last_name", "Doe"}});
    PutClass({{"name", "quiet"},
              {"purposes", {"client-care"}},
              {"fields", {{"never_used", {{"type", "string"}}}}}});
    const auto caller = As(kCrmService);
    REQUIRE((*this)->records().GetRecord(caller, client, record));
    request = caller.call.Text();
    clock.Advance(60'000);
    actor = TokenOf(kCrmService).principal.Text();
    idle = TokenOf(kCaseWorker).principal.Text();
  }

  std::string OtherId(std::string id) {
    id.back() = id.back() == '0' ? '4' : '0';
    return id;
  }
  std::map<std::string, FilterCase> Cases() {
    const std::string id = client.Text();
    const std::string longest(200, 'a'), too_long(201, 'a');
    // What no name in the log has.
    const std::vector<std::string> no_names = {"Record.Read", "jane doe", "a\"b",
                                               "ä",           "a/b",      too_long};
    const auto no_ids = [&](const std::string& good) {
      return std::vector<std::string>{good.substr(0, 20), good + "0", "x" + good, "jane",
                                      good.substr(4),     ".*",       too_long,   "rec_"};
    };
    return {
        {"client", {{id}, {OtherId(id)}, {}, no_ids(id)}},
        {"record", {{record.Text()}, {OtherId(record.Text())}, {}, no_ids(record.Text())}},
        {"request", {{request}, {vault::CallId::New(clock.Now()).Text()}, {}, no_ids(request)}},
        {"actor",
         {{actor, "vault", "genesis"},
          {idle},
          {vault::PrincipalId::New(clock.Now(), vault::PrincipalKind::kUser).Text(),
           vault::PrincipalId::New(clock.Now(), vault::PrincipalKind::kService).Text(),
           vault::PrincipalId::New(clock.Now(), vault::PrincipalKind::kTeam).Text(),
           actor.substr(0, 20), "x" + actor, "jane", actor.substr(4), ".*", "jane doe"},
          {too_long, "a\nb", "\x1b[2J", " "}}},
        {"action",
         {{"record.read"},
          {"budget.alert", "hold.lift", "log.key.retired"},
          {"record.raed", "record", "read", longest},
          no_names}},
        {"class", {{"contact", "quiet"}, {}, {"contacts", "c", longest}, no_names}},
        {"field",
         {{"last_name"}, {"never_used", "relationship_end"}, {"lastname", longest}, no_names}},
        {"purpose", {{"client-care"}, {"marketing"}, {"client_care", longest}, no_names}},
        {"decision", {{"allow"}, {}, {}, {"Allow", "denied", "no", "allow,deny", ".*"}}},
        {"rule",
         {{"role:crm-service"},
          {"check:scope", "role:supervisor", "lease:" + vault::LeaseId::New(clock.Now()).Text()},
          {"check:scopes", "role:", "lease:", "lease:x", "scope", longest},
          no_names}},
        {"outcome",
         {{"ok"},
          {"not_found", "storage_full", "repeated"},
          {"notfound", "error", longest},
          no_names}},
        {"address",
         {{std::string(kAddress), "::ffff:192.0.2.7"},
          {"192.0.2.99", "2001:db8::1", "2001:DB8:0::1"},
          {},
          {"192.0.2", "192.0.2.0/24", "localhost", "192.0.2.007", "::g", too_long}}},
        {"from",
         {{"2020-01-01T00:00:00Z"},
          {"2999-01-01T00:00:00Z"},
          {},
          {"2020-01-01", "yesterday", "0", "2020-13-01T00:00:00Z"},
          "parameter_invalid"}},
        {"to",
         {{"2999-01-01T00:00:00Z"},
          {"2020-01-01T00:00:00Z"},
          {},
          {"2020-01-01", "now", "-1"},
          "parameter_invalid"}},
    };
  }
  Reply Search(const std::string& path,
               const std::vector<std::pair<std::string, std::string>>& by) {
    return Get(path, kAuditor, [&](Call& call) {
      for (const auto& [name, value] : by) call.query.emplace_back(name, value);
    });
  }
  void WaitForIndex() {
    const auto size = Parsed(Search("/v1/log/entries", {{"limit", "1"}})).at("size");
    for (int i = 0; i < 10'000; ++i) {
      if ((*this)->monitoring().ReadStatistics(As(kAdministrator))->log_index_size >= size) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL("the index does not follow the log");
  }

  vault::ClientId client;
  vault::RecordId record;
  std::string request, actor, idle;
};

// Those that say how a list is shown, and not what is in it.
bool IsForm(std::string_view name) {
  static constexpr std::string_view kForms[] = {"order", "limit", "cursor", "by", "per"};
  return std::ranges::find(kForms, name) != std::end(kForms);
}

std::vector<const Route*> SearchRoutes() {
  std::vector<const Route*> routes;
  for (const Route& route : Routes()) {
    if (std::ranges::find(route.query, "outcome") != route.query.end()) routes.push_back(&route);
  }
  return routes;
}

std::string PathOf(const Route& route, const FilteredVault& vault) {
  std::string path(route.path);
  for (const auto& [name, value] :
       {std::pair<std::string, std::string>{"{client}", vault.client.Text()},
        {"{principal}", vault.actor}}) {
    if (const auto at = path.find(name); at != path.npos) path.replace(at, name.size(), value);
  }
  return path;
}

}  // namespace

TEST_CASE("each filter of each search of the log tells nothing found from nothing known") {
  FilteredVault vault;
  const bool indexed = GENERATE(false, true);
  if (indexed) vault.WaitForIndex();
  const auto routes = SearchRoutes();
  REQUIRE(routes.size() == 4);
  for (const Route* route : routes) {
    const std::string path = PathOf(*route, vault);
    // The index says how far it is; until it is there, nothing is counted.
    if (path.ends_with("/summary") && !indexed) continue;
    const bool whole = path == "/v1/log/entries" || path.ends_with("/summary");
    auto cases = vault.Cases();
    for (const std::string_view filter : route->query) {
      if (IsForm(filter)) continue;
      const std::string name(filter);
      CAPTURE(path, name, indexed);
      REQUIRE(cases.contains(name));  // a new filter needs a row above
      const FilterCase& values = cases.at(name);
      const auto search = [&](const std::string& value) {
        CAPTURE(value);
        const Reply reply = vault.Search(path, {{name, value}});
        return reply;
      };
      for (const auto& value : values.found) {
        CAPTURE(value);
        const Reply reply = search(value);
        REQUIRE(ApiCalls::Answer(reply) == "200");
        if (whole) CHECK_FALSE(ApiCalls::Parsed(reply).at("items").empty());
      }
      for (const auto& value : values.nothing) {
        CAPTURE(value);
        const Reply reply = search(value);
        REQUIRE(ApiCalls::Answer(reply) == "200");
        // Looking at a client's history is itself about the client.
        if (name != "client") CHECK(ApiCalls::Parsed(reply).at("items").empty());
      }
      for (const auto& [list, code] : {std::pair(&values.unknown, std::string("filter_unknown")),
                                       std::pair(&values.invalid, values.code)}) {
        for (const auto& value : *list) {
          CAPTURE(value);
          const Reply reply = search(value);
          CHECK(ApiCalls::Answer(reply) == "400 " + code);
          CHECK(ApiCalls::Pointers(reply) == std::vector<std::string>{"query:" + name});
          CHECK(reply.body.size() < 4000);
          CHECK(reply.body.find(value == "a\"b" ? "a\\\"b" : "\"" + value + "\"") ==
                reply.body.npos);
        }
      }
    }
  }
  vault.CheckInvariants();
}

TEST_CASE("what is unknown is told with what is near, or with what is known") {
  FilteredVault vault;
  const auto message = [&](const std::string& name, const std::string& value) {
    const Reply reply = vault.Search("/v1/log/entries", {{name, value}});
    REQUIRE(ApiCalls::Answer(reply) == "400 filter_unknown");
    return ApiCalls::Parsed(reply).at("errors")[0].at("message").get<std::string>();
  };
  CHECK(message("action", "record.raed").ends_with("; near: record.read"));
  CHECK(message("class", "contacts").ends_with("; near: contact"));
  CHECK(message("purpose", "client_care").ends_with("; near: client-care"));
  CHECK(message("rule", "check:scop").ends_with("; near: check:scope"));
  CHECK(message("outcome", "notfound").ends_with("; near: not_found"));
  const std::string all = message("class", "zzzz");
  CHECK(all.find("; known: ") != all.npos);
  CHECK(all.find("contact") != all.npos);
  // Who is there is not told to who does not know them.
  CHECK(message("actor", vault.OtherId(vault.actor).substr(0, 30))
            .ends_with("neither to the vault nor to its log"));
}

TEST_CASE("a time that ends before it begins is refused, one that is empty has nothing in it") {
  FilteredVault vault;
  vault.WaitForIndex();
  const std::string day = "2026-01-02T00:00:00Z", later = "2026-01-02T00:00:00.001Z";
  for (const Route* route : SearchRoutes()) {
    const std::string path = PathOf(*route, vault);
    CAPTURE(path);
    const Reply reversed = vault.Search(path, {{"from", later}, {"to", day}});
    CHECK(ApiCalls::Answer(reversed) == "400 filter_invalid");
    CHECK(ApiCalls::Pointers(reversed) == std::vector<std::string>{"query:to"});
    const Reply empty = vault.Search(path, {{"from", day}, {"to", day}});
    CHECK(ApiCalls::Answer(empty) == "200");
    CHECK(ApiCalls::Parsed(empty).at("items").empty());
  }
}

TEST_CASE("the history of a principal whom nobody knows is no empty list") {
  FilteredVault vault;
  const auto history = [&](const std::string& principal) {
    return ApiCalls::Answer(vault.Get("/v1/principals/" + principal + "/access-log", kAuditor));
  };
  CHECK(history(vault.actor) == "200");
  CHECK(history(vault::PrincipalId::New(vault.clock.Now(), vault::PrincipalKind::kUser).Text()) ==
        "404 not_found");
  const Reply evidence = vault.Post(
      "/v1/log/evidence", kAuditor,
      {{"principal",
        vault::PrincipalId::New(vault.clock.Now(), vault::PrincipalKind::kUser).Text()}});
  CHECK(ApiCalls::Answer(evidence) == "422 evidence_invalid");
  CHECK(ApiCalls::Pointers(evidence) == std::vector<std::string>{"/principal"});
}

TEST_CASE("a search that is refused leaves the refusal in the log, and not what was searched for") {
  FilteredVault vault;
  for (const auto& [value, outcome] :
       {std::pair<std::string, std::string>{"record.raed", "filter_unknown"},
        {"Record.Read", "filter_invalid"}}) {
    vault.Search("/v1/log/entries", {{"action", value}});
    const auto entries = vault.EntriesOf(vault.last);
    REQUIRE_FALSE(entries.empty());
    CHECK(entries.back().at("outcome") == outcome);
    for (const auto& entry : entries) CHECK(entry.dump().find(value) == std::string::npos);
  }
  // Who may not read the log is told nothing of what is known.
  CHECK(ApiCalls::Answer(
            vault.Get("/v1/log/entries", kCrmService, ApiCalls::Query("action", "record.raed"))) ==
        "403 permission_denied");
}

TEST_CASE("a summary says of how many requests, records and clients its entries are") {
  FilteredVault vault;
  const vault::ClientId other = vault.NewClient("A-2", {"lot"});
  vault.NewContact(other, {{"last_name", "Roe"}});
  vault.NewContact(other, {{"last_name", "Poe"}});
  for (int i = 0; i < 2; ++i) {
    REQUIRE(vault->records().ListRecords(vault.As(kSupervisor), other, "contact", true, {}));
  }
  vault.WaitForIndex();
  const json summary = ApiCalls::Parsed(
      vault.Search("/v1/log/summary",
                   {{"by", "actor"}, {"actor", vault.TokenOf(kSupervisor).principal.Text()}}));
  REQUIRE(summary.at("items").size() == 1);
  const json& item = summary.at("items")[0];
  // Of each list its own entry, and one for each record.
  CHECK(item.at("count") == 6);
  CHECK(item.at("requests") == 2);
  CHECK(item.at("records") == 2);
  CHECK(item.at("clients") == 1);
}

}  // namespace coffer::api
