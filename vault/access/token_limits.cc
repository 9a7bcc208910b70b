#include "vault/access/token_limits.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "vault/base/strict_json.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxLimits = 100;
constexpr std::size_t kMaxBinding = 200;

std::vector<std::string> LimitTexts(const std::string& member, const json& value,
                                    std::vector<Issue>& issues) {
  std::vector<std::string> texts;
  const bool fits = value.is_array() && !value.empty() && value.size() <= kMaxLimits;
  if (fits) {
    for (const auto& item : value) {
      if (item.is_string()) texts.push_back(item.get<std::string>());
    }
  }
  if (!fits || texts.size() != value.size()) {
    issues.push_back({"/" + member, "must be a list of 1 to 100 texts"});
  }
  return texts;
}

}  // namespace

bool TokenLimits::Covers(Action action) const {
  return actions.empty() || std::ranges::find(actions, action) != actions.end();
}

bool IsCertificateBinding(std::string_view text) {
  static constexpr std::string_view kSpki = "spki:";
  if (text.starts_with(kSpki)) {
    text.remove_prefix(kSpki.size());
    return text.size() == 64 &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  }
  const bool host = text.starts_with("dns:");
  if (!host && !text.starts_with("uri:")) return false;
  // As certificates' hosts are read.
  if (host && std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; })) return false;
  return text.size() > 4 && text.size() <= kMaxBinding &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

TokenLimits ParseTokenLimits(const json& object, std::vector<Issue>& issues) {
  TokenLimits limits;
  if (!object.is_object()) {
    issues.push_back({"", "must be an object"});
    return limits;
  }
  for (const auto& [member, value] : object.items()) {
    if (member == "actions") {
      for (const auto& text : LimitTexts(member, value, issues)) {
        const auto action = ActionFromName(text);
        if (action && KindOf(*action) == ActionKind::kGranted) {
          limits.actions.push_back(*action);
        } else {
          issues.push_back({"/actions", "has an item that is no action"});
        }
      }
    } else if (member == "networks") {
      for (const auto& text : LimitTexts(member, value, issues)) {
        if (auto network = Network::Parse(text)) {
          limits.networks.push_back(*network);
        } else {
          issues.push_back({"/networks", "has an item that is no network, as 192.0.2.0/24 is one"});
        }
      }
    } else if (member == "certificate") {
      if (value.is_string() && IsCertificateBinding(value.get_ref<const std::string&>())) {
        limits.certificate = value.get<std::string>();
      } else {
        issues.push_back({"/certificate",
                          "must be \"spki:\" and 64 hexadecimal digits, "
                          "\"dns:\" or \"uri:\" and a name"});
      }
    } else {
      issues.push_back({PointerTo("", member), "is not a known member"});
    }
  }
  return limits;
}

std::string FormatTokenLimits(const TokenLimits& limits) {
  json object = json::object();
  for (const Action action : limits.actions) object["actions"].push_back(Name(action));
  for (const Network& network : limits.networks) object["networks"].push_back(network.Text());
  if (!limits.certificate.empty()) object["certificate"] = limits.certificate;
  return object.dump();
}

}  // namespace coffer::vault
