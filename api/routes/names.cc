#include "api/routes/names.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "vault/base/strict_json.h"

namespace coffer::api {
namespace {

constexpr std::size_t kIdDigits = 26;

// The prefixes by their last letters; empty: no id that is named.
std::string_view PrefixEndingIn(char letter, bool with_clients) {
  switch (letter) {
    case 'r':
      return "usr_";
    case 'c':
      return "svc_";
    case 'm':
      return "team_";
    case 'i':
      return with_clients ? "cli_" : "";
    default:
      return "";
  }
}

// Where the id begins whose prefix ends with the underscore at `at`.
std::size_t BeginOfId(std::string_view text, std::size_t at, bool with_clients) {
  const std::string_view prefix = PrefixEndingIn(text[at - 1], with_clients);
  const std::size_t length = prefix.size();
  if (length == 0 || at + 1 < length) return text.npos;
  return text.compare(at + 1 - length, length, prefix) == 0 ? at + 1 - length : text.npos;
}

// Each once. A page of the log has 60 KiB and hardly ten different ones: what is no id is passed by
// its underscore, and what was seen is not parsed again.
std::vector<std::string_view> IdsIn(std::string_view text, bool with_clients) {
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
    const std::size_t from = BeginOfId(text, at, with_clients);
    if (from == text.npos) continue;
    const std::string_view id = text.substr(from, at + 1 + kIdDigits - from);
    if (!ids.empty() && ids.back() == id) continue;
    if (seen.insert(id).second) ids.push_back(id);
  }
  return ids;
}

vault::IdsToName ParseIds(const Call& call, std::string_view text, bool with_clients) {
  vault::IdsToName parsed;
  // Clients are named for a purpose.
  with_clients = with_clients && !call.caller.purpose.empty();
  for (const std::string_view id : IdsIn(text, with_clients)) {
    if (const auto principal = vault::PrincipalId::Parse(id)) {
      parsed.principals.push_back(*principal);
    } else if (std::ranges::find(call.segments, id) != call.segments.end()) {
      // The path's.
    } else if (const auto client = vault::ClientId::Parse(id)) {
      parsed.clients.push_back(*client);
    }
  }
  return parsed;
}

void AppendName(std::string& body, const vault::KnownName& known) {
  if (body.back() != '{') body += ',';
  body += '"' + known.id + "\":{\"name\":";
  vault::AppendJsonString(body, known.name);
  if (known.disabled) body += ",\"disabled\":true";
  body += '}';
}

Reply AddNames(const Service& service, const Call& call, vault::IdsToName ids, Reply reply) {
  const auto names = service.vault.names().NamesOf(call.caller, std::move(ids));
  if (!names) return reply;
  reply.body.pop_back();
  reply.body += ",\"names\":{";
  for (const vault::KnownName& known : *names) AppendName(reply.body, known);
  reply.body += "}}";
  return reply;
}

}  // namespace

Reply WithNames(const Service& service, const Call& call, Reply reply) {
  auto ids = ParseIds(call, reply.body, false);
  return AddNames(service, call, std::move(ids), std::move(reply));
}

Reply WithClientNames(const Service& service, const Call& call, Reply reply) {
  auto ids = ParseIds(call, reply.body, true);
  return AddNames(service, call, std::move(ids), std::move(reply));
}

Reply WithClientNames(const Service& service, const Call& call, Reply reply,
                      const vault::PrincipalNames& principals) {
  vault::IdsToName ids = ParseIds(call, reply.body, true);
  // One that was made since is known to the vault.
  const auto is_known = [&](const auto& id) { return principals.contains(id); };
  if (!ids.clients.empty() || !std::ranges::all_of(ids.principals, is_known)) {
    return AddNames(service, call, std::move(ids), std::move(reply));
  }
  std::ranges::sort(ids.principals);
  reply.body.pop_back();
  reply.body += ",\"names\":{";
  for (const vault::PrincipalId& id : ids.principals) {
    const vault::KnownName& known = principals.at(id);
    if (!known.name.empty()) AppendName(reply.body, known);
  }
  reply.body += "}}";
  return reply;
}

}  // namespace coffer::api
