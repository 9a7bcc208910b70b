// The free text that says why: kept so that erasing a client reaches all that was said about it.
#include "vault/access/reasons.h"

#include <algorithm>
#include <unordered_set>

#include "crypto/random.h"

namespace coffer::vault {
namespace {

// Salt and text. Each entry has a salt of its own: equal reasons cannot be told to be equal.
Bytes CommitTo(const std::string& reason, audit::Entry& entry) {
  crypto::Hash salt;
  crypto::FillRandom(salt);
  entry.note_hash = audit::NoteCommitment(salt, reason);
  Bytes plain(salt.size() + reason.size());
  std::ranges::copy(reason, std::ranges::copy(salt, plain.begin()).out);
  return plain;
}

// Returns whether the client is there.
Result<bool> SealReasonFor(const crypto::Keyring& keyring, Transaction& transaction,
                           const Call& call, const ClientId& client, audit::Entry& entry,
                           std::size_t place) {
  auto pin = transaction.PinKey(client);
  if (!pin) {
    // A damaged key keeps no words, and nobody from doing what needs none of its client's data.
    const Code code = pin.error().code;
    if (code == Code::kNotFound || code == Code::kCorrupted) return false;
    return std::unexpected(std::move(pin).error());
  }
  const Bytes plain = CommitTo(call.caller.reason, entry);
  transaction.AttachNote(client.Row(),
                         pin->Expose().Seal(NoteContext(keyring, call.caller.call), plain), place);
  return true;
}

}  // namespace

Status SealReason(const crypto::Keyring& keyring, Transaction& transaction, Call& call, bool done) {
  const std::optional<ClientId>& client = call.subject;
  if (call.caller.reason.empty()) return {};
  audit::Entry& own = call.entry;
  const bool erasure = done && call.reason_rule == ReasonRule::kErasure;
  bool kept = false;
  bool named = client || !own.client.empty();
  std::unordered_set<ClientId, IdHash> others;
  // A page shows many records of few clients: one note each.
  std::string_view last = own.client;
  const auto also = transaction.also();
  for (std::size_t i = 0; done && !erasure && i < also.size(); ++i) {
    if (also[i].client.empty() || also[i].client == last) continue;
    last = also[i].client;
    named = true;
    const auto other = ClientId::Parse(last);
    if (!other || last == own.client || !others.insert(*other).second) continue;
    COFFER_ASSIGN(const bool there, SealReasonFor(keyring, transaction, call, *other, also[i], i));
    kept = kept || there;
  }
  std::optional<ClientId> subject = client;
  if (const auto parsed = ClientId::Parse(own.client); !subject && parsed) subject = *parsed;
  if (subject && !erasure) {
    COFFER_ASSIGN(const bool there,
                  SealReasonFor(keyring, transaction, call, *subject, own, Transaction::kOwnEntry));
    kept = kept || there;
  }
  if (kept) return {};
  // Where nothing is kept, the commitment still says that a reason was given.
  const Bytes plain = CommitTo(call.caller.reason, own);
  if (erasure || (call.reason_rule != ReasonRule::kClients && !named)) {
    transaction.AttachNote(0, crypto::Seal(keyring.note_key().ExposeSecret(), 0,
                                           NoteContext(keyring, call.caller.call), plain));
  }
  return {};
}

Bytes NoteContext(const crypto::Keyring& keyring, const CallId& call) {
  Bytes context;
  const ByteView parts[] = {crypto::AsBytes("coffer-note-v1"), keyring.vault_id(), call.bytes()};
  for (const ByteView part : parts) context.insert(context.end(), part.begin(), part.end());
  return context;
}

Result<std::pair<crypto::Hash, std::string>> OpenReason(const crypto::Keyring& keyring,
                                                        ByteView sealed, std::string_view call,
                                                        const ClientKeys& keys) {
  COFFER_ASSIGN(const CallId id, CallId::Parse(call));
  const Bytes context = NoteContext(keyring, id);
  COFFER_ASSIGN(const Bytes plain, keys.Open(context, sealed));
  if (plain.size() < 32) return Fail(Code::kCorrupted, "note_malformed");
  std::pair<crypto::Hash, std::string> opened;
  std::copy_n(plain.begin(), 32, opened.first.begin());
  opened.second.assign(plain.begin() + 32, plain.end());
  return opened;
}

}  // namespace coffer::vault
