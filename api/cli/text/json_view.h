// Looking into a server's JSON without trusting its shape: what is absent or of another type reads
// as empty, so that a wrong answer shows as a gap and not as a crash.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/cli/text/console.h"

namespace coffer::cli {

// A scalar member as text (numbers and booleans too); objects and lists as compact JSON.
std::string Text(const nlohmann::json& object, std::string_view member);
std::string TextOf(const nlohmann::json& value);
std::optional<std::uint64_t> Number(const nlohmann::json& object, std::string_view member);
std::vector<std::string> TextList(const nlohmann::json& object, std::string_view member);
// The member, or a null value.
const nlohmann::json& Member(const nlohmann::json& value, std::string_view member);

// Of a server's list: whether it goes on behind these items, or is as long as lists without pages
// get. `more` says so in it, for programs; TellIfCut for people.
bool IsCut(const nlohmann::json& list);
void TellIfCut(Console& console, const nlohmann::json& list);

// Indented JSON. On a terminal what it might obey is escaped, so that no value can steer it.
void PrintJson(Console& console, const nlohmann::json& value);

}  // namespace coffer::cli
