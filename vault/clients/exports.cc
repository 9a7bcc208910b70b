// Bulk export: clients with their records, page by page, an entry for each.
#include "vault/clients/exports.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "vault/access/approval.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/access/telling.h"
#include "vault/base/names.h"
#include "vault/base/page.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/client.h"
#include "vault/clients/client_operations.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/export_page.h"
#include "vault/clients/export_selection.h"
#include "vault/clients/record.h"
#include "vault/clients/record_operations.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxExportClasses = 100;
// One page looks at so many clients and records, of which some may not be the caller's to see.
constexpr std::size_t kExportScan = 2000;

// Where an export goes on: after this record of this client, or after this whole client.
struct Position {
  std::int64_t client = 0;
  std::int64_t record = 0;  // 0: none of it yet
  bool inside = false;      // the client itself was disclosed already
};

class Exporter {
 public:
  Exporter(const Operations& operations, Transaction& transaction, Call& call,
           const ExportSelection& selection, std::size_t limit, ExportRecord* record)
      : operations_(operations),
        transaction_(transaction),
        call_(call),
        selection_(selection),
        limit_(limit),
        record_(record),
        disclosure_(operations, transaction, call, true) {}

  struct Taken {
    SealedClient client;
    bool shown = false;  // as a line of its own; otherwise an earlier page has it
    View reference = View::kPlain;
    std::vector<SealedRecord> records;
  };

  // Takes what fits; `position` is where to go on, nothing at the end.
  Status Run(std::optional<Position>& position) {
    Position at = position.value_or(Position{});
    if (at.inside) {
      COFFER_ASSIGN(const bool whole, TakeClient(at.client, at));
      if (!whole) return Stop(at, position);
    }
    while (!IsFull()) {
      COFFER_ASSIGN(const auto ids, transaction_.Of<ClientsState>().stores.clients.List(
                                        at.client, selection_.tag, kExportScan));
      for (const std::int64_t id : ids) {
        if (IsFull()) return Stop(at, position);
        ++scanned_;
        at = {id, 0, false};
        COFFER_ASSIGN(const bool whole, TakeClient(id, at));
        if (!whole) return Stop(at, position);
      }
      if (ids.size() < kExportScan) {
        position.reset();
        return End();
      }
    }
    return Stop(at, position);
  }

  // The same of one client, which is there.
  Status RunOne(const ClientId& client, std::optional<Position>& position) {
    Position at = position.value_or(Position{client.Row(), 0, false});
    COFFER_ASSIGN(const bool whole, TakeClient(client.Row(), at));
    if (!whole) return Stop(at, position);
    position.reset();
    return End();
  }

  std::vector<Taken>& taken() { return taken_; }

 private:
  // What was handed out is recorded; the reveals are counted last.
  Status End() {
    if (record_ != nullptr) COFFER_TRY(record_->Store(transaction_));
    return disclosure_.CountReveals();
  }

  bool IsFull() const { return lines_ >= limit_ || scanned_ >= kExportScan; }

  Status Stop(const Position& at, std::optional<Position>& position) {
    position = at;
    return End();
  }

  Result<AccessDecision> DecideOn(const ClientId& client) {
    if (!call_.role->budgeted) return operations_.DecisionOn(transaction_, call_, client, nullptr);
    return operations_.DecideFor(transaction_, call_, call_.action, client, nullptr);
  }

  // False when the page is full before the client is done; `at` says how far it came.
  Result<bool> TakeClient(std::int64_t id, Position& at) {
    auto& stores = transaction_.Of<ClientsState>().stores;
    COFFER_ASSIGN(auto row, stores.clients.FindRow(id));
    if (!row) return true;
    COFFER_ASSIGN(const auto decision, DecideOn(row->id));
    if (!decision.allowed && decision.error.code == Code::kExhausted) {
      return Deny(call_, "budget", decision.error.code, decision.error.reason);
    }
    if (!decision.allowed) return true;
    COFFER_TRY(operations_.CheckWhole(row->id.value));
    COFFER_ASSIGN(auto key, transaction_.PinKey(row->id));
    const ClientId client = row->id;
    Taken taken{
        {*std::move(row), std::move(key)}, !at.inside, ReferenceViewOf(decision, false), {}};
    if (taken.shown) {
      audit::Entry entry;
      entry.action = Name(call_.action);
      entry.client = client.Text();
      entry.fields = ProfileFields();
      if (taken.reference == View::kMasked) entry.detail = "masked external_ref";
      if (taken.reference < View::kMasked) std::erase(entry.fields, "external_ref");
      entry.version = taken.client.row.version;
      if (record_ != nullptr) record_->Add(client, {}, transaction_.NextSeq());
      transaction_.Also(std::move(entry));
      ++lines_;
    }
    taken_.push_back(std::move(taken));
    at.inside = true;
    COFFER_ASSIGN(const auto records, stores.records.ListOf(id, {}, at.record, kExportScan));
    for (const std::int64_t record : records) {
      if (IsFull()) return false;
      ++scanned_;
      at.record = record;
      COFFER_ASSIGN(auto found, stores.records.FindRow(record));
      const auto& classes = selection_.classes;
      if (!found || (!classes.empty() && !std::ranges::binary_search(classes, found->class_name))) {
        continue;
      }
      const std::string class_name = record_ != nullptr ? found->class_name : std::string();
      const std::uint64_t seq = transaction_.NextSeq();
      COFFER_ASSIGN(auto sealed, disclosure_.Disclose(client, decision, *std::move(found)));
      if (!sealed) continue;
      if (record_ != nullptr) record_->Add(client, class_name, seq);
      taken_.back().records.push_back(*std::move(sealed));
      ++lines_;
    }
    if (records.size() == kExportScan) return false;
    at = {id, 0, false};
    return true;
  }

  const Operations& operations_;
  Transaction& transaction_;
  Call& call_;
  const ExportSelection& selection_;
  const std::size_t limit_;
  ExportRecord* const record_;  // null: nobody said to whom it goes
  RecordDisclosure disclosure_;
  std::vector<Taken> taken_;
  std::size_t lines_ = 0, scanned_ = 0;
};

// What was logged as disclosed, opened. The call's entry is about what could not be.
Result<std::vector<std::variant<ClientInfo, RecordInfo>>> OpenTaken(
    const Operations& operations, Call& call, const std::vector<Exporter::Taken>& taken) {
  std::vector<std::variant<ClientInfo, RecordInfo>> lines;
  for (const auto& [client, shown, reference, records] : taken) {
    call.entry.client = client.row.id.Text();
    call.entry.record.clear();
    if (shown) {
      auto info = OpenClient(operations, client);
      if (!info) return std::unexpected(operations.IntegrityAlarm(call, info.error().reason));
      if (!info->external_ref.empty() && reference != View::kPlain) {
        info->external_ref = reference == View::kMasked ? "***" : "";
      }
      lines.emplace_back(*std::move(info));
    }
    for (const auto& sealed : records) {
      auto info = OpenRecord(operations, client.row.id, client.key.Expose(), sealed);
      if (!info) {
        call.entry.record = sealed.row.id.Text();
        return std::unexpected(operations.IntegrityAlarm(call, info.error().reason));
      }
      lines.emplace_back(*std::move(info));
    }
  }
  return lines;
}

// The two row numbers of a position, each bound to the other.
std::string FormatPosition(const Operations& operations, const Call& call, const std::string& list,
                           const Position& at) {
  const std::string client = operations.MakeCursor(call, list, at.client);
  if (!at.inside) return client;
  return client + "." + operations.MakeCursor(call, list + "/" + client, at.record);
}

Result<std::optional<Position>> ReadPosition(const Operations& operations, Call& call,
                                             const std::string& list, std::string_view cursor) {
  if (cursor.empty()) return std::nullopt;
  const auto dot = cursor.find('.');
  const std::string client(cursor.substr(0, dot));
  Position at;
  COFFER_ASSIGN(at.client, operations.ReadCursor(call, list, client));
  if (dot != cursor.npos) {
    at.inside = true;
    const auto record = cursor.substr(dot + 1);
    if (client.empty() || record.empty()) {
      return Deny(call, "input", Code::kInvalidArgument, "cursor_invalid");
    }
    COFFER_ASSIGN(at.record, operations.ReadCursor(call, list + "/" + client, record));
  }
  return at;
}

// Of an export's list: its pages all go to the same recipient, or to nobody that is named.
std::string ToWhom(const std::optional<RecipientId>& recipient) {
  return recipient ? "/to/" + recipient->Text() : std::string();
}

Result<std::optional<ExportRecord>> RecordOf(Transaction& transaction, Call& call,
                                             const std::optional<RecipientId>& recipient,
                                             DisclosureSource source, const std::string& list,
                                             bool first_page) {
  if (!recipient) return std::nullopt;
  COFFER_ASSIGN(auto record,
                ExportRecord::Begin(transaction, call, *recipient, source, list, first_page));
  return record;
}

}  // namespace

std::vector<Issue> FaultsOf(const ExportSelection& selection, const Catalog& catalog) {
  std::vector<Issue> issues;
  if (!selection.tag.empty() && !IsTag(selection.tag)) issues.push_back({"/tag", "is no tag"});
  const auto& classes = selection.classes;
  if (classes.size() > kMaxExportClasses) issues.push_back({"/classes", "must be at most 100"});
  for (std::size_t i = 0; i < classes.size() && i < kMaxExportClasses; ++i) {
    if (!catalog.Newest(classes[i])) {
      issues.push_back({"/classes/" + std::to_string(i), "is not a known class"});
    }
  }
  return issues;
}

Proposal ProposalOf(const ExportSelection& selection, std::string_view purpose) {
  nlohmann::json content = {{"purpose", purpose}};
  auto classes = selection.classes;
  std::ranges::sort(classes);
  const auto repeated = std::ranges::unique(classes);
  classes.erase(repeated.begin(), repeated.end());
  if (!classes.empty()) content["classes"] = std::move(classes);
  const std::string target =
      selection.tag.empty() ? std::string(kAllTarget) : std::string(kTagTarget) + selection.tag;
  return {"client.export", target, content.dump()};
}

Result<ExportPage> Exports::Export(const Caller& caller, const ExportSelection& asked,
                                   const PageRequest& page,
                                   const std::optional<RecipientId>& recipient) {
  constexpr Action kAction = Action::kClientExport;
  if (auto issues = FaultsOf(asked, *operations_.engine().Of<CatalogState>().Published());
      !issues.empty()) {
    return operations_.Refuse(caller, {kAction},
                              Error{Code::kUnprocessable, "export_invalid", {}, std::move(issues)});
  }
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite});
  ExportSelection selection = asked;
  std::ranges::sort(selection.classes);
  const Proposal proposal = ProposalOf(selection, caller.purpose);
  call.entry.payload_hash = two_person_.HashOf(proposal);
  AddDetail(call.entry, proposal.target);
  std::vector<Exporter::Taken> taken;
  ExportPage result;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    const std::string list = "export/" + call.actor.Text() + "/" + caller.approval + "/" +
                             crypto::HexEncode(two_person_.HashOf(proposal)) + ToWhom(recipient);
    COFFER_ASSIGN(auto position, ReadPosition(operations_, call, list, page.cursor));
    COFFER_TRY(position ? two_person_.RequireStarted(transaction, call, proposal)
                        : two_person_.RequireApproval(transaction, call, proposal));
    COFFER_ASSIGN(auto record, RecordOf(transaction, call, recipient, DisclosureSource::kExport,
                                        list, !position));
    Exporter exporter(operations_, transaction, call, selection, page.limit,
                      record ? &*record : nullptr);
    COFFER_TRY(exporter.Run(position));
    taken = std::move(exporter.taken());
    if (position) result.next_cursor = FormatPosition(operations_, call, list, *position);
    return {};
  }));
  COFFER_ASSIGN(result.lines, OpenTaken(operations_, call, taken));
  return result;
}

Result<ExportPage> Exports::PackageClient(const Caller& caller, const ClientId& client,
                                          const PageRequest& page,
                                          const std::optional<RecipientId>& recipient) {
  Call call = operations_.Start(caller, {Action::kClientPackage, OperationKind::kWrite, client});
  const ExportSelection everything;
  std::vector<Exporter::Taken> taken;
  ExportPage result;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(const auto row, transaction.Of<ClientsState>().stores.clients.Find(client));
    if (!row) return NotFound(call);
    const std::string list =
        "package/" + call.actor.Text() + "/" + client.Text() + ToWhom(recipient);
    COFFER_ASSIGN(auto position, ReadPosition(operations_, call, list, page.cursor));
    COFFER_ASSIGN(auto record, RecordOf(transaction, call, recipient, DisclosureSource::kPackage,
                                        list, !position));
    Exporter exporter(operations_, transaction, call, everything, page.limit,
                      record ? &*record : nullptr);
    COFFER_TRY(exporter.RunOne(client, position));
    taken = std::move(exporter.taken());
    if (position) result.next_cursor = FormatPosition(operations_, call, list, *position);
    return {};
  }));
  COFFER_ASSIGN(result.lines, OpenTaken(operations_, call, taken));
  return result;
}

}  // namespace coffer::vault
