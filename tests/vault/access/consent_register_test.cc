// Which consents stand: the table in memory, against one that is known to be right.
#include "vault/access/consent_register.h"

#include <catch2/catch_test_macros.hpp>
#include <random>
#include <unordered_map>
#include <vector>

namespace coffer::vault {
namespace {

ClientId ConsentingClient(std::uint64_t number) {
  ClientId id;
  for (int i = 0; i < 8; ++i) {
    id.value[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(number >> (8 * (7 - i)));
  }
  return id;
}

}  // namespace

TEST_CASE("the table of standing consents answers as a plain map does") {
  // Few different rows, so that each is put, extended and taken away again and again.
  std::mt19937_64 random(20261130);
  for (const std::int64_t rows : {3, 40, 1500}) {
    StandingConsents table;
    std::unordered_map<std::int64_t, std::int64_t> plain;
    for (int step = 0; step < 20'000; ++step) {
      const auto row = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(rows));
      const auto until = static_cast<std::int64_t>(random() % 100);
      switch (random() % 4) {
        case 0:
          table.Put(row, {until});
          plain[row] = until;
          break;
        case 1:
          table.Extend(row, {until});
          plain[row] = plain.contains(row) ? std::max(plain[row], until) : until;
          break;
        case 2:
          table.Remove(row);
          plain.erase(row);
          break;
        default:
          break;
      }
      const auto asked = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(rows));
      const bool stands = plain.contains(asked) && plain[asked] > 50;
      if (table.Has(asked, {50}) != stands || table.size() != plain.size()) {
        FAIL("step " << step << " of " << rows);
      }
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      CHECK(table.Has(row, {-1}) == plain.contains(row));
    }
  }
}

TEST_CASE("a consent stands until its moment, and for ever where there is none") {
  StandingConsents table;
  CHECK(!table.Has(1, {0}));
  table.Remove(1);
  table.Put(1, {100});
  CHECK(table.Has(1, {99}));
  CHECK(!table.Has(1, {100}));
  table.Extend(1, {90});
  CHECK(table.Has(1, {99}));
  table.Extend(1, StandingConsents::kForever);
  CHECK(table.Has(1, {std::numeric_limits<std::int64_t>::max() - 1}));
  table.Put(1, {50});
  CHECK(!table.Has(1, {50}));
  // Times that no calendar has are no empty places.
  table.Put(2, {std::numeric_limits<std::int64_t>::min()});
  CHECK(table.size() == 2);
  CHECK(!table.Has(2, {0}));
  table.Remove(2);
  CHECK(table.size() == 1);
}

TEST_CASE("the register keeps what is required, and of no other purpose") {
  ConsentRegister consents;
  const ClientId one = ConsentingClient(2), two = ConsentingClient(4);
  consents.Put(one, "marketing", {100});
  CHECK(!consents.IsRequired("marketing"));
  CHECK(!consents.Has(one, "marketing", {0}));
  StandingConsents standing;
  standing.Put(one.Row(), StandingConsents::kForever);
  consents.Require("marketing", std::move(standing));
  consents.Require("profiling", {});
  CHECK(consents.IsRequired("marketing"));
  CHECK(consents.Has(one, "marketing", {0}));
  CHECK(!consents.Has(one, "profiling", {0}));
  CHECK(!consents.Has(two, "marketing", {0}));
  consents.Put(two, "marketing", {5});
  consents.Put(two, "profiling", {5});
  CHECK(consents.Has(two, "profiling", {4}));
  consents.Remove(two, "marketing");
  CHECK(!consents.Has(two, "marketing", {4}));
  CHECK(consents.Has(two, "profiling", {4}));
  consents.Forget(two);
  CHECK(!consents.Has(two, "profiling", {4}));
  CHECK(consents.Has(one, "marketing", {4}));
  consents.RequireNone("marketing");
  consents.RequireNone("nothing");
  CHECK(!consents.Has(one, "marketing", {4}));
}

}  // namespace coffer::vault
