#include "vault/rights/request_rules.h"

#include <algorithm>
#include <array>
#include <set>

#include "vault/base/words.h"

namespace coffer::vault {
namespace {

using enum RequestState;

constexpr std::array<std::string_view, kRequestStates> kStateNames{
    "received", "identity_checking", "accepted",  "in_progress",
    "answered", "refused",           "withdrawn", "closed"};

// What may be said with a step.
enum Part : std::uint8_t {
  kWords = 1,
  kLetter = 2,
  kArticle = 4,
  kProofs = 8,  // entries, or an erasure
  kClient = 16,
  kTogether = 32,
};

struct StepRule {
  StepKind kind;
  std::string_view name;
  std::uint8_t may = 0, must = 0;
  std::uint8_t from = 0;                // a bit for each state
  std::optional<RequestState> to = {};  // absent: it changes none
};

constexpr std::uint8_t Bit(RequestState state) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(state));
}
constexpr std::uint8_t kFromOpen =
    Bit(kReceived) | Bit(kIdentityChecking) | Bit(kAccepted) | Bit(kInProgress);
constexpr std::uint8_t kFromDecided = Bit(kAnswered) | Bit(kRefused) | Bit(kWithdrawn);
constexpr std::uint8_t kFromAny = 0xff;

constexpr std::array<StepRule, kStepKinds> kSteps{{
    {StepKind::kRegister, "register"},
    {StepKind::kAcknowledge, "acknowledge", kWords | kLetter, 0, kFromOpen},
    {StepKind::kCheckIdentity, "check_identity", kWords | kLetter, 0, Bit(kReceived),
     kIdentityChecking},
    {StepKind::kAccept, "accept", kWords | kClient, 0, Bit(kReceived) | Bit(kIdentityChecking),
     kAccepted},
    {StepKind::kStart, "start", kWords, 0, Bit(kAccepted), kInProgress},
    {StepKind::kExtend, "extend", kWords | kLetter, kWords, kFromOpen},
    {StepKind::kAnswer, "answer", kWords | kLetter | kArticle | kProofs | kTogether, 0,
     Bit(kAccepted) | Bit(kInProgress), kAnswered},
    {StepKind::kRefuse, "refuse", kWords | kLetter | kArticle | kTogether, kLetter | kArticle,
     kFromOpen, kRefused},
    {StepKind::kWithdraw, "withdraw", kWords | kLetter, 0, kFromOpen, kWithdrawn},
    {StepKind::kClose, "close", kWords, 0, kFromDecided, kClosed},
    {StepKind::kReopen, "reopen", kWords, kWords, kFromDecided, kInProgress},
    {StepKind::kNote, "note", kWords | kLetter, kWords, kFromAny},
    {StepKind::kRecompute, "recompute"},
}};

const StepRule& RuleOf(StepKind kind) { return kSteps[static_cast<std::size_t>(kind)]; }

// What an answer shows by: each kind its own; and that all of the client was erased is an answer to
// everything.
constexpr std::string_view kByPackage[] = {"client.package", "client.erase"};
constexpr std::string_view kByExport[] = {"client.package", "client.export", "client.erase"};
constexpr std::string_view kByChange[] = {"record.update", "record.create", "record.import",
                                          "client.update", "client.erase"};
constexpr std::string_view kByErasure[] = {"client.erase", "record.erase", "record.delete",
                                           "retention.erase"};
constexpr std::string_view kByRestriction[] = {"restriction.write", "client.erase"};
constexpr std::string_view kByStop[] = {"restriction.write", "client.erase", "record.erase"};
constexpr std::string_view kByWithdrawal[] = {"consent.write", "restriction.write", "client.erase",
                                              "record.erase"};

}  // namespace

std::string_view NameOf(RequestState state) { return kStateNames[static_cast<std::size_t>(state)]; }
std::string_view NameOf(StepKind kind) { return RuleOf(kind).name; }

std::string_view NameOf(Standing standing) {
  static constexpr std::string_view kNames[] = {"on_time", "due_soon", "due_today", "overdue",
                                                "paused",  "in_time",  "late"};
  return kNames[static_cast<std::size_t>(standing)];
}

std::optional<RequestState> RequestStateFromName(std::string_view name) {
  const auto* const found = std::ranges::find(kStateNames, name);
  if (found == kStateNames.end()) return std::nullopt;
  return static_cast<RequestState>(found - kStateNames.begin());
}

std::optional<StepKind> StepKindFromName(std::string_view name) {
  const auto* const found = std::ranges::find(kSteps, name, &StepRule::name);
  if (found == kSteps.end()) return std::nullopt;
  return found->kind;
}

std::optional<RequestState> After(RequestState state, StepKind step) {
  const StepRule& rule = RuleOf(step);
  if ((rule.from & Bit(state)) == 0) return std::nullopt;
  return rule.to.value_or(state);
}

std::vector<StepKind> StepsFrom(RequestState state) {
  std::vector<StepKind> steps;
  for (const StepRule& rule : kSteps) {
    if ((rule.from & Bit(state)) != 0) steps.push_back(rule.kind);
  }
  return steps;
}

std::vector<Issue> FaultsOf(const StepForm& form) {
  const StepRule& rule = RuleOf(form.kind);
  std::vector<Issue> issues;
  if (rule.from == 0) {
    issues.push_back({"/step", "is not for people to take"});
    return issues;
  }
  const auto judge = [&](Part what, bool given, const char* pointer) {
    if (given && (rule.may & what) == 0) issues.push_back({pointer, "says nothing of this step"});
    if (!given && (rule.must & what) != 0) issues.push_back({pointer, "is required"});
  };
  judge(kClient, form.client.has_value(), "/client");
  judge(kWords, !form.words.empty(), "/words");
  judge(kLetter, !form.letter.empty(), "/letter");
  judge(kArticle, !form.article.empty(), "/article");
  judge(kProofs, !form.entries.empty(), "/entries");
  judge(kProofs, form.erasure.has_value(), "/erasure");
  judge(kTogether, form.together, "/together");
  const auto words = [&](const std::string& text, std::size_t most, const char* pointer,
                         TextForm lines) {
    if (!text.empty() && !IsWords(text, most, lines)) {
      issues.push_back({pointer, WordsRule(most, lines)});
    }
  };
  words(form.words, kMaxRequestWords, "/words", TextForm::kLines);
  words(form.letter, kMaxLetter, "/letter", TextForm::kOneLine);
  words(form.article, kMaxArticleOfStep, "/article", TextForm::kOneLine);
  if (form.entries.size() > kMaxProofs) issues.push_back({"/entries", "must be at most 20"});
  if (std::set(form.entries.begin(), form.entries.end()).size() != form.entries.size()) {
    issues.push_back({"/entries", "must not name an entry twice"});
  }
  return issues;
}

std::span<const std::string_view> ProvingActions(RequestKind kind) {
  switch (kind) {
    case RequestKind::kAccess:
      return kByPackage;
    case RequestKind::kPortability:
      return kByExport;
    case RequestKind::kRectification:
      return kByChange;
    case RequestKind::kErasure:
      return kByErasure;
    case RequestKind::kRestriction:
    case RequestKind::kObjection:
      return kByRestriction;
    case RequestKind::kConsentWithdrawal:
      return kByWithdrawal;
    case RequestKind::kStopProcessing:
      return kByStop;
    case RequestKind::kComplaint:
    case RequestKind::kQuestion:
      break;
  }
  return {};
}

Standing StandingOf(const RequestRow& row, Timestamp now, const ZoneDays& zone) {
  if (!IsOpen(row.state)) {
    return row.due && row.decided && *row.decided >= *row.due ? Standing::kLate : Standing::kInTime;
  }
  if (!row.next_due) return Standing::kPaused;
  if (now >= *row.next_due) return Standing::kOverdue;
  if (zone.DayOf(now) == zone.DayOf(Timestamp{row.next_due->ms - 1})) return Standing::kDueToday;
  return row.next_due->ms - now.ms <= kSoonMs ? Standing::kDueSoon : Standing::kOnTime;
}

}  // namespace coffer::vault
