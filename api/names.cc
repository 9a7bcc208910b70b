#include "api/names.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "vault/strict_json.h"

namespace coffer::api {
namespace {

constexpr std::size_t kIdDigits = 26;

bool IsIdCharacter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// Ids in the order of the text, each once. Every one has an underscore in front of its digits, and
// hardly anything else has.
std::vector<std::string_view> IdsIn(std::string_view text) {
  std::vector<std::string_view> ids;
  std::unordered_set<std::string_view> seen;
  for (auto at = text.find('_'); at != text.npos; at = text.find('_', at + 1)) {
    std::size_t from = at;
    while (from > 0 && IsIdCharacter(text[from - 1])) --from;
    std::size_t to = at + 1;
    while (to < text.size() && IsIdCharacter(text[to])) ++to;
    if (from == at || to - at - 1 != kIdDigits) continue;
    const std::string_view id = text.substr(from, to - from);
    if (seen.insert(id).second) ids.push_back(id);
  }
  return ids;
}

vault::IdsToName ParseIds(std::string_view text) {
  vault::IdsToName parsed;
  for (const std::string_view id : IdsIn(text)) {
    if (const auto client = vault::ClientId::Parse(id)) {
      parsed.clients.push_back(*client);
    } else if (const auto principal = vault::PrincipalId::Parse(id)) {
      parsed.principals.push_back(*principal);
    }
  }
  return parsed;
}

Reply AddNames(const Service& service, const Call& call, vault::IdsToName ids, Reply reply) {
  const auto names = service.vault.NamesOf(call.caller, std::move(ids));
  if (!names) return reply;
  reply.body.pop_back();
  reply.body += ",\"names\":{";
  for (const vault::KnownName& known : *names) {
    if (&known != names->data()) reply.body += ',';
    reply.body += '"' + known.id + "\":{\"name\":";
    vault::AppendJsonString(reply.body, known.name);
    if (known.disabled) reply.body += ",\"disabled\":true";
    reply.body += '}';
  }
  reply.body += "}}";
  return reply;
}

}  // namespace

Reply WithNames(const Service& service, const Call& call, Reply reply) {
  vault::IdsToName ids = ParseIds(reply.body);
  ids.clients.clear();
  return AddNames(service, call, std::move(ids), std::move(reply));
}

Reply WithClientNames(const Service& service, const Call& call, Reply reply) {
  vault::IdsToName ids = ParseIds(reply.body);
  std::erase_if(ids.clients, [&](const vault::ClientId& client) {
    return std::ranges::find(call.segments, client.Text()) != call.segments.end();
  });
  return AddNames(service, call, std::move(ids), std::move(reply));
}

}  // namespace coffer::api
