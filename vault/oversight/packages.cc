#include "vault/oversight/packages.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "audit/documents/evidence_bundle.h"
#include "audit/entries/log_reader.h"
#include "crypto/hash.h"
#include "vault/access/access_state.h"
#include "vault/catalog/catalog_state.h"
#include "vault/catalog/page_names.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/tag_reach.h"
#include "vault/oversight/log_search.h"
#include "vault/oversight/oversight_state.h"
#include "vault/oversight/package_log.h"
#include "vault/oversight/remembering_reader.h"
#include "vault/rights/package_step.h"
#include "vault/rights/rights_state.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kPackageScan = 2000;  // one page looks at so many
constexpr std::uint64_t kMaxPrepared = 20;  // of one client
constexpr std::size_t kLeastKey = 22, kMostKey = 64;
constexpr std::int64_t kPackageDayMs = std::int64_t{24} * 3600 * 1000;
constexpr std::size_t kReceiptEntries = 20'000;
constexpr std::string_view kPackageFormat = "coffer-access-package-v1";

Error PackageFault(std::vector<Issue> issues) {
  return {Code::kUnprocessable, "package_invalid", {}, std::move(issues)};
}

std::vector<Issue> FaultsOf(const PackageForm& form) {
  if (form.days >= 1 && form.days <= kMaxPackageDays) return {};
  return {{"/days", "must be a number from 1 to 90"}};
}

std::vector<Issue> FaultsOf(const PartRequest& request) {
  std::vector<Issue> issues;
  const bool plain = std::ranges::all_of(request.key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
  if (!plain || request.key.size() < kLeastKey || request.key.size() > kMostKey) {
    issues.push_back({"/key", "must be 22 to 64 of A-Z, a-z, 0-9, \"-\" and \"_\""});
  }
  if (request.part == 0) issues.push_back({"/part", "must be a number from 1 on"});
  return issues;
}

bool AsksForData(RequestKind kind) {
  return kind == RequestKind::kAccess || kind == RequestKind::kPortability;
}
bool IsUnidentified(RequestState state) {
  return state == RequestState::kReceived || state == RequestState::kIdentityChecking;
}

// What is answered has to stand, and who asks to be known.
Status CheckRequest(const RequestRow& request) {
  if (IsUnidentified(request.state)) return Fail(Code::kConflict, "identity_pending");
  if (request.state == RequestState::kRefused || request.state == RequestState::kWithdrawn ||
      request.state == RequestState::kClosed) {
    return Fail(Code::kConflict, "request_over");
  }
  return {};
}

// The one that is named; else none of the client's that ask for this may wait for who asks it.
Result<std::optional<RequestRow>> RequestOf(Transaction& transaction, const ClientId& client,
                                            const std::optional<RequestId>& id) {
  RequestStore& requests = transaction.Of<RightsState>().requests;
  if (!id) {
    for (const RequestKind kind : {RequestKind::kAccess, RequestKind::kPortability}) {
      COFFER_ASSIGN(const auto open, requests.ListOpenOf(client, kind));
      for (const RequestRow& request : open) {
        if (IsUnidentified(request.state)) return Fail(Code::kConflict, "identity_pending");
      }
    }
    return std::nullopt;
  }
  COFFER_ASSIGN(auto request, requests.Find(*id));
  if (!request || request->client != client) {
    return std::unexpected(PackageFault({{"/request", "must be a request of this client"}}));
  }
  if (!AsksForData(request->kind)) {
    return std::unexpected(
        PackageFault({{"/request", "must be a request for access or portability"}}));
  }
  COFFER_TRY(CheckRequest(*request));
  return request;
}

// What can be told of who is not there any more is no package.
Status GoneOrUnknown(Transaction& transaction, Call& call, const ClientId& client) {
  COFFER_ASSIGN(const auto erasures, transaction.stores().erasures.ListOf(client));
  if (erasures.empty() || !ReachesAll(call.decision)) return NotFound(call);
  call.entry.client = client.Text();
  return std::unexpected(Error{
      Code::kConflict,
      "client_erased",
      {},
      {{"/client", "was erased: what is left to tell is when, by " + erasures.back().id.Text() +
                       " with its act, and what the log and the register of requests say"}}});
}

// The decision of an open hand-out, or why there is none.
Status CheckState(const PackageRow& row, PackageState state) {
  switch (state) {
    case PackageState::kRevoked:
      return Fail(Code::kConflict, "package_revoked");
    case PackageState::kHandedOut:
      return row.completed ? Fail(Code::kConflict, "package_handed_out") : Status{};
    case PackageState::kExpired:
      return Fail(Code::kConflict, "package_expired");
    case PackageState::kPrepared:
      return {};
  }
  return {};
}

Result<bool> MaySee(const Operations& operations, Transaction& transaction, const Call& call,
                    const ClientId& id) {
  if (!call.role->scoped) return true;
  COFFER_ASSIGN(const auto client, transaction.Of<AccessState>().FindClient(id));
  if (!client) return ReachesAll(call.decision);
  COFFER_ASSIGN(const auto decision, operations.DecisionOn(transaction, call, id, nullptr));
  return decision.allowed;
}

crypto::Hash HashOfKey(const std::string& key) { return crypto::Sha256(crypto::AsBytes(key)); }

// The members in their order; about, records and log are JSON already.
class PartText {
 public:
  PartText(const PackageRow& row, std::uint64_t part, Timestamp made) {
    text_.append("{\"format\":\"").append(kPackageFormat).append("\",\"package\":\"");
    text_.append(row.id.Text()).append("\",\"part\":").append(std::to_string(part));
    text_.append(",\"made\":\"").append(audit::FormatTimestamp(made)).append("\"");
  }
  void Add(std::string_view name, std::string_view value) {
    text_.append(",\"").append(name).append("\":").append(value);
  }
  std::string Finish(bool last) {
    Add("last", last ? "true" : "false");
    text_.append("}\n");
    return std::move(text_);
  }

 private:
  std::string text_;
};

}  // namespace

Result<Package> Packages::PreparePackage(const Caller& caller, const ClientId& client,
                                         const PackageForm& form) {
  const Operation operation{Action::kClientPackage, OperationKind::kWrite, client};
  if (auto issues = FaultsOf(form); !issues.empty()) {
    return operations_.Refuse(caller, operation, PackageFault(std::move(issues)));
  }
  if (form.names_staff && caller.reason.empty()) {
    return operations_.Refuse(caller, operation,
                              Error{Code::kInvalidArgument, "reason_required", {}, {}});
  }
  Call call = operations_.Start(caller, operation);
  PackageRow row;
  row.id = PackageId::New(operations_.Now());
  row.client = client;
  row.request = form.request;
  row.names_staff = form.names_staff;
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Package> {
    COFFER_ASSIGN(const auto known, transaction.Of<AccessState>().FindClient(client));
    if (!known) {
      COFFER_TRY(GoneOrUnknown(transaction, call, client));
    }
    COFFER_ASSIGN(const auto request, RequestOf(transaction, client, form.request));
    PackageStore& packages = transaction.Of<OversightState>().packages;
    COFFER_ASSIGN(const auto prepared, packages.CountPrepared(client, transaction.now()));
    if (prepared >= kMaxPrepared) return Fail(Code::kConflict, "too_many_packages");
    row.representative = form.representative.value_or(request && request->by_representative);
    row.purpose = caller.purpose;
    row.prepared = transaction.now();
    row.prepared_by = call.actor;
    row.expires = {row.prepared.ms + static_cast<std::int64_t>(form.days) * kPackageDayMs};
    row.seq = transaction.NextSeq();
    AddDetail(call.entry, PackageDetail(row.id, PackageStep::kPrepared));
    if (row.names_staff) AddDetail(call.entry, "names staff");
    if (row.request) AddDetail(call.entry, row.request->Text());
    COFFER_TRY(packages.Insert(row));
    return Package{row, StateOf(row, transaction.now()), {}};
  });
}

Result<PackageRow> Packages::FindRow(Transaction& transaction, Call& call,
                                     const PackageId& id) const {
  COFFER_ASSIGN(auto row, transaction.Of<OversightState>().packages.Find(id));
  if (!row) return NotFound(call);
  COFFER_ASSIGN(const auto client, transaction.Of<AccessState>().FindClient(row->client));
  if (client) {
    call.About(row->client);
    COFFER_TRY(operations_.Authorize(transaction, call, nullptr));
  } else {
    if (!ReachesAll(call.decision)) return NotFound(call);
    call.entry.client = row->client.Text();
  }
  return *std::move(row);
}

Result<Package> Packages::GetPackage(const Caller& caller, const PackageId& id) {
  Call call = operations_.Start(caller, {Action::kPackageRead});
  AddDetail(call.entry, id.Text());
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Package> {
    Package package;
    COFFER_ASSIGN(package.row, FindRow(transaction, call, id));
    package.state = StateOf(package.row, transaction.now());
    COFFER_ASSIGN(package.parts, transaction.Of<OversightState>().packages.ListParts(id));
    return package;
  });
}

Result<Page<Package>> Packages::ListPackages(const Caller& caller, const PackageFilter& filter,
                                             const PageRequest& page) {
  std::string list = "packages/";
  if (filter.client) list += filter.client->Text();
  if (filter.state) list.append("/").append(Name(*filter.state));
  Call call =
      operations_.Start(caller, {Action::kPackageRead, OperationKind::kRead, filter.client});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Page<Package>> {
    Page<Package> result;
    COFFER_ASSIGN(std::int64_t last, operations_.ReadCursor(call, list, page.cursor));
    if (page.cursor.empty()) last = std::numeric_limits<std::int64_t>::max();
    COFFER_ASSIGN(const auto rows, transaction.Of<OversightState>().packages.List(
                                       last, filter.client, kPackageScan));
    for (const PackageRow& row : rows) {
      if (result.items.size() == page.limit) {
        result.next_cursor = operations_.MakeCursor(call, list, last);
        return result;
      }
      last = row.id.Row();
      const PackageState state = StateOf(row, transaction.now());
      if (filter.state && *filter.state != state) continue;
      COFFER_ASSIGN(const bool may, MaySee(operations_, transaction, call, row.client));
      if (may) result.items.push_back({row, state, {}});
    }
    if (rows.size() == kPackageScan) {
      result.next_cursor = operations_.MakeCursor(call, list, last);
    }
    return result;
  });
}

Result<Package> Packages::RevokePackage(const Caller& caller, const PackageId& id) {
  Call call = operations_.Start(caller, {Action::kClientPackage, OperationKind::kWrite});
  AddDetail(call.entry, PackageDetail(id, PackageStep::kRevoked));
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Package> {
    Package package;
    COFFER_ASSIGN(package.row, FindRow(transaction, call, id));
    COFFER_TRY(CheckState(package.row, StateOf(package.row, transaction.now())));
    package.row.revoked = transaction.now();
    package.row.revoked_by = call.actor;
    package.state = PackageState::kRevoked;
    COFFER_TRY(transaction.Of<OversightState>().packages.Update(package.row));
    COFFER_ASSIGN(package.parts, transaction.Of<OversightState>().packages.ListParts(id));
    return package;
  });
}

Result<Packages::Found> Packages::FindForHandOut(Transaction& transaction, Call& call,
                                                 const PackageId& id,
                                                 const PartRequest& request) const {
  Found found;
  COFFER_ASSIGN(found.row, FindRow(transaction, call, id));
  const PackageRow& row = found.row;
  COFFER_ASSIGN(auto client, transaction.Of<ClientsState>().stores.clients.Find(row.client));
  if (!client) {
    COFFER_TRY(GoneOrUnknown(transaction, call, row.client));
  }
  const PackageState state = StateOf(row, transaction.now());
  if (state == PackageState::kHandedOut) {
    const bool goes_on = row.key == HashOfKey(request.key) && row.handed_out_by == call.actor &&
                         transaction.now().ms < row.handed_out->ms + kHandOutMs;
    if (!goes_on) return Fail(Code::kConflict, "package_handed_out");
  } else {
    COFFER_TRY(CheckState(row, state));
  }
  if (call.caller.purpose != row.purpose) {
    return std::unexpected(PackageFault(
        {{"", "was prepared for another purpose than is stated: for " + row.purpose}}));
  }
  // An answer that was lost is had again, also when the request was closed by it.
  COFFER_ASSIGN(const auto there,
                transaction.Of<OversightState>().packages.FindPart(row.id, request.part));
  if (!there || request.part == 1) COFFER_TRY(RequestOf(transaction, row.client, row.request));
  COFFER_TRY(operations_.CheckWhole(row.client.value));
  found.client = *std::move(client);
  return found;
}

Result<PackagePlace> Packages::PlaceOf(Transaction& transaction, const PackageRow& row,
                                       std::uint64_t part) const {
  if (part == 1) return PackagePlace{};
  PackageStore& packages = transaction.Of<OversightState>().packages;
  COFFER_ASSIGN(const auto before, packages.FindPart(row.id, part - 1));
  COFFER_ASSIGN(const auto behind, packages.FindPart(row.id, part + 1));
  if (!before || behind || before->next.stage == PackagePlace::Stage::kEnd) {
    return std::unexpected(PackageFault(
        {{"/part", "must be the first, the one handed out last, or the one after it"}}));
  }
  return before->next;
}

Result<std::string> Packages::HandOutPart(const Caller& caller, const PackageId& id,
                                          const PartRequest& request) {
  using Stage = PackagePlace::Stage;
  const Operation operation{Action::kClientPackage, OperationKind::kWrite};
  if (auto issues = FaultsOf(request); !issues.empty()) {
    return operations_.Refuse(caller, operation, PackageFault(std::move(issues)));
  }
  // What is read of the log is read beside the engine, for who may have it.
  Call looking = operations_.Start(caller, {Action::kClientPackage, OperationKind::kRead});
  looking.entry_rule = EntryRule::kOnRefusal;
  AddDetail(looking.entry, PackageDetail(id, PackageStep::kPart, request.part));
  PackageRow seen;
  PackagePlace begins;
  ClassNamesOfPackage classes;
  COFFER_TRY(operations_.Perform(looking, [&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(const auto found, FindForHandOut(transaction, looking, id, request));
    seen = found.row;
    COFFER_ASSIGN(begins, PlaceOf(transaction, seen, request.part));
    if (begins.stage == Stage::kLog) {
      COFFER_ASSIGN(classes, ClassesToName(operations_, transaction, looking, seen.client));
    }
    return {};
  }));
  PublishedTree tree;
  PackageLog log;
  const auto read = [&]() -> Status {
    if (begins.stage == Stage::kRecords) return {};
    COFFER_ASSIGN(tree, trees_.LookAtNewest());
    if (begins.stage != Stage::kLog) return {};
    COFFER_ASSIGN(auto reader, readers_.Open());
    COFFER_ASSIGN(log, ReadPackageLog(*reader, tree.head, operations_.keyring(), seen, classes,
                                      begins.number));
    return {};
  };
  if (auto done = read(); !done) {
    if (done.error().code == Code::kCorrupted) {
      return std::unexpected(operations_.IntegrityAlarm(looking, done.error().reason));
    }
    return std::unexpected(operations_.FailedLater(looking, std::move(done).error()));
  }

  Call call = operations_.Start(caller, operation);
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<std::string> {
    COFFER_ASSIGN(Found found, FindForHandOut(transaction, call, id, request));
    PackageRow& row = found.row;
    COFFER_ASSIGN(PackagePlace place, PlaceOf(transaction, row, request.part));
    if (place.stage != begins.stage || place.number != begins.number ||
        place.record != begins.record || row.log_size != seen.log_size) {
      return Fail(Code::kConflict, "conflict");  // somebody else took the same part meanwhile
    }
    PackageStore& packages = transaction.Of<OversightState>().packages;
    COFFER_ASSIGN(const auto key, transaction.PinKey(row.client));
    if (request.part == 1) {
      COFFER_TRY(packages.DropParts(id));
      if (!row.handed_out) row.handed_out = transaction.now();
      row.handed_out_by = call.actor;
      row.key = HashOfKey(request.key);
      row.log_size = tree.checkpoint.size;
    }
    PartText text(row, request.part, transaction.now());
    PackageContent content(operations_, transaction, call, row, found.client, key);
    if (place.stage == Stage::kAbout) {
      PackageTree shown{tree.note,
                        {audit::FormatVerifierKey(
                            {operations_.keyring().log_origin(), tree.signer->public_key()})}};
      COFFER_ASSIGN(const std::string about, content.About(shown));
      text.Add("about", about);
      place.stage = Stage::kRecords;
    }
    if (place.stage == Stage::kRecords) {
      COFFER_ASSIGN(const auto records, content.RecordsFrom(place, request.part));
      text.Add("records", records.items);
      text.Add("left_out", records.left_out);
    } else {
      text.Add("log", log.items);
      place = log.next ? PackagePlace{Stage::kLog, 0, *log.next} : PackagePlace{Stage::kEnd, 0, 0};
    }
    const bool last = place.stage == Stage::kEnd;
    std::string whole = text.Finish(last);
    AddDetail(call.entry,
              PackageDetail(id, last ? PackageStep::kLastPart : PackageStep::kPart, request.part));
    call.entry.payload_hash = crypto::Sha256(crypto::AsBytes(whole));
    if (last && !row.completed) row.completed = transaction.now();
    COFFER_TRY(packages.Update(row));
    COFFER_TRY(packages.PutPart(id, {request.part, transaction.now(), transaction.NextSeq(),
                                     *call.entry.payload_hash, place}));
    COFFER_TRY(operations_.CountReveals(transaction, call));
    return whole;
  });
}

Result<std::string> Packages::MakeReceipt(const Caller& caller, const PackageId& id) {
  Call call = operations_.Start(caller, {Action::kClientPackage});
  AddDetail(call.entry, PackageDetail(id, PackageStep::kReceipt));
  PackageRow row;
  std::vector<PackagePart> parts;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(row, FindRow(transaction, call, id));
    if (!row.completed) return Fail(Code::kConflict, "package_unfinished");
    COFFER_ASSIGN(parts, transaction.Of<OversightState>().packages.ListParts(id));
    if (parts.back().next.stage != PackagePlace::Stage::kEnd) {
      return Fail(Code::kConflict, "package_unfinished");  // it began anew
    }
    return {};
  }));
  auto receipt = WriteReceipt(call, row, parts);
  if (receipt) return receipt;
  if (receipt.error().code == Code::kCorrupted) {
    return std::unexpected(operations_.IntegrityAlarm(call, receipt.error().reason));
  }
  return std::unexpected(operations_.FailedLater(call, std::move(receipt).error()));
}

Result<std::string> Packages::WriteReceipt(const Call& call, const PackageRow& row,
                                           const std::vector<PackagePart>& parts) const {
  COFFER_ASSIGN(const auto tree, trees_.LookAtNewest());
  audit::Evidence evidence;
  evidence.kind = audit::EvidenceKind::kClient;
  evidence.subject = row.client.Text();
  evidence.checkpoint = tree.note;
  evidence.keys = {{operations_.keyring().log_origin(), tree.signer->public_key()}};
  evidence.created = operations_.Now();
  evidence.requested_by = call.actor.Text();
  evidence.reason = "receipt of " + row.id.Text();
  evidence.names = PageNamesOf(*operations_.engine().Of<CatalogState>().Published());
  COFFER_ASSIGN(auto reader, readers_.Open());
  for (const PackagePart& part : parts) {
    COFFER_ASSIGN(auto bytes, reader->log().ReadEntry(part.seq));
    if (!bytes) return Fail(Code::kCorrupted, "storage_corrupted", "an entry is missing");
    evidence.entries.push_back({part.seq, *std::move(bytes), {}, {}});
  }
  if (evidence.entries.size() > kReceiptEntries) {
    return Fail(Code::kUnprocessable, "evidence_too_large", "more than 20,000 parts");
  }
  const auto hashes = Remembering(audit::MakeHashReader(reader->log(), tree.head));
  for (auto& entry : evidence.entries) {
    COFFER_ASSIGN(entry.proof, audit::InclusionProof(entry.seq, tree.checkpoint.size, hashes));
  }
  COFFER_ASSIGN(const auto bundle, audit::WriteEvidence(evidence, *tree.signer));
  return std::string(crypto::AsText(bundle));
}

}  // namespace coffer::vault
