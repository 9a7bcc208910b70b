#include "vault/access/living_tokens.h"

#include <algorithm>
#include <set>
#include <vector>

#include "vault/access/access_acts.h"
#include "vault/access/access_state.h"
#include "vault/access/call.h"

namespace coffer::vault {
namespace {

using Rows = std::vector<const TokenRow*>;

// When it could be used last; of a session that nobody used any more, later than that.
Timestamp EndOf(const TokenRow& row) {
  return row.revoked ? std::min(*row.revoked, row.expires) : row.expires;
}

Rows RowsOf(const Transaction& transaction, const PrincipalId& principal) {
  return transaction.Of<AccessState>().principals().TokensOf(principal);
}

// What ended long ago, or is more than is kept.
std::set<TokenId> Outlived(Rows rows, Timestamp now) {
  std::erase_if(rows, [&](const TokenRow* row) { return row->IsLiving(now); });
  std::ranges::sort(rows, std::greater(), [](const TokenRow* row) { return EndOf(*row); });
  std::set<TokenId> outlived;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i < kMaxEndedTokens && now.ms - EndOf(*rows[i]).ms < kEndedTokensKeptMs) continue;
    outlived.insert(rows[i]->id);
  }
  return outlived;
}

// Those that were issued in the place of one that goes are from now on those of the one before it,
// with which they are still revoked.
Status Forget(Transaction& transaction, const Rows& rows, const std::set<TokenId>& gone,
              TokenRow* replaced) {
  auto& store = transaction.Of<AccessState>().stores.principals;
  const auto living_parent = [&](std::optional<TokenId> parent) {
    while (parent && gone.contains(*parent)) {
      const auto row = std::ranges::find(rows, *parent, [](const TokenRow* r) { return r->id; });
      parent = (*row)->parent;
    }
    return parent;
  };
  for (const TokenRow* row : rows) {
    if (gone.contains(row->id)) {
      COFFER_TRY(store.Delete(row->id));
      ForgetToken(transaction, row->id);
      continue;
    }
    const auto parent = living_parent(row->parent);
    if (parent == row->parent) continue;
    TokenRow moved = *row;
    moved.parent = parent;
    COFFER_TRY(store.UpdateParent(moved));
    if (replaced != nullptr && replaced->id == row->id) {
      replaced->parent = parent;
    } else {
      StageToken(transaction, std::move(moved));
    }
  }
  return {};
}

}  // namespace

Status MakeRoomForToken(Transaction& transaction, const PrincipalId& service, Timestamp now,
                        TokenRow* replaced) {
  Rows rows = RowsOf(transaction, service);
  const auto lives = [&](const TokenRow* row) {
    return (replaced != nullptr && row->id == replaced->id ? *replaced : *row).IsLiving(now);
  };
  if (static_cast<std::size_t>(std::ranges::count_if(rows, lives)) >= kMaxLivingTokens) {
    return Fail(Code::kConflict, "too_many_tokens");
  }
  return Forget(transaction, rows, Outlived(rows, now), replaced);
}

Status MakeRoomForSession(Transaction& transaction, const PrincipalId& user, Timestamp now,
                          audit::Entry& entry) {
  const Rows rows = RowsOf(transaction, user);
  COFFER_TRY(Forget(transaction, rows, Outlived(rows, now), nullptr));
  Rows living = rows;
  std::erase_if(living, [&](const TokenRow* row) { return !row->IsLiving(now); });
  std::ranges::sort(living, {}, [](const TokenRow* row) { return row->seen; });
  for (std::size_t i = 0; i + kMaxLivingSessions <= living.size(); ++i) {
    TokenRow row = *living[i];
    row.revoked = now;
    AddDetail(entry, "ended " + SessionId{row.id.value}.Text());
    COFFER_TRY(transaction.Of<AccessState>().stores.principals.Update(row));
    StageToken(transaction, std::move(row));
  }
  return {};
}

Status RevokeWithDescendants(Transaction& transaction, TokenRow& token) {
  auto& store = transaction.Of<AccessState>().stores.principals;
  const auto revoke = [&](TokenRow& row) -> Status {
    if (row.revoked) return {};
    row.revoked = transaction.now();
    ActTokenEnded(transaction, row);
    return store.Update(row);
  };
  COFFER_TRY(revoke(token));
  const Rows rows = RowsOf(transaction, token.principal);
  std::set<TokenId> family{token.id};
  for (bool grown = true; grown;) {
    grown = false;
    for (const TokenRow* row : rows) {
      if (row->parent && family.contains(*row->parent)) grown |= family.insert(row->id).second;
    }
  }
  for (const TokenRow* found : rows) {
    if (found->id == token.id || !family.contains(found->id)) continue;
    if (!found->IsLiving(transaction.now())) continue;
    TokenRow row = *found;
    COFFER_TRY(revoke(row));
    audit::Entry entry;
    entry.action = Name(Action::kTokenRevoke);
    entry.detail = row.id.Text() + " with " + token.id.Text();
    transaction.Also(std::move(entry));
    StageToken(transaction, std::move(row));
  }
  return {};
}

}  // namespace coffer::vault
