#include "vault/oversight/processing.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "crypto/keyring.h"
#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/access/reason_rule.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"
#include "vault/oversight/oversight_state.h"
#include "vault/oversight/processing_document.h"
#include "vault/storage/data_directory.h"

namespace coffer::vault {
namespace {

constexpr std::uint64_t kMostVersions = 1000;  // of documents, and of registers
constexpr std::size_t kMostMissingTold = 50;
constexpr std::size_t kMaxIncompleteReason = 1000;

Error ProcessingInvalid(std::string pointer, std::string message) {
  return {
      Code::kUnprocessable, "processing_invalid", {}, {{std::move(pointer), std::move(message)}}};
}

Error Incomplete(const std::vector<MissingFact>& missing) {
  Error error{Code::kConflict, "processing_incomplete", {}, {}};
  for (const MissingFact& one : missing) {
    if (error.issues.size() == kMostMissingTold) break;
    std::string message = std::string(one.fact) + " is missing";
    if (!one.subject.empty()) message += " of " + one.subject;
    message +=
        ": " + std::string(one.article) + " asks for it; " + std::string(one.route) + " says it";
    if (!one.pointer.empty()) message += ", at " + one.pointer;
    error.issues.push_back({"/incomplete", std::move(message)});
  }
  return error;
}

// What is stored: the register, and by what it was judged.
std::string WholeOf(const ProcessingPublishing& asked, const std::vector<MissingFact>& missing,
                    std::uint64_t document, std::string_view register_json) {
  nlohmann::json head = {{"order", Name(asked.order)},
                         {"complete", missing.empty()},
                         {"document", document},
                         {"missing", nlohmann::json::array()}};
  if (!missing.empty()) head["reason"] = asked.reason;
  for (const MissingFact& one : missing) {
    nlohmann::json item = {{"fact", one.fact}, {"article", one.article}};
    if (!one.subject.empty()) item["subject"] = one.subject;
    head["missing"].push_back(std::move(item));
  }
  std::string whole = head.dump();
  whole.pop_back();
  return whole.append(",\"register\":").append(register_json).append("}");
}

// The register within what was published.
std::string RegisterIn(std::string_view whole) {
  const auto parsed = nlohmann::json::parse(whole, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("register")) return "{}";
  return parsed["register"].dump();
}

}  // namespace

Result<ProcessingDocument> Processing::PutDocument(const Caller& caller, std::string_view json,
                                                   std::optional<std::uint64_t> if_version) {
  constexpr Action kAction = Action::kProcessingWrite;
  auto parsed = ParseProcessingDocument(json);
  if (!parsed) return operations_.Refuse(caller, {kAction}, parsed.error());
  ProcessingDocument document;
  document.definition = *std::move(parsed);
  document.sha256 = crypto::Sha256(crypto::AsBytes(document.definition));
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite});
  call.entry.detail = "document";
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<ProcessingDocument> {
    ProcessingStore& store = transaction.Of<OversightState>().processing;
    COFFER_ASSIGN(auto newest, store.FindDocument(std::nullopt));
    const std::uint64_t known = newest ? newest->version : 0;
    if (if_version && *if_version != known) {
      return Fail(Code::kPreconditionFailed, "version_mismatch");
    }
    if (newest && newest->sha256 == document.sha256) {
      call.entry.version = newest->version;
      call.entry.outcome = "unchanged";
      return *std::move(newest);
    }
    if (known >= kMostVersions) return Fail(Code::kConflict, "too_many_versions");
    document.version = known + 1;
    document.created = transaction.now();
    document.put_by = call.actor;
    document.seq = transaction.NextSeq();
    call.entry.version = document.version;
    call.entry.payload_hash = document.sha256;
    COFFER_TRY(store.InsertDocument(document));
    return std::move(document);
  });
}

Result<ProcessingDocument> Processing::GetDocument(const Caller& caller,
                                                   std::optional<std::uint64_t> version) {
  Call call = operations_.Start(caller, {Action::kProcessingRead});
  call.entry.detail = "document";
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<ProcessingDocument> {
    COFFER_ASSIGN(auto found, transaction.Of<OversightState>().processing.FindDocument(version));
    if (!found) return NotFound(call);
    call.entry.version = found->version;
    return *std::move(found);
  });
}

namespace {

// Those that have not ended, but for the persons whose data it is.
Result<std::vector<RegisteredRecipient>> RecipientsNow(Transaction& transaction) {
  constexpr std::size_t kAtOnce = 500;
  RecipientStore& store = transaction.Of<AccessState>().stores.recipients;
  std::vector<RegisteredRecipient> registered;
  for (std::int64_t before = std::numeric_limits<std::int64_t>::max();;) {
    COFFER_ASSIGN(const auto page, store.List(before, std::nullopt, kAtOnce));
    for (const Recipient& one : page) {
      before = one.row;
      if (one.ended || !one.IsTold()) continue;
      if (registered.size() == kMaxRegisteredRecipients) {
        return Fail(Code::kUnprocessable, "processing_too_large");
      }
      std::string description = one.facts.category;
      if (!one.facts.safeguard.empty()) description += "; " + one.facts.safeguard;
      registered.push_back({one.id.Text(), one.facts.name, std::move(description),
                            one.facts.country, !one.facts.safeguard.empty()});
    }
    if (page.size() < kAtOnce) return registered;
  }
}

}  // namespace

// What the register is written from, but for what the vault knows of itself.
Result<Processing::Sources> Processing::Gather(Transaction& transaction) const {
  Sources sources;
  sources.at = transaction.now();
  const CatalogState& state = transaction.Of<CatalogState>();
  sources.catalog = state.Published();
  ProcessingStore& store = transaction.Of<OversightState>().processing;
  COFFER_ASSIGN(auto document, store.FindDocument(std::nullopt));
  if (document) sources.document = *std::move(document);
  COFFER_ASSIGN(const auto newest, store.List(std::numeric_limits<std::int64_t>::max(), 1));
  if (!newest.empty()) sources.published = newest.front().version;
  COFFER_ASSIGN(sources.facts.consent_texts, transaction.Of<CatalogState>().consent_texts.List());
  COFFER_ASSIGN(sources.facts.recipients, RecipientsNow(transaction));
  sources.facts.catalog = sources.catalog.get();
  sources.facts.document = sources.document.definition;
  return sources;
}

Result<ProcessingSafeguards> Processing::Safeguards() const {
  ProcessingSafeguards known;
  COFFER_ASSIGN(const auto header, crypto::Keyring::ReadHeader(KeyringPath(directory_)));
  known.root_key = header.root_kind;
  known.two_person = two_person_.needed();
  known.memory_locked = operations_.engine().key_cache().locked();
  known.backup_destinations = backups_().destinations;
  known.log_origin = operations_.keyring().log_origin();
  return known;
}

Result<ProcessingNow> Processing::Read(const Caller& caller, ProcessingOrder order) {
  Call call = operations_.Start(caller, {Action::kProcessingRead});
  call.entry.detail = Name(order);
  COFFER_ASSIGN(Sources sources, operations_.Perform(call, [&](Transaction& transaction) {
    return Gather(transaction);
  }));
  COFFER_ASSIGN(sources.facts.safeguards, Safeguards());
  ProcessingNow now;
  now.at = sources.at;
  now.order = order;
  now.missing = MissingIn(sources.facts, order);
  now.document = sources.document.version;
  now.published = sources.published;
  COFFER_ASSIGN(now.register_json, RegisterOf(sources.facts));
  return now;
}

Result<PublishedProcessing> Processing::Publish(const Caller& caller,
                                                const ProcessingPublishing& asked) {
  constexpr Action kAction = Action::kProcessingWrite;
  if (asked.incomplete && !IsWords(asked.reason, kMaxIncompleteReason)) {
    return operations_.Refuse(caller, {kAction},
                              ProcessingInvalid("/reason", WordsRule(kMaxIncompleteReason)));
  }
  if (!asked.incomplete && !asked.reason.empty()) {
    return operations_.Refuse(
        caller, {kAction}, ProcessingInvalid("/reason", "has no place where nothing is missing"));
  }
  // It is written beside the engine, and kept if nothing has changed meanwhile.
  Call asking = operations_.Start(caller, {.action = kAction, .entry = EntryRule::kOnRefusal});
  COFFER_ASSIGN(Sources sources, operations_.Perform(asking, [&](Transaction& transaction) {
    return Gather(transaction);
  }));
  COFFER_ASSIGN(sources.facts.safeguards, Safeguards());
  const auto missing = MissingIn(sources.facts, asked.order);
  const auto register_json = RegisterOf(sources.facts);
  if (!register_json) return operations_.Refuse(caller, {kAction}, register_json.error());
  PublishedProcessing published;
  published.order = asked.order;
  published.missing = missing.size();
  published.register_json = WholeOf(asked, missing, sources.document.version, *register_json);
  published.sha256 = crypto::Sha256(crypto::AsBytes(published.register_json));
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite});
  call.entry.detail = "publish " + std::string(Name(asked.order));
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<PublishedProcessing> {
    if (!missing.empty() && !asked.incomplete) return std::unexpected(Incomplete(missing));
    if (missing.empty() && asked.incomplete) {
      return std::unexpected(ProcessingInvalid("/incomplete", "is not so: nothing is missing"));
    }
    COFFER_ASSIGN(const Sources then, Gather(transaction));
    const bool changed = sources.catalog != then.catalog ||
                         sources.document.version != then.document.version ||
                         sources.facts.recipients != then.facts.recipients ||
                         sources.facts.consent_texts.size() != then.facts.consent_texts.size();
    if (changed) return Fail(Code::kConflict, "changed_meanwhile");
    ProcessingStore& store = transaction.Of<OversightState>().processing;
    COFFER_ASSIGN(auto last, store.Find(std::nullopt));
    if (last && last->sha256 == published.sha256) {
      call.entry.version = last->version;
      call.entry.outcome = "unchanged";
      return *std::move(last);
    }
    published.version = last ? last->version + 1 : 1;
    if (published.version > kMostVersions) return Fail(Code::kConflict, "too_many_versions");
    published.published = transaction.now();
    published.published_by = call.actor;
    published.seq = transaction.NextSeq();
    call.entry.version = published.version;
    call.entry.payload_hash = published.sha256;
    AddDetail(call.entry,
              missing.empty() ? "complete" : std::to_string(missing.size()) + " things missing");
    COFFER_TRY(store.Insert(published));
    return std::move(published);
  });
}

Result<Page<PublishedProcessing>> Processing::List(const Caller& caller, const PageRequest& page) {
  const std::string list = "processing";
  Call call = operations_.Start(caller, {Action::kProcessingRead});
  call.entry.detail = "versions";
  return operations_.Perform(
      call, [&](Transaction& transaction) -> Result<Page<PublishedProcessing>> {
        Page<PublishedProcessing> result;
        COFFER_ASSIGN(std::int64_t before, operations_.ReadCursor(call, list, page.cursor));
        if (page.cursor.empty()) before = std::numeric_limits<std::int64_t>::max();
        COFFER_ASSIGN(result.items,
                      transaction.Of<OversightState>().processing.List(before, page.limit + 1));
        if (result.items.size() > page.limit) {
          result.items.pop_back();
          result.next_cursor = operations_.MakeCursor(
              call, list, static_cast<std::int64_t>(result.items.back().version));
        }
        return result;
      });
}

Result<PublishedProcessing> Processing::Get(const Caller& caller, std::uint64_t version) {
  Call call = operations_.Start(caller, {Action::kProcessingRead});
  call.entry.detail = "version";
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<PublishedProcessing> {
    COFFER_ASSIGN(auto found, transaction.Of<OversightState>().processing.Find(version));
    if (!found) return NotFound(call);
    call.entry.version = found->version;
    return *std::move(found);
  });
}

Result<ProcessingDifference> Processing::Compare(const Caller& caller,
                                                 std::optional<std::uint64_t> from) {
  Call call = operations_.Start(caller, {Action::kProcessingRead});
  call.entry.detail = "difference";
  PublishedProcessing before;
  COFFER_ASSIGN(Sources sources,
                operations_.Perform(call, [&](Transaction& transaction) -> Result<Sources> {
                  COFFER_ASSIGN(auto found, transaction.Of<OversightState>().processing.Find(from));
                  if (!found) return NotFound(call);
                  call.entry.version = found->version;
                  before = *std::move(found);
                  return Gather(transaction);
                }));
  COFFER_ASSIGN(sources.facts.safeguards, Safeguards());
  COFFER_ASSIGN(const std::string now, RegisterOf(sources.facts));
  ProcessingDifference compared;
  compared.from = before.version;
  compared.at = sources.at;
  compared.difference = DifferenceOf(RegisterIn(before.register_json), now);
  return compared;
}

}  // namespace coffer::vault
