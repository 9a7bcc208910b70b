// What waits to be merged into the search index is found, removed and kept as if it were in it.
#include "vault/clients/index_arrivals.h"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "tests/support/sampling.h"
#include "tests/vault/test_engine.h"
#include "vault/clients/clients_state.h"

namespace coffer::vault {
namespace {

constexpr int kTokensUsed = 12, kRecordsUsed = 40;

BlindToken NumberedToken(int number) {
  BlindToken token{};
  token[0] = static_cast<std::uint8_t>(number);
  return token;
}

// The index of an engine beside what it should have.
class WaitingIndex {
 public:
  explicit WaitingIndex(std::size_t merge_after) : merge_after_(merge_after) { Begin(); }

  void Reopen() {
    engine.Close();
    engine.Open();
    Begin();
  }
  std::string Do(FunctionRef<Status(SearchIndex&)> work) {
    return engine.Do(OperationKind::kWrite, "index", [&](Transaction& transaction) {
      return work(transaction.Of<ClientsState>().stores.index);
    });
  }
  // One change, to the index and to `wanted`; nothing where that has it so already.
  Status Change(SearchIndex& index, int token, std::int64_t record, bool put) {
    const bool is_there = wanted.contains({token, record});
    if (put == is_there) return {};
    IndexTerms terms;
    const BlindToken bytes = NumberedToken(token);
    terms.tokens.assign(bytes.begin(), bytes.end());
    COFFER_TRY(put ? index.Put(record, terms) : index.Remove(record, terms));
    if (put) {
      wanted.insert({token, record});
    } else {
      wanted.erase({token, record});
    }
    return {};
  }
  // Takes the reference, or takes it from who has it.
  Status Refer(SearchIndex& index, int ref, std::int64_t client) {
    if (const auto there = references.find(ref); there != references.end()) {
      const auto taken = index.PutReference(client, NumberedToken(ref));
      if (taken || taken.error().reason != "external_ref_taken") {
        return Fail(Code::kInternal, "taken_twice");
      }
      COFFER_TRY(index.RemoveReference(there->second, NumberedToken(ref)));
      references.erase(there);
      return {};
    }
    COFFER_TRY(index.PutReference(client, NumberedToken(ref)));
    references.emplace(ref, client);
    return {};
  }
  void Check() {
    CHECK(Do([&](SearchIndex& index) -> Status {
            for (int token = 0; token < kTokensUsed; ++token) {
              std::vector<std::int64_t> expected;
              for (const auto& [of, record] : wanted) {
                if (of == token) expected.push_back(record);
              }
              std::vector<std::int64_t> found;
              for (std::int64_t after = std::numeric_limits<std::int64_t>::min();;) {
                COFFER_ASSIGN(const auto some, index.Find(NumberedToken(token), after, 3));
                if (some.empty()) break;
                found.insert(found.end(), some.begin(), some.end());
                after = found.back();
              }
              if (found != expected) return Fail(Code::kInternal, "found_others");
              COFFER_ASSIGN(const auto client, index.FindReference(NumberedToken(token)));
              const auto there = references.find(token);
              if (client !=
                  (there == references.end() ? std::nullopt : std::optional(there->second))) {
                return Fail(Code::kInternal, "refers_to_another");
              }
            }
            return {};
          }) == "ok");
  }

  TestEngine engine;
  std::set<std::pair<int, std::int64_t>> wanted;
  std::map<int, std::int64_t> references;

  void Begin() {
    engine->Of<ClientsState>().stores.index.MergeAfter(merge_after_);
    engine.Start();
  }
  const std::size_t merge_after_;
};

TEST_CASE("what waits is found, removed, taken back and read again as what is sorted is") {
  const std::uint32_t seed = Catch::getSeed();
  INFO("--rng-seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (const std::size_t merge_after : {0U, 1U, 5U, 1000U}) {
    INFO("merged after " << merge_after);
    WaitingIndex waiting(merge_after);
    for (int step = 0; step < testing::Many(300, 80); ++step) {
      INFO("step " << step);
      const auto wanted = waiting.wanted;
      const auto references = waiting.references;
      // Of the operation alone, which is taken back, or of the batch, after which all is read
      // again.
      const int chance = below(8);
      const std::optional<Code> fails = chance == 0   ? std::optional(Code::kConflict)
                                        : chance == 1 ? std::optional(Code::kUnavailable)
                                                      : std::nullopt;
      const int does = below(10);
      const std::string answer = waiting.Do([&](SearchIndex& index) -> Status {
        if (does < 6) {
          for (int i = below(4); i >= 0; --i) {
            COFFER_TRY(
                waiting.Change(index, below(kTokensUsed), below(kRecordsUsed) - 5, below(3) != 0));
            COFFER_TRY(waiting.Refer(index, below(kTokensUsed), below(kRecordsUsed)));
          }
        } else if (does < 9) {
          COFFER_TRY(index.MergeSome(static_cast<std::size_t>(below(4)) + 1));
        } else {
          const std::int64_t record = below(kRecordsUsed) - 5;
          index.NoteUnread({&record, 1}, record);
          std::erase_if(waiting.wanted, [&](const auto& of) { return of.second == record; });
          std::erase_if(waiting.references, [&](const auto& of) { return of.second == record; });
        }
        return fails ? Status(Fail(*fails, "changed_mind")) : Status{};
      });
      REQUIRE(answer == (!fails                        ? "ok"
                         : fails == Code::kUnavailable ? "log_unavailable"
                                                       : "changed_mind"));
      if (fails) {
        waiting.wanted = wanted;
        waiting.references = references;
      }
      if (below(20) == 0) waiting.Reopen();
      if (below(5) == 0) waiting.Check();
    }
    waiting.Check();
    // To its end: nothing is left waiting, and all is found where it is sorted.
    std::size_t left = 1;
    for (int i = 0; i < 10'000 && left > merge_after; ++i) {
      REQUIRE(waiting.Do([&](SearchIndex& index) -> Status {
        COFFER_TRY(index.MergeSome(3));
        left = index.arrivals();
        return {};
      }) == "ok");
    }
    CHECK(left <= merge_after);
    waiting.Check();
    waiting.Reopen();
    waiting.Check();
  }
}

TEST_CASE("whoever stores faster than anybody merges has it wait and pays for it") {
  constexpr std::size_t kMergeAfter = 400;
  WaitingIndex waiting(kMergeAfter);
  std::size_t most = 0;
  for (int step = 0; step < 60; ++step) {
    REQUIRE(waiting.Do([&](SearchIndex& index) -> Status {
      for (int i = 0; i < 40; ++i) {
        const int number = step * 40 + i;
        COFFER_TRY(waiting.Change(index, number % kTokensUsed, number + 1, true));
        most = std::max(most, index.arrivals());
      }
      return {};
    }) == "ok");
  }
  CHECK(most > kMergeAfter);
  CHECK(most < 2 * kMergeAfter);  // never was there no room
  waiting.Check();
  waiting.Reopen();
  waiting.Check();
}

TEST_CASE("what cannot be merged fails nobody who stores something else") {
  WaitingIndex waiting(100);
  const auto store = [&](int from, int count) {
    return waiting.Do([&](SearchIndex& index) -> Status {
      for (int i = from; i < from + count; ++i) {
        COFFER_TRY(waiting.Change(index, i % kTokensUsed, i + 1, true));
      }
      return {};
    });
  };
  REQUIRE(store(0, 130) == "ok");
  std::int64_t root = 0;
  {
    const Database reader = waiting.engine.Reader();
    auto select =
        Statement::Prepare(reader, "SELECT rootpage FROM sqlite_schema WHERE name = 'blind_index'");
    REQUIRE(select);
    auto row = select->Query();
    REQUIRE(row.Next() == true);
    root = row.Int(0);
  }
  waiting.engine.Close();
  {
    std::fstream file(waiting.engine.vault_path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp((root - 1) * 4096 + 100);
    file.write("damaged", 7);
    REQUIRE(file.flush());
  }
  waiting.engine.Open();
  waiting.Begin();
  const auto merge = [&] {
    return waiting.Do([](SearchIndex& index) -> Status {
      COFFER_TRY(index.MergeSome(1));
      return {};
    });
  };
  CHECK(merge() != "ok");
  CHECK(store(130, 60) == "ok");  // which would pay
  CHECK(merge() != "ok");
}

}  // namespace
}  // namespace coffer::vault
