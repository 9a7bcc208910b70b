// Which steps a request may take, what is to be said with each, and what shows that it was done.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/rights/regime.h"
#include "vault/rights/request.h"

namespace coffer::vault {

// What is due within seven days is due soon.
inline constexpr std::int64_t kSoonMs = std::int64_t{7} * 24 * 3600 * 1000;

inline constexpr std::size_t kMaxRequestWords = 4000;
inline constexpr std::size_t kMaxLetter = 200;
inline constexpr std::size_t kMaxArticleOfStep = 120;  // as those of a regime
inline constexpr std::size_t kMaxProofs = 20;

// The state that a step leads to; nullopt: it is not possible from here. The state itself where the
// step changes none.
std::optional<RequestState> After(RequestState state, StepKind step);
// Those of people, in the order of StepKind, for who has to choose one.
std::vector<StepKind> StepsFrom(RequestState state);

// What is said too much or too little for the step, whatever the request is.
std::vector<Issue> FaultsOf(const StepForm& form);

// The actions of log entries that show that what was asked for was done; empty: a letter does.
std::span<const std::string_view> ProvingActions(RequestKind kind);

Standing StandingOf(const RequestRow& row, Timestamp now, const ZoneDays& zone);

}  // namespace coffer::vault
