#include "api/names.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "vault/strict_json.h"

namespace coffer::api {
namespace {

constexpr std::size_t kIdDigits = 26;
constexpr std::string_view kNamedPrefixes[] = {"usr_", "svc_", "team_", "cli_"};

// Where the id begins whose prefix ends with the underscore at `at`.
std::size_t BeginOfId(std::string_view text, std::size_t at) {
  for (const std::string_view prefix : kNamedPrefixes) {
    const std::size_t length = prefix.size();
    if (at + 1 >= length && text.compare(at + 1 - length, length, prefix) == 0) {
      return at + 1 - length;
    }
  }
  return text.npos;
}

// Each once. A page of the log has 60 KiB and hardly ten different ones: what is no id is passed by
// its underscore, and what was seen is not parsed again.
std::vector<std::string_view> IdsIn(std::string_view text) {
  std::vector<std::string_view> ids;
  std::unordered_set<std::string_view> seen;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  for (const char* next = begin; next != end; ++next) {
    next = static_cast<const char*>(std::memchr(next, '_', static_cast<std::size_t>(end - next)));
    if (next == nullptr) break;
    // The first of an id's 26 digits has three bits.
    if (next - begin < 3 || end - next < 2 || next[1] > '7' || next[1] < '0') continue;
    const auto at = static_cast<std::size_t>(next - begin);
    const std::size_t from = BeginOfId(text, at);
    if (from == text.npos) continue;
    const std::string_view id = text.substr(from, at + 1 + kIdDigits - from);
    if (!ids.empty() && ids.back() == id) continue;
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
