#include "crypto/token/root_secret.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "crypto/random.h"
#include "crypto/token/oaep.h"

namespace coffer::crypto::token {
namespace {

using internal::TokenAnswer;

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kMostPlaintext = 2048;
constexpr CK_ULONG kAesKeyBytes = 32;
constexpr CK_ULONG kRsaBits = 3072;
constexpr CK_ULONG kLeastRsaBits = 2048;
constexpr std::size_t kNewIdBytes = 16;

std::string Named(const std::string& label) { return "the token's key '" + label + "' "; }

CK_ATTRIBUTE Of(CK_ATTRIBUTE_TYPE type, ByteView bytes) {
  return {type, const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
}
template <class T>
CK_ATTRIBUTE Of(CK_ATTRIBUTE_TYPE type, const T& value) {
  return {type, const_cast<T*>(&value), sizeof value};
}

std::optional<CK_ULONG> NumberOf(Session& session, CK_OBJECT_HANDLE object,
                                 CK_ATTRIBUTE_TYPE type) {
  const auto value = session.Attribute(object, type);
  CK_ULONG number = 0;
  if (!value || value->size() != sizeof number) return std::nullopt;
  std::memcpy(&number, value->data(), sizeof number);
  return number;
}

// Nothing where the token does not say.
std::optional<bool> FlagOf(Session& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  const auto value = session.Attribute(object, type);
  if (!value || value->size() != sizeof(CK_BBOOL)) return std::nullopt;
  return value->front() != 0;
}

// What is called `label`, by what it is.
struct NamedObjects {
  std::vector<CK_OBJECT_HANDLE> secret, private_key;
  std::size_t others = 0;
};

Result<NamedObjects> FindNamed(Session& session, const std::string& label, ByteView id) {
  std::vector<CK_ATTRIBUTE> wanted{Of(CKA_LABEL, AsBytes(label))};
  if (!id.empty()) wanted.push_back(Of(CKA_ID, id));
  CK_RV status = CKR_OK;
  NamedObjects named;
  for (const CK_OBJECT_HANDLE object : session.Find(wanted, status)) {
    const auto object_class = NumberOf(session, object, CKA_CLASS);
    if (object_class == CKO_SECRET_KEY) {
      named.secret.push_back(object);
    } else if (object_class == CKO_PRIVATE_KEY) {
      named.private_key.push_back(object);
    } else {
      ++named.others;
    }
  }
  if (status != CKR_OK) return std::unexpected(Session::ErrorOf(status, "looked for its key"));
  return named;
}

std::unexpected<Error> Unsuitable(const std::string& label, std::string_view why) {
  return Fail(Code::kUnprocessable, "token_key_unsuitable", Named(label) + std::string(why));
}

// A key of the token, and what is done with it.
struct Key {
  CK_OBJECT_HANDLE object = 0;
  std::string_view mechanism;
  std::string label;
  CK_OBJECT_HANDLE public_half = 0;  // where it was made
};

Result<CK_OBJECT_HANDLE> OnlyOne(const std::vector<CK_OBJECT_HANDLE>& found,
                                 const std::string& label) {
  if (found.size() == 1) return found.front();
  return Fail(Code::kConflict, "token_key_ambiguous",
              "the token has " + std::to_string(found.size()) + " keys of the label '" + label +
                  "': name one with id=");
}

// Before a vault comes to depend on it: a key that can be carried off is none of a token.
Status CheckSuitable(Session& session, const Key& key) {
  const bool aes = key.mechanism == kTokenAesGcm;
  if (NumberOf(session, key.object, CKA_KEY_TYPE) != (aes ? CKK_AES : CKK_RSA)) {
    return Unsuitable(key.label, aes ? "is no AES key" : "is no RSA key");
  }
  if (aes && NumberOf(session, key.object, CKA_VALUE_LEN).value_or(kAesKeyBytes) != kAesKeyBytes) {
    return Unsuitable(key.label, "is not of 256 bits");
  }
  if (!aes) {
    const auto modulus = session.Attribute(key.object, CKA_MODULUS);
    if (modulus && modulus->size() * 8 < kLeastRsaBits) {
      return Unsuitable(key.label, "has fewer than 2048 bits");
    }
  }
  if (FlagOf(session, key.object, CKA_SENSITIVE) != true ||
      FlagOf(session, key.object, CKA_EXTRACTABLE) != false) {
    return Unsuitable(key.label, "may leave the token: it must be sensitive and not extractable");
  }
  if (FlagOf(session, key.object, CKA_DECRYPT) == false ||
      (aes && FlagOf(session, key.object, CKA_ENCRYPT) == false)) {
    return Unsuitable(key.label, aes ? "may not encrypt and decrypt" : "may not decrypt");
  }
  return {};
}

Result<CK_OBJECT_HANDLE> GenerateAes(Session& session, const std::string& label, ByteView id) {
  const CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  const CK_KEY_TYPE type = CKK_AES;
  const CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
  std::array attributes{Of(CKA_CLASS, object_class),
                        Of(CKA_KEY_TYPE, type),
                        Of(CKA_VALUE_LEN, kAesKeyBytes),
                        Of(CKA_TOKEN, yes),
                        Of(CKA_PRIVATE, yes),
                        Of(CKA_SENSITIVE, yes),
                        Of(CKA_EXTRACTABLE, no),
                        Of(CKA_ENCRYPT, yes),
                        Of(CKA_DECRYPT, yes),
                        Of(CKA_WRAP, no),
                        Of(CKA_UNWRAP, no),
                        Of(CKA_LABEL, AsBytes(label)),
                        Of(CKA_ID, id)};
  CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
  CK_OBJECT_HANDLE key = 0;
  const CK_RV status = session.module()->C_GenerateKey(session.handle(), &mechanism,
                                                       attributes.data(), attributes.size(), &key);
  if (status != CKR_OK) return std::unexpected(Session::ErrorOf(status, "made an AES key"));
  return key;
}

Result<Key> GenerateRsa(Session& session, const std::string& label, ByteView id) {
  const CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
  const std::array<std::uint8_t, 3> exponent{1, 0, 1};
  std::array open{Of(CKA_TOKEN, yes),
                  Of(CKA_ENCRYPT, yes),
                  Of(CKA_MODULUS_BITS, kRsaBits),
                  Of(CKA_PUBLIC_EXPONENT, ByteView(exponent)),
                  Of(CKA_LABEL, AsBytes(label)),
                  Of(CKA_ID, id)};
  std::array hidden{Of(CKA_TOKEN, yes),      Of(CKA_PRIVATE, yes),          Of(CKA_SENSITIVE, yes),
                    Of(CKA_EXTRACTABLE, no), Of(CKA_DECRYPT, yes),          Of(CKA_SIGN, no),
                    Of(CKA_UNWRAP, no),      Of(CKA_LABEL, AsBytes(label)), Of(CKA_ID, id)};
  CK_MECHANISM mechanism{CKM_RSA_PKCS_KEY_PAIR_GEN, nullptr, 0};
  Key key{0, kTokenRsaOaep, label};
  const CK_RV status = session.module()->C_GenerateKeyPair(
      session.handle(), &mechanism, open.data(), open.size(), hidden.data(), hidden.size(),
      &key.public_half, &key.object);
  if (status != CKR_OK) return std::unexpected(Session::ErrorOf(status, "made an RSA key"));
  return key;
}

struct Found {
  Key key;
  bool made = false;
};

Result<Found> FindOrMake(Session& session, const TokenUri& uri) {
  COFFER_ASSIGN(const NamedObjects named, FindNamed(session, uri.object, uri.id));
  const bool any = uri.key_class == TokenKeyClass::kAny;
  std::vector<CK_OBJECT_HANDLE> keys;
  if (any || uri.key_class == TokenKeyClass::kSecret) keys = named.secret;
  if (any || uri.key_class == TokenKeyClass::kPrivate) {
    keys.insert(keys.end(), named.private_key.begin(), named.private_key.end());
  }
  if (!keys.empty()) {
    COFFER_ASSIGN(const CK_OBJECT_HANDLE object, OnlyOne(keys, uri.object));
    const bool secret = std::ranges::find(named.secret, object) != named.secret.end();
    return Found{{object, secret ? kTokenAesGcm : kTokenRsaOaep, uri.object}, false};
  }
  if (!named.secret.empty() || !named.private_key.empty() || named.others > 0) {
    return Unsuitable(uri.object, "is of another kind: choose another label");
  }
  const Bytes id = uri.id.empty() ? RandomBytes(kNewIdBytes) : uri.id;
  const bool gcm = session.HasMechanism(CKM_AES_GCM, CKF_ENCRYPT | CKF_DECRYPT);
  if (uri.key_class == TokenKeyClass::kSecret || (any && gcm)) {
    if (!gcm) return Fail(Code::kUnprocessable, "token_mechanism_missing", "it has no AES-GCM");
    COFFER_ASSIGN(const CK_OBJECT_HANDLE object, GenerateAes(session, uri.object, id));
    return Found{{object, kTokenAesGcm, uri.object}, true};
  }
  if (!session.HasMechanism(CKM_RSA_PKCS_OAEP, CKF_DECRYPT)) {
    return Fail(Code::kUnprocessable, "token_mechanism_missing",
                "the token has neither AES-GCM nor RSA-OAEP");
  }
  COFFER_ASSIGN(Key key, GenerateRsa(session, uri.object, id));
  return Found{std::move(key), true};
}

// CKM_AES_GCM for one message. The nonce is ours and random; a token that insists on its own puts
// it in its place.
struct GcmMechanism {
  GcmMechanism(ByteView nonce_bytes, ByteView context) {
    std::ranges::copy(nonce_bytes, nonce.begin());
    parameters = {.pIv = nonce.data(),
                  .ulIvLen = nonce.size(),
                  .ulIvBits = nonce.size() * 8,
                  .pAAD = const_cast<std::uint8_t*>(context.data()),
                  .ulAADLen = context.size(),
                  .ulTagBits = kTagBytes * 8};
    mechanism = {CKM_AES_GCM, &parameters, sizeof parameters};
  }
  GcmMechanism(const GcmMechanism&) = delete;
  GcmMechanism& operator=(const GcmMechanism&) = delete;

  std::array<std::uint8_t, kNonceBytes> nonce{};
  CK_GCM_PARAMS parameters{};
  CK_MECHANISM mechanism{};
};

Result<Bytes> WrapGcm(Session& session, const Key& key, const SecretBytes& secret) {
  GcmMechanism gcm(RandomBytes(kNonceBytes), AsBytes(kTokenContext));
  CK_RV status = session.module()->C_EncryptInit(session.handle(), &gcm.mechanism, key.object);
  if (status != CKR_OK) return std::unexpected(Session::ErrorOf(status, "began to encrypt"));
  Bytes sealed(secret.size() + kTagBytes + 64);
  CK_ULONG size = sealed.size();
  auto* const plain = const_cast<std::uint8_t*>(secret.ExposeSecret().data());
  status =
      session.module()->C_Encrypt(session.handle(), plain, secret.size(), sealed.data(), &size);
  if (status != CKR_OK) return std::unexpected(Session::ErrorOf(status, "encrypted"));
  if (size != secret.size() + kTagBytes) {
    return Fail(Code::kUnprocessable, "token_mechanism_missing",
                "the token's AES-GCM gives no tag of 128 bits");
  }
  Bytes wrapped(gcm.nonce.begin(), gcm.nonce.end());
  wrapped.insert(wrapped.end(), sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(size));
  return wrapped;
}

Result<Bytes> WrapOaep(Session& session, const Key& key, const SecretBytes& secret) {
  const auto modulus = session.Attribute(key.object, CKA_MODULUS);
  const auto exponent = session.Attribute(key.object, CKA_PUBLIC_EXPONENT);
  if (!modulus || !exponent) return Unsuitable(key.label, "does not tell its public half");
  SecretBytes plain(kTokenContext.size() + secret.size());
  const auto out = plain.ExposeSecretForWriting();
  std::ranges::copy(AsBytes(kTokenContext), out.begin());
  std::ranges::copy(secret.ExposeSecret(), out.subspan(kTokenContext.size()).begin());
  return EncryptOaep(*modulus, *exponent, plain.ExposeSecret());
}

// A wrong key and an altered text look alike, and modules have many words for it.
Error DoesNotOpen(CK_RV status, const std::string& label) {
  switch (status) {
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_DEVICE_ERROR:
    case CKR_DEVICE_MEMORY:
    case CKR_HOST_MEMORY:
    case CKR_SESSION_CLOSED:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_USER_NOT_LOGGED_IN:
      return Session::ErrorOf(status, "decrypted");
    default:
      return {Code::kUnauthenticated,
              "root_key_wrong",
              Named(label) +
                  "does not open this vault: it is another key, or keyring.json was "
                  "altered",
              {}};
  }
}

Result<SecretBytes> Decrypt(Session& session, const Key& key, CK_MECHANISM& mechanism,
                            ByteView wrapped) {
  CK_RV status = session.module()->C_DecryptInit(session.handle(), &mechanism, key.object);
  if (status == CKR_ARGUMENTS_BAD) status = CKR_MECHANISM_PARAM_INVALID;
  if (status != CKR_OK) return std::unexpected(Session::ErrorOf(status, "began to decrypt"));
  SecretBytes plain(kMostPlaintext);
  CK_ULONG size = plain.size();
  status =
      session.module()->C_Decrypt(session.handle(), const_cast<std::uint8_t*>(wrapped.data()),
                                  wrapped.size(), plain.ExposeSecretForWriting().data(), &size);
  if (status != CKR_OK) return std::unexpected(DoesNotOpen(status, key.label));
  return SecretBytes::CopyOf(plain.ExposeSecret().first(std::min<std::size_t>(size, plain.size())));
}

Result<SecretBytes> Unwrap(Session& session, const Key& key, ByteView wrapped,
                           std::string_view context) {
  if (key.mechanism == kTokenAesGcm) {
    if (wrapped.size() != kNonceBytes + kRootSecretBytes + kTagBytes) {
      return std::unexpected(DoesNotOpen(CKR_OK, key.label));
    }
    GcmMechanism gcm(wrapped.first(kNonceBytes), AsBytes(context));
    COFFER_ASSIGN(SecretBytes secret,
                  Decrypt(session, key, gcm.mechanism, wrapped.subspan(kNonceBytes)));
    if (secret.size() != kRootSecretBytes) return std::unexpected(DoesNotOpen(CKR_OK, key.label));
    return secret;
  }
  CK_RSA_PKCS_OAEP_PARAMS oaep{CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, nullptr, 0};
  CK_MECHANISM mechanism{CKM_RSA_PKCS_OAEP, &oaep, sizeof oaep};
  COFFER_ASSIGN(const SecretBytes plain, Decrypt(session, key, mechanism, wrapped));
  const std::size_t head = context.size();
  if (plain.size() != head + kRootSecretBytes ||
      !ConstantTimeEqual(plain.ExposeSecret().first(head), AsBytes(context))) {
    return std::unexpected(DoesNotOpen(CKR_OK, key.label));
  }
  return SecretBytes::CopyOf(plain.ExposeSecret().subspan(head));
}

// A token that answers what it likes is found here, and not when the vault is to be opened: it
// gives back what it wrapped, and nothing that was altered or is of another context.
Status CheckAnswers(Session& session, const Key& key, const Bytes& wrapped,
                    const SecretBytes& secret) {
  COFFER_ASSIGN(const SecretBytes again, Unwrap(session, key, wrapped, kTokenContext));
  Bytes altered = wrapped;
  altered.back() ^= 1;
  const bool takes_altered = Unwrap(session, key, altered, kTokenContext).has_value();
  const bool takes_moved = Unwrap(session, key, wrapped, kRecoveryContext).has_value();
  if (again == secret && !takes_altered && !takes_moved) return {};
  return Fail(Code::kUnprocessable, "token_mechanism_missing",
              "the token does not authenticate what it decrypts");
}

Result<TokenAnswer> Wrapped(Session& session, const Key& key, const SecretBytes& secret) {
  COFFER_TRY(CheckSuitable(session, key));
  TokenAnswer answer;
  answer.root.mechanism = key.mechanism;
  answer.root.key_label = key.label;
  answer.root.key_id = session.Attribute(key.object, CKA_ID).value_or(Bytes());
  answer.root.token_label = session.token_label();
  answer.root.token_serial = session.token_serial();
  COFFER_ASSIGN(answer.root.wrapped, key.mechanism == kTokenAesGcm
                                         ? WrapGcm(session, key, secret)
                                         : WrapOaep(session, key, secret));
  COFFER_TRY(CheckAnswers(session, key, answer.root.wrapped, secret));
  return answer;
}

}  // namespace

Result<TokenAnswer> MakeRoot(Session& session, const TokenUri& uri,
                             const SecretBytes& root_secret) {
  COFFER_ASSIGN(const Found found, FindOrMake(session, uri));
  auto answer = Wrapped(session, found.key, root_secret);
  if (answer) {
    answer->made = found.made;
  } else if (found.made) {  // of no use, and in the way of the next try
    for (const CK_OBJECT_HANDLE object : {found.key.object, found.key.public_half}) {
      if (object != 0) session.module()->C_DestroyObject(session.handle(), object);
    }
  }
  return answer;
}

Result<TokenAnswer> OpenRoot(Session& session, const TokenRoot& root) {
  const bool aes = root.mechanism == kTokenAesGcm;
  COFFER_ASSIGN(const NamedObjects named, FindNamed(session, root.key_label, root.key_id));
  const auto& keys = aes ? named.secret : named.private_key;
  if (keys.empty()) {
    if (!named.secret.empty() || !named.private_key.empty()) {
      return Unsuitable(root.key_label, "is of another kind than the one that this vault is under");
    }
    return Fail(Code::kNotFound, "token_key_missing",
                "the token '" + session.token_label() + "' has no key '" + root.key_label +
                    "' that this vault is under");
  }
  COFFER_ASSIGN(const CK_OBJECT_HANDLE object, OnlyOne(keys, root.key_label));
  const Key key{object, aes ? kTokenAesGcm : kTokenRsaOaep, root.key_label};
  if (NumberOf(session, object, CKA_KEY_TYPE) != (aes ? CKK_AES : CKK_RSA)) {
    return Unsuitable(root.key_label, "is of another kind than the one that this vault is under");
  }
  TokenAnswer answer;
  COFFER_ASSIGN(answer.root_secret, Unwrap(session, key, root.wrapped, kTokenContext));
  return answer;
}

}  // namespace coffer::crypto::token
