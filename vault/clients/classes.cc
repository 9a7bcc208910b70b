// Classes and the register of purposes.
#include "vault/access/core.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/clients_state.h"
#include "vault/deletion/retention_dates.h"
#include "vault/vault.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxClasses = 1000;
constexpr std::size_t kMaxPurposes = 1000;

}  // namespace

bool Vault::HasClass(std::string_view name) const {
  return core_->engine->Of<CatalogState>().Published()->Newest(name) != nullptr;
}

Result<std::shared_ptr<const ClassSchema>> Vault::GetClass(const Caller& caller,
                                                           std::string_view name,
                                                           std::optional<std::uint64_t> version) {
  Call call = core_->StartCall(caller, Action::kClassRead);
  std::shared_ptr<const ClassSchema> schema;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        schema = version ? transaction.Of<CatalogState>().current().Version(name, *version)
                         : transaction.Of<CatalogState>().current().Newest(name);
        if (!schema) return NotFound(call);
        call.entry.class_name = schema->name;
        call.entry.version = schema->version;
        return {};
      }));
  return schema;
}

Result<std::vector<std::shared_ptr<const ClassSchema>>> Vault::ListClasses(const Caller& caller) {
  Call call = core_->StartCall(caller, Action::kClassRead);
  std::vector<std::shared_ptr<const ClassSchema>> classes;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        for (const auto& [name, versions] : transaction.Of<CatalogState>().current().classes) {
          classes.push_back(versions.back());
        }
        return {};
      }));
  return classes;
}

Result<std::shared_ptr<const ClassSchema>> Vault::PutClass(const Caller& caller,
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
    return std::unexpected(
        Refuse(caller, Action::kClassWrite, std::nullopt, std::nullopt, parsed.error()));
  }
  Call call = core_->StartCall(caller, Action::kClassWrite);
  call.entry.class_name = parsed->name;
  std::shared_ptr<const ClassSchema> stored;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        const auto newest = transaction.Of<CatalogState>().current().Newest(name);
        if (newest && newest->definition == parsed->definition) {
          stored = newest;
          call.entry.version = newest->version;
          call.entry.outcome = "unchanged";
          return {};
        }
        for (const std::string& purpose : parsed->purposes) {
          if (!transaction.Of<CatalogState>().current().purposes.contains(purpose)) {
            return std::unexpected(
                Error{Code::kUnprocessable,
                      "class_invalid",
                      {},
                      {{"/purposes", "names a purpose that is not registered"}}});
          }
        }
        if (const auto& retention = transaction.Of<CatalogState>().current().retention) {
          auto issues = retention->schedule.IssuesOfClass(*parsed);
          if (!issues.empty()) {
            return std::unexpected(
                Error{Code::kUnprocessable, "class_invalid", {}, std::move(issues)});
          }
        }
        if (!newest && transaction.Of<CatalogState>().current().classes.size() >= kMaxClasses) {
          return Fail(Code::kConflict, "too_many_classes");
        }
        if (const auto& retention = transaction.Of<CatalogState>().current().retention;
            retention && newest && MovesDueDates(retention->schedule, *newest, *parsed)) {
          // As much as another schedule: it says when records go.
          COFFER_TRY(core_->RequireApproval(
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

Result<Purpose> Vault::GetPurpose(const Caller& caller, std::string_view code) {
  Call call = core_->StartCall(caller, Action::kPurposeRead);
  Purpose purpose;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        const auto found = transaction.Of<CatalogState>().current().purposes.find(code);
        if (found == transaction.Of<CatalogState>().current().purposes.end()) {
          return NotFound(call);
        }
        purpose = found->second;
        call.entry.detail = purpose.code;
        return {};
      }));
  return purpose;
}

Result<std::vector<Purpose>> Vault::ListPurposes(const Caller& caller) {
  Call call = core_->StartCall(caller, Action::kPurposeRead);
  std::vector<Purpose> purposes;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        for (const auto& [code, purpose] : transaction.Of<CatalogState>().current().purposes) {
          purposes.push_back(purpose);
        }
        return {};
      }));
  return purposes;
}

Result<Purpose> Vault::PutPurpose(const Caller& caller, std::string_view code,
                                  std::string_view definition) {
  auto purpose = ParsePurpose(code, definition);
  auto faults = FaultsOfTexts(definition, {}, "/description");
  if (purpose && audit::IsBlank(purpose->title)) faults.push_back({"/title", "must not be blank"});
  if (purpose && !faults.empty()) {
    purpose =
        std::unexpected(Error{Code::kUnprocessable, "purpose_invalid", {}, std::move(faults)});
  }
  if (!purpose) {
    return std::unexpected(
        Refuse(caller, Action::kPurposeWrite, std::nullopt, std::nullopt, purpose.error()));
  }
  Call call = core_->StartCall(caller, Action::kPurposeWrite);
  call.entry.detail = purpose->code;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        Catalog catalog = transaction.Of<CatalogState>().current();
        const auto known = catalog.purposes.find(purpose->code);
        if (known != catalog.purposes.end() &&
            FormatPurpose(known->second) == FormatPurpose(*purpose)) {
          call.entry.outcome = "unchanged";
          return {};
        }
        if (!catalog.purposes.contains(purpose->code) && catalog.purposes.size() >= kMaxPurposes) {
          return Fail(Code::kConflict, "too_many_purposes");
        }
        call.entry.payload_hash = crypto::Sha256(crypto::AsBytes(FormatPurpose(*purpose)));
        COFFER_TRY(
            transaction.Of<CatalogState>().catalog_store.PutPurpose(*purpose, transaction.now()));
        catalog.purposes.insert_or_assign(purpose->code, *purpose);
        ReplaceCatalog(transaction, std::move(catalog));
        return {};
      }));
  return *purpose;
}

}  // namespace coffer::vault
