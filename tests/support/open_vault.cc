#include "tests/support/open_vault.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "audit/tlog/checkpoint.h"
#include "crypto/keyring.h"
#include "crypto/secret_bytes.h"

namespace coffer::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using vault::Role;

constexpr std::int64_t kTokenLifetime = std::int64_t{366} * 24 * 3600;

vault::VaultOptions OptionsOf(const OpenVault::Settings& settings, const std::string& directory,
                              const audit::Clock& clock) {
  vault::VaultOptions options;
  options.directory = directory;
  options.anchor_path = settings.anchor_path;
  options.queue_limit = settings.queue_limit;
  options.key_cache_entries = settings.key_cache_entries;
  options.page_cache_mib = settings.page_cache_mib;
  options.require_locked_memory = false;  // RLIMIT_MEMLOCK is not what is tested
  options.checkpoint_interval_ms = settings.checkpoint_interval_ms;
  options.heartbeat_interval_s = settings.heartbeat_interval_s;
  options.scrub_entries_per_s = settings.scrub_entries_per_s;
  options.keys_rewrite_after_ms = settings.keys_rewrite_after_ms;
  options.keys_rewrite_interval_ms = settings.keys_rewrite_interval_ms;
  options.retention_minute = settings.retention_minute;
  options.index_interval_ms = 0;
  options.keys_interval_ms = 0;
  options.keys_rows_per_step = settings.keys_rows_per_step;
  options.index_arrivals = settings.index_arrivals;
  options.index_rows_per_step = settings.index_rows_per_step;
  options.index_rows_compared = settings.index_rows_compared;
  options.backup_horizon_days = settings.backup_horizon_days;
  options.backup_every_hours = settings.backup_every_hours;
  options.backup_increment_seconds = settings.backup_increment_seconds;
  options.backup_medium = settings.backup_medium;
  options.backup_drill_days = settings.backup_drill_days;
  for (auto destination : settings.backup_destinations) {
    if (!destination.place().in_s3()) destination.directory.insert(0, directory + "/../");
    options.backup_destinations.push_back(std::move(destination));
  }
  options.clock = &clock;
  options.password_cost = {.passes = 1, .memory_kib = 64};
  options.operator_details = settings.operator_details;
  return options;
}

// One vault that is made once a process; every other one begins as its copy.
struct Pattern {
  TemporaryDirectory work;
  std::map<Role, vault::NewToken> tokens;

  std::string directory() const { return work / "data"; }
  std::string root_key() const { return work / "root.key"; }

  explicit Pattern(bool two_person) {
    REQUIRE(crypto::InitializeCrypto());
    REQUIRE(crypto::CreateKeyFile(root_key()));
    auto root = crypto::OpenKeyFile(root_key());
    REQUIRE(root);
    const FakeClock clock;
    vault::InitOptions init;
    init.directory = directory();
    init.log_origin = OpenVault::kOrigin;
    init.clock = &clock;
    init.two_person = two_person;
    auto first = vault::InitializeVault(init, **root);
    REQUIRE(first);
    tokens[Role::kAdministrator] = std::move(first->administrator);
    if (first->security_officer) {
      tokens[Role::kSecurityOfficer] = *std::move(first->security_officer);
    }

    auto vault = vault::Vault::Open(OptionsOf({}, directory(), clock), **root);
    REQUIRE(vault);
    const auto as = [&](Role role) {
      vault::Caller caller;
      caller.token = tokens[role].secret;
      caller.call = vault::CallId::New(clock.Now());
      return caller;
    };
    const auto administrator = [&] { return as(Role::kAdministrator); };
    for (const Role role : vault::kRoles) {
      if (tokens.contains(role)) continue;
      auto caller = administrator();
      if (two_person && vault::FindBuiltInRole(Name(role))->privileged) {
        const auto asked = (*vault)->approvals().RequestApproval(
            administrator(), {"role.give", "service:" + std::string(Name(role)),
                              R"({"by": "token", "role": ")" + std::string(Name(role)) + R"("})"});
        REQUIRE(asked);
        REQUIRE((*vault)->approvals().DecideApproval(as(Role::kSecurityOfficer), asked->id, true));
        caller.approval = asked->id.Text();
      }
      auto token = (*vault)->tokens().CreateToken(caller, {.name = std::string(Name(role)),
                                                           .principal = {},
                                                           .role = std::string(Name(role)),
                                                           .lifetime_s = kTokenLifetime,
                                                           .limits = {}});
      INFO(AnswerOf(token));
      REQUIRE(token);
      tokens[role] = *std::move(token);
    }
    for (const auto& file : fs::directory_iterator(COFFER_SOURCE_DIR "/deploy/purposes")) {
      const std::string code = file.path().stem().string();
      REQUIRE((*vault)->purposes().PutPurpose(administrator(), code,
                                              ReadShippedFile("purposes/" + code + ".json")));
    }
    for (const auto& file : fs::directory_iterator(COFFER_SOURCE_DIR "/deploy/classes")) {
      const std::string name = file.path().stem().string();
      REQUIRE((*vault)->classes().PutClass(administrator(), name,
                                           ReadShippedFile("classes/" + name + ".json")));
    }
  }
};

const Pattern& ThePattern(bool two_person) {
  if (two_person) {
    static const Pattern pattern(true);
    return pattern;
  }
  static const Pattern pattern(false);
  return pattern;
}

json MembersOf(const std::string& entry) {
  json members = json::parse(entry);
  for (const char* filled_in : {"v", "seq", "ts", "prev", "log", "request", "state_hash"}) {
    members.erase(filled_in);
  }
  return members;
}

}  // namespace

std::vector<std::string> IssuesOf(const Error& error) {
  std::vector<std::string> issues;
  for (const auto& issue : error.issues) issues.push_back(issue.pointer + " " + issue.message);
  return issues;
}

std::string ReadShippedFile(const std::string& path) {
  std::ifstream file(COFFER_SOURCE_DIR "/deploy/" + path, std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string OpenVault::root_key_file() const { return ThePattern(settings_.two_person).root_key(); }

OpenVault::OpenVault(const Settings& settings) : settings_(settings) {
  const Pattern& pattern = ThePattern(settings.two_person);
  tokens_ = pattern.tokens;
  fs::copy(pattern.directory(), directory(), fs::copy_options::recursive);
  if (!settings_.anchor_path.empty()) fs::rename(directory() + "/anchor", settings_.anchor_path);
  auto root = crypto::OpenKeyFile(pattern.root_key());
  REQUIRE(root);
  root_ = *std::move(root);
  if (settings_.open) Open();
}

OpenVault::~OpenVault() = default;

Status OpenVault::TryOpen(bool take_over_state) {
  auto options = OptionsOf(settings_, directory(), clock);
  options.take_over_state = take_over_state;
  options.log = [this](vault::Severity, std::string_view message) {
    const std::lock_guard lock(operator_log_mutex_);
    operator_log_.emplace_back(message);
  };
  auto opened = vault::Vault::Open(options, *root_);
  if (!opened) return std::unexpected(std::move(opened).error());
  vault_ = *std::move(opened);
  return {};
}

void OpenVault::Open(bool take_over_state) {
  const auto opened = TryOpen(take_over_state);
  INFO(AnswerOf(opened));
  REQUIRE(opened);
}

vault::Caller OpenVault::As(Role role, std::string purpose, std::string reason) {
  vault::Caller caller = Stranger(tokens_.at(role).secret);
  caller.purpose = std::move(purpose);
  caller.reason = std::move(reason);
  return caller;
}

vault::Caller OpenVault::Stranger(std::string token) {
  vault::Caller caller;
  caller.token = std::move(token);
  caller.address = kAddress;
  caller.call = vault::CallId::New(FakeClock::kStart);
  caller.purpose = kPurpose;
  return caller;
}

vault::ClientId OpenVault::NewClient(const std::string& external_ref,
                                     std::vector<std::string> tags) {
  const auto client =
      vault_->clients().CreateClient(As(Role::kCrmService), {external_ref, tags}, {});
  INFO(AnswerOf(client));
  REQUIRE(client);
  return client->id;
}

vault::RecordId OpenVault::NewContact(const vault::ClientId& client, const json& data) {
  return NewRecord(client, "contact", data);
}

vault::RecordId OpenVault::NewRecord(const vault::ClientId& client, std::string_view class_name,
                                     const json& data) {
  const auto record =
      vault_->records().CreateRecord(As(Role::kCrmService), client, class_name, data, {});
  INFO(AnswerOf(record));
  REQUIRE(record);
  return record->id;
}

Result<vault::NewToken> OpenVault::NewTokenFor(std::string_view role, std::int64_t lifetime_s,
                                               std::string_view name) {
  return vault_->tokens().CreateToken(As(Role::kAdministrator), {.name = std::string(name),
                                                                 .principal = {},
                                                                 .role = std::string(role),
                                                                 .lifetime_s = lifetime_s,
                                                                 .limits = {}});
}

void OpenVault::PutClass(const json& definition) {
  const auto stored = vault_->classes().PutClass(
      As(Role::kAdministrator), definition.at("name").get<std::string>(), definition.dump());
  INFO(AnswerOf(stored));
  REQUIRE(stored);
}

void OpenVault::PutPurpose(const std::string& code) {
  const auto stored = vault_->purposes().PutPurpose(
      As(Role::kAdministrator), code, R"({"title": "A purpose", "legal_basis": "consent"})");
  INFO(AnswerOf(stored));
  REQUIRE(stored);
}

std::vector<json> OpenVault::EntriesOf(const vault::Caller& caller) {
  vault::LogFilter filter;
  filter.request = caller.call.Text();
  const auto page = vault_->access_log().ReadLog(
      As(Role::kAuditor), filter, {.limit = 1000, .oldest_first = true, .start = {}});
  REQUIRE(page);
  REQUIRE(!page->next);
  std::vector<json> entries;
  for (const auto& entry : page->entries) entries.push_back(MembersOf(entry));
  return entries;
}

json OpenVault::EntryOf(const vault::Caller& caller) {
  auto entries = EntriesOf(caller);
  REQUIRE(entries.size() == 1);
  return std::move(entries.front());
}

std::vector<audit::Entry> OpenVault::WholeLog() {
  std::vector<audit::Entry> log;
  vault::LogPageRequest request{.limit = 1000, .oldest_first = true, .start = 0};
  while (request.start) {
    const auto page = vault_->access_log().ReadLog(As(Role::kAuditor), {}, request);
    REQUIRE(page);
    for (const auto& bytes : page->entries) {
      auto entry = audit::ParseEntry(bytes);
      REQUIRE(entry);
      log.push_back(*std::move(entry));
    }
    request.start = page->next;
  }
  return log;
}

json OpenVault::Allowed(Role role, const json& more) const {
  json entry = {{"actor", TokenOf(role).principal.Text()},
                {"actor_kind", "service"},
                {"address", kAddress},
                {"auth", "token:" + TokenOf(role).id.Text()},
                {"decision", "allow"},
                {"outcome", "ok"},
                {"purpose", kPurpose},
                {"rule", "role:" + std::string(Name(role))}};
  entry.update(more);
  return entry;
}

json OpenVault::Denied(Role role, const json& more) const {
  json entry = Allowed(role, {{"decision", "deny"}});
  entry.erase("rule");
  entry.erase("outcome");
  entry.update(more);
  return entry;
}

std::vector<std::string> OpenVault::operator_log() const {
  const std::lock_guard lock(operator_log_mutex_);
  return operator_log_;
}

std::string OpenVault::anchor_path() const {
  return settings_.anchor_path.empty() ? directory() + "/anchor" : settings_.anchor_path;
}

std::string OpenVault::LogKey() {
  const auto header = crypto::Keyring::ReadHeader(directory() + "/keyring.json");
  REQUIRE(header);
  return audit::FormatVerifierKey({header->log_origin, header->log_public_key});
}

void OpenVault::CheckInvariants() {
  vault::OfflineVerifyOptions options;
  options.directory = directory();
  options.anchor_path = settings_.anchor_path;
  options.log_key = *audit::ParseVerifierKey(LogKey());
  options.deep = true;
  const auto report = vault::VerifyDirectory(options, *root_);
  INFO(AnswerOf(report) << (report ? "" : ": " + report.error().detail));
  REQUIRE(report);
  for (const auto& finding : report->log.findings) UNSCOPED_INFO(finding.message);
  CHECK(report->log.ok());
  CHECK(report->log.allowed + report->log.denied == report->log.size);
}

}  // namespace coffer::testing
