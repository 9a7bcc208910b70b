// Whatever a call says about a client as its reason is out of reach once the client is erased: over
// every operation that names a client or discloses one, by every role, allowed and refused, while
// the client is there and afterwards.
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>

#include "tests/support/sampling.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr const char* kSentinel = "SENTINEL";
const std::string kKeyOfParts = "a-key-of-22-characters-";

class SpokenOf : public TestVault {
 public:
  struct Operation {
    std::string name;  // of Vault's method, and what of it after a blank
    std::function<bool(const Caller&)> call;
  };

  SpokenOf() {
    client = NewClient("A-1", {"vip"});
    text_ = client.Text();
    record = NewContact(client, {{"last_name", "Doe"}, {"email", "doe@example.com"}});
    const RecordId gone = NewContact(client, {{"last_name", "Doe"}});
    REQUIRE((*this)->consent_texts().PutConsentText(As(kPrivacyOfficer), "newsletter",
                                                    {{{"en", "I agree."}}}));
    const auto erased = (*this)->erasures().Erase(As(kPrivacyOfficer), client,
                                                  {ErasureBasis::kRequest, "", {gone}});
    REQUIRE(erased);
    erasure = erased->id;
    for (const auto& entry : WholeLog()) {
      if (entry.client == client.Text()) seq = entry.seq;
    }
    Close();  // the log's tree is published to here
    Open();
  }

  std::vector<Operation> Operations();
  // With each role, and with nobody's token. Returns those that no role could do.
  std::set<std::string> CallAll() {
    std::set<std::string> never;
    for (const auto& [name, call] : Operations()) {
      bool once = false;
      for (const Role role : kRoles) {
        once = call(As(role, "client-care", kSentinel + (" " + name))) || once;
      }
      Caller stranger = Stranger("nobody's");
      stranger.reason = kSentinel + (" " + name);
      CHECK(!call(stranger));
      if (!once) never.insert(name);
    }
    return never;
  }

  // Reasons that the keys which are left can open, of those that say the sentinel.
  std::multiset<std::string> Openable() {
    std::multiset<std::string> opened;
    const Database database = OpenVaultDatabase();
    const crypto::Keyring keyring = OpenKeyring();
    auto notes = Statement::Prepare(
        database, "SELECT client, note, entry FROM log_notes JOIN log_entries USING (seq)");
    REQUIRE(notes);
    auto row = notes->Query();
    while (*row.Next()) {
      const auto entry = audit::ParseEntry(row.Text(2));
      REQUIRE(entry);
      Bytes key(keyring.note_key().ExposeSecret().begin(), keyring.note_key().ExposeSecret().end());
      if (row.Int(0) != 0) key = KeyOf(keyring, row.Int(0));
      Bytes context;
      const auto call = CallId::Parse(entry->request);
      REQUIRE(call);
      for (const crypto::ByteView part : {crypto::AsBytes("coffer-note-v1"),
                                          crypto::ByteView(keyring.vault_id()), call->bytes()}) {
        context.insert(context.end(), part.begin(), part.end());
      }
      const auto plain = crypto::Open(key, context, row.Blob(1));
      if (!plain) continue;
      const std::string text(crypto::AsText(*plain).substr(32));
      if (text.starts_with(kSentinel)) opened.insert(text);
    }
    return opened;
  }

  ClientId client;
  RecordId record;
  ErasureId erasure;
  std::uint64_t seq = 0;

 private:
  std::string text_;
  Bytes KeyOf(const crypto::Keyring& keyring, std::int64_t row) {
    const Database keys = OpenKeysDatabase();
    auto found = Statement::Prepare(keys, "SELECT wrapped, cid FROM client_keys WHERE client = ?");
    REQUIRE(found);
    auto rows = found->Query(row);
    REQUIRE(rows.Next() == true);
    ClientId id;
    std::ranges::copy(rows.Blob(1), id.value.begin());
    Bytes key(crypto::kAeadKeyBytes);
    REQUIRE(keyring.UnwrapDataKey(rows.Blob(0), id.value, key));
    return key;
  }
  std::uint64_t VersionOfClient() {
    const auto info = (*this)->clients().GetClient(As(kCrmService), client);
    return info ? info->version : 1;
  }
  std::uint64_t VersionOfRecord(const RecordId& id) {
    const auto info = (*this)->records().GetRecord(As(kCrmService), client, id);
    return info ? info->version : 1;
  }
  ApprovalId Asked(const std::string& action, const std::string& target) {
    const auto asked =
        (*this)->approvals().RequestApproval(As(kPrivacyOfficer), {action, target, {}});
    return asked ? asked->id : ApprovalId::New(clock.Now());
  }
  HoldId Held() {
    const auto hold = (*this)->holds().PlaceHold(As(kPrivacyOfficer), OneHold());
    return hold ? hold->id : HoldId::New(clock.Now());
  }
  HoldRequest OneHold() const {
    return {client, "", "", "a dispute", "K-1", Timestamp{clock.Now().ms + 86'400'000}};
  }
  RequestForm OneRequest() const {
    RequestForm form;
    form.kind = RequestKind::kErasure;
    form.regime = "gdpr";
    form.channel = "letter";
    form.received = clock.Now();
    form.client = client;
    return form;
  }
  static DisclosureFacts OneDisclosure() {
    DisclosureFacts facts;
    facts.basis = "a law";
    facts.channel = "letter";
    return facts;
  }
  RecipientId Receiving() {
    RecipientFacts facts;
    facts.name = "Example Ltd";
    facts.category = "processor";
    const auto made = (*this)->recipients().CreateRecipient(As(kPrivacyOfficer), facts);
    return made ? made->id : RecipientId::New(clock.Now());
  }
  DisclosureId Disclosed() { return DisclosedTo(Receiving()); }
  DisclosureId DisclosedTo(const RecipientId& recipient) {
    const auto made = (*this)->disclosures().RecordDisclosure(
        As(kPrivacyOfficer, "client-care", "plain"), recipient, OneDisclosure(), {{client}, {}});
    return made ? made->id : DisclosureId::New(clock.Now());
  }
  // To whom there is something to be told.
  RecipientId Disclosing() {
    const RecipientId recipient = Receiving();
    (void)DisclosedTo(recipient);
    const Caller plain = As(kPrivacyOfficer, "client-care", "plain");
    (void)(*this)->restrictions().Restrict(plain, client,
                                           {"", "a dispute", {false, {"marketing"}}});
    return recipient;
  }
  RequestId Requested() {
    const auto asked = (*this)->requests().RegisterRequest(As(kPrivacyOfficer), OneRequest());
    return asked ? asked->row.id : RequestId::New(clock.Now());
  }
  PackageId Packaged(const std::string& purpose = "data-subject-request") {
    const auto package =
        (*this)->packages().PreparePackage(As(kPrivacyOfficer, purpose, "plain"), client, {});
    return package ? package->row.id : PackageId::New(clock.Now());
  }
  PackageId HandedOut() {
    const PackageId id = Packaged();
    for (const std::uint64_t part : {1U, 2U}) {
      (void)(*this)->packages().HandOutPart(As(kPrivacyOfficer, "data-subject-request", "plain"),
                                            id, {part, kKeyOfParts});
    }
    return id;
  }
  NoticeId Noticed() {
    const auto made = (*this)->notices().CreateNotice(
        As(kPrivacyOfficer, "client-care", "plain"),
        {"New terms", {}, {"", 0, "They change."}, Timestamp{clock.Now().ms + 1000}});
    return made ? made->id : NoticeId::New(clock.Now());
  }
  RestrictionId Restricted() {
    const auto placed = (*this)->restrictions().Restrict(
        As(kPrivacyOfficer, "client-care", "plain"), client, {"", "a dispute", {}});
    return placed ? placed->id : RestrictionId::New(clock.Now());
  }
  void Unrestrict(const RestrictionId& id) {
    (void)(*this)->restrictions().LiftRestriction(As(kPrivacyOfficer, "client-care", "plain"),
                                                  client, id);
  }
  ConsentRequest OneConsent() const {
    ConsentRequest request;
    request.purpose = "marketing";
    request.text = {"newsletter", 1, "en"};
    request.channel = "paper";
    request.evidence = "folder 12";
    return request;
  }
  ConsentId Consented() {
    const auto told = (*this)->consents().GiveConsent(As(kPrivacyOfficer, "client-care", "plain"),
                                                      client, OneConsent());
    return told ? told->consent.id : ConsentId::New(clock.Now());
  }
  EmergencyId Emergency() {
    const auto opened = (*this)->emergencies().OpenEmergency(
        As(kSupervisor, "client-care", "plain"), client, {"client-care", "T-1", 600});
    return opened ? opened->id : EmergencyId::New(clock.Now());
  }
  PrincipalId Someone() const { return TokenOf(kCaseWorker).principal; }
  LeaseRequest OneLease() const {
    return {Someone(), "contact", {"last_name"}, "client-care", "T-1", 600};
  }
};

std::vector<SpokenOf::Operation> SpokenOf::Operations() {
  Vault& vault = *operator->();
  const std::string& text = text_;
  const auto done = [](const auto& result) { return static_cast<bool>(result); };
  LogFilter of_client, of_record, malformed;
  of_client.client = malformed.client = text;
  of_record.record = record.Text();
  malformed.action = "\n";
  AccessQuestion question;
  question.principal = Someone();
  question.action = "client.read";
  question.client = client;
  AccessQuestion no_question = question;
  no_question.action = "none";
  std::vector<Operation> all = {
      {"CreateClient taken",
       [&, done](const Caller& c) {
         return done(vault.clients().CreateClient(c, {"A-1", {}}, {}));
       }},
      {"GetClient",
       [&, done](const Caller& c) { return done(vault.clients().GetClient(c, client)); }},
      {"NamesOf",
       [&](const Caller& c) {
         const auto names = vault.names().NamesOf(c, {{}, {client}});
         return names && !names->empty();
       }},
      {"UpdateClient",
       [&, done](const Caller& c) {
         return done(vault.clients().UpdateClient(c, client, VersionOfClient(),
                                                  {std::nullopt, Strings{"vip"}}));
       }},
      {"ListClients",
       [&, done](const Caller& c) { return done(vault.clients().ListClients(c, "", "", {})); }},
      {"SearchByReference",
       [&, done](const Caller& c) { return done(vault.searches().SearchByReference(c, "A-1")); }},
      {"SearchByField",
       [&, done](const Caller& c) {
         return done(vault.searches().SearchByField(c, "contact", "email", "doe@example.com", {}));
       }},
      {"SearchByField refused",
       [&, done](const Caller& c) {
         return done(vault.searches().SearchByField(c, "contact", "no_such", "Doe", {}));
       }},
      {"Erase refused",
       [&, done](const Caller& c) {
         return done(vault.erasures().Erase(
             c, client, {ErasureBasis::kRequest, "", {RecordId::New(clock.Now())}}));
       }},
      {"GetErasure",
       [&, done](const Caller& c) { return done(vault.erasures().GetErasure(c, erasure)); }},
      {"ListErasures",
       [&, done](const Caller& c) { return done(vault.erasures().ListErasures(c, {})); }},
      {"ReadAct",
       [&, done](const Caller& c) { return done(vault.erasure_acts().ReadAct(c, erasure, {})); }},
      {"FindTraces",
       [&, done](const Caller& c) { return done(vault.traces().FindTraces(c, client)); }},
      {"PlaceHold",
       [&, done](const Caller& c) {
         const auto hold = vault.holds().PlaceHold(c, OneHold());
         if (hold) CHECK(vault.holds().LiftHold(As(kPrivacyOfficer), hold->id));
         return done(hold);
       }},
      {"GetHold",
       [&, done](const Caller& c) {
         const HoldId id = Held();
         const bool got = done(vault.holds().GetHold(c, id));
         (void)vault.holds().LiftHold(As(kPrivacyOfficer), id);
         return got;
       }},
      {"ListHolds",
       [&, done](const Caller& c) {
         return done(vault.holds().ListHolds(c, std::nullopt, true, {}));
       }},
      {"LiftHold",
       [&, done](const Caller& c) {
         const HoldId id = Held();
         const bool lifted = done(vault.holds().LiftHold(c, id));
         if (!lifted) (void)vault.holds().LiftHold(As(kPrivacyOfficer), id);
         return lifted;
       }},
      {"Tell",
       [&, done](const Caller& c) {
         return done(vault.notices().Tell(c, Noticed(), {"letter", "a list", {}, {client}}));
       }},
      {"ListPending",
       [&, done](const Caller& c) { return done(vault.notices().ListPending(c, Noticed(), {})); }},
      {"ListObjections",
       [&, done](const Caller& c) {
         const NoticeId id = Noticed();
         const auto told = vault.notices().Tell(As(kPrivacyOfficer, "client-care", "plain"), id,
                                                {"letter", "a list", {}, {client}});
         const RestrictionId objection = Restricted();
         const bool listed = told && done(vault.notices().ListObjections(c, id, {}));
         Unrestrict(objection);
         return listed;
       }},
      {"Restrict",
       [&, done](const Caller& c) {
         const auto placed = vault.restrictions().Restrict(c, client, {"", "a dispute", {}});
         if (placed) Unrestrict(placed->id);
         return done(placed);
       }},
      {"ListRestrictions",
       [&, done](const Caller& c) {
         return done(vault.restrictions().ListRestrictions(c, client));
       }},
      {"GetRestriction",
       [&, done](const Caller& c) {
         const RestrictionId id = Restricted();
         const bool got = done(vault.restrictions().GetRestriction(c, client, id));
         Unrestrict(id);
         return got;
       }},
      {"LiftRestriction",
       [&, done](const Caller& c) {
         const RestrictionId id = Restricted();
         const bool lifted = done(vault.restrictions().LiftRestriction(c, client, id));
         if (!lifted) Unrestrict(id);
         return lifted;
       }},
      {"GiveConsent",
       [&, done](const Caller& c) {
         return done(vault.consents().GiveConsent(c, client, OneConsent()));
       }},
      {"ListConsents",
       [&, done](const Caller& c) { return done(vault.consents().ListConsents(c, client)); }},
      {"GetConsent",
       [&, done](const Caller& c) {
         const ConsentId id = Consented();
         return done(vault.consents().GetConsent(c, client, id));
       }},
      {"WithdrawConsent",
       [&, done](const Caller& c) {
         const ConsentId id = Consented();
         return done(vault.consents().WithdrawConsent(c, client, id, {}));
       }},
      {"RegisterRequest",
       [&, done](const Caller& c) {
         return done(vault.requests().RegisterRequest(c, OneRequest()));
       }},
      {"GetRequest",
       [&, done](const Caller& c) { return done(vault.requests().GetRequest(c, Requested())); }},
      {"ListRequests",
       [&, done](const Caller& c) { return done(vault.requests().ListRequests(c, {}, {})); }},
      {"ListRequests of one client",
       [&, done](const Caller& c) {
         RequestFilter filter;
         filter.client = client;
         return done(vault.requests().ListRequests(c, filter, {}));
       }},
      {"TakeStep",
       [&, done](const Caller& c) {
         StepForm accept;
         accept.kind = StepKind::kAccept;
         return done(vault.requests().TakeStep(c, Requested(), accept));
       }},
      {"RecordDisclosure",
       [&, done](const Caller& c) {
         return done(
             vault.disclosures().RecordDisclosure(c, Receiving(), OneDisclosure(), {{client}, {}}));
       }},
      {"AddClients",
       [&, done](const Caller& c) {
         return done(vault.disclosures().AddClients(c, Disclosed(), {{client}, {}}));
       }},
      {"GetDisclosure",
       [&, done](const Caller& c) {
         return done(vault.disclosures().GetDisclosure(c, Disclosed()));
       }},
      {"ListDisclosures",
       [&, done](const Caller& c) {
         return done(vault.disclosures().ListDisclosures(c, {}, {}, {}));
       }},
      {"ListToTell",
       [&, done](const Caller& c) { return done(vault.tellings().ListToTell(c, {}, {})); }},
      {"ListDisclosures of one client",
       [&, done](const Caller& c) {
         return done(vault.disclosures().ListDisclosures(c, {}, client, {}));
       }},
      {"RecipientsOf",
       [&, done](const Caller& c) { return done(vault.tellings().RecipientsOf(c, client)); }},
      {"TellRecipient",
       [&, done](const Caller& c) {
         const RecipientId recipient = Disclosing();
         TellingFacts facts;
         facts.until = 1'000'000;
         facts.channel = "email";
         return done(vault.tellings().TellRecipient(c, recipient, facts));
       }},
      {"GetOverview",
       [&, done](const Caller& c) {
         return done(vault.client_overviews().GetOverview(c, client));
       }},
      {"PackageClient",
       [&, done](const Caller& c) { return done(vault.exports().PackageClient(c, client, {})); }},
      {"PreparePackage",
       [&, done](const Caller& c) { return done(vault.packages().PreparePackage(c, client, {})); }},
      {"GetPackage",
       [&, done](const Caller& c) { return done(vault.packages().GetPackage(c, Packaged())); }},
      {"ListPackages",
       [&, done](const Caller& c) {
         return done(vault.packages().ListPackages(c, {client, {}}, {}));
       }},
      {"HandOutPart",
       [&, done](const Caller& c) {
         return done(vault.packages().HandOutPart(c, Packaged(c.purpose), {1, kKeyOfParts}));
       }},
      {"MakeReceipt",
       [&, done](const Caller& c) { return done(vault.packages().MakeReceipt(c, HandedOut())); }},
      {"RevokePackage",
       [&, done](const Caller& c) { return done(vault.packages().RevokePackage(c, Packaged())); }},
      {"CreateRecord",
       [&, done](const Caller& c) {
         return done(
             vault.records().CreateRecord(c, client, "contact", {{"last_name", "Doe"}}, {}));
       }},
      {"CreateRecord refused",
       [&, done](const Caller& c) {
         return done(vault.records().CreateRecord(c, client, "contact", {{"no_such", "Doe"}}, {}));
       }},
      {"GetRecord",
       [&, done](const Caller& c) { return done(vault.records().GetRecord(c, client, record)); }},
      {"GetRecordVersion",
       [&, done](const Caller& c) {
         return done(vault.records().GetRecordVersion(c, client, record, 1));
       }},
      {"ListVersions",
       [&, done](const Caller& c) {
         return done(vault.records().ListVersions(c, client, record));
       }},
      {"ListRecords",
       [&, done](const Caller& c) {
         return done(vault.records().ListRecords(c, client, "", true, {}));
       }},
      {"UpdateRecord",
       [&, done](const Caller& c) {
         return done(
             vault.records().UpdateRecord(c, client, record, VersionOfRecord(record),
                                          {{"last_name", "Roe"}, {"email", "doe@example.com"}}));
       }},
      {"UpdateRecord merged",
       [&, done](const Caller& c) {
         return done(vault.records().UpdateRecord(c, client, record, VersionOfRecord(record),
                                                  {{"last_name", "Moe"}, {"email", nullptr}},
                                                  ChangeForm::kMergePatch));
       }},
      {"DeleteRecord",
       [&, done](const Caller& c) {
         const auto made = vault.records().CreateRecord(As(kCrmService), client, "contact",
                                                        {{"last_name", "Doe"}}, {});
         return done(vault.records().DeleteRecord(c, client, made ? made->id : record, 7)) ||
                (made && done(vault.records().DeleteRecord(c, client, made->id, {})));
       }},
      {"Export", [&, done](const Caller& c) { return done(vault.exports().Export(c, {}, {})); }},
      {"Export refused",
       [&, done](const Caller& c) {
         return done(vault.exports().Export(c, {"", {"no_such"}}, {}));
       }},
      {"ImportRecord",
       [&, done](const Caller& c) {
         const json data = {{"last_name", "Poe"}};
         return done(vault.imports().ImportRecord(c, {"A-1", "contact", "k", data}));
       }},
      {"ImportRecord refused",
       [&, done](const Caller& c) {
         const json data = {{"no_such", "Poe"}};
         return done(vault.imports().ImportRecord(c, {"A-1", "contact", "k", data}));
       }},
      {"ImportRecords",
       [&, done](const Caller& c) {
         const json data = {{"last_name", "Poe"}}, wrong = {{"no_such", "Poe"}};
         const ImportRow rows[] = {{"A-1", "contact", "k", data}, {"A-1", "contact", "k", wrong}};
         const auto imported = vault.imports().ImportRecords(c, rows);
         return done(imported.front()) || done(imported.back());
       }},
      {"Assign",
       [&, done](const Caller& c) {
         return done(vault.assignments().Assign(c, client, Someone(), {}));
       }},
      {"ListAssignments",
       [&, done](const Caller& c) { return done(vault.assignments().ListAssignments(c, client)); }},
      {"ListAssignmentsOf",
       [&, done](const Caller& c) {
         return done(vault.assignments().ListAssignmentsOf(c, Someone(), {}));
       }},
      {"AssignMany",
       [&](const Caller& c) {
         const auto many =
             vault.caseloads().AssignMany(c, {{client, {}}, {{}, "A-1"}}, Someone(), {});
         return many && many->front().assignment;
       }},
      {"HandOver",
       [&](const Caller& c) {
         (void)vault.assignments().Assign(As(kSupervisor), client, Someone(), {});
         const auto some = vault.caseloads().HandOver(
             c, {Someone(), TokenOf(kCrmService).principal, {{client, {}}}, {}});
         const auto rest =
             vault.caseloads().HandOver(c, {Someone(), TokenOf(kCrmService).principal, {}, {}});
         (void)vault.assignments().Unassign(As(kSupervisor), client,
                                            TokenOf(kCrmService).principal);
         return some && rest && some->clients.front().assignment;
       }},
      {"Unassign",
       [&, done](const Caller& c) {
         return done(vault.assignments().Unassign(c, client, Someone()));
       }},
      {"GiveLease",
       [&, done](const Caller& c) {
         return done(vault.leases().GiveLease(c, client, OneLease()));
       }},
      {"ListLeases",
       [&, done](const Caller& c) { return done(vault.leases().ListLeases(c, client)); }},
      {"EndLease",
       [&, done](const Caller& c) {
         const auto lease = vault.leases().GiveLease(As(kSupervisor), client, OneLease());
         return done(
             vault.leases().EndLease(c, client, lease ? lease->id : LeaseId::New(clock.Now())));
       }},
      {"ExplainAccess",
       [&, done, question](const Caller& c) {
         return done(vault.access_explanations().ExplainAccess(c, question));
       }},
      {"ExplainAccess refused",
       [&, done, no_question](const Caller& c) {
         return done(vault.access_explanations().ExplainAccess(c, no_question));
       }},
      {"RequestApproval",
       [&, done](const Caller& c) {
         return done(vault.approvals().RequestApproval(c, {"client.erase", text, {}}));
       }},
      {"RequestApproval of a hold",
       [&, done](const Caller& c) {
         const HoldId id = Held();
         const bool asked =
             done(vault.approvals().RequestApproval(c, {"hold.lift", id.Text(), {}}));
         (void)vault.holds().LiftHold(As(kPrivacyOfficer), id);
         return asked;
       }},
      {"RequestApproval refused",
       [&, done](const Caller& c) {
         return done(vault.approvals().RequestApproval(c, {"client.erase", text, "[]"}));
       }},
      {"GetApproval",
       [&, done](const Caller& c) {
         return done(vault.approvals().GetApproval(c, Asked("client.erase", text)));
       }},
      {"ListApprovals",
       [&, done](const Caller& c) {
         (void)Asked("client.erase", text);
         return done(vault.approvals().ListApprovals(c, {}));
       }},
      {"WithdrawApproval",
       [&, done](const Caller& c) {
         return done(vault.approvals().WithdrawApproval(c, Asked("client.erase", text)));
       }},
      {"DecideApproval",
       [&, done](const Caller& c) {
         return done(vault.approvals().DecideApproval(c, Asked("client.erase", text), true));
       }},
      {"OpenEmergency",
       [&, done](const Caller& c) {
         return done(vault.emergencies().OpenEmergency(c, client, {"client-care", "T-1", 600}));
       }},
      {"ListEmergencies",
       [&, done](const Caller& c) { return done(vault.emergencies().ListEmergencies(c)); }},
      {"GetEmergency",
       [&, done](const Caller& c) {
         return done(vault.emergency_reports().GetEmergency(c, Emergency(), {}));
       }},
      {"ReviewEmergency",
       [&, done](const Caller& c) {
         return done(vault.emergencies().ReviewEmergency(c, Emergency(), "was right"));
       }},
      {"ReadLog",
       [&, done, of_client](const Caller& c) {
         return done(vault.access_log().ReadLog(c, of_client, {}));
       }},
      {"ReadLog of a record",
       [&, done, of_record](const Caller& c) {
         return done(vault.access_log().ReadLog(c, of_record, {}));
       }},
      {"ReadLog refused",
       [&, done, malformed](const Caller& c) {
         return done(vault.access_log().ReadLog(c, malformed, {}));
       }},
      {"ReadLogEntry",
       [&, done](const Caller& c) { return done(vault.access_log().ReadLogEntry(c, seq)); }},
      {"ProveLogEntry",
       [&, done](const Caller& c) { return done(vault.access_log().ProveLogEntry(c, seq)); }},
      {"SummariseLog refused",
       [&, done, of_client](const Caller& c) {
         return done(vault.access_log().SummariseLog(c, {of_client, "no_such"}));
       }},
      {"MakeEvidence",
       [&, done](const Caller& c) {
         return done(vault.evidence().MakeEvidence(c, {text, {}, {}, {}}));
       }},
      {"PreviewRetention",
       [&, done](const Caller& c) {
         return done(vault.retention().PreviewRetention(c, {{}, 1, true}));
       }},
      {"Authenticate",
       [&](const Caller& c) {
         return done(vault.operations().Authenticate(c, Action::kClientRead, client));
       }},
      {"Refuse",
       [&](const Caller& c) {
         (void)vault.operations().Refuse(c, Action::kClientRead, client, record,
                                         {Code::kInvalidArgument, "body_invalid", {}, {}});
         (void)vault.operations().Refuse(c, Action::kClientCreate, std::nullopt, std::nullopt,
                                         {Code::kInvalidArgument, "body_invalid", {}, {}});
         return false;
       }},
  };
  return all;
}

// What the headers say that vault/vault.h includes, each of which has a service.
std::string HeadersOfServices() {
  const std::string root = COFFER_SOURCE_DIR;
  std::ifstream file(root + "/vault/vault.h");
  REQUIRE(file.good());
  constexpr std::string_view kInclude = "#include \"vault/";
  std::string all;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(kInclude)) continue;
    const auto name = line.find('"') + 1;
    std::ifstream header(root + "/" + line.substr(name, line.rfind('"') - name));
    REQUIRE(header.good());
    all.append(std::istreambuf_iterator<char>(header), {});
  }
  return all;
}

// Names of the methods by which services are called, but for those that are about no client.
std::set<std::string> MethodsAboutClients() {
  const std::string header = HeadersOfServices();
  constexpr std::string_view kParameters = "(const Caller& caller";
  std::set<std::string> found;
  for (auto at = header.find(kParameters); at != header.npos;
       at = header.find(kParameters, at + 1)) {
    const auto before = header.find_last_of(" \n", at);
    found.insert(header.substr(before + 1, at - before - 1));
  }
  for (const char* other : {"Start",  // of a call, by the operations themselves
                            "StartOpen",
                            "GetRetentionSchedule",
                            "PutRetentionSchedule",
                            "StartRetentionRun",
                            "GetRetentionRun",
                            "ListRetentionRuns",
                            "ReadRunReport",
                            "ConfirmClock",
                            "InitializeDestination",
                            "ListDestinations",
                            "ListDrills",
                            "PruneBackups",
                            "RecordDrill",
                            "RunBackup",
                            "VerifyDestination",
                            "GetClass",
                            "ListClasses",
                            "PutClass",
                            "GetConsentText",
                            "ListConsentTexts",
                            "PutConsentText",
                            "GetPurpose",
                            "ListPurposes",
                            "PutPurpose",
                            "GetRegime",
                            "ListRegimes",
                            "PutRegime",
                            "GetRole",
                            "ListRoles",
                            "PutRole",
                            "CreateUser",
                            "CreateService",
                            "ListPrincipals",
                            "GetPrincipal",
                            "UpdatePrincipal",
                            "IssueCertificate",
                            "EnrolAgain",
                            "CreateToken",
                            "RotateToken",
                            "ListTokens",
                            "RevokeToken",
                            "WhoAmI",
                            "ReadEnrolment",
                            "CompleteEnrolment",
                            "LogIn",
                            "LogOut",
                            "StepUp",
                            "ChangePassword",
                            "ListSessions",
                            "EndSession",
                            "PutTeam",
                            "ListTeams",
                            "CountReaders",
                            "FindScope",
                            "OpenBreach",
                            "NoteBreach",
                            "ScopeBreach",
                            "NotifyOfBreach",
                            "CloseBreach",
                            "GetBreach",
                            "ListBreaches",
                            "Say",          // by the register itself
                            "PutDocument",  // of the processing, and below
                            "GetDocument",
                            "Read",
                            "Publish",
                            "List",
                            "Get",
                            "Compare",
                            "CreateNotice",
                            "GetNotice",
                            "ListNotices",
                            "CloseNotice",
                            "CreateRecipient",
                            "ChangeRecipient",
                            "EndRecipient",
                            "BindPrincipal",
                            "UnbindPrincipal",
                            "GetRecipient",
                            "ListRecipients",
                            "ReadCheckpoint",
                            "ReadLogTile",
                            "ProveConsistency",
                            "VerifyLog",
                            "PreviewClass",
                            "MayImport",
                            "ReadStatus",
                            "ReadKeys",
                            "ReadStatistics"}) {
    CHECK(found.erase(other) == 1);
  }
  return found;
}

TEST_CASE("no key that is left opens what any call said about an erased client",
          testing::kPlainOnly) {
  SpokenOf vault;
  std::set<std::string> tried;
  for (const auto& operation : vault.Operations()) {
    tried.insert(operation.name.substr(0, operation.name.find(' ')));
  }
  CHECK(tried == MethodsAboutClients());

  std::set<std::string> refused;
  for (const auto& name : vault.CallAll()) {
    if (name.ends_with(" refused")) continue;
    refused.insert(name);
  }
  // Taken by itself; no schedule; nothing but refusals.
  CHECK(refused == std::set<std::string>{"CreateClient taken", "PreviewRetention", "Refuse"});
  // They are kept as long as the client is.
  CHECK(vault.Openable().size() > vault.Operations().size());

  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer, "client-care", "Letter of 2 January"),
                                  vault.client, {}));
  CHECK(vault.Openable() == std::multiset<std::string>{});
  // Nor is anything kept of a name that is not there any more.
  (void)vault.CallAll();
  CHECK(vault.Openable() == std::multiset<std::string>{});
  vault.CheckRows();
}

TEST_CASE("what a call about several clients gave as its reason dies with each, for itself") {
  TestVault vault;
  const ClientId first = vault.NewClient("A-1");
  const ClientId second = vault.NewClient("A-2");
  const auto listing = vault.As(kCrmService, "client-care", "SENTINEL");
  REQUIRE(vault->clients().ListClients(listing, "", "", {}));
  const auto text_of = [&](const ClientId& client) {
    std::optional<std::string> text;
    for (const auto& entry : vault.WholeLog()) {
      if (entry.request != listing.call.Text() || entry.client != client.Text()) continue;
      const auto view = vault->access_log().ReadLogEntry(vault.As(kPrivacyOfficer), entry.seq);
      REQUIRE(view);
      text = view->note_text;
    }
    return text;
  };
  CHECK(text_of(first) == "SENTINEL");
  CHECK(text_of(second) == "SENTINEL");
  CHECK(vault.Number("SELECT count(*) FROM log_notes WHERE client = 0") == 0);
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), first, {}));
  CHECK(text_of(first) == std::nullopt);
  CHECK(text_of(second) == "SENTINEL");
  vault.CheckInvariants();
}

TEST_CASE("the reason of an erasure stays, and not that of asking for it or of refusing it") {
  testing::OpenVault::Settings settings;
  settings.two_person = true;
  TestVault vault(settings);
  const ClientId client = vault.NewClient("A-1");
  const auto text_of = [&](const Caller& caller) {
    std::optional<std::string> text;
    for (const auto& entry : vault.WholeLog()) {
      if (entry.request != caller.call.Text()) continue;
      const auto view = vault->access_log().ReadLogEntry(vault.As(kPrivacyOfficer), entry.seq);
      REQUIRE(view);
      if (view->note_text) text = view->note_text;
    }
    return text;
  };
  auto erasing = vault.As(kPrivacyOfficer, "client-care", "Letter of 2 January");
  const auto without = vault.As(kPrivacyOfficer, "client-care", "In a hurry");
  CHECK(AnswerOf(vault->erasures().Erase(without, client, {})) == "approval_required");
  const auto asking = vault.As(kPrivacyOfficer, "client-care", "Asked by letter");
  const auto asked =
      vault->approvals().RequestApproval(asking, {"client.erase", client.Text(), {}});
  REQUIRE(asked);
  const auto deciding = vault.As(kSecurityOfficer, "client-care", "Seen the letter");
  REQUIRE(vault->approvals().DecideApproval(deciding, asked->id, true));
  for (const Caller* caller : {&without, &asking, &deciding}) {
    CHECK(text_of(*caller) == caller->reason);
  }
  erasing.approval = asked->id.Text();
  REQUIRE(vault->erasures().Erase(erasing, client, {}));
  CHECK(text_of(erasing) == "Letter of 2 January");
  for (const Caller* caller : {&without, &asking, &deciding}) {
    CHECK(text_of(*caller) == std::nullopt);
  }
}

}  // namespace
}  // namespace coffer::vault
