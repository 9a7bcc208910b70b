// ParseEntry. An entry is accepted only if writing its members again gives the same bytes, so the
// parser below has to be safe and fast but not itself strict: whatever spelling it lets through,
// the comparison refuses.
#include "audit/entries/entry_parser.h"

#include <algorithm>
#include <optional>

#include "audit/entries/entry.h"
#include "audit/entries/entry_limits.h"
#include "audit/text/decimal.h"
#include "audit/text/hash_text.h"
#include "audit/text/json_string.h"

namespace coffer::audit {
namespace {

// Reads members in their canonical order. Each function returns false when the text cannot be a
// canonical entry; an absent optional member is no failure.
class Members {
 public:
  explicit Members(std::string_view text) : text_(text), rest_(text) {}

  std::size_t position() const { return text_.size() - rest_.size(); }
  bool AtEnd() const { return rest_.empty(); }

  bool Take(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }

  bool Text(std::string_view name, std::string& out) {
    return !Take(name) || (String(out) && Delimiter());
  }

  bool Kind(std::string_view name, ActorKind& out) {
    if (!Take(name)) return true;
    for (const ActorKind kind : {ActorKind::kUser, ActorKind::kService, ActorKind::kSystem}) {
      if (Word(Name(kind))) {
        out = kind;
        return Delimiter();
      }
    }
    return false;
  }

  bool Verdict(std::string_view name, Decision& out) {
    if (!Take(name)) return false;
    for (const Decision decision : {Decision::kAllow, Decision::kDeny}) {
      if (Word(Name(decision))) {
        out = decision;
        return Delimiter();
      }
    }
    return false;
  }

  bool Fields(std::string_view name, std::vector<std::string>& out) {
    if (!Take(name)) return true;
    if (!Take("[")) return false;
    out.reserve(8);
    do {
      if (out.size() == kMaxFieldNames || !String(out.emplace_back())) return false;
    } while (Take(","));
    return Take("]") && Delimiter();
  }

  bool RequiredHash(std::string_view name, crypto::Hash& out) {
    constexpr std::size_t kDigits = 64;
    if (!Take(name) || !Take("\"")) return false;
    if (!ParseHex(rest_.substr(0, kDigits), out)) return false;
    rest_.remove_prefix(kDigits);
    return Take("\"") && Delimiter();
  }

  bool OptionalHash(std::string_view name, std::optional<crypto::Hash>& out) {
    return !rest_.starts_with(name) || RequiredHash(name, out.emplace());
  }

  bool RequiredNumber(std::string_view name, std::uint64_t& out) {
    if (!Take(name)) return false;
    const auto end = rest_.find_first_not_of("0123456789");
    const auto value = ParseDecimal(rest_.substr(0, end));
    if (!value || *value > kMaxNumber) return false;
    out = *value;
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
    return Delimiter();
  }

  bool OptionalNumber(std::string_view name, std::uint64_t& out) {
    return !rest_.starts_with(name) || RequiredNumber(name, out);
  }

  bool Time(std::string_view name, Timestamp& out) {
    if (!Take(name) || !Take("\"")) return false;
    const auto ts = ParseTimestamp(rest_.substr(0, kTimestampBytes));
    if (!ts) return false;
    out = *ts;
    rest_.remove_prefix(kTimestampBytes);
    return Take("\"") && Delimiter();
  }

 private:
  bool Delimiter() { return Take(",") || Take("}"); }

  bool String(std::string& out) {
    if (!Take("\"")) return false;
    const auto read = ReadJsonString(rest_, out);
    if (!read) return false;
    rest_.remove_prefix(*read);
    return true;
  }

  bool Word(std::string_view word) {
    const std::string_view quoted = rest_.substr(0, word.size() + 2);
    if (quoted.size() != word.size() + 2 || quoted.front() != '"' || quoted.back() != '"' ||
        quoted.substr(1, word.size()) != word) {
      return false;
    }
    rest_.remove_prefix(quoted.size());
    return true;
  }

  std::string_view text_;
  std::string_view rest_;
};

bool ReadMembers(Members& in, Entry& entry) {
  std::uint64_t skew = 0;
  const bool read =
      in.Take("{") && in.Text("\"action\":", entry.action) && in.Text("\"actor\":", entry.actor) &&
      in.Kind("\"actor_kind\":", entry.actor_kind) && in.Text("\"address\":", entry.address) &&
      in.Text("\"auth\":", entry.auth) && in.Text("\"class\":", entry.class_name) &&
      in.Text("\"client\":", entry.client) && in.Verdict("\"decision\":", entry.decision) &&
      in.Text("\"detail\":", entry.detail) && in.Fields("\"fields\":", entry.fields) &&
      in.Text("\"log\":", entry.log) && in.OptionalHash("\"note_hash\":", entry.note_hash) &&
      in.Text("\"outcome\":", entry.outcome) &&
      in.OptionalHash("\"payload_hash\":", entry.payload_hash) &&
      in.RequiredHash("\"prev\":", entry.prev) && in.Text("\"purpose\":", entry.purpose) &&
      in.Text("\"record\":", entry.record) && in.Text("\"request\":", entry.request) &&
      in.Text("\"rule\":", entry.rule) && in.RequiredNumber("\"seq\":", entry.seq) &&
      in.OptionalNumber("\"skew_ms\":", skew) &&
      in.OptionalHash("\"state_hash\":", entry.state_hash) && in.Time("\"ts\":", entry.ts) &&
      in.Take("\"v\":1") && (in.Take(",") || in.Take("}")) &&
      in.OptionalNumber("\"version\":", entry.version) && in.AtEnd();
  entry.skew_ms = static_cast<std::int64_t>(skew);
  return read;
}

std::unexpected<Error> Malformed(std::string detail) {
  return Fail(Code::kCorrupted, "entry_malformed", std::move(detail));
}

// A member that is forgotten here is not taken for one that was read: the comparison finds it.
void Clear(Entry& entry) {
  for (std::string* const text :
       {&entry.log, &entry.action, &entry.actor, &entry.auth, &entry.address, &entry.request,
        &entry.client, &entry.record, &entry.class_name, &entry.purpose, &entry.rule,
        &entry.outcome, &entry.detail}) {
    text->clear();
  }
  entry.actor_kind = ActorKind::kUnknown;
  entry.fields.clear();
  entry.version = 0;
  entry.payload_hash.reset();
  entry.note_hash.reset();
  entry.state_hash.reset();
}

}  // namespace

Status ParseEntryInto(std::string_view bytes, Entry& entry) {
  if (bytes.size() > kMaxEntryBytes) return Malformed("longer than 8192 bytes");
  Clear(entry);
  Members in(bytes);
  if (!ReadMembers(in, entry)) {
    return Malformed("not a canonical entry from byte " + std::to_string(in.position()));
  }
  thread_local std::string canonical;
  canonical.clear();
  AppendCanonical(entry, canonical);
  if (canonical != bytes) {
    const auto differs = std::ranges::mismatch(canonical, bytes).in2 - bytes.begin();
    return Malformed("not canonical from byte " + std::to_string(differs));
  }
  return {};
}

Result<Entry> ParseEntry(std::string_view bytes) {
  Result<Entry> result(std::in_place);  // filled where it is returned: moving it costs as much
  if (Status status = ParseEntryInto(bytes, *result); !status) {
    return std::unexpected(std::move(status.error()));
  }
  return result;
}

}  // namespace coffer::audit
