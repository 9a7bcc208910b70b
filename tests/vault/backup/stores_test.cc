// What holds of a repository wherever it lies: in a directory, and in an S3-compatible store.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/support/s3_server.h"
#include "tests/vault/backup/backed_up_vault.h"
#include "vault/backup/open_store.h"

namespace coffer::vault {
namespace {

using enum Role;
using testing::S3Server;

struct KindOfStore {
  std::string name;
  StorePlace data, keys;  // a directory: beside the vault's
};

std::vector<KindOfStore> KindsOfStores() {
  S3Server& server = S3Server::Get();
  const std::string prefix = server.NewPrefix();
  return {{"directory", StorePlace("backup-data"), StorePlace("backup-keys")},
          {"s3", server.Place("coffer-data", prefix), server.Place("coffer-keys", prefix)}};
}

testing::OpenVault::Settings BackedUpTo(const KindOfStore& kind, std::uint32_t keep_days = 0) {
  testing::OpenVault::Settings settings;
  settings.backup_destinations = {
      {"here", BackupKind::kData, kind.data.where, keep_days, kind.data.s3},
      {"keys", BackupKind::kKeys, kind.keys.where, keep_days, kind.keys.s3}};
  return settings;
}

// Where it lies once the vault is there.
StorePlace PlaceIn(TestVault& vault, const StorePlace& place) {
  return place.in_s3() ? place : StorePlace(vault.work() / place.where);
}

Repository OpenedAt(const StorePlace& place) {
  auto repository = Repository::Open(place);
  INFO(testing::AnswerOf(repository) << (repository ? "" : " " + repository.error().detail));
  REQUIRE(repository);
  return *std::move(repository);
}

TEST_CASE("wherever it goes, a backup is whole, and its newest moment is restored") {
  for (const auto& kind : KindsOfStores()) {
    INFO(kind.name);
    BackedUpVault vault(BackedUpTo(kind));
    const StorePlace data = PlaceIn(vault, kind.data), keys = PlaceIn(vault, kind.keys);
    std::vector<std::pair<ClientId, RecordId>> there;
    const auto add = [&](const std::string& name) {
      const auto client = vault.NewClient(name);
      there.emplace_back(client, vault.NewContact(client, {{"last_name", "Doe"}}));
    };
    add("A-1");
    const auto run = vault.BackUp();
    for (const char* name : {"A-2", "A-3"}) {
      add(name);
      vault.IncrementAll();
      vault.clock.Advance(1000);
    }
    for (const auto* place : {&data, &keys}) {
      const auto report = VerifyRepository(*place, {});
      REQUIRE(report);
      CHECK(report->findings == Strings{});
      CHECK(report->generations == Strings{run.generation});
      CHECK(report->increments == 2);
    }
    const auto states = vault->backups().ListDestinations(vault.As(kAuditor));
    REQUIRE(states);
    for (const auto& state : *states) {
      CHECK(state.problem.empty());
      CHECK(state.generations == 1);
      CHECK(state.newest == run.generation);
    }
    const auto restored =
        RestoreVault({data, keys, {}, vault.work() / "restored"}, vault.OpensRoot());
    INFO(AnswerOf(restored) << (restored ? "" : " " + restored.error().detail));
    REQUIRE(restored);
    CHECK(restored->increments == 2);
    CHECK(vault.FindingsIn("restored") == Strings{});
    const auto opened = vault.OpenRestored("restored");
    for (const auto& [client, record] : there) {
      CHECK(AnswerOf(opened->records().GetRecord(vault.As(kCrmService), client, record)) == "ok");
    }
  }
}

TEST_CASE("wherever it lies, a repository is made once, where nothing is, for one vault and kind") {
  for (const auto& kind : KindsOfStores()) {
    INFO(kind.name);
    TestVault vault(BackedUpTo(kind));
    const StorePlace data = PlaceIn(vault, kind.data), keys = PlaceIn(vault, kind.keys);
    const auto initialize = [&](const std::string& name) {
      return AnswerOf(vault->backups().InitializeDestination(vault.As(kAdministrator), name));
    };
    CHECK(AnswerOf(Repository::Open(data)) == "repository_missing");
    CHECK(AnswerOf(VerifyRepository(data, {})) == "repository_missing");
    CHECK(initialize("here") == "ok");
    CHECK(initialize("here") == "repository_exists");
    const auto store = OpenStore(keys);
    REQUIRE(store);
    if (!keys.in_s3()) REQUIRE((*store)->MakeFolder({}));
    REQUIRE((*store)->Put("other", crypto::AsBytes("x")));
    CHECK(initialize("keys") == "repository_not_empty");
    REQUIRE((*store)->Remove("other"));
    // What died on the way left folders.
    if (!keys.in_s3()) {
      for (const char* folder : {"objects", "objects/00", "generations"}) {
        REQUIRE((*store)->MakeFolder(folder));
      }
    }
    CHECK(initialize("keys") == "ok");
    const Repository repository = OpenedAt(data);
    CHECK(repository.kind() == BackupKind::kData);
    CHECK(AnswerOf(RestoreVault({keys, data, {}, vault.work() / "into"}, [&](const std::string&) {
            return crypto::OpenKeyFile(vault.root_key_file());
          })) == "repository_of_other_kind");
    const auto in_data = OpenStore(data);
    REQUIRE(in_data);
    REQUIRE((*in_data)->Remove("coffer-backup"));
    REQUIRE((*in_data)->Put("coffer-backup", crypto::AsBytes("{}\n")));
    CHECK(AnswerOf(Repository::Open(data)) == "repository_malformed");
  }
}

TEST_CASE("what has an object's name and is other bytes is replaced, wherever it lies") {
  testing::TemporaryDirectory work;
  for (const auto& kind : KindsOfStores()) {
    INFO(kind.name);
    const auto place = kind.data.in_s3() ? kind.data : StorePlace(work / kind.data.where);
    REQUIRE(Repository::Create(place, BackupKind::kData, {"vault.example/log", "00"}));
    auto repository = Repository::Open(place);
    REQUIRE(repository);
    const crypto::Bytes content(5000, 3);
    bool written = false;
    const auto name = repository->Put(content, written);
    REQUIRE((name && written));
    const std::string hex = crypto::HexEncode(*name);
    const auto store = OpenStore(place);
    REQUIRE(store);
    const std::string object = "objects/" + hex.substr(0, 2) + "/" + hex.substr(2);
    const auto put_again = [&](const crypto::Bytes& instead) {
      REQUIRE((*store)->Replace(object, instead));
      REQUIRE(repository->Put(content, written) == *name);
      return written;
    };
    CHECK_FALSE(put_again(content));
    for (const std::size_t bytes : {0U, 4999U, 5001U}) {
      CHECK(put_again(crypto::Bytes(bytes, 3)));
      CHECK(repository->Get(*name) == content);
    }
    // Of as many bytes only where it is read.
    CHECK_FALSE(put_again(crypto::Bytes(5000, 4)));
    CHECK(repository->Has(*name) == true);
    repository->ReadBack(true);
    CHECK(repository->Has(*name) == false);
    CHECK(put_again(crypto::Bytes(5000, 4)));
    CHECK(repository->Get(*name) == content);
    CHECK(repository->Has(*name, 5000) == true);
    CHECK(repository->Has(*name, 5001) == false);
  }
}

TEST_CASE("wherever it lies, content is whole or not there, and is listed below its folder alone") {
  testing::TemporaryDirectory work;
  for (const auto& kind : KindsOfStores()) {
    INFO(kind.name);
    const auto opened =
        OpenStore(kind.data.in_s3() ? kind.data : StorePlace(work / kind.data.where));
    REQUIRE(opened);
    BackupStore& store = **opened;
    REQUIRE(store.MakeFolder({}));
    for (const char* folder : {"a", "a/b", "ab"}) REQUIRE(store.MakeFolder(folder));
    std::set<std::string> names;
    for (const std::size_t bytes : {0U, 1U, 4096U, 3U << 20}) {
      const std::string name = "a/b/" + std::to_string(bytes);
      const crypto::Bytes content(bytes, static_cast<std::uint8_t>(bytes % 251));
      CHECK(store.Has(name) == false);
      CHECK(AnswerOf(store.Get(name, bytes)) == "object_missing");
      REQUIRE(store.Put(name, content));
      CHECK(store.Has(name) == true);
      CHECK(store.Get(name, bytes) == content);
      if (bytes > 0) CHECK(AnswerOf(store.Get(name, bytes - 1)) == "object_wrong");
      CHECK((*store.Find(name))->bytes == bytes);
      // Replaced by less, and again, whatever is there.
      for (const crypto::Bytes& instead : {crypto::Bytes(bytes / 2, 7), content}) {
        REQUIRE(store.Replace(name, instead));
        CHECK(store.Get(name, bytes) == instead);
        CHECK((*store.Find(name))->bytes == instead.size());
      }
      names.insert(name);
    }
    REQUIRE(store.Put("ab/other", crypto::AsBytes("x")));
    REQUIRE(store.SyncFolder("a"));
    std::set<std::string> listed;
    REQUIRE(store.List("a", [&](const BackupStore::Entry& entry) {
      if (!entry.folder) listed.insert(entry.name);
      return true;
    }));
    CHECK(listed == names);
    int seen = 0;
    REQUIRE(store.List({}, [&](const BackupStore::Entry&) { return ++seen < 2; }));
    CHECK(seen == 2);
    for (const auto& name : names) {
      for (int i = 0; i < 2; ++i) {
        const auto removed = store.Remove(name);
        REQUIRE(removed);
        CHECK_FALSE(removed->refused);
        CHECK_FALSE(removed->kept);
      }
      CHECK(store.Has(name) == false);
    }
  }
}

TEST_CASE(
    "wherever it lies, one goes on from a generation, and nothing is left out or written over") {
  testing::TemporaryDirectory work;
  for (const auto& kind : KindsOfStores()) {
    INFO(kind.name);
    const StorePlace place = kind.data.in_s3() ? kind.data : StorePlace(work / kind.data.where);
    REQUIRE(Repository::Create(place, BackupKind::kData, {"vault.example/log", "00"}));
    const Repository one = OpenedAt(place), other = OpenedAt(place);
    CHECK(one.id() == other.id());
    const std::string generation = "bkp_01kdyahk904tff59tdwh9edd1r";
    CHECK(AnswerOf(one.PutIncrement(generation, 1, "x")) == "increment_missing");
    REQUIRE(one.PutManifest(generation, "manifest"));
    REQUIRE(one.PutIncrement(generation, 1, "one"));
    CHECK(AnswerOf(other.PutIncrement(generation, 1, "other")) == "increment_exists");
    CHECK(AnswerOf(other.PutIncrement(generation, 3, "other")) == "increment_missing");
    REQUIRE(other.PutIncrement(generation, 2, "two"));
    CHECK(one.GetIncrement(generation, 1) == "one");
    CHECK(one.GetManifest(generation) == "manifest");
    CHECK(one.ListGenerations() == Strings{generation});
    CHECK(one.ListIncrements() == Repository::Increments{{generation, {1, 2}}});
    bool written = false;
    const auto object = one.Put(crypto::AsBytes("object"), written);
    REQUIRE(object);
    CHECK(written);
    REQUIRE(other.Put(crypto::AsBytes("object"), written));
    CHECK_FALSE(written);
    CHECK(one.Get(*object) == crypto::Bytes{'o', 'b', 'j', 'e', 'c', 't'});
    std::vector<std::uint64_t> numbers = {1, 2};
    REQUIRE(one.RemoveIncrements(generation, numbers));
    CHECK(numbers.empty());
    CHECK(one.ListIncrements() == Repository::Increments{});
    CHECK(AnswerOf(one.GetIncrement(generation, 1)) == "increment_missing");
  }
}

TEST_CASE("wherever it lies, what is old and what nothing needs goes, and the rest is whole") {
  for (const auto& kind : KindsOfStores()) {
    INFO(kind.name);
    BackedUpVault vault(BackedUpTo(kind, 1));
    const StorePlace data = PlaceIn(vault, kind.data), keys = PlaceIn(vault, kind.keys);
    vault.NewContact(vault.NewClient("A-1"), {{"last_name", "Doe"}});
    const auto first = vault.BackUp();
    const Repository repository = OpenedAt(data);
    bool written = false;
    const auto orphan = repository.Put(crypto::AsBytes("of no generation"), written);
    REQUIRE(orphan);
    vault.Later(2);
    const auto next = vault.BackUp();
    CHECK(next.destinations[0].generations_removed == 1);
    CHECK(next.destinations[1].generations_removed == 1);
    CHECK(next.destinations[1].generations_retained == 0);
    CHECK(repository.Has(*orphan) == false);
    CHECK(repository.BeginWriting() == false);
    for (const auto* place : {&data, &keys}) {
      const auto report = VerifyRepository(*place, {});
      REQUIRE(report);
      CHECK(report->findings == Strings{});
      CHECK(report->generations == Strings{next.generation});
    }
  }
}

}  // namespace
}  // namespace coffer::vault
