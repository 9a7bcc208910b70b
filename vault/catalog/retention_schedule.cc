#include "vault/catalog/retention_schedule.h"

#include <algorithm>
#include <bitset>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "vault/base/names.h"
#include "vault/base/strict_json.h"
#include "vault/base/words.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::string_view kJurisdictionTag = "jurisdiction:";
constexpr const char* kClientPolicies = "clients_without_records";
constexpr std::size_t kMaxReasonBytes = 500;
constexpr std::size_t kMaxScheduleIssues = 50;
constexpr const char* kNoPolicy = "The schedule does not name the class.";

constexpr std::pair<std::string_view, RetentionTrigger> kRetentionTriggers[] = {
    {"creation", RetentionTrigger::kCreation},
    {"last_activity", RetentionTrigger::kLastActivity},
    {"relationship_end", RetentionTrigger::kRelationshipEnd},
    {"date_field", RetentionTrigger::kDateField}};
constexpr std::pair<std::string_view, RetentionAction> kRetentionActions[] = {
    {"erase", RetentionAction::kErase},
    {"restrict", RetentionAction::kRestrict},
    {"review", RetentionAction::kReview}};

template <class E, std::size_t N>
std::string_view NameInTable(const std::pair<std::string_view, E> (&table)[N], E value) {
  for (const auto& [name, known] : table) {
    if (known == value) return name;
  }
  return "";
}

bool IsPolicyName(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

// "de", "us-ca": a country of ISO 3166-1 or a part of one of ISO 3166-2, in small letters.
bool IsJurisdiction(std::string_view text) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  if (text.size() < 2 || !is_letter(text[0]) || !is_letter(text[1])) return false;
  if (text.size() == 2) return true;
  return text[2] == '-' && text.size() >= 4 && text.size() <= 6 &&
         std::ranges::all_of(text.substr(3),
                             [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

bool IsPlainTag(std::string_view text) {
  return IsTag(text) && !text.starts_with(kJurisdictionTag);
}

bool IsReason(const json& value) {
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  return !text.empty() && text.size() <= kMaxReasonBytes && std::ranges::none_of(text, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

int RankOf(const RetentionPolicy& policy) {
  return (policy.tag.empty() ? 0 : 2) + (policy.jurisdiction.empty() ? 0 : 1);
}

}  // namespace

// Reads a schedule, collecting every fault instead of stopping at the first.
class ScheduleReader {
 public:
  // `stored`: it was checked when it was put in force.
  ScheduleReader(std::span<const std::shared_ptr<const ClassSchema>> classes, bool stored)
      : stored_(stored) {
    for (const auto& schema : classes) classes_[schema->name] = schema.get();
  }

  Result<RetentionSchedule> Read(const json& root) {
    if (!root.is_object()) {
      Fault("", "must be an object");
    } else {
      for (const auto& [name, value] : root.items()) {
        if (name != "time_zone" && name != "calendar" && name != "jurisdiction_order" &&
            name != "tag_order" && name != "policies" && name != kClientPolicies) {
          Fault(PointerTo("", name), "is not a known member");
        }
      }
      COFFER_TRY(ReadTimeZone(root));
      ReadCalendar(root);
      jurisdiction_order_ = Order(root, "jurisdiction_order", IsJurisdiction,
                                  "must be a jurisdiction, like de or us-ca");
      tag_order_ =
          Order(root, "tag_order", IsPlainTag, "must be a tag, and none of a jurisdiction");
      ReadPolicies(root);
    }
    if (issues_.empty()) CheckTogether();
    if (!issues_.empty()) {
      return std::unexpected(
          Error{Code::kUnprocessable, "retention_invalid", {}, std::move(issues_)});
    }
    Prepare();
    schedule_.definition_ = root.dump();
    return std::move(schedule_);
  }

 private:
  void Fault(std::string pointer, std::string message) {
    if (issues_.size() < kMaxScheduleIssues)
      issues_.push_back({std::move(pointer), std::move(message)});
  }

  Status ReadTimeZone(const json& root) {
    const auto found = root.find("time_zone");
    if (found != root.end() && found->is_string()) {
      schedule_.time_zone_ = found->get<std::string>();
      auto zone = ZoneDays::Open(schedule_.time_zone_);
      if (zone) {
        schedule_.zone_ = *std::move(zone);
        return {};
      }
      if (stored_) {
        schedule_.zone_is_known_ = false;
        return {};
      }
      if (zone.error().code != Code::kUnprocessable) {
        return std::unexpected(std::move(zone).error());
      }
    }
    Fault("/time_zone", "must be a time zone of the IANA database, like Europe/Berlin");
    return {};
  }

  void ReadCalendar(const json& root) {
    const auto found = root.find("calendar");
    if (found == root.end()) return;
    schedule_.calendar_ = WorkCalendar::Parse(*found, "/calendar", issues_);
  }

  // Where each stands in the list.
  std::map<std::string, std::size_t> Order(const json& root, const char* name,
                                           bool (*fits)(std::string_view),
                                           std::string_view message) {
    std::map<std::string, std::size_t> order;
    const auto found = root.find(name);
    if (found == root.end()) return order;
    const std::string at = std::string("/") + name;
    if (!found->is_array() || found->size() > kMaxPolicies) {
      Fault(at, "must be a list of at most 1000 texts");
      return order;
    }
    for (std::size_t i = 0; i < found->size(); ++i) {
      const json& item = (*found)[i];
      if (!item.is_string() || !fits(item.get_ref<const std::string&>())) {
        Fault(at + "/" + std::to_string(i), std::string(message));
      } else if (!order.emplace(item.get<std::string>(), i).second) {
        Fault(at + "/" + std::to_string(i), "is in the list twice");
      }
    }
    return order;
  }

  void ReadPolicies(const json& root) {
    if (!root.contains("policies")) {
      Fault("/policies", "must be a list of 1 to 1000 policies");
    } else {
      ReadList(root["policies"], "/policies", kMaxPolicies, false);
    }
    if (root.contains(kClientPolicies)) {
      ReadList(root[kClientPolicies], std::string("/") + kClientPolicies, kMaxClientPolicies, true);
    }
  }

  void ReadList(const json& list, const std::string& pointer, std::size_t most, bool of_clients) {
    if (!list.is_array() || list.empty() || list.size() > most) {
      Fault(pointer, "must be a list of 1 to " + std::to_string(most) + " policies");
      return;
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string at = pointer + "/" + std::to_string(i);
      RetentionPolicy policy = ReadPolicy(list[i], at, of_clients);
      if (!policy.name.empty() && !names_.insert(policy.name).second) {
        Fault(at + "/name", "is the name of another policy");
      }
      schedule_.policies_.push_back(std::move(policy));
      pointers_.push_back(at);
    }
  }

  // Of clients without records: the trigger and the action go without saying.
  RetentionPolicy ReadPolicy(const json& object, const std::string& at, bool of_clients) {
    RetentionPolicy policy;
    if (of_clients) {
      policy.class_name = audit::kClientItself;
      policy.trigger = RetentionTrigger::kRelationshipEnd;
      policy.action = RetentionAction::kErase;
    }
    if (!object.is_object()) {
      Fault(at, "must be an object");
      return policy;
    }
    const auto goes_without = [&](std::string_view name) {
      return of_clients && (name == "class" || name == "trigger" || name == "action");
    };
    for (const auto& [name, value] : object.items()) {
      if (goes_without(name)) {
        Fault(at + "/" + name, "is not for clients without records");
      } else if (name == "name") {
        policy.name = Text(value, IsPolicyName, at, name, "must be 1 to 64 of a-z, 0-9 and '-'");
      } else if (name == "class") {
        const auto is_class = [](std::string_view text) { return IsName(text, '-'); };
        policy.class_name = Text(value, is_class, at, name, "must be the name of a class");
        if (!stored_ && !policy.class_name.empty() && !classes_.contains(policy.class_name)) {
          Fault(at + "/class", "is no class of this vault");
        }
      } else if (name == "jurisdiction") {
        policy.jurisdiction =
            Text(value, IsJurisdiction, at, name, "must be a jurisdiction, like de or us-ca");
      } else if (name == "tag") {
        policy.tag = Text(value, IsPlainTag, at, name, "must be a tag, and none of a jurisdiction");
      } else if (name == "keep" || name == "basis") {
        if (IsReason(value) && (stored_ || !audit::IsBlank(value.get_ref<const std::string&>()))) {
          (name == "keep" ? policy.keep : policy.basis) = value.get<std::string>();
        } else {
          Fault(at + "/" + name, "must be one line of 1 to 500 bytes");
        }
      } else if (name == "trigger") {
        ReadTrigger(value, at, policy);
      } else if (name == "period") {
        ReadPeriod(value, at, policy);
      } else if (name == "action") {
        ReadAction(value, at, policy);
      } else {
        Fault(PointerTo(at, name), "is not a known member");
      }
    }
    for (const char* name : {"name", "class"}) {
      if (!object.contains(name) && !goes_without(name)) Fault(at + "/" + name, "is required");
    }
    for (const char* name : {"trigger", "period", "action", "basis"}) {
      if (goes_without(name)) continue;
      if (object.contains("keep")) {
        if (object.contains(name)) Fault(at + "/" + name, "contradicts \"keep\"");
      } else if (!object.contains(name)) {
        Fault(at + "/" + name, "is required, unless the policy says \"keep\"");
      }
    }
    return policy;
  }

  std::string Text(const json& value, bool (*fits)(std::string_view), const std::string& at,
                   const std::string& name, std::string message) {
    if (value.is_string() && fits(value.get_ref<const std::string&>())) {
      return value.get<std::string>();
    }
    Fault(at + "/" + name, std::move(message));
    return {};
  }

  void ReadTrigger(const json& value, const std::string& at, RetentionPolicy& policy) {
    for (const auto& [name, trigger] : kRetentionTriggers) {
      if (value != name) continue;
      policy.trigger = trigger;
      return;
    }
    Fault(at + "/trigger", "must be one of creation, last_activity, relationship_end, date_field");
  }

  void ReadPeriod(const json& value, const std::string& at, RetentionPolicy& policy) {
    const auto period =
        value.is_string() ? ParsePeriod(value.get_ref<const std::string&>()) : std::nullopt;
    if (!period) {
      Fault(at + "/period", "must be a period like P3Y, P6M, P30D, P7WD or P1Y6M");
    } else if (period->working_days != 0 && !schedule_.calendar_) {
      Fault(at + "/period", "counts working days, and the schedule has no calendar");
    } else {
      policy.period = *period;
    }
  }

  void ReadAction(const json& value, const std::string& at, RetentionPolicy& policy) {
    for (const auto& [name, action] : kRetentionActions) {
      if (value != name) continue;
      policy.action = action;
      return;
    }
    Fault(at + "/action", "must be one of erase, restrict, review");
  }

  // What can be said when each policy by itself is right.
  void CheckTogether() {
    std::map<std::string_view, std::vector<std::size_t>> by_class;
    for (std::size_t i = 0; i < schedule_.policies_.size(); ++i) {
      const RetentionPolicy& policy = schedule_.policies_[i];
      by_class[policy.class_name].push_back(i);
      if (!stored_ && !policy.keeps() && policy.trigger == RetentionTrigger::kDateField &&
          classes_.find(policy.class_name)->second->retention_date.empty()) {
        Fault(pointers_[i] + "/trigger", "the class has no retention_date");
      }
    }
    for (const auto& [name, schema] : classes_) {
      const bool has_general = std::ranges::any_of(
          by_class[name], [&](std::size_t i) { return RankOf(schedule_.policies_[i]) == 0; });
      if (!stored_ && !has_general && schema->keep.empty()) {
        Fault("/policies", "the class " + name +
                               " has no policy without tag and jurisdiction, and does not say "
                               "\"keep\" itself");
      }
    }
    for (const auto& [name, policies] : by_class) {
      for (std::size_t i = 0; i < policies.size() && issues_.size() < kMaxScheduleIssues; ++i) {
        for (std::size_t j = 0; j < i; ++j) CheckPair(policies[j], policies[i]);
      }
    }
  }

  void CheckPair(std::size_t earlier, std::size_t later) {
    const RetentionPolicy& one = schedule_.policies_[earlier];
    const RetentionPolicy& other = schedule_.policies_[later];
    if (RankOf(one) != RankOf(other)) return;
    const auto fault = [&](std::string_view what) {
      Fault(pointers_[later],
            "the policies " + one.name + " and " + other.name + std::string(what));
    };
    const auto has_order = [](const auto& order, const std::string& a, const std::string& b) {
      return order.contains(a) && order.contains(b);
    };
    if (one.jurisdiction != other.jurisdiction) {
      if (!has_order(jurisdiction_order_, one.jurisdiction, other.jurisdiction)) {
        fault(
            " are equally specific for a client of both jurisdictions: name them in "
            "jurisdiction_order, the one that goes first first");
      }
    } else if (one.tag != other.tag) {
      if (!has_order(tag_order_, one.tag, other.tag)) {
        fault(
            " are equally specific for a client with both tags: name them in "
            "tag_order, the one that goes first first");
      }
    } else {
      fault(" are for the same clients");
    }
  }

  void Prepare() {
    auto& policies = schedule_.policies_;
    schedule_.named_ = policies.size();
    for (std::size_t i = 0; i < schedule_.named_; ++i) {
      const RetentionPolicy& policy = policies[i];
      const std::string jurisdiction = std::string(kJurisdictionTag) + policy.jurisdiction;
      schedule_.choices_[policy.class_name].push_back(
          {policy.jurisdiction.empty() ? -1 : NumberOf(jurisdiction),
           policy.tag.empty() ? -1 : NumberOf(policy.tag), i});
    }
    for (auto& [name, choices] : schedule_.choices_) {
      std::ranges::sort(choices, {}, [this](const RetentionSchedule::Choice& choice) {
        const RetentionPolicy& policy = schedule_.policies_[choice.policy];
        return std::tuple(-RankOf(policy), PlaceOf(jurisdiction_order_, policy.jurisdiction),
                          PlaceOf(tag_order_, policy.tag));
      });
    }
    for (const auto& [name, schema] : classes_) {
      auto& choices = schedule_.choices_[name];
      if (!choices.empty() && RankOf(policies[choices.back().policy]) == 0) continue;
      choices.push_back({-1, -1, policies.size()});
      RetentionPolicy kept;
      kept.class_name = name;
      kept.keep = schema->keep.empty() ? kNoPolicy : schema->keep;
      policies.push_back(std::move(kept));
    }
    if (const auto found = schedule_.choices_.find(audit::kClientItself);
        found != schedule_.choices_.end() && RankOf(policies[found->second.back().policy]) != 0) {
      found->second.push_back({-1, -1, policies.size()});
      RetentionPolicy kept;
      kept.class_name = audit::kClientItself;
      kept.keep = "The schedule has no policy for such a client without records.";
      policies.push_back(std::move(kept));
    }
    RetentionPolicy unknown;
    unknown.keep = kNoPolicy;
    policies.push_back(std::move(unknown));
  }

  int NumberOf(const std::string& tag) {
    return schedule_.tags_.emplace(tag, static_cast<int>(schedule_.tags_.size())).first->second;
  }

  static std::size_t PlaceOf(const std::map<std::string, std::size_t>& order,
                             const std::string& text) {
    const auto found = order.find(text);
    return found == order.end() ? order.size() : found->second;
  }

  bool stored_;
  std::map<std::string, const ClassSchema*> classes_;
  std::map<std::string, std::size_t> jurisdiction_order_;
  std::map<std::string, std::size_t> tag_order_;
  std::set<std::string> names_;        // of policies
  std::vector<std::string> pointers_;  // to each policy of schedule_
  std::vector<Issue> issues_;
  RetentionSchedule schedule_;
};

std::string_view NameOf(RetentionTrigger trigger) {
  return NameInTable(kRetentionTriggers, trigger);
}
std::string_view NameOf(RetentionAction action) { return NameInTable(kRetentionActions, action); }

std::span<const RetentionPolicy> RetentionSchedule::policies() const {
  return std::span(policies_).first(named_);
}

const RetentionPolicy* RetentionSchedule::Find(std::string_view name) const {
  const auto found = std::ranges::find(policies(), name, &RetentionPolicy::name);
  return found == policies().end() ? nullptr : &*found;
}

template <class ForEachTag>
const RetentionPolicy& RetentionSchedule::Choose(std::string_view class_name,
                                                 ForEachTag&& for_each_tag) const {
  const auto found = choices_.find(class_name);
  if (found == choices_.end()) return policies_.back();
  const auto& choices = found->second;
  if (choices.size() == 1) return policies_[choices.front().policy];
  std::bitset<2 * (kMaxPolicies + kMaxClientPolicies)> has;
  for_each_tag([&](std::string_view tag) {
    if (const auto number = tags_.find(tag); number != tags_.end()) {
      has.set(static_cast<std::size_t>(number->second));
    }
  });
  const auto matches = [&has](int tag) { return tag < 0 || has[static_cast<std::size_t>(tag)]; };
  for (const Choice& choice : choices) {
    if (matches(choice.jurisdiction) && matches(choice.tag)) return policies_[choice.policy];
  }
  return policies_.back();
}

const RetentionPolicy& RetentionSchedule::PolicyFor(
    std::string_view class_name, std::span<const std::string> client_tags) const {
  return Choose(class_name, [&](auto&& take) {
    for (const auto& tag : client_tags) take(tag);
  });
}

const RetentionPolicy& RetentionSchedule::PolicyFor(std::string_view class_name,
                                                    std::string_view client_tags) const {
  return Choose(class_name, [&](auto&& take) {
    while (!client_tags.empty()) {
      const auto space = client_tags.find(' ');
      take(client_tags.substr(0, space));
      client_tags.remove_prefix(space == client_tags.npos ? client_tags.size() : space + 1);
    }
  });
}

RetentionDue RetentionSchedule::DueAt(const RetentionPolicy& policy,
                                      const RetentionEvents& events) const {
  using State = RetentionDue::State;
  if (policy.keeps()) return {State::kKept, {}};
  if (!zone_is_known_) return {State::kUnknown, {}};
  std::optional<Day> event;
  switch (policy.trigger) {
    case RetentionTrigger::kCreation:
      event = zone_.DayOf(events.created);
      break;
    case RetentionTrigger::kLastActivity:
      event = zone_.DayOf(events.updated);
      break;
    case RetentionTrigger::kRelationshipEnd:
      event = events.relationship_end;
      break;
    case RetentionTrigger::kDateField:
      event = events.date_field;
      break;
  }
  if (!event) return {State::kNotBegun, {}};
  const auto last = LastDayOf(std::clamp(*event, kFirstDay - 1, kLastDay + 1), policy.period,
                              calendar_ ? &*calendar_ : nullptr);
  if (!last) return {State::kUnknown, {}};
  return {State::kAt, zone_.StartOf(*last + 1)};
}

// Later events have no earlier last days, so that the latest that is due can be looked for by
// halves.
std::optional<RetentionCutOff> RetentionSchedule::CutOff(const RetentionPolicy& policy,
                                                         audit::Timestamp now) const {
  if (policy.keeps() || !zone_is_known_) return std::nullopt;
  const Day today = zone_.DayOf(now);
  const auto is_over = [&](Day event) {
    const auto last = LastDayOf(event, policy.period, calendar_ ? &*calendar_ : nullptr);
    return last && *last < today;
  };
  Day due = kFirstDay - 1, not_due = today;
  if (!is_over(due)) return std::nullopt;
  while (not_due - due > 1) {
    const Day middle = due + (not_due - due) / 2;
    (is_over(middle) ? due : not_due) = middle;
  }
  return RetentionCutOff{due, zone_.StartOf(due + 1)};
}

bool RetentionSchedule::IsDue(const RetentionPolicy& policy, const RetentionCutOff& cut_off,
                              const RetentionEvents& events) {
  if (policy.keeps()) return false;
  switch (policy.trigger) {
    case RetentionTrigger::kCreation:
      return events.created < cut_off.before;
    case RetentionTrigger::kLastActivity:
      return events.updated < cut_off.before;
    case RetentionTrigger::kRelationshipEnd:
      return events.relationship_end && *events.relationship_end <= cut_off.day;
    case RetentionTrigger::kDateField:
      return events.date_field && *events.date_field <= cut_off.day;
  }
  return false;
}

bool RetentionSchedule::CalendarReaches(const RetentionPolicy& policy, audit::Timestamp now) const {
  return policy.period.working_days == 0 || !calendar_ ||
         zone_.DayOf(now) - 1 <= calendar_->last_day();
}

std::vector<Issue> RetentionSchedule::IssuesOfClass(const ClassSchema& schema) const {
  std::vector<Issue> issues;
  const auto of_class = [&](const RetentionPolicy& policy) {
    return policy.class_name == schema.name;
  };
  if (schema.keep.empty() && std::ranges::none_of(policies(), [&](const RetentionPolicy& policy) {
        return of_class(policy) && RankOf(policy) == 0;
      })) {
    issues.push_back({"/keep",
                      "is required while the retention schedule has no policy for all records of "
                      "the class"});
  }
  if (schema.retention_date.empty()) {
    for (const auto& policy : policies()) {
      if (!of_class(policy) || policy.keeps() || policy.trigger != RetentionTrigger::kDateField) {
        continue;
      }
      issues.push_back(
          {"/retention_date", "is required by the policy " + policy.name + " of the schedule"});
      break;
    }
  }
  return issues;
}

Result<RetentionSchedule> ParseSchedule(
    std::string_view text, std::span<const std::shared_ptr<const ClassSchema>> classes) {
  if (text.size() > kMaxScheduleBytes) return Fail(Code::kTooLarge, "document_too_large");
  COFFER_ASSIGN(const json root, ParseStrictJson(text));
  return ScheduleReader(classes, false).Read(root);
}

Result<RetentionSchedule> ReadStoredSchedule(
    std::string_view text, std::span<const std::shared_ptr<const ClassSchema>> classes) {
  COFFER_ASSIGN(const json root, ParseStrictJson(text));
  return ScheduleReader(classes, true).Read(root);
}

}  // namespace coffer::vault
