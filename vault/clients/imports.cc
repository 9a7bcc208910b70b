// Import: one client by its reference, and one record of it.
#include "vault/clients/imports.h"

#include <deque>
#include <numeric>

#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/import.h"
#include "vault/clients/record_operations.h"
#include "vault/clients/row_import.h"

namespace coffer::vault {
namespace {

// The rows at these places.
void ImportAt(const Operations& operations, const Caller& caller, std::span<const ImportRow> rows,
              std::span<const std::size_t> places, RowGroup& group,
              std::vector<Result<ImportResult>>& results) {
  std::deque<RowImport> imports;
  std::vector<Status> prepared;
  std::vector<Operations::Performed> performed;
  prepared.reserve(places.size());
  performed.reserve(places.size());
  // Their ids follow one another, so that they are stored beside one another, whoever else imports.
  for (const std::size_t place : places) {
    imports.emplace_back(operations, caller, rows[place], group);
  }
  for (RowImport& import : imports) {
    prepared.push_back(import.Prepare());
    if (prepared.back()) performed.push_back({&import.call(), import, {}});
  }
  operations.PerformInBulk(performed);
  auto done = performed.begin();
  for (std::size_t i = 0; i < places.size(); ++i) {
    results[places[i]] = imports[i].Finish(prepared[i] ? (done++)->status : prepared[i]);
  }
}

}  // namespace

std::string_view Name(ImportOutcome outcome) {
  switch (outcome) {
    case ImportOutcome::kCreated:
      return "created";
    case ImportOutcome::kUpdated:
      return "updated";
    case ImportOutcome::kUnchanged:
      return "unchanged";
  }
  return "";
}

Status Imports::MayImport(const Caller& caller, std::string_view class_name) {
  constexpr Action kAction = Action::kRecordImport;
  const auto schema = operations_.engine().Of<CatalogState>().Published()->Newest(class_name);
  if (!schema) {
    return operations_.Refuse(caller, {kAction}, {Code::kUnprocessable, "class_unknown", {}, {}});
  }
  Call call = operations_.Start(
      caller, {.action = kAction, .record_class = schema.get(), .entry = EntryRule::kOnRefusal});
  return operations_.Perform(call, [](Transaction&) -> Status { return {}; });
}

Result<ImportResult> Imports::ImportRecord(const Caller& caller, const ImportRow& row) {
  return std::move(ImportRecords(caller, {&row, 1}).front());
}

std::vector<Result<ImportResult>> Imports::ImportRecords(const Caller& caller,
                                                         std::span<const ImportRow> rows) {
  std::vector<Result<ImportResult>> results(rows.size());
  std::vector<std::size_t> places(rows.size());
  std::iota(places.begin(), places.end(), 0);
  for (int attempt = 0; !places.empty(); ++attempt) {
    RowGroup group{.last_time = attempt == kClassRetries};
    ImportAt(operations_, caller, rows, places, group, results);
    if (group.last_time) break;
    // The class has another version than these were prepared for.
    std::erase_if(places, [&](std::size_t place) {
      return results[place] || results[place].error().reason != kClassChanged;
    });
  }
  return results;
}

}  // namespace coffer::vault
