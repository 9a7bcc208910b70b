#include "audit/documents/act_json.h"

#include <algorithm>

#include "audit/documents/ids.h"
#include "audit/entries/entry_limits.h"
#include "audit/text/visible_text.h"

namespace coffer::audit {
namespace {

constexpr DestroyerRole kDestroyerRoles[] = {DestroyerRole::kRequester, DestroyerRole::kApprover};
constexpr ErasureMethod kErasureMethods[] = {ErasureMethod::kCryptographicErase,
                                             ErasureMethod::kClear};
constexpr ReasonKind kReasonKinds[] = {ReasonKind::kPolicy, ReasonKind::kRequest};

void WriteParty(std::string_view member, std::string_view name, std::string_view address,
                CanonicalWriter& out) {
  out.Member(member).Open().Text("address", address).Text("name", name).Close();
}

bool ReadParty(CanonicalReader& in, std::string& name, std::string& address) {
  return in.Open() && in.Text("address", address) && in.Text("name", name) && in.Close();
}

bool HasProcessor(const ErasureAct& act) {
  return !act.details.processor_name.empty() || !act.details.processor_address.empty();
}

bool ReadCategories(CanonicalReader& in, ErasureAct& act) {
  return in.List("categories", kMaxActCategories, [&] {
    DestroyedCategory& category = act.categories.emplace_back();
    return in.Open() && in.Text("class", category.class_name) &&
           in.Number("records", category.records) && in.OptionalText("title", category.title) &&
           in.Number("versions", category.versions) && in.Close();
  });
}

bool ReadDestroyers(CanonicalReader& in, ErasureAct& act) {
  return in.List("destroyed_by", kMaxActDestroyers, [&] {
    Destroyer& destroyer = act.destroyed_by.emplace_back();
    return in.Open() && in.Text("id", destroyer.id) && in.Text("name", destroyer.name) &&
           in.Text("position", destroyer.position) &&
           in.OneOf("role", kDestroyerRoles, destroyer.role) && in.Close();
  });
}

bool ReadKept(CanonicalReader& in, ErasureAct& act) {
  return in.List("kept", kMaxActKept, [&] {
    KeptData& kept = act.kept.emplace_back();
    return in.Open() && in.Text("what", kept.what) && in.Text("why", kept.why) && in.Close();
  });
}

bool ReadKey(CanonicalReader& in, ErasureAct& act) {
  if (!in.Member("key")) return true;
  DestroyedKey& key = act.key.emplace();
  return in.Open() && in.Number("generation", key.generation) && in.Text("id", key.id) &&
         in.Boolean("replaced", key.replaced) && in.Close();
}

bool ReadReason(CanonicalReader& in, ErasureReason& reason) {
  std::optional<std::uint64_t> version;
  if (!in.Member("reason") || !in.Open() || !in.Text("id", reason.id) ||
      !in.OneOf("kind", kReasonKinds, reason.kind) || !in.Text("legal_basis", reason.legal_basis) ||
      !in.OptionalNumber("version", version)) {
    return false;
  }
  reason.version = version.value_or(0);
  return in.Close();
}

bool ReadRecords(CanonicalReader& in, ErasureAct& act) {
  const CanonicalReader before = in;
  if (!in.Member("records")) return true;
  in = before;
  return in.List("records", kMaxActRecords, [&] { return in.String(act.records.emplace_back()); });
}

bool ReadReplayed(CanonicalReader& in, ErasureAct& act) {
  if (!in.Member("replayed")) return true;
  ReplayedErasure& replayed = act.replayed.emplace();
  return in.Open() && in.Time("date", replayed.date) && in.Number("log_seq", replayed.log_seq) &&
         in.Close();
}

bool ReadScope(CanonicalReader& in, ErasureScope& scope) {
  std::string text;
  if (!in.Text("scope", text)) return false;
  const auto parsed = ParseScope(text);
  if (parsed) scope = *parsed;
  return parsed.has_value();
}

// "" or the name of the first text that is too long or not UTF-8.
std::string BadText(const ErasureAct& act) {
  std::string bad;
  const auto check = [&](std::string_view name, std::string_view text) {
    if (bad.empty() && (text.size() > kMaxActText || !IsUtf8(text))) bad = name;
  };
  check("operator.name", act.details.name);
  check("operator.address", act.details.address);
  check("operator.processor_name", act.details.processor_name);
  check("operator.processor_address", act.details.processor_address);
  check("operator.system", act.details.system);
  check("reference", act.reference);
  for (const Destroyer& destroyer : act.destroyed_by) {
    check("destroyed_by.id", destroyer.id);
    check("destroyed_by.name", destroyer.name);
    check("destroyed_by.position", destroyer.position);
  }
  for (const DestroyedCategory& category : act.categories) check("title", category.title);
  if (act.key) check("key.id", act.key->id);
  check("reason.id", act.reason.id);
  check("reason.legal_basis", act.reason.legal_basis);
  for (const KeptData& kept : act.kept) {
    check("kept.what", kept.what);
    check("kept.why", kept.why);
  }
  check("log", act.log);
  return bad;
}

bool NumbersFit(const ErasureAct& act) {
  return std::max({act.log_seq, act.ledger_seq, act.reason.version,
                   act.backup_horizon_days.value_or(0), act.key ? act.key->generation : 0,
                   act.replayed ? act.replayed->log_seq : 0}) <= kMaxNumber &&
         std::ranges::all_of(act.categories, [](const DestroyedCategory& category) {
           return category.records <= kMaxNumber && category.versions <= kMaxNumber;
         });
}

bool ScopeFits(const ErasureAct& act) {
  if (ParseScope(FormatScope(act.scope)) != act.scope) return false;
  if (act.scope.kind != ScopeKind::kRecords) return act.records.empty();
  return !act.records.empty() && act.records.size() <= kMaxActRecords &&
         std::ranges::all_of(act.records,
                             [](const std::string& id) { return IsId(id, kRecordPrefix); });
}

}  // namespace

void WriteSubject(const ErasureAct& act, CanonicalWriter& out) {
  out.Member("subject").Open().Text("client", act.client);
  out.OptionalText("reference", act.reference).Close();
}

void WriteCategories(const ErasureAct& act, CanonicalWriter& out) {
  out.List("categories", act.categories, [&](const DestroyedCategory& category) {
    out.Open().Text("class", category.class_name).Number("records", category.records);
    out.OptionalText("title", category.title).Number("versions", category.versions).Close();
  });
}

void WriteReason(const ErasureAct& act, CanonicalWriter& out) {
  out.Member("reason").Open().Text("id", act.reason.id).Text("kind", Name(act.reason.kind));
  out.Text("legal_basis", act.reason.legal_basis);
  if (act.reason.version != 0) out.Number("version", act.reason.version);
  out.Close();
}

std::string FormatActJson(const ErasureAct& act) {
  CanonicalWriter out;
  out.Open().OptionalNumber("backup_horizon_days", act.backup_horizon_days);
  WriteCategories(act, out);
  out.Time("date", act.date);
  out.List("destroyed_by", act.destroyed_by, [&](const Destroyer& destroyer) {
    out.Open().Text("id", destroyer.id).Text("name", destroyer.name);
    out.Text("position", destroyer.position).Text("role", Name(destroyer.role)).Close();
  });
  out.Hex("entry_sha256", act.entry_hash).Text("erasure", act.erasure).Text("format", kActFormat);
  out.List("kept", act.kept, [&](const KeptData& kept) {
    out.Open().Text("what", kept.what).Text("why", kept.why).Close();
  });
  if (act.key) {
    out.Member("key").Open().Number("generation", act.key->generation).Text("id", act.key->id);
    out.Boolean("replaced", act.key->replaced).Close();
  }
  out.Number("ledger_seq", act.ledger_seq).Text("log", act.log).Number("log_seq", act.log_seq);
  out.Text("medium", kErasureMedium).Text("method", Name(act.method));
  WriteParty("operator", act.details.name, act.details.address, out);
  if (HasProcessor(act)) {
    WriteParty("processor", act.details.processor_name, act.details.processor_address, out);
  }
  WriteReason(act, out);
  if (!act.records.empty()) {
    out.List("records", act.records, [&](const std::string& id) { out.String(id); });
  }
  if (act.replayed) {
    out.Member("replayed").Open().Time("date", act.replayed->date);
    out.Number("log_seq", act.replayed->log_seq).Close();
  }
  out.Text("scope", FormatScope(act.scope));
  WriteSubject(act, out);
  out.Text("system", act.details.system).Text("vault", act.vault).Close();
  return out.Take();
}

bool ReadActJson(CanonicalReader& in, ErasureAct& act) {
  OperatorDetails& details = act.details;
  if (!in.Open() || !in.OptionalNumber("backup_horizon_days", act.backup_horizon_days) ||
      !ReadCategories(in, act) || !in.Time("date", act.date) || !ReadDestroyers(in, act) ||
      !in.Hex("entry_sha256", act.entry_hash) || !in.Text("erasure", act.erasure) ||
      !in.Constant("format", kActFormat) || !ReadKept(in, act) || !ReadKey(in, act) ||
      !in.Number("ledger_seq", act.ledger_seq) || !in.Text("log", act.log) ||
      !in.Number("log_seq", act.log_seq) || !in.Constant("medium", kErasureMedium) ||
      !in.OneOf("method", kErasureMethods, act.method) || !in.Member("operator") ||
      !ReadParty(in, details.name, details.address)) {
    return false;
  }
  if (in.Member("processor") && !ReadParty(in, details.processor_name, details.processor_address)) {
    return false;
  }
  return ReadReason(in, act.reason) && ReadRecords(in, act) && ReadReplayed(in, act) &&
         ReadScope(in, act.scope) && in.Member("subject") && in.Open() &&
         in.Text("client", act.client) && in.OptionalText("reference", act.reference) &&
         in.Close() && in.Text("system", details.system) && in.Text("vault", act.vault) &&
         in.Close();
}

std::string ActProblem(const ErasureAct& act) {
  if (!IsId(act.erasure, kErasurePrefix)) return "the erasure's id is none";
  if (!IsId(act.vault, kNoPrefix)) return "the vault's id is none";
  if (!IsId(act.client, kClientPrefix)) return "the client's id is none";
  if (!ScopeFits(act)) return "the scope and the records do not fit";
  if (act.method == ErasureMethod::kCryptographicErase && !act.key) return "no key was destroyed";
  if ((act.reason.kind == ReasonKind::kPolicy) != (act.reason.version != 0)) {
    return "policies have a version, requests have none";
  }
  if (act.categories.size() > kMaxActCategories || act.kept.size() > kMaxActKept ||
      act.destroyed_by.size() > kMaxActDestroyers) {
    return "a list is too long";
  }
  if (!std::ranges::all_of(act.categories, IsCounted, &DestroyedCategory::class_name)) {
    return "a class's name is none";
  }
  if (!NumbersFit(act)) return "a number is too large";
  if (const std::string bad = BadText(act); !bad.empty()) return bad + " is too long or not UTF-8";
  const auto is_date = [](Timestamp time) {
    const auto date = ParseTimestamp(FormatTimestamp(time));
    return date && *date == time;
  };
  if (act.replayed && !is_date(act.replayed->date)) return "the first date is outside the calendar";
  return is_date(act.date) ? "" : "the date is outside the calendar";
}

}  // namespace coffer::audit
