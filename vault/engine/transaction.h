// What one operation of the engine sees and leaves behind.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/entries/entry.h"
#include "crypto/result.h"
#include "vault/base/ids.h"
#include "vault/engine/act_store.h"
#include "vault/engine/client_keys.h"
#include "vault/engine/damage_store.h"
#include "vault/engine/erasure_store.h"
#include "vault/engine/key_store.h"
#include "vault/engine/log_store.h"
#include "vault/engine/protective_act.h"
#include "vault/engine/room_state.h"
#include "vault/engine/setting_store.h"

namespace coffer::vault {

// The engine's own.
struct Stores {
  std::unique_ptr<LogStore> log;
  SettingStore settings;
  DamageStore damage;
  ErasureStore erasures;
  ActStore acts;
  KeyStore keys;  // in keys.db
};

// Of a client of two keys. Kept when a batch is abandoned, it asks for more than is needed.
struct ResealingState {
  std::uint64_t by = 0;  // who took the last step; 0: before the start
  std::set<std::string, std::less<>> deleted_classes = {};  // see NoteDeletedOfNewerKey
};

class Engine;

// What one operation sees and leaves behind; engine thread only. Everything it leaves in memory is
// taken over only when the operation succeeded.
class Transaction {
 public:
  Stores& stores() { return stores_; }
  // What a room keeps: catalog_state.h, access_state.h, clients_state.h, rights_state.h,
  // deletion_state.h.
  template <class State>
  State& Of() const {
    return rooms_.Of<State>();
  }
  Timestamp now() const { return now_; }

  // The client's data key, from the cache or keys.db, and the one before while both live. Errors:
  // kNotFound "not_found".
  Result<PinnedKeys> PinKey(const ClientId& client);
  // What is left of the client is being sealed again: it has two keys.
  bool IsResealing(const ClientId& client) const;
  // Null: it has one key.
  const ResealingState* ResealingOf(const ClientId& client) const;
  void ResealBy(const ClientId& client, std::uint64_t who);
  // While it has two keys: something of the class was under the newer one, and is there no more.
  void NoteDeletedOfNewerKey(const ClientId& client, std::string_view class_name);

  // One more entry, in front of the operation's own, with its call, actor and address.
  void Also(audit::Entry entry) { also_.push_back(std::move(entry)); }
  // Where it succeeds, nothing but these: the operation's own entry only lends them its actor.
  void LeaveNoOwnEntry() { own_entry_ = false; }
  std::span<audit::Entry> also() { return also_; }
  // Where it fails, it has done nothing, is done again, and leaves no entry this time.
  void WillBeDoneAgain() { done_again_ = true; }
  // A sealed reason, kept beside the operation's own entry, or beside one of also(). client 0:
  // under no client's key. In the order of the entries, the own one last.
  static constexpr std::size_t kOwnEntry = static_cast<std::size_t>(-1);
  void AttachNote(std::int64_t client, Bytes sealed, std::size_t entry = kOwnEntry) {
    notes_.push_back({entry, client, std::move(sealed)});
  }
  void AddKey(const ClientId& client, Bytes wrapped, std::uint64_t generation = 0) {
    added_keys_.emplace_back(ClientKeyId{client, generation}, std::move(wrapped));
  }
  // The next generation of its key, and the steps begin in which the rest is sealed again. Where it
  // has two already, nothing is sealed under the older, which is destroyed once this is committed.
  void BeginResealing(const ClientId& client, Bytes wrapped, std::uint64_t generation,
                      std::uint64_t who) {
    AddKey(client, std::move(wrapped), generation);
    begun_.push_back({{client, generation}, who});
  }
  // One of a generation whose commit never came.
  void DropKey(const ClientKeyId& key) { dropped_keys_.push_back(key); }
  // Into keys.db, whose commit is before that of vault.db; where it succeeded.
  void PutKey(std::move_only_function<Status(KeyStore&)> put) {
    put_keys_.push_back(std::move(put));
  }
  // Keys that the room asks for no more are destroyed once this is committed. What fails is asked
  // for again by who asked for this.
  void RetireKeysOf(RoomState& room) { retiring_ = &room; }
  // The client's keys in memory of the caller's, past the cache: for whoever goes through all of
  // them. Errors: kNotFound "not_found".
  Result<UnwrappedKeys> UnwrapKey(const ClientKeyId& current);
  // Its key goes, and the ledger gets it, once this is committed. The row is stored already.
  void Erased(ErasureRow row) { erased_.push_back(std::move(row)); }
  // The ledger gets it once this is committed, and before anybody is answered.
  void Acted(ProtectiveAct act) { acts_.push_back(std::move(act)); }
  // What it changes in memory, done where it succeeded, after its entries, in the order in which it
  // was asked for. An error fails the batch.
  void OnSuccess(std::move_only_function<Status()> change) {
    changes_.push_back(std::move(change));
  }
  // The number the operation's own entry will have, when it is the only one it leaves.
  std::uint64_t NextSeq() const;

 private:
  friend class Engine;
  Transaction(Engine& engine, Stores& stores, const RoomStates& rooms, Timestamp now)
      : engine_(engine), stores_(stores), rooms_(rooms), now_(now) {}

  Engine& engine_;
  Stores& stores_;
  const RoomStates& rooms_;
  Timestamp now_;
  std::vector<audit::Entry> also_;
  bool own_entry_ = true, done_again_ = false;
  struct Note {
    std::size_t entry;
    std::int64_t client;
    Bytes sealed;
  };
  std::vector<Note> notes_;
  std::vector<std::pair<ClientKeyId, Bytes>> added_keys_;
  std::vector<ClientKeyId> dropped_keys_;
  struct Begun {
    ClientKeyId key;
    std::uint64_t who;
  };
  std::vector<Begun> begun_;
  std::vector<std::move_only_function<Status(KeyStore&)>> put_keys_;
  RoomState* retiring_ = nullptr;
  std::vector<ErasureRow> erased_;
  std::vector<ProtectiveAct> acts_;
  std::vector<std::move_only_function<Status()>> changes_;
};

}  // namespace coffer::vault
