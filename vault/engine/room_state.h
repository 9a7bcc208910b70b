// What a room keeps for the engine's operations: its statements on vault.db, and what it has in
// memory of their tables, which is right inside the one writer. The engine holds the rooms in order
// and knows none of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "audit/text/clock.h"
#include "crypto/keyring.h"
#include "crypto/result.h"
#include "vault/base/function_ref.h"
#include "vault/base/ids.h"
#include "vault/engine/client_keys.h"
#include "vault/engine/key_store.h"

namespace coffer::vault {

using audit::Timestamp;

class RoomStates;
class Transaction;

// In the order in which they are loaded: each may look at those before it.
enum class Room : std::uint8_t { kCatalog, kAccess, kClients, kRights, kDeletion, kOversight };
inline constexpr std::size_t kRoomCount = 6;

// What a room reads its memory from.
struct RoomSources {
  RoomStates& rooms;
  KeyStore& keys;
  const crypto::Keyring& keyring;
  Timestamp now;
  // Of a client's current key. Errors: kNotFound "not_found", kCorrupted.
  FunctionRef<Result<UnwrappedKeys>(const ClientKeyId&)> unwrap_keys;
};

// Engine thread only, but for what a room says otherwise of its own.
class RoomState {
 public:
  RoomState() = default;
  RoomState(const RoomState&) = delete;
  RoomState& operator=(const RoomState&) = delete;
  virtual ~RoomState() = default;

  // What is in memory, as the database has it: at the start, and after an abandoned batch.
  virtual Status Load(const RoomSources& sources) = 0;
  // An operation's work is done, and its changes can still be taken back: whatever it left for its
  // end. An error fails the batch.
  virtual Status EndOperation(bool /*succeeded*/) { return {}; }
  // The batch is undone. Load follows.
  virtual void AbandonBatch() {}
  // All of the client was erased.
  virtual void Forget(const ClientId& /*client*/) {}
  // In an operation of the engine's own, now and then. True: this was a portion, and there can be
  // more.
  virtual Result<bool> Purge(Transaction& /*transaction*/) { return false; }
  // Of the client's key, where this room has the clients and this one is there.
  virtual Result<std::optional<std::uint64_t>> KeyGeneration(const ClientId& /*client*/) {
    return std::nullopt;
  }
  // Keys in keys.db that nothing asks for any more, in a transaction of its own after the commit;
  // and that they are destroyed. See Transaction::RetireKeysOf.
  virtual Status RetireKeys(KeyStore& /*keys*/) { return {}; }
  virtual void KeysRetired() {}
};

class RoomStates {
 public:
  // `State` says which room's it is: State::kRoom.
  template <class State>
  void Add(std::unique_ptr<State> state) {
    states_[static_cast<std::size_t>(State::kRoom)] = std::move(state);
  }
  // Precondition: it was added.
  template <class State>
  State& Of() const {
    return static_cast<State&>(*states_[static_cast<std::size_t>(State::kRoom)]);
  }
  auto begin() const { return states_.begin(); }
  auto end() const { return states_.end(); }

  Result<std::optional<std::uint64_t>> KeyGeneration(const ClientId& client) const;

 private:
  std::array<std::unique_ptr<RoomState>, kRoomCount> states_;
};

}  // namespace coffer::vault
