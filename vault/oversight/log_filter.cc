#include "vault/oversight/log_filter.h"

#include <algorithm>

#include "vault/access/named_principals.h"
#include "vault/access/principal_name.h"
#include "vault/base/near_names.h"
#include "vault/base/network.h"
#include "vault/base/words.h"
#include "vault/clients/client_operations.h"
#include "vault/oversight/log_page.h"
#include "vault/oversight/log_reader.h"
#include "vault/oversight/log_search.h"
#include "vault/oversight/log_vocabulary.h"

namespace coffer::vault {
namespace {

// As many words of one member are looked through for what is near.
constexpr std::size_t kMostFilterWords = 2000;

constexpr std::size_t kMaxActorName = 200;

constexpr std::string_view kActors[] = {"vault", "genesis"};

bool IsOneOf(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

void AddAll(std::span<const std::string_view> names, std::vector<std::string>& known,
            std::string_view prefix = "") {
  for (const std::string_view name : names) {
    known.push_back(std::string(prefix) + std::string(name));
  }
}

template <class Map>
void AddKeys(const Map& map, std::vector<std::string>& known, std::string_view prefix = "") {
  for (const auto& [name, value] : map) known.push_back(std::string(prefix) + name);
}

using Names = std::vector<std::string>;

Names ActionsOf(const Catalog&) {
  Names known;
  for (int i = 0; i < kActionCount; ++i) known.emplace_back(Name(static_cast<Action>(i)));
  AddAll(VaultActions(), known);
  return known;
}

Names ClassesOf(const Catalog& catalog) {
  Names known;
  AddKeys(catalog.classes, known);
  return known;
}

Names PurposesOf(const Catalog& catalog) {
  Names known;
  AddKeys(catalog.purposes, known);
  return known;
}

Names OutcomesOf(const Catalog&) {
  Names known;
  AddAll(Outcomes(), known);
  return known;
}

Names RulesOf(const Catalog& catalog) {
  Names known = {"self"};
  AddAll(Checks(), known, "check:");
  AddKeys(catalog.roles, known, "role:");
  return known;
}

Names FieldsOf(const Catalog& catalog) {
  Names known = ProfileFields();
  known.emplace_back("relationship_end");
  for (const auto& [name, versions] : catalog.classes) {
    for (const auto& schema : versions) {
      for (const auto& field : schema->fields) known.push_back(field.name);
    }
  }
  return known;
}

// Ids are not told to who does not know them; a login was replaced by its id.
Names NoNames(const Catalog&) { return {}; }

struct NamedFilter {
  const char* pointer;
  std::string LogFilter::* member;
  LogWord word;
  Names (*known)(const Catalog&);  // by the policy and the vault
};
constexpr NamedFilter kNamedFilters[] = {
    {"/action", &LogFilter::action, LogWord::kAction, ActionsOf},
    {"/actor", &LogFilter::actor, LogWord::kActor, NoNames},
    {"/class", &LogFilter::class_name, LogWord::kClass, ClassesOf},
    {"/field", &LogFilter::field, LogWord::kField, FieldsOf},
    {"/outcome", &LogFilter::outcome, LogWord::kOutcome, OutcomesOf},
    {"/purpose", &LogFilter::purpose, LogWord::kPurpose, PurposesOf},
    {"/rule", &LogFilter::rule, LogWord::kRule, RulesOf},
};

// True also where it cannot be said: only what is known to be unknown is refused.
Result<bool> IsInLog(LogReader& reader, const NamedFilter& named, const std::string& value) {
  std::uint64_t indexed = 0;
  if (LogIndexReader* const index = reader.index(); index != nullptr) {
    COFFER_ASSIGN(const bool found, index->Has(named.word, value));
    if (found) return true;
    COFFER_ASSIGN(indexed, index->Size());
  }
  LogFilter alone;
  alone.*named.member = value;
  COFFER_ASSIGN(const auto behind, IsBehind(reader, alone, indexed));
  return behind.value_or(true);
}

Result<std::string> Unknown(LogReader& reader, const NamedFilter& named, const std::string& value,
                            Names known) {
  std::string message = "is known neither to the vault nor to its log";
  if (named.word == LogWord::kActor) return message;
  if (LogIndexReader* const index = reader.index(); index != nullptr) {
    COFFER_ASSIGN(const auto words, index->Words(named.word, kMostFilterWords));
    known.insert(known.end(), words.begin(), words.end());
  }
  const std::string meant = Suggest(value, std::move(known));
  return meant.empty() ? message : message + "; " + meant;
}

// One that has an id of its own is found, or not, like a client.
bool IsRuleWithId(std::string_view rule) {
  const auto colon = std::min(rule.find(':'), rule.size());
  const std::string_view id = rule.substr(std::min(colon + 1, rule.size()));
  const std::string_view kind = rule.substr(0, colon);
  return (kind == "lease" && LeaseId::Parse(id)) || (kind == "emergency" && EmergencyId::Parse(id));
}

template <class Id>
bool IsIdOf(const std::string& text) {
  const auto id = Id::Parse(text);
  return id && id->Text() == text;
}

// The spelling that entries have; nothing for what is no address.
std::optional<std::string> Address(const std::string& text) {
  const auto network = Network::Parse(text);
  if (!network || text.find('/') != text.npos) return std::nullopt;
  const std::string canonical = network->Text();
  return canonical.substr(0, canonical.find('/'));
}

}  // namespace

std::vector<Issue> NormaliseFilter(LogFilter& filter) {
  std::vector<Issue> issues;
  const auto require = [&](bool good, const std::string& value, const char* pointer,
                           const char* message) {
    if (!value.empty() && !good) issues.push_back({pointer, message});
  };
  require(IsIdOf<ClientId>(filter.client), filter.client, "/client",
          "must be the id of a client: cli_ and 26 characters");
  require(IsIdOf<RecordId>(filter.record), filter.record, "/record",
          "must be the id of a record: rec_ and 26 characters");
  require(IsIdOf<CallId>(filter.request), filter.request, "/request",
          "must be the id of a request: call_ and 26 characters");
  require(IsWords(filter.actor, kMaxActorName), filter.actor, "/actor",
          "must be a login, the name of a service or the id of a principal, or vault, or genesis");
  require(filter.decision == "allow" || filter.decision == "deny", filter.decision, "/decision",
          "must be allow or deny");
  const auto address = Address(filter.address);
  require(address.has_value(), filter.address, "/address", "must be an IP address");
  if (address) filter.address = *address;
  static constexpr const char* kNoName =
      "must be at most 200 of a-z, 0-9 and any of . - _ :, as all names in the log are";
  require(IsPlain(filter.action), filter.action, "/action", kNoName);
  require(IsPlain(filter.class_name), filter.class_name, "/class", kNoName);
  require(IsPlain(filter.field), filter.field, "/field", kNoName);
  require(IsPlain(filter.purpose), filter.purpose, "/purpose", kNoName);
  require(IsPlain(filter.rule), filter.rule, "/rule", kNoName);
  require(IsPlain(filter.outcome), filter.outcome, "/outcome", kNoName);
  if (filter.from && filter.to && *filter.from > *filter.to) {
    issues.push_back({"/to", "must not be earlier than from"});
  }
  return issues;
}

Status ReplaceByActor(const PrincipalRegister& principals, std::string& actor) {
  if (actor.empty() || IsOneOf(kActors, actor)) return {};
  return ReplaceByPrincipal(principals, "/actor", actor);
}

bool IsActor(const std::string& actor, const PrincipalRegister& principals) {
  if (IsOneOf(kActors, actor)) return true;
  const auto id = PrincipalId::Parse(actor);
  return id && (principals.Find(*id) != nullptr || principals.FindTeam(*id) != nullptr);
}

Status CheckNames(const LogFilter& filter, bool actor_known, const Catalog& catalog,
                  LogReader& reader) {
  std::vector<Issue> issues;
  for (const NamedFilter& named : kNamedFilters) {
    const std::string& value = filter.*named.member;
    if (value.empty()) continue;
    std::vector<std::string> known = named.known(catalog);
    if (std::ranges::find(known, value) != known.end()) continue;
    if (named.word == LogWord::kActor && actor_known) continue;
    if (named.word == LogWord::kRule && IsRuleWithId(value)) continue;
    COFFER_ASSIGN(const bool in_log, IsInLog(reader, named, value));
    if (in_log) continue;
    COFFER_ASSIGN(auto message, Unknown(reader, named, value, std::move(known)));
    issues.push_back({named.pointer, std::move(message)});
  }
  if (issues.empty()) return {};
  return std::unexpected(Error{Code::kInvalidArgument, "filter_unknown", {}, std::move(issues)});
}

}  // namespace coffer::vault
