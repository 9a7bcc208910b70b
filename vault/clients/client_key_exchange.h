// Exchanges of keys as a running vault follows them, on a thread of its own: a new client-KEK is
// taken up, all clients' keys are wrapped under it in small engine operations, and what somebody
// did to keyring.json is in the log at once. New keys of the databases are taken up too, and the
// engine writes both anew (vault_rewrite.h, key_store_rewrite.h). Who has the root key does the
// rest (vault/key_exchange.h):
//
//   1. keyring.json gets the next client-KEK                      by the root key
//   2. the vault takes it up, from the file beside it or at a start; what is new is wrapped under
//   it
//   3. every other key is, in the order of the rows
//   4. the log says so, and a setting
//   5. keyring.json loses the older client-KEK                    by the root key, or at a start
//
// Each key opens by the version that its wrapping names, at every moment. A crash leaves keys of
// both kinds and a keyring.json that has both versions: the next start goes through all rows again,
// and passes over those that are done. Between 4 and 5 nothing needs the older one. keys.db is
// written anew after 3, as after an erasure (key_store_rewrite.h): what it held under the older
// version is beyond the reach of whoever has that.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

#include "crypto/keyring.h"
#include "vault/access/operations.h"
#include "vault/clients/key_options.h"
#include "vault/engine/keyring_log.h"

namespace coffer::vault {

class ClientKeyExchange {
 public:
  // Both must outlive it, and the engine run.
  ClientKeyExchange(const Operations& operations, crypto::Keyring& keyring, std::string directory,
                    const KeyOptions& options);
  ~ClientKeyExchange();
  // Something else that lies under the newest vault-db key, or is made anew under it when it is
  // asked for: whether it does. Once more after both databases are. Thread-safe; before Start().
  void AlsoUnderNewest(std::function<bool()> written) { also_written_ = std::move(written); }
  // Another key that keyring.json has versions of, by its name there: `follow` is called when the
  // file has changed, or something was handed over, and again until it succeeds. Before Start().
  void AlsoFollow(std::string_view name,
                  std::function<Status(const crypto::KeyringHeader&)> follow);
  void Start();
  void Stop();

  // What is due now; false: nothing was. Not for two threads.
  Result<bool> Step();
  // Clients' keys are being wrapped again. Thread-safe.
  bool working() const { return working_.load(std::memory_order_relaxed); }
  // Both databases are being written anew. Thread-safe.
  bool writing() const;

  // While the vault is opened: takes what a crash left of 5 to its end, and what had come to 4.
  Status FinishAtStart(crypto::RootKeyProvider& root);

 private:
  using Seen = std::tuple<dev_t, ino_t, std::int64_t, std::int64_t>;

  void Loop();
  Status TakeUp();
  Result<bool> TakeUpOne(const crypto::KeyringHeader& header, std::string_view name,
                         crypto::VersionedKeys& keys) const;
  Status TellWritten();
  std::uint32_t OldestInUse(std::string_view name) const;
  Status ForgetWhatIsGone(const crypto::KeyringHeader& header, std::string_view name,
                          crypto::VersionedKeys& keys);
  Status CheckHandedOver(const crypto::KeyringHeader& header, std::string_view name,
                         const crypto::VersionedKeys& keys, std::string_view command) const;
  Status FinishClientsAtStart(crypto::RootKeyProvider& root, const NotedKeys& noted);
  Status FinishDatabasesAtStart(crypto::RootKeyProvider& root, const NotedKeys& noted);
  Status Watch();
  Status Follow(const crypto::KeyringHeader& header);
  Status RewrapSome();
  void BeginPass();
  std::chrono::nanoseconds RestAfter(std::chrono::nanoseconds step);

  const Operations& operations_;
  crypto::Keyring& keyring_;
  const std::string directory_;
  const KeyOptions options_;

  std::optional<Seen> seen_;  // keyring.json, when it was looked at last
  std::atomic<bool> working_{false};
  // Of the pass over all rows.
  std::int64_t position_ = std::numeric_limits<std::int64_t>::min();
  std::uint64_t rewrapped_ = 0, damaged_ = 0;
  std::function<bool()> also_written_;
  struct Followed {
    std::string handed_over;  // path
    std::function<Status(const crypto::KeyringHeader&)> follow;
  };
  std::vector<Followed> followed_;
  std::uint32_t told_written_ = 0;  // both databases are, under that version

  std::uint64_t counted_ = 0, own_operations_ = 0;
  std::chrono::steady_clock::time_point looked_at_operations_;
  bool busy_ = false;
  std::string reported_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace coffer::vault
