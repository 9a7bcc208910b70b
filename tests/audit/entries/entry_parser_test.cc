#include <catch2/catch_test_macros.hpp>

#include "audit/entries/entry.h"
#include "tests/audit/entries/golden_entry.h"

namespace coffer::audit {
namespace {

std::string Canonical(const Entry& entry) {
  std::string out;
  AppendCanonical(entry, out);
  return out;
}

// Why the golden entry is refused after one replacement; "" when it is accepted.
std::string Refusal(std::string_view from, std::string_view to) {
  std::string bytes(kGoldenBytes);
  const auto at = bytes.find(from);
  REQUIRE(at != std::string::npos);
  bytes.replace(at, from.size(), to);
  const auto entry = ParseEntry(bytes);
  if (entry) return "";
  CHECK(entry.error().code == Code::kCorrupted);
  CHECK(entry.error().reason == "entry_malformed");
  return entry.error().detail;
}

TEST_CASE("an entry with every member is read back") {
  const auto entry = ParseEntry(kGoldenBytes);
  REQUIRE(entry);
  const Entry golden = GoldenEntry();
  CHECK(entry->seq == golden.seq);
  CHECK(entry->ts == golden.ts);
  CHECK(entry->prev == golden.prev);
  CHECK(entry->skew_ms == golden.skew_ms);
  CHECK(entry->log == golden.log);
  CHECK(entry->action == golden.action);
  CHECK(entry->actor == golden.actor);
  CHECK(entry->actor_kind == golden.actor_kind);
  CHECK(entry->auth == golden.auth);
  CHECK(entry->address == golden.address);
  CHECK(entry->request == golden.request);
  CHECK(entry->client == golden.client);
  CHECK(entry->record == golden.record);
  CHECK(entry->class_name == golden.class_name);
  CHECK(entry->fields == golden.fields);
  CHECK(entry->version == golden.version);
  CHECK(entry->purpose == golden.purpose);
  CHECK(entry->decision == golden.decision);
  CHECK(entry->rule == golden.rule);
  CHECK(entry->outcome == golden.outcome);
  CHECK(entry->detail == golden.detail);
  CHECK(entry->payload_hash == golden.payload_hash);
  CHECK(entry->note_hash == golden.note_hash);
}

TEST_CASE("what the state was is read back from its place") {
  Entry entry = GoldenEntry();
  entry.state_hash = entry.note_hash;
  std::string bytes(kGoldenBytes);
  bytes.insert(
      bytes.find(R"("ts":)"),
      R"("state_hash":"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",)");
  CHECK(Canonical(entry) == bytes);
  const auto read = ParseEntry(bytes);
  REQUIRE(read);
  CHECK(read->state_hash == entry.state_hash);
}

TEST_CASE("members that are absent stay without a value") {
  Entry least;
  least.actor_kind = ActorKind::kUnknown;
  const auto entry = ParseEntry(Canonical(least));
  REQUIRE(entry);
  CHECK(entry->actor_kind == ActorKind::kUnknown);
  CHECK(entry->decision == Decision::kDeny);
  CHECK(entry->fields.empty());
  CHECK_FALSE(entry->payload_hash);
  CHECK_FALSE(entry->note_hash);
  CHECK_FALSE(entry->state_hash);
  CHECK(Canonical(*entry) == Canonical(least));
}

TEST_CASE("text of every code point below U+0800 is read back") {
  for (char32_t c = 0; c < 0x800; ++c) {
    Entry entry;
    entry.purpose = "x";
    if (c < 0x80) {
      entry.purpose += static_cast<char>(c);
    } else {
      entry.purpose += static_cast<char>(0xC0 | (c >> 6));
      entry.purpose += static_cast<char>(0x80 | (c & 0x3F));
    }
    const auto parsed = ParseEntry(Canonical(entry));
    REQUIRE(parsed);
    REQUIRE(parsed->purpose == entry.purpose);
  }
}

TEST_CASE("another spelling of the same entry is refused") {
  CHECK_FALSE(Refusal(R"({"action")", R"({ "action")").empty());
  CHECK_FALSE(Refusal(R"("action":)", R"("action": )").empty());
  CHECK_FALSE(Refusal(R"("version":3})", "\"version\":3}\n").empty());
  CHECK_FALSE(Refusal(R"("v":1,"version":3)", R"("version":3,"v":1)").empty());
  CHECK_FALSE(Refusal(R"(record.write)", R"(\u0072ecord.write)").empty());
  CHECK_FALSE(Refusal(R"(desk/write)", R"(desk\/write)").empty());
  CHECK_FALSE(Refusal(R"(bell\u0007)", "bell\x07").empty());
  CHECK_FALSE(Refusal(R"(tab\t)", R"(tab\u0009)").empty());
  CHECK_FALSE(Refusal(R"(\u0007)", R"(\u000)").empty());
  CHECK_FALSE(Refusal(R"(line\n)", "line\n").empty());
  CHECK_FALSE(Refusal("€", R"(\u20ac)").empty());
  CHECK_FALSE(Refusal("€", "\xe2\x82").empty());
  CHECK_FALSE(Refusal(R"("version":3})", R"("version":3,})").empty());
  CHECK_FALSE(Refusal(R"("rule":"desk/write",)", R"("rule":"desk/write"}})").empty());
}

TEST_CASE("numbers have one spelling and stay within 2^53") {
  for (const std::string_view number : {"04711", "+4711", "-4711", "4711.0", "4711e0", "", "null",
                                        "\"4711\"", "18446744073709551616", "9007199254740992"}) {
    CAPTURE(number);
    CHECK_FALSE(Refusal("4711", number).empty());
  }
  CHECK(Refusal("4711", "0").empty());
  CHECK(Refusal("4711", "9007199254740991").empty());
  CHECK_FALSE(Refusal("1500", "0").empty());
  CHECK_FALSE(Refusal("\"version\":3", "\"version\":0").empty());
  CHECK_FALSE(Refusal("\"v\":1", "\"v\":2").empty());
  CHECK_FALSE(Refusal("\"v\":1", "\"v\":11").empty());
}

TEST_CASE("missing, doubled, unknown and mistyped members are refused") {
  CHECK_FALSE(Refusal(R"("decision":"allow",)", "").empty());
  CHECK_FALSE(Refusal(R"("seq":4711,)", "").empty());
  CHECK_FALSE(Refusal(R"("v":1,)", "").empty());
  CHECK_FALSE(Refusal(R"("ts":"2026-01-02T03:04:05.678Z",)", "").empty());
  CHECK_FALSE(Refusal(R"("auth":"token",)", R"("auth":"token","auth":"token",)").empty());
  CHECK_FALSE(Refusal(R"("auth":"token",)", R"("auth":"token","authority":"x",)").empty());
  CHECK_FALSE(Refusal(R"("auth":"token",)", R"("auth":"",)").empty());
  CHECK_FALSE(Refusal(R"("auth":"token",)", R"("auth":null,)").empty());
  CHECK_FALSE(Refusal(R"("decision":"allow")", R"("decision":"maybe")").empty());
  CHECK_FALSE(Refusal(R"("actor_kind":"service")", R"("actor_kind":"unknown")").empty());
  CHECK_FALSE(Refusal(R"(["name","e-mail","größe"])", "[]").empty());
  CHECK_FALSE(Refusal(R"(["name","e-mail","größe"])", R"(["name",])").empty());
  CHECK_FALSE(Refusal(R"(["name","e-mail","größe"])", R"("name")").empty());
  CHECK_FALSE(Refusal(R"("prev":"8908)", R"("prev":"8908D)").empty());
  CHECK_FALSE(Refusal(R"("prev":"8908d)", R"("prev":"8908D)").empty());
  CHECK_FALSE(Refusal(R"("prev":"89)", R"("prev":")").empty());
  CHECK_FALSE(Refusal("03:04:05.678Z", "03:04:05.6789Z").empty());
  CHECK_FALSE(Refusal("03:04:05.678Z", "24:04:05.678Z").empty());
  CHECK(Refusal(R"("auth":"token",)", "").empty());
  CHECK(Refusal(R"("decision":"allow")", R"("decision":"deny")").empty());
}

TEST_CASE("more field names, longer texts and longer entries than are ever written are refused") {
  std::string names = "[\"name\"";
  for (int i = 1; i < 64; ++i) names += ",\"name\"";
  CHECK(Refusal(R"(["name","e-mail","größe"])", names + "]").empty());
  CHECK_FALSE(Refusal(R"(["name","e-mail","größe"])", names + ",\"name\"]").empty());
  CHECK_FALSE(Refusal("e-mail", std::string(65, 'a')).empty());
  CHECK(Refusal("desk/write", std::string(256, 'a')).empty());
  CHECK_FALSE(Refusal("desk/write", std::string(257, 'a')).empty());
  CHECK(Refusal("desk/write", std::string(9000, 'a')) == "longer than 8192 bytes");
}

TEST_CASE("a refusal names the byte and repeats nothing of the entry") {
  CHECK(Refusal(R"({"action":)", R"({"secret":)") == "not a canonical entry from byte 1");
  CHECK(Refusal(R"({"action":"record.write)", R"({"action":"\u0072)") ==
        "not a canonical entry from byte 11");
  CHECK(Refusal(R"("v":1,)", R"("v":1})") ==
        "not canonical from byte " + std::to_string(kGoldenBytes.find(R"("v":1,)") + 5));
}

TEST_CASE("no cut, changed or added byte gives a second spelling") {
  const std::string golden(kGoldenBytes);
  for (std::size_t i = 0; i < golden.size(); ++i) {
    REQUIRE_FALSE(ParseEntry(golden.substr(0, i)));
    REQUIRE_FALSE(ParseEntry(golden.substr(i + 1)));
    for (const char c : {'\0', '"', '\\', ',', '}', '0', 'u', '\xff'}) {
      std::string changed = golden;
      changed[i] = c;
      if (const auto entry = ParseEntry(changed)) REQUIRE(Canonical(*entry) == changed);
      std::string longer = golden;
      longer.insert(i, 1, c);
      if (const auto entry = ParseEntry(longer)) REQUIRE(Canonical(*entry) == longer);
    }
  }
  CHECK_FALSE(ParseEntry(""));
}

}  // namespace
}  // namespace coffer::audit
