// Distinctive values go into the vault in every way there is; then every byte that it left anywhere
// is searched for them.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <thread>

#include "crypto/encoding.h"
#include "tests/support/running_vault.h"

using namespace coffer;
using namespace coffer::testing;
using nlohmann::json;

namespace {

// The spellings in which a value could have got out.
std::vector<std::string> Spellings(const std::string& value) {
  const auto bytes = crypto::AsBytes(value);
  std::string wide;
  for (const char c : value) (wide += c) += '\0';
  std::vector<std::string> all = {value, crypto::HexEncode(bytes), wide};
  // Base64 depends on where in a group of three the value begins.
  for (std::size_t offset = 0; offset < 3; ++offset) {
    const std::string shifted = std::string(offset, 'x') + value + std::string(3, 'x');
    const std::string encoded = crypto::Base64Encode(crypto::AsBytes(shifted));
    all.push_back(encoded.substr(4, encoded.size() - 12));
  }
  return all;
}

class Leaks {
 public:
  void Look(const std::string& value) { needles_.emplace_back(value, Spellings(value)); }

  std::vector<std::string> In(const std::string& haystack) const {
    std::vector<std::string> found;
    for (const auto& [value, spellings] : needles_) {
      for (const auto& spelling : spellings) {
        if (haystack.find(spelling) != std::string::npos) found.push_back(value);
      }
    }
    return found;
  }

  void CheckFolder(const std::string& folder, const std::string& except = "") const {
    namespace fs = std::filesystem;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file() || entry.path().string() == except) continue;
      INFO(entry.path().string());
      CHECK(In(ReadWholeFile(entry.path())).empty());
    }
  }

 private:
  std::vector<std::pair<std::string, std::vector<std::string>>> needles_;
};

}  // namespace

TEST_CASE("no value, reason, reference, search term, token or root key leaves the vault's memory") {
  VaultSettings settings;
  settings.log_settings = "requests = true\n";
  RunningVault vault(settings);
  Leaks leaks;
  for (const char* value : {"sentinelname", "sentinelmail", "sentineltext", "sentinelreference",
                            "sentinelreason", "sentinelsearch", "sentinelrefused",
                            "sentinelunknown", "sentinelpurpose", "sentinelagent"}) {
    leaks.Look(value);
  }
  const std::string root_key = ReadWholeFile(vault.root_key_file()).substr(0, 64);
  leaks.Look(root_key);
  for (const char* role : {"administrator", "crm-service", "security-officer", "privacy-officer"}) {
    leaks.Look(vault.Token(role));
  }
  // The control: the scanner finds what is there.
  WriteWholeFile(vault.work() / "control",
                 "xx" + crypto::Base64Encode(crypto::AsBytes("a sentinelname b")));
  CHECK(leaks.In(ReadWholeFile(vault.work() / "control")) ==
        std::vector<std::string>{"sentinelname"});
  std::filesystem::remove(vault.work() / "control");

  const HeaderList reason = {{"Coffer-Reason", "because sentinelreason"},
                             {"User-Agent", "sentinelagent"}};
  auto crm = vault.As("crm-service");
  std::vector<std::string> clients;
  for (int i = 0; i < 40; ++i) {
    const std::string number = std::to_string(i);
    const auto made =
        crm.Post("/v1/clients", {{"external_ref", "sentinelreference" + number}}, reason);
    REQUIRE(made.status == 201);
    clients.push_back(made.Json().at("id"));
    const std::string records = "/v1/clients/" + clients.back() + "/records";
    const auto contact = crm.Post(records,
                                  {{"class", "contact"},
                                   {"data",
                                    {{"last_name", "sentinelname" + number},
                                     {"email", "sentinelmail" + number + "@example.org"}}}},
                                  reason);
    REQUIRE(contact.status == 201);
    const std::string record = records + "/" + contact.Json().at("id").get<std::string>();
    CHECK(crm.Get(record, reason).status == 200);
    CHECK(crm.Put(record, {{"data", {{"last_name", "sentineltext" + number}}}},
                  {{"If-Match", "\"1\""}})
              .status == 200);
    CHECK(crm.Post(records,
                   {{"class", "contact"}, {"data", {{"sentinelunknown", "sentinelrefused"}}}},
                   reason)
              .status == 422);
    CHECK(crm.Post("/v1/clients/search",
                   {{"class", "contact"}, {"field", "last_name"}, {"value", "sentinelsearch"}})
              .status == 200);
    CHECK(crm.Post("/v1/clients/search", {{"external_ref", "sentinelsearch"}}).status == 200);
  }
  CHECK(vault.As("crm-service", "sentinelpurpose").Get("/v1/clients/" + clients[0]).status == 422);
  CHECK(vault.WithToken("cft_sentinelunknown").Get("/v1/clients/" + clients[0]).status == 401);
  CHECK(crm.Get("/v1/clients?tag=sentinelunknown").status == 200);
  CHECK(crm.Get("/v1/clients?limit=200").status == 200);
  CHECK(crm.Send("POST", "/v1/clients", "{\"external_ref\": \"sentinelrefused", "application/json")
            .status == 400);
  CHECK(vault.As("privacy-officer", "data-subject-request")
            .Delete("/v1/clients/" + clients[1], reason)
            .status == 200);

  const auto metrics = vault.As("administrator").Get("/metrics");
  REQUIRE(metrics.status == 200);
  CHECK(leaks.In(metrics.body).empty());
  auto officer = vault.As("security-officer", "");
  std::string cursor = "0";
  for (int page = 0; page < 50 && !cursor.empty(); ++page) {
    const auto log = officer.Get("/v1/log/entries?order=asc&limit=1000&cursor=" + cursor,
                                 {{"Accept", "application/x-ndjson"}});
    REQUIRE(log.status == 200);
    CHECK(leaks.In(log.body).empty());
    cursor = log.Header("coffer-next-cursor");
  }
  const std::string process = "/proc/" + std::to_string(vault.pid());
  CHECK(leaks.In(ReadWholeFile(process + "/environ")).empty());
  CHECK(leaks.In(ReadWholeFile(process + "/cmdline")).empty());

  leaks.CheckFolder(vault.work().path(), vault.root_key_file());
  vault.Kill();
  leaks.CheckFolder(vault.work().path(), vault.root_key_file());
  vault.Start();
  vault.Stop();
  leaks.CheckFolder(vault.work().path(), vault.root_key_file());
}
