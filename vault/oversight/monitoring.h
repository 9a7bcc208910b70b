// How the vault is: for people, for monitoring, and whether it serves at all.
#pragma once

#include <functional>
#include <string>

#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/access/two_person_rule.h"
#include "vault/base/timestamp.h"
#include "vault/clients/index_builder.h"
#include "vault/deletion/retention_runner.h"
#include "vault/engine/log_publisher.h"
#include "vault/engine/snapshot_reader.h"
#include "vault/oversight/log_follower.h"
#include "vault/oversight/scrubber.h"
#include "vault/oversight/status.h"

namespace coffer::vault {

class Monitoring {
 public:
  // What is looked at; all must outlive it.
  struct Watched {
    const TwoPersonRule& two_person;
    const LogPublisher& publisher;
    const LogFollower& follower;
    const Scrubber& scrubber;
    const RetentionRunner& retention;
    const IndexBuilder& index_builder;
    std::function<BackupStanding()> backups;
  };
  Monitoring(const Operations& operations, SnapshotReaders& snapshots, const Watched& watched,
             std::string directory, Timestamp started)
      : operations_(operations),
        snapshots_(snapshots),
        watched_(watched),
        directory_(std::move(directory)),
        started_(started) {}

  Result<VaultStatus> ReadStatus(const Caller& caller);
  // For monitoring; a success leaves no entry, a refusal does.
  Result<VaultStatistics> ReadStatistics(const Caller& caller);
  Health CheckHealth() const;  // no entry, no disclosure
  // Waits until the engine has come to an operation of this caller: for ever, where it hangs. No
  // entry, no disclosure. False: it was not asked, as too many wait or it is stopping. That its
  // storage refuses is an answer, which CheckHealth tells.
  bool AwaitEngine() const;

 private:
  // What waits for people.
  Status CountWaiting(Transaction& transaction, VaultStatus& status) const;

  const Operations& operations_;
  SnapshotReaders& snapshots_;
  const Watched watched_;
  const std::string directory_;
  const Timestamp started_;
};

}  // namespace coffer::vault
