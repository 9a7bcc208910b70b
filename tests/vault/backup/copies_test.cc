// Three copies, two media, one off site.
#include "vault/backup/copies.h"

#include <catch2/catch_test_macros.hpp>

namespace coffer::vault {
namespace {

using audit::BackupKind;
constexpr std::int64_t kHourOfCopyMs = 3'600'000;

struct CopyOf {
  const char* medium;
  bool off_site;
  bool usable;
  std::int64_t hours_old;  // less than 0: it has nothing
  BackupKind kind = BackupKind::kData;
};

BackupRule Judged(const std::vector<CopyOf>& copies, const std::string& live = "disk",
                  std::uint32_t every_hours = 24, BackupKind kind = BackupKind::kData) {
  const Timestamp now{1'767'323'045'000};
  BackupOptions options;
  options.backup_every_hours = every_hours;
  options.backup_medium = live;
  std::vector<CopyState> states;
  for (const CopyOf& copy : copies) {
    BackupDestination& destination = options.backup_destinations.emplace_back();
    destination.kind = copy.kind;
    destination.medium = copy.medium;
    destination.off_site = copy.off_site;
    CopyState& state = states.emplace_back();
    state.usable = copy.usable;
    if (copy.hours_old >= 0) state.newest = Timestamp{now.ms - copy.hours_old * kHourOfCopyMs};
  }
  return JudgeCopies(options, kind, states, now);
}

TEST_CASE("3-2-1 is met by what is there, and by nothing that only was declared") {
  struct Row {
    std::vector<CopyOf> copies;
    BackupRule rule;
    bool met;
  };
  const CopyOf near{"disk", false, true, 1}, far{"store", true, true, 1};
  const CopyOf away{"store", true, false, 1}, old{"store", true, true, 49};
  const CopyOf just{"store", true, true, 48}, empty{"store", true, true, -1};
  const CopyOf unsaid{"", true, true, 1};
  const Row rows[] = {
      {{}, {1, 1, 0}, false},
      {{near, near}, {3, 1, 0}, false},
      {{far}, {2, 2, 1}, false},
      {{near, far}, {3, 2, 1}, true},
      {{near, away}, {2, 1, 0}, false},
      {{near, old}, {2, 1, 0}, false},
      {{near, just}, {3, 2, 1}, true},
      {{near, empty}, {2, 1, 0}, false},
      {{near, unsaid}, {3, 1, 1}, false},
      {{far, far}, {3, 2, 2}, true},
      {{near, {"tape", false, true, 1}}, {3, 2, 0}, false},
      {{near, {"store", true, true, 1, BackupKind::kKeys}}, {2, 1, 0}, false},
  };
  for (const Row& row : rows) {
    const BackupRule rule = Judged(row.copies);
    CHECK(rule == row.rule);
    CHECK(rule.met() == row.met);
  }
}

TEST_CASE("keys are judged apart from the data") {
  const std::vector<CopyOf> copies = {{"disk", false, true, 1},
                                      {"store", true, true, 1},
                                      {"stick", true, true, 1, BackupKind::kKeys}};
  CHECK(Judged(copies).met());
  const BackupRule keys = Judged(copies, "disk", 24, BackupKind::kKeys);
  CHECK(keys == BackupRule{2, 2, 1});
}

TEST_CASE("a vault whose own medium nobody named is a copy, and no medium") {
  CHECK(Judged({{"disk", true, true, 1}, {"disk", false, true, 1}}, "") == BackupRule{3, 1, 1});
}

TEST_CASE("what is too old goes by the calendar of the backups") {
  const auto counts = [](std::int64_t hours, std::uint32_t every_hours) {
    return Judged({{"store", true, true, hours}}, "disk", every_hours).copies == 2;
  };
  CHECK(counts(48, 1));
  CHECK(!counts(49, 1));
  CHECK(counts(2 * 72, 72));
  CHECK(!counts(2 * 72 + 1, 72));
  CHECK(counts(8 * 24, 0));
  CHECK(!counts(8 * 24 + 1, 0));
}

}  // namespace
}  // namespace coffer::vault
