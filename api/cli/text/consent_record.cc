#include "api/cli/text/consent_record.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "api/cli/text/json_view.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

std::string Sha256Of(const std::string& text) {
  return crypto::HexEncode(crypto::Sha256(crypto::AsBytes(text)));
}

json TimeOf(const std::string& text) { return {{"@type", "xsd:dateTime"}, {"@value", text}}; }

json ChecksumOf(const std::string& sha256) {
  return {{"@type", "spdx:Checksum"},
          {"spdx:algorithm", {{"@id", "spdx:checksumAlgorithm_sha256"}}},
          {"spdx:checksumValue", sha256}};
}

// With the entry of the log that proves it.
json StatusOf(const char* status, const json& said, const char* when) {
  json indicated = {{"@type", status}, {"dpv:isIndicatedAtTime", TimeOf(Text(said, when))}};
  if (const std::string channel = Text(said, "channel"); !channel.empty()) {
    indicated["dpv:hasIndicationMethod"] = channel;
  }
  if (const auto entry = Number(said, "entry")) indicated["coffer:logEntry"] = *entry;
  return indicated;
}

// In the order in which they came: the last is that of now.
json StatusesOf(const json& consent) {
  const std::string expires = Text(consent, "expires");
  json given = StatusOf("dpv:ConsentGiven", consent, "given");
  given["dpv:isIndicatedBy"] = {
      {"@id", Text(consent, "given_by") == "client" ? "dpv:DataSubject" : "dpv:Representative"}};
  if (!expires.empty()) {
    given["dpv:hasDuration"] = {{"@type", "dpv:UntilTimeDuration"}, {"rdf:value", TimeOf(expires)}};
  }
  json statuses = json::array({std::move(given)});
  if (const json& withdrawal = Member(consent, "withdrawal"); withdrawal.is_object()) {
    statuses.push_back(StatusOf("dpv:ConsentWithdrawn", withdrawal, "withdrawn"));
  } else if (Text(consent, "state") == "expired") {
    statuses.push_back(
        {{"@type", "dpv:ConsentExpired"}, {"dpv:isIndicatedAtTime", TimeOf(expires)}});
  }
  return statuses;
}

json PurposeOf(const std::string& code, const json& purposes) {
  json purpose = {{"@type", "dpv:Purpose"}, {"dct:identifier", code}};
  const auto found = std::ranges::find_if(
      purposes, [&](const json& registered) { return Text(registered, "code") == code; });
  if (found == purposes.end()) return purpose;
  purpose["dct:title"] = Text(*found, "title");
  purpose["coffer:legalBasis"] = Text(*found, "legal_basis");
  return purpose;
}

json RecordOf(const json& consent, const json& purposes) {
  const std::string id = Text(consent, "id");
  const json& text = Member(consent, "text");
  json notice = {{"@type", "dpv:ConsentNotice"},
                 {"dct:identifier", Text(text, "name")},
                 {"dct:hasVersion", Text(text, "version")},
                 {"dct:language", Text(text, "language")},
                 {"spdx:checksum", ChecksumOf(Text(text, "sha256"))}};
  return {{"@id", "urn:coffer:consent:" + id},
          {"@type", "dpv:ConsentRecord"},
          {"dct:identifier", id},
          {"dct:conformsTo", {{"@id", "https://w3id.org/dpv/schema/dpv-27560#record"}}},
          {"dct:created", TimeOf(Text(consent, "recorded"))},
          {"dpv:hasDataSubject", {{"@id", "urn:sha256:" + Sha256Of(Text(consent, "client"))}}},
          {"dpv:hasLegalBasis", {{"@id", "dpv:Consent"}}},
          {"dpv:hasPurpose", PurposeOf(Text(consent, "purpose"), purposes)},
          {"dpv:hasNotice", std::move(notice)},
          {"dpv:hasConsentStatus", StatusesOf(consent)},
          {"spdx:checksum", ChecksumOf(Sha256Of(Text(consent, "statement")))}};
}

}  // namespace

json ConsentRecords(const json& consents, const json& purposes) {
  json records = {{"@context",
                   {{"coffer", "urn:coffer:"},
                    {"dct", "http://purl.org/dc/terms/"},
                    {"dpv", "https://w3id.org/dpv#"},
                    {"rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"},
                    {"spdx", "http://spdx.org/rdf/terms#"},
                    {"xsd", "http://www.w3.org/2001/XMLSchema#"}}},
                  {"@graph", json::array()}};
  for (const json& consent : consents) records["@graph"].push_back(RecordOf(consent, purposes));
  return records;
}

}  // namespace coffer::cli
