#include "tests/support/problem_schema.h"

#include <regex.h>

#include <catch2/catch_test_macros.hpp>

namespace coffer::testing {
namespace {

using nlohmann::json;

// Whether the text has the pattern, by the C library's: std::regex goes down a call for each
// character.
bool Matches(const std::string& text, const std::string& pattern) {
  regex_t compiled;
  REQUIRE(regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) == 0);
  const bool matches =
      text.find('\0') == text.npos && regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  regfree(&compiled);
  return matches;
}

bool TextFault(const json& value, const json& schema) {
  if (!value.is_string()) return true;
  return schema.contains("pattern") &&
         !Matches(value.get<std::string>(), schema.at("pattern").get<std::string>());
}

}  // namespace

ProblemSchema::ProblemSchema(RunningVault& vault)
    : document_(vault.WithToken("").Get("/openapi.json").Json()) {}

void ProblemSchema::Check(const HttpReply& reply, int status, const std::string& code) {
  INFO("expected " << status << " " << code << ", got " << reply.status << " " << reply.body);
  CHECK(reply.status == status);
  CHECK(reply.Code() == code);
  Check(reply);
}

void ProblemSchema::Check(const HttpReply& reply) {
  ++checked_;
  INFO(reply.status << " " << reply.body);
  REQUIRE(reply.status >= 400);
  CHECK(reply.Header("content-type") == "application/problem+json");
  CHECK(reply.Header("cache-control") == "no-store");
  CHECK(reply.Header("strict-transport-security") == "max-age=31536000");
  const nlohmann::json problem = reply.Json();
  CHECK(Fault(problem, document_.at("components").at("schemas").at("Problem"), "") == "");
  CHECK(problem.value("status", 0) == reply.status);
  CHECK(problem.value("type", "") == "urn:coffer:problem:" + problem.value("code", ""));
  CHECK(problem.value("request_id", "?") == reply.Header("coffer-request-id"));
  CHECK(problem.value("title", "") != "The request was refused.");
}

std::string ProblemSchema::Fault(const nlohmann::json& value, const nlohmann::json& schema,
                                 const std::string& at) const {
  if (schema.contains("$ref")) {
    const nlohmann::json::json_pointer place(schema.at("$ref").get<std::string>().substr(1));
    return Fault(value, document_.at(place), at);
  }
  const std::string type = schema.value("type", "");
  if (type == "string") return TextFault(value, schema) ? at + " is no such text" : "";
  if (type == "integer") {
    const bool fits = value.is_number_integer() && value >= schema.value("minimum", INT64_MIN) &&
                      value <= schema.value("maximum", INT64_MAX);
    return fits ? "" : at + " is no such number";
  }
  if (type == "array") return ItemsFault(value, schema, at);
  return type == "object" ? MembersFault(value, schema, at) : at + ": unknown type " + type;
}

std::string ProblemSchema::ItemsFault(const nlohmann::json& value, const nlohmann::json& schema,
                                      const std::string& at) const {
  if (!value.is_array() || value.size() > schema.value("maxItems", SIZE_MAX)) {
    return at + " is no such list";
  }
  for (const auto& item : value) {
    if (auto fault = Fault(item, schema.at("items"), at + "/-"); !fault.empty()) return fault;
  }
  return "";
}

std::string ProblemSchema::MembersFault(const nlohmann::json& value, const nlohmann::json& schema,
                                        const std::string& at) const {
  if (!value.is_object()) return at + " is no object";
  for (const auto& name : schema.value("required", nlohmann::json::array())) {
    if (!value.contains(name.get<std::string>())) return at + "/" + name.get<std::string>();
  }
  const nlohmann::json& properties = schema.at("properties");
  for (const auto& [name, member] : value.items()) {
    if (!properties.contains(name)) return at + "/" + name + " is not documented";
    auto fault = Fault(member, properties.at(name), at + "/" + name);
    if (!fault.empty()) return fault;
  }
  return "";
}

}  // namespace coffer::testing
