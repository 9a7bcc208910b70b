#include "api/http/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <ctime>

#include "crypto/atomic_file.h"

namespace coffer::api {
namespace {

// Finite-field groups, which OpenSSL offers too, cost a hundred times as much: one message of a
// stranger would keep a core busy for a tenth of a second.
constexpr const char* kGroups = "X25519:P-256:P-384";

std::unexpected<Error> Unusable(const TlsFiles& files) {
  ERR_clear_error();
  return Fail(Code::kInvalidArgument, "certificate_unusable",
              "cannot use the certificate " + files.certificate + " with the key " +
                  files.private_key + ": check that both are PEM files and belong together" +
                  (files.client_authorities.empty()
                       ? ""
                       : ", and that " + files.client_authorities + " holds certificates"));
}

// Of one that is not there OpenSSL says so. A pipe in its place would be waited for.
Status CheckAreFiles(const TlsFiles& files) {
  for (const std::string* path :
       {&files.certificate, &files.private_key, &files.client_authorities}) {
    const Status status = path->empty() ? Status() : crypto::CheckIsFile(*path);
    if (status || status.error().code == Code::kNotFound) continue;
    return Fail(Code::kInvalidArgument, "certificate_unusable", status.error().detail);
  }
  return {};
}

Status CheckMode(const std::string& path) {
  struct stat file{};
  // One that is not there is for OpenSSL to say.
  if (stat(path.c_str(), &file) != 0 || (file.st_mode & (S_IROTH | S_IWOTH)) == 0) return {};
  return Fail(Code::kPermissionDenied, "private_key_exposed",
              path + " can be read or written by every account of this machine; run 'chmod 0600 " +
                  path +
                  "' (0640 where a group has to read it), and have another key certified "
                  "if anybody else could log in");
}

bool UsePair(SSL_CTX& context, const TlsFiles& files) {
  return SSL_CTX_use_certificate_chain_file(&context, files.certificate.c_str()) == 1 &&
         SSL_CTX_use_PrivateKey_file(&context, files.private_key.c_str(), SSL_FILETYPE_PEM) == 1 &&
         SSL_CTX_check_private_key(&context) == 1;
}

bool AddAuthorities(SSL_CTX& context, const std::string& path) {
  if (path.empty()) return true;
  if (SSL_CTX_load_verify_file(&context, path.c_str()) != 1) return false;
  // The list takes its certificates over.
  STACK_OF(X509_NAME)* names = SSL_CTX_get_client_CA_list(&context);
  if (names == nullptr) {
    names = sk_X509_NAME_new_null();
    SSL_CTX_set_client_CA_list(&context, names);
  }
  return SSL_add_file_cert_subjects_to_stack(names, path.c_str()) == 1;
}

// Client certificates are asked for, and none is needed: what a caller may do without one is the
// vault's decision. One that no authority of ours signed ends the handshake.
bool TrustClients(SSL_CTX& context, const std::string& authority, const std::string& more) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> pem(
      BIO_new_mem_buf(authority.data(), static_cast<int>(authority.size())), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> own(
      PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr), X509_free);
  X509_STORE* const store = SSL_CTX_get_cert_store(&context);
  if (own == nullptr || X509_STORE_add_cert(store, own.get()) != 1 ||
      SSL_CTX_add_client_CA(&context, own.get()) != 1 || !AddAuthorities(context, more)) {
    return false;
  }
  // A resumed session would bring a certificate back that has expired since.
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(&context, 0);
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER, nullptr);
  return true;
}

std::int64_t ExpiryOf(const SSL_CTX& context) {
  const X509* const certificate = SSL_CTX_get0_certificate(&context);
  std::tm end{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) {
    return 0;
  }
  return timegm(&end);
}

}  // namespace

Status CheckTlsFiles(const TlsFiles& files) {
  COFFER_TRY(CheckMode(files.private_key));
  COFFER_TRY(CheckAreFiles(files));
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()),
                                                                  SSL_CTX_free);
  if (context == nullptr || !UsePair(*context, files) ||
      !AddAuthorities(*context, files.client_authorities)) {
    return Unusable(files);
  }
  return {};
}

Status Tls::SetUp(SSL_CTX& context, const TlsFiles& files) const {
  COFFER_TRY(CheckMode(files.private_key));
  COFFER_TRY(CheckAreFiles(files));
  SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION);
  SSL_CTX_set_options(&context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
  if (!TrustClients(context, vault_authority_, files.client_authorities) ||
      SSL_CTX_set_cipher_list(&context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
      SSL_CTX_set1_groups_list(&context, kGroups) != 1 || !UsePair(context, files)) {
    return Unusable(files);
  }
  return {};
}

// httplib's own context cannot be changed while its threads begin connections with it. So each
// connection is handed on, at the first message of its handshake, to the newest context.
int Tls::OnClientHello(SSL* ssl, int*, void* self) {
  const Tls& tls = *static_cast<const Tls*>(self);
  const std::lock_guard lock(tls.mutex_);
  if (tls.exchanged_ && SSL_set_SSL_CTX(ssl, tls.exchanged_.get()) == nullptr) {
    return SSL_CLIENT_HELLO_ERROR;
  }
  return SSL_CLIENT_HELLO_SUCCESS;
}

Status Tls::Begin(SSL_CTX& context, const TlsFiles& files) {
  COFFER_TRY(SetUp(context, files));
  SSL_CTX_set_client_hello_cb(&context, OnClientHello, this);
  Use(context, {nullptr, nullptr});
  return {};
}

Status Tls::Exchange(const TlsFiles& files) {
  Context context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (context == nullptr) return Unusable(files);
  COFFER_TRY(SetUp(*context, files));
  SSL_CTX& used = *context;
  Use(used, std::move(context));
  return {};
}

void Tls::Use(SSL_CTX& context, Context exchanged) {
  const std::int64_t expires = ExpiryOf(context);
  const std::lock_guard lock(mutex_);
  exchanged_ = std::move(exchanged);
  certificate_expires_ = expires;
}

std::int64_t Tls::certificate_expires() const {
  const std::lock_guard lock(mutex_);
  return certificate_expires_;
}

}  // namespace coffer::api
