// The act of an erasure in a log of its own, and somebody who changes what was delivered:
//
//   Delivered delivered;
//   CHECK(delivered.Findings().empty());
//   delivered.act.client = "cli_…";
//   CHECK(delivered.Findings() == Strings{"act"});
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/documents/act_document.h"
#include "audit/documents/act_json.h"
#include "audit/documents/erasure_act.h"
#include "audit/tlog/proof.h"
#include "tests/audit/entries/test_log.h"

namespace coffer::audit {

inline constexpr std::string_view kTestErasure = "era_06bk4v0c5s3x9t7q2n8h1w6m4e";
inline constexpr std::string_view kTestVault = "06bk4v0c5s3x9t7q2n8h1w6m4v";
inline constexpr std::string_view kTestClient = "cli_06bk4v0c5s3x9t7q2n8h1w6m4g";
inline constexpr std::string_view kTestRecord = "rec_06bk4v0c5s3x9t7q2n8h1w6m4h";

// Every member present.
inline ErasureAct FullAct() {
  ErasureAct act;
  act.erasure = kTestErasure;
  act.vault = kTestVault;
  act.details = {"ООО «Ромашка»", "Москва, Примерная ул., 1", "Vault Hosting GmbH",
                 "Musterstraße 1, Berlin", "ИСПДн «Клиенты»"};
  act.client = kTestClient;
  act.reference = "ОБР-2026/17";
  act.scope = {ScopeKind::kRecords};
  act.records = {std::string(kTestRecord), "rec_06bk4v0c5s3x9t7q2n8h1w6m4j"};
  act.destroyed_by = {{"usr_06bk4v0c5s3x9t7q2n8h1w6m4u", "А. А. Первая", "privacy officer",
                       DestroyerRole::kRequester},
                      {"usr_06bk4v0c5s3x9t7q2n8h1w6m5u", "B. Second", "security officer",
                       DestroyerRole::kApprover}};
  act.categories = {{"contact", "Контактные данные", 1, 3}, {"invoice", "", 1, 1}};
  act.key = DestroyedKey{"key_of_06bk4v0c5s3x9t7q2n8h1w6m4g", 2, true};
  act.reason = {ReasonKind::kPolicy, "contact-3-years", 4, "purpose reached: art. 17(1)(a) GDPR"};
  act.date = {1'767'323'059'000};
  act.kept = {{"class invoice", "tax law: 10 years"}};
  act.backup_horizon_days = 7;
  act.log = kOrigin;
  act.ledger_seq = 5;
  return act;
}

// As the vault writes it.
inline Entry EntryOf(const ErasureAct& act) {
  Entry entry;
  entry.action = "retention.erase";
  entry.actor = "usr_06bk4v0c5s3x9t7q2n8h1w6m4u";
  entry.actor_kind = ActorKind::kUser;
  entry.client = act.client;
  entry.class_name = act.scope.class_name;
  entry.decision = Decision::kAllow;
  entry.rule = "role:privacy-officer";
  entry.outcome = "ok";
  entry.detail = "ticket T-1; " + ErasureDetail(act.erasure, act.scope);
  return entry;
}

inline std::string ActDocumentOf(std::string_view act_json, std::string_view entry,
                                 std::string_view note, std::string_view proof) {
  CanonicalWriter out;
  out.Open().Json("act", act_json).Text("entry", entry).Text("note", note);
  return out.Text("proof", proof).Close().Take();
}

// Parts of a document that hold together, each of which can be changed.
struct Delivered {
  explicit Delivered(const ErasureAct& what = FullAct()) : Delivered(what, [](Entry&) {}) {}
  template <class Change>
  Delivered(const ErasureAct& what, const Change& change_entry) : act(what) {
    log.Write(11);
    Entry written = EntryOf(act);
    change_entry(written);
    log.Append(written, act.date);
    log.Write(3);
    act.log_seq = 11;
    entry = *log.stored().rows.at(11);
    act.entry_hash = crypto::Sha256(crypto::AsBytes(entry));
    proof = ProofOf(act.log_seq);
    Sign();
  }

  std::string ProofOf(std::uint64_t seq) {
    const HashReader reader = MakeHashReader(log.stored(), log.writer().head());
    auto hashes = InclusionProof(seq, log.Head().size, reader);
    REQUIRE(hashes);
    return FormatProof({seq, *std::move(hashes), SignCheckpoint(log.Head(), LogKey())});
  }
  void Sign(const crypto::SigningKey& key = LogKey()) {
    auto written = WriteAct(act, kOrigin, key);
    if (!written) FAIL(written.error().reason << " " << written.error().detail);
    note = *std::move(written);
  }
  std::string Document() const { return ActDocumentOf(FormatActJson(act), entry, note, proof); }
  ActReport Verify() const {
    const VerifierKey trusted[] = {LogVerifier()};
    return VerifyAct(Document(), trusted);
  }
  Strings Findings() const {
    Strings checks;
    for (const DocumentFinding& finding : Verify().findings) checks.push_back(finding.check);
    return checks;
  }

  TestLog log;
  ErasureAct act;
  std::string entry, note, proof;
};

// A change to every value of a JSON document, one at a time: calls each(path, changed document).
template <class Json, class Each>
void ForEachChange(const Json& document, const Each& each) {
  const Json flat = document.flatten();
  for (const auto& [path, value] : flat.items()) {
    const typename Json::json_pointer at(path);
    Json changed = document;
    if (value.is_string()) {
      auto text = value.template get<std::string>();
      // An id stays one, as far as its form goes.
      if (text.empty() || static_cast<unsigned char>(text.back()) >= 0x80) {
        text.push_back('1');
      } else {
        text.back() = text.back() == '1' ? '2' : '1';
      }
      changed[at] = text;
    } else if (value.is_boolean()) {
      changed[at] = !value.template get<bool>();
    } else {
      changed[at] = value.template get<std::uint64_t>() + 1;
    }
    each(path, changed);
    changed = document;
    Json& parent = changed[at.parent_pointer()];
    if (parent.is_array()) {
      parent.erase(static_cast<std::size_t>(std::stoul(at.back())));
    } else {
      parent.erase(at.back());
    }
    each("without " + path, changed);
  }
}

}  // namespace coffer::audit
