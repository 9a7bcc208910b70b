#include "api/config.h"

#include <sys/stat.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "crypto/keyring.h"
#include "crypto/passphrase_file.h"
#include "crypto/token_root_key.h"

namespace coffer::api {
namespace {

// One setting: where it stands, and how its value is taken over. An empty answer is acceptance.
using Take = std::function<std::string(const toml::node&)>;
using Section = std::map<std::string, Take, std::less<>>;

Take Text(std::string& into) {
  return [&into](const toml::node& node) -> std::string {
    const auto value = node.value_exact<std::string>();
    if (!value) return "must be text";
    into = *value;
    return {};
  };
}

template <class T>
Take Number(T& into, std::int64_t least, std::int64_t most) {
  return [&into, least, most](const toml::node& node) -> std::string {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < least || *value > most) {
      return "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most);
    }
    into = static_cast<T>(*value);
    return {};
  };
}

Take Flag(bool& into) {
  return [&into](const toml::node& node) -> std::string {
    const auto value = node.value_exact<bool>();
    if (!value) return "must be true or false";
    into = *value;
    return {};
  };
}

// "HH:MM", as minutes of the day.
Take TimeOfDay(std::optional<std::uint32_t>& into) {
  return [&into](const toml::node& node) -> std::string {
    static constexpr const char* kFault = "must be a time of day, as \"03:30\"";
    const auto text = node.value_exact<std::string>().value_or("");
    const auto is_digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
    if (text.size() != 5 || text[2] != ':' || !is_digit(0) || !is_digit(1) || !is_digit(3) ||
        !is_digit(4)) {
      return kFault;
    }
    const auto two = [&](std::size_t i) {
      return static_cast<std::uint32_t>((text[i] - '0') * 10 + (text[i + 1] - '0'));
    };
    if (two(0) > 23 || two(3) > 59) return kFault;
    into = two(0) * 60 + two(3);
    return {};
  };
}

Take Hours(std::uint32_t& seconds, std::int64_t least, std::int64_t most) {
  return [&seconds, least, most](const toml::node& node) -> std::string {
    std::uint32_t hours = 0;
    auto fault = Number(hours, least, most)(node);
    if (fault.empty()) seconds = hours * 3600;
    return fault;
  };
}

Take Networks(std::vector<vault::Network>& into) {
  return [&into](const toml::node& node) -> std::string {
    static constexpr const char* kFault = "must be a list of networks, as [\"192.0.2.0/24\"]";
    const auto* const list = node.as_array();
    if (list == nullptr) return kFault;
    for (const auto& item : *list) {
      const auto text = item.value_exact<std::string>();
      const auto network = vault::Network::Parse(text.value_or(""));
      if (!network) return kFault;
      into.push_back(*network);
    }
    return {};
  };
}

// Where it lies: one of two ways to say it.
std::string TakePlace(const std::string& s3, vault::BackupDestination& into) {
  if (s3.empty()) {
    if (!into.directory.starts_with('/')) {
      return "needs a 'directory' that begins with '/', or an 's3'";
    }
    const bool beside = !into.s3.credentials_file.empty() || !into.s3.ca_file.empty() ||
                        into.s3.region != vault::S3Options().region;
    return beside ? "has settings of an 's3', which it has not" : "";
  }
  if (!into.directory.empty()) return "has a 'directory' and an 's3': one of them";
  const auto address = vault::ParseS3Address(s3);
  if (!address) return "has an 's3' that cannot be used: " + address.error().detail;
  if (const auto fault = vault::CheckS3Options(into.s3); !fault) {
    return "cannot be used: " + fault.error().detail;
  }
  into.directory = address->url;
  return {};
}

bool IsSmallWord(std::string_view text) {
  return !text.empty() && text.size() <= 32 && text[0] >= 'a' && text[0] <= 'z' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

// What something lies on, in a word of the operator's: two are told apart by it.
Take Medium(std::string& into) {
  return [&into](const toml::node& node) -> std::string {
    const auto text = node.value_exact<std::string>().value_or("");
    if (!IsSmallWord(text)) return "must be a word of small letters, digits and '-', at most 32";
    into = text;
    return {};
  };
}

std::string TakeDestination(const toml::table& table, vault::BackupDestination& into) {
  std::string kind, s3;
  const std::map<std::string_view, Take> settings = {
      {"name", Text(into.name)},
      {"kind", Text(kind)},
      {"directory", Text(into.directory)},
      {"s3", Text(s3)},
      {"region", Text(into.s3.region)},
      {"credentials_file", Text(into.s3.credentials_file)},
      {"ca_file", Text(into.s3.ca_file)},
      {"keep_days", Number(into.keep_days, 1, 36'500)},
      {"keep_hourly", Number(into.keep.hourly, 1, 10'000)},
      {"keep_daily", Number(into.keep.daily, 1, 10'000)},
      {"keep_weekly", Number(into.keep.weekly, 1, 10'000)},
      {"keep_monthly", Number(into.keep.monthly, 1, 10'000)},
      {"keep_yearly", Number(into.keep.yearly, 1, 10'000)},
      {"medium", Medium(into.medium)},
      {"off_site", Flag(into.off_site)}};
  for (const auto& [key, value] : table) {
    const auto setting = settings.find(key.str());
    if (setting == settings.end()) return "has no setting '" + std::string(key.str()) + "'";
    if (const auto fault = setting->second(value); !fault.empty()) {
      return "has a '" + std::string(key.str()) + "' that " + fault;
    }
  }
  if (!IsSmallWord(into.name)) {
    return "needs a 'name' of small letters, digits and '-', at most 32";
  }
  if (auto fault = TakePlace(s3, into); !fault.empty()) return fault;
  if (kind != "data" && kind != "keys") return "needs a 'kind' that is \"data\" or \"keys\"";
  into.kind = kind == "data" ? audit::BackupKind::kData : audit::BackupKind::kKeys;
  return {};
}

Take Destinations(std::vector<vault::BackupDestination>& into) {
  return [&into](const toml::node& node) -> std::string {
    const auto* const list = node.as_array();
    if (list == nullptr || !list->is_homogeneous<toml::table>()) {
      return "must be written as [[backup.destination]]";
    }
    for (const auto& item : *list) {
      if (auto fault = TakeDestination(*item.as_table(), into.emplace_back()); !fault.empty()) {
        return fault;
      }
    }
    return {};
  };
}

// Whether one of two directories is, or lies in, the other.
bool Overlap(const std::string& one, const std::string& other) {
  const std::string a = vault::PlaceOf(one), b = vault::PlaceOf(other);
  return a.starts_with(b) || b.starts_with(a);
}

// Who guards a bucket, its versions and its object lock are of all that is in it.
bool ShareBucket(const vault::BackupDestination& one, const vault::BackupDestination& other) {
  const auto a = vault::ParseS3Address(one.directory), b = vault::ParseS3Address(other.directory);
  return a && b && a->endpoint == b->endpoint && a->bucket == b->bucket;
}

// Client keys beside the data, or kept for longer than acts of erasure say, would bring back what
// was erased.
std::string FaultOf(const std::vector<vault::BackupDestination>& destinations,
                    const vault::VaultOptions& vault) {
  for (const auto& one : destinations) {
    const std::string name = "the backup destination '" + one.name + "' ";
    if (Overlap(one.directory, vault.directory)) return name + "lies in the vault's directory";
    for (const auto& [what, path] : {std::pair("anchor", &vault.anchor_path),
                                     std::pair("ledger of erasures", &vault.ledger_path)}) {
      // Whoever puts an older state of it back, or moves it away, takes with it what shows that.
      if (!path->empty() && vault::PlaceOf(*path).starts_with(vault::PlaceOf(one.directory))) {
        return name + "has the " + what + " in its place, which has to show where it is older";
      }
    }
    for (const auto& other : destinations) {
      if (&other == &one) break;
      if (other.name == one.name) return name + "is there twice";
      if (Overlap(one.directory, other.directory)) {
        return name + "has the place of '" + other.name + "'";
      }
      if (one.kind != other.kind && ShareBucket(one, other)) {
        return name + "has the bucket of '" + other.name + "': keys need one of their own";
      }
    }
    if (one.kind != audit::BackupKind::kKeys) continue;
    if (one.keep_days == 0) return name + "keeps keys, and needs 'keep_days'";
    // A day without a backup would have each of them reach further back.
    if (one.keep.any()) {
      return name +
             "keeps keys: 'keep_hourly', 'keep_daily', 'keep_weekly', 'keep_monthly' and "
             "'keep_yearly' may keep them for longer than 'keep_days', and are for data alone";
    }
    if (!vault.backup_horizon_days) {
      return name + "keeps keys: 'operator.backup_horizon_days' must say for how long at most";
    }
    // What is old goes at the next run, a day later where there is one a day.
    if (one.keep_days >= *vault.backup_horizon_days) {
      return name + "keeps keys: 'keep_days' must be less than 'operator.backup_horizon_days'";
    }
    if (24 * one.keep_days + vault.backup_every_hours > 24 * *vault.backup_horizon_days) {
      return name +
             "keeps keys: with the time until the next generation, 'backup.every_hours', "
             "'keep_days' must be at most 'operator.backup_horizon_days'";
    }
  }
  return {};
}

// Of the nearest directory above that is there; nothing for what is no directory of this machine.
std::optional<dev_t> DiskOf(const std::string& where) {
  if (where.contains("://")) return std::nullopt;
  std::error_code error;
  std::filesystem::path path = std::filesystem::absolute(where, error);
  for (; !error; path = path.parent_path()) {
    struct stat about{};
    if (stat(path.c_str(), &about) == 0) return about.st_dev;
    if (path == path.parent_path()) break;
  }
  return std::nullopt;
}

Take Level(LogLevel& into) {
  return [&into](const toml::node& node) -> std::string {
    const auto value = node.value_exact<std::string>();
    if (value == "error") {
      into = LogLevel::kError;
    } else if (value == "warning") {
      into = LogLevel::kWarning;
    } else if (value == "info") {
      into = LogLevel::kInfo;
    } else {
      return "must be \"error\", \"warning\" or \"info\"";
    }
    return {};
  };
}

std::unexpected<Error> Wrong(const std::string& path, const toml::source_region& at,
                             const std::string& what) {
  return Fail(Code::kInvalidArgument, "config_invalid",
              path + ":" + std::to_string(at.begin.line) + ": " + what);
}

Status Apply(const toml::table& root, const std::map<std::string, Section, std::less<>>& sections,
             const std::string& path) {
  for (const auto& [section_name, node] : root) {
    const auto section = sections.find(section_name.str());
    if (section == sections.end() || !node.is_table()) {
      return Wrong(path, node.source(),
                   "'" + std::string(section_name.str()) + "' is not a known section");
    }
    for (const auto& [key, value] : *node.as_table()) {
      const std::string name = std::string(section_name.str()) + "." + std::string(key.str());
      const auto setting = section->second.find(key.str());
      if (setting == section->second.end()) {
        return Wrong(path, value.source(), "'" + name + "' is not a known setting");
      }
      if (const auto fault = setting->second(value); !fault.empty()) {
        return Wrong(path, value.source(), "'" + name + "' " + fault);
      }
    }
  }
  return {};
}

}  // namespace

Result<Config> LoadConfig(const std::string& path) {
  Config config;
  config.vault.backup_every_hours = 24;
  config.vault.backup_increment_seconds = 1;
  const std::map<std::string, Section, std::less<>> sections = {
      {"server",
       {{"address", Text(config.server.address)},
        {"port", Number(config.server.port, 0, 65535)},
        {"certificate", Text(config.server.tls.certificate)},
        {"private_key", Text(config.server.tls.private_key)},
        {"client_authorities", Text(config.server.tls.client_authorities)},
        {"workers", Number(config.server.workers, 4, 512)},
        {"connections_per_address", Number(config.server.connections_per_address, 1, 512)},
        {"trusted_proxies", Networks(config.server.trusted_proxies)},
        {"idle_timeout_s", Number(config.server.idle_timeout_s, 1, 600)},
        {"patience_s", Number(config.server.patience_s, 1, 600)},
        {"min_bytes_per_s", Number(config.server.min_bytes_per_s, 1, 1 << 30)}}},
      {"vault",
       {{"directory", Text(config.vault.directory)},
        {"anchor", Text(config.vault.anchor_path)},
        {"erasure_ledger", Text(config.vault.ledger_path)},
        {"root_key", Text(config.root_key)},
        {"root_key_file", Text(config.root_key_file)},
        {"passphrase_file", Text(config.passphrase_file)},
        {"token_timeout_s", Number(config.token_timeout_s, 1, 600)}}},
      {"operator",
       {{"name", Text(config.vault.operator_details.name)},
        {"address", Text(config.vault.operator_details.address)},
        {"processor_name", Text(config.vault.operator_details.processor_name)},
        {"processor_address", Text(config.vault.operator_details.processor_address)},
        {"system", Text(config.vault.operator_details.system)},
        {"backup_horizon_days", Number(config.vault.backup_horizon_days, 0, 3650)}}},
      {"retention",
       {{"daily_at", TimeOfDay(config.vault.retention_minute)},
        {"records_per_s", Number(config.vault.retention_records_per_s, 1, 1'000'000)},
        {"clock_jump_hours", Hours(config.vault.clock_jump_threshold_s, 1, 24 * 366)}}},
      {"backup",
       {{"destination", Destinations(config.vault.backup_destinations)},
        {"every_hours", Number(config.vault.backup_every_hours, 0, 24 * 31)},
        {"increment_seconds", Number(config.vault.backup_increment_seconds, 0, 3600)},
        {"medium", Medium(config.vault.backup_medium)},
        {"drill_days", Number(config.vault.backup_drill_days, 0, 3650)}}},
      {"sessions",
       {{"idle_s", Number(config.vault.session_idle_s, 60, 24 * 3600)},
        {"lifetime_s", Number(config.vault.session_lifetime_s, 300, 7 * 24 * 3600)}}},
      {"engine",
       {{"page_cache_mib", Number(config.vault.page_cache_mib, 4, 65536)},
        {"key_cache_entries", Number(config.vault.key_cache_entries, 256, 1 << 24)},
        {"queue_limit", Number(config.vault.queue_limit, 16, 1 << 20)},
        {"require_locked_memory", Flag(config.vault.require_locked_memory)}}},
      {"log",
       {{"level", Level(config.log_level)},
        {"requests", Flag(config.log_requests)},
        {"checkpoint_interval_ms", Number(config.vault.checkpoint_interval_ms, 50, 60'000)},
        {"heartbeat_interval_s", Number(config.vault.heartbeat_interval_s, 1, 86'400)},
        {"scrub_entries_per_s", Number(config.vault.scrub_entries_per_s, 0, 1'000'000)}}}};
  try {
    COFFER_TRY(Apply(toml::parse_file(path), sections, path));
  } catch (const toml::parse_error& error) {
    return Wrong(path, error.source(), std::string(error.description()));
  }
  const std::pair<const char*, const std::string*> required[] = {
      {"server.certificate", &config.server.tls.certificate},
      {"server.private_key", &config.server.tls.private_key},
      {"vault.directory", &config.vault.directory}};
  for (const auto& [name, value] : required) {
    if (value->empty()) {
      return Fail(Code::kInvalidArgument, "config_invalid",
                  path + ": '" + std::string(name) + "' is missing");
    }
  }
  if (const auto fault = FaultOf(config.vault.backup_destinations, config.vault); !fault.empty()) {
    return Fail(Code::kInvalidArgument, "config_invalid", path + ": " + fault);
  }
  const int named =
      !config.root_key.empty() + !config.root_key_file.empty() + !config.passphrase_file.empty();
  if (named != 1) {
    return Fail(Code::kInvalidArgument, "config_invalid",
                path +
                    ": set one of 'vault.root_key_file', 'vault.passphrase_file' and "
                    "'vault.root_key'");
  }
  if (!config.root_key.empty()) {
    if (const auto uri = crypto::ParseTokenUri(config.root_key); !uri) {
      return Fail(Code::kInvalidArgument, "config_invalid",
                  path + ": 'vault.root_key': " + uri.error().detail);
    }
  }
  return config;
}

Result<std::string> ResolveSecretPath(const std::string& path) {
  static constexpr std::string_view kCredential = "credential:";
  if (!path.starts_with(kCredential)) return path;
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  const std::string name = path.substr(kCredential.size());
  if (directory == nullptr || name.empty() || name.find('/') != name.npos) {
    return Fail(Code::kInvalidArgument, "config_invalid",
                "'" + path + "' needs a service started by systemd with LoadCredential=" + name);
  }
  return std::string(directory) + "/" + name;
}

Status ResolveCredentials(Config& config) {
  for (auto& destination : config.vault.backup_destinations) {
    COFFER_ASSIGN(destination.s3.credentials_file,
                  ResolveSecretPath(destination.s3.credentials_file));
  }
  return {};
}

std::vector<std::string> LostTogether(const Config& config) {
  const vault::VaultOptions& vault = config.vault;
  const auto disk = DiskOf(vault.directory);
  std::vector<std::string> found;
  for (const auto& one : vault.backup_destinations) {
    const auto own = DiskOf(one.directory);
    if (!own) continue;
    const std::string name = "the backup destination '" + one.name + "' ";
    if (own == disk) {
      found.push_back(name + "is on the file system of the vault: what takes one takes both");
      continue;
    }
    if (one.kind != audit::BackupKind::kData) continue;
    std::string beside;
    for (const auto& [what, path] : {std::pair("the anchor", &vault.anchor_path),
                                     std::pair("the ledger of erasures", &vault.ledger_path)}) {
      if (path->empty() || DiskOf(*path) != own) continue;
      beside += (beside.empty() ? "" : " and ") + std::string(what);
    }
    if (!beside.empty()) {
      found.push_back(name + "is on the file system of " + beside +
                      ": where the vault is lost and that one is of an earlier time, nothing shows "
                      "what is missing");
    }
  }
  return found;
}

bool MustNotBeTriedAgain(const Error& error) {
  return error.reason == "token_pin_wrong" || error.reason == "token_pin_locked";
}

Result<std::unique_ptr<crypto::RootKeyProvider>> OpenRootKey(const Config& config) {
  if (!config.root_key_file.empty()) {
    COFFER_ASSIGN(const auto path, ResolveSecretPath(config.root_key_file));
    return crypto::OpenKeyFile(path);
  }
  COFFER_ASSIGN(const auto header,
                crypto::Keyring::ReadHeader(config.vault.directory + "/keyring.json"));
  if (!config.root_key.empty()) {
    COFFER_ASSIGN(auto uri, crypto::ParseTokenUri(config.root_key));
    crypto::TokenAccess access{
        .uri = std::move(uri), .pin = {}, .limit = std::chrono::seconds(config.token_timeout_s)};
    if (!access.uri.pin_source.empty()) {
      COFFER_ASSIGN(const auto path, ResolveSecretPath(access.uri.pin_source));
      COFFER_ASSIGN(access.pin, crypto::ReadSecretFile(path));
    }
    return crypto::OpenTokenRoot(access, header);
  }
  COFFER_ASSIGN(const auto path, ResolveSecretPath(config.passphrase_file));
  return crypto::OpenPassphraseFile(path, header);
}

}  // namespace coffer::api
