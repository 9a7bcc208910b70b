#include "vault/clients/sealing_contexts.h"

#include "vault/base/big_endian.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {
namespace {

void AppendText(Bytes& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

void AppendBytes(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

}  // namespace

Bytes RecordContext(const crypto::Keyring& keyring, const ClientId& client, const RecordId& record,
                    std::string_view class_name, std::uint64_t version) {
  Bytes context;
  context.reserve(96 + class_name.size());
  AppendText(context, "coffer-record-v1");
  AppendBytes(context, keyring.vault_id());
  AppendBytes(context, client.bytes());
  AppendBytes(context, record.bytes());
  AppendU64(context, version);
  AppendText(context, class_name);
  return context;
}

Bytes ClientContext(const crypto::Keyring& keyring, const ClientId& client, std::uint64_t version) {
  Bytes context;
  AppendText(context, "coffer-client-v1");
  AppendBytes(context, keyring.vault_id());
  AppendBytes(context, client.bytes());
  AppendU64(context, version);
  return context;
}

}  // namespace coffer::vault
