#include "crypto/certificate.h"

#include <openssl/err.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/crypto/hex.h"
#include "tests/crypto/x509_builder.h"
#include "tests/support/sampling.h"

namespace coffer::crypto {
namespace {

using Names = std::vector<std::string>;

// Made with `openssl req -x509`, OpenSSL 3.0.19; "O=Example, CN=cn.example" and one subjectAltName
// of each kind.
constexpr std::string_view kKnownCertificate = R"(-----BEGIN CERTIFICATE-----
MIICBDCCAaqgAwIBAgIUH1PcgIyov/geZNOCMs4GAFWU/GYwCgYIKoZIzj0EAwIw
JzEQMA4GA1UECgwHRXhhbXBsZTETMBEGA1UEAwwKY24uZXhhbXBsZTAgFw0yNjEx
MjIwOTA3MTZaGA8yMDgxMDgyNTA5MDcxNlowJzEQMA4GA1UECgwHRXhhbXBsZTET
MBEGA1UEAwwKY24uZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDO7
wA4Aujw/sNZUu0ba9ZxcTvAtag0RBCFCrYEu6XJEsFNPnf2FbvzmHX91U/USNy5g
cgMGDwv9Z8WNXbixqk2jgbEwga4wgYwGA1UdEQSBhDCBgYILQ1JNLkV4YW1wbGWB
FUphbmUuRG9lQE1haWwuRVhBTVBMRYcEwAACAYcQIAENuAAAAAAAAAAAAAAAAYYc
c3BpZmZlOi8vY3JtLmV4YW1wbGUvQmFja2VuZIgDKgMEoA4GAyoDBKAHDAVvdGhl
cqQQMA4xDDAKBgNVBAoMA0RpcjAdBgNVHQ4EFgQUbYhsIb8uGi083HOfR3TZ7Dtl
j+kwCgYIKoZIzj0EAwIDSAAwRQIhAMoWMuz5MVxzOtR9dwQbo8n5S+qBzB6dSanN
bWNK1f3aAiBTLrp5Q4akA7W/yrMqlrF4x1g+lD02lKp3Gqh6d5ThBQ==
-----END CERTIFICATE-----
)";
// openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | sha256sum
constexpr std::string_view kKnownSpki =
    "d8881fbfd0580e34f68066158f0bbaaf4ffff324f6a24eab9126cfb84dea44ff";

CertificateOfTest Certificate(const std::function<void(X509&)>& fill = {}) {
  static const KeyOfTest key = EcKey("P-256");
  return SelfSigned(*key, 1'700'000'000, 1'800'000'000, fill);
}

CertificateFacts FactsOf(X509& certificate) {
  auto facts = ReadCertificate(AsBytes(DerTextOf(certificate)));
  REQUIRE(facts);
  return *std::move(facts);
}

Names NamesRead(int type, std::string_view value) {
  const auto certificate = Certificate([&](X509& c) {
    const auto names = NoNames();
    Append(*names, RawName(type, value));
    AddExtension(c, NID_subject_alt_name, names.get());
  });
  return FactsOf(*certificate).names;
}

void CheckMalformed(const Result<CertificateFacts>& facts) {
  REQUIRE_FALSE(facts);
  CHECK(facts.error().code == Code::kUnprocessable);
  CHECK(facts.error().reason == "certificate_malformed");
  CHECK(ERR_peek_error() == 0);
}

}  // namespace

TEST_CASE("a certificate made by the openssl command is read as that command reads it") {
  const auto facts = ReadCertificatePem(kKnownCertificate);
  REQUIRE(facts);
  CHECK(HexEncode(facts->spki) == kKnownSpki);
  CHECK(facts->names == Names{"dns:crm.example", "email:Jane.Doe@mail.example", "ip:192.0.2.1",
                              "ip:2001:db8::1", "uri:spiffe://crm.example/Backend"});
  CHECK(facts->not_before == 1795338436);
  CHECK(facts->not_after == 3523338436);  // beyond 2050: another type of ASN.1
}

TEST_CASE("the fingerprint is that of the public key, whatever its kind and certificate") {
  const auto check = [](EVP_PKEY& key) {
    std::uint8_t* encoded = nullptr;
    const int size = i2d_PUBKEY(&key, &encoded);
    REQUIRE(size > 0);
    Hash expected{};
    CHECK(EVP_Digest(encoded, static_cast<std::size_t>(size), expected.data(), nullptr,
                     EVP_sha256(), nullptr) == 1);
    OPENSSL_free(encoded);
    CHECK(FactsOf(*SelfSigned(key, 1, 2)).spki == expected);
    CHECK(FactsOf(*SelfSigned(key, 3, 4)).spki == expected);
  };
  check(*EcKey("P-256"));
  check(*EcKey("P-384"));
  check(*RsaKey(2048));
  check(*KeyOf("ED25519"));
}

TEST_CASE("the validity is read to the second, before 1970 and beyond 2050") {
  const auto key = EcKey("P-256");
  for (const std::int64_t time : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{2524607999},
                                  std::int64_t{2524608000}, std::int64_t{253402300799}}) {
    const auto facts = FactsOf(*SelfSigned(*key, time, time));
    CHECK(facts.not_before == time);
    CHECK(facts.not_after == time);
  }
}

TEST_CASE("a certificate without subjectAltNames has no names, whatever its common name") {
  CHECK(FactsOf(*Certificate()).names.empty());
}

TEST_CASE("each kind of name is read in one spelling") {
  CHECK(NamesRead(GEN_DNS, "API.Crm.Example") == Names{"dns:api.crm.example"});
  CHECK(NamesRead(GEN_DNS, "*.crm.example") == Names{"dns:*.crm.example"});
  CHECK(NamesRead(GEN_EMAIL, "Jane@CRM.Example") == Names{"email:Jane@crm.example"});
  CHECK(NamesRead(GEN_EMAIL, "\"A@B\"@CRM.Example") == Names{"email:\"A@B\"@crm.example"});
  CHECK(NamesRead(GEN_URI, "spiffe://crm.example/A") == Names{"uri:spiffe://crm.example/A"});
  CHECK(NamesRead(GEN_IPADD, "\x7f\x01\x02\x03") == Names{"ip:127.1.2.3"});
  CHECK(NamesRead(GEN_IPADD, std::string(15, '\0') + '\1') == Names{"ip:::1"});
}

TEST_CASE("names that could be taken for others are left out") {
  using std::string_view_literals::operator""sv;
  for (const int type : {GEN_DNS, GEN_URI, GEN_EMAIL}) {
    for (const std::string_view value :
         {""sv, "crm.example\0.evil.example"sv, "a@crm.example\0"sv, "\0"sv, "crm.example\n"sv,
          "crm .example"sv, "crm.example\x7f"sv, "kr\xc3\xb6ln@crm.example"sv,
          "a@crm.example\xff"sv}) {
      CHECK(NamesRead(type, value).empty());
    }
  }
  CHECK(NamesRead(GEN_EMAIL, "crm.example").empty());
  CHECK(NamesRead(GEN_EMAIL, "jane@").empty());
  CHECK(NamesRead(GEN_IPADD, "").empty());
  CHECK(NamesRead(GEN_IPADD, "\x7f\x01\x02").empty());
  CHECK(NamesRead(GEN_IPADD, "\x7f\x01\x02\x03\xff\xff\xff\xff").empty());  // of name constraints
}

TEST_CASE("a name that is left out leaves the others") {
  const auto certificate = Certificate([&](X509& c) {
    const auto names = NoNames();
    Append(*names, RawName(GEN_DNS, "a.example"));
    Append(*names, RawName(GEN_DNS, std::string("b.example\0", 10)));
    Append(*names, RawName(GEN_DNS, "c.example"));
    AddExtension(c, NID_subject_alt_name, names.get(), /*critical=*/true);
  });
  CHECK(FactsOf(*certificate).names == Names{"dns:a.example", "dns:c.example"});
}

TEST_CASE("subjectAltNames that cannot be read, or are there twice, are refused") {
  using std::string_view_literals::operator""sv;
  for (const std::string_view content :
       {""sv, "\x30\x05\x82\x01"sv, "\x04\x00"sv, "\x30\x03\x82\x01\x61\x00"sv}) {
    const auto certificate =
        Certificate([&](X509& c) { AddRawExtension(c, NID_subject_alt_name, content); });
    CheckMalformed(ReadCertificate(AsBytes(DerTextOf(*certificate))));
  }
  const auto twice = Certificate([&](X509& c) {
    AddRawExtension(c, NID_subject_alt_name, "\x30\x03\x82\x01\x61"sv);
    AddRawExtension(c, NID_subject_alt_name, "\x30\x03\x82\x01\x62"sv);
  });
  CheckMalformed(ReadCertificate(AsBytes(DerTextOf(*twice))));
}

TEST_CASE("what is not one certificate to the last byte is refused") {
  const std::string der = DerTextOf(*Certificate());
  CHECK(ReadCertificate(AsBytes(der)));
  for (std::size_t size = 0; size < der.size(); ++size) {
    CheckMalformed(ReadCertificate(AsBytes(der).first(size)));
  }
  CheckMalformed(ReadCertificate(AsBytes(der + '\0')));
  CheckMalformed(ReadCertificate(AsBytes(der + der)));
  CheckMalformed(ReadCertificate(AsBytes(PemOf(*Certificate()))));
  const auto key = EcKey("P-256");
  CheckMalformed(ReadCertificate(AsBytes(
      Written([&](BIO* bio) { return i2d_X509_REQ_bio(bio, RequestFor(*key, *key).get()); }))));
}

TEST_CASE("a flipped bit is read or refused, and breaks nothing") {
  const auto known = ReadCertificatePem(kKnownCertificate);
  std::string der = DerTextOf(*CertificateFrom(kKnownCertificate));
  for (std::size_t bit = 0; bit < der.size() * 8; bit += testing::Every(3U)) {
    der[bit / 8] = static_cast<char>(der[bit / 8] ^ (1 << bit % 8));
    const auto facts = ReadCertificate(AsBytes(der));
    if (!facts) CHECK(facts.error().reason == "certificate_malformed");
    CHECK(ERR_peek_error() == 0);
    der[bit / 8] = static_cast<char>(der[bit / 8] ^ (1 << bit % 8));
  }
  CHECK(ReadCertificate(AsBytes(der))->spki == known->spki);
}

TEST_CASE("a certificate of more than 64 KiB is refused") {
  const auto large = [](std::size_t size) {
    return Certificate(
        [&](X509& c) { AddRawExtension(c, NID_netscape_comment, std::string(size, 'a')); });
  };
  CHECK(ReadCertificatePem(PemOf(*large(60'000))));
  CheckMalformed(ReadCertificate(AsBytes(DerTextOf(*large(66'000)))));
  CheckMalformed(ReadCertificatePem(PemOf(*large(66'000))));
}

TEST_CASE("PEM is taken with other line ends and white space around it") {
  const std::string pem(kKnownCertificate);
  std::string crlf;
  std::string one_line;
  for (const char c : pem) {
    crlf += c == '\n' ? "\r\n" : std::string(1, c);
    if (c != '\n') one_line += c;
  }
  for (const std::string& text : {pem, crlf, one_line, "\n " + pem + "\r\n\t "}) {
    CHECK(HexEncode(ReadCertificatePem(text)->spki) == kKnownSpki);
  }
}

TEST_CASE("PEM with anything beside one certificate is refused") {
  const std::string pem(kKnownCertificate);
  const std::string body = pem.substr(28, pem.size() - 28 - 26);
  REQUIRE(body.starts_with("MII"));
  REQUIRE(body.ends_with("=\n"));
  const auto block = [&](const std::string& label) {
    return "-----BEGIN " + label + "-----\n" + body + "-----END " + label + "-----\n";
  };
  REQUIRE(block("CERTIFICATE") == pem);
  for (const std::string& text :
       {std::string(), std::string("\n"), pem + pem, pem + "x", "x" + pem, "Certificate:\n" + pem,
        pem + std::string(1, '\0'), pem.substr(1), pem.substr(0, pem.size() - 2), body,
        block("TRUSTED CERTIFICATE"), block("X509 CERTIFICATE"), block("CERTIFICATE REQUEST"),
        "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\n" + pem.substr(28),
        pem.substr(0, 40) + "*" + pem.substr(41), pem.substr(0, 40) + pem.substr(41),
        std::string("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN CERTIFICATE-----")}) {
    INFO(text);
    CheckMalformed(ReadCertificatePem(text));
  }
}

}  // namespace coffer::crypto
