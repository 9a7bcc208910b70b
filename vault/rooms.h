// What an open vault consists of, in the order in which it is made.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "audit/tlog/checkpoint.h"
#include "crypto/certificate_authority.h"
#include "crypto/keyring.h"
#include "crypto/result.h"
#include "crypto/root_key_provider.h"
#include "vault/access/approvals.h"
#include "vault/access/assignments.h"
#include "vault/access/consent_texts.h"
#include "vault/access/consents.h"
#include "vault/access/emergencies.h"
#include "vault/access/leases.h"
#include "vault/access/operations.h"
#include "vault/access/principals.h"
#include "vault/access/restrictions.h"
#include "vault/access/roles.h"
#include "vault/access/sessions.h"
#include "vault/access/teams.h"
#include "vault/access/tokens.h"
#include "vault/access/two_person_rule.h"
#include "vault/backup/backup_runner.h"
#include "vault/backup/backups.h"
#include "vault/base/timestamp.h"
#include "vault/clients/access_explanations.h"
#include "vault/clients/caseloads.h"
#include "vault/clients/classes.h"
#include "vault/clients/client_key_exchange.h"
#include "vault/clients/clients.h"
#include "vault/clients/exports.h"
#include "vault/clients/imports.h"
#include "vault/clients/index_builder.h"
#include "vault/clients/names_of_ids.h"
#include "vault/clients/purposes.h"
#include "vault/clients/records.h"
#include "vault/clients/searches.h"
#include "vault/deletion/erasure_acts.h"
#include "vault/deletion/erasure_procedure.h"
#include "vault/deletion/erasures.h"
#include "vault/deletion/holds.h"
#include "vault/deletion/proposed_actions.h"
#include "vault/deletion/retention.h"
#include "vault/engine/damaged_objects.h"
#include "vault/engine/published_tree.h"
#include "vault/engine/snapshot_reader.h"
#include "vault/oversight/access_log.h"
#include "vault/oversight/breach_scopes.h"
#include "vault/oversight/breaches.h"
#include "vault/oversight/client_overview.h"
#include "vault/oversight/emergency_reports.h"
#include "vault/oversight/evidence_bundles.h"
#include "vault/oversight/keys.h"
#include "vault/oversight/log_reader.h"
#include "vault/oversight/monitoring.h"
#include "vault/oversight/packages.h"
#include "vault/oversight/processing.h"
#include "vault/oversight/reader_reports.h"
#include "vault/oversight/tellings.h"
#include "vault/oversight/traces.h"
#include "vault/oversight/verification.h"
#include "vault/rights/disclosures.h"
#include "vault/rights/notices.h"
#include "vault/rights/recipients.h"
#include "vault/rights/requests.h"
#include "vault/storage/data_directory.h"
#include "vault/vault_options.h"

namespace coffer::vault {

struct Services;

struct Rooms {
  Rooms(VaultOptions given, DirectoryLock directory_lock, crypto::Keyring keys);
  ~Rooms();
  // What the rooms share, once there is an engine.
  void Furnish(bool two_person_needed);
  // The services, once everything else is there.
  void HandOut();

  VaultOptions options;
  DirectoryLock lock;
  std::optional<AnchorLock> anchor_lock;  // where it serves
  crypto::Keyring keyring;
  std::optional<crypto::CertificateAuthority> authority;  // of clients
  std::unique_ptr<ErasureLedger> ledger;
  std::unique_ptr<Engine> engine;
  Timestamp started;
  DamagedObjects damaged;
  std::optional<Operations> operations;
  std::optional<SnapshotReaders> snapshots;
  std::optional<TwoPersonRule> two_person;
  std::optional<ErasureProcedure> procedure;
  std::optional<ProposedActions> proposed;
  std::unique_ptr<LogPublisher> publisher;
  std::optional<PublishedTrees> trees;
  std::unique_ptr<LogFollower> follower;
  std::optional<LogReaders> log_readers;
  std::unique_ptr<Scrubber> scrubber;
  std::unique_ptr<RetentionRunner> retention;
  std::unique_ptr<IndexBuilder> index_builder;
  std::unique_ptr<BackupRunner> backup_runner;
  std::unique_ptr<ClientKeyExchange> key_exchange;
  std::unique_ptr<Services> services;
};

// A copy that is opened to see whether it can be signs nothing: no line of its ledger, and no
// checkpoint, for which it has no publisher.
enum class OpenFor : std::uint8_t { kServing, kRehearsal };

// All that a start does before something is served or signed: what is stored is read and brought
// up to date, erasures are repeated and acts put in force again from the ledger. The engine runs.
// Errors: as Vault::Open.
struct OpenedRooms {
  std::unique_ptr<Rooms> rooms;
  KeyringLock keyring_lock;  // until keyring.json is changed no more
  audit::Anchor anchor;
};
Result<OpenedRooms> OpenRooms(const VaultOptions& options, crypto::RootKeyProvider& root,
                              OpenFor purpose);

struct Services {
  explicit Services(Rooms& room);

  Holds holds;
  Roles roles;
  Assignments assignments;
  Leases leases;
  Principals principals;
  Teams teams;
  Tokens tokens;
  Sessions sessions;
  Approvals approvals;
  Emergencies emergencies;
  Restrictions restrictions;
  Consents consents;
  ConsentTexts consent_texts;
  Clients clients;
  Searches searches;
  Records records;
  Exports exports;
  Imports imports;
  Classes classes;
  Purposes purposes;
  Caseloads caseloads;
  NamesOfIds names;
  AccessExplanations access_explanations;
  Requests requests;
  Notices notices;
  Recipients recipients;
  Disclosures disclosures;
  Erasures erasures;
  ErasureActs erasure_acts;
  Retention retention;
  AccessLog access_log;
  ReaderReports reader_reports;
  EvidenceBundles evidence;
  BreachScopes breach_scopes;
  Breaches breaches;
  Packages packages;
  Processing processing;
  Tellings tellings;
  ClientOverviews client_overviews;
  Verification verification;
  EmergencyReports emergency_reports;
  Traces traces;
  Monitoring monitoring;
  Keys keys;
  Backups backups;
};

}  // namespace coffer::vault
