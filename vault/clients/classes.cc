// Classes of records.
#include "vault/clients/classes.h"

#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"
#include "vault/catalog/retention_dates.h"
#include "vault/clients/clients_state.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxClasses = 1000;

}  // namespace

bool Classes::HasClass(std::string_view name) const {
  return operations_.engine().Of<CatalogState>().Published()->Newest(name) != nullptr;
}

Result<std::shared_ptr<const ClassSchema>> Classes::GetClass(const Caller& caller,
                                                             std::string_view name,
                                                             std::optional<std::uint64_t> version) {
  Call call = operations_.Start(caller, {Action::kClassRead});
  std::shared_ptr<const ClassSchema> schema;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    schema = version ? transaction.Of<CatalogState>().current().Version(name, *version)
                     : transaction.Of<CatalogState>().current().Newest(name);
    if (!schema) return NotFound(call);
    call.entry.class_name = schema->name;
    call.entry.version = schema->version;
    return {};
  }));
  return schema;
}

Result<std::vector<std::shared_ptr<const ClassSchema>>> Classes::ListClasses(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kClassRead});
  std::vector<std::shared_ptr<const ClassSchema>> classes;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    for (const auto& [name, versions] : transaction.Of<CatalogState>().current().classes) {
      classes.push_back(versions.back());
    }
    return {};
  }));
  return classes;
}

Result<std::shared_ptr<const ClassSchema>> Classes::PutClass(const Caller& caller,
                                                             std::string_view name,
                                                             std::string_view definition) {
  auto parsed = ParseClass(definition);
  if (parsed && parsed->name != name) {
    parsed = std::unexpected(Error{
        Code::kUnprocessable, "class_invalid", {}, {{"/name", "must be the name in the path"}}});
  }
  if (auto faults = FaultsOfClassWords(definition); parsed && !faults.empty()) {
    parsed = std::unexpected(Error{Code::kUnprocessable, "class_invalid", {}, std::move(faults)});
  }
  if (!parsed) {
    return operations_.Refuse(caller, {Action::kClassWrite}, parsed.error());
  }
  Call call = operations_.Start(caller, {Action::kClassWrite, OperationKind::kWrite});
  call.entry.class_name = parsed->name;
  std::shared_ptr<const ClassSchema> stored;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    const auto newest = transaction.Of<CatalogState>().current().Newest(name);
    if (newest && newest->definition == parsed->definition) {
      stored = newest;
      call.entry.version = newest->version;
      call.entry.outcome = "unchanged";
      return {};
    }
    for (const std::string& purpose : parsed->purposes) {
      if (!transaction.Of<CatalogState>().current().purposes.contains(purpose)) {
        return std::unexpected(Error{Code::kUnprocessable,
                                     "class_invalid",
                                     {},
                                     {{"/purposes", "names a purpose that is not registered"}}});
      }
    }
    if (const auto& retention = transaction.Of<CatalogState>().current().retention) {
      auto issues = retention->schedule.IssuesOfClass(*parsed);
      if (!issues.empty()) {
        return std::unexpected(Error{Code::kUnprocessable, "class_invalid", {}, std::move(issues)});
      }
    }
    if (!newest && transaction.Of<CatalogState>().current().classes.size() >= kMaxClasses) {
      return Fail(Code::kConflict, "too_many_classes");
    }
    if (const auto& retention = transaction.Of<CatalogState>().current().retention;
        retention && newest && MovesDueDates(retention->schedule, *newest, *parsed)) {
      // As much as another schedule: it says when records go.
      COFFER_TRY(two_person_.RequireApproval(
          transaction, call,
          {"retention.write", std::string(kClassTarget) + parsed->name, parsed->definition}));
    }
    parsed->version = newest ? newest->version + 1 : 1;
    call.entry.version = parsed->version;
    call.entry.payload_hash = crypto::Sha256(crypto::AsBytes(parsed->definition));
    COFFER_TRY(
        transaction.Of<CatalogState>().catalog_store.InsertClass(*parsed, transaction.now()));
    COFFER_TRY(transaction.Of<ClientsState>().stores.index.ClassChanged(newest.get(), *parsed));
    Catalog catalog = transaction.Of<CatalogState>().current();
    ClassVersions& versions = catalog.classes[parsed->name];
    versions = WithNewVersion(versions, *parsed);
    stored = versions.back();
    ReplaceCatalog(transaction, std::move(catalog));
    IndexChanged(transaction);
    return {};
  }));
  return stored;
}

}  // namespace coffer::vault
