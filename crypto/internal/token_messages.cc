#include "crypto/internal/token_messages.h"

#include <array>
#include <cstring>
#include <utility>

namespace coffer::crypto::internal {
namespace {

constexpr std::uint32_t kMaxField = 8192;

// Errors keep literals, so that a reason that comes as text is looked up. The first is for what is
// not listed.
struct TokenReason {
  std::string_view reason;
  Code code;
};
constexpr std::array<TokenReason, 16> kTokenReasons{
    {{"token_failed", Code::kUnavailable},
     {"crypto_unavailable", Code::kInternal},
     {"root_key_uri_invalid", Code::kInvalidArgument},
     {"root_key_wrong", Code::kUnauthenticated},
     {"token_ambiguous", Code::kConflict},
     {"token_key_ambiguous", Code::kConflict},
     {"token_key_missing", Code::kNotFound},
     {"token_key_unsuitable", Code::kUnprocessable},
     {"token_mechanism_missing", Code::kUnprocessable},
     {"token_missing", Code::kNotFound},
     {"token_module_missing", Code::kNotFound},
     {"token_module_unusable", Code::kInvalidArgument},
     {"token_pin_locked", Code::kPermissionDenied},
     {"token_pin_missing", Code::kInvalidArgument},
     {"token_pin_wrong", Code::kUnauthenticated},
     {"token_removed", Code::kUnavailable}}};

bool PutField(TokenChannel& channel, ByteView field) {
  const auto size = static_cast<std::uint32_t>(field.size());
  std::array<std::uint8_t, sizeof size> head;
  std::memcpy(head.data(), &size, sizeof size);
  return channel.Put(head) && channel.Put(field);
}

bool TakeField(TokenChannel& channel, SecretBytes& field) {
  std::uint32_t size = 0;
  std::array<std::uint8_t, sizeof size> head;
  if (!channel.Take(head)) return false;
  std::memcpy(&size, head.data(), sizeof size);
  if (size > kMaxField) return false;
  field = SecretBytes(size);
  return channel.Take(field.ExposeSecretForWriting());
}

bool TakeField(TokenChannel& channel, std::string& field) {
  SecretBytes bytes;
  if (!TakeField(channel, bytes)) return false;
  field = AsText(bytes.ExposeSecret());
  return true;
}

bool TakeField(TokenChannel& channel, Bytes& field) {
  SecretBytes bytes;
  if (!TakeField(channel, bytes)) return false;
  field.assign(bytes.ExposeSecret().begin(), bytes.ExposeSecret().end());
  return true;
}

bool TakeField(TokenChannel& channel, bool& field) {
  SecretBytes byte;
  if (!TakeField(channel, byte) || byte.size() != 1) return false;
  field = byte.ExposeSecret().front() != 0;
  return true;
}

bool PutField(TokenChannel& channel, bool field) {
  const std::uint8_t byte = field ? 1 : 0;
  return PutField(channel, ByteView(&byte, 1));
}

bool PutRoot(TokenChannel& channel, const TokenRoot& root) {
  return PutField(channel, AsBytes(root.mechanism)) && PutField(channel, AsBytes(root.key_label)) &&
         PutField(channel, root.key_id) && PutField(channel, AsBytes(root.token_label)) &&
         PutField(channel, AsBytes(root.token_serial)) && PutField(channel, root.wrapped);
}

bool TakeRoot(TokenChannel& channel, TokenRoot& root) {
  return TakeField(channel, root.mechanism) && TakeField(channel, root.key_label) &&
         TakeField(channel, root.key_id) && TakeField(channel, root.token_label) &&
         TakeField(channel, root.token_serial) && TakeField(channel, root.wrapped);
}

Error ErrorOf(std::string_view reason, std::string detail) {
  for (const auto& known : kTokenReasons) {
    if (known.reason == reason) return {known.code, known.reason, std::move(detail), {}};
  }
  return {kTokenReasons.front().code, kTokenReasons.front().reason, std::move(detail), {}};
}

}  // namespace

bool PutRequest(TokenChannel& channel, const TokenRequest& request) {
  return PutField(channel, request.task == TokenRequest::Task::kMake) &&
         PutField(channel, AsBytes(request.uri)) && PutField(channel, request.pin.ExposeSecret()) &&
         PutField(channel, request.root_secret.ExposeSecret()) && PutRoot(channel, request.root);
}

bool TakeRequest(TokenChannel& channel, TokenRequest& request) {
  bool make = false;
  if (!TakeField(channel, make) || !TakeField(channel, request.uri) ||
      !TakeField(channel, request.pin) || !TakeField(channel, request.root_secret) ||
      !TakeRoot(channel, request.root)) {
    return false;
  }
  request.task = make ? TokenRequest::Task::kMake : TokenRequest::Task::kOpen;
  return true;
}

bool PutAnswer(TokenChannel& channel, const Result<TokenAnswer>& answer) {
  if (!PutField(channel, answer.has_value())) return false;
  if (!answer) {
    const std::string_view detail = answer.error().detail;
    return PutField(channel, AsBytes(answer.error().reason)) &&
           PutField(channel, AsBytes(detail.substr(0, kMaxField)));
  }
  return PutField(channel, answer->made) && PutRoot(channel, answer->root) &&
         PutField(channel, answer->root_secret.ExposeSecret());
}

bool TakeAnswer(TokenChannel& channel, Result<TokenAnswer>& answer) {
  bool good = false;
  if (!TakeField(channel, good)) return false;
  if (!good) {
    std::string reason, detail;
    if (!TakeField(channel, reason) || !TakeField(channel, detail)) return false;
    answer = std::unexpected(ErrorOf(reason, std::move(detail)));
    return true;
  }
  TokenAnswer taken;
  if (!TakeField(channel, taken.made) || !TakeRoot(channel, taken.root) ||
      !TakeField(channel, taken.root_secret)) {
    return false;
  }
  answer = std::move(taken);
  return true;
}

}  // namespace coffer::crypto::internal
