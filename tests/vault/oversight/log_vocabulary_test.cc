// What the vault writes is known to its searches: the lists against the sources and catalogues that
// they are about.
#include "vault/oversight/log_vocabulary.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tests/vault/test_vault.h"
#include "vault/base/near_names.h"

namespace coffer::vault {
namespace {

bool Lists(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

std::string SourceOf(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(std::string(COFFER_SOURCE_DIR) + "/" + path).rdbuf();
  REQUIRE_FALSE(text.str().empty());
  return text.str();
}

}  // namespace

TEST_CASE("every action and check that has a name for readers is known to searches of the log") {
  const json messages = json::parse(SourceOf("audit/messages/en.json"));
  for (const auto& [key, text] : messages.items()) {
    CAPTURE(key);
    if (key.starts_with("action.")) {
      const std::string action = key.substr(7);
      CHECK((ActionFromName(action).has_value() || Lists(VaultActions(), action)));
    }
    if (key.starts_with("rule.check.")) CHECK(Lists(Checks(), key.substr(11)));
    if (key.starts_with("outcome.")) CHECK(Lists(Outcomes(), key.substr(8)));
  }
}

TEST_CASE("every code of a problem is known to searches of the log as an outcome") {
  const std::string source = SourceOf("api/http/problem.cc");
  const std::string start = "\n    {\"";
  std::size_t titles = 0;
  for (auto at = source.find(start); at != source.npos; at = source.find(start, at + 1)) {
    const auto from = at + start.size();
    const std::string code = source.substr(from, source.find('"', from) - from);
    CAPTURE(code);
    CHECK(Lists(Outcomes(), code));
    ++titles;
  }
  CHECK(titles > 100);
}

TEST_CASE("the lists of words are in order and without repetition") {
  for (const auto words : {VaultActions(), Checks(), Outcomes()}) {
    CHECK(std::ranges::is_sorted(words));
    CHECK(std::ranges::adjacent_find(words) == words.end());
  }
}

TEST_CASE("what is near is named, of what is not near all of a few and the first of many") {
  CHECK(Suggest("record.raed", {"record.read", "client.read"}) == "near: record.read");
  CHECK(Suggest("read", {"record.read", "client.read", "x"}) == "near: client.read, record.read");
  CHECK(Suggest("zzz", {"b", "a"}) == "known: a, b");
  CHECK(Suggest("zzz", {}).empty());
  CHECK(Suggest("a", {"b"}) == "known: b");
  std::vector<std::string> many;
  for (int i = 100; i < 200; ++i) many.push_back("n" + std::to_string(i));
  CHECK(Suggest("zzz", many).ends_with("n159 and 40 more"));
  CHECK(Suggest(std::string(200, 'z'), many).starts_with("known: "));
}

}  // namespace coffer::vault
