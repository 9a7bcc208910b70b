#include "vault/oversight/keys.h"

#include <chrono>
#include <thread>

#include "crypto/keyring.h"
#include "crypto/keys_database_key.h"
#include "vault/access/call.h"
#include "vault/engine/keyring_log.h"
#include "vault/storage/data_directory.h"
#include "vault/storage/keys_database.h"

namespace coffer::vault {
namespace {

// Of one engine operation, so that no request waits long behind it; and so many times as long it
// rests for others.
constexpr std::chrono::milliseconds kCountStep{2};
constexpr int kRestsPerCountStep = 2;

}  // namespace

Result<KeyOverview> Keys::ReadKeys(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kStatusRead});
  call.entry.detail = "keys";
  NotedKeys noted;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(noted, ReadNotedKeys(transaction.stores().settings));
    return {};
  }));
  COFFER_ASSIGN(const auto header, crypto::Keyring::ReadHeader(KeyringPath(directory_)));
  KeyOverview overview = OverviewOf(header);
  overview.root_since = noted.root_since;

  const std::lock_guard one_at_a_time(counting_);
  ClientKekUse use;
  bool more = true;
  while (more) {
    const auto began = std::chrono::steady_clock::now();
    COFFER_TRY(operations_.Look([&](Transaction& transaction) -> Status {
      const auto until = std::chrono::steady_clock::now() + kCountStep;
      COFFER_ASSIGN(more, use.CountSome(transaction.stores().keys, until));
      return {};
    }));
    if (!more) break;
    std::this_thread::sleep_for((std::chrono::steady_clock::now() - began) * kRestsPerCountStep);
  }
  overview.clients = ClientsOf(header, use, noted, exchange_.working());
  overview.database = DatabaseOf(header, noted, exchange_.writing());
  const auto progress = operations_.engine().vault_rewrite().progress();
  overview.database->pages = progress.total;
  overview.database->copied = progress.copied;
  const std::string key_path = KeysDatabaseKeyPath(KeysDatabasePath(directory_));
  COFFER_ASSIGN(const auto keys, crypto::ReadKeysDatabaseKeys(key_path, operations_.keyring()));
  overview.keys_database_key = keys.front().version;
  overview.index_generation = index_builder_.status().generation;
  return overview;
}

}  // namespace coffer::vault
