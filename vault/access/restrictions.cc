// Restrictions: data that is stored, and not processed for the purposes that they stop.
#include <algorithm>

#include "vault/access/access_state.h"
#include "vault/access/core.h"
#include "vault/base/strict_json.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/clients_state.h"
#include "vault/vault.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxBasis = 1000;
constexpr std::size_t kMaxRestrictionPurposes = 50;
constexpr std::size_t kMaxRestrictions = 100;  // of one client: each decision looks at all of them

std::vector<Issue> FaultsOf(const RestrictionRequest& request, const Catalog& catalog) {
  std::vector<Issue> issues;
  if (!request.class_name.empty() && !catalog.Newest(request.class_name)) {
    issues.push_back({"/class", "must be the name of a class"});
  }
  if (!IsWords(request.basis, kMaxBasis)) {
    issues.push_back({"/basis", WordsRule(kMaxBasis)});
  }
  const StoppedPurposes& stops = request.stops;
  const std::string list = stops.all_but ? "/stops/all_but" : "/stops/purposes";
  if (stops.purposes.size() > kMaxRestrictionPurposes) {
    issues.push_back({list, "must be at most 50 purposes"});
  }
  if (!stops.all_but && stops.purposes.empty()) {
    issues.push_back({list, "must name a purpose"});
  }
  for (std::size_t i = 0; i < stops.purposes.size() && i < kMaxRestrictionPurposes; ++i) {
    if (!catalog.purposes.contains(stops.purposes[i])) {
      issues.push_back({list + "/" + std::to_string(i), "is not in the register"});
    }
  }
  return issues;
}

Status RequireKnownClient(Transaction& transaction, Call& call) {
  COFFER_ASSIGN(const auto row, transaction.Of<ClientsState>().stores.clients.Find(*call.subject));
  if (!row) return NotFound(call);
  return {};
}

// One of the client's, without its basis; the entry says of which class it is.
Result<Restriction> FindRestriction(Transaction& transaction, Call& call, const RestrictionId& id) {
  COFFER_TRY(RequireKnownClient(transaction, call));
  auto known = transaction.Of<AccessState>().restrictions().Of(*call.subject);
  const auto found = std::ranges::find(known, id, &Restriction::id);
  if (found == known.end()) return NotFound(call);
  call.entry.class_name = found->terms.class_name;
  return std::move(*found);
}

}  // namespace

Bytes Vault::Core::RestrictionContext(const ClientId& client, const RestrictionId& id) const {
  static constexpr std::string_view kLabel = "coffer-restriction-v1";
  Bytes context(kLabel.begin(), kLabel.end());
  for (const ByteView part : {ByteView(keyring.vault_id()), client.bytes(), id.bytes()}) {
    context.insert(context.end(), part.begin(), part.end());
  }
  return context;
}

Status Vault::Core::PlaceRestriction(Transaction& transaction,
                                     const Restriction& restriction) const {
  COFFER_ASSIGN(const auto key, transaction.PinKey(restriction.client));
  COFFER_TRY(transaction.Of<AccessState>().stores.restrictions.Insert(
      restriction, key.Expose().Seal(RestrictionContext(restriction.client, restriction.id),
                                     crypto::AsBytes(restriction.terms.basis))));
  StageRestriction(transaction, restriction);
  return {};
}

Result<std::vector<Restriction>> Vault::Core::OpenRestrictions(Transaction& transaction,
                                                               const ClientId& client) const {
  auto restrictions = transaction.Of<AccessState>().restrictions().Of(client);
  if (restrictions.empty()) return restrictions;
  COFFER_ASSIGN(const auto key, transaction.PinKey(client));
  COFFER_ASSIGN(const auto bases,
                transaction.Of<AccessState>().stores.restrictions.BasesOf(client));
  for (Restriction& restriction : restrictions) {
    const auto sealed =
        std::ranges::find(bases, restriction.id, &std::pair<RestrictionId, Bytes>::first);
    if (sealed == bases.end()) return Fail(Code::kCorrupted, "storage_corrupted");
    if (sealed->second.empty()) continue;
    COFFER_ASSIGN(const Bytes basis,
                  key.Expose().Open(RestrictionContext(client, restriction.id), sealed->second));
    restriction.terms.basis = crypto::AsText(basis);
  }
  return restrictions;
}

Status Vault::Core::MoveOlderRestrictions() const {
  std::vector<Restriction> older;
  audit::Entry none;
  COFFER_TRY(engine->Run(
      OperationKind::kRead, EntryRule::kNever, none, [&](Transaction& transaction) -> Status {
        COFFER_ASSIGN(older, transaction.Of<AccessState>().stores.restrictions.LoadUnsealed());
        return {};
      }));
  if (older.empty()) return {};
  audit::Entry entry;
  entry.action = "restriction.move";
  entry.actor = "vault";
  entry.actor_kind = audit::ActorKind::kSystem;
  entry.decision = audit::Decision::kAllow;
  return engine->Run(
      OperationKind::kWrite, EntryRule::kAlways, entry, [&](Transaction& transaction) -> Status {
        RestrictionStore& store = transaction.Of<AccessState>().stores.restrictions;
        for (Restriction& restriction : older) {
          restriction.id = RestrictionId::New(transaction.now());
          if (auto placed = PlaceRestriction(transaction, restriction); !placed) {
            // An older vault.db beside a newer keys.db: its words can be sealed under no key, and
            // what it stops stays stopped. The same of a key that is damaged, which must not keep
            // the vault from being opened.
            const Code code = placed.error().code;
            if (code != Code::kNotFound && code != Code::kCorrupted) return placed;
            COFFER_TRY(store.Insert(restriction, {}));
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

Result<Restriction> Vault::Restrict(const Caller& caller, const ClientId& client,
                                    const RestrictionRequest& request) {
  constexpr Action kAction = Action::kRestrictionWrite;
  if (auto issues = FaultsOf(request, *core_->engine->Of<CatalogState>().Published());
      !issues.empty()) {
    return std::unexpected(
        Refuse(caller, kAction, client, std::nullopt,
               Error{Code::kUnprocessable, "restriction_invalid", {}, std::move(issues)}));
  }
  Call call = core_->StartCall(caller, kAction);
  call.About(client);
  call.entry.class_name = request.class_name;
  Restriction restriction{RestrictionId::New(core_->Now()), client, request, {}, {}};
  auto& purposes = restriction.terms.stops.purposes;
  std::ranges::sort(purposes);
  const auto repeated = std::ranges::unique(purposes);
  purposes.erase(repeated.begin(), repeated.end());
  AddDetail(call.entry, restriction.id.Text());
  AddDetail(call.entry, StopsInWords(restriction.terms.stops));
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, client, nullptr, [&](Transaction& transaction) -> Status {
        COFFER_TRY(RequireKnownClient(transaction, call));
        if (transaction.Of<AccessState>().restrictions().Of(client).size() >= kMaxRestrictions) {
          return Fail(Code::kConflict, "too_many_restrictions");
        }
        restriction.since = transaction.now();
        restriction.placed_by = call.actor;
        return core_->PlaceRestriction(transaction, restriction);
      }));
  return restriction;
}

Result<std::vector<Restriction>> Vault::ListRestrictions(const Caller& caller,
                                                         const ClientId& client) {
  Call call = core_->StartCall(caller, Action::kRestrictionRead);
  call.About(client);
  std::vector<Restriction> restrictions;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, client, nullptr, [&](Transaction& transaction) -> Status {
        COFFER_TRY(RequireKnownClient(transaction, call));
        COFFER_ASSIGN(restrictions, core_->OpenRestrictions(transaction, client));
        return {};
      }));
  return restrictions;
}

Result<Restriction> Vault::GetRestriction(const Caller& caller, const ClientId& client,
                                          const RestrictionId& id) {
  Call call = core_->StartCall(caller, Action::kRestrictionRead);
  call.About(client);
  call.entry.detail = id.Text();
  Restriction restriction;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, client, nullptr, [&](Transaction& transaction) -> Status {
        COFFER_TRY(FindRestriction(transaction, call, id));
        COFFER_ASSIGN(auto all, core_->OpenRestrictions(transaction, client));
        restriction = std::move(*std::ranges::find(all, id, &Restriction::id));
        return {};
      }));
  return restriction;
}

Status Vault::LiftRestriction(const Caller& caller, const ClientId& client,
                              const RestrictionId& id) {
  constexpr Action kAction = Action::kRestrictionWrite;
  if (audit::IsBlank(caller.reason)) {
    return std::unexpected(Refuse(caller, kAction, client, std::nullopt,
                                  Error{Code::kInvalidArgument, "reason_required", {}, {}}));
  }
  Call call = core_->StartCall(caller, kAction);
  call.About(client);
  AddDetail(call.entry, id.Text());
  AddDetail(call.entry, "lifted");
  return core_->Perform(
      OperationKind::kWrite, call, client, nullptr, [&](Transaction& transaction) -> Status {
        COFFER_TRY(FindRestriction(transaction, call, id));
        COFFER_TRY(transaction.Of<AccessState>().stores.restrictions.Delete(client, id));
        RemoveRestriction(transaction, client, id);
        return {};
      });
}

}  // namespace coffer::vault
