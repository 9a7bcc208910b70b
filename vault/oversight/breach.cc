#include "vault/oversight/breach.h"

#include <algorithm>
#include <array>

namespace coffer::vault {
namespace {

constexpr std::array<std::string_view, 5> kBreachSteps = {"opened", "noted", "scoped", "notified",
                                                          "closed"};

}  // namespace

std::string_view Name(Readable readable) {
  switch (readable) {
    case Readable::kPlain:
      return "plain";
    case Readable::kUnreadable:
      return "unreadable-without-keys";
    case Readable::kUnknown:
      return "unknown";
  }
  return "";
}

Readable ReadableOf(const std::vector<std::string>& taken) {
  const auto is_taken = [&](std::string_view what) {
    return std::ranges::find(taken, what) != taken.end();
  };
  // With the keys, whoever has files of the vault at any other time can read them too.
  if (is_taken("answers") || is_taken("keys")) return Readable::kPlain;
  return taken.empty() ? Readable::kUnknown : Readable::kUnreadable;
}

std::string_view Name(BreachStep step) { return kBreachSteps[static_cast<std::size_t>(step)]; }

std::optional<BreachStep> BreachStepFromName(std::string_view name) {
  const auto found = std::ranges::find(kBreachSteps, name);
  if (found == kBreachSteps.end()) return std::nullopt;
  return static_cast<BreachStep>(found - kBreachSteps.begin());
}

}  // namespace coffer::vault
