// Backups in an S3-compatible store that retains, keeps, hangs and listens.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <tuple>

#include "crypto/atomic_file.h"
#include "crypto/encoding.h"
#include "tests/vault/backup/backed_up_vault.h"
#include "tests/vault/backup/s3_faults.h"

namespace coffer::vault {
namespace {

using enum Role;

testing::OpenVault::Settings InS3(const std::string& prefix, std::uint32_t keep_days = 0) {
  testing::OpenVault::Settings settings;
  for (const auto& [name, kind, bucket] : {std::tuple("here", BackupKind::kData, "coffer-data"),
                                           std::tuple("keys", BackupKind::kKeys, "coffer-keys")}) {
    const StorePlace place = S3Server::Get().Place(bucket, prefix);
    settings.backup_destinations.push_back({name, kind, place.where, keep_days, place.s3});
  }
  return settings;
}

TEST_CASE("what the store retains is told and no fault of the run, and goes when it may") {
  Server();
  const std::string prefix = S3Server::Get().NewPrefix();
  BackedUpVault vault(InS3(prefix, 1));
  vault.NewContact(vault.NewClient("A-1"), {{"last_name", "Doe"}});
  const auto first = vault.BackUp();
  vault.NewClient("A-2");
  vault.IncrementAll();
  vault.Later(2);
  FailWith(
      {Answering(403, ErrorBody("AccessDenied"), {{"method", "DELETE"}, {"path", "/coffer-data/"}}),
       Doing("more", {{"method", "HEAD"},
                      {"path", "/coffer-data/"},
                      {"headers",
                       {{"x-amz-object-lock-retain-until-date", "2031-02-03T04:05:06.789Z"}}}})});
  const auto run = vault->backups().RunBackup(vault.As(kAdministrator));
  REQUIRE(run);
  CHECK(run->complete());
  CHECK(run->destinations[0].generations_removed == 0);
  CHECK(run->destinations[0].generations_retained == 1);
  REQUIRE(run->destinations[0].retained_until);
  CHECK(audit::FormatTimestamp(*run->destinations[0].retained_until) == "2031-02-03T04:05:06.000Z");
  CHECK(run->destinations[1].generations_retained == 0);
  CHECK(run->destinations[1].generations_removed == 1);
  Server();
  const auto place = S3Server::Get().Place("coffer-data", prefix);
  const auto retained = VerifyRepository(place, {});
  REQUIRE(retained);
  CHECK(retained->findings == Strings{});  // with all that it needs
  CHECK(retained->generations.front() == first.generation);
  vault.clock.Advance(1000);
  const auto after = vault.BackUp();
  CHECK(after.destinations[0].generations_removed == 1);
  CHECK(after.destinations[0].generations_retained == 0);
  const auto now = VerifyRepository(place, {});
  REQUIRE(now);
  CHECK(now->findings == Strings{});
  CHECK(std::ranges::find(now->generations, first.generation) == now->generations.end());
}

TEST_CASE("keys that are retained, or of which versions are kept, are a problem at once") {
  Server();
  BackedUpVault vault(InS3(S3Server::Get().NewPrefix(), 1));
  for (const json& fault :
       {Answering(403, ErrorBody("AccessDenied"), {{"method", "DELETE"}}),
        Doing("more", {{"method", "DELETE"}, {"headers", {{"x-amz-delete-marker", "true"}}}})}) {
    FailWith({fault});
    vault.clock.Advance(1000);
    const auto run = vault->backups().RunBackup(vault.As(kAdministrator));
    REQUIRE(run);
    CHECK(run->destinations[0].copied);
    CHECK(run->destinations[0].problem.empty());
    CHECK(run->destinations[1].copied);
    CHECK(run->destinations[1].problem.starts_with("keys_retained: "));
  }
  Server();
  vault.clock.Advance(1000);
  vault.BackUp();
}

TEST_CASE("what was put within a day is not swept away, as nobody can be kept out") {
  Server();
  const std::string prefix = S3Server::Get().NewPrefix();
  auto settings = InS3(prefix);
  for (auto& destination : settings.backup_destinations) {
    destination.s3.young_for = S3Options().young_for;
  }
  BackedUpVault vault(settings);
  const auto repository = Repository::Open(S3Server::Get().Place("coffer-data", prefix));
  REQUIRE(repository);
  bool written = false;
  const auto object = repository->Put(crypto::AsBytes("somebody is about to name it"), written);
  REQUIRE(object);
  REQUIRE(repository->BeginWriting() == false);
  vault.BackUp();
  CHECK(repository->Has(*object) == true);
  // By the clocks of the store, not by ours.
  FailWith({Doing("more", {{"method", "GET"},
                           {"query", "list-type=2"},
                           {"headers", {{"Date", "Fri, 01 Jan 2100 00:00:00 GMT"}}}})});
  REQUIRE(repository->BeginWriting() == false);
  vault.clock.Advance(1000);
  vault.BackUp();
  Server();
  CHECK(repository->Has(*object) == false);
}

TEST_CASE("a server that stops does not wait for a store that does not answer") {
  Server();
  FailWith({Doing("hang")});
  // Its thread looks at the destinations first.
  const std::size_t before = S3Server::Get().Requests().size();
  auto settings = InS3(S3Server::Get().NewPrefix());
  settings.backup_every_hours = 24;
  TestVault vault(settings);
  WaitUntil([&] { return S3Server::Get().Requests().size() > before; });
  vault.Close();
  // Nothing that waits holds the vault.
  CHECK(vault.TryOpen());
  vault.Close();
  Server();
}

TEST_CASE("no key, no credential and nothing of clients leaves for the store") {
  Server();
  BackedUpVault vault(InS3(S3Server::Get().NewPrefix()));
  const auto client = vault.NewClient("SENTINEL-reference");
  vault.NewContact(client, {{"last_name", "SENTINEL-name"}});
  vault.BackUp();
  vault.NewContact(client, {{"last_name", "SENTINEL-other"}});
  vault.IncrementAll();
  const std::string received = S3Server::Get().Received();
  CHECK(received.size() > 100'000);
  CHECK(!received.contains("SENTINEL"));
  CHECK(!received.contains(S3Server::Get().secret()));
  const auto root = crypto::ReadFile(vault.root_key_file(), 4096);
  REQUIRE(root);
  std::string hex(crypto::AsText(*root));
  while (hex.ends_with('\n')) hex.pop_back();
  CHECK(hex.size() == 64);
  CHECK(!received.contains(hex));
  const auto bytes = crypto::HexDecode(hex);
  REQUIRE(bytes);
  CHECK(!received.contains(crypto::AsText(*bytes)));
  const auto keyring = vault.OpenKeyring();
  CHECK(!received.contains(crypto::AsText(keyring.vault_db_key().ExposeSecret())));
}

}  // namespace
}  // namespace coffer::vault
