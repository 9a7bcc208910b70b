#include "vault/deletion/retention_plan.h"

#include <algorithm>
#include <chrono>
#include <tuple>

namespace coffer::vault {

RetentionPlan::RetentionPlan(const RetentionSchedule& schedule, audit::Timestamp now,
                             std::size_t months, std::size_t max_listed)
    : schedule_(schedule), now_(now), max_listed_(max_listed) {
  const std::chrono::year_month_day today{
      std::chrono::sys_days{std::chrono::days{schedule.zone().DayOf(now)}}};
  auto month = today.year() / today.month();
  for (std::size_t i = 0; i < std::min(months, kMaxMonths); ++i) {
    months_.push_back(FormatDay(DayFromDate(month / 1)).substr(0, 7));
    month += std::chrono::months{1};
    ends_.push_back(schedule.zone().StartOf(DayFromDate(month / 1)));
  }
}

RetentionForecast* RetentionPlan::Add(const PlannedRecord& record) {
  const auto& policy = schedule_.PolicyFor(record.class_name, record.client_tags);
  RetentionForecast& forecast = ForecastOf(policy, record.class_name);
  ++forecast.records;
  const auto due = schedule_.DueAt(policy, record.events);
  switch (due.state) {
    case RetentionDue::State::kKept:
      ++forecast.kept;
      return nullptr;
    case RetentionDue::State::kNotBegun:
      ++forecast.not_begun;
      return nullptr;
    case RetentionDue::State::kUnknown:
      ++forecast.unknown;
      return nullptr;
    case RetentionDue::State::kAt:
      break;
  }
  if (due.at <= now_) {
    ++forecast.due;
    ++due_;
    if (listed_.size() < max_listed_) listed_.push_back({std::string(record.id), &policy});
    return &forecast;
  }
  const auto month = std::ranges::upper_bound(ends_, due.at);
  if (month == ends_.end()) {
    ++forecast.later;
  } else {
    ++forecast.by_month[static_cast<std::size_t>(month - ends_.begin())];
  }
  return nullptr;
}

std::vector<RetentionForecast> RetentionPlan::Forecasts() const {
  std::vector<RetentionForecast> forecasts;
  for (const auto& [policy, forecast] : by_policy_) forecasts.push_back(forecast);
  for (const auto& [name, forecast] : unknown_) forecasts.push_back(forecast);
  std::ranges::sort(forecasts, {}, [](const RetentionForecast& forecast) {
    return std::tie(forecast.class_name, forecast.policy->name);
  });
  return forecasts;
}

RetentionForecast& RetentionPlan::ForecastOf(const RetentionPolicy& policy,
                                             std::string_view class_name) {
  const auto begin = [&](RetentionForecast& forecast) -> RetentionForecast& {
    forecast.class_name = class_name;
    forecast.policy = &policy;
    forecast.by_month.resize(ends_.size());
    return forecast;
  };
  if (!policy.class_name.empty()) {
    const auto [found, is_new] = by_policy_.try_emplace(&policy);
    return is_new ? begin(found->second) : found->second;
  }
  const auto found = unknown_.find(class_name);
  if (found != unknown_.end()) return found->second;
  return begin(unknown_[std::string(class_name)]);
}

}  // namespace coffer::vault
