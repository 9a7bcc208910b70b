// The bytes of one connection, over TLS: never waited for longer than the phase of the connection
// has patience for.
#pragma once

#include <openssl/types.h>

#include <array>
#include <string>
#include <string_view>

#include "api/http/connections.h"

namespace coffer::api {

// The other end of a socket.
std::string PeerOf(int socket);

class TlsStream final : public ByteStream {
 public:
  TlsStream(Connections& connections, Connection& connection, SSL* ssl);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  bool Accept();
  // Received, and not taken yet; valid until more is waited for.
  std::string_view Received() const { return {in_.data() + begin_, end_ - begin_}; }
  void Take(std::size_t bytes) { begin_ += bytes; }
  // Waits for more. False at the peer's end, or when it is late.
  bool Fill();
  bool Write(const char* data, std::size_t size);
  bool Holds(std::size_t bytes) override;
  bool Flush();
  // Says that nothing more will be said, throws away what the peer still sends, for a moment. To
  // close over unread bytes would be a reset, which takes the answer away from a peer that is still
  // sending.
  void Linger();
  void Close();  // in order
  bool late() const override { return late_; }

 private:
  enum class Filled { kSome, kNothingYet, kEnd };
  Filled TryFill();
  bool WriteAll(const char* data, std::size_t size);
  // Until the socket is ready, or the peer is late, or the connection is cut.
  bool Await(short events);
  std::int64_t LateAt(Phase phase, std::int64_t now);
  std::int64_t TimeLeft(Phase phase);  // 0: none, as it is late or cut
  bool AwaitFor(int outcome);

  Connections& connections_;
  Connection& connection_;
  SSL* const ssl_;
  bool late_ = false, broken_ = false;
  // Of the phase that progress is measured in.
  std::int64_t phase_since_ = -1, last_ms_ = 0;
  std::uint64_t phase_base_ = 0, moved_ = 0;
  std::size_t begin_ = 0, end_ = 0;
  std::array<char, 16'384> in_;
  std::string out_;
};

}  // namespace coffer::api
