// The signed act of an erasure.
#include "vault/deletion/erasure_acts.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "audit/documents/act_document.h"
#include "audit/documents/act_log_export.h"
#include "audit/documents/act_page.h"
#include "audit/documents/document_limits.h"
#include "audit/documents/erasure_act.h"
#include "audit/documents/stated_text.h"
#include "audit/entries/log_reader.h"
#include "audit/tlog/proof.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/catalog/catalog_state.h"
#include "vault/catalog/page_names.h"
#include "vault/deletion/document_request.h"
#include "vault/deletion/erase.h"
#include "vault/deletion/erasure.h"
#include "vault/deletion/erasure_ledger.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::int64_t kActDayMs = std::int64_t{24} * 3600 * 1000;

std::string BasisInWords(ErasureBasis basis) {
  using audit::Statement;
  switch (basis) {
    case ErasureBasis::kRequest:
      return audit::Stated(Statement::kBasisRequest);
    case ErasureBasis::kConsentWithdrawn:
      return audit::Stated(Statement::kBasisConsentWithdrawn);
    case ErasureBasis::kPurposeReached:
      return audit::Stated(Statement::kBasisPurposeReached);
    case ErasureBasis::kContractEnd:
      return audit::Stated(Statement::kBasisContractEnd);
    case ErasureBasis::kUnlawful:
      return audit::Stated(Statement::kBasisUnlawful);
    case ErasureBasis::kRetention:
      return audit::Stated(Statement::kBasisRetention);
    case ErasureBasis::kReplayed:
      break;
  }
  return audit::Stated(Statement::kBasisReplayed);
}

// What the erasure left, by class and beside the client's key.
std::vector<audit::KeptData> KeptIn(const json& facts, Timestamp erased) {
  using audit::Stated, audit::Statement;
  std::vector<audit::KeptData> all;
  for (const json& kept : facts.at("kept")) {
    all.push_back({Stated(Statement::kKeptRecords,
                          {kept.value("records", std::uint64_t{0}), kept.value("class", ""), {}}),
                   Stated(Statement::kKeptRecordsWhy)});
  }
  all.push_back({Stated(Statement::kKeptLog), Stated(Statement::kKeptLogWhy)});
  // What no key of the client ever sealed.
  if (const auto days = facts.find("index_days"); days != facts.end()) {
    const Timestamp until{erased.ms + days->get<std::int64_t>() * kActDayMs};
    all.push_back(
        {Stated(Statement::kKeptIndex), Stated(Statement::kKeptIndexWhy, {0, {}, until})});
    all.push_back({Stated(Statement::kKeptCopies), Stated(Statement::kKeptCopiesWhy)});
  }
  return all;
}

// From what was written down when it was erased. Precondition: there are facts.
Result<audit::ErasureAct> ActOf(const ErasureRow& row, const Catalog& catalog) {
  const json facts = json::parse(row.facts, nullptr, false);
  if (!facts.is_object()) return Fail(Code::kCorrupted, "storage_corrupted", "facts of an act");
  audit::ErasureAct act;
  act.erasure = row.id.Text();
  const json& details = facts.at("operator");
  act.details = {details.value("name", ""), details.value("address", ""),
                 details.value("processor_name", ""), details.value("processor_address", ""),
                 details.value("system", "")};
  act.client = row.client.Text();
  act.reference = facts.value("reference", "");
  act.scope = LedgerScopeOf(row);
  for (const RecordId& record : row.record_ids) act.records.push_back(record.Text());
  for (const json& person : facts.value("people", json::array())) {
    act.destroyed_by.push_back({person.value("id", ""), person.value("name", ""),
                                person.value("position", ""),
                                act.destroyed_by.empty() ? audit::DestroyerRole::kRequester
                                                         : audit::DestroyerRole::kApprover});
  }
  // Versions that added up the ledger's repeated lines counted records twice.
  const bool named = row.scope == ErasureScope::kRecords;
  std::uint64_t left = named ? row.record_ids.size() : std::numeric_limits<std::uint64_t>::max();
  for (const json& gone : facts.at("gone")) {
    const std::string name = gone.value("class", "");
    const auto records = std::min(left, gone.value("records", std::uint64_t{0}));
    left -= named ? records : 0;
    act.categories.push_back({name,
                              name == audit::kClientItself
                                  ? audit::Stated(audit::Statement::kClientWithoutRecords)
                                  : ClassTitle(catalog, name),
                              records, gone.value("versions", std::uint64_t{0})});
  }
  const bool whole = row.scope == ErasureScope::kClient;
  act.key = audit::DestroyedKey{row.client.Text(), row.generation, !whole};
  if (facts.contains("policy")) {
    act.reason = {audit::ReasonKind::kPolicy, facts["policy"].get<std::string>(),
                  facts.value("schedule", std::uint64_t{0}),
                  facts.value("legal_basis", BasisInWords(row.basis))};
  } else {
    act.reason = {audit::ReasonKind::kRequest,
                  act.reference.empty() ? row.id.Text() : act.reference, 0,
                  BasisInWords(row.basis)};
  }
  if (const auto first = facts.find("replayed"); first != facts.end()) {
    act.replayed = {{first->value("date", std::int64_t{0})},
                    first->value("log_seq", std::uint64_t{0})};
  }
  act.date = row.erased;
  act.kept = KeptIn(facts, row.erased);
  if (facts.contains("backup_horizon_days")) {
    act.backup_horizon_days = facts["backup_horizon_days"].get<std::uint64_t>();
  }
  act.log_seq = row.seq;
  act.ledger_seq = row.ledger_seq;
  FitAct(act);
  return act;
}

}  // namespace

Result<std::string> ErasureActs::MakeAct(const ErasureRow& row) const {
  COFFER_ASSIGN(audit::ErasureAct act,
                ActOf(row, *operations_.engine().Of<CatalogState>().Published()));
  act.vault = crypto::Base32Encode(operations_.keyring().vault_id());
  act.log = operations_.keyring().log_origin();
  COFFER_ASSIGN(const auto tree, trees_.LookAtNewest());
  COFFER_ASSIGN(auto reader, snapshots_.Open());
  COFFER_ASSIGN(const auto entry, reader->log().ReadEntry(row.seq));
  if (!entry) return Fail(Code::kCorrupted, "storage_corrupted", "the entry of an erasure is gone");
  act.entry_hash = crypto::Sha256(crypto::AsBytes(*entry));
  COFFER_ASSIGN(auto hashes,
                audit::InclusionProof(row.seq, tree.checkpoint.size,
                                      audit::MakeHashReader(reader->log(), tree.head)));
  COFFER_ASSIGN(const std::string note,
                audit::WriteAct(act, operations_.keyring().log_origin(), *tree.signer));
  return audit::AssembleAct(note, *entry,
                            audit::FormatProof({row.seq, std::move(hashes), tree.note}));
}

Result<std::string> ErasureActs::ReadAct(const Caller& caller, const ErasureId& id,
                                         const DocumentRequest& request) {
  Call call = operations_.Start(caller, {Action::kErasureRead});
  call.entry.detail = "act " + id.Text();
  ErasureRow row;
  std::optional<std::string> document;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(auto found, transaction.stores().erasures.Find(id));
    if (!found) return NotFound(call);
    row = *std::move(found);
    call.entry.client = row.client.Text();
    if (row.state != ErasureState::kComplete) return Fail(Code::kConflict, "erasure_unfinished");
    if (row.facts.empty()) return Fail(Code::kConflict, "act_purged");
    COFFER_ASSIGN(document, transaction.stores().erasures.FindAct(id));
    return {};
  }));
  if (!document) {
    auto made = MakeAct(row);
    if (!made) return std::unexpected(operations_.FailedLater(call, made.error()));
    // Whoever was first made the one that counts.
    COFFER_TRY(operations_.Store([&](Transaction& transaction) -> Status {
      COFFER_TRY(transaction.stores().erasures.PutAct(id, *made));
      COFFER_ASSIGN(document, transaction.stores().erasures.FindAct(id));
      return {};
    }));
    if (!document) return Fail(Code::kConflict, "act_purged");
  }
  if (request.form == DocumentForm::kDocument) return *std::move(document);
  const json parsed = json::parse(*document, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("note")) {
    return Fail(Code::kCorrupted, "storage_corrupted", "a stored act");
  }
  const auto note = parsed["note"].get<std::string>();
  COFFER_ASSIGN(const audit::ErasureAct act, audit::ParseAct(note));
  switch (request.form) {
    case DocumentForm::kLogJson:
      return audit::ActLogExport(act, audit::ActExportFormat::kJson);
    case DocumentForm::kLogCsv:
      return audit::ActLogExport(act, audit::ActExportFormat::kCsv, request.language);
    default:
      return audit::ActPage(act, note, request.language,
                            PageNamesOf(*operations_.engine().Of<CatalogState>().Published()));
  }
}

}  // namespace coffer::vault
