#include "vault/engine/protective_act.h"

#include <string_view>

#include "crypto/aead.h"
#include "crypto/kdf.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kActLabel = "coffer-ledger-act-v1";
constexpr std::size_t kActEnvelope = 64;  // more than sealing adds

Bytes ActContext(const crypto::Keyring& keyring, const ActRow& row) {
  Bytes context;
  const auto add = [&](crypto::ByteView part) {
    context.insert(context.end(), part.begin(), part.end());
  };
  add(crypto::AsBytes(kActLabel));
  add(keyring.vault_id());
  add(row.id.bytes());
  if (row.client) add(row.client->bytes());
  // Neither a kind nor an object has a space.
  add(crypto::AsBytes(" "));
  add(crypto::AsBytes(Name(row.kind)));
  add(crypto::AsBytes(" "));
  add(crypto::AsBytes(row.object));
  return context;
}

}  // namespace

ActRow SealedAct(const crypto::Keyring& keyring, const ProtectiveAct& act, std::uint64_t seq,
                 Timestamp now) {
  ActRow row{ActId::New(now), act.kind, act.object, act.client, seq, now, {}};
  const bool fits = act.content.size() + kActEnvelope <= audit::kMaxSealedAct;
  if (act.content.empty() || !fits) return row;
  const auto key = crypto::DeriveKey(keyring.note_key(), kActLabel);
  row.sealed =
      crypto::Seal(key.ExposeSecret(), 0, ActContext(keyring, row), crypto::AsBytes(act.content));
  return row;
}

Result<std::string> OpenAct(const crypto::Keyring& keyring, const ActRow& row) {
  if (row.sealed.empty()) return std::string();
  const auto key = crypto::DeriveKey(keyring.note_key(), kActLabel);
  COFFER_ASSIGN(Bytes plain,
                crypto::Open(key.ExposeSecret(), ActContext(keyring, row), row.sealed));
  std::string content(crypto::AsText(plain));
  crypto::Wipe(plain);
  return content;
}

}  // namespace coffer::vault
