// The vault: opens a data directory, and hands out the services of its rooms. Each operation of a
// service takes the acting caller, decides for itself, and returns only after its access-log entry
// is durable: nothing is disclosed before. Errors common to all: vault/access/operations.h.
#pragma once

#include <memory>

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
#include "vault/backup/backup_runner.h"
#include "vault/backup/backups.h"
#include "vault/backup/restoration.h"
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
#include "vault/deletion/approval_preview.h"
#include "vault/deletion/erasure_acts.h"
#include "vault/deletion/erasures.h"
#include "vault/deletion/holds.h"
#include "vault/deletion/retention.h"
#include "vault/new_vault.h"
#include "vault/oversight/access_log.h"
#include "vault/oversight/breach_scopes.h"
#include "vault/oversight/breaches.h"
#include "vault/oversight/client_overview.h"
#include "vault/oversight/emergency_reports.h"
#include "vault/oversight/evidence_bundles.h"
#include "vault/oversight/keys.h"
#include "vault/oversight/monitoring.h"
#include "vault/oversight/packages.h"
#include "vault/oversight/processing.h"
#include "vault/oversight/reader_reports.h"
#include "vault/oversight/tellings.h"
#include "vault/oversight/traces.h"
#include "vault/oversight/verification.h"
#include "vault/oversight/verify_directory.h"
#include "vault/rights/disclosures.h"
#include "vault/rights/notices.h"
#include "vault/rights/recipients.h"
#include "vault/rights/requests.h"
#include "vault/vault_options.h"

namespace coffer::vault {

struct Rooms;

class Vault {
 public:
  // Errors: kConflict "vault_in_use" (another process holds the directory); those of the keyring
  // and the databases; kCorrupted "log_behind_anchor", "anchor_mismatch", "anchor_missing".
  static Result<std::unique_ptr<Vault>> Open(const VaultOptions& options,
                                             crypto::RootKeyProvider& root);
  // Writes the stop entry, the last checkpoint and the anchor. Operations must have ended, and none
  // may follow. Errors: kUnavailable when not all of that could be written: the log is whole up to
  // the anchor before.
  Status Close();
  ~Vault();  // closes it, where nobody did

  // access
  const Operations& operations() const;  // what concerns a request before its operation
  Roles& roles() const;
  Assignments& assignments() const;
  Leases& leases() const;
  Principals& principals() const;
  Teams& teams() const;
  Tokens& tokens() const;
  Sessions& sessions() const;
  Approvals& approvals() const;
  Emergencies& emergencies() const;
  Restrictions& restrictions() const;
  Consents& consents() const;
  ConsentTexts& consent_texts() const;

  // clients
  Clients& clients() const;
  Searches& searches() const;
  Records& records() const;
  Exports& exports() const;
  Imports& imports() const;
  Classes& classes() const;
  Purposes& purposes() const;
  Caseloads& caseloads() const;
  NamesOfIds& names() const;
  AccessExplanations& access_explanations() const;
  // Steps where no thread takes them.
  IndexBuilder& index_builder() const;
  ClientKeyExchange& key_exchange() const;

  // rights
  Requests& requests() const;
  Notices& notices() const;
  Recipients& recipients() const;
  Disclosures& disclosures() const;

  // deletion
  Holds& holds() const;
  Erasures& erasures() const;
  ErasureActs& erasure_acts() const;
  Retention& retention() const;

  // oversight
  AccessLog& access_log() const;
  ReaderReports& reader_reports() const;
  EvidenceBundles& evidence() const;
  BreachScopes& breach_scopes() const;
  Breaches& breaches() const;
  Packages& packages() const;
  Processing& processing() const;
  Tellings& tellings() const;
  ClientOverviews& client_overviews() const;
  Verification& verification() const;
  EmergencyReports& emergency_reports() const;
  Traces& traces() const;
  Monitoring& monitoring() const;
  Keys& keys() const;

  Backups& backups() const;
  BackupRunner& backup_runner() const;  // increments where no thread makes them

 private:
  explicit Vault(std::unique_ptr<Rooms> rooms);
  std::unique_ptr<Rooms> rooms_;
};

}  // namespace coffer::vault
