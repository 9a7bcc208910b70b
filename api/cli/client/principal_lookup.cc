#include "api/cli/client/principal_lookup.h"

#include <nlohmann/json.hpp>

#include "api/cli/text/json_view.h"

namespace coffer::cli {

using nlohmann::json;

namespace {

// As logins are stored.
std::string InSmallLetters(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

Outcome<std::string> ResolvePrincipal(ApiClient& client, const std::string& name) {
  // Also one that is mistyped: the server says so.
  for (const char* prefix : {"usr_", "svc_", "team_"}) {
    if (name.starts_with(prefix)) return name;
  }
  struct Place {
    const char* path;
    const char* member;
    std::string name;
  };
  std::string found;
  std::size_t count = 0;
  for (const Place& place :
       {Place{"/v1/users", "login", InSmallLetters(name)}, Place{"/v1/teams", "name", name},
        Place{"/v1/services", "name", name}}) {
    COFFER_ASSIGN(const json answer, client.Get(Target(place.path)));
    for (const json& item : Member(answer, "items")) {
      if (Text(item, place.member) != place.name) continue;
      found = Text(item, "id");
      ++count;
    }
    if (count > 0) break;
  }
  if (count == 1) return found;
  return Failed(Exit::kFailed,
                count == 0 ? "nobody is called \"" + name + "\""
                           : "more than one service is called \"" + name + "\"",
                "Give a login or an id: coffer user list, coffer team list and coffer service list "
                "show them.");
}

}  // namespace coffer::cli
