#include "vault/oversight/processing_document.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "vault/base/calendar.h"
#include "vault/base/strict_json.h"
#include "vault/base/words.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::size_t kMostFaults = 50;
constexpr std::size_t kMaxProcessingText = 2000;
constexpr std::size_t kMaxProcessingItems = 500;

// Of which it can be said that there are none.
constexpr std::string_view kMayBeNone[] = {"data_protection_officer", "joint_controllers",
                                           "recipients", "representative", "transfers"};
constexpr std::string_view kMayBeNoneInWords =
    "must be of data_protection_officer, joint_controllers, recipients, representative, transfers";

bool IsCountryCode(std::string_view text) {
  return text.size() == 2 && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

class ProcessingReader {
 public:
  Result<std::string> Read(std::string_view text) {
    if (text.size() > kMaxProcessingDocument) return Fail(Code::kTooLarge, "document_too_large");
    COFFER_ASSIGN(const json root, ParseStrictJson(text));
    if (root.is_object()) {
      for (const auto& [member, value] : root.items()) ReadMember(member, value);
      Contradictions(root);
    } else {
      Fault("", "must be an object");
    }
    if (issues_.empty()) return root.dump();
    return std::unexpected(
        Error{Code::kUnprocessable, "processing_invalid", {}, std::move(issues_)});
  }

 private:
  void Fault(std::string pointer, std::string message) {
    if (issues_.size() < kMostFaults) issues_.push_back({std::move(pointer), std::move(message)});
  }

  void ReadMember(const std::string& member, const json& value) {
    const std::string at = PointerTo("", member);
    if (member == "controller" || member == "data_protection_officer" ||
        member == "representative") {
      Object(value, at, {"address", "contact"});
    } else if (member == "joint_controllers") {
      Named(value, at, {"address", "contact"});
    } else if (member == "data_subjects") {
      Named(value, at, {"description"});
    } else if (member == "recipients") {
      Named(value, at, {"country", "description"});
    } else if (member == "transfers") {
      Named(value, at, {"country", "safeguards"});
    } else if (member == "measures") {
      Measures(value, at);
    } else if (member == "begun") {
      if (!value.is_string() || !ParseDay(value.get_ref<const std::string&>())) {
        Fault(at, "must be a day, YYYY-MM-DD");
      }
    } else if (member == "database_location" || member == "impact_assessment") {
      Words(value, at);
    } else if (member == "none") {
      None(value, at);
    } else {
      Fault(at, "is not a known member");
    }
  }

  void Words(const json& value, const std::string& at) {
    if (!value.is_string() || !IsWords(value.get_ref<const std::string&>(), kMaxProcessingText)) {
      Fault(at, WordsRule(kMaxProcessingText));
    }
  }

  // With a name, and these.
  void Object(const json& value, const std::string& at,
              std::initializer_list<std::string_view> members) {
    if (!value.is_object()) return Fault(at, "must be an object");
    if (!value.contains("name")) Fault(at + "/name", "is required");
    for (const auto& [member, item] : value.items()) {
      const std::string where = PointerTo(at, member);
      if (member != "name" && std::ranges::find(members, member) == members.end()) {
        Fault(where, "is not a known member");
      } else if (member != "country") {
        Words(item, where);
      } else if (!item.is_string() || !IsCountryCode(item.get_ref<const std::string&>())) {
        Fault(where, "must be a country's code of two letters, such as \"DE\" (ISO 3166-1)");
      }
    }
  }

  void Named(const json& value, const std::string& at,
             std::initializer_list<std::string_view> members) {
    if (!value.is_array() || value.empty() || value.size() > kMaxProcessingItems) {
      return Fault(at, "must be a list of 1 to 500 objects");
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string where = at + "/" + std::to_string(i);
      Object(value[i], where, members);
      if (!value[i].is_object()) continue;
      const json& name = value[i].value("name", json());
      if (name.is_string() && !names.insert(name.get<std::string>()).second) {
        Fault(where + "/name", "is there already");
      }
    }
  }

  void Measures(const json& value, const std::string& at) {
    if (!value.is_array() || value.empty() || value.size() > kMaxProcessingItems) {
      return Fault(at, "must be a list of 1 to 500 texts");
    }
    for (std::size_t i = 0; i < value.size(); ++i) Words(value[i], at + "/" + std::to_string(i));
  }

  void None(const json& value, const std::string& at) {
    if (!value.is_object()) return Fault(at, "must be an object");
    for (const auto& [member, reason] : value.items()) {
      const std::string where = PointerTo(at, member);
      if (std::ranges::find(kMayBeNone, member) == std::end(kMayBeNone)) {
        Fault(where, std::string(kMayBeNoneInWords));
      } else {
        Words(reason, where);
      }
    }
  }

  // What is there cannot be none.
  void Contradictions(const json& root) {
    const auto none = root.find("none");
    if (none == root.end() || !none->is_object()) return;
    for (const auto& [member, reason] : none->items()) {
      const bool known = std::ranges::find(kMayBeNone, member) != std::end(kMayBeNone);
      if (known && root.contains(member))
        Fault(PointerTo("/none", member), "is there all the same");
    }
  }

  std::vector<Issue> issues_;
};

}  // namespace

Result<std::string> ParseProcessingDocument(std::string_view json) {
  return ProcessingReader().Read(json);
}

}  // namespace coffer::vault
