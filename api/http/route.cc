#include "api/http/route.h"

#include <algorithm>

namespace coffer::api {

using enum Method;

namespace {

// Captures of `pattern` in `path`; nothing when they do not match.
bool MatchPath(std::string_view pattern, std::string_view path,
               std::vector<std::string>& segments) {
  segments.clear();
  while (!pattern.empty() && !path.empty()) {
    if (pattern[0] != '/' || path[0] != '/') return false;
    pattern.remove_prefix(1);
    path.remove_prefix(1);
    const auto wanted = pattern.substr(0, pattern.find('/'));
    const auto given = wanted.ends_with("...}") ? path : path.substr(0, path.find('/'));
    if (wanted.starts_with('{')) {
      if (given.empty()) return false;
      segments.emplace_back(given);
    } else if (wanted != given) {
      return false;
    }
    pattern.remove_prefix(wanted.size());
    path.remove_prefix(given.size());
  }
  return pattern.empty() && path.empty();
}

}  // namespace

std::string_view Name(Method method) {
  switch (method) {
    case kGet:
      return "GET";
    case kPost:
      return "POST";
    case kPut:
      return "PUT";
    case kPatch:
      return "PATCH";
    case kDelete:
      return "DELETE";
  }
  return "";
}

std::optional<Method> MethodFromName(std::string_view name) {
  if (name == "HEAD") return kGet;
  for (const Method method : {kGet, kPost, kPut, kPatch, kDelete}) {
    if (Name(method) == name) return method;
  }
  return std::nullopt;
}

std::string_view Call::Query(std::string_view name) const {
  const auto found = std::ranges::find(
      query, name, [](const auto& pair) -> std::string_view { return pair.first; });
  return found == query.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view MediaTypeOf(Body body) {
  switch (body) {
    case Body::kNone:
      return "";
    case Body::kJson:
      return "application/json";
    case Body::kMergePatch:
      return "application/merge-patch+json";
    case Body::kNdjson:
      return "application/x-ndjson";
  }
  return "";
}

Match FindRoute(std::span<const Route> routes, std::optional<Method> method,
                std::string_view path) {
  Match match;
  if (path == "*") match.allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
  if (path.find('%') != path.npos) return match;
  for (const Route& route : routes) {
    if (!MatchPath(route.path, path, match.segments)) continue;
    if (route.method == method) {
      match.route = &route;
      match.allow.clear();
      return match;
    }
    // "/v1/clients/search" is also a "{client}" that no client is named like.
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += Name(route.method);
    if (route.method == kGet) match.allow += ", HEAD";
    if (route.method == kPatch) match.accept_patch = MediaTypeOf(route.body);
  }
  if (!match.allow.empty() && path != "*") match.allow += ", OPTIONS";
  match.segments.clear();
  return match;
}

}  // namespace coffer::api
