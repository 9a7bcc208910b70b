#include "vault/base/ids.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <thread>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include "crypto/secret_bytes.h"

namespace coffer::vault {
namespace {

using audit::Timestamp;

constexpr Timestamp kIdTime{1'767'323'045'000};

// An id of one kind can be taken for one of another only by writing so.
static_assert(!std::is_convertible_v<ClientId, RecordId>);
static_assert(!std::is_convertible_v<RecordId, ClientId>);
static_assert(!std::is_convertible_v<PrincipalId, TokenId>);
static_assert(!std::is_constructible_v<ClientId, RecordId>);

std::string TextOf(const ClientId& id) { return id.Text(); }

TEST_CASE("an id is its prefix and 26 characters, and is read back") {
  REQUIRE(crypto::InitializeCrypto());
  const auto id = ClientId::New(kIdTime);
  const std::string text = TextOf(id);
  CHECK(text.size() == 30);
  CHECK(text.starts_with("cli_"));
  CHECK(text.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz", 4) == std::string::npos);
  REQUIRE(ClientId::Parse(text));
  CHECK(*ClientId::Parse(text) == id);
  CHECK(RecordId::New(kIdTime).Text().starts_with("rec_"));
  CHECK(SessionId::New(kIdTime).Text().starts_with("ses_"));
  CHECK(TokenId::New(kIdTime).Text().starts_with("tok_"));
  CHECK(CallId::New(kIdTime).Text().starts_with("call_"));
}

TEST_CASE("a principal's id says of which kind it is, also as it is stored") {
  REQUIRE(crypto::InitializeCrypto());
  for (const auto& [kind, prefix] :
       {std::pair(PrincipalKind::kService, "svc_"), std::pair(PrincipalKind::kUser, "usr_"),
        std::pair(PrincipalKind::kTeam, "team_")}) {
    const auto id = PrincipalId::New(kIdTime, kind);
    CHECK(id.kind() == kind);
    CHECK(id.Text().starts_with(prefix));
    CHECK(PrincipalId::Parse(id.Text()) == id);
    CHECK(PrincipalId{id.value}.kind() == kind);
    // Another kind's prefix in front of the same digits names nothing.
    const std::string digits = id.Text().substr(id.Text().size() - 26);
    for (const std::string_view other : {"svc_", "usr_", "team_", "cli_", ""}) {
      if (other != prefix) CHECK(!PrincipalId::Parse(std::string(other) + digits));
    }
  }
  // Services made before there were users end in any byte.
  PrincipalId old{};
  old.value.back() = 0xa7;
  CHECK(old.Text().starts_with("svc_"));
  CHECK(PrincipalId::Parse(old.Text()) == old);
}

TEST_CASE("every other spelling of an id names nothing") {
  REQUIRE(crypto::InitializeCrypto());
  const std::string id = ClientId::New(kIdTime).Text();
  const std::string digits = id.substr(4);
  std::string upper = id;
  upper[10] = 'Z';
  std::string excluded = id;
  excluded[10] = 'l';
  std::string beyond = id;
  beyond[4] = '8';  // the 129th bit
  for (const std::string& text :
       {std::string(), std::string("cli_"), digits, "rec_" + digits, "CLI_" + digits,
        "cli-" + digits, id + "0", id.substr(0, 29), " " + id, id + " ", id + "\n", upper, excluded,
        beyond, "cli_cli_" + digits, id + std::string(1, '\0')}) {
    INFO(text);
    const auto parsed = ClientId::Parse(text);
    REQUIRE(!parsed);
    CHECK(parsed.error().code == Code::kNotFound);
    CHECK(parsed.error().reason == "not_found");
  }
}

TEST_CASE("an id begins with its time, and is otherwise random") {
  REQUIRE(crypto::InitializeCrypto());
  // Ids never go back within the process: a time that no other test reaches.
  const Timestamp later{kIdTime.ms + std::int64_t{3650} * 86'400'000};
  const auto first = ClientId::New(later);
  const auto second = ClientId::New(later);
  const auto next = ClientId::New(Timestamp{later.ms + 1});
  const auto ms_of = [](const ClientId& id) {
    std::int64_t ms = 0;
    for (std::size_t i = 0; i < 6; ++i) ms = ms << 8 | id.value[i];
    return ms;
  };
  CHECK(ms_of(first) == later.ms);
  CHECK(ms_of(second) == later.ms);
  CHECK(ms_of(next) == later.ms + 1);
  CHECK(first.Row() >> 15 == later.ms);
  // 64 bits at the end that nobody can foresee: not equal, and no counter.
  CHECK(!std::equal(first.value.begin() + 8, first.value.end(), second.value.begin() + 8));
  CHECK(first < second);
  CHECK(second < next);
}

TEST_CASE("ids and their rows are unique and rise in each of many threads") {
  REQUIRE(crypto::InitializeCrypto());
  constexpr std::size_t kThreads = 8;
  constexpr std::size_t kEach = 20'000;
  std::vector<std::vector<ClientId>> made(kThreads);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        made[t].reserve(kEach);
        for (std::size_t i = 0; i < kEach; ++i) made[t].push_back(ClientId::New(kIdTime));
      });
    }
  }
  std::unordered_set<std::int64_t> rows;
  for (const auto& ids : made) {
    CHECK(std::ranges::is_sorted(ids, std::less_equal<>(), &ClientId::Row));
    for (const auto& id : ids) rows.insert(id.Row());
  }
  CHECK(rows.size() == kThreads * kEach);
}

TEST_CASE("rows go on rising when the clock goes back") {
  REQUIRE(crypto::InitializeCrypto());
  std::int64_t last = ClientId::New(kIdTime).Row();
  for (const std::int64_t ms : {kIdTime.ms - 1, kIdTime.ms - 86'400'000, std::int64_t{0},
                                std::int64_t{-5}, kIdTime.ms, kIdTime.ms - 10}) {
    const std::int64_t row = RecordId::New(Timestamp{ms}).Row();
    CHECK(row > last);
    last = row;
  }
}

TEST_CASE("ids of all kinds share one sequence of rows") {
  REQUIRE(crypto::InitializeCrypto());
  const auto client = ClientId::New(kIdTime);
  const auto record = RecordId::New(kIdTime);
  const auto call = CallId::New(kIdTime);
  CHECK(client.Row() < record.Row());
  CHECK(record.Row() < call.Row());
  CHECK(client.Row() > 0);
}

}  // namespace
}  // namespace coffer::vault
