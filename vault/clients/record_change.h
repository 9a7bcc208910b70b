// What a change makes of a record: the document that would be stored, and under which version of
// its class. Updates and imports change records by this alone.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "vault/access/call.h"
#include "vault/access/operations.h"
#include "vault/catalog/class_schema.h"
#include "vault/clients/record.h"
#include "vault/clients/record_store.h"
#include "vault/clients/record_update.h"

namespace coffer::vault {

// Which fields of a record are the caller's to change: those which they write and see as they are,
// by both versions of the class. `writing`: what was decided of the call for this client.
Result<UpdateTerms> TermsFor(const Operations& operations, Transaction& transaction,
                             const Call& call, const AccessDecision& writing,
                             const ClientId& client, const ClassSchema& written,
                             const ClassSchema& newest);

struct ChangedDocument {
  nlohmann::json whole;
  Document document;
  std::vector<std::string> changed;  // fields
  std::vector<std::string> removed;  // of these, those that are there no more
};

// `stored`: what was opened of the record, empty where there is nothing to compare with. Errors:
// those of the document; kPermissionDenied "field_not_writable".
Result<ChangedDocument> ChangeDocument(const ClassSchema& schema, const FieldViews& writable,
                                       ChangeForm form, const nlohmann::json& sent,
                                       std::string_view stored);

// A merge patch as the document of what is not there yet: fields that it takes away are left out,
// and what is no field of the class stays, to be refused like elsewhere.
nlohmann::json WithoutNulls(const ClassSchema& schema, const nlohmann::json& patch);

// The fields of `row`, and what searches and due dates have of it: these go by the newest version
// of the class, whichever one the record stays under.
void TakeDocument(RecordRow& row, const Operations& operations, const UpdateTerms& terms,
                  const ClassSchema& written, const ClassSchema& newest,
                  const ChangedDocument& change);

}  // namespace coffer::vault
