#include "crypto/certificate_authority.h"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <set>

#include "crypto/certificate.h"
#include "tests/crypto/authority_fixture.h"
#include "tests/crypto/hex.h"

namespace coffer::crypto {
namespace {

using Store = std::unique_ptr<X509_STORE, internal::FreeWith<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, internal::FreeWith<X509_STORE_CTX_free>>;

// X509_V_OK, or why X509_verify_cert refuses `leaf` for `purpose` at `now`, strictly by RFC 5280.
int Verify(X509& leaf, const CertificateAuthority& authority, int purpose,
           std::int64_t now = kNow) {
  const auto root = CertificateFrom(authority.certificate_pem());
  const Store store(X509_STORE_new());
  const StoreContext context(X509_STORE_CTX_new());
  Need(X509_STORE_add_cert(store.get(), root.get()) == 1 &&
       X509_STORE_CTX_init(context.get(), store.get(), &leaf, nullptr) == 1 &&
       X509_STORE_CTX_set_purpose(context.get(), purpose) == 1);
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, now);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  return X509_verify_cert(context.get()) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context.get());
}

bool IsCritical(const X509& certificate, int kind) {
  const int at = X509_get_ext_by_NID(&certificate, kind, -1);
  REQUIRE(at >= 0);
  CHECK(X509_get_ext_by_NID(&certificate, kind, at) < 0);
  return X509_EXTENSION_get_critical(X509_get_ext(&certificate, at)) == 1;
}

std::string SerialOf(const X509& certificate) {
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(&certificate);
  CHECK(ASN1_STRING_type(serial) == V_ASN1_INTEGER);  // else negative
  return HexEncode(ByteView(ASN1_STRING_get0_data(serial),
                            static_cast<std::size_t>(ASN1_STRING_length(serial))));
}

}  // namespace

TEST_CASE("an authority is a root that signs clients and no further authorities") {
  const auto root = CertificateFrom(Authority().certificate_pem());
  CHECK(X509_get_version(root.get()) == X509_VERSION_3);
  CHECK(X509_check_ca(root.get()) == 1);
  CHECK(X509_get_pathlen(root.get()) == 0);
  CHECK(X509_get_key_usage(root.get()) == (X509v3_KU_KEY_CERT_SIGN | X509v3_KU_CRL_SIGN));
  CHECK(IsCritical(*root, NID_basic_constraints));
  CHECK(IsCritical(*root, NID_key_usage));
  CHECK_FALSE(IsCritical(*root, NID_subject_key_identifier));
  CHECK(X509_get_ext_count(root.get()) == 3);
  CHECK(X509_self_signed(root.get(), 1) == 1);
  std::array<char, 128> subject{};
  X509_NAME_oneline(X509_get_subject_name(root.get()), subject.data(), subject.size());
  CHECK(std::string_view(subject.data()) == "/O=Example Ltd/CN=Coffer client CA");
  const auto facts = ReadCertificatePem(Authority().certificate_pem());
  REQUIRE(facts);
  CHECK(facts->not_before == kNow - 300);
  CHECK(facts->not_after == kNow + 10 * kYear);
  CHECK(facts->names.empty());
}

TEST_CASE("an authority opens from what it exported, and what it issues then verifies") {
  const SecretBytes key = Authority().ExportPrivateKey();
  const auto again = CertificateAuthority::Open(Authority().certificate_pem(), key);
  REQUIRE(again);
  CHECK(again->certificate_pem() == Authority().certificate_pem());
  CHECK(again->ExportPrivateKey() == key);
  const auto leaf = again->Issue(Csr(), Names{"dns:crm.example"}, kNow, kDay);
  REQUIRE(leaf);
  CHECK(Verify(*CertificateFrom(*leaf), Authority(), X509_PURPOSE_SSL_CLIENT) == X509_V_OK);
}

TEST_CASE("a key that is not the authority's is refused, also one that claims to be") {
  const std::string& pem = Authority().certificate_pem();
  const CertificateAuthority other = NewAuthority();
  CheckRefused(CertificateAuthority::Open(pem, other.ExportPrivateKey()),
               "certificate_authority_key_mismatch", Code::kCorrupted);
  // The public half that the certificate has, beside another private half.
  SecretBytes forged = Authority().ExportPrivateKey();
  const SecretBytes strange = other.ExportPrivateKey();
  std::ranges::copy(strange.ExposeSecret().subspan(36, 32),
                    forged.ExposeSecretForWriting().subspan(36).begin());
  CheckRefused(CertificateAuthority::Open(pem, forged), "certificate_authority_malformed",
               Code::kCorrupted);
  CheckRefused(CertificateAuthority::Open(pem, SecretBytes()), "certificate_authority_malformed",
               Code::kCorrupted);
  CheckRefused(CertificateAuthority::Open(pem, SecretBytes(138)), "certificate_authority_malformed",
               Code::kCorrupted);
}

TEST_CASE("what is no authority's certificate, or was altered, does not open") {
  const auto refused = [](const std::string& pem, const SecretBytes& key) {
    CheckRefused(CertificateAuthority::Open(pem, key), "certificate_authority_malformed",
                 Code::kCorrupted);
  };
  const SecretBytes key = Authority().ExportPrivateKey();
  const std::string& pem = Authority().certificate_pem();
  refused("", key);
  refused(pem + pem, key);
  refused(pem.substr(0, 100) + (pem[100] == 'A' ? "B" : "A") + pem.substr(101), key);

  const auto bytes = key.ExposeSecret();
  const std::uint8_t* at = bytes.data();
  const KeyOfTest own(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(bytes.size())));
  refused(PemOf(*SelfSigned(*own, kNow, kNow + kYear)), key);  // no CA:TRUE

  const auto longer = CertificateFrom(pem);
  Need(ASN1_TIME_set(X509_getm_notAfter(longer.get()), kNow + 20 * kYear) != nullptr &&
       i2d_re_X509_tbs(longer.get(), nullptr) > 0);  // under the signature that it had
  refused(PemOf(*longer), key);
}

TEST_CASE("organisations are 1 to 64 characters of text") {
  const auto create = [](std::string_view organisation) {
    return CertificateAuthority::Create(organisation, kNow, kYear);
  };
  CHECK(create("E"));
  std::string umlauts;
  for (int i = 0; i < 64; ++i) umlauts += "\u00fc";
  CHECK(create(umlauts));
  for (const std::string& text :
       {std::string(), umlauts + "x", std::string(65, 'x'), std::string(100'000, 'x'),
        std::string("a\0b", 3), std::string("a\nb"), std::string("a\x7f"), std::string("\xff")}) {
    CheckRefused(create(text), "certificate_organisation_invalid");
  }
}

TEST_CASE("lifetimes of authorities have bounds, and so has the calendar") {
  const auto create = [](std::int64_t now, std::int64_t lifetime) {
    return CertificateAuthority::Create("Example", now, lifetime);
  };
  CHECK(create(kNow, kMinCertificateLifetime));
  CHECK(create(kNow, kMaxAuthorityLifetime));
  CHECK(create(300, kYear));
  CHECK(create(253402300799 - kYear, kYear));
  for (const auto& [now, lifetime] : {std::pair{kNow, kMinCertificateLifetime - 1},
                                      {kNow, kMaxAuthorityLifetime + 1},
                                      {kNow, std::int64_t{0}},
                                      {kNow, INT64_MIN},
                                      {kNow, INT64_MAX},
                                      {std::int64_t{299}, kYear},
                                      {INT64_MIN, kYear},
                                      {INT64_MAX, kYear},
                                      {253402300800 - kYear, kYear}}) {
    CheckRefused(create(now, lifetime), "certificate_lifetime_invalid");
  }
}

TEST_CASE("a leaf verifies for TLS clients and for nothing else") {
  const auto leaf = Leaf();
  CHECK(Verify(*leaf, Authority(), X509_PURPOSE_SSL_CLIENT) == X509_V_OK);
  for (const int purpose : {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SMIME_SIGN,
                            X509_PURPOSE_SMIME_ENCRYPT, X509_PURPOSE_TIMESTAMP_SIGN}) {
    CHECK(Verify(*leaf, Authority(), purpose) == X509_V_ERR_INVALID_PURPOSE);
  }
  CHECK(Verify(*leaf, NewAuthority(), X509_PURPOSE_SSL_CLIENT) != X509_V_OK);
  CHECK(Verify(*leaf, Authority(), X509_PURPOSE_SSL_CLIENT, kNow - 301) ==
        X509_V_ERR_CERT_NOT_YET_VALID);
  CHECK(Verify(*leaf, Authority(), X509_PURPOSE_SSL_CLIENT, kNow + 90 * kDay + 1) ==
        X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST_CASE("a leaf says what RFC 5280 wants of it and no more") {
  const auto leaf = Leaf();
  CHECK(X509_get_version(leaf.get()) == X509_VERSION_3);
  CHECK(X509_NAME_entry_count(X509_get_subject_name(leaf.get())) == 0);
  CHECK(X509_check_ca(leaf.get()) == 0);
  CHECK(X509_get_key_usage(leaf.get()) == X509v3_KU_DIGITAL_SIGNATURE);
  CHECK(X509_get_extended_key_usage(leaf.get()) == XKU_SSL_CLIENT);
  CHECK(IsCritical(*leaf, NID_basic_constraints));
  CHECK(IsCritical(*leaf, NID_key_usage));
  CHECK(IsCritical(*leaf, NID_subject_alt_name));  // as the subject is empty
  CHECK_FALSE(IsCritical(*leaf, NID_ext_key_usage));
  CHECK_FALSE(IsCritical(*leaf, NID_subject_key_identifier));
  CHECK_FALSE(IsCritical(*leaf, NID_authority_key_identifier));
  CHECK(X509_get_ext_count(leaf.get()) == 6);
  const auto root = CertificateFrom(Authority().certificate_pem());
  CHECK(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(leaf.get()),
                              X509_get0_subject_key_id(root.get())) == 0);
  CHECK(ASN1_STRING_length(X509_get0_subject_key_id(leaf.get())) == 20);
}

TEST_CASE("nothing that a request asks for gets into the certificate") {
  const auto key = EcKey("P-256");
  const auto request = RequestFor(*key, *key, [](X509_REQ& r) {
    SetCommonName(X509_REQ_get_subject_name(&r), "admin");
    STACK_OF(X509_EXTENSION)* wanted = nullptr;
    for (const auto& [kind, value] :
         {std::pair{NID_basic_constraints, "critical,CA:TRUE"},
          {NID_key_usage, "keyCertSign"},
          {NID_ext_key_usage, "serverAuth,anyExtendedKeyUsage"},
          {NID_subject_alt_name, "DNS:admin.example,URI:spiffe://admin"}}) {
      X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
      Need(extension != nullptr && X509v3_add_ext(&wanted, extension, -1) != nullptr);
      X509_EXTENSION_free(extension);
    }
    Need(X509_REQ_add_extensions(&r, wanted) == 1);
    sk_X509_EXTENSION_pop_free(wanted, X509_EXTENSION_free);
  });
  const auto leaf = Leaf(PemOf(*request), {"dns:crm.example"});
  CHECK(X509_check_ca(leaf.get()) == 0);
  CHECK(X509_NAME_entry_count(X509_get_subject_name(leaf.get())) == 0);
  CHECK(X509_get_key_usage(leaf.get()) == X509v3_KU_DIGITAL_SIGNATURE);
  CHECK(X509_get_extended_key_usage(leaf.get()) == XKU_SSL_CLIENT);
  CHECK(X509_get_ext_count(leaf.get()) == 6);
  CHECK(Verify(*leaf, Authority(), X509_PURPOSE_SSL_SERVER) == X509_V_ERR_INVALID_PURPOSE);
  CHECK(ReadCertificatePem(PemOf(*leaf))->names == Names{"dns:crm.example"});
}

TEST_CASE("names and the key's fingerprint come back from a leaf") {
  const Names names{"dns:CRM.Example",
                    "email:Jane.Doe@CRM.Example",
                    "ip:192.0.2.1",
                    "ip:2001:DB8:0::1",
                    "uri:spiffe://crm/A?x=%2f#y",
                    "uri:urn:uuid:1",
                    "dns:a-1.xn--kln-sna.test",
                    "dns:crm"};
  const auto facts = ReadCertificatePem(*Issue(Csr(), names));
  REQUIRE(facts);
  CHECK(facts->names == Names{"dns:crm.example", "email:Jane.Doe@crm.example", "ip:192.0.2.1",
                              "ip:2001:db8::1", "uri:spiffe://crm/A?x=%2f#y", "uri:urn:uuid:1",
                              "dns:a-1.xn--kln-sna.test", "dns:crm"});
  // A renewed certificate of the same key has the same fingerprint, another key another.
  CHECK(ReadCertificatePem(*Issue(Csr()))->spki == facts->spki);
  CHECK(ReadCertificatePem(*Issue(NewClientKey()->csr_pem))->spki != facts->spki);
}

TEST_CASE("names that are none, or could be taken for others, are refused") {
  const std::string label(63, 'a');
  const std::string host = label + "." + label + "." + label + "." + std::string(61, 'a');
  CHECK(Issue(Csr(), {"dns:" + host}));
  CHECK(Issue(Csr(), {"email:" + std::string(64, 'a') + "@b.example"}));
  CHECK(Issue(Csr(), {"uri:a:" + std::string(2046, 'b')}));
  for (const std::string& name : {std::string(),
                                  std::string("crm.example"),
                                  std::string(":"),
                                  std::string("dns:"),
                                  std::string("DNS:crm.example"),
                                  std::string("cn:crm.example"),
                                  "dns:" + host + "a",
                                  "dns:a" + label,
                                  std::string("dns:*.example"),
                                  std::string("dns:crm.example."),
                                  std::string("dns:.crm"),
                                  std::string("dns:a..b"),
                                  std::string("dns:-a.example"),
                                  std::string("dns:a-.example"),
                                  std::string("dns:a_b.example"),
                                  std::string("dns:192.0.2.1"),
                                  std::string("dns:a.example,IP:192.0.2.1"),
                                  std::string("dns:a b"),
                                  std::string("dns:a.example\n"),
                                  std::string("dns:a.example\0.b", 16),
                                  std::string("dns:k\u00f6ln.example"),
                                  std::string("email:a.example"),
                                  std::string("email:@a.example"),
                                  std::string("email:a@"),
                                  std::string("email:a@b@c.example"),
                                  std::string("email:.a@b.example"),
                                  std::string("email:a..b@c.example"),
                                  std::string("email:\"a b\"@c.example"),
                                  std::string("email:Jane <a@b.example>"),
                                  "email:" + std::string(65, 'a') + "@b.example",
                                  "email:" + std::string(60, 'a') + "@" + host.substr(0, 194),
                                  std::string("uri:"),
                                  std::string("uri:a"),
                                  std::string("uri:a:"),
                                  std::string("uri:/a"),
                                  std::string("uri::a"),
                                  std::string("uri:1a:b"),
                                  std::string("uri:a:b c"),
                                  std::string("uri:a:%"),
                                  std::string("uri:a:%2"),
                                  std::string("uri:a:%2g"),
                                  std::string("uri:a:\"b\""),
                                  std::string("uri:a:\\b"),
                                  "uri:a:" + std::string(2047, 'b'),
                                  std::string("ip:"),
                                  std::string("ip:192.0.2"),
                                  std::string("ip:192.0.2.256"),
                                  std::string("ip:192.0.2.1/24"),
                                  std::string("ip:192.0.2.1\0", 13),
                                  std::string("ip:::g"),
                                  std::string("ip:fe80::1%eth0")}) {
    INFO(name);
    CheckRefused(Issue(Csr(), {name}), "certificate_name_invalid");
    CheckRefused(Issue(Csr(), {"dns:good.example", name}), "certificate_name_invalid");
  }
}

TEST_CASE("a certificate has 1 to 64 names") {
  CheckRefused(Issue(Csr(), {}), "certificate_name_invalid");
  Names names;
  for (std::size_t i = 0; i < kMaxCertificateNames; ++i) {
    names.push_back("dns:n" + std::to_string(i) + ".example");
  }
  CHECK(ReadCertificatePem(*Issue(Csr(), names))->names == names);
  names.push_back("dns:one.more");
  CheckRefused(Issue(Csr(), names), "certificate_name_invalid");
}

TEST_CASE("a leaf lives for 60 seconds to 398 days, and begins five minutes early") {
  for (const std::int64_t lifetime : {kMinCertificateLifetime, kDay, kMaxCertificateLifetime}) {
    const auto facts = ReadCertificatePem(*Issue(Csr(), {"dns:a.example"}, lifetime));
    REQUIRE(facts);
    CHECK(facts->not_before == kNow - 300);
    CHECK(facts->not_after == kNow + lifetime);
  }
  CHECK(kMaxCertificateLifetime == 398 * kDay);
  for (const std::int64_t lifetime :
       {std::int64_t{59}, std::int64_t{0}, -kDay, 398 * kDay + 1, INT64_MIN, INT64_MAX}) {
    CheckRefused(Issue(Csr(), {"dns:a.example"}, lifetime), "certificate_lifetime_invalid");
  }
}

TEST_CASE("no leaf lives longer than its authority") {
  const CertificateAuthority authority = NewAuthority(kYear);
  const auto issue = [&](std::int64_t now) {
    return authority.Issue(Csr(), Names{"dns:a.example"}, now, 90 * kDay);
  };
  const std::int64_t end = kNow + kYear;
  CHECK(ReadCertificatePem(*issue(end - 90 * kDay))->not_after == end);
  CHECK(ReadCertificatePem(*issue(end - 30 * kDay))->not_after == end);
  CHECK(ReadCertificatePem(*issue(end - 60))->not_after == end);
  for (const std::int64_t now : {end - 59, end, end + kYear, kNow - 301}) {
    CheckRefused(issue(now), "certificate_authority_expired", Code::kConflict);
  }
}

TEST_CASE("serial numbers are positive, of 127 bits, and never the same") {
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const std::string serial = SerialOf(*Leaf());
    CHECK(serial.size() == 32);
    CHECK(serial[0] >= '4');
    CHECK(serial[0] <= '7');
    seen.insert(serial);
  }
  seen.insert(SerialOf(*CertificateFrom(Authority().certificate_pem())));
  seen.insert(SerialOf(*CertificateFrom(NewAuthority().certificate_pem())));
  CHECK(seen.size() == 202);
}

}  // namespace coffer::crypto
