#include "audit/entries/entry.h"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <random>

#include "audit/tlog/merkle.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "tests/audit/entries/golden_entry.h"
#include "tests/audit/tlog/test_keys.h"
#include "tests/crypto/child_process.h"

namespace coffer::audit {
namespace {

std::string CanonicalOf(const Entry& entry) {
  std::string out;
  AppendCanonical(entry, out);
  return out;
}

// The same members through a JSON library that sorts names and escapes by its own code.
std::string Independent(const Entry& entry) {
  nlohmann::json members;
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) members[name] = value;
  };
  text("action", entry.action);
  text("actor", entry.actor);
  if (entry.actor_kind != ActorKind::kUnknown) members["actor_kind"] = Name(entry.actor_kind);
  text("address", entry.address);
  text("auth", entry.auth);
  text("class", entry.class_name);
  text("client", entry.client);
  members["decision"] = Name(entry.decision);
  text("detail", entry.detail);
  if (!entry.fields.empty()) members["fields"] = entry.fields;
  text("log", entry.log);
  if (entry.note_hash) members["note_hash"] = crypto::HexEncode(*entry.note_hash);
  text("outcome", entry.outcome);
  if (entry.payload_hash) members["payload_hash"] = crypto::HexEncode(*entry.payload_hash);
  members["prev"] = crypto::HexEncode(entry.prev);
  text("purpose", entry.purpose);
  text("record", entry.record);
  text("request", entry.request);
  text("rule", entry.rule);
  members["seq"] = entry.seq;
  if (entry.skew_ms != 0) members["skew_ms"] = entry.skew_ms;
  if (entry.state_hash) members["state_hash"] = crypto::HexEncode(*entry.state_hash);
  members["ts"] = FormatTimestamp(entry.ts);
  members["v"] = 1;
  if (entry.version != 0) members["version"] = entry.version;
  return members.dump();
}

// Text of every kind a request could bring, short enough not to be cut.
class Scribbler {
 public:
  std::string Text() {
    static const std::vector<std::string> pieces = {"a",
                                                    "Z",
                                                    "0",
                                                    " ",
                                                    "\"",
                                                    "\\",
                                                    "/",
                                                    "\b",
                                                    "\f",
                                                    "\n",
                                                    "\r",
                                                    "\t",
                                                    std::string(1, '\0'),
                                                    "\x01",
                                                    "\x1b[31m",
                                                    "\x1f",
                                                    "\x7f",
                                                    "\u0080",
                                                    "é",
                                                    "ß",
                                                    "\u2028",
                                                    "\u202e",
                                                    "€",
                                                    "\ufffd",
                                                    "\U0001F512",
                                                    "\U0010FFFF",
                                                    "<script>",
                                                    "plain ascii that is longer than a word"};
    std::string text;
    for (auto count = Below(6); count > 0; --count) text += pieces[Below(pieces.size())];
    return text;
  }
  std::size_t Below(std::size_t limit) { return random_() % limit; }
  std::optional<crypto::Hash> MaybeHash() {
    if (Below(2) == 0) return std::nullopt;
    return crypto::Sha256(crypto::AsBytes(Text()));
  }

  Entry Scribble() {
    Entry entry;
    for (std::string* text : {&entry.log, &entry.action, &entry.actor, &entry.address,
                              &entry.request, &entry.client, &entry.record, &entry.class_name,
                              &entry.purpose, &entry.rule, &entry.outcome, &entry.detail}) {
      *text = Text();
    }
    entry.auth = Below(2) == 0 ? "token" : "certificate";
    entry.seq = random_() >> 11;
    entry.ts.ms = static_cast<std::int64_t>(Below(2'000'000'000'000));
    entry.skew_ms = Below(3) == 0 ? static_cast<std::int64_t>(Below(100'000)) : 0;
    entry.prev = crypto::Sha256(crypto::AsBytes(entry.log));
    entry.actor_kind = static_cast<ActorKind>(Below(4));
    entry.decision = static_cast<Decision>(Below(2));
    entry.version = Below(2) == 0 ? 0 : random_() >> 11;
    for (auto count = Below(4); count > 0; --count) entry.fields.push_back(Text().substr(0, 1));
    std::erase_if(entry.fields, [](const std::string& name) {
      return !name.empty() && static_cast<unsigned char>(name[0]) >= 0x80;
    });
    entry.payload_hash = MaybeHash();
    entry.note_hash = MaybeHash();
    entry.state_hash = MaybeHash();
    return entry;
  }

 private:
  std::mt19937_64 random_{20260102};
};

TEST_CASE("the specification's first entry has its published hashes") {
  Entry entry;
  entry.action = "log.created";
  entry.actor = "genesis";
  entry.actor_kind = ActorKind::kUnknown;
  entry.decision = Decision::kAllow;
  entry.ts.ms = 1'767'323'045'000;
  const std::string bytes = CanonicalOf(entry);
  CHECK(bytes == R"({"action":"log.created","actor":"genesis","decision":"allow","prev":")" +
                     std::string(64, '0') + R"(","seq":0,"ts":"2026-01-02T03:04:05.000Z","v":1})");
  CHECK(crypto::Sha256(crypto::AsBytes(bytes)) ==
        HashFromHex("8908d2fd9527ce0207988f6cea4e9ef75f04cfb5dbd43ee8971ad878749419ba"));
  CHECK(LeafHash(crypto::AsBytes(bytes)) ==
        HashFromHex("261b8d6f317ae4b7950e123e3dc4ac7c9efaa2a85c6879a4f217873e64981a3a"));
}

TEST_CASE("an entry with every member is written as it always was") {
  CHECK(CanonicalOf(GoldenEntry()) == kGoldenBytes);
  CHECK(Independent(GoldenEntry()) == kGoldenBytes);
}

TEST_CASE("entries of any text are written as an independent serialiser writes them") {
  Scribbler scribbler;
  for (int i = 0; i < 3000; ++i) {
    const Entry entry = scribbler.Scribble();
    REQUIRE(CanonicalOf(entry) == Independent(entry));
  }
}

TEST_CASE("an entry is appended behind what the buffer holds") {
  std::string out = "before";
  AppendCanonical(GoldenEntry(), out);
  CHECK(out == "before" + std::string(kGoldenBytes));
}

TEST_CASE("line breaks, terminal escapes and quotes of an attacker stay inside one line") {
  Entry entry;
  entry.action = "record.read";
  entry.actor = "x\",\"decision\":\"allow\",\"z\":\"";
  entry.address = "10.0.0.1\n{\"action\":\"log.created\"}";
  entry.request = "\x1b[2J\x1b[H\r\b";
  entry.purpose = std::string("nul\0nul", 7);
  entry.detail = "\u202Ereversed";
  const std::string bytes = CanonicalOf(entry);
  for (const char c : bytes) CHECK(static_cast<unsigned char>(c) >= 0x20);
  const auto members = nlohmann::json::parse(bytes);
  CHECK(members["actor"] == entry.actor);
  CHECK(members["address"] == entry.address);
  CHECK(members["request"] == entry.request);
  CHECK(members["purpose"] == entry.purpose);
  CHECK(members["detail"] == entry.detail);
  CHECK(members["decision"] == "deny");
}

TEST_CASE("invalid UTF-8 becomes replacement characters") {
  const auto action = [](std::string_view text) {
    Entry entry;
    entry.action = text;
    return nlohmann::json::parse(CanonicalOf(entry))["action"].get<std::string>();
  };
  CHECK(action("a\xff"
               "b") == "a\ufffdb");
  CHECK(action("\x80") == "\ufffd");
  CHECK(action("\xc0\xaf") == "\ufffd\ufffd");                      // overlong "/"
  CHECK(action("\xe0\x80\xaf") == "\ufffd\ufffd\ufffd");            // overlong "/"
  CHECK(action("\xed\xa0\x80") == "\ufffd\ufffd\ufffd");            // surrogate
  CHECK(action("\xf4\x90\x80\x80") == "\ufffd\ufffd\ufffd\ufffd");  // beyond U+10FFFF
  CHECK(action("\xf0\x9f\x94") == "\ufffd");                        // cut short
  CHECK(action("\xe2\x82(") == "\ufffd(");
}

TEST_CASE("a long text is cut between characters to 256 written bytes") {
  const auto written = [](const std::string& text) {
    Entry entry;
    entry.purpose = text;
    const std::string bytes = CanonicalOf(entry);
    const auto begin = bytes.find("\"purpose\":\"") + 11;
    return bytes.substr(begin, bytes.find("\",\"seq\"") - begin);
  };
  CHECK(written(std::string(256, 'a')) == std::string(256, 'a'));
  CHECK(written(std::string(257, 'a')) == std::string(256, 'a'));
  CHECK(written(std::string(255, 'a') + "é") == std::string(255, 'a'));
  CHECK(written(std::string(254, 'a') + "éb") == std::string(254, 'a') + "é");
  CHECK(written(std::string(255, 'a') + "\n") == std::string(255, 'a'));
  CHECK(written(std::string(255, 'a') + "\xff") == std::string(255, 'a'));
  CHECK(written(std::string(300, '"')).size() == 256);
  CHECK(written(std::string(300, '\x01')).size() == 252);
}

TEST_CASE("the longest entry fits and is read back") {
  Entry entry = GoldenEntry();
  for (std::string* text : {&entry.log, &entry.action, &entry.actor, &entry.auth, &entry.address,
                            &entry.request, &entry.client, &entry.record, &entry.class_name,
                            &entry.purpose, &entry.rule, &entry.outcome, &entry.detail}) {
    *text = std::string(5000, '"');
  }
  entry.actor_kind = ActorKind::kService;
  entry.decision = Decision::kAllow;
  entry.state_hash = entry.note_hash;
  entry.fields.assign(64, std::string(64, '"'));
  entry.seq = entry.version = UINT64_MAX;
  entry.skew_ms = INT64_MAX;
  const std::string bytes = CanonicalOf(entry);
  CHECK(bytes.size() <= kMaxEntryBytes);
  CHECK(bytes.size() > 7900);
  const auto parsed = ParseEntry(bytes);
  REQUIRE(parsed);
  CHECK(parsed->version == 9'007'199'254'740'991);
  CHECK(CanonicalOf(*parsed) == bytes);
}

TEST_CASE("a sixty-fifth field name aborts rather than vanish from the log") {
  Entry entry;
  entry.fields.assign(65, "name");
  CHECK(crypto::Aborts([&] { CanonicalOf(entry); }));
  entry.fields.pop_back();
  CHECK_FALSE(crypto::Aborts([&] { CanonicalOf(entry); }));
}

TEST_CASE("a note's commitment depends on its salt and text") {
  const crypto::Hash salt = HashFromHex(std::string(64, '1'));
  CHECK(NoteCommitment(salt, "called back") ==
        HashFromHex("eace2e5eed0d43be30855fba179680ffb662d1d041019e922f673909bc582bf7"));
  CHECK(NoteCommitment(salt, "called back") != NoteCommitment(salt, "called Back"));
  CHECK(NoteCommitment(salt, "called back") != NoteCommitment(crypto::Hash{}, "called back"));
}

TEST_CASE("kinds and decisions have their names") {
  CHECK(Name(ActorKind::kUnknown) == "unknown");
  CHECK(Name(ActorKind::kUser) == "user");
  CHECK(Name(ActorKind::kService) == "service");
  CHECK(Name(ActorKind::kSystem) == "system");
  CHECK(Name(Decision::kAllow) == "allow");
  CHECK(Name(Decision::kDeny) == "deny");
}

}  // namespace
}  // namespace coffer::audit
