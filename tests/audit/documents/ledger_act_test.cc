#include "audit/documents/ledger_act.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <functional>
#include <iterator>

#include "audit/documents/ledger_completeness.h"
#include "tests/audit/documents/test_ledger.h"

namespace coffer::audit {
namespace {

LedgerAct ActNo(std::size_t number) {
  return {std::string(kTestVault),
          NumberedId("act_", number),
          NumberedId("cli_", number),
          ActKind::kHoldPlaced,
          NumberedId("hold_", number),
          {1, 2, 3, 4},
          200 + number,
          {1'767'323'045'000}};
}

// An erasure, an act with all members, one with as few as may be, and an erasure.
std::string MixedLines() {
  LedgerAct bare = ActNo(2);
  bare.client.clear();
  bare.sealed.clear();
  bare.kind = ActKind::kRolePut;
  bare.object = "case-worker";
  LedgerHead head;
  std::string text;
  const auto add = [&](LedgerLine line) {
    line.at = head;
    const auto written = WriteLedgerLine(line, kOrigin, LogKey());
    INFO((written ? "" : written.error().detail));
    REQUIRE(written);
    head = {
        head.n + 1,
        crypto::Sha256(crypto::AsBytes(std::string_view(*written).substr(0, written->size() - 1)))};
    text += *written;
  };
  LedgerLine first{{}, {}}, second{{}, {}};
  first.act = ActNo(1);
  second.act = bare;
  add({{}, ErasureNo(0)});
  add(first);
  add(second);
  add({{}, ErasureNo(3)});
  return text;
}

TEST_CASE("lines of acts stand in one chain with those of erasures, as the golden file has them") {
  const std::string text = MixedLines();
  const LedgerReading reading = ReadLedger(text);
  INFO(reading.problem());
  REQUIRE(reading.lines.size() == 4);
  CHECK(!reading.lines[0].act);
  CHECK(reading.lines[1].act == ActNo(1));
  REQUIRE(reading.lines[2].act);
  CHECK(reading.lines[2].act->client.empty());
  CHECK(reading.lines[2].act->sealed.empty());
  CHECK(reading.lines[3].erasure == ErasureNo(3));
  std::ifstream golden(COFFER_SOURCE_DIR "/tests/golden/ledger-v2-acts");
  CHECK(std::string(std::istreambuf_iterator<char>(golden), {}) == text);
  LedgerCompleteness completeness;
  for (const LedgerLine& line : reading.lines) CHECK(completeness.Take(line));
  CHECK(completeness.Take(reading.lines[1]));
  CHECK(completeness.acts() == 2);
  CHECK(completeness.erasures() == 2);
  CHECK(completeness.Incomplete().empty());
}

TEST_CASE("no byte of a line of an act can be changed, and none can be cut, moved or doubled") {
  const std::string text = MixedLines();
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    std::string changed = text;
    changed[i] ^= 0x01;
    const LedgerReading reading = ReadLedger(changed);
    const auto line =
        1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(i), '\n');
    if (!reading.problem().starts_with("line " + std::to_string(line) + ": ")) {
      FAIL_CHECK("byte " << i << ": " << reading.problem());
    }
  }
  const auto second = text.find('\n') + 1, third = text.find('\n', second) + 1;
  const std::string act = text.substr(second, third - second);
  CHECK(!ReadLedger(text.substr(0, third) + act).status);
  CHECK(!ReadLedger(text.substr(0, second) + text.substr(third)).status);
  CHECK(!ReadLedger(act + text.substr(0, second)).status);
}

TEST_CASE("what no act can say is neither written nor read") {
  const std::function<void(LedgerAct&)> faults[] = {
      [](LedgerAct& act) { act.vault = "elsewhere"; },
      [](LedgerAct& act) { act.act = "era_1"; },
      [](LedgerAct& act) { act.client = "Doe"; },
      [](LedgerAct& act) { act.object = "Jane Doe"; },
      [](LedgerAct& act) { act.object.clear(); },
      [](LedgerAct& act) { act.object = std::string(65, 'a'); },
      [](LedgerAct& act) { act.sealed.resize(kMaxSealedAct + 1); },
      [](LedgerAct& act) { act.log_seq = std::uint64_t{1} << 53; },
      [](LedgerAct& act) { act.ts.ms = -1'000'000'000'000'000; }};
  for (const auto& fault : faults) {
    LedgerLine line{{}, {}};
    line.act = ActNo(1);
    fault(*line.act);
    CHECK(!WriteLedgerLine(line, kOrigin, LogKey()));
  }
  LedgerLine largest{{}, {}};
  largest.act = ActNo(1);
  largest.act->sealed.resize(kMaxSealedAct);
  const auto written = WriteLedgerLine(largest, kOrigin, LogKey());
  REQUIRE(written);
  CHECK(ReadLedger(*written).lines.size() == 1);
  // Of a kind that a later version may have.
  std::string later = *written;
  later.replace(later.find("hold.placed"), 11, "hold.plaxed");
  CHECK(!ParseLedgerLine(std::string_view(later).substr(0, later.size() - 1)));
}

}  // namespace
}  // namespace coffer::audit
