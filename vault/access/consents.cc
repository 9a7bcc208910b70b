// Consents: what a client agreed to, and until when that counts.
#include "vault/access/consents.h"

#include <algorithm>

#include "crypto/hash.h"
#include "vault/access/access_acts.h"
#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/access/consent_details.h"
#include "vault/access/telling.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxConsentWords = 1000;
constexpr std::size_t kMaxConsents = 1000;  // of one client: they are listed together

// What needs nothing that is stored, but for the purposes.
std::vector<Issue> FaultsOf(const ConsentRequest& request, const Catalog& catalog) {
  std::vector<Issue> issues;
  if (!catalog.purposes.contains(request.purpose)) {
    issues.push_back({"/purpose", "is not in the register"});
  }
  if (!IsConsentTextName(request.text.name)) {
    issues.push_back({"/text/name", "is no name of a text"});
  }
  if (!IsLanguageTag(request.text.language)) {
    issues.push_back({"/text/language", "is no language tag"});
  }
  if (!ConsentChannelFromName(request.channel)) {
    issues.push_back({"/channel", "must be one of " + std::string(kConsentChannels)});
  }
  if (!IsWords(request.evidence, kMaxConsentWords)) {
    issues.push_back({"/evidence", WordsRule(kMaxConsentWords)});
  }
  if (!request.authority.empty() && !IsWords(request.authority, kMaxConsentWords)) {
    issues.push_back({"/authority", WordsRule(kMaxConsentWords)});
  }
  return issues;
}

// Nobody agreed to what they were not shown, before it was shown, or in a time to come.
std::vector<Issue> FaultsOfShown(const ConsentRequest& request,
                                 const std::optional<ShownText>& shown, Timestamp now) {
  if (!shown) return {{"/text", "was never stored: nobody can have been shown it"}};
  std::vector<Issue> issues;
  if (request.sha256 && *request.sha256 != shown->sha256) {
    issues.push_back({"/text/sha256", "is not that of the text that is stored"});
  }
  const Timestamp given = request.given.value_or(now);
  if (given > now) issues.push_back({"/given", "must not be in the future"});
  if (given < shown->shown_since) {
    issues.push_back({"/given", "must not be before the text was shown, which was since " +
                                    audit::FormatTimestamp(shown->shown_since)});
  }
  if (request.expires && *request.expires <= now) {
    issues.push_back({"/expires", "must be in the future"});
  }
  if (shown->minimum_age && !request.of_age) {
    issues.push_back({"/of_age", "is required: the text asks for an age of " +
                                     std::to_string(*shown->minimum_age) + " years"});
  }
  if (!shown->minimum_age && request.of_age) {
    issues.push_back({"/of_age", "has no place: the text asks for no age"});
  }
  if (request.of_age == false && request.authority.empty()) {
    issues.push_back({"/authority", "is required of who consents for a client that is not of age"});
  }
  return issues;
}

// A withdrawal ends what was agreed before it, recorded or not. What is given now is later.
std::vector<Issue> FaultsOfTime(const ConsentRequest& request,
                                const std::vector<std::pair<Consent, Bytes>>& known) {
  if (!request.given) return {};
  for (const auto& [consent, details] : known) {
    if (consent.purpose == request.purpose && consent.withdrawal &&
        *request.given <= consent.withdrawal->withdrawn) {
      return {{"/given", "must be after consent to this purpose was withdrawn, which was at " +
                             audit::FormatTimestamp(consent.withdrawal->withdrawn)}};
    }
  }
  return {};
}

Error InvalidConsent(std::vector<Issue> issues) {
  return Error{Code::kUnprocessable, "consent_invalid", {}, std::move(issues)};
}

Status RequireKnownSubject(Transaction& transaction, Call& call) {
  COFFER_ASSIGN(const auto row, transaction.Of<AccessState>().FindClient(*call.subject));
  if (!row) return NotFound(call);
  return {};
}

std::string TextInWords(const ShownWording& text) {
  return text.name + " v" + std::to_string(text.version) + " " + text.language;
}

std::string WithdrawnInWords(const ConsentId& id) { return id.Text() + "; withdrawn"; }

ToldConsent Tell(Consent consent, Timestamp now) {
  const bool stands = consent.StandsAt(now);
  return {std::move(consent), stands};
}

// Into its row, and into the entry that says so.
Status StoreWithdrawal(Transaction& transaction, std::pair<Consent, Bytes>& stored,
                       std::optional<ConsentChannel> channel, const PrincipalId& by,
                       audit::Entry& entry) {
  auto& [consent, details] = stored;
  // Not before it was given, by whichever clock: what ends it is the later.
  const Timestamp now = std::max({transaction.now(), consent.given, consent.recorded});
  consent.withdrawal = {now, channel, by, transaction.NextSeq()};
  AddDetail(entry, consent.purpose);
  entry.payload_hash = crypto::Sha256(crypto::AsBytes(WithdrawalStatementOf(consent)));
  COFFER_TRY(transaction.Of<AccessState>().stores.consents.Withdraw(consent));
  ActConsentWithdrawn(transaction, consent, details);
  return NoteAct(transaction, consent.client, ToldAct::kWithdrawn, {}, consent.withdrawal->seq);
}

}  // namespace

Result<ToldConsent> Consents::GiveConsent(const Caller& caller, const ClientId& client,
                                          const ConsentRequest& request) {
  constexpr Action kAction = Action::kConsentWrite;
  if (auto issues = FaultsOf(request, *operations_.engine().Of<CatalogState>().Published());
      !issues.empty()) {
    return operations_.Refuse(caller, {.action = kAction, .client = client},
                              InvalidConsent(std::move(issues)));
  }
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite, client});
  Consent consent;
  consent.id = ConsentId::New(operations_.Now());
  consent.client = client;
  consent.purpose = request.purpose;
  consent.text = request.text;
  consent.channel = *ConsentChannelFromName(request.channel);
  consent.by_client = request.authority.empty();
  consent.evidence = request.evidence;
  consent.authority = request.authority;
  consent.of_age = request.of_age;
  consent.expires = request.expires;
  AddDetail(call.entry, consent.id.Text());
  AddDetail(call.entry, "given");
  AddDetail(call.entry, consent.purpose);
  AddDetail(call.entry, TextInWords(consent.text));
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<ToldConsent> {
    COFFER_TRY(RequireKnownSubject(transaction, call));
    const auto& text = request.text;
    COFFER_ASSIGN(const auto shown, transaction.Of<CatalogState>().consent_texts.FindShown(
                                        text.name, text.version, text.language));
    ConsentStore& store = transaction.Of<AccessState>().stores.consents;
    COFFER_ASSIGN(const auto known, store.ListOf(client));
    auto issues = FaultsOfShown(request, shown, transaction.now());
    for (Issue& issue : FaultsOfTime(request, known)) issues.push_back(std::move(issue));
    if (!issues.empty()) return std::unexpected(InvalidConsent(std::move(issues)));
    if (known.size() >= kMaxConsents) return Fail(Code::kConflict, "too_many_consents");
    consent.sha256 = shown->sha256;
    consent.recorded = transaction.now();
    consent.given = request.given.value_or(consent.recorded);
    consent.recorded_by = call.actor;
    consent.seq = transaction.NextSeq();
    call.entry.payload_hash = crypto::Sha256(crypto::AsBytes(StatementOf(consent)));
    COFFER_TRY(StoreConsent(operations_.keyring(), transaction, consent));
    return Tell(consent, operations_.latest());
  });
}

Result<std::vector<ToldConsent>> Consents::ListConsents(const Caller& caller,
                                                        const ClientId& client) {
  Call call = operations_.Start(caller, {Action::kConsentRead, OperationKind::kRead, client});
  return operations_.Perform(
      call, [&](Transaction& transaction) -> Result<std::vector<ToldConsent>> {
        COFFER_TRY(RequireKnownSubject(transaction, call));
        COFFER_ASSIGN(auto all, OpenConsents(operations_.keyring(), transaction, client));
        std::vector<ToldConsent> told;
        for (Consent& consent : all) told.push_back(Tell(std::move(consent), operations_.latest()));
        return told;
      });
}

Result<ToldConsent> Consents::GetConsent(const Caller& caller, const ClientId& client,
                                         const ConsentId& id) {
  Call call = operations_.Start(caller, {Action::kConsentRead, OperationKind::kRead, client});
  call.entry.detail = id.Text();
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<ToldConsent> {
    COFFER_TRY(RequireKnownSubject(transaction, call));
    COFFER_ASSIGN(auto all, OpenConsents(operations_.keyring(), transaction, client));
    const auto found = std::ranges::find(all, id, &Consent::id);
    if (found == all.end()) return NotFound(call);
    return Tell(std::move(*found), operations_.latest());
  });
}

Result<ToldConsent> Consents::WithdrawConsent(const Caller& caller, const ClientId& client,
                                              const ConsentId& id,
                                              std::optional<ConsentChannel> channel) {
  constexpr Action kAction = Action::kConsentWrite;
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite, client});
  call.entry.detail = WithdrawnInWords(id);
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<ToldConsent> {
    COFFER_TRY(RequireKnownSubject(transaction, call));
    // Without their words: a key that is damaged must not keep anybody from withdrawing.
    COFFER_ASSIGN(auto all, transaction.Of<AccessState>().stores.consents.ListOf(client));
    const auto named =
        std::ranges::find_if(all, [&](const auto& stored) { return stored.first.id == id; });
    if (named == all.end()) return NotFound(call);
    Consent& consent = named->first;
    if (consent.withdrawal) {
      call.entry.outcome = "unchanged";
      return Tell(std::move(consent), operations_.latest());
    }
    for (auto& stored : all) {
      const Consent& other = stored.first;
      // Also one that has expired: by a clock that runs ahead, and would bring it back once mended.
      if (other.id == id || other.purpose != consent.purpose || other.withdrawal) continue;
      audit::Entry entry;
      entry.action = Name(kAction);
      entry.client = client.Text();
      entry.detail = WithdrawnInWords(other.id);
      COFFER_TRY(StoreWithdrawal(transaction, stored, channel, call.actor, entry));
      transaction.Also(std::move(entry));
    }
    COFFER_TRY(StoreWithdrawal(transaction, *named, channel, call.actor, call.entry));
    COFFER_TRY(RefreshConsent(transaction, client, consent.purpose));
    return Tell(std::move(consent), operations_.latest());
  });
}

}  // namespace coffer::vault
