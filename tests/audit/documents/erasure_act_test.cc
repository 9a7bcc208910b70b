#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "audit/documents/act_document.h"
#include "audit/documents/signed_document.h"
#include "audit/tlog/signed_note.h"
#include "tests/audit/documents/test_act.h"

namespace coffer::audit {
namespace {

using nlohmann::json;

Strings FindingsIn(std::string_view document) {
  const VerifierKey trusted[] = {LogVerifier()};
  Strings checks;
  for (const DocumentFinding& finding : VerifyAct(document, trusted).findings) {
    checks.push_back(finding.check);
  }
  return checks;
}

std::string GoldenFile(const std::string& name) {
  std::ifstream file(std::string(COFFER_SOURCE_DIR) + "/tests/golden/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool IsRefused(const ErasureAct& act, std::string_view reason = "act_invalid") {
  const auto note = WriteAct(act, kOrigin, LogKey());
  return !note && note.error().reason == reason;
}

TEST_CASE("an act is verified, and says all it was written with") {
  const Delivered delivered;
  const ActReport report = delivered.Verify();
  for (const auto& finding : report.findings) UNSCOPED_INFO(finding.message);
  CHECK(report.ok());
  REQUIRE(report.act);
  CHECK(*report.act == delivered.act);
  CHECK(report.signed_by->key == LogKey().public_key());
  CHECK(report.checkpoint->size == 15);
  CHECK(report.entry_action == "retention.erase");
  CHECK(report.entry_time == delivered.act.date);
  CHECK(report.missing.empty());
  CHECK(*AssembleAct(delivered.note, delivered.entry, delivered.proof) == delivered.Document());
  CHECK(FindingsIn(delivered.Document() + "\n").empty());
  CHECK(*ParseAct(delivered.note) == delivered.act);
}

TEST_CASE("the same act and key give the same bytes, those of the golden file") {
  const Delivered delivered;
  CHECK(Delivered().note == delivered.note);
  CHECK(GoldenFile("erasure-act-v1.json") == delivered.Document() + "\n");
}

TEST_CASE("every scope, reason and method can be certified") {
  ErasureAct act = FullAct();
  act.records.clear();
  act.scope = {ScopeKind::kClass, "contact"};
  CHECK(Delivered(act).Findings().empty());
  act.scope = {ScopeKind::kClient};
  act.key->replaced = false;
  act.reason = {ReasonKind::kRequest, "req_17", 0, "art. 17 GDPR"};
  CHECK(Delivered(act).Findings().empty());
  act.method = ErasureMethod::kClear;
  act.key.reset();
  act.reference.clear();
  act.details.processor_name.clear();
  act.details.processor_address.clear();
  act.kept.clear();
  act.categories.clear();
  act.backup_horizon_days.reset();
  const Delivered least(act);
  CHECK(least.Findings().empty());
  CHECK(*ParseAct(least.note) == least.act);
}

TEST_CASE("no value of an act can be changed, and none taken away") {
  const Delivered delivered;
  const json act = json::parse(FormatActJson(delivered.act));
  std::size_t changes = 0;
  ForEachChange(act, [&](const std::string& path, const json& changed) {
    INFO(path);
    ++changes;
    const Strings found =
        FindingsIn(ActDocumentOf(changed.dump(), delivered.entry, delivered.note, delivered.proof));
    REQUIRE_FALSE(found.empty());
    CHECK((found.front() == "act" || found.front() == "document"));
  });
  CHECK(changes == 2 * act.flatten().size());
  CHECK(act.flatten().size() > 40);
}

TEST_CASE("no byte of a document can be changed") {
  const std::string document = Delivered().Document();
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < document.size(); i += 3) {
    std::string changed = document;
    changed[i] ^= 0x01;
    if (FindingsIn(changed).empty()) ++accepted;
  }
  CHECK(accepted == 0);
}

TEST_CASE("a truncated document is refused, wherever it ends") {
  const std::string document = Delivered().Document();
  std::size_t refused = 0;
  for (std::size_t size = 0; size < document.size(); ++size) {
    if (FindingsIn(document.substr(0, size)) == Strings{"document"}) ++refused;
  }
  CHECK(refused == document.size());
}

TEST_CASE("unknown and duplicate members, white space and other spellings are refused") {
  const Delivered delivered;
  const std::string document = delivered.Document();
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string changed = document;
    const auto at = changed.find(from);
    REQUIRE(at != changed.npos);
    return FindingsIn(changed.replace(at, from.size(), to));
  };
  const Strings refused = {"document"};
  CHECK(with("{\"act\":", "{ \"act\":") == refused);
  CHECK(with("{\"act\":", "{\"aaa\":1,\"act\":") == refused);
  CHECK(with("\"medium\":\"electronic\"", "\"medium\":\"electronic\",\"medium\":\"electronic\"") ==
        refused);
  CHECK(with("\"medium\":\"electronic\"", "\"medium\":\"paper\"") == refused);
  CHECK(with("\"medium\":\"electronic\"", "\"medium\":\"electronic\",\"mediun\":\"x\"") == refused);
  CHECK(with("coffer-erasure-act-v1", "coffer-erasure-act-v2") == refused);
  CHECK(with("\"ledger_seq\":5", "\"ledger_seq\":05") == refused);
  CHECK(with("\"ledger_seq\":5", "\"ledger_seq\":5.0") == refused);
  CHECK(with("\"ledger_seq\":5", "\"ledger_seq\":9007199254740992") == refused);
  CHECK(with("\"B. Second\"", "\"B\\u002e Second\"") == refused);
  CHECK(with(",\"proof\":", ",\"note\":\"\",\"proof\":") == refused);
  CHECK(with("coffer-erasure-act-v1\\n", "coffer-erasure-act-v1\\u000a") == refused);
  CHECK(FindingsIn(document + "\n\n") == refused);
  CHECK(FindingsIn(document + "{}") == refused);
  CHECK(FindingsIn("") == refused);
  CHECK(FindingsIn(std::string(200'000, '{')) == refused);
  CHECK(FindingsIn(document + std::string(kMaxActDocumentBytes, ' ')) == refused);
}

TEST_CASE("a document that somebody else signed is found out") {
  Delivered delivered;
  delivered.Sign(OtherKey());
  CHECK(delivered.Findings() == Strings{"signature"});
  CHECK_FALSE(delivered.Verify().signed_by);
  delivered = Delivered();
  delivered.proof = FormatProof({delivered.act.log_seq, ParseProof(delivered.proof)->hashes,
                                 SignCheckpoint(delivered.log.Head(), OtherKey())});
  CHECK(delivered.Findings() == Strings{"proof"});
  CHECK(VerifyAct(Delivered().Document(), {}).findings.size() == 2);
}

TEST_CASE("act and checkpoint may be signed by different keys of the log") {
  Delivered delivered;
  delivered.Sign(OtherKey());
  const VerifierKey both[] = {LogVerifier(), {std::string(kOrigin), OtherKey().public_key()}};
  const ActReport report = VerifyAct(delivered.Document(), both);
  CHECK(report.ok());
  CHECK(report.signed_by->key == OtherKey().public_key());
}

TEST_CASE("another statement that the key signed is no act") {
  Delivered delivered;
  const std::string line = FormatActJson(delivered.act) + "\n";
  delivered.note =
      SignText("coffer-run-report-v1\n" + std::string(kOrigin) + "\n" + line, kOrigin, LogKey());
  CHECK(delivered.Findings() == Strings{"signature"});
  delivered.note = SignText("coffer-erasure-act-v1\nelsewhere\n" + line, kOrigin, LogKey());
  CHECK(delivered.Findings() == Strings{"signature"});
  delivered.note = SignText(
      "coffer-erasure-act-v1\n" + std::string(kOrigin) + "\n" + line + "more\n", kOrigin, LogKey());
  CHECK(delivered.Findings() == Strings{"signature"});
  delivered.note = SignCheckpoint(delivered.log.Head(), LogKey());
  CHECK(delivered.Findings() == Strings{"signature"});
}

TEST_CASE("what could not have been written is refused, whoever signed it") {
  Delivered delivered;
  delivered.act.records[0] = "Jane Doe";
  delivered.note = *SignDocument(kActFormat, FormatActJson(delivered.act), kOrigin, LogKey());
  CHECK(delivered.Findings() == Strings{"document"});
  const auto act = ParseAct(delivered.note);
  REQUIRE_FALSE(act);
  CHECK(act.error().reason == "act_malformed");
  CHECK_FALSE(AssembleAct(delivered.note, delivered.entry, delivered.proof));
}

// As the holder of the key could do it: the act is signed, and its entry says something else.
TEST_CASE("an act has to be about the entry that it names") {
  const auto findings = [](const auto& change) {
    Delivered delivered;
    change(delivered);
    delivered.Sign();
    return delivered.Findings();
  };
  const Strings entry = {"entry"};
  CHECK(findings([](Delivered& d) { d.act.entry_hash[0] ^= 1; }) == entry);
  CHECK(findings([](Delivered& d) { d.act.client.back() = 'h'; }) == entry);
  CHECK(findings([](Delivered& d) { d.act.erasure.back() = 'h'; }) == entry);
  CHECK(findings([](Delivered& d) {
          d.act.scope = {ScopeKind::kClient};
          d.act.records.clear();
        }) == entry);
  CHECK(findings([](Delivered& d) { d.act.log_seq = 12; }) == Strings{"entry", "proof"});
  CHECK(findings([](Delivered& d) { d.entry = *d.log.stored().rows.at(10); }).size() > 2);
  CHECK(findings([](Delivered& d) { d.proof = d.ProofOf(12); }) == Strings{"proof"});
  CHECK(findings([](Delivered& d) { d.proof = ""; }) == Strings{"proof"});
  CHECK(findings([](Delivered& d) { d.entry = "{}"; }) == Strings{"entry", "entry", "proof"});
}

TEST_CASE("the act of an erasure that was repeated says so, and no other does") {
  const auto repeated = [](Entry& entry) { entry.action = "erasure.replayed"; };
  const ReplayedErasure first{{1'767'000'000'000}, 7};
  ErasureAct act = FullAct();
  act.replayed = first;
  Delivered delivered(act, repeated);
  CHECK(delivered.Findings().empty());
  CHECK(delivered.Verify().act->replayed == first);
  CHECK(Delivered(act).Findings() == Strings{"entry"});
  CHECK(Delivered(FullAct(), repeated).Findings() == Strings{"entry"});
  delivered.act.replayed->log_seq = 8;
  CHECK(delivered.Findings() == Strings{"act"});
  delivered.act.replayed.reset();
  CHECK(delivered.Findings() == Strings{"act", "entry"});
  act.replayed->date.ms = 1LL << 60;
  CHECK(WriteAct(act, kOrigin, LogKey()).error().reason == "act_invalid");
  act.replayed = {{0}, std::uint64_t{1} << 60};
  CHECK(WriteAct(act, kOrigin, LogKey()).error().reason == "act_invalid");
}

TEST_CASE("only an entry of an erasure that was done counts") {
  const auto findings = [](const auto& change) { return Delivered(FullAct(), change).Findings(); };
  for (const char* action : {"client.erase", "record.erase", "retention.erase"}) {
    CHECK(findings([&](Entry& entry) { entry.action = action; }).empty());
  }
  const Strings entry_only = {"entry"};
  CHECK(findings([](Entry& entry) { entry.action = "record.delete"; }) == entry_only);
  CHECK(findings([](Entry& entry) { entry.decision = Decision::kDeny; }) == entry_only);
  CHECK(findings([](Entry& entry) { entry.outcome = "unavailable"; }) == entry_only);
  CHECK(findings([](Entry& entry) { entry.client.clear(); }) == entry_only);
  CHECK(findings([](Entry& entry) { entry.detail.clear(); }) == entry_only);
  // A second one could be meant for another act.
  CHECK(findings([](Entry& entry) {
          entry.detail += "; erasure era_06bk4v0c5s3x9t7q2n8h1w6m4k";
        }) == entry_only);
  ErasureAct act = FullAct();
  act.scope = {ScopeKind::kClass, "contact"};
  act.records.clear();
  CHECK(Delivered(act, [](Entry& entry) { entry.class_name = "invoice"; }).Findings() ==
        entry_only);
}

TEST_CASE("hostile texts stay what they are") {
  ErasureAct act = FullAct();
  const std::string attack = "a\nb\r\x1b[2J\u202E\u2066\u0085\x7f\"\\</script>=1+1\u2028";
  act.details = {attack, attack, attack, attack, attack};
  act.reference = act.reason.id = act.reason.legal_basis = act.key->id = attack;
  act.destroyed_by[0].name = act.destroyed_by[0].position = act.destroyed_by[0].id = attack;
  act.categories[0].title = act.kept[0].what = act.kept[0].why = attack;
  const Delivered delivered(act);
  CHECK(delivered.Findings().empty());
  CHECK(ParseAct(delivered.note)->details.name == attack);
  // Three lines were signed, whatever the texts hold.
  CHECK(std::ranges::count(delivered.note.substr(0, delivered.note.find("\n\n") + 1), '\n') == 3);
}

TEST_CASE("what is no act is not signed") {
  const auto refused = [](const auto& change) {
    ErasureAct act = FullAct();
    change(act);
    return IsRefused(act);
  };
  CHECK_FALSE(refused([](ErasureAct&) {}));
  CHECK(refused([](ErasureAct& act) { act.erasure = "06bk4v0c5s3x9t7q2n8h1w6m4e"; }));
  CHECK(refused([](ErasureAct& act) { act.client = "jane@example"; }));
  CHECK(refused([](ErasureAct& act) { act.vault = "vault"; }));
  CHECK(refused([](ErasureAct& act) { act.log = "elsewhere"; }));
  CHECK(refused([](ErasureAct& act) { act.records[0] = "Jane Doe"; }));
  CHECK(refused([](ErasureAct& act) { act.records.clear(); }));
  CHECK(refused([](ErasureAct& act) { act.scope = {ScopeKind::kClient}; }));
  CHECK(refused([](ErasureAct& act) { act.scope = {ScopeKind::kRecords, "contact"}; }));
  CHECK(refused([](ErasureAct& act) { act.key.reset(); }));
  CHECK(refused([](ErasureAct& act) { act.reason.version = 0; }));
  CHECK(refused([](ErasureAct& act) { act.reason.kind = ReasonKind::kRequest; }));
  CHECK(refused([](ErasureAct& act) { act.categories[0].class_name = "Contact"; }));
  CHECK_FALSE(refused([](ErasureAct& act) { act.categories[0].class_name = kClientItself; }));
  CHECK(refused([](ErasureAct& act) { act.categories[0].records = 1ULL << 53; }));
  CHECK(refused([](ErasureAct& act) { act.details.name = "\xC0\xAF"; }));
  CHECK(refused([](ErasureAct& act) { act.details.name = std::string(kMaxActText + 1, 'x'); }));
  CHECK(refused([](ErasureAct& act) { act.date.ms = 1LL << 60; }));
  CHECK(refused([](ErasureAct& act) { act.kept.resize(kMaxActKept + 1); }));
  ErasureAct large = FullAct();
  large.kept.assign(kMaxActKept, {std::string(kMaxActText, '"'), "x"});
  CHECK(IsRefused(large, "document_too_large"));
}

TEST_CASE("the largest list of records fits") {
  ErasureAct act = FullAct();
  act.records.clear();
  for (std::size_t i = 0; i < kMaxActRecords; ++i) {
    crypto::Id128 id{1};
    id[14] = static_cast<std::uint8_t>(i >> 8);
    id[15] = static_cast<std::uint8_t>(i);
    act.records.push_back("rec_" + crypto::Base32Encode(id));
  }
  CHECK(Delivered(act).Findings().empty());
  act.records.emplace_back(kTestRecord);
  CHECK(IsRefused(act));
}

TEST_CASE("missing mandatory items are named") {
  OperatorDetails details;
  CHECK(MissingItems(details) == Strings{"operator.name", "operator.address", "operator.system"});
  details = {"Name", " \n", "Processor", "", "System"};
  CHECK(MissingItems(details) == Strings{"operator.address", "operator.processor_address"});
  CHECK(MissingItems(FullAct()).empty());
  ErasureAct act = FullAct();
  act.details.address.clear();
  act.destroyed_by[1].name.clear();
  act.destroyed_by[0].position.clear();
  act.categories.clear();
  const Strings missing = {"operator.address", "destroyed_by.name", "destroyed_by.position",
                           "categories"};
  CHECK(MissingItems(act) == missing);
  // It is no reason not to certify what was destroyed.
  const ActReport report = Delivered(act).Verify();
  CHECK(report.ok());
  CHECK(report.missing == missing);
  act.destroyed_by.clear();
  CHECK(MissingItems(act)[1] == "destroyed_by");
}

TEST_CASE("an entry's detail says which erasure it is about, once") {
  const ErasureScope scope = {ScopeKind::kClass, "contact"};
  const std::string detail = ErasureDetail(kTestErasure, scope);
  CHECK(detail == "erasure era_06bk4v0c5s3x9t7q2n8h1w6m4e; scope class:contact");
  CHECK(IsAboutErasure(detail, kTestErasure, scope));
  CHECK(IsAboutErasure("ticket T-1; " + detail + "; lines 2", kTestErasure, scope));
  CHECK_FALSE(IsAboutErasure(detail + "; scope client", kTestErasure, scope));
  CHECK_FALSE(IsAboutErasure("scope client; " + detail, kTestErasure, scope));
  CHECK_FALSE(IsAboutErasure("erasure x; " + detail, kTestErasure, scope));
  CHECK_FALSE(IsAboutErasure(detail + "s", kTestErasure, scope));
  CHECK_FALSE(IsAboutErasure("x" + detail, kTestErasure, scope));
  CHECK_FALSE(IsAboutErasure("", kTestErasure, scope));
  for (const char* text : {"", "class:", "class:A", "client ", "records:x", "class:a/b"}) {
    CHECK_FALSE(ParseScope(text));
  }
}

}  // namespace
}  // namespace coffer::audit
