// VerifyLog and the naive verifier agree: on whole logs, on damaged ones, and on the first bad
// entry.
#include <catch2/catch_test_macros.hpp>
#include <random>

#include "tests/audit/entries/test_log.h"
#include "tests/audit/verify/naive_verifier.h"
#include "tests/support/sampling.h"

namespace coffer::audit {
namespace {

using Random = std::mt19937_64;

std::uint64_t Below(Random& random, std::uint64_t limit) {
  return std::uniform_int_distribution<std::uint64_t>(0, limit - 1)(random);
}

// Entries with and without most members.
Entry Varied(Random& random) {
  Entry entry = TestLog::Reading();
  if (Below(random, 2) == 0) entry.client = "cli_" + std::to_string(Below(random, 10));
  if (Below(random, 3) == 0) entry.fields = {"name", "größe", "a\"b"};
  if (Below(random, 3) == 0) entry.detail = "tab\t, bell\x07, € and \x7f";
  if (Below(random, 4) == 0) entry.payload_hash = Hash{1, 2, 3};
  if (Below(random, 4) == 0) entry.decision = Decision::kDeny;
  if (Below(random, 5) == 0) entry.actor_kind = ActorKind::kUnknown;
  entry.version = Below(random, 3);
  return entry;
}

TestLog VariedLog(Random& random, std::size_t size) {
  TestLog log;
  std::int64_t now = 1'767'323'045'000;
  for (std::size_t i = 0; i < size; ++i) {
    now += static_cast<std::int64_t>(Below(random, 20)) - 3;  // the clock may go back
    log.Append(Varied(random), {now});
  }
  return log;
}

void CheckAgreement(TestLog& log, std::span<const std::string> notes) {
  const NaiveVerifier naive{std::string(kOrigin), LogKey().public_key()};
  const auto answer = naive.Verify(log.stored().rows, notes);
  const auto report = log.TryVerify(
      {LogVerifier(), std::vector<std::string>(notes.begin(), notes.end()), false, {}});
  REQUIRE(report);
  for (const auto& finding : report->findings) UNSCOPED_INFO(finding.check + " " + finding.message);
  REQUIRE(report->ok() == answer.whole);
  std::optional<std::uint64_t> first;
  for (const auto& finding : report->findings) {
    if (finding.seq && finding.check != "truncated" && !first) first = finding.seq;
  }
  REQUIRE(first.has_value() == answer.first_bad.has_value());
  if (first) {
    CAPTURE(answer.first_bad->first, answer.first_bad->second, *first);
    REQUIRE(*first >= answer.first_bad->first);
    REQUIRE(*first <= answer.first_bad->second);
  }
}

// What somebody with the database might do to one place. False when nothing changed.
bool Damage(Random& random, TestLog& log) {
  auto& rows = log.stored().rows;
  const auto seq = Below(random, rows.size());
  const MemoryLog before = log.stored();
  switch (Below(random, 9)) {
    case 0: {  // any bit
      auto& byte = rows[seq]->at(Below(random, rows[seq]->size()));
      byte = static_cast<char>(byte ^ (1 << Below(random, 8)));
      break;
    }
    case 1: {  // a character that may stand there as well
      auto& byte = rows[seq]->at(Below(random, rows[seq]->size()));
      byte = "0123456789abcdef"[Below(random, 16)];
      break;
    }
    case 2:
      rows[seq]->erase(Below(random, rows[seq]->size()), 1 + Below(random, 30));
      break;
    case 3:
      rows[seq]->insert(Below(random, rows[seq]->size()), 1, ' ');
      break;
    case 4:
      log.Remove(seq);
      break;
    case 5:
      log.Lose(seq);
      break;
    case 6:
      log.Swap(seq, Below(random, rows.size()));
      break;
    case 7:
      rows.insert(rows.begin() + static_cast<std::ptrdiff_t>(seq),
                  rows[Below(random, rows.size())]);
      break;
    default:
      log.Cut(seq);
  }
  return before.rows != rows;
}

TEST_CASE("two verifiers agree on whole logs of every size", testing::kPlainOnly) {
  Random random(1);
  TestLog log;
  CheckAgreement(log.Publish(), log.notes());
  std::int64_t now = 1'767'323'045'000;
  for (std::size_t size = 1; size <= 300; ++size) {
    log.Append(Varied(random), {now += 3});
    log.Publish();
    CAPTURE(size);
#ifdef COFFER_SANITIZED  // every size is for the fast tree
    if (size % 8 > 1) continue;
#endif
    CheckAgreement(log, std::span(log.notes()).last(1));
    REQUIRE(log.TryVerify({LogVerifier(), {log.notes().back()}, true, {}})->ok());
  }
  for (const std::size_t size : {511UZ, 512UZ, 513UZ, 600 + Below(random, 1500)}) {
    TestLog larger = VariedLog(random, size);
    CheckAgreement(larger.Publish(), larger.notes());
  }
}

TEST_CASE("two verifiers agree on damaged logs and on the first bad entry") {
#ifdef COFFER_SANITIZED
  constexpr int kAttempts = 3;
#else
  constexpr int kAttempts = 12;
#endif
  Random random(2);
  for (std::size_t size = 1; size <= 300; size += 1 + size / 8) {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      TestLog log = VariedLog(random, size);
      log.Publish();
      if (!Damage(random, log)) continue;
      CAPTURE(size, attempt);
      CheckAgreement(log, log.notes());
      CheckAgreement(log, {});
    }
  }
}

TEST_CASE("two verifiers agree that a log with several damages is not whole") {
  Random random(3);
  const NaiveVerifier naive{std::string(kOrigin), LogKey().public_key()};
  for (int attempt = 0; attempt < 300; ++attempt) {
    TestLog log = VariedLog(random, 1 + Below(random, 60));
    log.Publish();
    bool damaged = false;
    for (int i = 0; i < 3 && !log.stored().rows.empty(); ++i) {
      bool all = true;
      for (const auto& row : log.stored().rows) all = all && row && !row->empty();
      if (all) damaged = Damage(random, log) || damaged;
    }
    CAPTURE(attempt);
    REQUIRE(log.Verify().ok() == naive.Verify(log.stored().rows, log.notes()).whole);
  }
}

TEST_CASE("two verifiers agree on a history written anew") {
  Random random(4);
  for (const std::size_t size : {1UZ, 2UZ, 255UZ, 300UZ}) {
    for (int attempt = 0; attempt < 5; ++attempt) {
      TestLog log = VariedLog(random, size);
      log.Publish();
      log.Rechain(Below(random, size));
      CheckAgreement(log, log.notes());
      CheckAgreement(log, {});
    }
  }
}

}  // namespace
}  // namespace coffer::audit
