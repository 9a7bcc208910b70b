// The bytes of one connection, over TLS, as httplib reads and writes them: never blocked for longer
// than the phase of the connection has patience for.
#pragma once

#include <httplib.h>

#include <array>
#include <string>

#include "api/connections.h"

namespace coffer::api {

// The other end of a socket.
void PeerOf(int socket, std::string& ip, int& port);

class TlsStream final : public httplib::Stream {
 public:
  TlsStream(Connections& connections, Connection& connection, SSL* ssl);
  ~TlsStream() override;

  bool Accept();
  // Waits for the first byte of a request.
  bool AwaitRequest();
  // Whether so many bytes are here without waiting. False also where they are more than one buffer.
  bool Holds(std::size_t bytes);
  bool Flush();
  // Says that nothing more will be said, throws away what the peer still sends, for a moment. To
  // close over unread bytes would be a reset, which takes the answer away from a peer that is still
  // sending.
  void Linger();
  void Close();  // in order
  bool late() const { return late_; }
  bool wrote() const { return wrote_; }

  bool is_readable() const override { return begin_ < end_; }
  bool is_writable() const override { return true; }
  ssize_t read(char* into, size_t size) override;
  ssize_t write(const char* data, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return connection_.socket; }

 private:
  enum class Filled { kSome, kNothingYet, kEnd };
  Filled TryFill();
  bool Fill();
  bool WriteAll(const char* data, std::size_t size);
  // Until the socket is ready, or the peer is late, or the connection is cut.
  bool Await(short events);
  std::int64_t LateAt(Phase phase, std::int64_t now);
  bool AwaitFor(int outcome);

  Connections& connections_;
  Connection& connection_;
  SSL* const ssl_;
  bool late_ = false, broken_ = false, wrote_ = false;
  // Of the phase that progress is measured in.
  std::int64_t phase_since_ = -1, last_ms_ = 0;
  std::uint64_t phase_base_ = 0, moved_ = 0;
  std::size_t begin_ = 0, end_ = 0;
  std::array<char, 16'384> in_;
  std::string out_;
};

}  // namespace coffer::api
