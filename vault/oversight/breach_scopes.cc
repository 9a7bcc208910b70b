#include "vault/oversight/breach_scopes.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "vault/access/access_state.h"
#include "vault/access/named_principals.h"
#include "vault/access/reason_rule.h"
#include "vault/base/word_list.h"
#include "vault/base/words.h"
#include "vault/clients/client_store.h"
#include "vault/oversight/log_filter.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kJurisdictionTag = "jurisdiction:";
constexpr std::size_t kMostScopeName = 200;

bool IsOneAddress(const std::string& text) { return text.find('/') == text.npos; }

std::optional<TokenId> TokenOf(const std::string& text) {
  if (const auto token = TokenId::Parse(text); token && token->Text() == text) return *token;
  const auto session = SessionId::Parse(text);
  if (!session || session->Text() != text) return std::nullopt;
  return TokenId{session->value};
}

// Where a list goes on: of as many entries as its first page was made of.
struct ScopeCursor {
  std::uint64_t size = 0;
  ClientId after;
};
Result<std::optional<ScopeCursor>> CursorIn(const std::string& text) {
  if (text.empty()) return std::nullopt;
  ScopeCursor cursor;
  const auto dot = text.find('.');
  const char* const end = text.data() + std::min(dot, text.size());
  const auto [parsed, error] = std::from_chars(text.data(), end, cursor.size);
  const auto client = ClientId::Parse(dot == text.npos ? "" : text.substr(dot + 1));
  if (error != std::errc() || parsed != end || !client) {
    return Fail(Code::kInvalidArgument, "cursor_invalid");
  }
  cursor.after = *client;
  return cursor;
}

// Names become ids, and a token what entries say of it. Whether nobody like that is known to the
// vault: the log may still know him.
struct Resolved {
  ScopeSubject subject;
  bool token_known = true, principal_known = true;
};
Status Resolve(Transaction& transaction, ScopeCriteria& criteria, Resolved& resolved) {
  const PrincipalRegister& principals = transaction.Of<AccessState>().principals();
  ScopeSubject& subject = resolved.subject;
  if (!criteria.principal.empty()) {
    COFFER_TRY(ReplaceByPrincipal(principals, "/principal", criteria.principal));
    subject.actor = criteria.principal;
    resolved.principal_known = IsActor(criteria.principal, principals);
  }
  if (criteria.token.empty()) return {};
  const TokenId id = *TokenOf(criteria.token);
  const bool is_session = criteria.token.starts_with(SessionTag::kPrefix);
  subject.old_auth = is_session ? "session" : "token";
  subject.auth = subject.old_auth + ":" + criteria.token;
  const TokenRow* const row = principals.FindToken(id);
  resolved.token_known = row != nullptr && row->is_session() == is_session;
  if (!resolved.token_known) return {};
  subject.owner = row->principal.Text();
  if (!subject.actor.empty() && subject.actor != subject.owner) {
    return std::unexpected(
        Error{Code::kUnprocessable, "scope_invalid", {}, {{"/token", "is not of this principal"}}});
  }
  subject.usable_from = row->created;
  subject.usable_to = std::min(row->revoked.value_or(row->expires), row->expires);
  return {};
}

// What is stored of the clients now: where they are, and which are not there any more.
Status AddUp(ClientStore& clients, const std::vector<ClientId>& ids, const ScopePage& page,
             const std::optional<ScopeCursor>& cursor, const ScopeCounter& counter,
             BreachScope& scope) {
  std::map<std::string, std::uint64_t> jurisdictions;
  for (const ClientId& id : ids) {
    COFFER_ASSIGN(const auto row, clients.Find(id));
    std::vector<std::string> own;
    if (!row) {
      ++scope.erased;
    } else {
      for (const std::string& tag : SplitWords(row->tags)) {
        if (tag.starts_with(kJurisdictionTag)) own.push_back(tag.substr(kJurisdictionTag.size()));
      }
      if (own.empty()) ++scope.without_jurisdiction;
      for (const std::string& name : own) ++jurisdictions[name];
    }
    if (cursor && id <= cursor->after) continue;
    if (scope.page.size() == page.limit) {
      const std::string size = std::to_string(scope.size) + ".";
      if (scope.next.empty() && page.limit > 0) scope.next = size + scope.page.back().id.Text();
      continue;
    }
    scope.page.push_back(counter.Describe(id, page.record_ids));
    scope.page.back().erased = !row;
    scope.page.back().jurisdictions = std::move(own);
  }
  for (const auto& [name, count] : jurisdictions) scope.jurisdictions.push_back({name, count});
  return {};
}

// Of criteria that found nothing: that nobody was like that is no scope of nothing.
Status RequireKnown(const Resolved& resolved, const BreachScope& scope) {
  if (scope.matched > 0) return {};
  std::vector<Issue> issues;
  static constexpr const char* kNowhere =
      "is not known to the vault, and in no entry of the time that was searched";
  if (!resolved.token_known) issues.push_back({"/token", kNowhere});
  if (!resolved.principal_known) issues.push_back({"/principal", kNowhere});
  if (issues.empty()) return {};
  return std::unexpected(Error{Code::kInvalidArgument, "filter_unknown", {}, std::move(issues)});
}

}  // namespace

std::vector<Issue> NormaliseCriteria(ScopeCriteria& criteria) {
  std::vector<Issue> issues;
  if (criteria.token.empty() && criteria.principal.empty() && criteria.address.empty() &&
      !criteria.from && !criteria.to) {
    issues.push_back({"", "must name a token, a principal, an address or a time"});
  }
  if (!criteria.token.empty() && !TokenOf(criteria.token)) {
    issues.push_back({"/token",
                      "must be the id of a token or of a session: tok_ or ses_ and 26 "
                      "characters; not the token itself"});
  }
  if (!criteria.principal.empty() && !IsWords(criteria.principal, kMostScopeName)) {
    issues.push_back({"/principal", "must be a principal's id, a login or a service's name"});
  }
  if (!criteria.address.empty()) {
    const auto network = Network::Parse(criteria.address);
    if (!network) {
      issues.push_back({"/address", "must be an IP address or a network"});
    } else {
      const std::string text = network->Text();
      criteria.address = IsOneAddress(criteria.address) ? text.substr(0, text.find('/')) : text;
    }
  }
  if (criteria.from && criteria.to && *criteria.to <= *criteria.from) {
    issues.push_back({"/to", "must be later than from"});
  }
  return issues;
}

Result<BreachScope> BreachScopes::FindScope(const Caller& caller, const ScopeCriteria& asked,
                                            const ScopePage& page) {
  constexpr Action kAction = Action::kBreachScope;
  ScopeCriteria criteria = asked;
  if (auto issues = NormaliseCriteria(criteria); !issues.empty()) {
    return operations_.Refuse(caller, {kAction},
                              Error{Code::kUnprocessable, "scope_invalid", {}, std::move(issues)});
  }
  if (auto cursor = CursorIn(page.after); !cursor) {
    return operations_.Refuse(caller, {kAction}, cursor.error());
  }
  Call call = operations_.Start(caller, {kAction});
  return Search(call, criteria, page);
}

Result<BreachScope> BreachScopes::CountScope(Call& call, const ScopeCriteria& criteria) {
  return Search(call, criteria, {.limit = 0, .after = {}, .record_ids = false});
}

Result<BreachScope> BreachScopes::Search(Call& call, const ScopeCriteria& criteria,
                                         const ScopePage& page) {
  BreachScope scope;
  scope.criteria = criteria;
  scope.with_record_ids = page.record_ids;
  Resolved resolved;
  COFFER_ASSIGN(const auto cursor, CursorIn(page.after));
  call.reason_rule = ReasonRule::kVault;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    // Ids, an address and times: nothing else of what was asked for.
    const auto say = [&](std::string_view what, const std::string& value) {
      if (!value.empty()) AddDetail(call.entry, std::string(what) + value);
    };
    say("", scope.criteria.token);
    COFFER_TRY(Resolve(transaction, scope.criteria, resolved));
    say("", resolved.subject.actor);
    say("from ", criteria.address);
    if (criteria.from) say("since ", audit::FormatTimestamp(*criteria.from));
    if (criteria.to) say("until ", audit::FormatTimestamp(*criteria.to));
    return {};
  }));
  ScopeSubject& subject = resolved.subject;
  if (!criteria.address.empty()) {
    COFFER_ASSIGN(subject.network, Network::Parse(criteria.address));
  }
  subject.from = criteria.from;
  subject.to = criteria.to;
  if (cursor) subject.size = cursor->size;
  ScopeCounter counter(scope);
  const auto search = [&]() -> Status {
    COFFER_ASSIGN(auto reader, snapshots_.Open());
    COFFER_TRY(SearchScope(reader->log(), subject, scope, counter));
    COFFER_TRY(RequireKnown(resolved, scope));
    counter.Finish();
    COFFER_ASSIGN(auto clients, ClientStore::OpenForReading(reader->database()));
    return AddUp(clients, counter.Clients(), page, cursor, counter, scope);
  };
  auto searched = search();
  if (!searched && searched.error().code == Code::kCorrupted) {
    return std::unexpected(operations_.IntegrityAlarm(call, searched.error().reason));
  }
  if (!searched) return std::unexpected(operations_.FailedLater(call, std::move(searched).error()));
  return scope;
}

}  // namespace coffer::vault
