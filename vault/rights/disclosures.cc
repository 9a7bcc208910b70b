#include "vault/rights/disclosures.h"

#include <algorithm>
#include <limits>

#include "audit/text/plain_text.h"
#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/tag_reach.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kDisclosureScan = 500;
constexpr std::size_t kClientScan = 1000;
constexpr std::size_t kMostGivenClasses = 100;

Error InvalidDisclosure(std::vector<Issue> issues) {
  return {Code::kUnprocessable, "disclosure_invalid", {}, std::move(issues)};
}

std::vector<Issue> FaultsOfGiven(const GivenClients& given, const Catalog& catalog) {
  std::vector<Issue> issues;
  if (given.clients.empty() || given.clients.size() > kMostDisclosedAtOnce) {
    issues.push_back({"/clients", "must be 1 to 1000 ids of clients"});
  }
  if (given.classes.size() > kMostGivenClasses) {
    issues.push_back({"/classes", "must be at most 100"});
  }
  for (std::size_t i = 0; i < given.classes.size() && i < kMostGivenClasses; ++i) {
    if (!catalog.Newest(given.classes[i])) {
      issues.push_back({"/classes/" + std::to_string(i), "is not a known class"});
    }
  }
  return issues;
}

// The first 63 bits of an id, from which a page of clients goes on: no two have the same.
ClientId FirstAfter(std::int64_t row) {
  ClientId id;
  auto high = (static_cast<std::uint64_t>(row) << 1 | 1);
  for (std::size_t i = 8; i-- > 0; high >>= 8) id.value[i] = static_cast<std::uint8_t>(high);
  std::fill(id.value.begin() + 8, id.value.end(), std::uint8_t{0xff});
  return id;
}

}  // namespace

Result<bool> MaySeeDisclosed(const Operations& operations, Transaction& transaction,
                             const Call& call, const ClientId& client) {
  if (!call.role->scoped) return true;
  COFFER_ASSIGN(const auto row, transaction.Of<AccessState>().FindClient(client));
  if (row) {
    COFFER_ASSIGN(const auto decision, operations.DecisionOn(transaction, call, client, nullptr));
    return decision.allowed;
  }
  return ReachesAll(call.decision);
}

// An entry for each, so that each client's trace has it.
Status Disclosures::Add(Transaction& transaction, Call& call, const Disclosure& disclosure,
                        const GivenClients& given, std::uint64_t& fresh) const {
  DisclosureStore& store = transaction.Of<AccessState>().stores.disclosures;
  const ClassNames classes(given.classes.begin(), given.classes.end());
  std::vector<Issue> issues;
  for (std::size_t i = 0; i < given.clients.size(); ++i) {
    const ClientId& client = given.clients[i];
    COFFER_ASSIGN(const auto row, transaction.Of<AccessState>().FindClient(client));
    bool seen = row.has_value();
    if (seen) {
      COFFER_ASSIGN(const auto decision,
                    operations_.DecisionOn(transaction, call, client, nullptr));
      seen = decision.allowed;
    }
    if (!seen) {
      issues.push_back({"/clients/" + std::to_string(i), "is no client that is there"});
      continue;
    }
    audit::Entry entry;
    entry.action = Name(Action::kDisclosureWrite);
    entry.client = client.Text();
    entry.detail = disclosure.id.Text() + " to " + disclosure.recipient.Text();
    COFFER_ASSIGN(const bool made,
                  store.PutClient(disclosure.row, client, classes, transaction.NextSeq()));
    transaction.Also(std::move(entry));
    if (made) ++fresh;
  }
  if (!issues.empty()) return std::unexpected(InvalidDisclosure(std::move(issues)));
  return store.AddToCount(disclosure.row, fresh);
}

Result<Disclosure> Disclosures::RecordDisclosure(const Caller& caller, const RecipientId& recipient,
                                                 const DisclosureFacts& facts,
                                                 const GivenClients& given) {
  const Operation operation{Action::kDisclosureWrite, OperationKind::kWrite};
  auto issues = FaultsOf(facts, operations_.Now());
  for (Issue& issue : FaultsOfGiven(given, *operations_.engine().Of<CatalogState>().Published())) {
    issues.push_back(std::move(issue));
  }
  if (!issues.empty()) {
    return operations_.Refuse(caller, operation, InvalidDisclosure(std::move(issues)));
  }
  if (audit::IsBlank(caller.reason)) {
    return operations_.Refuse(caller, operation,
                              Error{Code::kInvalidArgument, "reason_required", {}, {}});
  }
  Call call = operations_.Start(caller, operation);
  Disclosure one;
  one.id = DisclosureId::New(operations_.Now());
  AddDetail(call.entry, one.id.Text() + " to " + recipient.Text());
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Disclosure> {
    auto& stores = transaction.Of<AccessState>().stores;
    COFFER_ASSIGN(const auto known, stores.recipients.Find(recipient));
    if (!known) {
      return std::unexpected(Error{Code::kUnprocessable,
                                   "recipient_unknown",
                                   {},
                                   {{"/recipient", "is not in the register of recipients"}}});
    }
    one.recipient_row = known->row;
    one.recipient = known->id;
    one.source = DisclosureSource::kHand;
    one.recorded = transaction.now();
    one.given = facts.given.value_or(one.recorded);
    // What was given before it ended may be told afterwards.
    if (known->ended && one.given >= *known->ended) return Fail(Code::kConflict, "recipient_ended");
    one.basis = facts.basis;
    one.purpose = facts.purpose;
    one.channel = facts.channel;
    one.reference = facts.reference;
    one.recorded_by = call.actor;
    one.seq = transaction.NextSeq() + given.clients.size();  // behind those of the clients
    COFFER_ASSIGN(one.row, stores.disclosures.Insert(one, {}));
    COFFER_TRY(Add(transaction, call, one, given, one.clients));
    return one;
  });
}

Result<Disclosure> Disclosures::AddClients(const Caller& caller, const DisclosureId& id,
                                           const GivenClients& given) {
  const Operation operation{Action::kDisclosureWrite, OperationKind::kWrite};
  if (auto issues = FaultsOfGiven(given, *operations_.engine().Of<CatalogState>().Published());
      !issues.empty()) {
    return operations_.Refuse(caller, operation, InvalidDisclosure(std::move(issues)));
  }
  if (audit::IsBlank(caller.reason)) {
    return operations_.Refuse(caller, operation,
                              Error{Code::kInvalidArgument, "reason_required", {}, {}});
  }
  Call call = operations_.Start(caller, operation);
  AddDetail(call.entry, id.Text());
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Disclosure> {
    COFFER_ASSIGN(auto found, transaction.Of<AccessState>().stores.disclosures.Find(id));
    if (!found) return NotFound(call);
    Disclosure one = *std::move(found);
    if (one.source != DisclosureSource::kHand) {
      return Fail(Code::kConflict, "disclosure_made_by_export");
    }
    std::uint64_t fresh = 0;
    COFFER_TRY(Add(transaction, call, one, given, fresh));
    one.clients += fresh;
    return one;
  });
}

Result<Disclosure> Disclosures::GetDisclosure(const Caller& caller, const DisclosureId& id) {
  Call call = operations_.Start(caller, {Action::kDisclosureRead});
  AddDetail(call.entry, id.Text());
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Disclosure> {
    COFFER_ASSIGN(auto found, transaction.Of<AccessState>().stores.disclosures.Find(id));
    if (!found || !ReachesAll(call.decision)) return NotFound(call);
    return *std::move(found);
  });
}

Result<Page<ListedDisclosure>> Disclosures::ListDisclosures(
    const Caller& caller, const std::optional<RecipientId>& recipient,
    const std::optional<ClientId>& client, const PageRequest& page) {
  const std::string list = "disclosures/" + (recipient ? recipient->Text() : std::string()) + "/" +
                           (client ? client->Text() : std::string());
  Call call = operations_.Start(caller, {Action::kDisclosureRead});
  if (client) call.entry.client = client->Text();
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Page<ListedDisclosure>> {
    auto& stores = transaction.Of<AccessState>().stores;
    Page<ListedDisclosure> result;
    COFFER_ASSIGN(std::int64_t last, operations_.ReadCursor(call, list, page.cursor));
    if (page.cursor.empty()) last = std::numeric_limits<std::int64_t>::max();
    std::int64_t of = 0;
    if (recipient) {
      COFFER_ASSIGN(const auto known, stores.recipients.Find(*recipient));
      if (!known) return NotFound(call);
      of = known->row;
    }
    if (client) {
      COFFER_ASSIGN(const bool seen, MaySeeDisclosed(operations_, transaction, call, *client));
      if (!seen) return NotFound(call);
      COFFER_ASSIGN(auto rows, stores.disclosures.ListOf(*client, last, kDisclosureScan));
      for (auto& row : rows) {
        if (result.items.size() == page.limit) {
          result.next_cursor = operations_.MakeCursor(call, list, last);
          return result;
        }
        last = row.disclosure.row;
        if (of != 0 && row.disclosure.recipient_row != of) continue;
        result.items.push_back({std::move(row.disclosure), std::move(row.client)});
      }
      if (rows.size() == kDisclosureScan) {
        result.next_cursor = operations_.MakeCursor(call, list, last);
      }
      return result;
    }
    if (!ReachesAll(call.decision)) {
      return Deny(call, "scope", Code::kPermissionDenied, "permission_denied");
    }
    COFFER_ASSIGN(auto rows, stores.disclosures.List(last, of, page.limit + 1));
    const bool more = rows.size() > page.limit;
    if (more) rows.pop_back();
    for (Disclosure& row : rows) {
      last = row.row;
      result.items.push_back({std::move(row), {}});
    }
    if (more) result.next_cursor = operations_.MakeCursor(call, list, last);
    return result;
  });
}

Result<Page<DisclosedClient>> Disclosures::ListClients(const Caller& caller, const DisclosureId& id,
                                                       const PageRequest& page) {
  const std::string list = "disclosed/" + id.Text();
  Call call = operations_.Start(caller, {Action::kDisclosureRead});
  AddDetail(call.entry, id.Text() + " clients");
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Page<DisclosedClient>> {
    DisclosureStore& store = transaction.Of<AccessState>().stores.disclosures;
    Page<DisclosedClient> result;
    COFFER_ASSIGN(std::int64_t last, operations_.ReadCursor(call, list, page.cursor));
    COFFER_ASSIGN(const auto found, store.Find(id));
    if (!found) return NotFound(call);
    std::optional<ClientId> after;
    if (!page.cursor.empty()) after = FirstAfter(last);
    COFFER_ASSIGN(auto rows, store.ListClients(found->row, after, kClientScan));
    for (DisclosedClient& row : rows) {
      if (result.items.size() == page.limit) {
        result.next_cursor = operations_.MakeCursor(call, list, last);
        return result;
      }
      last = row.client.Row();
      COFFER_ASSIGN(const bool seen, MaySeeDisclosed(operations_, transaction, call, row.client));
      if (!seen) continue;
      result.items.push_back(std::move(row));
    }
    if (rows.size() == kClientScan) result.next_cursor = operations_.MakeCursor(call, list, last);
    return result;
  });
}

}  // namespace coffer::vault
