#include "vault/oversight/breach_document.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "audit/text/clock.h"
#include "vault/base/words.h"
#include "vault/oversight/breach_clocks.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::size_t kMostBreachText = 4000;
constexpr std::size_t kMostBreachName = 200;

constexpr std::string_view kBreachKinds[] = {"availability", "confidentiality", "integrity"};
constexpr std::string_view kTaken[] = {"answers", "backup", "disk", "keys"};
constexpr std::string_view kRegimes[] = {"gdpr", "pipl", "ru-152fz"};
constexpr std::string_view kWhom[] = {"authority", "other", "subjects"};
constexpr std::string_view kStages[] = {"findings", "notice"};

bool IsAmong(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

void PutTime(json& object, const char* name, const std::optional<Timestamp>& time) {
  if (time) object[name] = audit::FormatTimestamp(*time);
}
void PutWords(json& object, const char* name, const std::string& text) {
  if (!text.empty()) object[name] = text;
}
void PutList(json& object, const char* name, const std::vector<std::string>& list) {
  if (!list.empty()) object[name] = list;
}

// Of a document that was written by the above: another shape is damage.
Status TakeTime(const json& object, const char* name, std::optional<Timestamp>& time) {
  const auto found = object.find(name);
  if (found == object.end()) return {};
  time.reset();
  if (found->is_string()) {
    if (const auto parsed = audit::ParseTimestamp(found->get<std::string>())) time = *parsed;
  }
  if (time) return {};
  return Fail(Code::kCorrupted, "storage_corrupted", "a time of a breach");
}
Status TakeWords(const json& object, const char* name, std::string& text) {
  const auto found = object.find(name);
  if (found == object.end()) return {};
  if (!found->is_string()) return Fail(Code::kCorrupted, "storage_corrupted", "words of a breach");
  text = found->get<std::string>();
  return {};
}
Status TakeList(const json& object, const char* name, std::vector<std::string>& list) {
  const auto found = object.find(name);
  if (found == object.end()) return {};
  std::vector<std::string> taken;
  for (const json& item : *found) {
    if (!item.is_string()) return Fail(Code::kCorrupted, "storage_corrupted", "a list of a breach");
    taken.push_back(item.get<std::string>());
  }
  list = std::move(taken);
  return {};
}

Status TakeFacts(const json& object, BreachFacts& facts) {
  COFFER_TRY(TakeTime(object, "aware", facts.aware));
  COFFER_TRY(TakeTime(object, "occurred_from", facts.occurred_from));
  COFFER_TRY(TakeTime(object, "occurred_to", facts.occurred_to));
  COFFER_TRY(TakeList(object, "kinds", facts.kinds));
  COFFER_TRY(TakeList(object, "taken", facts.taken));
  COFFER_TRY(TakeList(object, "regimes", facts.regimes));
  COFFER_TRY(TakeWords(object, "facts", facts.facts));
  COFFER_TRY(TakeWords(object, "effects", facts.effects));
  return TakeWords(object, "measures", facts.measures);
}

Status TakeNotice(const json& object, Breach& breach) {
  BreachNotice notice;
  std::optional<Timestamp> at;
  COFFER_TRY(TakeWords(object, "whom", notice.whom));
  COFFER_TRY(TakeWords(object, "regime", notice.regime));
  COFFER_TRY(TakeWords(object, "stage", notice.stage));
  COFFER_TRY(TakeWords(object, "name", notice.name));
  COFFER_TRY(TakeWords(object, "reference", notice.reference));
  COFFER_TRY(TakeWords(object, "delay", notice.delay));
  COFFER_TRY(TakeTime(object, "at", at));
  if (!at) return Fail(Code::kCorrupted, "storage_corrupted", "a notice of a breach");
  notice.at = *at;
  breach.notices.push_back(std::move(notice));
  return {};
}

void CheckWords(std::vector<Issue>& issues, const char* pointer, const std::string& text,
                bool needed, std::size_t most, TextForm form) {
  if (text.empty() && !needed) return;
  if (!IsWords(text, most, form)) issues.push_back({pointer, WordsRule(most, form)});
}

void CheckList(std::vector<Issue>& issues, const std::string& pointer,
               const std::vector<std::string>& list, std::span<const std::string_view> known) {
  std::vector<std::string_view> seen;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string at = pointer + "/" + std::to_string(i);
    if (!IsAmong(known, list[i])) {
      std::string message = "must be one of";
      for (const std::string_view word : known) (message += ' ') += word;
      issues.push_back({at, std::move(message)});
    } else if (std::ranges::find(seen, list[i]) != seen.end()) {
      issues.push_back({at, "is there twice"});
    }
    seen.push_back(list[i]);
  }
}

}  // namespace

std::string DocumentOf(const BreachFacts& facts) {
  json object = json::object();
  PutTime(object, "aware", facts.aware);
  PutTime(object, "occurred_from", facts.occurred_from);
  PutTime(object, "occurred_to", facts.occurred_to);
  PutList(object, "kinds", facts.kinds);
  PutList(object, "taken", facts.taken);
  PutList(object, "regimes", facts.regimes);
  PutWords(object, "facts", facts.facts);
  PutWords(object, "effects", facts.effects);
  PutWords(object, "measures", facts.measures);
  return object.dump();
}

std::string DocumentOf(const BreachNotice& notice) {
  json object = {{"whom", notice.whom}, {"at", audit::FormatTimestamp(notice.at)}};
  PutWords(object, "regime", notice.regime);
  PutWords(object, "stage", notice.stage);
  PutWords(object, "name", notice.name);
  PutWords(object, "reference", notice.reference);
  PutWords(object, "delay", notice.delay);
  return object.dump();
}

std::string DocumentOf(const BreachClosing& closing) {
  json object = {{"conclusion", closing.conclusion}};
  PutWords(object, "not_notified", closing.not_notified);
  return object.dump();
}

std::string DocumentOf(const BreachScope& scope) {
  json criteria = json::object();
  PutWords(criteria, "token", scope.criteria.token);
  PutWords(criteria, "principal", scope.criteria.principal);
  PutWords(criteria, "address", scope.criteria.address);
  PutTime(criteria, "from", scope.criteria.from);
  PutTime(criteria, "to", scope.criteria.to);
  json jurisdictions = json::array();
  for (const ScopeCount& one : scope.jurisdictions) {
    jurisdictions.push_back({{"jurisdiction", one.name}, {"clients", one.count}});
  }
  json object = {{"criteria", std::move(criteria)},
                 {"size", scope.size},
                 {"searched", scope.searched},
                 {"matched", scope.matched},
                 {"denied", scope.denied},
                 {"entries", scope.entries},
                 {"possible", scope.possible},
                 {"without_address", scope.without_address},
                 {"unreadable", scope.unreadable},
                 {"exact", scope.exact()},
                 {"clients", scope.clients},
                 {"disclosed", scope.disclosed},
                 {"changed", scope.changed},
                 {"erased", scope.erased},
                 {"without_jurisdiction", scope.without_jurisdiction},
                 {"jurisdictions", std::move(jurisdictions)}};
  PutTime(object, "first", scope.first);
  PutTime(object, "last", scope.last);
  return object.dump();
}

Status Conclude(Breach& breach, Timestamp now) {
  breach.now = now;
  for (const BreachEvent& event : breach.history) {
    const json object = json::parse(event.document, nullptr, false);
    if (!object.is_object()) {
      return Fail(Code::kCorrupted, "storage_corrupted", "what was said of a breach");
    }
    switch (event.step) {
      case BreachStep::kOpened:
      case BreachStep::kNoted:
        COFFER_TRY(TakeFacts(object, breach.known));
        break;
      case BreachStep::kScoped:
        break;
      case BreachStep::kNotified:
        COFFER_TRY(TakeNotice(object, breach));
        break;
      case BreachStep::kClosed:
        breach.closed = event.at;
        break;
    }
  }
  if (!breach.known.aware) return Fail(Code::kCorrupted, "storage_corrupted", "a breach's clock");
  return {};
}

std::vector<Issue> FaultsOf(const BreachFacts& facts, bool opening) {
  std::vector<Issue> issues;
  if (opening) {
    if (!facts.aware) issues.push_back({"/aware", "is required: from when the clocks run"});
    if (facts.kinds.empty()) issues.push_back({"/kinds", "is required"});
    if (facts.regimes.empty()) issues.push_back({"/regimes", "is required: whose clocks run"});
  } else if (DocumentOf(facts) == "{}") {
    issues.push_back({"", "must say something"});
  }
  CheckList(issues, "/kinds", facts.kinds, kBreachKinds);
  CheckList(issues, "/taken", facts.taken, kTaken);
  CheckList(issues, "/regimes", facts.regimes, kRegimes);
  CheckWords(issues, "/facts", facts.facts, opening, kMostBreachText, TextForm::kLines);
  CheckWords(issues, "/effects", facts.effects, false, kMostBreachText, TextForm::kLines);
  CheckWords(issues, "/measures", facts.measures, false, kMostBreachText, TextForm::kLines);
  return issues;
}

std::vector<Issue> FaultsOf(const BreachNotice& notice) {
  std::vector<Issue> issues;
  const bool authority = notice.whom == "authority";
  if (!IsAmong(kWhom, notice.whom)) {
    issues.push_back({"/whom", "must be authority, subjects or other"});
  }
  if (authority && !IsAmong(kRegimes, notice.regime)) {
    issues.push_back({"/regime", "must be one of gdpr pipl ru-152fz"});
  }
  if (!authority && !notice.regime.empty()) issues.push_back({"/regime", "is of an authority"});
  const bool staged = authority && notice.regime == "ru-152fz";
  if (staged && !IsAmong(kStages, notice.stage)) {
    issues.push_back({"/stage", "must be notice (in 24 hours) or findings (in 72 hours)"});
  }
  if (!staged && !notice.stage.empty()) issues.push_back({"/stage", "is of ru-152fz"});
  CheckWords(issues, "/name", notice.name, true, kMostBreachName, TextForm::kOneLine);
  CheckWords(issues, "/reference", notice.reference, false, kMostBreachName, TextForm::kOneLine);
  CheckWords(issues, "/delay", notice.delay, false, kMostBreachText, TextForm::kLines);
  return issues;
}

std::vector<Issue> FaultsOf(const BreachClosing& closing) {
  std::vector<Issue> issues;
  CheckWords(issues, "/conclusion", closing.conclusion, true, kMostBreachText, TextForm::kLines);
  CheckWords(issues, "/not_notified", closing.not_notified, false, kMostBreachText,
             TextForm::kLines);
  return issues;
}

}  // namespace coffer::vault
