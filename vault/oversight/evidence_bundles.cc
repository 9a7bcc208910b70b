// Evidence: what the log says of a client, a principal or a time, for somebody outside.
#include "vault/oversight/evidence_bundles.h"

#include <map>

#include "audit/documents/evidence_bundle.h"
#include "audit/entries/log_reader.h"
#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/named_principals.h"
#include "vault/access/operations.h"
#include "vault/access/reasons.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"
#include "vault/catalog/page_names.h"
#include "vault/oversight/evidence_request.h"
#include "vault/oversight/log_filter.h"
#include "vault/oversight/log_page.h"
#include "vault/oversight/log_reader.h"
#include "vault/oversight/log_search.h"
#include "vault/oversight/remembering_reader.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxEntries = 20'000;
constexpr std::size_t kPageLimit = 1000;
constexpr std::size_t kMostSubjectName = 200;

std::vector<Issue> FaultsOf(const EvidenceRequest& request) {
  std::vector<Issue> issues;
  if (!request.client.empty() && !ClientId::Parse(request.client)) {
    issues.push_back({"/client", "must be a client's id"});
  }
  if (!request.principal.empty() && !IsWords(request.principal, kMostSubjectName)) {
    issues.push_back({"/principal", "must be a principal's id, login or name"});
  }
  if (!request.client.empty() && !request.principal.empty()) {
    issues.push_back({"/principal", "has no place beside a client"});
  }
  if (request.client.empty() && request.principal.empty() && (!request.from || !request.to)) {
    issues.push_back({"", "must name a client, a principal, or a time from and to"});
  }
  if (request.from && request.to && *request.from >= *request.to) {
    issues.push_back({"/to", "must be later than from"});
  }
  return issues;
}

// A login or a service's name gets its id.
Status FindSubject(const PrincipalRegister& principals, std::string& principal,
                   audit::Entry& entry) {
  if (principal.empty() || PrincipalId::Parse(principal)) return {};
  if (auto found = ReplaceByPrincipal(principals, "/principal", principal); !found) {
    return std::unexpected(
        Error{Code::kUnprocessable, "evidence_invalid", {}, std::move(found.error().issues)});
  }
  AddDetail(entry, principal);
  return {};
}

// No evidence is signed over an entry that is not what was logged: which one it is, is said.
std::unexpected<Error> DamagedEntry(std::uint64_t seq, const std::string& how) {
  const std::string entry = "entry " + std::to_string(seq);
  return std::unexpected(Error{Code::kCorrupted,
                               "storage_corrupted",
                               entry + " of the log: " + how,
                               {{"/entries/" + std::to_string(seq),
                                 entry + " of the log is damaged; coffer verify names all that "
                                         "are"}}});
}

// What cannot be proven is not signed; a bundle without it would hide it.
Error OfBundle(Error error) {
  if (error.code != Code::kCorrupted || error.reason != "evidence_invalid") return error;
  error.reason = "storage_corrupted";
  for (Issue& issue : error.issues) {
    issue.message = "entry " + issue.pointer.substr(issue.pointer.rfind('/') + 1) +
                    " of the log is damaged; coffer verify names all that are";
  }
  return error;
}

// The first of the log's entries before `size` that is not older than `time`.
Result<std::uint64_t> FirstSince(LogStore& log, std::uint64_t size, Timestamp time) {
  std::uint64_t low = 0;
  std::uint64_t high = size;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    COFFER_ASSIGN(const auto bytes, log.ReadEntry(middle));
    if (!bytes) return DamagedEntry(middle, "is missing");
    const auto entry = audit::ParseEntry(*bytes);
    if (!entry) return DamagedEntry(middle, entry.error().detail);
    if (entry->ts < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

class EvidenceGatherer {
 public:
  EvidenceGatherer(const Operations& operations, LogReader& reader, std::uint64_t size,
                   audit::Evidence& evidence)
      : operations_(operations), reader_(reader), size_(size), evidence_(evidence) {}

  Status GatherRange() {
    COFFER_ASSIGN(std::uint64_t from, FirstSince(reader_.log(), size_, *evidence_.from));
    COFFER_ASSIGN(std::uint64_t to, FirstSince(reader_.log(), size_, *evidence_.to));
    // With the neighbours outside of the time, which show that nothing is left out.
    if (from > 0) --from;
    if (to < size_) ++to;
    if (to - from > kMaxEntries) return TooLarge();
    return reader_.log().ReadEntries(from, to,
                                     [&](std::uint64_t seq, std::string_view bytes) -> Status {
                                       Add(seq, bytes);
                                       return {};
                                     });
  }

  Status GatherMatching(const LogFilter& filter) {
    LogPageRequest page{kPageLimit, true, {}};
    do {
      LogPage found;
      COFFER_TRY(SearchLog(reader_, filter, page, found));
      for (std::size_t i = 0; i < found.entries.size(); ++i) {
        const auto entry = audit::ParseEntry(found.entries[i]);
        if (!entry) return DamagedEntry(found.seqs[i], entry.error().detail);
        if (found.seqs[i] >= size_) return {};
        if (evidence_.entries.size() == kMaxEntries) return TooLarge();
        Add(found.seqs[i], found.entries[i]);
      }
      page.start = found.next;
    } while (page.start);
    return {};
  }

  Status Prove(const audit::LogHead& head) {
    const auto read = Remembering(audit::MakeHashReader(reader_.log(), head));
    for (auto& entry : evidence_.entries) {
      COFFER_ASSIGN(entry.proof, audit::InclusionProof(entry.seq, size_, read));
    }
    return {};
  }

  // The reasons of the entries, where they still can be opened.
  Status OpenReasons() {
    struct Sealed {
      audit::EvidenceEntry* entry;
      audit::Entry parsed;
      std::optional<ClientId> client;  // whose key it is sealed under
      Bytes note;
    };
    std::vector<Sealed> notes;
    std::map<ClientId, std::optional<PinnedKeys>> keys;
    for (auto& entry : evidence_.entries) {
      auto read = audit::ParseEntry(entry.bytes);
      if (!read) return DamagedEntry(entry.seq, read.error().detail);
      auto& parsed = *read;
      if (!parsed.note_hash) continue;
      COFFER_ASSIGN(auto note, reader_.log().ReadNote(0, entry.seq));
      std::optional<ClientId> owner;
      if (!note && !parsed.client.empty()) {
        const auto client = ClientId::Parse(parsed.client);
        if (!client) continue;
        owner = *client;
        COFFER_ASSIGN(note, reader_.log().ReadNote(client->Row(), entry.seq));
        keys.try_emplace(*client);
      }
      if (note) notes.push_back({&entry, std::move(parsed), owner, *std::move(note)});
    }
    COFFER_TRY(PinKeys(keys));
    for (const auto& [entry, parsed, client, note] : notes) {
      const auto* const key = client ? &keys.at(*client) : nullptr;
      if (key != nullptr && !*key) continue;  // erased meanwhile
      const auto opened = OpenReason(
          operations_.keyring(), note, parsed.request,
          key ? (*key)->Expose() : ClientKeys{operations_.keyring().note_key().ExposeSecret()});
      // What is not what was committed to is no evidence; reading the entry alone raises the alarm.
      if (!opened || audit::NoteCommitment(opened->first, opened->second) != *parsed.note_hash) {
        continue;
      }
      entry->note = audit::OpenedNote{opened->first, opened->second};
    }
    return {};
  }

 private:
  static Status TooLarge() {
    return Fail(Code::kUnprocessable, "evidence_too_large",
                "more than 20,000 entries: narrow the time");
  }
  void Add(std::uint64_t seq, std::string_view bytes) {
    evidence_.entries.push_back({seq, std::string(bytes), {}, {}});
  }
  Status PinKeys(std::map<ClientId, std::optional<PinnedKeys>>& keys) {
    if (keys.empty()) return {};
    return operations_.Look([&](Transaction& transaction) -> Status {
      for (auto& [client, pin] : keys) {
        auto pinned = transaction.PinKey(client);
        if (pinned) {
          pin = *std::move(pinned);
        } else if (pinned.error().code != Code::kNotFound) {
          return std::unexpected(std::move(pinned).error());
        }
      }
      return {};
    });
  }

  const Operations& operations_;
  LogReader& reader_;
  const std::uint64_t size_;
  audit::Evidence& evidence_;
};

}  // namespace

Result<std::string> EvidenceBundles::MakeEvidence(const Caller& caller,
                                                  const EvidenceRequest& asked) {
  constexpr Action kAction = Action::kLogRead;
  EvidenceRequest request = asked;
  if (auto issues = FaultsOf(request); !issues.empty()) {
    return operations_.Refuse(
        caller, {kAction}, Error{Code::kUnprocessable, "evidence_invalid", {}, std::move(issues)});
  }
  Call call = operations_.Start(caller, {kAction});
  call.entry.client = request.client;
  call.reason_rule = ReasonRule::kVault;  // where it is about no client
  call.entry.detail = "evidence";
  if (PrincipalId::Parse(request.principal)) AddDetail(call.entry, request.principal);
  audit::Evidence evidence;
  bool actor_known = false;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(const auto may, operations_.DecideFor(transaction, call, Action::kNoteRead,
                                                        std::nullopt, nullptr));
    evidence.reasons_included = may.allowed;
    COFFER_TRY(
        FindSubject(transaction.Of<AccessState>().principals(), request.principal, call.entry));
    actor_known = IsActor(request.principal, transaction.Of<AccessState>().principals());
    return {};
  }));
  auto bundle = WriteEvidence(call, request, actor_known, evidence);
  if (!bundle && bundle.error().code == Code::kCorrupted && !bundle.error().issues.empty()) {
    Error alarm = operations_.IntegrityAlarm(call, bundle.error().reason);
    alarm.detail = std::move(bundle.error().detail);
    alarm.issues = std::move(bundle.error().issues);
    return std::unexpected(std::move(alarm));
  }
  if (!bundle) return std::unexpected(operations_.FailedLater(call, std::move(bundle).error()));
  return bundle;
}

Result<std::string> EvidenceBundles::WriteEvidence(const Call& call, const EvidenceRequest& request,
                                                   bool actor_known,
                                                   audit::Evidence& evidence) const {
  COFFER_ASSIGN(const auto tree, trees_.LookAtNewest());
  evidence.from = request.from;
  evidence.to = request.to;
  evidence.checkpoint = tree.note;
  evidence.keys = {{operations_.keyring().log_origin(), tree.signer->public_key()}};
  evidence.created = operations_.Now();
  evidence.requested_by = call.actor.Text();
  evidence.reason = call.caller.reason;
  evidence.complete = true;
  evidence.names = PageNamesOf(*operations_.engine().Of<CatalogState>().Published());

  COFFER_ASSIGN(auto reader, readers_.Open());
  EvidenceGatherer gatherer(operations_, *reader, tree.checkpoint.size, evidence);
  LogFilter filter;
  filter.from = request.from;
  filter.to = request.to;
  if (!request.client.empty()) {
    evidence.kind = audit::EvidenceKind::kClient;
    evidence.subject = filter.client = request.client;
    COFFER_TRY(gatherer.GatherMatching(filter));
  } else if (!request.principal.empty()) {
    evidence.kind = audit::EvidenceKind::kPrincipal;
    evidence.subject = filter.actor = request.principal;
    COFFER_TRY(gatherer.GatherMatching(filter));
    // A signature under "nothing" would make somebody of a mistyped id.
    LogFilter alone;
    alone.actor = filter.actor;
    const Status known =
        evidence.entries.empty()
            ? CheckNames(alone, actor_known, *operations_.engine().Of<CatalogState>().Published(),
                         *reader)
            : Status{};
    if (!known && known.error().reason != "filter_unknown") return std::unexpected(known.error());
    if (!known) {
      return std::unexpected(
          Error{Code::kUnprocessable,
                "evidence_invalid",
                {},
                {{"/principal", "is known neither to the vault nor to its log"}}});
    }
  } else {
    evidence.kind = audit::EvidenceKind::kRange;
    COFFER_TRY(gatherer.GatherRange());
  }
  COFFER_TRY(gatherer.Prove(tree.head));
  if (evidence.reasons_included) {
    COFFER_TRY(gatherer.OpenReasons());
  }
  const auto bundle = audit::WriteEvidence(evidence, *tree.signer);
  if (!bundle) return std::unexpected(OfBundle(bundle.error()));
  return std::string(crypto::AsText(*bundle));
}

}  // namespace coffer::vault
