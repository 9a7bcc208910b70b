// What is known of erasures afterwards: the signed act, and where something could still be.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "audit/documents/act_log_export.h"
#include "audit/documents/act_page.h"
#include "audit/documents/document_limits.h"
#include "audit/documents/erasure_act.h"
#include "audit/documents/stated_text.h"
#include "audit/entries/log_reader.h"
#include "audit/tlog/proof.h"
#include "vault/access/access_state.h"
#include "vault/access/core.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/clients_state.h"
#include "vault/deletion/deletion_state.h"
#include "vault/deletion/erase.h"
#include "vault/oversight/page_names.h"
#include "vault/vault.h"

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

// What copies of vault.db from before the last erasure (none: of now) still answer.
Trace IndexTrace(const IndexStatus& index, const std::optional<Timestamp>& erased) {
  // The key of generation 0 is in the keyring, and stays.
  const bool covered = erased && index.generation != 0 && !index.retiring &&
                       (!index.oldest_uncovered || *erased < *index.oldest_uncovered);
  if (covered) {
    return {"index-copies", "unreadable", 0,
            "keyed hashes in older copies of vault.db; their key is destroyed, but for copies from "
            "before the index had a key of its own, which the keyring answers"};
  }
  std::string detail =
      "keyed hashes of indexed values and the reference in copies of vault.db, for who has the "
      "index's key";
  if (erased && index.due) {
    detail += "; it is exchanged from " + audit::FormatTimestamp(*index.due) + " on";
  }
  return {"index-copies", "present", 0, std::move(detail)};
}

}  // namespace

Result<std::string> Vault::Core::MakeAct(const ErasureRow& row) {
  COFFER_ASSIGN(audit::ErasureAct act, ActOf(row, *engine->Of<CatalogState>().Published()));
  act.vault = crypto::Base32Encode(keyring.vault_id());
  act.log = keyring.log_origin();
  COFFER_ASSIGN(const auto tree, LookAtNewestTree());
  COFFER_ASSIGN(auto reader, SnapshotReader::Open(*this));
  COFFER_ASSIGN(const auto entry, reader->log().ReadEntry(row.seq));
  if (!entry) return Fail(Code::kCorrupted, "storage_corrupted", "the entry of an erasure is gone");
  act.entry_hash = crypto::Sha256(crypto::AsBytes(*entry));
  COFFER_ASSIGN(auto hashes,
                audit::InclusionProof(row.seq, tree.checkpoint.size,
                                      audit::MakeHashReader(reader->log(), tree.head)));
  COFFER_ASSIGN(const std::string note,
                audit::WriteAct(act, keyring.log_origin(), keyring.log_signing_key()));
  return audit::AssembleAct(note, *entry,
                            audit::FormatProof({row.seq, std::move(hashes), tree.note}));
}

Result<std::string> Vault::ReadAct(const Caller& caller, const ErasureId& id,
                                   const DocumentRequest& request) {
  Call call = core_->StartCall(caller, Action::kErasureRead);
  call.entry.detail = "act " + id.Text();
  ErasureRow row;
  std::optional<std::string> document;
  COFFER_TRY(core_->Perform(OperationKind::kRead, call, std::nullopt, nullptr,
                            [&](Transaction& transaction) -> Status {
                              COFFER_ASSIGN(auto found, transaction.stores().erasures.Find(id));
                              if (!found) return NotFound(call);
                              row = *std::move(found);
                              call.entry.client = row.client.Text();
                              if (row.state != ErasureState::kComplete)
                                return Fail(Code::kConflict, "erasure_unfinished");
                              if (row.facts.empty()) return Fail(Code::kConflict, "act_purged");
                              COFFER_ASSIGN(document, transaction.stores().erasures.FindAct(id));
                              return {};
                            }));
  if (!document) {
    auto made = core_->MakeAct(row);
    if (!made) return std::unexpected(core_->FailedLater(call, made.error()));
    // Whoever was first made the one that counts.
    audit::Entry none;
    COFFER_TRY(core_->engine->Run(
        OperationKind::kWrite, EntryRule::kNever, none, [&](Transaction& transaction) -> Status {
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
                            PageNamesOf(*core_->engine->Of<CatalogState>().Published()));
  }
}

namespace {

// By which it would be noticed that the client comes back.
Trace OfErasedReference(const std::vector<ErasureRow>& erasures) {
  const auto last = std::ranges::find(erasures, ErasureScope::kClient, &ErasureRow::scope);
  if (last == erasures.end() || !last->ref_token) return {"erased-reference", "absent", 0, {}};
  return {"erased-reference", "present", 1,
          "keyed hash of the external reference, until " +
              audit::FormatTimestamp(Timestamp{last->erased.ms + kActLifetimeMs})};
}

}  // namespace

Result<std::vector<Trace>> Vault::FindTraces(const Caller& caller, const ClientId& client) {
  Call call = core_->StartCall(caller, Action::kClientTrace);
  call.About(client);
  std::vector<Trace> traces;
  const auto counted = [&](std::string place, std::uint64_t count, std::string detail) {
    traces.push_back(
        {std::move(place), count > 0 ? "present" : "absent", count, std::move(detail)});
  };
  bool erased = false;
  std::optional<Timestamp> last;  // erasure
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        traces.clear();
        auto& stores = transaction.Of<ClientsState>().stores;
        COFFER_ASSIGN(const auto row, stores.clients.Find(client));
        COFFER_ASSIGN(const auto erasures, transaction.stores().erasures.ListOf(client));
        if (!row && erasures.empty()) return NotFound(call);
        erased = !row;
        for (const auto& erasure : erasures)
          last = std::max(last.value_or(Timestamp{}), erasure.erased);
        counted("profile", row ? 1 : 0, "external reference (sealed), tags, dates");
        std::map<std::string, std::uint64_t> classes;
        std::uint64_t versions = 0, indexed = 0;
        COFFER_ASSIGN(const auto records, stores.records.ListOf(client.Row(), {}, -1, 1U << 30));
        for (const std::int64_t id : records) {
          COFFER_ASSIGN(const auto record, stores.records.FindRow(id));
          if (!record) continue;
          ++classes[record->class_name];
          if (!record->tokens.empty() || record->import_token) ++indexed;
          COFFER_ASSIGN(const auto old, stores.records.ListVersions(id));
          versions += old.size();
        }
        std::string by_class;
        for (const auto& [name, count] : classes) {
          by_class += (by_class.empty() ? "" : ", ") + name + ": " + std::to_string(count);
        }
        counted("records", records.size(), by_class);
        counted("old-versions", versions, "of these records");
        counted("search-index", indexed, "records with keyed hashes of indexed fields");
        COFFER_ASSIGN(const auto notes, transaction.stores().log->ListNotes(client.Row()));
        counted("reasons", notes.size(), "free text given with requests, sealed");
        COFFER_ASSIGN(const auto oldest, transaction.stores().keys.OldestGeneration(client));
        traces.push_back(
            {"key", oldest ? "present" : "absent", oldest ? 1U : 0U,
             oldest ? "in keys.db, wrapped" : "destroyed; what it sealed can be read by nobody"});
        const auto* const assignments =
            transaction.Of<AccessState>().access().AssignmentsOf(client);
        counted("assignments", assignments == nullptr ? 0 : assignments->size(),
                "who the client is given to");
        const auto* const leases = transaction.Of<AccessState>().access().LeasesOf(client);
        counted("leases", leases == nullptr ? 0 : leases->size(), "fields shown for a time");
        counted("holds",
                row ? transaction.Of<DeletionState>().holds().Covering(*row, {}).size() : 0,
                "that stop its deletion; also those by its tags");
        counted("restrictions", transaction.Of<AccessState>().restrictions().Of(client).size(),
                "of its processing, with their basis in words, sealed");
        std::string ids;
        for (const auto& erasure : erasures) ids += (ids.empty() ? "" : ", ") + erasure.id.Text();
        counted("erasures", erasures.size(), ids);
        traces.push_back(OfErasedReference(erasures));
        traces.push_back(
            {"ledger", erasures.empty() ? "absent" : "pseudonymous", erasures.size(), "ids only"});
        return {};
      }));
  // Beside the engine.
  LogSummaryRequest about;
  about.filter.client = client.Text();
  LogSummary summary;
  const auto summed = core_->CountLog(about, true, summary);
  std::uint64_t entries = 0, exports = 0;
  for (const LogCount& count : summary.counts) {
    entries += count.count;
    if (count.value == Name(Action::kClientExport) || count.value == Name(Action::kClientPackage)) {
      exports += count.count;
    }
  }
  if (summed) {
    traces.push_back({"access-log", "pseudonymous", entries, "entries with the client's id"});
    traces.push_back({"exports", exports > 0 ? "unknown" : "absent", exports,
                      "entries of exports: what was handed out is where it was taken to"});
  } else {
    traces.push_back(
        {"access-log", "pseudonymous", 0, "the log's index is being made: not counted"});
    traces.push_back({"exports", "unknown", 0, "the log's index is being made: not counted"});
  }
  const bool wal_pending = core_->engine->Statistics().wal_truncation_pending;
  traces.push_back(
      {"write-ahead-logs", erased && !wal_pending ? "unreadable" : "present", 0,
       erased && wal_pending
           ? "a long read holds pages of before in vault.db-wal; it is emptied after it"
           : "earlier pages of vault.db and in free pages, sealed under the client's key"});
  traces.push_back(IndexTrace(core_->IndexStatusNow(), last));
  const auto& horizon = core_->options.backup_horizon_days;
  traces.push_back({"backups", "unknown", 0,
                    (horizon ? "backups of keys.db are kept for " + std::to_string(*horizon) +
                                   " days, as configured: until then they hold the key"
                             : "how long backups of keys.db are kept is not configured") +
                        std::string("; backups of vault.db have ids, tags and dates in clear")});
  return traces;
}

}  // namespace coffer::vault
