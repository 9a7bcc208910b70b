// A vault that is killed before one call after another to its storage while it does something, and
// opened again: what it must be then is checked each time.
//
// Of the calls some are chosen, by Catch2's seed; with COFFER_CRASH_EVERYWHERE set it is each one.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/crash/dying_storage.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {

// What the child had been answered before it died.
class Answers {
 public:
  bool Have(std::string_view answer) const { return answers_.contains(std::string(answer)); }
  std::size_t size() const { return answers_.size(); }
  const std::set<std::string>& all() const { return answers_; }
  void Put(std::string answer) { answers_.insert(std::move(answer)); }

 private:
  std::set<std::string> answers_;
};

class CrashingVault : public TestVault {
 public:
  using TestVault::TestVault;

  // In a child, with the vault open: false when something failed. `answered` keeps what the vault
  // said for the parent. Catch2's assertions have no place here.
  using Answered = std::function<void(const std::string&)>;
  using Work = std::function<bool(const Answered& answered)>;
  // In the parent, with the vault open again.
  using Check = std::function<void(const Answers& answers)>;

  // How many calls are chosen for each kind of death.
  struct Choice {
    std::uint64_t deaths = 6;
  };

  // The vault as it is now is what each child begins with, and is again in the end.
  void DieAt(const Choice& choice, const Work& work, const Check& check);

  // The one line of the ledger that has this erasure, with a part of its records each: their count.
  std::size_t LedgerLinesOf(const ErasureId& id);
  // It is complete, its act verifies, the ledger and the log have it once.
  void CheckErasure(const Erasure& erasure);
  std::vector<Erasure> ErasuresOf(const ClientId& client);
  // "" when there is no such record.
  std::string Read(const ClientId& client, const RecordId& record, std::uint64_t version = 0);

 protected:
  // Before the work, in the child; and to have it open again, in the parent.
  virtual bool Begin() { return TryOpen().has_value(); }
  virtual void GoOn() { Open(); }

 private:
  struct Ended {
    bool killed = false;
    std::uint64_t calls = 0;
    Answers answers;
  };
  Ended RunChild(std::uint64_t before, testing::Death death, const Work& work);
  void Restore();
  std::string prepared() const { return directory() + ".prepared"; }
};

}  // namespace coffer::vault
