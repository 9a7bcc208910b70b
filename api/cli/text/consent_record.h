// Consent records in the form of others: ISO/IEC TS 27560:2023 as JSON-LD, by the Data Privacy
// Vocabulary (W3C DPV 2.0, "Consent Records and Receipts as per ISO/IEC TS 27560:2023").
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace coffer::cli {

// Of the consents and the purposes as the API answers them. The person is named by the SHA-256 of
// its client id, and nothing that is sealed for the client is in it: neither where the evidence is,
// nor who agreed in the client's name. The checksum of a record is the payload hash of the entry of
// the log that recorded it. Of a purpose that is not in the register there is the code only.
nlohmann::json ConsentRecords(const nlohmann::json& consents, const nlohmann::json& purposes);

}  // namespace coffer::cli
