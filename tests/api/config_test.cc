#include "api/config.h"

#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "crypto/keyring.h"
#include "crypto/secret_bytes.h"
#include "tests/support/temporary_directory.h"

namespace coffer::api {
namespace {

using testing::TemporaryDirectory;

// A configuration file in three sections; a test replaces or adds lines.
class ConfigFile {
 public:
  std::string server =
      "certificate = \"/etc/coffer/server.crt\"\nprivate_key = \"/etc/coffer/server.key\"\n";
  std::string vault = "directory = \"/var/lib/coffer\"\nroot_key_file = \"/etc/coffer/root.key\"\n";
  std::string rest;

  std::string path() const { return work_ / "coffer.toml"; }
  Result<Config> Load() const {
    return LoadText("[server]\n" + server + "[vault]\n" + vault + rest);
  }
  Result<Config> LoadText(const std::string& text) const {
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << text;
    return LoadConfig(path());
  }
  // Why it was refused, without the file's name.
  std::string Fault() const { return FaultOf(Load()); }
  std::string FaultOf(const Result<Config>& config) const {
    if (config) return "";
    CHECK(config.error().code == Code::kInvalidArgument);
    CHECK(config.error().reason == "config_invalid");
    const std::string& detail = config.error().detail;
    INFO(detail);
    REQUIRE(detail.starts_with(path() + ":"));
    return detail.substr(path().size() + 1);
  }

 private:
  TemporaryDirectory work_;
};

TEST_CASE("the smallest configuration is safe by what is not said") {
  const ConfigFile file;
  const auto config = file.Load();
  REQUIRE(config);
  CHECK(config->server.address == "127.0.0.1");
  CHECK(config->server.port == 8443);
  CHECK(config->server.tls.certificate == "/etc/coffer/server.crt");
  CHECK(config->vault.directory == "/var/lib/coffer");
  CHECK(config->vault.anchor_path.empty());
  CHECK(config->vault.require_locked_memory);
  CHECK(config->root_key_file == "/etc/coffer/root.key");
  CHECK(config->log_level == LogLevel::kInfo);
  CHECK(!config->log_requests);
}

TEST_CASE("every setting is taken over") {
  ConfigFile file;
  file.server =
      "address = \"0.0.0.0\"\nport = 0\ncertificate = \"c\"\nprivate_key = \"k\"\nworkers = 8\n"
      "connections_per_address = 3\nidle_timeout_s = 600\npatience_s = 7\nmin_bytes_per_s = 9\n";
  file.vault = "directory = \"d\"\nanchor = \"a\"\npassphrase_file = \"p\"\n";
  file.rest =
      "[engine]\npage_cache_mib = 4\nkey_cache_entries = 256\nqueue_limit = 16\n"
      "require_locked_memory = false\n[log]\nlevel = \"warning\"\nrequests = true\n"
      "checkpoint_interval_ms = 50\nheartbeat_interval_s = 86400\n";
  const auto config = file.Load();
  REQUIRE(config);
  CHECK(config->server.address == "0.0.0.0");
  CHECK(config->server.port == 0);
  CHECK(config->server.workers == 8);
  CHECK(config->server.connections_per_address == 3);
  CHECK(config->server.idle_timeout_s == 600);
  CHECK(config->server.patience_s == 7);
  CHECK(config->server.min_bytes_per_s == 9);
  CHECK(config->vault.anchor_path == "a");
  CHECK(config->passphrase_file == "p");
  CHECK(config->root_key_file.empty());
  CHECK(config->vault.page_cache_mib == 4);
  CHECK(config->vault.key_cache_entries == 256);
  CHECK(config->vault.queue_limit == 16);
  CHECK(!config->vault.require_locked_memory);
  CHECK(config->log_level == LogLevel::kWarning);
  CHECK(config->log_requests);
  CHECK(config->vault.checkpoint_interval_ms == 50);
  CHECK(config->vault.heartbeat_interval_s == 86'400);
}

TEST_CASE("retention has a time of day, a rate and a threshold of its clock") {
  ConfigFile file;
  const auto fault = [&](const std::string& line) {
    file.rest = "[retention]\n" + line + "\n";
    return file.Fault();
  };
  REQUIRE(file.Load());
  CHECK(!file.Load()->vault.retention_minute);
  CHECK(file.Load()->vault.clock_jump_threshold_s == 48 * 3600);
  CHECK(fault("daily_at = \"03:30\"\nrecords_per_s = 50\nclock_jump_hours = 72").empty());
  const auto config = file.Load();
  CHECK(config->vault.retention_minute == 210);
  CHECK(config->vault.retention_records_per_s == 50);
  CHECK(config->vault.clock_jump_threshold_s == 72 * 3600);
  for (const char* wrong : {"\"3:30\"", "\"24:00\"", "\"03:60\"", "\"03-30\"", "330", "\"\""}) {
    CHECK(fault(std::string("daily_at = ") + wrong) ==
          "8: 'retention.daily_at' must be a time of day, as \"03:30\"");
  }
  CHECK(fault("clock_jump_hours = 0") ==
        "8: 'retention.clock_jump_hours' must be a whole number from 1 to 8784");
}

TEST_CASE("what is not known is refused with its line") {
  ConfigFile file;
  file.rest = "[consle]\nport = 1\n";
  CHECK(file.Fault() == "7: 'consle' is not a known section");
  file.rest = "[engine]\nqueue_limit = 100\nqueue_limt = 100\n";
  CHECK(file.Fault() == "9: 'engine.queue_limt' is not a known setting");
  file.rest = "[log]\nLevel = \"info\"\n";
  CHECK(file.Fault() == "8: 'log.Level' is not a known setting");
  file.rest = "[log.more]\nlevel = \"info\"\n";
  CHECK(file.Fault() == "7: 'log.more' is not a known setting");
  file.rest.clear();
  file.vault += "root_keys = \"1111\"\n";  // a secret does not belong here
  CHECK(file.Fault() == "7: 'vault.root_keys' is not a known setting");
  CHECK(file.FaultOf(file.LoadText("port = 8443\n")) == "1: 'port' is not a known section");
  CHECK(file.FaultOf(file.LoadText("[[server]]\nport = 8443\n")) ==
        "1: 'server' is not a known section");
}

TEST_CASE("a value of another type or range is refused with what it must be") {
  struct Row {
    const char* section;
    const char* setting;
    const char* must;
  };
  const Row rows[] = {
      {"server", "port = \"8443\"", "must be a whole number from 0 to 65535"},
      {"server", "port = 65536", "must be a whole number from 0 to 65535"},
      {"server", "port = -1", "must be a whole number from 0 to 65535"},
      {"server", "port = 8443.0", "must be a whole number from 0 to 65535"},
      {"server", "port = true", "must be a whole number from 0 to 65535"},
      {"server", "address = 127", "must be text"},
      {"server", "address = [\"127.0.0.1\"]", "must be text"},
      {"server", "workers = 3", "must be a whole number from 4 to 512"},
      {"server", "workers = 513", "must be a whole number from 4 to 512"},
      {"server", "connections_per_address = 0", "must be a whole number from 1 to 512"},
      {"server", "idle_timeout_s = 601", "must be a whole number from 1 to 600"},
      {"server", "patience_s = 0", "must be a whole number from 1 to 600"},
      {"server", "min_bytes_per_s = 0", "must be a whole number from 1 to 1073741824"},
      {"vault", "anchor = 1", "must be text"},
      {"engine", "page_cache_mib = 3", "must be a whole number from 4 to 65536"},
      {"engine", "page_cache_mib = 9223372036854775807", "must be a whole number from 4 to 65536"},
      {"engine", "key_cache_entries = 255", "must be a whole number from 256 to 16777216"},
      {"engine", "queue_limit = 15", "must be a whole number from 16 to 1048576"},
      {"engine", "require_locked_memory = 1", "must be true or false"},
      {"engine", "require_locked_memory = \"false\"", "must be true or false"},
      {"log", "level = \"debug\"", "must be \"error\", \"warning\" or \"info\""},
      {"log", "level = 3", "must be \"error\", \"warning\" or \"info\""},
      {"log", "requests = \"yes\"", "must be true or false"},
      {"log", "checkpoint_interval_ms = 49", "must be a whole number from 50 to 60000"},
      {"log", "heartbeat_interval_s = 0", "must be a whole number from 1 to 86400"},
  };
  for (const auto& [section, setting, must] : rows) {
    INFO(section << "." << setting);
    ConfigFile file;
    const std::string line = std::string(setting) + "\n";
    const std::string name =
        "'" + std::string(section) + "." + line.substr(0, line.find(' ')) + "' ";
    if (std::string_view(section) == "server") {
      file.server += line;
    } else if (std::string_view(section) == "vault") {
      file.vault += line;
    } else {
      file.rest = "[" + std::string(section) + "]\n" + line;
    }
    const std::string fault = file.Fault();
    CHECK(fault.substr(fault.find(' ') + 1) == name + must);
  }
}

TEST_CASE("what is missing is named") {
  ConfigFile file;
  const std::string server = file.server;
  const std::string vault = file.vault;
  const auto drop_line = [](const std::string& text, std::size_t line) {
    const auto end = text.find('\n') + 1;
    return line == 0 ? text.substr(end) : text.substr(0, end);
  };
  file.server = drop_line(server, 0);
  CHECK(file.Fault() == " 'server.certificate' is missing");
  file.server = drop_line(server, 1);
  CHECK(file.Fault() == " 'server.private_key' is missing");
  file.server = server;
  file.vault = drop_line(vault, 0);
  CHECK(file.Fault() == " 'vault.directory' is missing");
  file.vault = "directory = \"\"\nroot_key_file = \"r\"\n";
  CHECK(file.Fault() == " 'vault.directory' is missing");
  CHECK(file.FaultOf(file.LoadText("")) == " 'server.certificate' is missing");
}

TEST_CASE("the root key comes from one place") {
  ConfigFile file;
  file.vault = "directory = \"d\"\n";
  const std::string wanted =
      " set one of 'vault.root_key_file', 'vault.passphrase_file' and 'vault.root_key'";
  CHECK(file.Fault() == wanted);
  const std::string key = "root_key_file = \"r\"\n", passphrase = "passphrase_file = \"p\"\n";
  const std::string token = "root_key = \"pkcs11:token=t;object=k?module-path=/m.so\"\n";
  for (const auto& several : {key + passphrase, key + token, passphrase + token}) {
    file.vault = "directory = \"d\"\n" + several;
    CHECK(file.Fault() == wanted);
  }
  file.vault = "directory = \"d\"\n" + token + "token_timeout_s = 5\n";
  const auto config = file.Load();
  REQUIRE(config);
  CHECK(config->root_key.starts_with("pkcs11:token=t"));
  CHECK(config->token_timeout_s == 5);
  file.vault += "token_timeout_s = 0\n";
  CHECK_FALSE(file.Load());
}

TEST_CASE("a token's URI is read with the configuration, and its PIN is not in it") {
  ConfigFile file;
  file.vault = "directory = \"d\"\nroot_key = \"pkcs11:object=k\"\n";
  CHECK(file.Fault().contains("'vault.root_key': the root key's URI must name"));
  file.vault =
      "directory = \"d\"\nroot_key = "
      "\"pkcs11:object=k?module-path=/m.so&pin-value=314159265\"\n";
  const std::string fault = file.Fault();
  CHECK(fault.contains("pin-source"));
  CHECK_FALSE(fault.contains("314159265"));
  file.vault = "directory = \"d\"\nroot_key = \"314159265\"\n";  // the key itself
  CHECK(file.Fault() == " 'vault.root_key': the root key's URI must begin with 'pkcs11:'");
}

TEST_CASE("a file that is no TOML, or is not there, is named with its line") {
  const ConfigFile file;
  CHECK(file.FaultOf(file.LoadText("[server]\nport = \n")).starts_with("2: "));
  CHECK(file.FaultOf(file.LoadText("[server]\nport = 1\nport = 2\n")).starts_with("3: "));
  CHECK(file.FaultOf(file.LoadText("[server\n")).starts_with("1: "));
  CHECK(file.FaultOf(file.LoadText("address = \"\xff\"\n")).starts_with("1: "));
  const auto missing = LoadConfig(file.path() + ".not");
  REQUIRE(!missing);
  CHECK(missing.error().reason == "config_invalid");
  CHECK(missing.error().detail.find(file.path() + ".not") != std::string::npos);
}

TEST_CASE("a credential is a file that systemd holds") {
  unsetenv("CREDENTIALS_DIRECTORY");
  CHECK(ResolveSecretPath("/etc/coffer/root.key") == "/etc/coffer/root.key");
  CHECK(ResolveSecretPath("") == "");
  const auto outside = ResolveSecretPath("credential:root-key");
  REQUIRE(!outside);
  CHECK(outside.error().reason == "config_invalid");
  CHECK(outside.error().detail.find("LoadCredential=root-key") != std::string::npos);
  setenv("CREDENTIALS_DIRECTORY", "/run/credentials/coffer", 1);
  CHECK(ResolveSecretPath("credential:root-key") == "/run/credentials/coffer/root-key");
  CHECK(!ResolveSecretPath("credential:"));
  CHECK(!ResolveSecretPath("credential:../root-key"));
  CHECK(!ResolveSecretPath("credential:a/b"));
  unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_CASE("the root key is opened from the file, the credential or the passphrase") {
  REQUIRE(crypto::InitializeCrypto());
  TemporaryDirectory work;
  REQUIRE(crypto::CreateKeyFile(work / "root.key"));
  Config config;
  config.root_key_file = work / "root.key";
  const auto by_file = OpenRootKey(config);
  REQUIRE(by_file);
  CHECK((*by_file)->kind() == "key-file");

  setenv("CREDENTIALS_DIRECTORY", work.path().c_str(), 1);
  config.root_key_file = "credential:root.key";
  CHECK(OpenRootKey(config));
  config.root_key_file = "credential:missing";
  const auto missing = OpenRootKey(config);
  REQUIRE(!missing);
  CHECK(missing.error().reason == "root_key_missing");
  unsetenv("CREDENTIALS_DIRECTORY");

  crypto::Argon2idParameters parameters{1, 8, crypto::Bytes(16, 7)};
  {
    std::ofstream(work / "passphrase") << "correct horse battery staple\n";
    REQUIRE(chmod((work / "passphrase").c_str(), 0600) == 0);
    const auto passphrase = crypto::ReadSecretFile(work / "passphrase");
    REQUIRE(passphrase);
    auto root = crypto::OpenPassphrase(*passphrase, parameters);
    REQUIRE(root);
    REQUIRE(crypto::Keyring::Create(work / "keyring.json", **root, parameters, "origin"));
  }
  config = {};
  config.vault.directory = work.path();
  config.passphrase_file = work / "passphrase";
  const auto by_passphrase = OpenRootKey(config);
  REQUIRE(by_passphrase);
  CHECK((*by_passphrase)->kind() == "passphrase");
  CHECK(crypto::Keyring::Open(work / "keyring.json", **by_passphrase));
  config.passphrase_file = work / "missing";
  CHECK(!OpenRootKey(config));
}

TEST_CASE("destinations of backups: each by itself, keys apart and for days") {
  const auto destination = [](const std::string& name, const std::string& kind,
                              const std::string& directory, const std::string& more = {}) {
    return "[[backup.destination]]\nname = \"" + name + "\"\nkind = \"" + kind +
           "\"\ndirectory = \"" + directory + "\"\n" + more;
  };
  const std::string horizon = "[operator]\nbackup_horizon_days = 7\n";
  const std::string week = "keep_days = 6\n";
  ConfigFile file;
  file.rest =
      horizon + destination("disk", "data", "/mnt/a") + destination("k-2", "keys", "/mnt/b", week);
  const auto config = file.Load();
  REQUIRE(config);
  const auto& all = config->vault.backup_destinations;
  REQUIRE(all.size() == 2);
  CHECK(config->vault.backup_every_hours == 24);
  CHECK(config->vault.backup_increment_seconds == 1);
  CHECK(all[0].name == "disk");
  CHECK(all[0].kind == audit::BackupKind::kData);
  CHECK(all[0].keep_days == 0);
  CHECK(!all[0].keep.any());
  CHECK(all[0].medium.empty());
  CHECK(!all[0].off_site);
  CHECK(config->vault.backup_medium.empty());
  CHECK(config->vault.backup_drill_days == 0);
  CHECK(all[1].directory == "/mnt/b");
  CHECK(all[1].kind == audit::BackupKind::kKeys);
  CHECK(all[1].keep_days == 6);

  ConfigFile judged;
  judged.rest = "[backup]\nmedium = \"ssd\"\ndrill_days = 30\n" +
                destination("disk", "data", "/mnt/a",
                            "keep_hourly = 24\nkeep_daily = 14\nkeep_weekly = 8\n"
                            "keep_monthly = 12\nkeep_yearly = 10\nmedium = \"tape\"\n"
                            "off_site = true\n");
  const auto with_rule = judged.Load();
  REQUIRE(with_rule);
  const auto& one = with_rule->vault.backup_destinations.front();
  CHECK(one.keep.hourly == 24);
  CHECK(one.keep.daily == 14);
  CHECK(one.keep.weekly == 8);
  CHECK(one.keep.monthly == 12);
  CHECK(one.keep.yearly == 10);
  CHECK(one.medium == "tape");
  CHECK(one.off_site);
  CHECK(with_rule->vault.backup_medium == "ssd");
  CHECK(with_rule->vault.backup_drill_days == 30);

  // By way of a link, too.
  const TemporaryDirectory work;
  std::filesystem::create_directory(work / "a");
  std::filesystem::create_directory_symlink(work / "a", work / "link");
  file.rest = horizon + destination("disk", "data", work / "a") +
              destination("k", "keys", std::string(work / "link") + "/k", week);
  CHECK(file.FaultOf(file.Load()).contains("has the place of 'disk'"));

  const std::string data = destination("disk", "data", "/mnt/a");
  for (const auto& [rest, fault] : std::vector<std::pair<std::string, std::string>>{
           {"[backup]\ndestination = 1\n", "must be written as [[backup.destination]]"},
           {"[backup]\nplace = 1\n", "is not a known setting"},
           {data + "speed = \"slow\"\n", "has no setting 'speed'"},
           {data + "medium = \"Tape 1\"\n", "has a 'medium' that must be a word"},
           {data + "medium = \"\"\n", "has a 'medium' that must be a word"},
           {data + "off_site = 1\n", "has a 'off_site' that must be true or false"},
           {data + "keep_weekly = 0\n", "has a 'keep_weekly' that"},
           {horizon + destination("k", "keys", "/mnt/b", week + "keep_hourly = 24\n"),
            "are for data alone"},
           {"[backup]\nmedium = 1\n", "'backup.medium' must be a word"},
           {"[backup]\ndrill_days = -1\n", "'backup.drill_days' must be"},
           {data + "keep_days = 0\n", "has a 'keep_days' that"},
           {destination("", "data", "/mnt/a"), "needs a 'name'"},
           {destination("Disk", "data", "/mnt/a"), "needs a 'name'"},
           {destination("2disk", "data", "/mnt/a"), "needs a 'name'"},
           {destination(std::string(33, 'a'), "data", "/mnt/a"), "needs a 'name'"},
           {destination("disk", "data", "mnt/a"), "needs a 'directory'"},
           {destination("disk", "both", "/mnt/a"), "needs a 'kind'"},
           {data + data, "is there twice"},
           {data + destination("more", "data", "/mnt/a/b"), "has the place of 'disk'"},
           {horizon + destination("a", "data", "/mnt/a/b") +
                destination("b", "keys", "/mnt/./a/", week),
            "has the place of 'a'"},
           {destination("disk", "data", "/var/lib/coffer/copies"), "lies in the vault's directory"},
           {destination("disk", "data", "/var/lib"), "lies in the vault's directory"},
           {horizon + destination("k", "keys", "/mnt/b"), "needs 'keep_days'"},
           {destination("k", "keys", "/mnt/b", week), "'operator.backup_horizon_days' must say"},
           {horizon + destination("k", "keys", "/mnt/b", "keep_days = 7\n"), "must be less than"},
           {"[backup]\nevery_hours = 48\n" + horizon + destination("k", "keys", "/mnt/b", week),
            "with the time until the next generation"},
           {"[backup]\nevery_hours = 745\n", "'backup.every_hours' must be"},
           {"[backup]\nincrement_seconds = -1\n", "'backup.increment_seconds' must be"}}) {
    file.rest = rest;
    INFO(rest);
    CHECK(file.FaultOf(file.Load()).contains(fault));
  }
}

TEST_CASE("what shows that a copy is older lies in no destination, and one loss of two is told") {
  // Another file system than the one of everything else, on each machine.
  const std::string other = "/proc/coffer-test", own = "/var/lib/coffer-test";
  ConfigFile file;
  const auto anchor = [](const std::string& place) {
    return "anchor = \"" + place + "/anchor\"\n";
  };
  const auto ledger = [](const std::string& place) {
    return "erasure_ledger = \"" + place + "/ledger\"\n";
  };
  const auto destination = [](const std::string& directory, const std::string& kind = "data") {
    return "[[backup.destination]]\nname = \"d\"\nkind = \"" + kind + "\"\ndirectory = \"" +
           directory + "\"\n" + (kind == "keys" ? "keep_days = 6\n" : "") +
           "[operator]\nbackup_horizon_days = 7\n";
  };
  struct Case {
    std::string places, destination;
    std::vector<std::string> words;  // of the one warning
  };
  const std::vector<Case> cases = {
      {"", destination(other + "/a"), {}},
      {"", destination(own + "/a"), {"file system of the vault"}},
      {anchor(own), destination(own + "/a"), {"file system of the vault"}},
      {anchor(own) + ledger(own), destination(other + "/a"), {}},
      {anchor(other), destination(other + "/a"), {"file system of the anchor:"}},
      {ledger(other), destination(other + "/a"), {"file system of the ledger of erasures:"}},
      {anchor(other) + ledger(other),
       destination(other + "/a"),
       {"file system of the anchor and the ledger of erasures:"}},
      {anchor(other) + ledger(other), destination(other + "/a", "keys"), {}},
      {anchor(other), destination("https://s3.example/bucket"), {}}};
  for (const Case& one : cases) {
    file.vault = "directory = \"/var/lib/coffer\"\nroot_key_file = \"/r\"\n" + one.places;
    file.rest = one.destination;
    if (one.destination.contains("https://")) {
      file.rest =
          "[[backup.destination]]\nname = \"d\"\nkind = \"data\"\n"
          "s3 = \"https://s3.example/bucket\"\ncredentials_file = \"/c\"\n";
    }
    INFO(file.vault << file.rest);
    const auto config = file.Load();
    INFO((config ? std::string() : config.error().detail));
    REQUIRE(config);
    const auto told = LostTogether(*config);
    REQUIRE(told.size() == one.words.size());
    for (std::size_t i = 0; i < told.size(); ++i) CHECK(told[i].contains(one.words[i]));
  }
  for (const std::string& place : {anchor("/mnt/b/x"), ledger("/mnt/b")}) {
    file.vault = "directory = \"/var/lib/coffer\"\nroot_key_file = \"/r\"\n" + place;
    file.rest = destination("/mnt/b");
    CHECK(file.FaultOf(file.Load()).contains("in its place"));
    file.rest = destination("/mnt/bb");
    CHECK(file.Load());
  }
}

TEST_CASE(
    "destinations in S3-compatible stores: with credentials, over TLS, keys in a bucket apart") {
  const auto destination = [](const std::string& name, const std::string& kind,
                              const std::string& url, const std::string& more = {}) {
    return "[[backup.destination]]\nname = \"" + name + "\"\nkind = \"" + kind + "\"\ns3 = \"" +
           url + "\"\n" + more;
  };
  const std::string horizon = "[operator]\nbackup_horizon_days = 7\n";
  const std::string file_of_secrets = "credentials_file = \"credential:s3\"\n";
  const std::string week = "keep_days = 6\n" + file_of_secrets;
  ConfigFile file;
  file.rest = horizon +
              destination("off-site", "data", "https://s3.example/data/coffer/",
                          file_of_secrets + "region = \"eu-central-1\"\nca_file = \"/ca.pem\"\n") +
              destination("keys", "keys", "https://s3.example/keys", week);
  auto config = file.Load();
  REQUIRE(config);
  auto& all = config->vault.backup_destinations;
  REQUIRE(all.size() == 2);
  CHECK(all[0].directory == "https://s3.example/data/coffer");
  CHECK(all[0].s3.region == "eu-central-1");
  CHECK(all[0].s3.ca_file == "/ca.pem");
  CHECK(all[0].s3.credentials_file == "credential:s3");
  CHECK(all[1].directory == "https://s3.example/keys");
  CHECK(all[1].s3.region == "us-east-1");
  REQUIRE(unsetenv("CREDENTIALS_DIRECTORY") == 0);
  CHECK(ResolveCredentials(*config).error().reason == "config_invalid");
  REQUIRE(setenv("CREDENTIALS_DIRECTORY", "/run/credentials/cofferd", 1) == 0);
  REQUIRE(ResolveCredentials(*config));
  REQUIRE(unsetenv("CREDENTIALS_DIRECTORY") == 0);
  CHECK(all[0].s3.credentials_file == "/run/credentials/cofferd/s3");

  const std::string url = "https://s3.example/data/coffer";
  for (const auto& [rest, fault] : std::vector<std::pair<std::string, std::string>>{
           {destination("a", "data", url), "needs a file with credentials"},
           {destination("a", "data", url, file_of_secrets + "directory = \"/mnt/a\"\n"),
            "one of them"},
           {destination("a", "data", url, file_of_secrets + "region = \"a:b\"\n"), "its region"},
           {destination("a", "data", "http://s3.example/data", file_of_secrets), "without TLS"},
           {destination("a", "data", "https://s3.example", file_of_secrets), "its bucket"},
           {"[[backup.destination]]\nname = \"a\"\nkind = \"data\"\ndirectory = \"/mnt/a\"\n" +
                file_of_secrets,
            "settings of an 's3'"},
           {destination("a", "data", url, file_of_secrets) +
                destination("b", "data", url + "/more", file_of_secrets),
            "has the place of 'a'"},
           {horizon + destination("a", "data", url, file_of_secrets) +
                destination("b", "keys", "https://s3.example/data/other", week),
            "has the bucket of 'a'"}}) {
    file.rest = rest;
    INFO(rest);
    CHECK(file.FaultOf(file.Load()).contains(fault));
  }
}

}  // namespace
}  // namespace coffer::api
