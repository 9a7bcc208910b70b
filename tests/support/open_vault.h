// A vault in this process, through the library alone: its own directory, a clock that the test
// moves, a token a role, the purposes and classes that are shipped. The small language of the unit
// tests:
//
//   OpenVault vault;
//   const auto caller = vault.As(Role::kCrmService);
//   CHECK(AnswerOf(vault->clients().GetClient(caller, id)) == "not_found");
//   CHECK(vault.EntryOf(caller) == vault.Denied(Role::kCrmService, {{"action", "client.read"},
//   …})); vault.CheckInvariants();
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/entries/entry.h"
#include "crypto/root_key_provider.h"
#include "tests/support/fake_clock.h"
#include "tests/support/roles.h"
#include "tests/support/temporary_directory.h"
#include "vault/vault.h"

namespace coffer::testing {

// "ok", or the reason why not.
template <class T>
std::string AnswerOf(const Result<T>& result) {
  return result ? "ok" : std::string(result.error().reason);
}

// "/pointer message" of each issue.
std::vector<std::string> IssuesOf(const Error& error);
template <class T>
std::vector<std::string> IssuesOf(const Result<T>& result) {
  return result ? std::vector<std::string>{} : IssuesOf(result.error());
}

class OpenVault {
 public:
  struct Settings {
    std::size_t queue_limit = 4096;
    std::size_t key_cache_entries = 1024;
    int page_cache_mib = 4;
    std::uint32_t checkpoint_interval_ms = 60'000;  // only at start and stop
    std::uint32_t heartbeat_interval_s = 3600;
    std::string anchor_path = {};
    bool open = true;
    bool two_person = false;
    std::uint32_t scrub_entries_per_s = 0;
    std::optional<std::uint32_t> retention_minute = {};
    vault::OperatorDetails operator_details = {"Example Care Ltd", "1 Example Street, Exampletown",
                                               "", "", "Example CRM"};
    std::uint32_t keys_rewrite_after_ms = 5000;
    std::uint32_t keys_rewrite_interval_ms = 60'000;
    std::uint32_t index_arrivals = 65'536;
    std::uint32_t index_rows_compared = 1000;
    std::uint32_t index_rows_per_step = 1000;  // of StepIndex(): nothing else rebuilds the index
    std::uint32_t keys_rows_per_step = 4096;   // of key_exchange().Step(): nothing else does it
    std::optional<std::uint32_t> backup_horizon_days = {};
    std::vector<vault::BackupDestination> backup_destinations = {};  // beside the data directory
    std::uint32_t backup_every_hours = 0, backup_increment_seconds = 0;  // nothing by itself
    std::string backup_medium = {};
    std::uint32_t backup_drill_days = 0;
  };
  static constexpr std::string_view kOrigin = "vault.example/log";
  static constexpr std::string_view kAddress = "192.0.2.7";
  static constexpr std::string_view kPurpose = "client-care";

  OpenVault() : OpenVault(Settings()) {}
  explicit OpenVault(const Settings& settings);
  virtual ~OpenVault();

  vault::Vault* operator->() { return vault_.get(); }
  FakeClock clock;

  // Opening again fails the test unless it succeeds; TryOpen says why it did not. With what was
  // changed past the vault (other than records) only as somebody who knows of it.
  void Close() { vault_.reset(); }
  void Open(bool take_over_state = false);
  Status TryOpen(bool take_over_state = false);

  // A caller with a request id of its own.
  vault::Caller As(vault::Role role, std::string purpose = std::string(kPurpose),
                   std::string reason = {});
  static vault::Caller Stranger(std::string token = {});  // a token that nobody was given
  const vault::TokenInfo& TokenOf(vault::Role role) const { return tokens_.at(role).info; }

  // Short cuts that must succeed.
  vault::ClientId NewClient(const std::string& external_ref, std::vector<std::string> tags = {});
  vault::RecordId NewContact(const vault::ClientId& client, const nlohmann::json& data);
  vault::RecordId NewRecord(const vault::ClientId& client, std::string_view class_name,
                            const nlohmann::json& data);
  // A service of its own with a token, asked for as the administrator.
  Result<vault::NewToken> NewTokenFor(std::string_view role, std::int64_t lifetime_s,
                                      std::string_view name = "made");
  void PutClass(const nlohmann::json& definition);
  void PutPurpose(const std::string& code);

  // The log, as an auditor reads it (who leaves entries of his own doing so). Members that the log
  // itself fills in are left out: v, seq, ts, prev, log, request, state_hash.
  std::vector<nlohmann::json> EntriesOf(const vault::Caller& caller);
  nlohmann::json EntryOf(const vault::Caller& caller);  // the only one
  std::vector<audit::Entry> WholeLog();                 // all members, oldest first
  // What an entry has in common with every other one of this role, and `more`.
  nlohmann::json Allowed(vault::Role role, const nlohmann::json& more) const;
  nlohmann::json Denied(vault::Role role, const nlohmann::json& more) const;

  std::string directory() const { return work_ / "data"; }
  std::string anchor_path() const;
  const TemporaryDirectory& work() const { return work_; }
  crypto::RootKeyProvider& root() { return *root_; }
  std::string root_key_file() const;
  std::string LogKey();
  std::vector<std::string> operator_log() const;

  // The log is whole, and everything stored is what the log last said of it.
  virtual void CheckInvariants();

 private:
  const Settings settings_;
  TemporaryDirectory work_;
  std::map<vault::Role, vault::NewToken> tokens_;
  std::unique_ptr<crypto::RootKeyProvider> root_;
  mutable std::mutex operator_log_mutex_;  // several threads write it
  std::vector<std::string> operator_log_;
  std::unique_ptr<vault::Vault> vault_;
};

std::string ReadShippedFile(const std::string& path);  // below deploy/

}  // namespace coffer::testing
