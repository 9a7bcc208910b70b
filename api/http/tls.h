// TLS as the server speaks it, and the files it speaks with, which can be exchanged while it
// serves: a certificate is renewed more often than a server is restarted.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "crypto/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace coffer::api {

struct TlsFiles {
  std::string certificate;         // PEM file, the chain
  std::string private_key;         // PEM file, for its owner and group alone
  std::string client_authorities;  // PEM file: of client certificates, beside the vault's own
};

// Whether a server could begin with them. Errors: kInvalidArgument "certificate_unusable" (missing,
// not PEM, a pair that does not fit); kPermissionDenied "private_key_exposed" for a key that every
// account of the machine may read or write.
Status CheckTlsFiles(const TlsFiles& files);

// Thread-safe.
class Tls {
 public:
  // `vault_authority`: the PEM certificate by which the vault certifies services.
  explicit Tls(std::string vault_authority) : vault_authority_(std::move(vault_authority)) {}

  // Makes `context`, which must not outlive this, the one that connections begin with. Errors: as
  // CheckTlsFiles.
  Status Begin(ssl_ctx_st& context, const TlsFiles& files);
  // Connections from now on get these files' certificates; open ones keep theirs. On an error
  // nothing changes: as CheckTlsFiles.
  Status Exchange(const TlsFiles& files);

  // When the certificate in use ends, Unix time in seconds.
  std::int64_t certificate_expires() const;

 private:
  using Context = std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)>;
  static int OnClientHello(ssl_st* ssl, int* alert, void* self);
  Status SetUp(ssl_ctx_st& context, const TlsFiles& files) const;
  void Use(ssl_ctx_st& context, Context exchanged);

  const std::string vault_authority_;
  mutable std::mutex mutex_;
  Context exchanged_{nullptr, nullptr};  // in the place of what connections begin with
  std::int64_t certificate_expires_ = 0;
};

}  // namespace coffer::api
