// Consent records for others: what is in them, and what must not be.
#include "api/cli/text/consent_record.h"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

const json kPurposes = {{{"code", "marketing"}, {"title", "Offers"}, {"legal_basis", "consent"}}};

json GivenConsent() {
  return {{"id", "con_01kdyahk904tff59tdwh9edd1r"},
          {"client", "cli_01kdyahk904tff59tdwh9edd1r"},
          {"purpose", "marketing"},
          {"state", "stands"},
          {"text",
           {{"name", "newsletter"}, {"version", 3}, {"language", "de"}, {"sha256", "b0a5fb41"}}},
          {"given", "2026-01-02T03:03:16.000Z"},
          {"channel", "website"},
          {"given_by", "client"},
          {"evidence", "EVIDENCE of it"},
          {"authority", "AUTHORITY of it"},
          {"of_age", true},
          {"recorded", "2026-01-02T03:03:17.000Z"},
          {"recorded_by", "svc_01kdvr4w90t7z2k4n6r8w0y1v4"},
          {"entry", 4711U},
          {"statement", R"({"client":"cli_01kdyahk904tff59tdwh9edd1r"})"}};
}

json OneRecord(const json& consent) {
  const json all = ConsentRecords(json::array({consent}), kPurposes);
  REQUIRE(all.at("@graph").size() == 1);
  return all.at("@graph").at(0);
}

std::string HexOf(const std::string& text) {
  return crypto::HexEncode(crypto::Sha256(crypto::AsBytes(text)));
}

}  // namespace

TEST_CASE("a consent record says what was agreed, to which text, and what proves it") {
  const json record = OneRecord(GivenConsent());
  CHECK(record.at("@type") == "dpv:ConsentRecord");
  CHECK(record.at("dct:identifier") == "con_01kdyahk904tff59tdwh9edd1r");
  CHECK(record.at("dpv:hasPurpose").at("dct:title") == "Offers");
  CHECK(record.at("dpv:hasNotice").at("dct:hasVersion") == "3");
  CHECK(record.at("dpv:hasNotice").at("spdx:checksum").at("spdx:checksumValue") == "b0a5fb41");
  CHECK(record.at("spdx:checksum").at("spdx:checksumValue") ==
        HexOf(R"({"client":"cli_01kdyahk904tff59tdwh9edd1r"})"));
  const json& statuses = record.at("dpv:hasConsentStatus");
  REQUIRE(statuses.size() == 1);
  CHECK(statuses[0].at("@type") == "dpv:ConsentGiven");
  CHECK(statuses[0].at("coffer:logEntry") == 4711);
  CHECK(statuses[0].at("dpv:isIndicatedAtTime").at("@value") == "2026-01-02T03:03:16.000Z");
}

TEST_CASE("a consent record's last status is that of now") {
  json consent = GivenConsent();
  consent["state"] = "expired";
  consent["expires"] = "2026-02-01T00:00:00.000Z";
  json statuses = OneRecord(consent).at("dpv:hasConsentStatus");
  CHECK(statuses.at(0).at("dpv:hasDuration").at("rdf:value").at("@value") ==
        "2026-02-01T00:00:00.000Z");
  CHECK(statuses.back().at("@type") == "dpv:ConsentExpired");
  consent["state"] = "withdrawn";
  consent["withdrawal"] = {
      {"withdrawn", "2026-01-20T00:00:00.000Z"}, {"channel", "email"}, {"entry", 4800U}};
  statuses = OneRecord(consent).at("dpv:hasConsentStatus");
  REQUIRE(statuses.size() == 2);
  CHECK(statuses[1].at("@type") == "dpv:ConsentWithdrawn");
  CHECK(statuses[1].at("dpv:hasIndicationMethod") == "email");
  CHECK(statuses[1].at("coffer:logEntry") == 4800);
}

TEST_CASE("a consent record names the client by a hash, and says nothing that is sealed") {
  json consent = GivenConsent();
  for (const char* by : {"client", "representative"}) {
    consent["given_by"] = by;
    const json record = OneRecord(consent);
    const std::string text = record.dump();
    for (const char* hidden : {"cli_", "EVIDENCE", "AUTHORITY", "svc_", "of_age"}) {
      INFO(by << " " << hidden);
      CHECK(text.find(hidden) == std::string::npos);
    }
    CHECK(record.at("dpv:hasDataSubject").at("@id") ==
          "urn:sha256:" + HexOf("cli_01kdyahk904tff59tdwh9edd1r"));
  }
  // A purpose that the register does not have.
  consent["purpose"] = "gone";
  CHECK(OneRecord(consent).at("dpv:hasPurpose").at("dct:identifier") == "gone");
  CHECK(ConsentRecords(json::array(), kPurposes).at("@graph").empty());
}

}  // namespace coffer::cli
