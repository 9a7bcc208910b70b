// An entry with every member, and the bytes that every version of Coffer must write and read for
// it.
#pragma once

#include <string_view>

#include "audit/entries/entry.h"
#include "tests/audit/tlog/test_keys.h"

namespace coffer::audit {

inline Entry GoldenEntry() {
  Entry entry;
  entry.seq = 4711;
  entry.ts.ms = 1'767'323'045'678;
  entry.prev = HashFromHex("8908d2fd9527ce0207988f6cea4e9ef75f04cfb5dbd43ee8971ad878749419ba");
  entry.skew_ms = 1500;
  entry.log = kOrigin;
  entry.action = "record.write";
  entry.actor = "06bk4v0c5s3x9t7q2n8h1w6m4e";
  entry.actor_kind = ActorKind::kService;
  entry.auth = "token";
  entry.address = "2001:db8::17";
  entry.request = "06bk4v0c5s3x9t7q2n8h1w6m4f";
  entry.client = "06bk4v0c5s3x9t7q2n8h1w6m4g";
  entry.record = "06bk4v0c5s3x9t7q2n8h1w6m4h";
  entry.class_name = "contact";
  entry.fields = {"name", "e-mail", "größe"};
  entry.version = 3;
  entry.purpose = "support";
  entry.decision = Decision::kAllow;
  entry.rule = "desk/write";
  entry.outcome = "ok";
  entry.detail = "a \"quoted\" \\ tab\t and line\n and bell\x07 and \x7f and €";
  entry.payload_hash =
      HashFromHex("ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c");
  entry.note_hash = HashFromHex("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
  return entry;
}

inline constexpr std::string_view kGoldenBytes =
    R"({"action":"record.write","actor":"06bk4v0c5s3x9t7q2n8h1w6m4e","actor_kind":"service",)"
    R"("address":"2001:db8::17","auth":"token","class":"contact",)"
    R"("client":"06bk4v0c5s3x9t7q2n8h1w6m4g","decision":"allow",)"
    R"("detail":"a \"quoted\" \\ tab\t and line\n and bell\u0007 and )"
    "\x7f"
    R"( and €","fields":["name","e-mail","größe"],"log":"vault.example/audit",)"
    R"("note_hash":"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",)"
    R"("outcome":"ok",)"
    R"("payload_hash":"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",)"
    R"("prev":"8908d2fd9527ce0207988f6cea4e9ef75f04cfb5dbd43ee8971ad878749419ba",)"
    R"("purpose":"support","record":"06bk4v0c5s3x9t7q2n8h1w6m4h",)"
    R"("request":"06bk4v0c5s3x9t7q2n8h1w6m4f","rule":"desk/write","seq":4711,"skew_ms":1500,)"
    R"("ts":"2026-01-02T03:04:05.678Z","v":1,"version":3})";

}  // namespace coffer::audit
