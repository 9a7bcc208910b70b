// The scope of a breach: what is told of the log is what a plain walk over all its entries finds.
#include "vault/oversight/breach_scopes.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <set>

#include "tests/vault/test_vault.h"
#include "vault/access/reason_rule.h"
#include "vault/oversight/scope_counter.h"
#include "vault/storage/migrations.h"

namespace coffer::vault {
namespace {

using enum Role;

// What the test says that it was: nothing of the code that is tested.
const std::set<std::string> kDisclosing = {"client.read",   "client.update",   "client.list",
                                           "client.search", "client.export",   "client.package",
                                           "record.read",   "record.list",     "hold.read",
                                           "client.trace",  "assignment.write"};
const std::set<std::string> kChanging = {"client.create", "client.erase", "record.create",
                                         "record.update", "record.delete"};
const std::set<std::string> kDone = {"ok", "created", "updated", "unchanged", "repeated"};

struct Walked {
  std::uint64_t searched = 0, matched = 0, denied = 0, entries = 0;
  std::map<std::string, std::uint64_t> clients;  // entries of each
  std::set<std::string> disclosed, changed;
  std::map<std::string, std::set<std::string>> fields;  // by "client class"
  std::map<std::string, std::set<std::string>> records;
  std::map<std::string, std::set<std::string>> purposes;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> times;

  bool operator==(const Walked&) const = default;
};

class ScopeVault : public TestVault {
 public:
  ScopeVault() {
    for (int i = 0; i < 5; ++i) {
      const std::string where = i < 2 ? "jurisdiction:de" : i == 2 ? "jurisdiction:ru" : "vip";
      clients.push_back(NewClient("S-" + std::to_string(i), {where}));
      records.push_back(NewContact(clients.back(), {{"last_name", "Roe"}, {"city", "Oslo"}}));
    }
    first = Must(NewTokenFor("crm-service", 3600, "first"));
    second = Must((*this)->tokens().CreateToken(As(kAdministrator),
                                                {"second", first.info.principal, {}, 7200, {}}));
    for (int i = 0; i < 60; ++i) {
      clock.Advance(60 * 1000);
      const auto n = static_cast<std::size_t>(i) % clients.size();
      const NewToken& token = i % 3 == 0 ? first : second;
      const std::string address = i % 4 == 0 ? "198.51.100.9" : "2001:db8::7";
      Caller caller = With(token, address);
      switch (i % 7) {
        case 0:
          (void)(*this)->clients().GetClient(caller, clients[n]);
          break;
        case 1:
          (void)(*this)->records().GetRecord(caller, clients[n], records[n]);
          break;
        case 2:
          (void)(*this)->clients().ListClients(caller, "vip", {}, {});
          break;
        case 3:
          (void)(*this)->records().GetRecord(As(kCaseWorker), clients[n], records[n]);  // refused
          break;
        case 4:
          caller.purpose = "marketing";
          (void)(*this)->clients().GetClient(caller, clients[n]);
          break;
        case 5:
          (void)(*this)->records().ListRecords(caller, clients[n], {}, false, {});
          break;
        default:
          (void)NewContact(clients[n], {{"last_name", "Doe"}});
      }
    }
    Must((*this)->erasures().Erase(As(kPrivacyOfficer), clients[4], {}));
  }
  template <class T>
  static T Must(Result<T> result) {
    INFO(AnswerOf(result));
    REQUIRE(result);
    return *std::move(result);
  }
  Caller With(const NewToken& token, const std::string& address) {
    Caller caller = Stranger(token.secret);
    caller.purpose = kPurpose;
    caller.address = address;
    return caller;
  }
  BreachScope Find(const ScopeCriteria& criteria, std::size_t limit = 1000) {
    last = As(kSecurityOfficer);
    return Must((*this)->breach_scopes().FindScope(
        last, criteria, {.limit = limit, .after = {}, .record_ids = true}));
  }
  std::string Refused(const ScopeCriteria& criteria, const std::string& after = {}) {
    last = As(kSecurityOfficer);
    return AnswerOf((*this)->breach_scopes().FindScope(last, criteria, {100, after, false}));
  }

  std::vector<ClientId> clients;
  std::vector<RecordId> records;
  NewToken first, second;
  Caller last;
};

Walked WalkOf(const std::vector<audit::Entry>& log, const ScopeCriteria& asked,
              std::uint64_t size) {
  Walked walked;
  for (const audit::Entry& entry : log) {
    if (entry.seq >= size || (asked.from && entry.ts < *asked.from) ||
        (asked.to && entry.ts >= *asked.to)) {
      continue;
    }
    ++walked.searched;
    if (!asked.principal.empty() && entry.actor != asked.principal) continue;
    if (!asked.token.empty() && !entry.auth.ends_with(":" + asked.token)) continue;
    if (!asked.address.empty() && entry.address != asked.address) continue;
    ++walked.matched;
    if (entry.decision == audit::Decision::kDeny) {
      ++walked.denied;
      continue;
    }
    const bool discloses = kDisclosing.contains(entry.action);
    if (!discloses && !kChanging.contains(entry.action)) continue;
    if (entry.client.empty() || !kDone.contains(entry.outcome) || entry.actor == "vault") continue;
    ++walked.entries;
    ++walked.clients[entry.client];
    (discloses ? walked.disclosed : walked.changed).insert(entry.client);
    const std::string part = entry.client + " " + entry.class_name;
    walked.fields[part].insert(entry.fields.begin(), entry.fields.end());
    auto& of_class = walked.records[part];
    if (!entry.record.empty()) of_class.insert(entry.record);
    if (!entry.purpose.empty()) walked.purposes[entry.client].insert(entry.purpose);
    auto& [earliest, latest] = walked.times.try_emplace(entry.client, entry.ts.ms, 0).first->second;
    latest = entry.ts.ms;
  }
  return walked;
}

Walked ToldBy(const BreachScope& scope) {
  Walked told;
  told.searched = scope.searched;
  told.matched = scope.matched;
  told.denied = scope.denied;
  told.entries = scope.entries;
  for (const ScopeClient& client : scope.page) {
    const std::string id = client.id.Text();
    told.clients[id] = client.entries;
    if (client.ways.Discloses()) told.disclosed.insert(id);
    if (client.ways.Has(Way::kChanged)) told.changed.insert(id);
    for (const ScopeClass& one : client.classes) {
      const std::string part = id + " " + one.class_name;
      told.fields[part].insert(one.fields.begin(), one.fields.end());
      auto& of_class = told.records[part];
      for (const RecordId& record : one.record_ids) of_class.insert(record.Text());
      CHECK(one.records == of_class.size());
    }
    for (const std::string& purpose : client.purposes) told.purposes[id].insert(purpose);
    told.times[id] = {client.first.ms, client.last.ms};
  }
  CHECK(scope.clients == told.clients.size());
  CHECK(scope.disclosed == told.disclosed.size());
  CHECK(scope.changed == told.changed.size());
  return told;
}

}  // namespace

TEST_CASE("a scope knows every action whose entries name clients") {
  for (int i = 0; i < kActionCount; ++i) {
    const auto action = static_cast<Action>(i);
    INFO(Name(action));
    // Who may read reasons reads them with the log, under its action.
    if (ReasonRuleOf(action) != ReasonRule::kClients || action == Action::kNoteRead) continue;
    CHECK(FindMeetingAction(Name(action)) != nullptr);
  }
}

TEST_CASE("a scope is what a plain walk over all entries gives") {
  ScopeVault vault;
  const std::vector<audit::Entry> log = vault.WholeLog();
  const std::string service = vault.first.info.principal.Text();
  const auto at = [&](std::size_t seq) { return log[seq].ts; };
  std::vector<ScopeCriteria> all = {
      {vault.first.info.id.Text(), {}, {}, {}, {}},
      {vault.second.info.id.Text(), {}, {}, {}, {}},
      {{}, service, {}, {}, {}},
      {{}, {}, "198.51.100.9", {}, {}},
      {{}, {}, "2001:db8::7", {}, {}},
      {vault.first.info.id.Text(), service, "198.51.100.9", {}, {}},
      {{}, vault.TokenOf(kCaseWorker).principal.Text(), {}, {}, {}},
      {{}, {}, {}, at(0), {}},
  };
  // Edges: each entry's own instant as the first and as the first outside.
  for (std::size_t seq = 20; seq < log.size(); seq += 13) {
    all.push_back({{}, service, {}, at(seq), {}});
    all.push_back({{}, {}, {}, {}, at(seq)});
    all.push_back({{}, {}, {}, at(seq), Timestamp{at(seq).ms + 1}});
  }
  for (const ScopeCriteria& criteria : all) {
    const BreachScope scope = vault.Find(criteria);
    CAPTURE(criteria.token, criteria.principal, criteria.address, scope.first_seq, scope.searched);
    const auto now = vault.WholeLog();
    CHECK(ToldBy(scope) == WalkOf(now, criteria, scope.size));
    CHECK(scope.possible == 0);
    CHECK(scope.unreadable == 0);
  }
  // Of the token alone no client that only the other met.
  CHECK(vault.Find(all[0]).entries + vault.Find(all[1]).entries == vault.Find(all[2]).entries);
}

TEST_CASE("people are counted by jurisdiction, and erased ones apart") {
  ScopeVault vault;
  const BreachScope scope = vault.Find({{}, vault.first.info.principal.Text(), {}, {}, {}});
  REQUIRE(scope.clients == 5);
  CHECK(scope.erased == 1);
  CHECK(scope.without_jurisdiction == 1);
  REQUIRE(scope.jurisdictions.size() == 2);
  CHECK(scope.jurisdictions[0].name == "de");
  CHECK(scope.jurisdictions[0].count == 2);
  CHECK(scope.jurisdictions[1].name == "ru");
  CHECK(scope.jurisdictions[1].count == 1);
  for (const ScopeClient& client : scope.page) {
    CHECK(client.erased == (client.id == vault.clients[4]));
  }
  CHECK(scope.exact());
  // A list of holds names clients that its entry does not.
  REQUIRE(vault->holds().ListHolds(vault.As(kAuditor), std::nullopt, false, {}));
  const BreachScope lists = vault.Find({{}, vault.TokenOf(kAuditor).principal.Text(), {}, {}, {}});
  CHECK_FALSE(lists.exact());
  CHECK(lists.clients == 0);
}

TEST_CASE("pages of a scope are of one log, and none leaves a client out") {
  ScopeVault vault;
  const ScopeCriteria criteria = {{}, vault.first.info.principal.Text(), {}, {}, {}};
  std::vector<std::string> ids;
  std::string after;
  std::uint64_t size = 0;
  do {
    const auto page =
        vault->breach_scopes().FindScope(vault.As(kPrivacyOfficer), criteria, {2, after, false});
    REQUIRE(page);
    if (size == 0) size = page->size;
    CHECK(page->size == size);
    CHECK(page->clients == 5);
    for (const ScopeClient& client : page->page) ids.push_back(client.id.Text());
    after = page->next;
    // What happens meanwhile is not in it.
    (void)vault->clients().GetClient(vault.With(vault.first, "192.0.2.1"),
                                     vault.NewClient("later-" + std::to_string(ids.size())));
  } while (!after.empty());
  CHECK(ids.size() == 5);
  CHECK(std::ranges::is_sorted(ids));
  for (const char* wrong : {"x", "12", "12.", ".cli_00000000000000000000000000", "12.cli_x",
                            "99999999999999999999.cli_00000000000000000000000000"}) {
    CHECK(vault.Refused(criteria, wrong) == "cursor_invalid");
  }
}

TEST_CASE("nothing found is not nothing searched, and nobody known is neither") {
  ScopeVault vault;
  // Of a time before the log, and after it.
  const BreachScope before = vault.Find({{}, {}, {}, {}, Timestamp{1}});
  CHECK(before.searched == 0);
  const BreachScope later = vault.Find({{}, {}, {}, Timestamp{4102444800000}, {}});
  CHECK(later.searched == 0);
  const BreachScope elsewhere = vault.Find({{}, {}, "203.0.113.0/24", {}, {}});
  CHECK(elsewhere.searched == elsewhere.size);
  CHECK(elsewhere.matched == 0);
  CHECK(vault.Find({{}, {}, "198.51.100.0/24", {}, {}}).matched > 0);

  const TokenId nobody = TokenId::New(vault.clock.Now());
  CHECK(vault.Refused({nobody.Text(), {}, {}, {}, {}}) == "filter_unknown");
  CHECK(vault.Refused({SessionId{vault.first.info.id.value}.Text(), {}, {}, {}, {}}) ==
        "filter_unknown");
  CHECK(vault.Refused(
            {{}, PrincipalId::New(vault.clock.Now(), PrincipalKind::kUser).Text(), {}, {}, {}}) ==
        "filter_unknown");
  CHECK(vault.Refused({{}, "nobody-at-all", {}, {}, {}}) == "filter_unknown");
  CHECK(vault.Refused(
            {vault.first.info.id.Text(), vault.TokenOf(kAuditor).principal.Text(), {}, {}, {}}) ==
        "scope_invalid");
  for (const ScopeCriteria& wrong :
       std::vector<ScopeCriteria>{{},
                                  {"tok_x", {}, {}, {}, {}},
                                  {vault.first.secret, {}, {}, {}, {}},
                                  {{}, "a\nb", {}, {}, {}},
                                  {{}, {}, "198.51.100", {}, {}},
                                  {{}, {}, {}, Timestamp{5}, Timestamp{5}}}) {
    CHECK(vault.Refused(wrong) == "scope_invalid");
    const json entry = vault.EntryOf(vault.last);
    CHECK(entry.at("decision") == "deny");
    CHECK(!entry.contains("detail"));
  }
}

TEST_CASE("a token that is over is still asked for, by its name and its session's") {
  ScopeVault vault;
  const ScopeCriteria criteria = {vault.first.info.id.Text(), {}, {}, {}, {}};
  const std::uint64_t entries = vault.Find(criteria).entries;
  CHECK(entries > 0);
  ScopeVault::Must(vault->tokens().RevokeToken(vault.As(kAdministrator), vault.first.info.id));
  CHECK(vault.Find(criteria).entries == entries);
  // What is tried with it afterwards is its own too, and discloses nothing.
  CHECK(!vault->clients().GetClient(vault.With(vault.first, "192.0.2.1"), vault.clients[0]));
  CHECK(vault.Find(criteria).entries == entries);
  CHECK(vault.Find(criteria).denied == 1);
  CHECK(vault.EntryOf(vault.last).at("detail") == vault.first.info.id.Text());
}

namespace {

// A log of entries that are written as they are.
class WrittenLog {
 public:
  WrittenLog() {
    REQUIRE(crypto::InitializeCrypto());
    auto opened =
        Database::Open(work_ / "log.db", crypto::SecretBytes::Random(32), {.create = true});
    INFO(AnswerOf(opened));
    REQUIRE(opened);
    database_ = *std::move(opened);
    REQUIRE(Migrate(database_, VaultMigrations()));
    auto log = LogStore::Open(database_);
    REQUIRE(log);
    log_ = *std::move(log);
  }
  void Add(audit::Entry entry) {
    entry.seq = size_++;
    entry.log = "vault.example";
    entry.action = entry.action.empty() ? "client.read" : entry.action;
    entry.outcome = "ok";
    entry.decision = audit::Decision::kAllow;
    entry.actor_kind = audit::ActorKind::kService;
    std::string bytes;
    audit::AppendCanonical(entry, bytes);
    REQUIRE(log_->AppendEntry(entry.seq, bytes));
  }
  void Skip() { ++size_; }
  void AddDamage() { REQUIRE(log_->AppendEntry(size_++, R"({"actor":"svc_a","auth":"x"})")); }
  BreachScope Search(const ScopeSubject& subject) {
    BreachScope scope;
    ScopeCounter counter(scope);
    REQUIRE(SearchScope(*log_, subject, scope, counter));
    counter.Finish();
    return scope;
  }

 private:
  testing::TemporaryDirectory work_;
  Database database_;
  std::unique_ptr<LogStore> log_;
  std::uint64_t size_ = 0;
};

}  // namespace

TEST_CASE("entries that do not say which token it was are told as possible, within its life") {
  WrittenLog log;
  const std::string token = TokenId::New(Timestamp{1000}).Text();
  const auto entry = [&](std::int64_t ts, std::string actor, std::string auth) {
    audit::Entry made;
    made.ts = Timestamp{ts};
    made.actor = std::move(actor);
    made.auth = std::move(auth);
    made.client = ClientId::New(Timestamp{1000}).Text();
    return made;
  };
  log.Add(entry(99, "svc_a", "token"));     // before it was issued
  log.Add(entry(100, "svc_a", "token"));    // as it was
  log.Add(entry(150, "svc_b", "token"));    // somebody else's
  log.Add(entry(150, "svc_a", "session"));  // by other means
  log.Add(entry(160, "svc_a", "token:" + token));
  log.Add(entry(160, "svc_a", "token:tok_00000000000000000000000000"));  // another of his
  log.Add(entry(200, "svc_a", "token"));                                 // its last instant
  log.Add(entry(201, "svc_a", "token"));
  log.Add(entry(300, "svc_a", "token:" + token));  // whatever the register says of its life
  const ScopeSubject known = {.auth = "token:" + token,
                              .old_auth = "token",
                              .owner = "svc_a",
                              .usable_from = Timestamp{100},
                              .usable_to = Timestamp{200},
                              .actor = {},
                              .network = {},
                              .from = {},
                              .to = {},
                              .size = {}};
  const BreachScope scope = log.Search(known);
  CHECK(scope.entries == 4);
  CHECK(scope.possible == 2);
  ScopeSubject unknown;
  unknown.auth = known.auth;
  unknown.old_auth = "token";
  CHECK(log.Search(unknown).entries == 2);
  CHECK(log.Search(unknown).possible == 0);
}

TEST_CASE("entries without an address, damaged and missing ones are counted as that") {
  WrittenLog log;
  audit::Entry entry;
  entry.ts = Timestamp{1};
  entry.actor = "svc_a";
  entry.client = ClientId::New(Timestamp{1000}).Text();
  log.Add(entry);
  entry.address = "192.0.2.1";
  log.Add(entry);
  entry.address = "192.0.2.77";
  log.Add(entry);
  log.Skip();
  log.AddDamage();
  entry.ts = Timestamp{2};
  log.Add(entry);
  ScopeSubject subject;
  subject.network = *Network::Parse("192.0.2.64/26");
  BreachScope scope = log.Search(subject);
  CHECK(scope.searched == 6);
  CHECK(scope.entries == 2);
  CHECK(scope.without_address == 1);
  CHECK(scope.unreadable == 2);
  CHECK_FALSE(scope.exact());
  subject = {};
  subject.actor = "svc_a";
  subject.to = Timestamp{2};
  CHECK(log.Search(subject).entries == 3);
}

TEST_CASE("what the vault does itself, and what was refused or failed, discloses nothing") {
  BreachScope scope;
  ScopeCounter counter(scope);
  audit::Entry entry;
  entry.action = "record.read";
  entry.client = ClientId::New(Timestamp{1000}).Text();
  entry.actor_kind = audit::ActorKind::kService;
  entry.outcome = "ok";
  entry.decision = audit::Decision::kDeny;
  REQUIRE(counter.Take(entry, false));
  entry.decision = audit::Decision::kAllow;
  entry.outcome = "storage_full";
  REQUIRE(counter.Take(entry, false));
  entry.outcome = "ok";
  entry.actor_kind = audit::ActorKind::kSystem;
  REQUIRE(counter.Take(entry, false));
  entry.actor_kind = audit::ActorKind::kService;
  entry.action = "class.read";
  REQUIRE(counter.Take(entry, false));
  counter.Finish();
  CHECK(scope.matched == 4);
  CHECK(scope.denied == 1);
  CHECK(scope.failed == 1);
  CHECK(scope.clients == 0);
}

}  // namespace coffer::vault
