#include "vault/rights/regime.h"

#include <algorithm>
#include <bitset>
#include <nlohmann/json.hpp>

#include "vault/base/names.h"
#include "vault/base/strict_json.h"
#include "vault/base/words.h"
#include "vault/rights/built_in_regimes.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, kRequestKinds> kKindNames{
    "access",    "portability",        "rectification",   "erasure",   "restriction",
    "objection", "consent_withdrawal", "stop_processing", "complaint", "question"};
constexpr std::string_view kKindsInWords =
    "must be of access, portability, rectification, erasure, restriction, objection, "
    "consent_withdrawal, stop_processing, complaint, question";
constexpr std::size_t kMaxRegimeText = 500;
constexpr std::size_t kMaxArticle = 120;
constexpr std::size_t kMaxRefusals = 100;

// Longer ones are mistakes, and what is counted of them stays in the calendar.
bool IsAnswerable(const Period& period) {
  return period.years <= 10 && period.months <= 120 && period.days <= 3660 &&
         period.working_days <= 2500;
}

class RegimeReader {
 public:
  RegimeReader(std::string_view name, bool stored) : stored_(stored) { regime_.name = name; }

  Result<Regime> Read(std::string_view text) {
    if (text.size() > kMaxRegimeBytes) return Fail(Code::kTooLarge, "document_too_large");
    COFFER_ASSIGN(const json root, ParseStrictJson(text));
    if (!IsName(regime_.name, '-')) {
      Fault("", "the name must be 1 to 64 of a-z, 0-9 and '-', beginning with a letter");
    }
    if (!root.is_object()) {
      Fault("", "must be an object");
      return Invalid();
    }
    for (const auto& [member, value] : root.items()) COFFER_TRY(Member(member, value));
    if (regime_.title.empty()) Fault("/title", "is required");
    if (!root.contains("clocks")) Fault("/clocks", "is required");
    if (!root.contains("keep")) Fault("/keep", "is required");
    if (regime_.put_off && !regime_.calendar) {
      Fault("/put_off", "needs a calendar that says which days are working days");
    }
    for (Issue& issue : FaultsOfTexts(text)) issues_.push_back(std::move(issue));
    if (!issues_.empty()) return Invalid();
    regime_.definition = root.dump();
    return std::move(regime_);
  }

 private:
  void Fault(std::string pointer, std::string_view message) {
    if (issues_.size() < 50) issues_.push_back({std::move(pointer), std::string(message)});
  }
  std::unexpected<Error> Invalid() {
    return std::unexpected(Error{Code::kUnprocessable, "regime_invalid", {}, std::move(issues_)});
  }

  Status Member(const std::string& member, const json& value) {
    const std::string at = PointerTo("", member);
    if (member == "title") {
      regime_.title = Line(value, at, kMaxRegimeText);
    } else if (member == "source") {
      regime_.source = Line(value, at, kMaxRegimeText);
    } else if (member == "time_zone") {
      return Zone(value, at);
    } else if (member == "calendar") {
      const std::size_t faults = issues_.size();
      regime_.calendar = WorkCalendar::Parse(value, at, issues_);
      if (issues_.size() == faults) {
        const std::chrono::year first{value.at("first_year").get<int>()};
        regime_.calendar_begins = DayFromDate(first / 1 / 1);
      }
    } else if (member == "put_off") {
      if (!value.is_boolean()) Fault(at, "must be true or false");
      regime_.put_off = value == true;
    } else if (member == "identity") {
      Identity(value, at);
    } else if (member == "clocks") {
      Clocks(value, at);
    } else if (member == "refusals") {
      Refusals(value, at);
    } else if (member == "keep") {
      if (const auto keep = Length(value, at)) regime_.keep = *keep;
    } else if (member != "name" || value != regime_.name) {
      Fault(at, "is not a known member");
    }
    return {};
  }

  std::string Line(const json& value, const std::string& at, std::size_t most) {
    if (value.is_string() && IsWords(value.get_ref<const std::string&>(), most)) {
      return value.get<std::string>();
    }
    Fault(at, WordsRule(most));
    return {};
  }

  Status Zone(const json& value, const std::string& at) {
    if (!value.is_string()) {
      Fault(at, "must be a name of the IANA time zone database");
      return {};
    }
    auto zone = ZoneDays::Open(value.get<std::string>());
    if (zone) {
      regime_.time_zone = value.get<std::string>();
      regime_.zone = *std::move(zone);
    } else if (stored_) {
      return {};
    } else if (zone.error().code != Code::kUnprocessable) {
      return std::unexpected(zone.error());
    } else {
      Fault(at, "must be a name of the IANA time zone database");
    }
    return {};
  }

  void Identity(const json& value, const std::string& at) {
    if (value == "runs") {
      regime_.identity = WhileIdentified::kRuns;
    } else if (value == "suspends") {
      regime_.identity = WhileIdentified::kSuspends;
    } else if (value == "restarts") {
      regime_.identity = WhileIdentified::kRestarts;
    } else {
      Fault(at, "must be one of runs, suspends, restarts");
    }
  }

  std::optional<Period> Length(const json& value, const std::string& at) {
    const auto period =
        value.is_string() ? ParsePeriod(value.get_ref<const std::string&>()) : std::nullopt;
    if (period && IsAnswerable(*period)) return period;
    Fault(at, "must be a period such as P1M, P30D or P10WD, of ten years at most");
    return std::nullopt;
  }

  void Clocks(const json& value, const std::string& at) {
    if (!value.is_array() || value.empty() || value.size() > kRequestKinds + 1) {
      Fault(at, "must be a list of 1 to 11 clocks");
      return;
    }
    std::bitset<kRequestKinds> named;
    bool all = false;
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string where = at + "/" + std::to_string(i);
      ClockTerms terms = Clock(value[i], where);
      if (terms.kinds.empty() && all) Fault(where, "there is another clock without kinds");
      all = all || terms.kinds.empty();
      for (const RequestKind kind : terms.kinds) {
        auto was = named[static_cast<std::size_t>(kind)];
        if (was) Fault(where + "/kinds", "names a kind that has a clock already");
        was = true;
      }
      regime_.clocks.push_back(std::move(terms));
    }
  }

  ClockTerms Clock(const json& value, const std::string& at) {
    ClockTerms terms;
    if (!value.is_object()) {
      Fault(at, "must be an object");
      return terms;
    }
    if (!value.contains("answer")) Fault(at + "/answer", "is required");
    for (const auto& [member, item] : value.items()) {
      const std::string where = PointerTo(at, member);
      if (member == "kinds") {
        terms.kinds = Kinds(item, where);
      } else if (member == "answer") {
        if (const auto period = Length(item, where)) terms.answer = *period;
      } else if (member == "extension") {
        terms.extension = Length(item, where);
      } else if (member == "acknowledge") {
        terms.acknowledge = Length(item, where);
      } else if (member == "article") {
        terms.article = Line(item, where, kMaxArticle);
      } else {
        Fault(where, "is not a known member");
      }
    }
    return terms;
  }

  std::vector<RequestKind> Kinds(const json& value, const std::string& at) {
    std::vector<RequestKind> kinds;
    const bool is_list = value.is_array() && !value.empty();
    for (std::size_t i = 0; is_list && i < value.size() && i < kRequestKinds; ++i) {
      const auto kind = value[i].is_string()
                            ? RequestKindFromName(value[i].get_ref<const std::string&>())
                            : std::nullopt;
      if (kind) kinds.push_back(*kind);
    }
    if (!is_list || kinds.size() != value.size()) Fault(at, kKindsInWords);
    return kinds;
  }

  void Refusals(const json& value, const std::string& at) {
    if (!value.is_array() || value.empty() || value.size() > kMaxRefusals) {
      Fault(at, "must be a list of 1 to 100 articles");
      return;
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      regime_.refusals.push_back(Line(value[i], at + "/" + std::to_string(i), kMaxArticle));
    }
  }

  Regime regime_;
  const bool stored_;
  std::vector<Issue> issues_;
};

}  // namespace

std::string_view NameOf(RequestKind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

std::optional<RequestKind> RequestKindFromName(std::string_view name) {
  const auto* const found = std::ranges::find(kKindNames, name);
  if (found == kKindNames.end()) return std::nullopt;
  return static_cast<RequestKind>(found - kKindNames.begin());
}

const ClockTerms* Regime::For(RequestKind kind) const {
  const ClockTerms* others = nullptr;
  for (const ClockTerms& terms : clocks) {
    if (std::ranges::find(terms.kinds, kind) != terms.kinds.end()) return &terms;
    if (terms.kinds.empty()) others = &terms;
  }
  return others;
}

bool Regime::MayRefuseBy(std::string_view article) const {
  return refusals.empty() || std::ranges::find(refusals, article) != refusals.end();
}

Result<Regime> ParseRegime(std::string_view name, std::string_view json) {
  return RegimeReader(name, false).Read(json);
}

Result<Regime> ReadStoredRegime(std::string_view name, std::string_view json) {
  return RegimeReader(name, true).Read(json);
}

std::vector<Regime> BuiltInRegimes() {
  std::vector<Regime> regimes;
  for (const auto& [name, json] : BuiltInRegimeTexts()) {
    auto regime = ReadStoredRegime(name, json);
    if (regime) regimes.push_back(*std::move(regime));  // tests read each of them
  }
  return regimes;
}

}  // namespace coffer::vault
