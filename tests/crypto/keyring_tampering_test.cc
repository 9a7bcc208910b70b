// Whoever can write keyring.json but lacks the root key must not change what the vault believes.
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <nlohmann/json.hpp>

#include "crypto/internal/keyring_format.h"
#include "crypto/keyring.h"
#include "tests/crypto/golden_keyring.h"
#include "tests/crypto/temporary_directory.h"

namespace coffer::crypto {
namespace {

using nlohmann::json;

// Opens whatever text is put in the place of the golden keyring.
class Vault {
 public:
  Vault() : root_(*OpenKeyFile(directory_.Put("root.key", kGoldenRootKey))) {
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
  const Vault vault;
  for (std::size_t i = 0; i < kGoldenKeyring.size(); ++i) {
    for (const char with : {static_cast<char>(kGoldenKeyring[i] ^ 1), 'A', 'B', '"'}) {
      std::string text(kGoldenKeyring);
      if (text[i] == with) continue;
      text[i] = with;
      if (!vault.Refuses(std::string_view(text))) FAIL("accepted:\n" << text);
    }
  }
}

TEST_CASE("open rejects a keyring without any one of its members") {
  const Vault vault;
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
  const Vault vault;
  for (const char* const object :
       {"", "/keys", "/log", "/root", "/keys/client-kek", "/keys/note"}) {
    INFO(object);
    json document = Golden();
    document[json::json_pointer(object)]["extra"] = "x";
    CHECK(vault.FindsMalformed(document.dump()));
  }
}

TEST_CASE("open rejects a member of another type anywhere") {
  const Vault vault;
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
  const Vault vault;
  CHECK(vault.FindsMalformed(
      Replaced("\"kind\": \"key-file\"", "\"kind\": \"key-file\", \"kind\": \"key-file\"")));
  CHECK(vault.FindsMalformed(Replaced("\"format\"", "\"format\": 1, \"format\"")));
  CHECK(vault.FindsMalformed(Replaced("\"kind\"", "\"\\u006bind\": \"key-file\", \"kind\"")));
}

TEST_CASE("open rejects the newest client-KEK dropped or renamed") {
  const Vault vault;
  json document = Golden();
  document["keys"]["client-kek"].erase("2");
  CHECK(vault.FindsMalformed(document.dump()));
  document = Golden();
  document["keys"]["client-kek"]["3"] = document["keys"]["client-kek"]["2"];
  document["keys"]["client-kek"].erase("2");
  CHECK(vault.FindsMalformed(document.dump()));
}

TEST_CASE("open rejects wrapped keys exchanged") {
  const Vault vault;
  json document = Golden();
  std::swap(document["keys"]["vault-db"], document["keys"]["keys-db"]);
  CHECK(vault.FindsMalformed(document.dump()));
  document = Golden();
  std::swap(document["keys"]["client-kek"]["1"], document["keys"]["client-kek"]["2"]);
  CHECK(vault.FindsMalformed(document.dump()));
}

TEST_CASE("open rejects a log under another origin or public key") {
  const Vault vault;
  json document = Golden();
  document["log"]["origin"] = "other.example/log";
  CHECK(vault.FindsMalformed(document.dump()));
  document = Golden();
  document["log"]["public_key"] = Base64Encode(SigningKey::Generate().public_key());
  CHECK(vault.FindsMalformed(document.dump()));
}

TEST_CASE("open rejects a keyring put together from two vaults with one root key") {
  const Vault vault;
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
  const Vault vault;
  for (const char* const version :
       {"0", "01", "+2", " 2", "2 ", "-1", "1.0", "4294967296", "", "x"}) {
    INFO(version);
    json document = Golden();
    document["keys"]["client-kek"][version] = document["keys"]["client-kek"]["2"];
    CHECK(vault.FindsMalformed(document.dump()));
  }
}

TEST_CASE("open rejects texts that are no keyring at all") {
  const Vault vault;
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

}  // namespace coffer::crypto
