// Holds: their rows, and in memory what each deletion asks.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "vault/access/restriction_store.h"
#include "vault/base/ids.h"
#include "vault/clients/client_store.h"
#include "vault/deletion/deletion.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

// What is sealed of a hold is as stored: hold_text.h opens it.
class HoldStore {
 public:
  static Result<HoldStore> Open(Database& database);
  Result<std::vector<Hold>> LoadLive();
  Result<std::optional<Hold>> Find(const HoldId& id);
  // Rows before `before`, the newest first; those that are lifted too where asked for.
  Result<std::vector<std::pair<std::int64_t, Hold>>> List(std::int64_t before, bool lifted,
                                                          std::size_t limit);
  Status Insert(const Hold& hold);
  Status Lift(const Hold& hold);  // precondition: it says by whom and when
  Status DeleteOf(const ClientId& client);
  // All of one client; and those of any whose words are not sealed.
  Result<std::vector<Hold>> ListOf(const ClientId& client);
  Result<std::vector<Hold>> ListUnsealed(const HoldId& after, std::size_t limit);
  Status PutSealed(const HoldId& id, ByteView sealed);

 private:
  Statement load_, find_, list_, insert_, lift_, delete_of_, list_of_, unsealed_, put_sealed_;
};

// The holds that are not lifted. Engine thread only.
class HoldRegister {
 public:
  void Clear();
  void Put(Hold hold);  // one that is lifted leaves
  void Forget(const ClientId& client) { by_client_.erase(client); }

  bool empty() const { return by_client_.empty() && by_tag_.empty(); }
  std::size_t Count() const;
  std::size_t CountOverdue(Timestamp now) const;
  bool HasTag(std::string_view tag) const { return by_tag_.contains(tag); }
  // Whether any covers this class of the client (empty: anything of it): cheap enough to be asked
  // for each record.
  bool Covers(const ClientId& client, std::string_view tags, std::string_view class_name) const;
  // Those that cover the client, or one of these of its classes (none: anything of it), in the
  // order of their ids. Valid until the register changes.
  std::vector<const Hold*> Covering(const ClientRow& client,
                                    const std::set<std::string, std::less<>>& classes) const;
  std::vector<const Hold*> WithTag(std::string_view tag) const;

 private:
  std::unordered_map<ClientId, std::vector<Hold>, IdHash> by_client_;
  std::map<std::string, std::vector<Hold>, std::less<>> by_tag_;
};

// Whether retention leaves this class of the client (empty: anything of it): a hold covers it, or
// people restricted it, who may need it (GDPR 18(1)(b) and (c)).
bool RetentionIsHeld(const HoldRegister& holds, const RestrictionRegister& restrictions,
                     const ClientId& client, std::string_view tags, std::string_view class_name);

}  // namespace coffer::vault
