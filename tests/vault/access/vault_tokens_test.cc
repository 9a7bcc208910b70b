// Tokens and who they stand for.
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <limits>
#include <thread>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr std::int64_t kTokenDay = 24 * 3600;

class TokenVault : public TestVault {
 public:
  NewToken Make(Role role = kCaseWorker, std::int64_t lifetime_s = kTokenDay) {
    auto token = NewTokenFor(Name(role), lifetime_s, "somebody");
    REQUIRE(token);
    return *std::move(token);
  }
  std::string Use(const NewToken& token) {
    last = Stranger(token.secret);
    return AnswerOf((*this)->tokens().WhoAmI(last));
  }
  // "rule outcome" of the last use.
  std::string Logged() {
    const json entry = EntryOf(last);
    return entry.at("rule").get<std::string>() + " " + entry.at("outcome").get<std::string>();
  }
  Caller last;
};

TEST_CASE("a token is shown once, and only its keyed hash is stored") {
  TokenVault vault;
  const auto caller = vault.As(kAdministrator);
  const auto token = vault->tokens().CreateToken(caller, {.name = "CRM «eins»",
                                                          .principal = {},
                                                          .role = "crm-service",
                                                          .lifetime_s = kTokenDay,
                                                          .limits = {}});
  REQUIRE(token);
  CHECK(token->secret.starts_with("cft_"));
  CHECK(token->secret.size() == 47);
  CHECK(token->info.role == "crm-service");
  CHECK(token->info.created == vault.clock.Now());
  CHECK(token->info.expires.ms - token->info.created.ms == kTokenDay * 1000);
  CHECK(!token->info.revoked);
  json entry = vault.Allowed(
      kAdministrator, {{"action", "token.create"},
                       {"detail", token->info.id.Text() + " " + token->info.principal.Text() +
                                      " crm-service; one person alone"}});
  CHECK(vault.EntryOf(caller) == entry);
  const std::string_view random = std::string_view(token->secret).substr(4);
  CHECK(vault.Number("SELECT count(*) FROM tokens WHERE instr(digest, ?) > 0", random) == 0);
  CHECK(vault.Number("SELECT count(*) FROM log_entries WHERE instr(entry, ?) > 0", random) == 0);
  const Bytes digest =
      vault.Blob("SELECT digest FROM tokens WHERE tid = ?", token->info.id.bytes());
  CHECK(digest.size() == 32);
  CHECK(!std::ranges::equal(digest, crypto::Sha256(crypto::AsBytes(token->secret))));
  vault.CheckInvariants();
}

TEST_CASE("every token is another, and stands for a principal of its own") {
  TokenVault vault;
  const auto first = vault.Make();
  const auto second = vault.Make();
  CHECK(first.secret != second.secret);
  CHECK(first.info.id != second.info.id);
  CHECK(first.info.principal != second.info.principal);
  CHECK(vault->tokens().WhoAmI(TestVault::Stranger(first.secret))->token->id == first.info.id);
  CHECK(vault->tokens().WhoAmI(TestVault::Stranger(second.secret))->token->name == "somebody");
}

TEST_CASE("what is wrong with a new token is told") {
  TokenVault vault;
  const auto issues = [&](std::string_view name, std::int64_t lifetime) {
    const auto token = vault.NewTokenFor(Name(kAuditor), lifetime, name);
    if (!token) CHECK(token.error().reason == "token_invalid");
    return IssuesOf(token);
  };
  CHECK(issues("", kTokenDay) ==
        Strings{"/name must be one line of 1 to 200 bytes, not blank, without control characters"});
  CHECK(issues(std::string(201, 'x'), kTokenDay).size() == 1);
  CHECK(issues("\xff", kTokenDay).size() == 1);
  for (const std::int64_t lifetime :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{59}, 366 * kTokenDay + 1,
        std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    CHECK(issues("name", lifetime) ==
          Strings{"/lifetime_s must be between 60 and 31622400 seconds"});
  }
  CHECK(issues("", 0).size() == 2);
  CHECK(issues("name", 60).empty());
  CHECK(issues("name", 366 * kTokenDay).empty());
}

TEST_CASE("nobody is known by a token that was not given out") {
  TokenVault vault;
  const auto token = vault.Make();
  std::string changed = token.secret;
  changed.back() = changed.back() == 'A' ? 'E' : 'A';
  for (const std::string& secret :
       {std::string(), std::string("cft_"), changed, token.secret + "A", token.secret.substr(4),
        " " + token.secret, token.info.id.Text(), std::string(10'000, 'x')}) {
    const auto caller = TestVault::Stranger(secret);
    const auto refused = vault->tokens().WhoAmI(caller);
    REQUIRE(!refused);
    CHECK(refused.error().code == Code::kUnauthenticated);
    CHECK(refused.error().reason == "unauthenticated");
    const json entry = {{"action", "self.read"},
                        {"address", TestVault::kAddress},
                        {"auth", secret.empty() ? "none" : "token"},
                        {"decision", "deny"},
                        {"outcome", "unauthenticated"},
                        {"purpose", TestVault::kPurpose},
                        {"rule", "check:authentication"}};
    CHECK(vault.EntryOf(caller) == entry);
  }
}

TEST_CASE("a revoked token is refused on the very next call, and for good") {
  TokenVault vault;
  const auto token = vault.Make();
  CHECK(vault.Use(token) == "ok");
  const auto caller = vault.As(kSecurityOfficer);
  const auto revoked = vault->tokens().RevokeToken(caller, token.info.id);
  REQUIRE(revoked);
  CHECK(revoked->revoked == vault.clock.Now());
  CHECK(vault.EntryOf(caller) ==
        vault.Allowed(kSecurityOfficer,
                      {{"action", "token.revoke"}, {"detail", token.info.id.Text()}}));
  CHECK(vault.Use(token) == "unauthenticated");
  CHECK(vault.Logged() == "check:token-revoked unauthenticated");
  // Whose it was stays known.
  CHECK(vault.EntryOf(vault.last).at("actor") == token.info.principal.Text());
  vault.clock.Advance(1000);
  const auto again = vault->tokens().RevokeToken(vault.As(kAdministrator), token.info.id);
  REQUIRE(again);
  CHECK(again->revoked == revoked->revoked);
  vault.Close();
  vault.Open();
  CHECK(vault.Use(token) == "unauthenticated");
  CHECK(vault.Logged() == "check:token-revoked unauthenticated");
  CHECK(AnswerOf(vault->tokens().RevokeToken(vault.As(kAdministrator),
                                             TokenId::New(vault.clock.Now()))) == "not_found");
  vault.CheckInvariants();
}

TEST_CASE("a revocation stops requests that are under way at the next one") {
  TokenVault vault;
  const ClientId client = vault.NewClient("A-1");
  const auto token = vault.Make();
  std::atomic<bool> revoked{false};
  std::atomic<bool> begun{false};
  std::atomic<int> late{0};
  {
    std::vector<std::jthread> readers;
    for (int t = 0; t < 4; ++t) {
      readers.emplace_back([&] {
        for (;;) {
          const bool after = revoked;
          const auto read = vault->clients().GetClient(TestVault::Stranger(token.secret), client);
          begun = true;
          if (after && read) ++late;
          if (after) return;
        }
      });
    }
    while (!begun) std::this_thread::yield();
    CHECK(vault->tokens().RevokeToken(vault.As(kAdministrator), token.info.id));
    revoked = true;
  }
  CHECK(late == 0);
}

TEST_CASE("a token is refused from the millisecond on in which it expires") {
  TokenVault vault;
  const auto token = vault.Make(kCaseWorker, 60);
  vault.clock.Set({token.info.expires.ms - 1});
  CHECK(vault.Use(token) == "ok");
  vault.clock.Set(token.info.expires);
  CHECK(vault.Use(token) == "unauthenticated");
  CHECK(vault.Logged() == "check:token-expired unauthenticated");
}

TEST_CASE("a clock that is set back brings no expired token back") {
  TokenVault vault;
  const auto token = vault.Make(kCaseWorker, 60);
  vault.clock.Advance(120'000);
  CHECK(vault.Use(token) == "unauthenticated");
  vault.clock.Advance(-100'000);
  CHECK(vault.Use(token) == "unauthenticated");
}

TEST_CASE("a clock that ran ahead is mended by a restart") {
  TokenVault vault;
  const auto token = vault.Make(kCaseWorker, 60);
  vault.clock.Advance(120'000);
  CHECK(vault.Use(token) == "unauthenticated");
  vault.clock.Advance(-100'000);
  vault.Close();
  vault.Open();
  CHECK(vault.Use(token) == "ok");
}

TEST_CASE("a clock that goes back is recorded in the log, and everything goes on") {
  TokenVault vault;
  vault.NewClient("A-1");
  vault.clock.Advance(-3'600'000);
  const ClientId client = vault.NewClient("A-2");
  CHECK(vault->clients().GetClient(vault.As(kCrmService), client));
  const auto log = vault.WholeLog();
  bool skewed = false;
  for (std::size_t i = 1; i < log.size(); ++i) {
    CHECK(log[i].ts >= log[i - 1].ts);
    skewed = skewed || log[i].skew_ms == 3'600'000;
  }
  CHECK(skewed);
  vault.CheckInvariants();
}

TEST_CASE("tokens are listed without their secrets, the revoked ones too") {
  TokenVault vault;
  const auto token = vault.Make();
  REQUIRE(vault->tokens().RevokeToken(vault.As(kAdministrator), token.info.id));
  const auto tokens = vault->tokens().ListTokens(vault.As(kSecurityOfficer), {}, {200, ""});
  REQUIRE(tokens);
  CHECK(tokens->items.size() == 8);
  CHECK(std::ranges::is_sorted(tokens->items, {}, &TokenInfo::id));
  CHECK(tokens->items.back().id == token.info.id);
  CHECK(tokens->items.back().revoked);
  CHECK(vault->monitoring().ReadStatus(vault.As(kAdministrator))->active_tokens == 7);
}

TEST_CASE("each role may call exactly the operations that it is for") {
  TokenVault vault;
  const ClientId client = vault.NewClient("A-1");
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  const ClientId nobody_there = ClientId::New(vault.clock.Now());
  const json data = {{"last_name", "Roe"}};
  struct Call {
    Action action;
    std::function<std::string(const Caller&)> run;
  };
  const Call calls[] = {
      {Action::kClientCreate,
       [&](auto& c) { return AnswerOf(vault->clients().CreateClient(c, {}, {})); }},
      {Action::kClientRead,
       [&](auto& c) { return AnswerOf(vault->clients().GetClient(c, client)); }},
      {Action::kClientUpdate,
       [&](auto& c) { return AnswerOf(vault->clients().UpdateClient(c, client, 99, {})); }},
      {Action::kClientList,
       [&](auto& c) { return AnswerOf(vault->clients().ListClients(c, "", "", {})); }},
      {Action::kClientSearch,
       [&](auto& c) { return AnswerOf(vault->searches().SearchByReference(c, "A-1")); }},
      {Action::kClientSearch,
       [&](auto& c) {
         return AnswerOf(vault->searches().SearchByField(c, "contact", "last_name", "Doe", {}));
       }},
      {Action::kClientErase,
       [&](auto& c) { return AnswerOf(vault->erasures().Erase(c, nobody_there, {})); }},
      {Action::kRecordCreate,
       [&](auto& c) {
         return AnswerOf(vault->records().CreateRecord(c, client, "contact", data, {}));
       }},
      {Action::kRecordRead,
       [&](auto& c) { return AnswerOf(vault->records().GetRecord(c, client, record)); }},
      {Action::kRecordRead,
       [&](auto& c) { return AnswerOf(vault->records().GetRecordVersion(c, client, record, 1)); }},
      {Action::kRecordRead,
       [&](auto& c) { return AnswerOf(vault->records().ListRecords(c, client, "", true, {})); }},
      {Action::kRecordList,
       [&](auto& c) { return AnswerOf(vault->records().ListRecords(c, client, "", false, {})); }},
      {Action::kRecordList,
       [&](auto& c) { return AnswerOf(vault->records().ListVersions(c, client, record)); }},
      {Action::kRecordUpdate,
       [&](auto& c) {
         return AnswerOf(vault->records().UpdateRecord(c, client, record, 99, data));
       }},
      {Action::kRecordDelete,
       [&](auto& c) { return AnswerOf(vault->records().DeleteRecord(c, client, record, 99)); }},
      {Action::kRecordImport,
       [&](auto& c) {
         return AnswerOf(vault->imports().ImportRecord(c, {"I-1", "contact", "", data}));
       }},
      {Action::kClassRead,
       [&](auto& c) { return AnswerOf(vault->classes().GetClass(c, "contact", {})); }},
      {Action::kClassRead, [&](auto& c) { return AnswerOf(vault->classes().ListClasses(c)); }},
      {Action::kClassWrite,
       [&](auto& c) { return AnswerOf(vault->classes().PutClass(c, "x", "{}")); }},
      {Action::kPurposeRead,
       [&](auto& c) { return AnswerOf(vault->purposes().GetPurpose(c, "billing")); }},
      {Action::kPurposeRead, [&](auto& c) { return AnswerOf(vault->purposes().ListPurposes(c)); }},
      {Action::kPurposeWrite,
       [&](auto& c) { return AnswerOf(vault->purposes().PutPurpose(c, "x", "{}")); }},
      {Action::kTokenCreate,
       [&](auto& c) {
         return AnswerOf(vault->tokens().CreateToken(
             c, {.name = "x", .principal = {}, .role = "auditor", .lifetime_s = 60, .limits = {}}));
       }},
      {Action::kTokenList,
       [&](auto& c) { return AnswerOf(vault->tokens().ListTokens(c, {}, {})); }},
      {Action::kTokenRevoke,
       [&](auto& c) { return AnswerOf(vault->tokens().RevokeToken(c, TokenId())); }},
      {Action::kLogRead, [&](auto& c) { return AnswerOf(vault->access_log().ReadLog(c, {}, {})); }},
      {Action::kLogRead, [&](auto& c) { return AnswerOf(vault->access_log().ReadLogEntry(c, 0)); }},
      {Action::kLogRead,
       [&](auto& c) { return AnswerOf(vault->access_log().ProveLogEntry(c, 0)); }},
      {Action::kLogRead, [&](auto& c) { return AnswerOf(vault->access_log().ReadCheckpoint(c)); }},
      {Action::kLogVerify,
       [&](auto& c) { return AnswerOf(vault->verification().VerifyLog(c, false)); }},
      {Action::kStatusRead, [&](auto& c) { return AnswerOf(vault->monitoring().ReadStatus(c)); }},
      {Action::kMetricsRead,
       [&](auto& c) { return AnswerOf(vault->monitoring().ReadStatistics(c)); }},
      {Action::kSelfRead, [&](auto& c) { return AnswerOf(vault->tokens().WhoAmI(c)); }},
  };
  for (const Call& call : calls) {
    for (const Role role : kRoles) {
      INFO(Name(role) << " " << Name(call.action));
      const std::string answer = call.run(vault.As(role));
      // Allowed ones may fail on what they are given, but not on who asks.
      CHECK((answer == "permission_denied") == !RoleAllows(role, call.action));
      CHECK(answer != "unauthenticated");
      if (RoleAllows(role, call.action) && TouchesClientData(call.action)) {
        CHECK(call.run(vault.As(role, "")) == "purpose_required");
        CHECK(call.run(vault.As(role, "nonsense")) == "purpose_unknown");
      }
    }
    const auto nobody = TestVault::Stranger();
    CHECK(call.run(nobody) == "unauthenticated");
    CHECK(vault.EntryOf(nobody).at("action") == Name(call.action));
  }
  vault.CheckInvariants();
}

TEST_CASE("a purpose that is in no register is the caller's text, and not kept") {
  TokenVault vault;
  const ClientId client = vault.NewClient("A-1");
  for (const std::string& purpose : {std::string("sentinel-purpose"),
                                     std::string("Ms SENTINEL called"), std::string(5000, 's')}) {
    const auto caller = vault.As(kCrmService, purpose);
    CHECK(AnswerOf(vault->clients().GetClient(caller, client)) == "purpose_unknown");
    CHECK(!vault.EntryOf(caller).contains("purpose"));
    // Nor where none is needed, nor from a stranger.
    const auto other = vault.As(kCrmService, purpose);
    CHECK(vault->tokens().WhoAmI(other));
    CHECK(!vault.EntryOf(other).contains("purpose"));
    auto stranger = TestVault::Stranger();
    stranger.purpose = purpose;
    CHECK(!vault->clients().GetClient(stranger, client));
    CHECK(!vault.EntryOf(stranger).contains("purpose"));
  }
  CHECK(vault.Number("SELECT count(*) FROM log_entries WHERE instr(entry, 'SENTINEL') > 0 OR "
                     "instr(entry, 'sentinel') > 0") == 0);
}

}  // namespace
}  // namespace coffer::vault
