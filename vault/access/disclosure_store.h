// Disclosures, their clients, and what recipients are to be told: rows.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "vault/access/disclosure.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

using ClassNames = std::set<std::string, std::less<>>;

class DisclosureStore {
 public:
  static Result<DisclosureStore> Open(Database& database);

  // The row of a new one. `run`: by which pages of one export find it; empty: none.
  Result<std::int64_t> Insert(const Disclosure& disclosure, ByteView run);
  Result<std::optional<Disclosure>> Find(const DisclosureId& id);
  Result<std::optional<Disclosure>> FindRow(std::int64_t row);
  // The newest of the run.
  Result<std::optional<Disclosure>> FindRun(ByteView run);
  // Rows before `before`, the newest first; of one recipient, or of all (row 0).
  Result<std::vector<Disclosure>> List(std::int64_t before, std::int64_t recipient,
                                       std::size_t limit);
  // The same of one client.
  struct OfClient {
    Disclosure disclosure;
    DisclosedClient client;
  };
  Result<std::vector<OfClient>> ListOf(const ClientId& client, std::int64_t before,
                                       std::size_t limit);

  // Adds the client, or these classes of it; no classes: everything, or it is not known which, and
  // so it stays. Whether it is a new one.
  Result<bool> PutClient(std::int64_t disclosure, const ClientId& client, const ClassNames& classes,
                         std::uint64_t seq);
  Status AddToCount(std::int64_t disclosure, std::uint64_t clients);
  // Behind `after`, in the order of their ids.
  Result<std::vector<DisclosedClient>> ListClients(std::int64_t disclosure,
                                                   const std::optional<ClientId>& after,
                                                   std::size_t limit);
  // Recipients that have something of the client, of this class or of any (empty). One of which it
  // is not known what it was given has everything.
  Result<std::vector<std::int64_t>> RecipientsOf(const ClientId& client,
                                                 std::string_view class_name);

  // Where it is there already nothing changes.
  Status InsertTelling(const Telling& telling);
  // Rows after `after` that are still to be told, the oldest first; of one recipient, or of all
  // (0).
  Result<std::vector<Telling>> ListToTell(std::int64_t after, std::int64_t recipient,
                                          std::size_t limit);
  // Of one client, the newest first, told ones too.
  Result<std::vector<Telling>> ListTellingsOf(const ClientId& client, std::size_t limit);
  // How many disclosures and tellings, told ones too, have the client.
  struct OfOne {
    std::uint64_t disclosures = 0, tellings = 0;
  };
  Result<OfOne> CountOf(const ClientId& client);
  Status MarkTold(std::int64_t row, const ToldHow& told);
  Result<TellingCounts> Count();
  Result<std::uint64_t> CountToTell(std::int64_t recipient);

  Status InsertAct(const ActToSettle& act);
  // The oldest.
  Result<std::vector<ActToSettle>> ListActs(std::size_t limit);
  Result<std::uint64_t> CountActsOf(const ClientId& client);
  Status DeleteAct(std::int64_t row);

 private:
  Result<std::int64_t> SetOf(const ClassNames& classes);
  Result<ClassNames> ClassesOf(std::int64_t set);

  Statement insert_, find_, find_row_, find_run_, list_, list_of_recipient_, list_of_, find_client_,
      insert_client_, update_client_, add_to_count_, clients_, recipients_of_, find_set_,
      insert_set_, read_set_, insert_telling_, to_tell_, to_tell_recipient_, tellings_of_,
      count_of_client_, mark_told_, count_, count_of_, count_acts_, insert_act_, acts_, acts_of_,
      delete_act_;
};

}  // namespace coffer::vault
