#include "api/http/problem.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "vault/base/strict_json.h"

namespace coffer::api {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kId = "call_06bk4v0c5s3x9t7q2n8h1w6m4f";
constexpr const char* kNoTitle = "The request was refused.";

json Parsed(const Reply& reply) {
  const auto parsed = vault::ParseStrictJson(reply.body);
  INFO(reply.body);
  REQUIRE(parsed);
  return *parsed;
}

std::string HeaderOf(const Reply& reply, std::string_view name) {
  for (const auto& [header, value] : reply.headers) {
    if (header == name) return value;
  }
  return "";
}

TEST_CASE("each code of an error has its status and its headers") {
  const std::pair<Code, int> statuses[] = {
      {Code::kInvalidArgument, 400},  {Code::kUnauthenticated, 401},
      {Code::kPermissionDenied, 403}, {Code::kNotFound, 404},
      {Code::kConflict, 409},         {Code::kPreconditionFailed, 412},
      {Code::kTooLarge, 413},         {Code::kUnsupportedMedia, 415},
      {Code::kUnprocessable, 422},    {Code::kPreconditionRequired, 428},
      {Code::kExhausted, 429},        {Code::kCorrupted, 500},
      {Code::kInternal, 500},         {Code::kUnavailable, 503}};
  CHECK(std::size(statuses) == static_cast<std::size_t>(Code::kInternal) + 1);
  for (const auto& [code, status] : statuses) {
    INFO(status);
    CHECK(StatusOf(code) == status);
    const Reply reply = RenderProblem(Error{code, "not_found", {}, {}}, kId);
    CHECK(reply.status == status);
    CHECK(reply.content_type == "application/problem+json");
    CHECK(Parsed(reply) == json{{"type", "urn:coffer:problem:not_found"},
                                {"title", "There is no such resource."},
                                {"status", status},
                                {"code", "not_found"},
                                {"request_id", kId}});
    CHECK(HeaderOf(reply, "WWW-Authenticate") == (status == 401 ? "Bearer" : ""));
    CHECK(HeaderOf(reply, "Retry-After") == (status == 429 || status == 503 ? "1" : ""));
  }
}

TEST_CASE("an operator's detail never leaves the process") {
  const Reply reply =
      RenderProblem(Error{Code::kInternal, "internal_error", "SENTINEL /var/lib", {}}, kId);
  CHECK(reply.body.find("SENTINEL") == std::string::npos);
  std::string members;
  AppendProblemMembers(members, Error{Code::kCorrupted, "integrity_failed", "SENTINEL", {}});
  CHECK(members.find("SENTINEL") == std::string::npos);
}

TEST_CASE("issues are told with their pointers, escaped") {
  const Reply reply = RenderProblem(
      Error{
          Code::kUnprocessable, "document_invalid", {}, {{"/a\"b~1c", "is \\ wrong"}, {"", "x\n"}}},
      kId);
  CHECK(Parsed(reply).at("errors") ==
        json::parse(R"([{"pointer": "/a\"b~1c", "message": "is \\ wrong"},
                                                      {"pointer": "", "message": "x\n"}])"));
  CHECK(
      !Parsed(RenderProblem(Error{Code::kNotFound, "not_found", {}, {}}, kId)).contains("errors"));
}

TEST_CASE("what only HTTP knows is told alike") {
  const Reply reply = RenderProblem(414, "path_too_long", kId);
  CHECK(reply.status == 414);
  CHECK(Parsed(reply).at("title") == "The path is too long.");
  CHECK(Parsed(reply).at("code") == "path_too_long");
}

TEST_CASE("a line of an import has status, code and issues, and goes on") {
  std::string line = "{\"line\":3,";
  AppendProblemMembers(line,
                       Error{Code::kUnprocessable, "document_invalid", {}, {{"/data/a", "bad"}}});
  CHECK(
      line ==
      R"({"line":3,"status":422,"code":"document_invalid","errors":[{"pointer":"/data/a","message":"bad"}])");
}

// Of each `Code::kX, "reason"` the reason.
void AddReasonsIn(std::string_view source, std::set<std::string>& reasons) {
  constexpr std::string_view kCode = "Code::k";
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789_";
  for (auto at = source.find(kCode); at != source.npos; at = source.find(kCode, at + 1)) {
    std::string_view rest = source.substr(at + kCode.size());
    while (!rest.empty() && (std::isalnum(static_cast<unsigned char>(rest[0])) != 0)) {
      rest.remove_prefix(1);
    }
    if (!rest.starts_with(',')) continue;
    rest.remove_prefix(std::min(rest.find_first_not_of(" \n", 1), rest.size()));
    if (!rest.starts_with('"')) continue;
    rest.remove_prefix(1);
    const auto end = rest.find_first_not_of(kLetters);
    if (end == 0 || end == rest.npos || rest[end] != '"') continue;
    reasons.emplace(rest.substr(0, end));
  }
}

TEST_CASE("every reason that a client may be told has a title of its own") {
  // The reasons stand in the sources as Fail(Code::kX, "reason") or {Code::kX, "reason", …}.
  const std::string root = COFFER_SOURCE_DIR;
  std::set<std::string> reasons;
  for (const char* folder : {"/vault", "/api/http", "/api/routes"}) {
    for (const auto& source : fs::recursive_directory_iterator(root + folder)) {
      if (source.path().extension() != ".cc") continue;
      const std::string name = source.path().filename().string();
      std::ifstream file(source.path());
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      // Services, and what they require; of the steps that all share, what is told stands below.
      const bool operations =
          (text.find("(const Caller& caller") != text.npos && name != "operations.cc") ||
          name == "two_person_rule.cc" || name == "named_principals.cc" ||
          name == "proposed_actions.cc";
      const bool told = operations || source.path().parent_path().filename() == "routes" ||
                        name == "input.cc" || name == "access_policy.cc" ||
                        name == "class_schema.cc" || name == "strict_json.cc" ||
                        name == "purpose.cc";
      if (told) AddReasonsIn(text, reasons);
    }
  }
  reasons.insert(
      {"queue_full",          "stopping",          "log_unavailable",        "storage_full",
       "storage_unavailable", "storage_corrupted", "integrity_failed",       "key_cache_full",
       "too_many_long_reads", "cursor_invalid",    "idempotency_key_reused", "external_ref_taken",
       "class_changed",       "conflict",          "value_not_normalisable", "unauthenticated",
       "header_invalid",      "parameter_unknown", "media_type_unsupported", "method_not_allowed",
       "headers_too_large",   "path_too_long",     "request_line_invalid",   "length_required",
       "body_too_large",      "not_found",         "version_not_supported",  "internal_error"});
  reasons.erase("anchor_missing");  // of offline verification, which no request reaches
  CHECK(reasons.size() > 40);
  for (const auto& each : reasons) {
    INFO(each);
    CHECK(Parsed(RenderProblem(400, each, kId)).at("title") != kNoTitle);
  }
  CHECK(Parsed(RenderProblem(400, "never_heard_of", kId)).at("title") == kNoTitle);
}

}  // namespace
}  // namespace coffer::api
