#include "vault/rooms.h"

#include "vault/storage/data_directory.h"
#include "vault/vault_options.h"

namespace coffer::vault {

Rooms::Rooms(VaultOptions given, DirectoryLock directory_lock, crypto::Keyring keys)
    : options(std::move(given)), lock(std::move(directory_lock)), keyring(std::move(keys)) {}

Rooms::~Rooms() = default;

void Rooms::Furnish(bool two_person_needed) {
  operations.emplace(*engine, keyring, damaged, *options.clock, options.log);
  snapshots.emplace(options.directory, keyring, engine->vault_rewrite().in_use());
  two_person.emplace(*operations, two_person_needed);
  procedure.emplace(*operations, *ledger, options, options);
  proposed.emplace(*operations, *snapshots);
}

void Rooms::HandOut() { services = std::make_unique<Services>(*this); }

Services::Services(Rooms& room)
    : holds(*room.operations, *room.two_person),
      roles(*room.operations, *room.two_person),
      assignments(*room.operations),
      leases(*room.operations),
      principals(*room.operations, *room.two_person, *room.authority),
      teams(*room.operations),
      tokens(*room.operations, *room.two_person),
      sessions(*room.operations, room.options, room.options.password_cost),
      approvals(*room.operations, *room.two_person, *room.proposed),
      emergencies(*room.operations),
      restrictions(*room.operations),
      consents(*room.operations),
      consent_texts(*room.operations),
      clients(*room.operations, holds),
      searches(*room.operations, room.options.index_rows_compared),
      records(*room.operations, holds),
      exports(*room.operations, *room.two_person),
      imports(*room.operations),
      classes(*room.operations, *room.two_person),
      purposes(*room.operations),
      caseloads(*room.operations, assignments, searches),
      names(*room.operations),
      access_explanations(*room.operations),
      requests(*room.operations, holds),
      notices(*room.operations, *room.snapshots),
      recipients(*room.operations),
      disclosures(*room.operations),
      erasures(*room.operations, *room.procedure, *room.two_person, holds),
      erasure_acts(*room.operations, *room.snapshots, *room.trees),
      retention(*room.operations, *room.two_person, *room.snapshots, *room.retention),
      access_log(*room.operations, *room.log_readers, *room.snapshots, *room.trees),
      reader_reports(*room.operations, *room.log_readers),
      evidence(*room.operations, *room.log_readers, *room.trees),
      breach_scopes(*room.operations, *room.snapshots),
      breaches(*room.operations, breach_scopes),
      packages(*room.operations, *room.log_readers, *room.trees),
      processing(
          *room.operations, *room.two_person,
          [&runner = *room.backup_runner] { return runner.Standing(); }, room.options.directory),
      tellings(*room.operations, *room.log_readers),
      client_overviews(*room.operations, *room.log_readers),
      verification(*room.operations, *room.log_readers, *room.publisher, room.options.directory),
      emergency_reports(*room.operations, *room.log_readers),
      traces(*room.operations, access_log, *room.index_builder, room.options.backup_horizon_days),
      monitoring(
          *room.operations, *room.snapshots,
          {*room.two_person, *room.publisher, *room.follower, *room.scrubber, *room.retention,
           *room.index_builder, [&runner = *room.backup_runner] { return runner.Standing(); }},
          room.options.directory, room.started),
      keys(*room.operations, *room.key_exchange, *room.index_builder, room.options.directory),
      backups(*room.operations, room.options, *room.backup_runner) {}

}  // namespace coffer::vault
