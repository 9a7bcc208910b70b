#include "vault/rights/recipients.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "vault/access/access_state.h"
#include "vault/access/reason_rule.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMostRecipientEvents = 1000;
constexpr std::uint64_t kMostRecipients = 10'000;

Error InvalidRecipient(std::vector<Issue> issues) {
  return {Code::kUnprocessable, "recipient_invalid", {}, std::move(issues)};
}

// The entry has the step and no word of what was said.
void DescribeRecipient(Call& call, const RecipientId& id, RecipientStep step) {
  AddDetail(call.entry, id.Text() + " " + std::string(Name(step)));
}

Status AppendTo(Transaction& transaction, const Call& call, Recipient& recipient,
                RecipientStep step, std::string document) {
  // It can be ended all the same.
  if (step != RecipientStep::kEnded && recipient.history.size() >= kMostRecipientEvents) {
    return Fail(Code::kConflict, "recipient_too_long");
  }
  RecipientEvent event;
  event.number = recipient.history.size();
  event.step = step;
  event.at = transaction.now();
  event.by = call.actor;
  event.seq = transaction.NextSeq();
  event.document = std::move(document);
  COFFER_TRY(transaction.Of<AccessState>().stores.recipients.Append(recipient.row, event));
  recipient.history.push_back(std::move(event));
  return Conclude(recipient);
}

}  // namespace

Result<Recipient> Recipients::CreateRecipient(const Caller& caller, const RecipientFacts& facts) {
  const Operation operation{Action::kRecipientWrite, OperationKind::kWrite};
  if (auto issues = FaultsOf(facts); !issues.empty()) {
    return operations_.Refuse(caller, operation, InvalidRecipient(std::move(issues)));
  }
  Call call = operations_.Start(caller, operation);
  Recipient recipient;
  recipient.id = RecipientId::New(operations_.Now());
  DescribeRecipient(call, recipient.id, RecipientStep::kCreated);
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Recipient> {
    RecipientStore& store = transaction.Of<AccessState>().stores.recipients;
    COFFER_ASSIGN(const std::uint64_t count, store.Count());
    if (count >= kMostRecipients) return Fail(Code::kConflict, "too_many_recipients");
    COFFER_ASSIGN(recipient.row, store.Insert(recipient.id));
    COFFER_TRY(AppendTo(transaction, call, recipient, RecipientStep::kCreated, DocumentOf(facts)));
    return std::move(recipient);
  });
}

Result<Recipient> Recipients::Say(
    const Caller& caller, const RecipientId& id, RecipientStep step,
    FunctionRef<Result<bool>(Transaction&, Recipient&, std::string&)> work) {
  Call call = operations_.Start(caller, {Action::kRecipientWrite, OperationKind::kWrite});
  DescribeRecipient(call, id, step);
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Recipient> {
    COFFER_ASSIGN(auto found, transaction.Of<AccessState>().stores.recipients.Find(id));
    if (!found) return NotFound(call);
    Recipient recipient = *std::move(found);
    std::string document = "{}";
    COFFER_ASSIGN(const bool changes, work(transaction, recipient, document));
    if (!changes) {
      call.entry.outcome = "unchanged";
      return recipient;
    }
    // An account can be taken from one that ended.
    if (recipient.ended && step != RecipientStep::kUnbound) {
      return Fail(Code::kConflict, "recipient_ended");
    }
    COFFER_TRY(AppendTo(transaction, call, recipient, step, std::move(document)));
    return recipient;
  });
}

Result<Recipient> Recipients::ChangeRecipient(const Caller& caller, const RecipientId& id,
                                              const RecipientFacts& facts) {
  if (auto issues = FaultsOf(facts); !issues.empty()) {
    return operations_.Refuse(caller, {Action::kRecipientWrite},
                              InvalidRecipient(std::move(issues)));
  }
  return Say(caller, id, RecipientStep::kChanged,
             [&](Transaction&, Recipient& recipient, std::string& document) -> Result<bool> {
               document = DocumentOf(facts);
               return recipient.facts != facts;
             });
}

Result<Recipient> Recipients::EndRecipient(const Caller& caller, const RecipientId& id) {
  return Say(caller, id, RecipientStep::kEnded,
             [&](Transaction&, Recipient& recipient, std::string&) -> Result<bool> {
               return !recipient.ended;
             });
}

Result<Recipient> Recipients::BindPrincipal(const Caller& caller, const RecipientId& id,
                                            const PrincipalId& principal) {
  return Say(
      caller, id, RecipientStep::kBound,
      [&](Transaction& transaction, Recipient& recipient, std::string& document) -> Result<bool> {
        auto& access = transaction.Of<AccessState>();
        if (access.principals().Find(principal) == nullptr ||
            principal.kind() == PrincipalKind::kTeam) {
          return Fail(Code::kUnprocessable, "principal_unknown");
        }
        RecipientStore& store = access.stores.recipients;
        COFFER_ASSIGN(const auto bound, store.BoundTo(principal));
        if (bound == recipient.row) return false;
        if (bound) return Fail(Code::kConflict, "principal_bound");
        if (recipient.ended) return Fail(Code::kConflict, "recipient_ended");
        document = DocumentOf(principal);
        COFFER_TRY(store.Bind({principal, recipient.row, transaction.NextSeq(), {}}));
        return true;
      });
}

Result<Recipient> Recipients::UnbindPrincipal(const Caller& caller, const RecipientId& id,
                                              const PrincipalId& principal) {
  return Say(
      caller, id, RecipientStep::kUnbound,
      [&](Transaction& transaction, Recipient& recipient, std::string& document) -> Result<bool> {
        RecipientStore& store = transaction.Of<AccessState>().stores.recipients;
        COFFER_ASSIGN(const auto bound, store.BoundTo(principal));
        if (bound != recipient.row) return false;
        document = DocumentOf(principal);
        COFFER_TRY(store.Unbind(principal, transaction.NextSeq()));
        return true;
      });
}

Result<Recipient> Recipients::GetRecipient(const Caller& caller, const RecipientId& id) {
  Call call = operations_.Start(caller, {Action::kRecipientRead});
  AddDetail(call.entry, id.Text());
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Recipient> {
    COFFER_ASSIGN(auto recipient, transaction.Of<AccessState>().stores.recipients.Find(id));
    if (!recipient) return NotFound(call);
    return *std::move(recipient);
  });
}

Result<Page<Recipient>> Recipients::ListRecipients(const Caller& caller, RecipientsAsked asked,
                                                   const PageRequest& page) {
  const std::string list = "recipients/" + std::to_string(static_cast<int>(asked));
  Call call = operations_.Start(caller, {Action::kRecipientRead});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Page<Recipient>> {
    Page<Recipient> result;
    COFFER_ASSIGN(std::int64_t last, operations_.ReadCursor(call, list, page.cursor));
    if (page.cursor.empty()) last = std::numeric_limits<std::int64_t>::max();
    RecipientStore& store = transaction.Of<AccessState>().stores.recipients;
    std::optional<bool> ended;
    if (asked != RecipientsAsked::kAll) ended = asked == RecipientsAsked::kEnded;
    COFFER_ASSIGN(result.items, store.List(last, ended, page.limit + 1));
    if (result.items.size() > page.limit) {
      result.items.pop_back();
      result.next_cursor = operations_.MakeCursor(call, list, result.items.back().row);
    }
    return result;
  });
}

}  // namespace coffer::vault
