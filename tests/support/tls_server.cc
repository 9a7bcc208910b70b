#include "tests/support/tls_server.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "tests/support/running_vault.h"
#include "tests/support/temporary_directory.h"

namespace coffer::testing {

struct TlsServer::State {
  TemporaryDirectory work;
  Answer answer;
  SSL_CTX* context = nullptr;
  int listener = -1;
  int port = 0;
  std::thread thread;

  ~State() {
    // Ends the accept() that the thread waits in.
    shutdown(listener, SHUT_RDWR);
    if (thread.joinable()) thread.join();
    close(listener);
    SSL_CTX_free(context);
  }

  void MakeCertificate() {
    const auto made = RunProgram({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                  "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                                  "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                                  "-keyout", work / "key.pem", "-out", work / "certificate.pem"});
    if (made.exit_code != 0) throw std::runtime_error(made.err);
    context = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_file(context, (work / "certificate.pem").c_str(),
                                     SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, (work / "key.pem").c_str(), SSL_FILETYPE_PEM) != 1) {
      throw std::runtime_error("the certificate cannot be used");
    }
  }

  void Listen() {
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener, raw, sizeof address) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, raw, &size) != 0) {
      throw std::runtime_error("no port to listen on");
    }
    port = ntohs(address.sin_port);
  }

  void Serve() {
    // Clients that had enough close the connection in the middle.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    for (;;) {
      const int connection = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      SSL* ssl = SSL_new(context);
      SSL_set_fd(ssl, connection);
      if (SSL_accept(ssl) == 1) AnswerOne(ssl);
      SSL_free(ssl);
      close(connection);
    }
  }

  void AnswerOne(SSL* ssl) {
    std::string head;
    char c = 0;
    while (!head.ends_with("\r\n\r\n") && head.size() < 16'384) {
      if (SSL_read(ssl, &c, 1) != 1) return;
      head += c;
    }
    // A body that nobody read would make the end of the connection a reset, which takes the answer
    // away.
    static constexpr std::string_view kLength = "Content-Length: ";
    const std::size_t at = head.find(kLength);
    std::size_t body = at == head.npos ? 0 : std::stoul(head.substr(at + kLength.size()));
    for (; body > 0; --body) {
      if (SSL_read(ssl, &c, 1) != 1) return;
    }
    answer(head, [&](std::string_view text) {
      return text.empty() || SSL_write(ssl, text.data(), static_cast<int>(text.size())) > 0;
    });
    SSL_shutdown(ssl);
  }
};

TlsServer::TlsServer(Answer answer) : state_(std::make_unique<State>()) {
  signal(SIGPIPE, SIG_IGN);  // as the programs do whose clients run in a test's process
  state_->answer = std::move(answer);
  state_->MakeCertificate();
  state_->Listen();
  state_->thread = std::thread([state = state_.get()] { state->Serve(); });
}

TlsServer::~TlsServer() = default;

int TlsServer::port() const { return state_->port; }
std::string TlsServer::ca_file() const { return state_->work / "certificate.pem"; }

}  // namespace coffer::testing
