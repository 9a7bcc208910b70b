// The root key in a token, with SoftHSM2, and with NSS where its tools are: its second opinion on
// AES-GCM, and the one that has RSA-OAEP with SHA-256.
#include "crypto/token_root_key.h"

#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "crypto/internal/keyring_format.h"
#include "crypto/keyring.h"
#include "crypto/passphrase_file.h"
#include "tests/crypto/fails_with.h"
#include "tests/crypto/software_token.h"

namespace coffer::crypto {
namespace {

using nlohmann::json;
using TokenProvider = std::unique_ptr<RootKeyProvider>;

constexpr std::string_view kRecovery = "a phrase for the day after";

TokenAccess AccessTo(const std::string& uri, std::string_view pin = SoftwareTokens::kPin) {
  auto parsed = ParseTokenUri(uri);
  INFO(uri);
  REQUIRE(parsed);
  return {.uri = *std::move(parsed), .pin = SecretBytes::CopyOf(AsBytes(pin))};
}

NewRecovery QuickRecovery(std::string_view text = kRecovery) {
  return {.passphrase = SecretBytes::CopyOf(AsBytes(text)),
          .parameters = {.passes = 1, .memory_kib = 8, .salt = Bytes(16, 3)}};
}

// A token and the keyring of a vault whose root key it has.
class TokenVault {
 public:
  SoftwareTokens tokens;
  std::string uri;

  explicit TokenVault(const std::string& attributes = "token=one;object=coffer-root") {
    tokens.Add("one");
    uri = tokens.Uri(attributes);
    bool made = false;
    auto root = MakeTokenRoot(AccessTo(uri), QuickRecovery(), made);
    INFO((root ? "" : root.error().detail));
    REQUIRE(root);
    CHECK(made);
    REQUIRE(Keyring::Create(path(), **root, {}, "vault.example/log"));
  }

  std::string path() const { return tokens.directory() / "keyring.json"; }
  KeyringHeader Header() const {
    const auto header = Keyring::ReadHeader(path());
    REQUIRE(header);
    return *header;
  }
  Result<TokenProvider> Root(std::string_view pin = SoftwareTokens::kPin) const {
    return OpenTokenRoot(AccessTo(uri, pin), Header());
  }
  Result<Keyring> Open() const {
    auto root = Root();
    if (!root) return std::unexpected(root.error());
    return Keyring::Open(path(), **root);
  }
  bool Refuses(Code code, std::string_view reason) const {
    const auto root = Root();
    INFO((root ? "opened" : std::string(root.error().reason) + ": " + root.error().detail));
    CHECK(FailsWith(root, code, reason));
    if (root) return false;
    CHECK_FALSE(root.error().detail.empty());
    CHECK_FALSE(root.error().detail.contains(SoftwareTokens::kPin));
    return root.error().reason == reason;
  }
};

}  // namespace

TEST_CASE("a vault opens with the key that was made in a token") {
  if (SoftwareTokens::Module().empty()) SKIP("SoftHSM2 is not installed");
  TokenVault vault;
  const auto header = vault.Header();
  CHECK(header.root_kind == "pkcs11");
  REQUIRE(header.token);
  CHECK(header.token->mechanism == kTokenAesGcm);
  CHECK(header.token->key_label == "coffer-root");
  CHECK(header.token->key_id.size() == 16);
  CHECK(header.token->token_label == "one");
  CHECK(header.token->wrapped.size() == 12 + 32 + 16);

  const auto first = vault.Open();
  REQUIRE(first);
  const auto again = vault.Open();
  REQUIRE(again);
  CHECK(first->vault_db_key() == again->vault_db_key());

  // What is rewritten later goes on opening, by both ways.
  REQUIRE(Keyring::AddLogKey(vault.path(), **vault.Root()));
  CHECK(vault.tokens.directory().Get("keyring.json").contains("\"coffer-keyring-v3\""));
  REQUIRE(vault.Open());
  CHECK(vault.Open()->log_keys().size() == 2);
  auto by_passphrase = OpenRecovery(SecretBytes::CopyOf(AsBytes(kRecovery)), vault.Header());
  REQUIRE(by_passphrase);
  CHECK((*by_passphrase)->kind() == "pkcs11");
  REQUIRE(Keyring::RetireLogKey(vault.path(), **by_passphrase));
  REQUIRE(Keyring::DropRetiredLogKey(vault.path(), **by_passphrase));
  CHECK(vault.Open()->vault_db_key() == first->vault_db_key());
}

TEST_CASE("once its root key is there a vault needs no token") {
  if (SoftwareTokens::Module().empty()) SKIP("SoftHSM2 is not installed");
  TokenVault vault;
  const auto root = vault.Root();
  REQUIRE(root);
  vault.tokens.Pull();
  CHECK(Keyring::Open(vault.path(), **root));
  CHECK(vault.Refuses(Code::kNotFound, "token_missing"));
  vault.tokens.Plug();
  CHECK(vault.Open());
}

TEST_CASE("a wrong PIN is tried once") {
  if (SoftwareTokens::Module().empty()) SKIP("SoftHSM2 is not installed");
  TokenVault vault;
  vault.uri = vault.tokens.Uri("token=one;object=coffer-root", SoftwareTokens::Between());
  const std::string wrong = "wrong-31415926";
  const auto refused = vault.Root(wrong);
  REQUIRE(FailsWith(refused, Code::kUnauthenticated, "token_pin_wrong"));
  CHECK_FALSE(refused.error().detail.contains(wrong));
  CHECK(vault.tokens.Logins() == 1);
  CHECK(FailsWith(vault.Root(""), Code::kInvalidArgument, "token_pin_missing"));
  CHECK(vault.tokens.Logins() == 1);

  // A token that says that its PIN is locked is left alone.
  vault.tokens.Misbehave("locked");
  CHECK(vault.Refuses(Code::kPermissionDenied, "token_pin_locked"));
  CHECK(vault.tokens.Logins() == 1);
  vault.tokens.Misbehave("locks");
  CHECK(vault.Refuses(Code::kPermissionDenied, "token_pin_locked"));
  CHECK(vault.tokens.Logins() == 2);
  vault.tokens.Misbehave("");
  CHECK(vault.Open());
}

TEST_CASE("of two tokens of one label the serial number tells") {
  if (SoftwareTokens::Module().empty()) SKIP("SoftHSM2 is not installed");
  TokenVault vault;
  vault.tokens.Add("one");
  CHECK(vault.Refuses(Code::kConflict, "token_ambiguous"));
  const std::string serial = vault.Header().token->token_serial;
  CHECK(vault.Root().error().detail.contains(serial));
  vault.uri = vault.tokens.Uri("serial=" + serial + ";token=one;object=coffer-root");
  CHECK(vault.Open());
}

TEST_CASE("a key that is gone, or is another, does not open the vault") {
  if (SoftwareTokens::Module().empty()) SKIP("SoftHSM2 is not installed");
  TokenVault vault;
  const auto make_another = [&](const std::string& attributes) {
    bool made = false;
    const auto root = MakeTokenRoot(AccessTo(vault.tokens.Uri(attributes)), std::nullopt, made);
    REQUIRE(root);
    CHECK(made);
    CHECK((*root)->token()->recovery == std::nullopt);
  };
  vault.tokens.Pull();
  vault.tokens.Add("one");
  CHECK(vault.Refuses(Code::kNotFound, "token_key_missing"));
  // Of the same label and id, but not the same: as after a restore of the wrong token.
  std::string id;
  for (const std::uint8_t byte : vault.Header().token->key_id) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    id += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  make_another("token=one;object=coffer-root;id=" + id);
  CHECK(vault.Refuses(Code::kUnauthenticated, "root_key_wrong"));
}

TEST_CASE("a key of another kind, or that may leave the token, is refused") {
  if (SoftwareTokens::Module().empty()) SKIP("SoftHSM2 is not installed");
  SoftwareTokens tokens;
  tokens.Add("one");
  bool made = false;
  const auto make = [&](const std::string& attributes) {
    return MakeTokenRoot(AccessTo(tokens.Uri(attributes)), std::nullopt, made);
  };
  const std::string key = tokens.directory().Put("aes", std::string(32, 'k'));
  tokens.Run("softhsm2-util --import '" + key +
             "' --aes --token one --label imported --id 01 --pin " + SoftwareTokens::kPin);
  REQUIRE(make("token=one;object=imported"));
  CHECK_FALSE(made);  // it says of itself that it cannot leave; that it was outside nobody knows
  tokens.Misbehave("extractable");
  CHECK(FailsWith(
      MakeTokenRoot(AccessTo(tokens.Uri("token=one;object=imported", SoftwareTokens::Between())),
                    std::nullopt, made),
      Code::kUnprocessable, "token_key_unsuitable"));
  const std::string pair = tokens.directory() / "rsa";
  tokens.Run("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out '" + pair + "'");
  tokens.Run("softhsm2-util --import '" + pair + "' --token one --label small --id 02 --pin " +
             SoftwareTokens::kPin);
  CHECK(FailsWith(make("token=one;object=small"), Code::kUnprocessable, "token_key_unsuitable"));
  CHECK(FailsWith(make("token=one;object=small;type=secret-key"), Code::kUnprocessable,
                  "token_key_unsuitable"));
  // SoftHSM2 has RSA-OAEP with SHA-1 alone: said at once, and nothing is left in the token.
  CHECK(FailsWith(make("token=one;object=pair;type=private"), Code::kUnprocessable,
                  "token_mechanism_missing"));
  // The same key twice, for two vaults; and one that is there already.
  REQUIRE(make("token=one;object=k"));
  CHECK(made);
  REQUIRE(make("token=one;object=k"));
  CHECK_FALSE(made);
}

TEST_CASE("a module that fails ends its own process, and says so") {
  if (SoftwareTokens::Module().empty()) SKIP("SoftHSM2 is not installed");
  TokenVault vault;
  const std::string attributes = "token=one;object=coffer-root";
  vault.uri = vault.tokens.Uri(attributes, "/no/such/module.so");
  CHECK(vault.Refuses(Code::kNotFound, "token_module_missing"));
  vault.uri = vault.tokens.Uri(attributes, vault.tokens.pin_file());
  CHECK(vault.Refuses(Code::kInvalidArgument, "token_module_unusable"));
  vault.uri = vault.tokens.Uri(attributes, "/lib/x86_64-linux-gnu/libc.so.6");
  CHECK(vault.Refuses(Code::kInvalidArgument, "token_module_unusable"));

  vault.uri = vault.tokens.Uri(attributes, SoftwareTokens::Between());
  for (const char* const mode : {"crash", "exit"}) {
    INFO(mode);
    vault.tokens.Misbehave(mode);
    CHECK(vault.Refuses(Code::kUnavailable, "token_module_crashed"));
  }
  vault.tokens.Misbehave("pulled");
  CHECK(vault.Refuses(Code::kUnavailable, "token_removed"));
  vault.tokens.Misbehave("hang");
  TokenAccess impatient = AccessTo(vault.uri);
  impatient.limit = std::chrono::milliseconds(300);
  CHECK(FailsWith(OpenTokenRoot(impatient, vault.Header()), Code::kUnavailable,
                  "token_module_hangs"));
  vault.tokens.Misbehave("hang-at-end");  // after the answer, which counts
  CHECK(vault.Open());
}

TEST_CASE("a token that authenticates nothing gets no vault") {
  if (SoftwareTokens::Module().empty()) SKIP("SoftHSM2 is not installed");
  SoftwareTokens tokens;
  tokens.Add("one");
  const auto access = AccessTo(tokens.Uri("token=one;object=k", SoftwareTokens::Between()));
  bool made = false;
  for (const char* const mode : {"careless", "no-gcm"}) {
    INFO(mode);
    tokens.Misbehave(mode);
    CHECK(FailsWith(MakeTokenRoot(access, std::nullopt, made), Code::kUnprocessable,
                    "token_mechanism_missing"));
  }
  // The key of before went with its failure: this one is new.
  tokens.Misbehave("");
  REQUIRE(MakeTokenRoot(access, std::nullopt, made));
  CHECK(made);
}

TEST_CASE("a keyring under a token opens in no other way than these two") {
  if (SoftwareTokens::Module().empty()) SKIP("SoftHSM2 is not installed");
  TokenVault vault;
  const auto by = [&](std::string_view text) {
    return OpenRecovery(SecretBytes::CopyOf(AsBytes(text)), vault.Header());
  };
  CHECK(FailsWith(by("another phrase, as long"), Code::kUnauthenticated, "root_key_wrong"));
  CHECK(FailsWith(by("short"), Code::kInvalidArgument, "passphrase_too_short"));
  const auto& directory = vault.tokens.directory();
  const auto from_file =
      OpenPassphraseFile(directory.Put("phrase", std::string(kRecovery) + "\r\n"), vault.Header());
  REQUIRE(from_file);
  CHECK(Keyring::Open(vault.path(), **from_file));

  const auto key_file = OpenKeyFile(directory.Put("root.key", std::string(64, '1')));
  REQUIRE(key_file);
  CHECK(
      FailsWith(Keyring::Open(vault.path(), **key_file), Code::kUnauthenticated, "root_key_wrong"));
  REQUIRE(Keyring::Create(directory / "other.json", **key_file, {}, "vault.example/log"));
  const auto other = Keyring::ReadHeader(directory / "other.json");
  REQUIRE(other);
  CHECK(FailsWith(OpenTokenRoot(AccessTo(vault.uri), *other), Code::kUnauthenticated,
                  "root_key_wrong"));
  CHECK(FailsWith(OpenRecovery(SecretBytes::CopyOf(AsBytes(kRecovery)), *other), Code::kNotFound,
                  "recovery_missing"));
  for (const char* const attributes :
       {"token=one;object=another", "token=one;object=coffer-root;id=%00",
        "token=one;object=coffer-root;type=private"}) {
    INFO(attributes);
    CHECK(FailsWith(OpenTokenRoot(AccessTo(vault.tokens.Uri(attributes)), vault.Header()),
                    Code::kUnauthenticated, "root_key_wrong"));
  }
}

TEST_CASE("what keyring.json says of its token cannot be altered") {
  if (SoftwareTokens::Module().empty()) SKIP("SoftHSM2 is not installed");
  TokenVault vault;
  const json golden = json::parse(vault.tokens.directory().Get("keyring.json"));
  const auto put = [&](const json& document) {
    vault.tokens.directory().Put("keyring.json", document.dump());
  };
  const auto with = [&](const char* pointer, const json& value) {
    json document = golden;
    document["root"][json::json_pointer(pointer)] = value;
    return document;
  };
  // The wrapped secret: the token itself does not take it.
  Bytes wrapped = *Base64Decode(golden["root"]["wrapped"].get<std::string>());
  for (const std::size_t at : {std::size_t{0}, std::size_t{20}, wrapped.size() - 1}) {
    wrapped[at] ^= 1;
    put(with("/wrapped", Base64Encode(wrapped)));
    CHECK(vault.Refuses(Code::kUnauthenticated, "root_key_wrong"));
    wrapped[at] ^= 1;
  }
  // What the token does not see: the seal covers it.
  for (const auto& [pointer, value] :
       {std::pair("/token/serial", json("other")), std::pair("/token/label", json("x")),
        std::pair("/recovery/passes", json(2))}) {
    INFO(pointer);
    put(with(pointer, value));
    CHECK(FailsWith(vault.Open(), Code::kUnauthenticated, "root_key_wrong") !=
          FailsWith(vault.Open(), Code::kCorrupted, "keyring_malformed"));
  }
  json document = golden;
  document["root"].erase("recovery");
  put(document);
  CHECK(FailsWith(vault.Open(), Code::kCorrupted, "keyring_malformed"));
  put(golden);
  CHECK(vault.Open());
}

TEST_CASE("the members about a token are read strictly") {
  if (SoftwareTokens::Module().empty()) SKIP("SoftHSM2 is not installed");
  const TokenVault vault;
  const json golden = json::parse(vault.tokens.directory().Get("keyring.json"));
  const auto refuses = [&](const auto& change) {
    json document = golden;
    change(document, document["root"]);
    const auto parsed = internal::ParseKeyring(document.dump());
    return !parsed && parsed.error().reason == "keyring_malformed";
  };
  REQUIRE_FALSE(refuses([](json&, json&) {}));
  REQUIRE_FALSE(refuses([](json&, json& root) { root.erase("recovery"); }));
  REQUIRE_FALSE(refuses([](json&, json& root) { root["key"]["id"] = ""; }));
  for (const char* const format : {"coffer-keyring-v1", "coffer-keyring-v2", "coffer-keyring-v4"}) {
    CHECK(refuses([&](json& d, json&) { d["format"] = format; }));
  }
  CHECK(refuses([](json&, json& root) { root = {{"kind", "key-file"}}; }));
  CHECK(refuses([](json&, json& root) { root["kind"] = "key-file"; }));
  CHECK(refuses([](json&, json& root) { root["mechanism"] = "rsa-pkcs1"; }));
  CHECK(refuses([](json&, json& root) { root["surprise"] = 1; }));
  CHECK(refuses([](json&, json& root) { root["wrapped"] = ""; }));
  CHECK(refuses([](json&, json& root) { root["wrapped"] = std::string(4096, 'A'); }));
  CHECK(refuses([](json&, json& root) { root["key"]["label"] = ""; }));
  CHECK(refuses([](json&, json& root) { root["key"]["label"] = std::string(300, 'x'); }));
  CHECK(refuses([](json&, json& root) { root["key"]["id"] = "0"; }));
  CHECK(refuses([](json&, json& root) { root["key"]["id"] = std::string(130, '0'); }));
  for (const char* const object : {"key", "token", "recovery"}) {
    CHECK(refuses([&](json&, json& root) { root[object]["surprise"] = 1; }));
    for (const auto& [name, value] : golden["root"][object].items()) {
      INFO(object << "/" << name);
      CHECK(refuses([&](json&, json& root) { root[object].erase(name); }));
      for (const json& wrong : {json(nullptr), json(1.5), json(true), json::array()}) {
        CHECK(refuses([&](json&, json& root) { root[object][name] = wrong; }));
      }
    }
  }
}

TEST_CASE("another token has the same AES-GCM, and RSA-OAEP") {
  const std::string nss = "/usr/lib/x86_64-linux-gnu/libsoftokn3.so";
  if (!std::filesystem::exists(nss) || !std::filesystem::exists("/usr/bin/certutil")) {
    SKIP("libnss3 and libnss3-tools are not installed");
  }
  SoftwareTokens tokens;
  const std::string database = tokens.directory() / "nss";
  std::filesystem::create_directory(database);
  tokens.Run("certutil -N -d 'sql:" + database + "' -f '" + tokens.pin_file() + "'");
  tokens.Set("TOKEN_BEHIND", nss);
  tokens.Set("TOKEN_PARAMETERS", "configdir='sql:" + database +
                                     "' certPrefix='' keyPrefix='' secmod='secmod.db' flags=");
  tokens.Misbehave("parameters");
  const std::string token = "token=NSS%20Certificate%20DB;object=";
  for (const auto& [key, mechanism] :
       {std::pair("aes", kTokenAesGcm), std::pair("rsa;type=private", kTokenRsaOaep)}) {
    INFO(key);
    const auto access = AccessTo(tokens.Uri(token + key, SoftwareTokens::Between()));
    bool made = false;
    const auto root = MakeTokenRoot(access, std::nullopt, made);
    INFO((root ? "" : root.error().detail));
    REQUIRE(root);
    CHECK(made);
    const std::string path = tokens.directory() / mechanism;
    REQUIRE(Keyring::Create(path, **root, {}, "vault.example/log"));
    auto header = *Keyring::ReadHeader(path);
    CHECK(header.token->mechanism == mechanism);
    const auto opened = OpenTokenRoot(access, header);
    INFO((opened ? "" : opened.error().detail));
    REQUIRE(opened);
    CHECK(Keyring::Open(path, **opened));
    header.token->wrapped.back() ^= 1;
    CHECK(FailsWith(OpenTokenRoot(access, header), Code::kUnauthenticated, "root_key_wrong"));
  }
}

}  // namespace coffer::crypto
