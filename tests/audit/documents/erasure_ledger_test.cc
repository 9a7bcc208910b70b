#include "audit/documents/erasure_ledger.h"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "audit/tlog/note.h"
#include "tests/audit/documents/test_ledger.h"

namespace coffer::audit {
namespace {

using nlohmann::json;

std::string SignLine(const std::string& json_text, const crypto::SigningKey& key = LogKey()) {
  // A checkpoint's signature line has the key's id in front of its base64.
  const auto line = *WriteLedgerLine({{}, ErasureNo(0)}, kOrigin, key);
  const auto blob = *crypto::Base64Decode(
      std::string_view(line).substr(line.rfind(' ') + 1, line.size() - line.rfind(' ') - 2));
  crypto::Bytes signed_blob(blob.begin(), blob.begin() + 4);
  const auto signature = key.Sign(crypto::AsBytes(json_text));
  signed_blob.insert(signed_blob.end(), signature.begin(), signature.end());
  return json_text + " " + crypto::Base64Encode(signed_blob) + "\n";
}

std::string JsonOfLine(const std::string& text, std::size_t number) {
  std::size_t at = 0;
  for (; number > 0; --number) at = text.find('\n', at) + 1;
  return text.substr(at, text.find(' ', at) - at);
}

TEST_CASE("a ledger is read as it was written, in pieces of any size") {
  const std::string text = ThreeLines();
  for (const std::size_t piece : {1UZ, 7UZ, text.size() - 1, text.size()}) {
    const LedgerReading reading = ReadLedger(text, piece);
    INFO(reading.problem());
    REQUIRE(reading.status);
    REQUIRE(reading.lines.size() == 3);
    CHECK(reading.lines[0] == LedgerLine{{}, ErasureNo(0)});
    CHECK(reading.lines[1].erasure.scope.class_name == "contact");
    CHECK(reading.lines[2].erasure == RecordsErasure(3));
    CHECK(reading.lines[2].at.n == 2);
    CHECK(reading.state.head.n == 3);
    CHECK(reading.state.whole_bytes == text.size());
    CHECK(reading.state.torn_bytes == 0);
    const std::string last = text.substr(text.rfind('\n', text.size() - 2) + 1);
    CHECK(reading.state.head.prev ==
          crypto::Sha256(crypto::AsBytes(std::string_view(last).substr(0, last.size() - 1))));
  }
  CHECK(ReadLedger("").state.head == LedgerHead{});
}

std::string GoldenLedger(const std::string& name) {
  std::ifstream golden(std::string(COFFER_SOURCE_DIR) + "/tests/golden/" + name);
  return {std::istreambuf_iterator<char>(golden), {}};
}

TEST_CASE("lines are written as the golden file has them, which says parts") {
  CHECK(GoldenLedger("erasure-ledger-v1-parts") == Lines({ErasureNo(0), RecordsErasure(205)}));
}

TEST_CASE("older lines, which do not say parts, are read as ever") {
  const LedgerReading reading = ReadLedger(GoldenLedger("erasure-ledger-v1"));
  INFO(reading.problem());
  REQUIRE(reading.lines.size() == 3);
  CHECK(reading.lines[2].erasure == RecordsErasure(3));
  for (const LedgerLine& line : reading.lines) CHECK(line.parts == 0);
  // And written again as they were.
  std::string again;
  for (const LedgerLine& line : reading.lines) again += *WriteLedgerLine(line, kOrigin, LogKey());
  CHECK(again == GoldenLedger("erasure-ledger-v1"));
}

TEST_CASE("an erasure of many records takes several lines") {
  for (const std::size_t count : {200UZ, 201UZ, 1000UZ}) {
    const LedgerErasure erasure = RecordsErasure(count);
    const std::string text = Lines({ErasureNo(0), erasure});
    const LedgerReading reading = ReadLedger(text);
    INFO(reading.problem());
    REQUIRE(reading.lines.size() == 1 + (count + 199) / 200);
    std::vector<std::string> records;
    for (std::size_t i = 1; i < reading.lines.size(); ++i) {
      const LedgerErasure& part = reading.lines[i].erasure;
      CHECK(part.erasure == erasure.erasure);
      CHECK(reading.lines[i].part == i);
      CHECK(reading.lines[i].parts == reading.lines.size() - 1);
      records.insert(records.end(), part.records.begin(), part.records.end());
    }
    CHECK(records == erasure.records);
  }
}

TEST_CASE("no byte of a ledger can be changed, and the first bad line is named") {
  const std::string text = ThreeLines();
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] ^= 0x01;
    const LedgerReading reading = ReadLedger(changed);
    const auto line =
        1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(i), '\n');
    // Without its newline the last line was not finished.
    if (i + 1 == text.size()) {
      CHECK(reading.state.torn_bytes > 0);
    } else if (!reading.problem().starts_with("line " + std::to_string(line) + ": ")) {
      FAIL_CHECK("byte " << i << ": " << reading.problem());
    }
  }
}

TEST_CASE("a ledger cut in the middle of a line was torn, and is whole up to there") {
  const std::string text = ThreeLines();
  for (std::size_t size = 0; size < text.size(); ++size) {
    const LedgerReading reading = ReadLedger(std::string_view(text).substr(0, size));
    REQUIRE(reading.status);
    const auto whole = std::string_view(text).substr(0, size).rfind('\n') + 1;
    CHECK(reading.state.whole_bytes == whole);
    CHECK(reading.state.torn_bytes == size - whole);
  }
}

TEST_CASE("lines that were moved, taken out, repeated or written anew are found") {
  const std::string text = ThreeLines();
  const auto second = text.find('\n') + 1;
  const auto third = text.find('\n', second) + 1;
  const std::string one = text.substr(0, second), two = text.substr(second, third - second),
                    three = text.substr(third);
  CHECK(ReadLedger(two + three).problem() == "line 1: it says it is number 1");
  CHECK(ReadLedger(one + three).problem() == "line 2: it says it is number 2");
  CHECK(ReadLedger(one + three + two).problem() == "line 2: it says it is number 2");
  CHECK(ReadLedger(one + one).problem() == "line 2: it says it is number 0");
  CHECK(ReadLedger(one + "\n" + two).problem().starts_with("line 2: "));
  CHECK(ReadLedger(Lines({ErasureNo(9)}) + two).problem() ==
        "line 2: it was not chained to the line before");
  CHECK(ReadLedger(Lines({ErasureNo(0)}, OtherKey())).problem() ==
        "line 1: not signed by a trusted key");
  CHECK(ReadLedger(text, 1000, {}).problem() == "line 1: not signed by a trusted key");
  // The same key under another name is another log's.
  CHECK(ReadLedger(text, 1000, {{"elsewhere", LogKey().public_key()}}).problem() ==
        "line 1: not signed by a trusted key");
  LedgerErasure elsewhere = ErasureNo(1);
  elsewhere.vault = "06bk4v0c5s3x9t7q2n8h1w6m4w";
  CHECK(ReadLedger(Lines({ErasureNo(0), elsewhere})).problem() == "line 2: it is of another vault");
}

TEST_CASE("a ledger may be signed by several keys, one after the other") {
  LedgerHead head;
  std::string text = *WriteLedgerLines(ErasureNo(0), head, kOrigin, LogKey());
  text += *WriteLedgerLines(ErasureNo(1), head, kOrigin, OtherKey());
  CHECK(ReadLedger(text).problem() == "line 2: not signed by a trusted key");
  CHECK(ReadLedger(text, 1000, {LogVerifier(), {std::string(kOrigin), OtherKey().public_key()}})
            .status);
}

TEST_CASE("a later key vouches for earlier ones, and none that it followed signs again") {
  const VerifierKey other = {std::string(kOrigin), OtherKey().public_key()};
  // Every ledger of up to six lines, by which of two keys each is signed.
  for (std::size_t size = 1; size <= 6; ++size) {
    for (std::size_t keys = 0; keys < (1UZ << size); ++keys) {
      LedgerHead head;
      std::string text;
      std::size_t changes = 0;
      const auto by_other = [&](std::size_t i) { return (keys >> i & 1) != 0; };
      for (std::size_t i = 0; i < size; ++i) {
        text += *WriteLedgerLines(ErasureNo(i), head, kOrigin, by_other(i) ? OtherKey() : LogKey());
        if (i > 0 && by_other(i) != by_other(i - 1)) ++changes;
      }
      CAPTURE(size, keys);
      CHECK(ReadLedger(text, 1000, {other}).status.has_value() ==
            (by_other(size - 1) && changes < 2));
      CHECK(ReadLedger(text, 1000, {other}, LedgerSignatures::kOfEachKeysLast).status.has_value() ==
            by_other(size - 1));
      CHECK(ReadLedger(text, 1000, {LogVerifier(), other}).status.has_value() == (changes < 2));
    }
  }
}

TEST_CASE("the signatures of each key's last line cover all lines") {
  constexpr auto kLast = LedgerSignatures::kOfEachKeysLast;
  const std::vector<VerifierKey> both = {LogVerifier(),
                                         {std::string(kOrigin), OtherKey().public_key()}};
  const auto problem = [&](std::string_view text, const std::vector<VerifierKey>& keys) {
    return ReadLedger(text, 1000, keys, kLast).problem();
  };
  LedgerHead head;
  std::string text;
  for (std::size_t i = 0; i < 6; ++i) {
    text += *WriteLedgerLines(ErasureNo(i), head, kOrigin, i < 3 ? LogKey() : OtherKey());
  }
  CHECK(problem(text, both).empty());
  CHECK(ReadLedger(text, 7, both, kLast).lines.size() == 6);
  CHECK(problem("", both).empty());
  CHECK(problem(text, {LogVerifier()}) == "line 4: not signed by a trusted key");
  CHECK(problem(text, {both[1]}).empty());
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    std::string changed = text;
    changed[i] ^= 0x01;
    if (!problem(changed, both).starts_with("line ")) FAIL_CHECK("byte " << i);
  }

  // Written anew from the second line on, by somebody without the key, who puts its id there.
  const auto forged = [&](std::size_t lines) {
    LedgerHead at;
    std::string whole = *WriteLedgerLines(ErasureNo(0), at, kOrigin, LogKey());
    for (std::size_t i = 1; i < lines; ++i) {
      std::string line = *WriteLedgerLines(ErasureNo(9), at, kOrigin, OtherKey());
      const auto space = line.rfind(' ');
      auto blob = *crypto::Base64Decode(line.substr(space + 1, line.size() - space - 2));
      const KeyId id = KeyIdOf({KeyType::kEd25519, std::string(kOrigin), LogKey().public_key()});
      std::ranges::copy(id, blob.begin());
      line = line.substr(0, space + 1) + crypto::Base64Encode(blob);
      at.prev = crypto::Sha256(crypto::AsBytes(line));
      whole += line + "\n";
    }
    return whole;
  };
  CHECK(problem(forged(1), both).empty());
  CHECK(problem(forged(2), both) == "line 2: not signed by a trusted key");
  CHECK(problem(forged(4), both) == "line 4: not signed by a trusted key");
}

TEST_CASE("a signed line of another spelling or meaning is none") {
  const std::string good = JsonOfLine(ThreeLines(), 2);
  const auto problem = [&](std::string_view from, std::string_view to) {
    std::string changed = good;
    const auto at = changed.find(from);
    REQUIRE(at != changed.npos);
    changed.replace(at, from.size(), to);
    const auto parsed = ParseLedgerLine(
        std::string_view(SignLine(changed)).substr(0, SignLine(changed).size() - 1));
    return parsed ? "" : parsed.error().detail;
  };
  CHECK(problem("\"v\":1", "\"v\":1").empty());
  CHECK_FALSE(problem("\"v\":1", "\"v\":2").empty());
  CHECK_FALSE(problem("\"v\":1", "\"v\":1,\"v\":1").empty());
  CHECK_FALSE(problem("\"v\":1", "\"u\":1,\"v\":1").empty());
  CHECK_FALSE(problem("\"client\":", "\"client\" :").empty());
  CHECK_FALSE(problem("\"scope\":\"records\"", "\"scope\":\"client\"").empty());
  CHECK_FALSE(problem("\"scope\":\"records\"", "\"scope\":\"everything\"").empty());
  CHECK_FALSE(problem("\"cli_", "\"Jane").empty());
  CHECK_FALSE(problem("\"rec_", "\"Jane").empty());
  CHECK_FALSE(problem("\"log_seq\":107", "\"log_seq\":0107").empty());
  CHECK(problem("\"part\":1,\"parts\":1", "\"part\":2,\"parts\":1000").empty());
  CHECK_FALSE(problem("\"part\":1,\"parts\":1", "\"part\":2,\"parts\":1").empty());
  CHECK_FALSE(problem("\"part\":1,\"parts\":1", "\"part\":0,\"parts\":1").empty());
  CHECK_FALSE(problem("\"part\":1,\"parts\":1", "\"part\":1,\"parts\":1001").empty());
  CHECK_FALSE(problem("2026-01-02T", "2026-02-30T").empty());
  const json members = json::parse(good);
  CHECK(members.size() == 12);
  for (const auto& [name, value] : members.items()) {
    json without = members;
    without.erase(name);
    INFO(name);
    const std::string line = SignLine(without.dump());
    CHECK_FALSE(ParseLedgerLine(std::string_view(line).substr(0, line.size() - 1)));
  }
}

TEST_CASE("hostile ledgers are refused in little memory") {
  CHECK(ReadLedger(std::string(5'000'000, 'x'), 4096).problem() == "line 1: too long for a line");
  CHECK(ReadLedger(std::string(70'000, '{') + "\n", 70'001).problem() ==
        "line 1: too long for a line");
  CHECK(ReadLedger(std::string(100, '\n')).problem().starts_with("line 1: "));
  CHECK(ReadLedger(" \n").problem().starts_with("line 1: "));
  CHECK(ReadLedger("{} AAAA\n").problem().starts_with("line 1: "));
  CHECK(ReadLedger(std::string(10, '\0') + "\n").problem().starts_with("line 1: "));
  CHECK(ReadLedger("\x1b[2J\u202E \n").problem().find('\x1b') == std::string::npos);
}

TEST_CASE("what a line must not hold is not written") {
  const auto refused = [](const auto& change, LedgerErasure erasure = ErasureNo(0)) {
    change(erasure);
    LedgerHead head{3, {}};
    const auto lines = WriteLedgerLines(erasure, head, kOrigin, LogKey());
    return !lines && lines.error().reason == "ledger_line_invalid" && head == LedgerHead{3, {}};
  };
  CHECK(refused([](LedgerErasure& erasure) { erasure.vault = "v"; }));
  CHECK(refused([](LedgerErasure& erasure) { erasure.client = "Jane Doe"; }));
  CHECK(refused([](LedgerErasure& erasure) { erasure.erasure.clear(); }));
  CHECK(refused([](LedgerErasure& erasure) { erasure.scope = {ScopeKind::kClass, "A b"}; }));
  CHECK(refused([](LedgerErasure& erasure) { erasure.scope = {ScopeKind::kRecords}; }));
  CHECK(refused([](LedgerErasure& erasure) { erasure.scope = {ScopeKind::kClient}; },
                RecordsErasure(1)));
  CHECK(refused([](LedgerErasure& erasure) { erasure.records[250] = "x"; }, RecordsErasure(300)));
  CHECK(refused([](LedgerErasure& erasure) { erasure.log_seq = 1ULL << 53; }));
  CHECK(refused([](LedgerErasure& erasure) { erasure.ts.ms = 1LL << 60; }));
  CHECK_FALSE(WriteLedgerLine({{}, RecordsErasure(201)}, kOrigin, LogKey()));
}

TEST_CASE("reading stops at what its caller refuses") {
  std::size_t seen = 0;
  LedgerReader reader(LedgerKeys(), [&](const LedgerLine&) -> Status {
    return ++seen == 2 ? Status(Fail(Code::kConflict, "no_more")) : Status();
  });
  const Status status = reader.Feed(ThreeLines());
  REQUIRE_FALSE(status);
  CHECK(status.error().reason == "no_more");
  CHECK(seen == 2);
  CHECK(reader.state().head.n == 1);
}

}  // namespace
}  // namespace coffer::audit
