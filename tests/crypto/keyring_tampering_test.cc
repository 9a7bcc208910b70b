// Whoever can write keyring.json but lacks the root key must not change what the vault believes.
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <nlohmann/json.hpp>

#include "crypto/internal/keyring_format.h"
#include "crypto/keyring.h"
#include "tests/crypto/golden_keyring.h"
#include "tests/crypto/temporary_directory.h"
#include "tests/support/sampling.h"

namespace coffer::crypto {
namespace {

using nlohmann::json;

// Opens whatever text is put in the place of the golden keyring.
class KeyringFile {
 public:
  KeyringFile() : root_(*OpenKeyFile(directory_.Put("root.key", kGoldenRootKey))) {
    REQUIRE(Open(kGoldenKeyring));
  }

  Result<Keyring> Open(std::string_view text) const {
    return Keyring::Open(directory_.Put("keyring.json", text), *root_);
  }

  // Refused with a word the operator knows, and not in any other way.
  bool Refuses(std::string_view text) const {
    const auto ring = Open(text);
    return !ring &&
           (ring.error().reason == "keyring_malformed" || ring.error().reason == "root_key_wrong");
  }
  bool Refuses(const json& document) const { return Refuses(std::string_view(document.dump())); }

  bool FindsMalformed(const std::string& text) const {
    const auto ring = Open(text);
    return !ring && ring.error().code == Code::kCorrupted &&
           ring.error().reason == "keyring_malformed";
  }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<RootKeyProvider> root_;
};

json Golden() { return json::parse(kGoldenKeyring); }

json TwoLogKeys() { return json::parse(kGoldenTwoLogKeys); }

bool ParsesAsMalformed(const std::string& text) {
  const auto document = internal::ParseKeyring(text);
  return !document && document.error().reason == "keyring_malformed";
}

// Every member of every object, however deep.
std::vector<json::json_pointer> MembersOf(const json& document) {
  std::vector<json::json_pointer> found;
  const std::function<void(const json&, const json::json_pointer&)> visit =
      [&](const json& value, const json::json_pointer& at) {
        if (!value.is_object()) return;
        for (const auto& [name, member] : value.items()) {
          found.push_back(at / name);
          visit(member, at / name);
        }
      };
  visit(document, json::json_pointer());
  return found;
}

std::string Replaced(std::string_view old, std::string_view with) {
  std::string text(kGoldenKeyring);
  const std::size_t at = text.find(old);
  REQUIRE(at != std::string::npos);
  return text.replace(at, old.size(), with);
}

}  // namespace

TEST_CASE("open rejects a keyring with any single character changed") {
  const KeyringFile vault;
  for (std::size_t i = 0; i < kGoldenKeyring.size(); i += testing::Every(5U)) {
    for (const char with : {static_cast<char>(kGoldenKeyring[i] ^ 1), 'A', 'B', '"'}) {
      std::string text(kGoldenKeyring);
      if (text[i] == with) continue;
      text[i] = with;
      if (!vault.Refuses(std::string_view(text))) FAIL("accepted:\n" << text);
    }
  }
}

TEST_CASE("open rejects a keyring without any one of its members") {
  const KeyringFile vault;
  const auto members = MembersOf(Golden());
  REQUIRE(members.size() == 24);
  for (const auto& member : members) {
    INFO(member.to_string());
    json document = Golden();
    document[member.parent_pointer()].erase(member.back());
    CHECK(vault.Refuses(document));
  }
}

TEST_CASE("open rejects a keyring with an unknown member anywhere") {
  const KeyringFile vault;
  for (const char* const object :
       {"", "/keys", "/log", "/root", "/keys/client-kek", "/keys/note"}) {
    INFO(object);
    json document = Golden();
    document[json::json_pointer(object)]["extra"] = "x";
    CHECK(vault.FindsMalformed(document.dump()));
  }
}

TEST_CASE("open rejects a member of another type anywhere") {
  const KeyringFile vault;
  for (const auto& member : MembersOf(Golden())) {
    for (const json& value : {json(nullptr), json(1), json(true), json(json::array()),
                              json(json::object()), json("")}) {
      INFO(member.to_string() << " = " << value.dump());
      json document = Golden();
      document[member] = value;
      CHECK(vault.Refuses(document));
    }
  }
}

TEST_CASE("open rejects a member that appears twice, of which readers might keep either") {
  const KeyringFile vault;
  CHECK(vault.FindsMalformed(
      Replaced("\"kind\": \"key-file\"", "\"kind\": \"key-file\", \"kind\": \"key-file\"")));
  CHECK(vault.FindsMalformed(Replaced("\"format\"", "\"format\": 1, \"format\"")));
  CHECK(vault.FindsMalformed(Replaced("\"kind\"", "\"\\u006bind\": \"key-file\", \"kind\"")));
}

TEST_CASE("open rejects the newest client-KEK dropped or renamed") {
  const KeyringFile vault;
  json document = Golden();
  document["keys"]["client-kek"].erase("2");
  CHECK(vault.FindsMalformed(document.dump()));
  document = Golden();
  document["keys"]["client-kek"]["3"] = document["keys"]["client-kek"]["2"];
  document["keys"]["client-kek"].erase("2");
  CHECK(vault.FindsMalformed(document.dump()));
}

TEST_CASE("open rejects wrapped keys exchanged") {
  const KeyringFile vault;
  json document = Golden();
  std::swap(document["keys"]["vault-db"], document["keys"]["keys-db"]);
  CHECK(vault.FindsMalformed(document.dump()));
  document = Golden();
  std::swap(document["keys"]["client-kek"]["1"], document["keys"]["client-kek"]["2"]);
  CHECK(vault.FindsMalformed(document.dump()));
}

TEST_CASE("open rejects a log under another origin or public key") {
  const KeyringFile vault;
  json document = Golden();
  document["log"]["origin"] = "other.example/log";
  CHECK(vault.FindsMalformed(document.dump()));
  document = Golden();
  document["log"]["public_key"] = Base64Encode(SigningKey::Generate().public_key());
  CHECK(vault.FindsMalformed(document.dump()));
}

TEST_CASE("open rejects a keyring put together from two vaults with one root key") {
  const KeyringFile vault;
  const TemporaryDirectory directory;
  const auto root = OpenKeyFile(directory.Put("root.key", kGoldenRootKey));
  REQUIRE(Keyring::Create(directory / "keyring.json", **root, {}, "vault.example/log"));
  const json other = json::parse(directory.Get("keyring.json"));
  for (const char* const member : {"vault_id", "seal", "keys", "log"}) {
    INFO(member);
    json document = Golden();
    document[member] = other[member];
    CHECK(vault.Refuses(document));
  }
}

TEST_CASE("versions have one spelling") {
  const KeyringFile vault;
  for (const char* const version :
       {"0", "01", "+2", " 2", "2 ", "-1", "1.0", "4294967296", "", "x"}) {
    INFO(version);
    json document = Golden();
    document["keys"]["client-kek"][version] = document["keys"]["client-kek"]["2"];
    CHECK(vault.FindsMalformed(document.dump()));
  }
}

TEST_CASE("open rejects texts that are no keyring at all") {
  const KeyringFile vault;
  for (const std::string& text :
       {std::string(), std::string("null"), std::string("[]"), std::string("{}"),
        std::string(kGoldenKeyring) + "{}", std::string(kGoldenKeyring.substr(0, 900)),
        std::string(200'000, '['), std::string("\xFF"), std::string(1, '\0')}) {
    INFO(text.substr(0, 40));
    CHECK(vault.FindsMalformed(text));
  }
  // Nesting as deep as the file may be long must not exhaust the stack.
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
  CHECK(vault.FindsMalformed(deep + "1" + std::string(100'000, '}')));
}

TEST_CASE("the parameters of a passphrase are read strictly") {
  json document = Golden();
  const auto parses = [&](const json& root) {
    document["root"] = root;
    return internal::ParseKeyring(document.dump()).has_value();
  };
  const json good = {{"kind", "passphrase"},
                     {"memory_kib", 262144},
                     {"passes", 3},
                     {"salt", "AAAAAAAAAAAAAAAAAAAAAA=="}};
  CHECK(parses(good));
  const auto with = [&](const char* name, const json& value) {
    json root = good;
    root[name] = value;
    return root;
  };
  CHECK_FALSE(parses(with("kind", "key-file")));
  CHECK_FALSE(parses(with("kind", "other")));
  CHECK_FALSE(parses(with("passes", 3.0)));
  CHECK_FALSE(parses(with("passes", "3")));
  CHECK_FALSE(parses(with("passes", -3)));
  CHECK_FALSE(parses(with("memory_kib", 4294967296)));
  CHECK_FALSE(parses(with("salt", "AAAAAAAAAAAAAAAAAAAAAB==")));
  CHECK_FALSE(parses(with("salt", "AAAA")));
  CHECK_FALSE(parses({{"kind", "passphrase"}}));
  CHECK_FALSE(parses({{"kind", "other"}}));
}

TEST_CASE("open rejects any bit flipped in what says which keys the log has") {
  const KeyringFile vault;
  const std::string golden(kGoldenTwoLogKeys);
  constexpr std::array<std::pair<const char*, const char*>, 3> kPieces{
      {{"\"format\"", "\"keys\""}, {"\"log-signing\"", "\"note\""}, {"\"log\"", "\"root\""}}};
  for (const auto& [first, next] : kPieces) {
    const std::size_t end = golden.find(next);
    for (std::size_t i = golden.find(first); i < end; i += testing::Every(5U)) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string text = golden;
        text[i] = static_cast<char>(text[i] ^ (1 << bit));
        if (!vault.FindsMalformed(text)) FAIL("accepted, or refused in another way:\n" << text);
      }
    }
  }
}

TEST_CASE("open rejects what only the root key may change about the log's keys") {
  const KeyringFile vault;
  const auto refuses = [&](const auto& change) {
    json document = TwoLogKeys();
    change(document);
    return vault.FindsMalformed(document.dump());
  };
  CHECK(refuses([](json& d) { d["log"]["public_keys"]["1"]["retiring"] = false; }));
  CHECK(refuses([](json& d) {
    std::swap(d["log"]["public_keys"]["1"]["key"], d["log"]["public_keys"]["2"]["key"]);
  }));
  CHECK(refuses(
      [](json& d) { std::swap(d["keys"]["log-signing"]["1"], d["keys"]["log-signing"]["2"]); }));
  CHECK(refuses([](json& d) {  // the next version, consistently
    for (json* at : {&d["keys"]["log-signing"], &d["log"]["public_keys"]}) {
      (*at)["3"] = (*at)["2"];
      at->erase("2");
    }
  }));
  for (const char* const kept : {"1", "2"}) {  // as if the rotation were over, or had never begun
    CHECK(refuses([&](json& d) {
      d["format"] = "coffer-keyring-v1";
      d["keys"]["log-signing"] = {{kept, d["keys"]["log-signing"][kept]}};
      d["log"] = {{"origin", d["log"]["origin"]},
                  {"public_key", d["log"]["public_keys"][kept]["key"]}};
    }));
  }
}

TEST_CASE("the members about the log's keys are read strictly") {
  const auto refuses = [](const auto& change) {
    json document = TwoLogKeys();
    change(document["keys"]["log-signing"], document["log"]["public_keys"], document);
    return ParsesAsMalformed(document.dump());
  };
  REQUIRE_FALSE(refuses([](json&, json&, json&) {}));
  const std::string another = Base64Encode(PublicKey{7});
  CHECK(refuses([&](json& wrapped, json& keys, json&) {  // three
    wrapped["3"] = wrapped["2"];
    keys["3"] = {{"key", another}, {"retiring", false}};
  }));
  CHECK(refuses([](json& wrapped, json& keys, json&) {  // one, in the form for two
    wrapped.erase("1");
    keys.erase("1");
  }));
  CHECK(refuses([](json& wrapped, json& keys, json&) {
    wrapped = json::object();
    keys = json::object();
  }));
  CHECK(refuses([](json& wrapped, json&, json&) { wrapped["3"] = wrapped["2"]; }));
  CHECK(refuses([](json& wrapped, json&, json&) { wrapped.erase("2"); }));
  CHECK(refuses([](json& wrapped, json&, json&) {  // other versions
    wrapped["3"] = wrapped["2"];
    wrapped.erase("2");
  }));
  CHECK(refuses([](json&, json& keys, json&) { keys["2"]["retiring"] = true; }));
  CHECK(refuses([](json&, json& keys, json&) {  // the newest alone
    keys["1"]["retiring"] = false;
    keys["2"]["retiring"] = true;
  }));
  CHECK(refuses([](json&, json& keys, json&) { keys["2"]["key"] = keys["1"]["key"]; }));
  CHECK(refuses([](json&, json& keys, json&) { keys["2"]["key"] = "AAAA"; }));
  CHECK(refuses([](json&, json& keys, json&) { keys["2"]["since"] = 1; }));
  CHECK(refuses([](json&, json& keys, json&) { keys["extra"] = keys["1"]; }));
  for (const char* const member : {"key", "retiring"}) {
    CHECK(refuses([&](json&, json& keys, json&) { keys["2"].erase(member); }));
    for (const json& value :
         {json(nullptr), json(0), json("false"), json(json::array()), json(json::object())}) {
      INFO(member << " = " << value.dump());
      CHECK(refuses([&](json&, json& keys, json&) { keys["2"][member] = value; }));
    }
  }
  for (const char* const version : {"0", "02", "+2", " 2", "4294967298", "", "x"}) {
    INFO(version);
    CHECK(refuses([&](json& wrapped, json& keys, json&) {
      for (json* at : {&wrapped, &keys}) {
        (*at)[version] = (*at)["2"];
        at->erase("2");
      }
    }));
  }
  CHECK(refuses([](json&, json&, json& d) { d["format"] = "coffer-keyring-v1"; }));
  CHECK(refuses([](json&, json&, json& d) { d["format"] = "coffer-keyring-v3"; }));
  CHECK(refuses([](json&, json& keys, json& d) { d["log"]["public_key"] = keys["2"]["key"]; }));

  json one = Golden();
  one["format"] = "coffer-keyring-v2";
  CHECK(ParsesAsMalformed(one.dump()));
  one = Golden();
  one["keys"]["log-signing"]["2"] = one["keys"]["log-signing"]["1"];
  CHECK(ParsesAsMalformed(one.dump()));

  std::string twice(kGoldenTwoLogKeys);
  twice.insert(twice.find("\"retiring\": true"), "\"retiring\": false, ");
  CHECK(ParsesAsMalformed(twice));
  twice = kGoldenTwoLogKeys;
  twice.insert(twice.find("\"2\": {"), "\"2\": {}, ");
  CHECK(ParsesAsMalformed(twice));
}

}  // namespace coffer::crypto
