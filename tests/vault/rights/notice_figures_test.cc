// How long a notice to many clients takes: figures, not run by itself.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdio>

#include "tests/vault/test_vault.h"

namespace coffer::vault {

TEST_CASE("a notice to many clients is timed", "[.][notice-figures]") {
  using enum Role;
  TestVault vault;
  const ClientId model = vault.NewClient("F-1");
  constexpr std::int64_t kMany = 200'000;
  vault.Close();
  {
    Database database = vault.OpenVaultDatabase(false);
    REQUIRE(database.Execute("BEGIN"));
    auto insert = Statement::Prepare(
        database,
        "INSERT INTO clients (id, cid, version, created, updated, tags, profile, generation, "
        "state) SELECT ?, ?, version, created, updated, tags, profile, generation, state "
        "FROM clients WHERE id = ?");
    REQUIRE(insert);
    for (std::int64_t i = 1; i <= kMany; ++i) {
      ClientId id = model;
      const std::uint64_t high = static_cast<std::uint64_t>(model.Row() + i) << 1;
      for (std::size_t byte = 0; byte < 8; ++byte) {
        id.value[byte] = static_cast<std::uint8_t>(high >> (56 - 8 * byte));
      }
      REQUIRE(insert->Execute(id.Row(), id.bytes(), model.Row()));
    }
    REQUIRE(database.Execute("COMMIT"));
  }
  vault.Open(true);
  const auto timed = [](const char* what, auto&& work) {
    const auto began = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::printf("%s: %.2f s\n", what, took.count());
  };
  const Caller officer = vault.As(kPrivacyOfficer);
  const auto notice = vault->notices().CreateNotice(
      officer, {"T", {}, {"", 0, "words"}, Timestamp{vault.clock.Now().ms + 1000}});
  REQUIRE(notice);
  timed("close, nobody told (refused)", [&] {
    CHECK(AnswerOf(vault->notices().CloseNotice(officer, notice->id, "")) == "notice_untold");
  });
  timed("one page of pending", [&] {
    CHECK(vault->notices().ListPending(officer, notice->id, {200, {}})->items.size() == 200);
  });
  TellingForm form{"email", "x", {}, {}, true, {}};
  std::size_t requests = 0;
  double longest = 0;
  timed("tell all", [&] {
    do {
      const auto began = std::chrono::steady_clock::now();
      const auto told = vault->notices().Tell(officer, notice->id, form);
      longest = std::max(
          longest, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
      REQUIRE(told);
      form.cursor = told->next_cursor;
      ++requests;
    } while (!form.cursor.empty());
  });
  std::printf("%zu requests, the longest %.3f s\n", requests, longest);
  timed("close, everybody told",
        [&] { CHECK(AnswerOf(vault->notices().CloseNotice(officer, notice->id, "")) == "ok"); });
}

}  // namespace coffer::vault
