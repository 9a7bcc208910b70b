#include "api/routes/status.h"

#include <ranges>

#include "api/http/version.h"
#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using vault::Action;

// Services whose last token ends that soon, and no more than a person reads.
void WriteTokenExpiry(ObjectWriter& expiry, const vault::TokenExpiry& tokens,
                      audit::Timestamp now) {
  constexpr std::int64_t kSoonMs = std::int64_t{30} * 24 * 3600 * 1000;
  constexpr std::size_t kMost = 100;
  expiry.Number("within_7_days", tokens.within_7_days);
  expiry.Number("within_30_days", tokens.within_30_days);
  if (tokens.next) expiry.Time("next", *tokens.next);
  const auto shown = tokens.services | std::views::take(kMost) |
                     std::views::take_while([now](const auto& service) {
                       return service.last.ms - now.ms <= kSoonMs;
                     });
  expiry.Objects("services", shown, [](ObjectWriter& one, const auto& service) {
    one.Text("service", service.service.Text());
    one.Text("name", service.name);
    one.Number("tokens", service.tokens);
    one.Time("next", service.next);
    one.Time("last", service.last);
  });
}

void WriteRule(ObjectWriter&& rule, const vault::BackupRule& judged) {
  rule.Number("copies", judged.copies);
  rule.Number("media", judged.media);
  rule.Number("off_site", judged.off_site);
  rule.Flag("met", judged.met());
}

Result<Reply> HandleStatus(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto status, service.vault.monitoring().ReadStatus(call.caller));
  return RenderOne(ServerStatus{status, service.certificate_expires});
}

Result<Reply> HandleKeys(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto keys, service.vault.keys().ReadKeys(call.caller));
  return RenderOne(keys);
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::KeyOverview& keys) {
  {
    ObjectWriter root = object.Object("root");
    root.Text("kind", keys.root_kind);
    if (keys.root_since) root.Time("since", *keys.root_since);
  }
  object.Objects("keys", keys.keys, [](ObjectWriter& one, const auto& key) {
    one.Text("name", key.name);
    one.Numbers("versions", {key.versions.begin(), key.versions.end()});
    if (key.oldest_retiring) one.Number("retiring", key.versions.front());
  });
  if (keys.clients) {
    ObjectWriter clients = object.Object("clients");
    clients.Text("phase", Name(keys.clients->phase));
    clients.Number("total", keys.clients->total);
    if (keys.clients->since) clients.Time("since", *keys.clients->since);
    clients.Objects("under", keys.clients->under, [](ObjectWriter& one, const auto& under) {
      one.Number("version", under.version);
      one.Number("keys", under.keys);
      one.Flag("held", under.held);
    });
  }
  if (keys.database) {
    ObjectWriter database = object.Object("database");
    database.Text("phase", Name(keys.database->phase));
    if (keys.database->since) database.Time("since", *keys.database->since);
    database.Number("pages", keys.database->pages);
    database.Number("copied", keys.database->copied);
  }
  if (keys.keys_database_key) {
    ObjectWriter database = object.Object("keys_database");
    database.Number("version", *keys.keys_database_key);
  }
  if (keys.index_generation) {
    ObjectWriter index = object.Object("search_index");
    index.Number("generation", *keys.index_generation);
  }
}

void WriteMembers(ObjectWriter& object, const ServerStatus& server) {
  const vault::VaultStatus& status = server.vault;
  object.Text("vault", status.vault_id);
  object.Text("version", kVersion);
  {
    ObjectWriter log = object.Object("log");
    log.Text("origin", status.log_origin);
    log.Text("key", status.log_key);
    log.Number("size", status.log_size);
    log.Text("checkpoint", status.checkpoint);
  }
  object.Number("clients", status.clients);
  object.Number("records", status.records);
  object.Number("erasures", status.erasures);
  object.Number("classes", status.classes);
  object.Number("purposes", status.purposes);
  object.Number("active_tokens", status.active_tokens);
  {
    ObjectWriter expiry = object.Object("token_expiry");
    WriteTokenExpiry(expiry, status.tokens, status.now);
  }
  if (server.certificate_expires != 0) {
    object.Time("certificate_expires", audit::Timestamp{server.certificate_expires * 1000});
  }
  object.Number("users", status.users);
  object.Number("services", status.services);
  object.Number("open_approvals", status.open_approvals);
  object.Number("unreviewed_emergencies", status.unreviewed_emergencies);
  object.Number("overdue_emergencies", status.overdue_emergencies);
  object.Number("holds", status.holds);
  object.Number("overdue_holds", status.overdue_holds);
  object.Number("restrictions", status.restrictions);
  {
    ObjectWriter requests = object.Object("requests");
    requests.Number("open", status.requests.open);
    requests.Number("paused", status.requests.paused);
    requests.Number("due_soon", status.requests.due_soon);
    requests.Number("overdue", status.requests.overdue);
  }
  {
    ObjectWriter notices = object.Object("notices");
    notices.Number("open", status.notices.open);
    notices.Number("due", status.notices.due);
  }
  {
    ObjectWriter tellings = object.Object("tellings");
    tellings.Number("open", status.tellings.open);
    tellings.Number("recipients", status.tellings.recipients);
    tellings.Number("to_settle", status.tellings.to_settle);
  }
  object.Number("retention_schedule", status.retention_schedule);
  object.Number("classes_without_policy", status.classes_without_policy);
  object.Flag("waiting_for_clock", status.waiting_for_clock);
  if (!status.unknown_time_zone.empty()) {
    object.Text("unknown_time_zone", status.unknown_time_zone);
  }
  object.Flag("two_person", status.two_person);
  object.Flag("memory_locked", status.memory_locked);
  object.Flag("keys_rewrite_pending", status.keys_rewrite_pending);
  object.Flag("wal_truncation_pending", status.wal_truncation_pending);
  {
    ObjectWriter index = object.Object("search_index");
    index.Number("generation", status.index.generation);
    index.Flag("whole", status.index.whole);
    index.Flag("building", status.index.building || status.index.retiring);
    index.Number("built", status.index.built);
    if (status.index.exchanged) index.Time("exchanged", *status.index.exchanged);
    if (status.index.oldest_uncovered) {
      index.Time("oldest_uncovered", *status.index.oldest_uncovered);
    }
    if (status.index.due) index.Time("exchange_due", *status.index.due);
    index.Flag("exchange_overdue", status.index.overdue);
  }
  {
    ObjectWriter backups = object.Object("backups");
    backups.Number("destinations", status.backups.destinations);
    backups.Number("with_problem", status.backups.with_problem);
    if (status.backups.until) backups.Time("complete_until", *status.backups.until);
    if (status.backups.generation) backups.Time("generation", *status.backups.generation);
    if (status.backups.verified) backups.Time("verified", *status.backups.verified);
    if (status.backups.drilled) backups.Time("drilled", *status.backups.drilled);
    backups.Flag("drill_failed", status.backups.drill_failed);
    backups.Flag("drill_overdue", status.backups.drill_overdue);
    WriteRule(backups.Object("data"), status.backups.data);
    WriteRule(backups.Object("keys"), status.backups.keys);
  }
  object.Time("started", status.started);
  {
    ObjectWriter scrub = object.Object("scrub");
    scrub.Number("position", status.scrub.position);
    scrub.Number("rounds", status.scrub.rounds);
    if (status.scrub.completed) scrub.Time("completed", *status.scrub.completed);
    scrub.Number("damaged", status.scrub.damaged);
  }
}

std::span<const Route> StatusRoutes() {
  using enum Method;
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/status", Action::kStatusRead, "getStatus", Body::kNone, {}, HandleStatus},
      {kGet, "/v1/keys", Action::kStatusRead, "getKeys", Body::kNone, {}, HandleKeys},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
