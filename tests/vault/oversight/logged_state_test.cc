// What a log last said of clients and records, in memory that does not grow with them.
#include "vault/oversight/logged_state.h"

#include <malloc.h>
#include <stdlib.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "crypto/hash.h"
#include "crypto/secret_bytes.h"
#include "tests/support/temporary_directory.h"
#include "vault/access/access_policy.h"

namespace coffer::vault {
namespace {

crypto::Hash HashOf(std::string_view text) { return crypto::Sha256(crypto::AsBytes(text)); }

// The entry `seq` about a version of a client's record, or of the client itself.
audit::Entry Written(std::uint64_t seq, std::string client, std::string record,
                     std::uint64_t version, std::string_view payload) {
  audit::Entry entry;
  entry.seq = seq;
  entry.action = record.empty() ? "client.update" : "record.update";
  entry.client = std::move(client);
  entry.record = std::move(record);
  entry.version = version;
  entry.payload_hash = HashOf(payload);
  entry.decision = audit::Decision::kAllow;
  entry.outcome = "ok";
  return entry;
}

audit::Entry Said(std::uint64_t seq, std::string_view action, std::string client,
                  std::string record = {}) {
  audit::Entry entry = Written(seq, std::move(client), std::move(record), 0, "");
  entry.payload_hash.reset();
  entry.action = action;
  return entry;
}

LoggedState Make(const std::vector<audit::Entry>& entries) {
  REQUIRE(crypto::InitializeCrypto());
  auto state = LoggedState::Create();
  REQUIRE(state);
  for (const auto& entry : entries) REQUIRE(state->Take(entry));
  return *std::move(state);
}

// "id@seq" of each.
std::vector<std::string> Left(LoggedState& state, int limit = 20) {
  const auto left = state.ListLeft(limit);
  REQUIRE(left);
  std::vector<std::string> names;
  for (const auto& one : *left) {
    names.push_back((one.is_client ? "client " : "record ") + one.id + "@" +
                    std::to_string(one.seq));
  }
  return names;
}

}  // namespace

TEST_CASE("the last of what was said stays, of a record every version") {
  auto state = Make({Written(1, "cli_a", "", 1, "a"), Written(2, "cli_a", "rec_1", 1, "b"),
                     Written(3, "cli_a", "rec_1", 2, "c"), Written(4, "cli_a", "", 2, "d"),
                     Written(5, "cli_b", "", 1, "e")});
  CHECK(Left(state) ==
        std::vector<std::string>{"client cli_a@4", "client cli_b@5", "record rec_1@3"});
  CHECK(Left(state, 1) == std::vector<std::string>{"client cli_a@4"});
  const auto client = state.HandOutClient("cli_a");
  REQUIRE((client && *client));
  CHECK((*client)->version == 2);
  CHECK((*client)->payload == HashOf("d"));
  const auto record = state.HandOutRecord("rec_1");
  REQUIRE(record);
  REQUIRE(record->size() == 2);
  CHECK(record->at(0).payload == HashOf("b"));
  CHECK(record->at(1).payload == HashOf("c"));
  CHECK(record->at(1).client == "cli_a");
  CHECK(record->at(1).seq == 3);
  CHECK(Left(state) == std::vector<std::string>{"client cli_b@5"});
  CHECK_FALSE(state.HandOutClient("cli_a").value());
  CHECK(state.HandOutRecord("rec_1")->empty());
  CHECK(state.HandOutRecord("cli_b")->empty());
}

TEST_CASE("what was deleted or erased is not expected, what was refused was not written") {
  auto denied = Written(4, "cli_b", "rec_3", 1, "x");
  denied.decision = audit::Decision::kDeny;
  auto failed = Said(6, Name(Action::kRecordDelete), "cli_b", "rec_4");
  failed.outcome = "not_found";
  auto state =
      Make({Written(1, "cli_a", "", 1, "a"), Written(2, "cli_a", "rec_1", 1, "b"),
            Written(3, "cli_b", "rec_2", 1, "c"), denied, Written(5, "cli_b", "rec_4", 1, "d"),
            failed, Said(7, Name(Action::kRecordDelete), "cli_b", "rec_2"),
            Said(8, Name(Action::kClientErase), "cli_a")});
  CHECK(Left(state) == std::vector<std::string>{"record rec_4@5"});
}

TEST_CASE("resealing changes the bytes of the version that it names") {
  auto first = Written(3, "cli_a", "rec_1", 1, "new b");
  first.action = "record.reseal";
  auto unknown = Written(4, "cli_a", "rec_9", 1, "x");
  unknown.action = "record.reseal";
  auto state = Make(
      {Written(1, "cli_a", "rec_1", 1, "b"), Written(2, "cli_a", "rec_1", 2, "c"), first, unknown});
  CHECK(Left(state) == std::vector<std::string>{"record rec_1@2"});
  const auto record = state.HandOutRecord("rec_1");
  REQUIRE(record);
  CHECK(record->at(0).payload == HashOf("new b"));
  CHECK(record->at(1).payload == HashOf("c"));
}

TEST_CASE("memory does not grow with the number of records") {
  REQUIRE(crypto::InitializeCrypto());
  auto state = LoggedState::Create(2048);
  REQUIRE(state);
  const auto used = [] {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  constexpr int kRecords = 50'000;
  const auto take = [&](int from) {
    for (int i = from; i < from + kRecords; ++i) {
      const std::string number = std::to_string(i);
      REQUIRE(state->Take(Written(static_cast<std::uint64_t>(i), "cli_" + std::to_string(i / 10),
                                  "rec_0123456789abcdefghij" + number, 1, number)));
    }
  };
  take(0);
  const auto before = used();
  take(kRecords);
  CHECK(used() < before + (std::size_t{2} << 20));
  CHECK(state->HandOutRecord("rec_0123456789abcdefghij0")->size() == 1);
}

TEST_CASE("the scratch file has no name, and none is left where it cannot be made") {
  REQUIRE(crypto::InitializeCrypto());
  const testing::TemporaryDirectory directory;
  setenv("TMPDIR", (directory / "").c_str(), 1);
  const auto files = [&] {
    return std::distance(std::filesystem::directory_iterator(directory / ""), {});
  };
  {
    const auto state = LoggedState::Create();
    REQUIRE(state);
    CHECK(files() == 0);
  }
  setenv("TMPDIR", "/no/such/directory", 1);
  CHECK(LoggedState::Create());  // elsewhere
  unsetenv("TMPDIR");
}

}  // namespace coffer::vault
