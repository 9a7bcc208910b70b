#include "vault/access/restriction_bases.h"

#include <algorithm>

#include "vault/access/access_acts.h"
#include "vault/access/access_state.h"
#include "vault/access/operations.h"
#include "vault/access/restriction.h"

namespace coffer::vault {

Bytes RestrictionContext(const crypto::Keyring& keyring, const ClientId& client,
                         const RestrictionId& id) {
  static constexpr std::string_view kLabel = "coffer-restriction-v1";
  Bytes context(kLabel.begin(), kLabel.end());
  for (const ByteView part : {ByteView(keyring.vault_id()), client.bytes(), id.bytes()}) {
    context.insert(context.end(), part.begin(), part.end());
  }
  return context;
}

Status PlaceRestriction(const crypto::Keyring& keyring, Transaction& transaction,
                        const Restriction& restriction) {
  COFFER_ASSIGN(const auto key, transaction.PinKey(restriction.client));
  const Bytes basis =
      key.Expose().Seal(RestrictionContext(keyring, restriction.client, restriction.id),
                        crypto::AsBytes(restriction.terms.basis));
  COFFER_TRY(transaction.Of<AccessState>().stores.restrictions.Insert(restriction, basis));
  ActRestricted(transaction, restriction, basis);
  StageRestriction(transaction, restriction);
  return {};
}

Result<std::vector<Restriction>> RestrictionsOf(Transaction& transaction, const ClientId& client,
                                                bool lifted) {
  auto restrictions = transaction.Of<AccessState>().restrictions().Of(client);
  if (!lifted) return restrictions;
  COFFER_ASSIGN(auto before, transaction.Of<AccessState>().stores.restrictions.LiftedOf(
                                 client, RestrictionStore::kLiftedKept));
  std::ranges::move(before, std::back_inserter(restrictions));
  return restrictions;
}

Status OpenBases(const crypto::Keyring& keyring, Transaction& transaction, const ClientId& client,
                 std::vector<Restriction>& restrictions) {
  if (restrictions.empty()) return {};
  COFFER_ASSIGN(const auto key, transaction.PinKey(client));
  COFFER_ASSIGN(const auto bases,
                transaction.Of<AccessState>().stores.restrictions.BasesOf(client));
  for (Restriction& restriction : restrictions) {
    const auto sealed =
        std::ranges::find(bases, restriction.id, &std::pair<RestrictionId, Bytes>::first);
    if (sealed == bases.end()) return Fail(Code::kCorrupted, "storage_corrupted");
    if (sealed->second.empty()) continue;
    const auto basis =
        key.Expose().Open(RestrictionContext(keyring, client, restriction.id), sealed->second);
    if (basis) {
      restriction.terms.basis = crypto::AsText(*basis);
    } else if (!restriction.lifting) {
      return std::unexpected(basis.error());
    }
  }
  return {};
}

Status MoveOlderRestrictions(const Operations& operations) {
  std::vector<Restriction> older;
  COFFER_TRY(operations.Look([&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(older, transaction.Of<AccessState>().stores.restrictions.LoadUnsealed());
    return {};
  }));
  if (older.empty()) return {};
  audit::Entry entry = VaultEntry("restriction.move");
  return operations.engine().Run(
      OperationKind::kWrite, EntryRule::kAlways, entry, [&](Transaction& transaction) -> Status {
        RestrictionStore& store = transaction.Of<AccessState>().stores.restrictions;
        for (Restriction& restriction : older) {
          restriction.id = RestrictionId::New(transaction.now());
          if (auto placed = PlaceRestriction(operations.keyring(), transaction, restriction);
              !placed) {
            // An older vault.db beside a newer keys.db: its words can be sealed under no key, and
            // what it stops stays stopped. The same of a key that is damaged, which must not keep
            // the vault from being opened.
            const Code code = placed.error().code;
            if (code != Code::kNotFound && code != Code::kCorrupted) return placed;
            COFFER_TRY(store.Insert(restriction, {}));
            ActRestricted(transaction, restriction, {});
            StageRestriction(transaction, restriction);
          }
          COFFER_TRY(store.DeleteUnsealed(restriction));
          audit::Entry moved = entry;
          moved.client = restriction.client.Text();
          moved.class_name = restriction.terms.class_name;
          moved.detail = restriction.id.Text() + "; " + StopsInWords(restriction.terms.stops);
          transaction.Also(std::move(moved));
        }
        transaction.LeaveNoOwnEntry();
        return {};
      });
}

}  // namespace coffer::vault
