// Restrictions: their rows, and in memory what each decision asks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "vault/access/restriction.h"
#include "vault/base/ids.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

// The basis is here sealed under the client's key, and the restrictions are without it: no decision
// asks for it. It is empty where the client had no key any more when it was to be sealed.
class RestrictionStore {
 public:
  // Of one client. The log has the others.
  static constexpr std::size_t kLiftedKept = 100;

  static Result<RestrictionStore> Open(Database& database);
  Result<std::vector<Restriction>> Load();  // those in force
  // Those that were lifted, the one lifted last first, at most `limit`.
  Result<std::vector<Restriction>> LiftedOf(const ClientId& client, std::size_t limit);
  Result<std::uint64_t> CountOf(const ClientId& client);  // of either
  Status Insert(const Restriction& restriction, ByteView sealed_basis);
  // Precondition: it was lifted. Of those lifted before, the newest kLiftedKept - 1 stay.
  Status Lift(const Restriction& restriction);
  Status DeleteOf(const ClientId& client);

  Result<std::vector<std::pair<RestrictionId, Bytes>>> BasesOf(const ClientId& client);
  Status Reseal(const ClientId& client, const RestrictionId& id, ByteView sealed_basis);

  // Those of the format before, with their basis in clear and without an id.
  Result<std::vector<Restriction>> LoadUnsealed();
  Status DeleteUnsealed(const Restriction& restriction);

 private:
  Statement load_, lifted_, insert_, lift_, delete_older_, count_, delete_of_, bases_, reseal_,
      load_unsealed_, delete_unsealed_, delete_unsealed_of_;
};

// Without their bases. Engine thread only. One lookup by client answers what a decision asks.
class RestrictionRegister {
 public:
  void Clear() { by_client_.clear(); }
  void Put(Restriction restriction);
  void Remove(const ClientId& client, const RestrictionId& id);
  void Forget(const ClientId& client) { by_client_.erase(client); }

  bool empty() const { return by_client_.empty(); }
  std::size_t Count() const;
  // Whether the purpose, which rests on that legal basis (empty: it is not in the register), is
  // stopped for the whole client, or for the class (empty: about none).
  bool Stops(const ClientId& client, std::string_view class_name, std::string_view purpose,
             std::string_view legal_basis) const;
  // Whether people, not the schedule, restricted the processing of this class (empty: of anything)
  // but for named purposes. An objection keeps nothing from being deleted.
  bool HasPeoples(const ClientId& client, std::string_view class_name) const;
  std::vector<Restriction> Of(const ClientId& client) const;  // the oldest first

 private:
  std::unordered_map<ClientId, std::vector<Restriction>, IdHash> by_client_;
};

// "stops all purposes", "stops all but a b", "stops a b", "stops all based on c d, and a b".
std::string StopsInWords(const StoppedPurposes& stops);

}  // namespace coffer::vault
