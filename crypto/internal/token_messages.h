// What goes between a program and coffer-token, over a socket that no other process has.
//
// A message is fields in a fixed order, each its length as u32 (in this machine's order: both ends
// are one installation) and its bytes. All are read into locked memory, as some are secret: the PIN
// and the root secret.
#pragma once

#include <string>
#include <string_view>

#include "crypto/bytes.h"
#include "crypto/result.h"
#include "crypto/secret_bytes.h"
#include "crypto/token_root.h"

namespace coffer::crypto::internal {

struct TokenRequest {
  enum class Task : std::uint8_t { kMake, kOpen };
  Task task = Task::kOpen;
  std::string uri;
  SecretBytes pin;
  SecretBytes root_secret;  // of kMake
  TokenRoot root;           // of kOpen; without the recovery
};

struct TokenAnswer {
  bool made = false;        // of kMake: the key is new
  TokenRoot root;           // of kMake
  SecretBytes root_secret;  // of kOpen
};

// Moves bytes to the other end or from it, all or none; false when it went away or time is over.
class TokenChannel {
 public:
  virtual ~TokenChannel() = default;
  virtual bool Put(ByteView bytes) = 0;
  virtual bool Take(std::span<std::uint8_t> bytes) = 0;
};

// False as the channel's. Reading gives nothing also for what is no message.
bool PutRequest(TokenChannel& channel, const TokenRequest& request);
bool TakeRequest(TokenChannel& channel, TokenRequest& request);
bool PutAnswer(TokenChannel& channel, const Result<TokenAnswer>& answer);
bool TakeAnswer(TokenChannel& channel, Result<TokenAnswer>& answer);

}  // namespace coffer::crypto::internal
