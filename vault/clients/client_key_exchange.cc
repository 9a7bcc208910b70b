#include "vault/clients/client_key_exchange.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <system_error>
#include <utility>
#include <vector>

#include "crypto/aead.h"
#include "crypto/atomic_file.h"
#include "crypto/keys_database_key.h"
#include "vault/base/operator_log.h"
#include "vault/engine/client_kek_use.h"
#include "vault/engine/log_keys.h"
#include "vault/storage/data_directory.h"
#include "vault/storage/keys_database.h"

namespace coffer::vault {
namespace {

using KeyClock = std::chrono::steady_clock;

// Of one engine operation, so that no request waits long behind it.
constexpr std::chrono::milliseconds kBusyKeyStep{2}, kIdleKeyStep{4};
constexpr std::size_t kKeysAtOnce = 128;
// While others ask, it rests for so many times as long as a step took.
constexpr int kRestsPerKeyStep = 20;
// The vault's own threads do fewer operations.
constexpr double kOthersThanKeysPerSecond = 10;
constexpr std::size_t kMaxHandedOver = 4096;

// Of the file as it is now.
std::optional<std::tuple<dev_t, ino_t, std::int64_t, std::int64_t>> LookAt(
    const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  return std::tuple(status.st_dev, status.st_ino,
                    status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec,
                    static_cast<std::int64_t>(status.st_size));
}

constexpr std::string_view kClientKekName = "client-kek", kVaultDbName = "vault-db",
                           kKeysDbName = "keys-db";

}  // namespace

ClientKeyExchange::ClientKeyExchange(const Operations& operations, crypto::Keyring& keyring,
                                     std::string directory, const KeyOptions& options)
    : operations_(operations),
      keyring_(keyring),
      directory_(std::move(directory)),
      options_(options) {
  if (keyring_.client_keks().versions().size() > 1) BeginPass();
}

ClientKeyExchange::~ClientKeyExchange() { Stop(); }

void ClientKeyExchange::BeginPass() {
  position_ = std::numeric_limits<std::int64_t>::min();
  rewrapped_ = damaged_ = 0;
  working_ = true;
}

void ClientKeyExchange::AlsoFollow(std::string_view name,
                                   std::function<Status(const crypto::KeyringHeader&)> follow) {
  followed_.push_back({HandedOverKeyPath(directory_, name), std::move(follow)});
}

void ClientKeyExchange::Start() {
  if (options_.keys_interval_ms == 0) return;
  try {
    thread_ = std::thread([this] { Loop(); });
  } catch (const std::system_error& error) {
    if (operations_.log()) {
      operations_.log()(Severity::kError,
                        std::string("no thread to follow exchanges of keys: ") + error.what());
    }
  }
}

void ClientKeyExchange::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void ClientKeyExchange::Loop() {
  const std::chrono::nanoseconds interval = std::chrono::milliseconds(options_.keys_interval_ms);
  std::chrono::nanoseconds rest{0};
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, rest, [this] { return stopping_; })) return;
    }
    const auto began = KeyClock::now();
    rest = interval;
    try {
      const auto done = Step();
      if (done && *done) rest = RestAfter(KeyClock::now() - began);
      std::string failure =
          done ? "" : std::string(done.error().reason) + " " + done.error().detail;
      if (!failure.empty() && failure != reported_ && operations_.log()) {
        operations_.log()(Severity::kWarning, "the exchange of keys does not go on: " + failure);
      }
      reported_ = std::move(failure);
    } catch (const std::bad_alloc&) {
      // It goes on where the last step was committed.
    }
  }
}

std::chrono::nanoseconds ClientKeyExchange::RestAfter(std::chrono::nanoseconds step) {
  const auto now = KeyClock::now();
  const std::chrono::duration<double> passed = now - looked_at_operations_;
  if (passed >= std::chrono::seconds(1)) {
    const std::uint64_t operations = operations_.engine().Statistics().operations;
    const std::uint64_t all = operations - counted_;
    const auto others = static_cast<double>(all - std::min(own_operations_, all));
    busy_ = passed < std::chrono::seconds(5) && others > passed.count() * kOthersThanKeysPerSecond;
    counted_ = operations;
    own_operations_ = 0;
    looked_at_operations_ = now;
  }
  return busy_ ? step * kRestsPerKeyStep : std::chrono::nanoseconds(0);
}

Result<bool> ClientKeyExchange::Step() {
  // What is wrong with a file holds up nothing else: the sooner nothing is under an older key.
  Status looked = TakeUp();
  for (const auto step : {&ClientKeyExchange::Watch, &ClientKeyExchange::TellWritten}) {
    Status also = (this->*step)();
    if (looked) looked = std::move(also);
  }
  const bool works = working();
  if (works) COFFER_TRY(RewrapSome());
  COFFER_TRY(std::move(looked));
  return works;
}

Status ClientKeyExchange::TakeUp() {
  const std::string_view names[] = {kClientKekName, kKeysDbName, kVaultDbName};
  crypto::VersionedKeys* const keys[] = {&keyring_.client_keks(), &keyring_.keys_db_keys(),
                                         &keyring_.vault_db_keys()};
  for (std::size_t i = 0; i < std::size(names); ++i) {
    const std::string path = HandedOverKeyPath(directory_, names[i]);
    if (!IsHandedOver(path)) continue;
    COFFER_ASSIGN(const auto header, crypto::Keyring::ReadHeader(KeyringPath(directory_)));
    // An exchange may have been finished, and this one begun, since keyring.json was looked at.
    COFFER_TRY(ForgetWhatIsGone(header, names[i], *keys[i]));
    COFFER_ASSIGN(const bool added, TakeUpOne(header, names[i], *keys[i]));
    if (added && keys[i] == &keyring_.client_keks()) BeginPass();
    COFFER_TRY(LogKeyExchanges(operations_.engine(), header, keyring_));
    COFFER_TRY(RemoveHandedOver(directory_, names[i]));
  }
  return {};
}

// Only what keyring.json has: else something would be encrypted under what no start knows.
Result<bool> ClientKeyExchange::TakeUpOne(const crypto::KeyringHeader& header,
                                          std::string_view name,
                                          crypto::VersionedKeys& keys) const {
  const std::string path = HandedOverKeyPath(directory_, name);
  COFFER_ASSIGN(const Bytes sealed, crypto::ReadFile(path, kMaxHandedOver));
  COFFER_ASSIGN(const std::uint32_t version, crypto::KeyIdOf(sealed));
  if (!header.HasVersion(name, version)) {
    return Fail(Code::kConflict, "keyring_behind",
                path + " has " + std::string(name) + " version " + std::to_string(version) +
                    ", which keyring.json has not: it is not taken up");
  }
  return keys.Take(sealed, keyring_.note_key());
}

bool ClientKeyExchange::writing() const {
  const Engine& engine = operations_.engine();
  return engine.vault_rewrite().key_version() != keyring_.vault_db_keys().newest() ||
         engine.keys_rewrite().sealed_under() != keyring_.keys_db_keys().newest() ||
         (also_written_ && !also_written_());
}

Status ClientKeyExchange::TellWritten() {
  const std::uint32_t newest = keyring_.vault_db_keys().newest();
  if (told_written_ == newest || writing()) return {};
  if (keyring_.vault_db_keys().versions().size() > 1) {
    COFFER_TRY(LogDatabasesWritten(operations_.engine(), newest));
    if (operations_.log()) {
      operations_.log()(Severity::kInfo,
                        "both databases are written under vault-db and keys-db version " +
                            std::to_string(newest) +
                            "; 'coffer key finish database', or the next start, destroys the "
                            "older ones");
    }
  }
  told_written_ = newest;
  return {};
}

Status ClientKeyExchange::Watch() {
  const std::string path = KeyringPath(directory_);
  const auto now = LookAt(path);
  const bool handed_over = std::ranges::any_of(
      followed_, [](const Followed& one) { return IsHandedOver(one.handed_over); });
  if (!now || (now == seen_ && !handed_over)) return {};
  COFFER_ASSIGN(const auto header, crypto::Keyring::ReadHeader(path));
  // What is wrong with one keeps none of the others.
  Status followed = Follow(header);
  for (const Followed& one : followed_) {
    Status also = one.follow(header);
    if (followed) followed = std::move(also);
  }
  COFFER_TRY(std::move(followed));
  seen_ = now;
  return {};
}

Status ClientKeyExchange::Follow(const crypto::KeyringHeader& header) {
  COFFER_TRY(ForgetWhatIsGone(header, kClientKekName, keyring_.client_keks()));
  COFFER_TRY(ForgetWhatIsGone(header, kVaultDbName, keyring_.vault_db_keys()));
  COFFER_TRY(ForgetWhatIsGone(header, kKeysDbName, keyring_.keys_db_keys()));
  COFFER_TRY(LogKeyExchanges(operations_.engine(), header, keyring_));
  COFFER_TRY(CheckHandedOver(header, kClientKekName, keyring_.client_keks(), "clients"));
  COFFER_TRY(CheckHandedOver(header, kVaultDbName, keyring_.vault_db_keys(), "database"));
  return CheckHandedOver(header, kKeysDbName, keyring_.keys_db_keys(), "database");
}

// The oldest version that something is encrypted under; 0 while that is not sure.
std::uint32_t ClientKeyExchange::OldestInUse(std::string_view name) const {
  const Engine& engine = operations_.engine();
  if (name == kVaultDbName) return engine.vault_rewrite().key_version();
  if (name == kKeysDbName) return engine.keys_rewrite().sealed_under();
  return working() ? 0 : keyring_.client_keks().newest();
}

Status ClientKeyExchange::ForgetWhatIsGone(const crypto::KeyringHeader& header,
                                           std::string_view name, crypto::VersionedKeys& keys) {
  const std::uint32_t in_use = OldestInUse(name);
  for (const std::uint32_t version : keys.versions()) {
    if (header.HasVersion(name, version)) continue;
    if (version >= in_use) {
      return Fail(Code::kConflict, "keyring_behind",
                  "keyring.json has no " + std::string(name) + " version " +
                      std::to_string(version) +
                      ", which is in use: put the newest keyring.json back before the next start");
    }
    keys.Forget(version);
  }
  return {};
}

Status ClientKeyExchange::CheckHandedOver(const crypto::KeyringHeader& header,
                                          std::string_view name, const crypto::VersionedKeys& keys,
                                          std::string_view command) const {
  const auto& in_file = header.VersionsOf(name);
  if (in_file.empty() || in_file.back() <= keys.newest() ||
      IsHandedOver(HandedOverKeyPath(directory_, name))) {
    return {};
  }
  return Fail(Code::kConflict, "keyring_ahead",
              "keyring.json has " + std::string(name) + " version " +
                  std::to_string(in_file.back()) +
                  ", which was not handed over: run 'coffer key rotate " + std::string(command) +
                  "' again, or restart the server");
}

Status ClientKeyExchange::RewrapSome() {
  std::int64_t position = position_;
  std::uint64_t rewrapped = 0, damaged = 0;
  bool more = true;
  ++own_operations_;
  COFFER_TRY(operations_.Store([&](Transaction& transaction) -> Status {
    const auto until = KeyClock::now() + (busy_ ? kBusyKeyStep : kIdleKeyStep);
    const crypto::ClientKeks& keks = keyring_.client_keks();
    std::vector<std::pair<std::int64_t, Bytes>> changed;
    std::size_t left = std::max<std::size_t>(options_.keys_rows_per_step, 1);
    while (more && left > 0 && KeyClock::now() < until) {
      COFFER_ASSIGN(const auto rows,
                    transaction.stores().keys.ListAfter(position, std::min(left, kKeysAtOnce)));
      more = !rows.empty();
      left -= rows.size();
      for (const WrappedClientKey& key : rows) {
        position = key.row;
        auto again = keks.Rewrap(key.wrapped, key.client.value);
        // It is read by nobody, and held up by it nothing would ever be destroyed.
        if (!again) ++damaged;
        if (again && *again) changed.emplace_back(key.row, **std::move(again));
      }
    }
    rewrapped = changed.size();
    if (changed.empty()) return {};
    transaction.PutKey([changed = std::move(changed)](KeyStore& keys) -> Status {
      for (const auto& [row, wrapped] : changed) COFFER_TRY(keys.Rewrap(row, wrapped));
      return {};
    });
    return {};
  }));
  position_ = position;
  rewrapped_ += rewrapped;
  damaged_ += damaged;
  if (more) return {};
  COFFER_TRY(
      LogKeysWrapped(operations_.engine(), keyring_.client_keks().newest(), rewrapped_, damaged_));
  working_ = false;
  if (operations_.log()) {
    operations_.log()(
        Severity::kInfo,
        "all clients' keys are wrapped under client-kek version " +
            std::to_string(keyring_.client_keks().newest()) +
            "; 'coffer key finish clients', or the next start, destroys the older one");
  }
  // What was taken from keyring.json meanwhile is looked at again.
  seen_.reset();
  return {};
}

Status ClientKeyExchange::FinishAtStart(crypto::RootKeyProvider& root) {
  // keyring.json has it, or nobody may have it.
  for (const std::string_view name : {kClientKekName, kVaultDbName, kKeysDbName, kLogSigningName}) {
    const std::string handed_over = HandedOverKeyPath(directory_, name);
    if (IsHandedOver(handed_over)) COFFER_TRY(crypto::RemoveSecretFile(handed_over));
  }
  COFFER_TRY(LogKeyExchanges(operations_.engine(), keyring_.header(), keyring_));
  NotedKeys noted;
  COFFER_TRY(operations_.Look([&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(noted, ReadNotedKeys(transaction.stores().settings));
    return {};
  }));
  COFFER_TRY(FinishClientsAtStart(root, noted));
  COFFER_TRY(FinishDatabasesAtStart(root, noted));
  COFFER_ASSIGN(const auto header, crypto::Keyring::ReadHeader(KeyringPath(directory_)));
  return LogKeyExchanges(operations_.engine(), header, keyring_);
}

Status ClientKeyExchange::FinishClientsAtStart(crypto::RootKeyProvider& root,
                                               const NotedKeys& noted) {
  crypto::ClientKeks& keks = keyring_.client_keks();
  if (keks.versions().size() < 2 || noted.wrapped_under != keks.newest()) return {};
  // keys.db may have been put back from before.
  ClientKeysLeft left;
  bool more = true;
  while (more) {
    COFFER_TRY(operations_.Look([&](Transaction& transaction) -> Status {
      COFFER_ASSIGN(
          more, left.CountSome(transaction.stores().keys, keks, KeyClock::now() + kIdleKeyStep));
      return {};
    }));
  }
  if (left.keys() > 0) return {};
  COFFER_TRY(
      crypto::Keyring::DropOlder(KeyringPath(directory_), root, crypto::KeysInUse::kClients));
  keks.ForgetOlder();
  working_ = false;
  return {};
}

Status ClientKeyExchange::FinishDatabasesAtStart(crypto::RootKeyProvider& root,
                                                 const NotedKeys& noted) {
  const std::uint32_t newest = keyring_.vault_db_keys().newest();
  if (keyring_.vault_db_keys().versions().size() < 2 || noted.written_under != newest ||
      operations_.engine().vault_rewrite().key_version() != newest) {
    return {};
  }
  COFFER_ASSIGN(
      const bool sealed,
      crypto::IsUnderNewestKeysDbKey(KeysDatabaseKeyPath(KeysDatabasePath(directory_)), keyring_));
  if (!sealed) return {};
  COFFER_TRY(
      crypto::Keyring::DropOlder(KeyringPath(directory_), root, crypto::KeysInUse::kDatabases));
  keyring_.vault_db_keys().ForgetOlder();
  keyring_.keys_db_keys().ForgetOlder();
  return {};
}

}  // namespace coffer::vault
