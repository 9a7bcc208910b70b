#include "audit/documents/erasure_ledger.h"

#include <algorithm>
#include <span>

#include "audit/documents/canonical_json.h"
#include "audit/documents/ids.h"
#include "audit/entries/entry_limits.h"
#include "audit/tlog/note.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace coffer::audit {
namespace {

std::string FormatLedgerJson(const LedgerLine& line) {
  if (line.act) return FormatLedgerAct(*line.act, line.at.n, line.at.prev);
  const LedgerErasure& erasure = line.erasure;
  CanonicalWriter out;
  out.Open().Text("client", erasure.client).Text("erasure", erasure.erasure);
  out.Number("log_seq", erasure.log_seq).Number("n", line.at.n);
  if (line.parts != 0) out.Number("part", line.part).Number("parts", line.parts);
  out.Hex("prev", line.at.prev);
  if (!erasure.records.empty()) {
    out.List("records", erasure.records, [&](const std::string& id) { out.String(id); });
  }
  out.Text("scope", FormatScope(erasure.scope)).Time("ts", erasure.ts).Number("v", 1);
  out.Text("vault", erasure.vault).Close();
  return out.Take();
}

bool ReadLedgerRecords(CanonicalReader& in, LedgerErasure& erasure) {
  if (erasure.scope.kind != ScopeKind::kRecords) return true;
  return in.List("records", kMaxLedgerRecords,
                 [&] { return in.String(erasure.records.emplace_back()); });
}

bool ReadLedgerPart(CanonicalReader& in, LedgerLine& line) {
  std::optional<std::uint64_t> part, parts;
  if (!in.OptionalNumber("part", part) || !in.OptionalNumber("parts", parts)) return false;
  line.part = part.value_or(0);
  line.parts = parts.value_or(0);
  return true;
}

// The scope comes behind what depends on it.
bool ReadLedgerJson(CanonicalReader& in, LedgerLine& line) {
  LedgerErasure& erasure = line.erasure;
  std::string scope;
  std::uint64_t version = 0;
  if (!in.Open()) return false;
  const CanonicalReader first = in;
  if (in.Member("act")) {
    in = first;
    return ReadLedgerAct(in, line.act.emplace(), line.at.n, line.at.prev);
  }
  if (!in.Text("client", erasure.client) || !in.Text("erasure", erasure.erasure) ||
      !in.Number("log_seq", erasure.log_seq) || !in.Number("n", line.at.n) ||
      !ReadLedgerPart(in, line) || !in.Hex("prev", line.at.prev)) {
    return false;
  }
  const CanonicalReader before = in;
  if (in.Member("records")) {
    in = before;
    erasure.scope.kind = ScopeKind::kRecords;
  }
  if (!ReadLedgerRecords(in, erasure) || !in.Text("scope", scope) || !in.Time("ts", erasure.ts) ||
      !in.Number("v", version) || !in.Text("vault", erasure.vault) || !in.Close()) {
    return false;
  }
  const auto parsed = ParseScope(scope);
  if (parsed) erasure.scope = *parsed;
  return parsed && version == 1 && in.AtEnd();
}

std::string LedgerProblem(const LedgerLine& line) {
  if (line.at.n > kMaxNumber) return "a number is too large";
  if (line.act) return ProblemOf(*line.act);
  const LedgerErasure& erasure = line.erasure;
  if (!IsId(erasure.vault, kNoPrefix)) return "the vault's id is none";
  if (!IsId(erasure.erasure, kErasurePrefix)) return "the erasure's id is none";
  if (!IsId(erasure.client, kClientPrefix)) return "the client's id is none";
  if (ParseScope(FormatScope(erasure.scope)) != erasure.scope) return "the class's name is none";
  if ((erasure.scope.kind == ScopeKind::kRecords) == erasure.records.empty()) {
    return "records are named for the scope of records and for no other";
  }
  if (erasure.records.size() > kMaxLedgerRecords) return "too many records for a line";
  const bool says_part = line.part != 0 || line.parts != 0;
  if (says_part && (erasure.scope.kind != ScopeKind::kRecords || line.part == 0 ||
                    line.part > line.parts || line.parts > kMaxLedgerParts)) {
    return "it is no part of so many";
  }
  if (!std::ranges::all_of(erasure.records,
                           [](const std::string& id) { return IsId(id, kRecordPrefix); })) {
    return "a record's id is none";
  }
  if (erasure.log_seq > kMaxNumber) return "a number is too large";
  const auto ts = ParseTimestamp(FormatTimestamp(erasure.ts));
  return ts && *ts == erasure.ts ? "" : "the time is outside the calendar";
}

struct LedgerParts {
  std::string_view json;
  SignatureLine signature;  // of a name that the line does not have
};

// Neither the members' values nor base64 hold spaces.
std::optional<LedgerParts> SplitLedgerLine(std::string_view line) {
  const auto space = line.rfind(' ');
  if (line.size() > kMaxLedgerLineBytes || space == std::string_view::npos) return std::nullopt;
  const auto blob = crypto::Base64Decode(line.substr(space + 1));
  LedgerParts parts{line.substr(0, space), {}};
  if (!blob || blob->size() != parts.signature.key_id.size() + crypto::Signature{}.size()) {
    return std::nullopt;
  }
  const auto behind_id = blob->begin() + static_cast<std::ptrdiff_t>(parts.signature.key_id.size());
  std::copy(blob->begin(), behind_id, parts.signature.key_id.begin());
  parts.signature.signature.assign(behind_id, blob->end());
  return parts;
}

KeyId LedgerKeyId(const VerifierKey& key) {
  return KeyIdOf({KeyType::kEd25519, key.name, key.key});
}

bool IsSignedByOneOf(LedgerParts parts, std::span<const VerifierKey> trusted) {
  return std::ranges::any_of(trusted, [&](const VerifierKey& key) {
    parts.signature.name = key.name;
    return SignedBy(parts.json, std::span(&parts.signature, 1), key) == Signed::kRightly;
  });
}

// Lines are counted from 1.
std::unexpected<Error> LineDamaged(std::uint64_t line, std::string_view what) {
  return Corrupted("ledger_damaged", "line " + std::to_string(line) + ": " + std::string(what));
}

constexpr std::string_view kLineUntrusted = "not signed by a trusted key";

}  // namespace

Result<std::string> WriteLedgerLine(const LedgerLine& line, std::string_view name,
                                    const crypto::SigningKey& key) {
  if (std::string problem = LedgerProblem(line); !problem.empty()) {
    return Fail(Code::kInvalidArgument, "ledger_line_invalid", std::move(problem));
  }
  std::string text = FormatLedgerJson(line);
  const KeyId id = KeyIdOf({KeyType::kEd25519, std::string(name), key.public_key()});
  crypto::Bytes blob(id.begin(), id.end());
  const crypto::Signature signature = key.Sign(crypto::AsBytes(text));
  blob.insert(blob.end(), signature.begin(), signature.end());
  return text.append(" ").append(crypto::Base64Encode(blob)).append("\n");
}

Result<std::string> WriteLedgerLines(const LedgerErasure& erasure, LedgerHead& head,
                                     std::string_view name, const crypto::SigningKey& key) {
  LedgerLine line{head, erasure};
  if (erasure.scope.kind == ScopeKind::kRecords) {
    line.parts = (erasure.records.size() + kMaxLedgerRecords - 1) / kMaxLedgerRecords;
  }
  std::string lines;
  std::span<const std::string> records(erasure.records);
  do {
    if (line.parts != 0) ++line.part;
    const auto part = records.first(std::min(records.size(), kMaxLedgerRecords));
    records = records.subspan(part.size());
    line.erasure.records.assign(part.begin(), part.end());
    COFFER_ASSIGN(const std::string text, WriteLedgerLine(line, name, key));
    lines.append(text);
    const std::string_view without_newline(text.data(), text.size() - 1);
    line.at = {line.at.n + 1, crypto::Sha256(crypto::AsBytes(without_newline))};
  } while (!records.empty());
  head = line.at;
  return lines;
}

Result<LedgerLine> ParseLedgerLine(std::string_view line) {
  const auto parts = SplitLedgerLine(line);
  if (!parts) return Corrupted("ledger_damaged", "not a document and its signature");
  LedgerLine parsed;
  CanonicalReader in(parts->json);
  if (!ReadLedgerJson(in, parsed) || FormatLedgerJson(parsed) != parts->json) {
    return Corrupted("ledger_damaged", "not a line of a ledger in its canonical spelling");
  }
  if (std::string problem = LedgerProblem(parsed); !problem.empty()) {
    return Corrupted("ledger_damaged", std::move(problem));
  }
  return parsed;
}

std::unexpected<Error> LedgerReader::Damaged(std::string_view what) const {
  return LineDamaged(head_.n + 1, what);
}

Status LedgerReader::Feed(std::string_view bytes) {
  while (true) {
    const auto end = bytes.find('\n');
    // Bounded before it is kept: a file without newlines must not fill the memory.
    if (rest_.size() + std::min(end, bytes.size()) > kMaxLedgerLineBytes) {
      return Damaged("too long for a line");
    }
    if (end == std::string_view::npos) {
      rest_.append(bytes);
      return {};
    }
    if (rest_.empty()) {
      COFFER_TRY(TakeWhole(bytes.substr(0, end)));
    } else {
      rest_.append(bytes.substr(0, end));
      COFFER_TRY(TakeWhole(rest_));
      rest_.clear();
    }
    bytes.remove_prefix(end + 1);
  }
}

Status LedgerReader::TakeWhole(std::string_view line) {
  COFFER_TRY(CheckLine(line));
  whole_bytes_ += line.size() + 1;
  head_ = {head_.n + 1, crypto::Sha256(crypto::AsBytes(line))};
  return {};
}

Status LedgerReader::CheckLine(std::string_view line) {
  const auto parsed = ParseLedgerLine(line);
  if (!parsed) return Damaged(parsed.error().detail);
  if (parsed->at.n != head_.n) {
    return Damaged("it says it is number " + std::to_string(parsed->at.n));
  }
  if (parsed->at.prev != head_.prev) {
    // More likely the line before was altered, with the id of its key.
    if (uncovered_ != 0 && uncovered_ <= head_.n) return LineDamaged(uncovered_, kLineUntrusted);
    return Damaged("it was not chained to the line before");
  }
  COFFER_TRY(CheckSigner(line));
  if (head_.n == 0) vault_ = parsed->vault();
  if (parsed->vault() != vault_) return Damaged("it is of another vault");
  return each_ ? each_(*parsed) : Status();
}

// A line of a key that is not trusted may have one behind it whose signature covers it.
Status LedgerReader::CheckSigner(std::string_view line) {
  const auto parts = SplitLedgerLine(line);
  const bool each = signatures_ == LedgerSignatures::kOfEachLine;
  if (head_.n == 0 || parts->signature.key_id != signer_) {
    if (!unverified_.empty() && !IsSignedByOneOf(*SplitLedgerLine(unverified_), trusted_)) {
      return LineDamaged(head_.n, kLineUntrusted);
    }
    unverified_.clear();
    if (each &&
        std::ranges::find(earlier_signers_, parts->signature.key_id) != earlier_signers_.end()) {
      return Damaged("signed by a key that another one had followed");
    }
    if (each && head_.n != 0) earlier_signers_.push_back(signer_);
    signer_ = parts->signature.key_id;
    signer_trusted_ = std::ranges::find(trusted_, signer_, LedgerKeyId) != trusted_.end();
  }
  if (!signer_trusted_) {
    if (uncovered_ == 0) uncovered_ = head_.n + 1;
    return {};
  }
  if (each && !IsSignedByOneOf(*parts, trusted_)) return Damaged(kLineUntrusted);
  if (!each) unverified_ = line;
  uncovered_ = 0;
  return {};
}

// The line before the one that is next.
Status LedgerReader::Finish() const {
  if (uncovered_ != 0) return LineDamaged(uncovered_, kLineUntrusted);
  if (unverified_.empty() || IsSignedByOneOf(*SplitLedgerLine(unverified_), trusted_)) return {};
  return LineDamaged(head_.n, kLineUntrusted);
}

bool LedgerReader::IsLastBy(const VerifierKey& key) const {
  return head_.n != 0 && signer_ == LedgerKeyId(key);
}

LedgerState LedgerReader::state() const { return {head_, whole_bytes_, rest_.size()}; }

}  // namespace coffer::audit
