#include "vault/rights/request_words.h"

#include <nlohmann/json.hpp>

#include "vault/base/big_endian.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::string_view kRequestLabel = "coffer-request-v1";

Bytes WordsContext(const crypto::Keyring& keyring, const RequestId& id, std::uint64_t number) {
  Bytes context;
  for (const ByteView part :
       {crypto::AsBytes(kRequestLabel), ByteView(keyring.vault_id()), id.bytes()}) {
    context.insert(context.end(), part.begin(), part.end());
  }
  AppendU64(context, number);
  return context;
}

void PutLine(json& said, const char* name, const std::string& text) {
  if (!text.empty()) said[name] = text;
}

}  // namespace

ClientKeys KeysOfNobody(const crypto::Keyring& keyring) {
  return {keyring.note_key().ExposeSecret(), 0};
}

Bytes SealWords(const crypto::Keyring& keyring, const ClientKeys& keys, const RequestId& id,
                const RequestStep& step) {
  json said = json::object();
  PutLine(said, "authority", step.authority);
  PutLine(said, "letter", step.letter);
  PutLine(said, "words", step.words);
  if (!step.attachments.empty()) said["attachments"] = step.attachments;
  if (said.empty()) return {};
  std::string plain = said.dump();
  Bytes sealed = keys.Seal(WordsContext(keyring, id, step.number), crypto::AsBytes(plain));
  crypto::Wipe(std::span(reinterpret_cast<std::uint8_t*>(plain.data()), plain.size()));
  return sealed;
}

Status OpenWords(const crypto::Keyring& keyring, const ClientKeys& keys, const RequestId& id,
                 RequestStep& step) {
  if (step.sealed.empty()) return {};
  COFFER_ASSIGN(Bytes plain, keys.Open(WordsContext(keyring, id, step.number), step.sealed));
  const json said = json::parse(crypto::AsText(plain), nullptr, false);
  crypto::Wipe(plain);
  if (!said.is_object()) {
    return Fail(Code::kCorrupted, "storage_corrupted", "the words of a request");
  }
  step.authority = said.value("authority", "");
  step.letter = said.value("letter", "");
  step.words = said.value("words", "");
  step.attachments = said.value("attachments", std::vector<std::string>());
  return {};
}

Result<Bytes> ResealWords(const crypto::Keyring& keyring, const ClientKeys& from,
                          const ClientKeys& to, const RequestId& id, std::uint64_t number,
                          ByteView sealed) {
  const Bytes context = WordsContext(keyring, id, number);
  COFFER_ASSIGN(Bytes plain, from.Open(context, sealed));
  Bytes resealed = to.Seal(context, plain);
  crypto::Wipe(plain);
  return resealed;
}

}  // namespace coffer::vault
