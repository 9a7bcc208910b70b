#!/usr/bin/env bash
# Takes the log verifier's checks away one at a time, in a copy of the tree, and wants a test to fail
# for each. By hand: it takes half an hour.
#   tests/audit/mutations.sh [NUMBER...]      all, or some of those below
# Prints a line for each; ends with 1 if one survived.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# FILE|WHAT STANDS THERE, ONCE|WHAT STANDS THERE INSTEAD, in audit/
mutations=(
  'verify/verify.cc|if (seq < next_) {|if (false) {'
  'verify/verify.cc|if (seq > next_) {|if (false) {'
  'verify/verify.cc|if (next_ < report_.size) {|if (false) {'
  'verify/verify.cc|Report(seq, "canonical",|if (false) Report(seq, "canonical",'
  'verify/verify.cc|if (offset != 0 && offset != number_offset_) {|if (false) {'
  'verify/verify.cc|if (offset != 0) passed = false;|'
  'verify/verify.cc|if (prev_ && entry.prev != *prev_) {|if (false) {'
  'verify/verify.cc|prev_ = read.hash;|prev_.reset();'
  'verify/verify.cc|std::optional<Hash> prev_ = Hash{};|std::optional<Hash> prev_;'
  'verify/verify.cc|if (last_ts_ && entry.ts < *last_ts_) {|if (false) {'
  'verify/verify.cc|if (entry.log != options_.key.name) {|if (false) {'
  'verify/verify.cc|tree_.Root() == given.parsed.checkpoint.root ? Fit::kHolds : Fit::kDiffers|Fit::kHolds'
  'verify/verify.cc|if (!stored) {|if (false) {'
  'verify/verify.cc|stored->size() != computed.hashes.size()|false'
  'verify/verify.cc|*stored != computed.hashes|false'
  'verify/verify.cc|COFFER_TRY(CheckOrigin(parsed, options_.key.name));|'
  'verify/verify.cc|if (given.size() > report_.size) continue;|'
  'verify/verify.cc|if (given.fit == Fit::kNotReached) {|if (false) {'
  'verify/verify.cc|if (signed_size > report_.size) {|if (false) {'
  'verify/verify.cc|standing == Standing::kUntimely|false'
  'verify/verify.cc|if (!CheckSignature(given, standing)) continue;|'
  'verify/verify.cc|keys_.first_named() && keys_.Find(options_.key) == nullptr|false'
  'verify/verify.cc|if (const Status status = keys_.Take(seq, entry_); !status) {|if (const Status status = keys_.Take(seq, entry_); false) {'
  'verify/verify.cc|if (passed && options_.on_entry) {|if (options_.on_entry) {'
  'verify/verify.cc|  CompareCheckpointsAtThisSize();
  for (|  for ('
  'verify/verify.cc|if (!stored && stored.error().code != Code::kNotFound) return std::unexpected(stored.error());|'
  'verify/verify.cc|std::min(checkpoint_findings_.size(), kKeptForCheckpoints)|std::size_t{0}'
  'verify/verify.cc|if (complete_) GrowTree(read.leaf);|GrowTree(read.leaf);'
  'tlog/proof.cc|if (text.size() > kMaxProofBytes) return malformed("too long");|'
  'tlog/proof.cc|if (proof.hashes.size() == kMaxHashes) return malformed("more than 63 hashes");|'
  'tlog/proof.cc|if (text.empty()) return malformed("no checkpoint");|'
  'tlog/proof.cc|COFFER_TRY(VerifyInclusion(LeafHash(entry), proof.index, checkpoint.size, proof.hashes,
                             checkpoint.root));|(void)entry;'
  'tlog/merkle.cc|if (index >= size) return Fail(Code::kCorrupted, "inclusion_proof_invalid", "index beyond size");|'
  'tlog/merkle.cc|if (computed != root) {|if (false) {'
  'tlog/merkle.cc|if (FoldEdge(FoldInnerLeft(start, sides, lower), upper) != old_root) {|if (false) {'
  'tlog/merkle.cc|if (FoldEdge(FoldInner(start, sides, lower), upper) != root) return invalid("another root");|'
  'tlog/checkpoint.cc|COFFER_TRY(CheckOrigin(parsed, key.name));|'
  'tlog/checkpoint.cc|COFFER_TRY(CheckSignedBy(parsed, key));|'
  'tlog/checkpoint.cc|if (!SplitNote(text)) return Corrupted("anchor_malformed", "not followed by a signed note");|'
  'tlog/note.cc|if (!crypto::VerifySignature(key.key, crypto::AsBytes(text), line.signature)) {|if (false) {'
  'tlog/note.cc|Signed result = Signed::kNot;|Signed result = Signed::kRightly;'
  'tlog/note.cc|note.size() > kMaxNoteBytes \|\| |'
  'tlog/note.cc| \|\| !IsNoteText(note)|'
  'tlog/note.cc|return name == key.name && key_id|return key_id'
  'tlog/note.cc|name == key.name && key_id == KeyIdOf(key)|name == key.name'
  'tlog/note.cc|if (!signature) return std::nullopt;|if (!signature) break;'
  'tlog/checkpoint.cc|if (!extension \|\| extension->empty()) return std::nullopt;|if (!extension) return std::nullopt;'
  'verify/trust.cc|return epoch == nullptr \|\| epoch->MaySign(size);|return size != UINT64_MAX;'
  'verify/trust.cc|if (!candidates[i].trusted) continue;|'
  'verify/trust.cc|candidate.epoch->named_by >= covered|candidate.epoch->named_by > covered'
  'verify/trust.cc|given[i].fit == GivenCheckpoint::Fit::kHolds|true'
  'verify/trust.cc|signers.wrong = true;|'
  'tlog/cosignature.cc|time > kMaxTime \|\||'
  'tlog/cosignature.cc|if (signed_at && *signed_at != *time) {|if (false) {'
  'tlog/cosignature.cc|COFFER_TRY(VerifyCosignature(result, key));|'
  'tlog/cosignature.cc|if (!signature \|\| !signature->IsBy(ToNoteKey(key))) {|if (!signature) {'
  'entries/key_history.cc|entry.actor_kind != ActorKind::kSystem \|\| |'
  'entries/key_history.cc|entry.decision != Decision::kAllow \|\||'
  'entries/key_history.cc|\|\|
      entry.outcome != "ok"|'
  'entries/key_history.cc|if (key->name != origin_) return Invalid("names a key of another log");|'
  'entries/key_history.cc|if (Find(key) != nullptr) return Invalid("announces a key a second time");|'
  'entries/key_history.cc|if (epochs_.size() == kMaxKeys) return Invalid("announces more keys than a log may have");|'
  'entries/key_history.cc|if (known != epochs_.end() && known->until) return Invalid("retires a key a second time");|'
  'entries/key_history.cc|if (!another) return Invalid("retires the last key");|'
  'entries/key_history.cc|created ? 0 : seq + 1|created ? 0 : seq'
  'entries/key_history.cc|seq == 0 && entry.action|entry.action'
  'verify/remembered.cc|if (const auto checkpoint = VerifyCheckpoint(text, *key); !checkpoint) {|if (const auto checkpoint = VerifyCheckpoint(text, *key); false) {'
  'documents/act_document.cc|!ActProblem(document.act).empty() \|\||'
  'documents/act_document.cc|      FormatActDocument(FormatActJson(document.act), document.entry, document.note,
                        document.proof) != text) {|      false) {'
  'documents/act_document.cc|if (*DocumentIn(document_.note, kActFormat) != FormatActJson(act_)) {|if (false) {'
  'documents/act_document.cc|crypto::Sha256(crypto::AsBytes(document_.entry)) != act_.entry_hash|false'
  'documents/act_document.cc|if (entry->seq != act_.log_seq \|\| entry->log != act_.log) {|if (false) {'
  'documents/act_document.cc|std::ranges::find(kErasureActions, entry->action) == std::end(kErasureActions) \|\||'
  'documents/act_document.cc|entry->decision != Decision::kAllow \|\||'
  'documents/act_document.cc| \|\| entry->outcome != "ok"|'
  'documents/act_document.cc|entry->client != act_.client \|\| |'
  'documents/act_document.cc|other_class \|\||'
  'documents/act_document.cc|!IsAboutErasure(entry->detail, act_.erasure, act_.scope)|false'
  'documents/act_document.cc|if (proof->index != act_.log_seq) {|if (false) {'
  'documents/erasure_scope.cc|right && named == 1|right'
  'documents/signed_document.cc| \|\| !text.empty()|'
  'documents/signed_document.cc| \|\| document->format != format|'
  'documents/signed_document.cc|if (SplitDocument(*text)->origin != key.name) {|if (false) {'
  'documents/run_report.cc|if (*DocumentIn(parsed->note, kRunFormat) != FormatRunJson(*check.report)) {|if (false) {'
  'documents/erasure_ledger.cc|if (!IsSignedByOneOf(*SplitLedgerLine(line), trusted_)) {|if (false) {'
  'documents/erasure_ledger.cc|if (parsed->at.n != head_.n) {|if (false) {'
  'documents/erasure_ledger.cc|if (parsed->at.prev != head_.prev) return|if (false) return'
  'documents/erasure_ledger.cc|if (parsed->erasure.vault != vault_) return|if (false) return'
  'documents/erasure_ledger.cc|if (rest_.size() + std::min(end, bytes.size()) > kMaxLedgerLineBytes) {|if (false) {'
  'documents/ledger_file.cc|if (flock(descriptor, LOCK_EX \| LOCK_NB) != 0) {|if (false) {'
  'documents/ledger_file.cc|if (erasure.vault != vault) return|if (false) return'
  'documents/ledger_file.cc|known.name == name && known.key == key.public_key()|true'
  'documents/ledger_file.cc|ftruncate(descriptor_, static_cast<off_t>(size_)) != 0;|false;'
  'tlog/tile.cc|if (FormatTilePath(path) != whole) return MalformedPath();|(void)whole;'
  'verify/verify.cc|const bool ended = !read && read.error().code == Code::kNotFound;|const bool ended = false;'
  'verify/verify.cc|if (!ended) COFFER_TRY(read);|'
  'verify/verify.cc|const bool renumbered = offset != number_offset_;|const bool renumbered = false;'
  'tlog/merkle.cc|if (proof.size() != inner + edge) {|if (false) {'
  'tlog/merkle.cc|if (old_size > size) return invalid("old size beyond size");|'
  'tlog/merkle.cc|if (!proof.empty()) return invalid("wrong number of hashes");|'
  'tlog/merkle.cc|if (old_root != (old_size == 0 ? EmptyRoot() : root)) return invalid("another old root");|'
  'tlog/merkle.cc|if (size == 0 && root != EmptyRoot()) return invalid("another root");|'
  'tlog/merkle.cc|if (proof.size() != (old_root_starts ? 0U : 1U) + inner + edge) {|if (false) {'
  'tlog/note.cc|if (!IsKeyName(key.name)) return malformed("the name is empty or has white space");|'
  'tlog/note.cc|encoded->front() != static_cast<std::uint8_t>(type)|false'
  'tlog/note.cc|text.substr(first + 1, second - first - 1) != crypto::HexEncode(KeyIdOf(key))|false'
  'tlog/checkpoint.cc| \|\| origin->empty()|'
  'tlog/note.cc| \|\| !IsKeyName(line.substr(0, space))|'
  'tlog/checkpoint.cc|if (note.checkpoint.origin == origin) return {};|return {};'
  'verify/trust.cc|if (signers.wrong) return {Standing::kWronglySigned, nullptr};|'
  'verify/trust.cc|&epoch == own|true'
  'verify/trust.cc|candidates[i].MaySign(size)|true'
  'entries/key_history.h|size >= from && |'
  'entries/key_history.h| && (!until \|\| size <= *until)|'
  'entries/key_history.cc|known->until = seq;|'
  'entries/key_history.cc|return a.key == b.key && a.name == b.name;|return a.key == b.key;'
  'tlog/tile.cc|if (size > kMaxEntryBytes) return MalformedBundle("an entry is too long");|'
  'tlog/tile.cc|if (size > bytes.size()) return MalformedBundle("half an entry");|'
  'tlog/tile.cc|if (entries.size() == count) return MalformedBundle("more entries than expected");|'
  'tlog/tile.cc|if (entries.size() != count) return MalformedBundle("fewer entries than expected");|'
  'tlog/tile.cc|if (seq != next) return gap();|'
  'tlog/tile.cc|if (next != end) return gap();|'
  'tlog/tile.cc|path.width == 0 \|\| path.width > width|path.width == 0'
  'tlog/tile.cc| \|\| *width >= kTileWidth|'
  'tlog/tile.cc| \|\| *level > kMaxLevel|'
  'documents/evidence_check.cc|if (!proven) {|if (false) {'
  'documents/evidence_check.cc|if (entry.seq != item.seq) {|if (false) {'
  'documents/evidence_check.cc|if (entry.log != trusted_.name) {|if (false) {'
  'documents/evidence_check.cc|if (!Belongs(entry, at)) {|if (false) {'
  'documents/evidence_check.cc|if (item.seq == 0 && entry.prev != Hash{}) {|if (false) {'
  'documents/evidence_check.cc|if (item.seq <= before_->seq) {|if (false) {'
  'documents/evidence_check.cc|if (before_ts_ && entry.ts < *before_ts_) {|if (false) {'
  'documents/evidence_check.cc|if (evidence_.kind == EvidenceKind::kRange) {|if (false) {'
  'documents/evidence_check.cc|if (entry.prev != crypto::Sha256(crypto::AsBytes(before_->bytes))) {|if (false) {'
  'documents/evidence_check.cc|if (!evidence_.reasons_included) {|if (false) {'
  'documents/evidence_check.cc|NoteCommitment(item.note->salt, item.note->text) != *entry.note_hash|false'
  'documents/evidence_check.cc|if (std::ranges::find(evidence_.keys, trusted_.key, &VerifierKey::key) == evidence_.keys.end()) {|if (false) {'
  'documents/evidence_check.cc|if (evidence_.subject.empty() != (evidence_.kind == EvidenceKind::kRange)) {|if (false) {'
  'documents/evidence_check.cc|closed = start && end;|closed = start;'
  'documents/evidence_check.cc|closed = start && end;|closed = end;'
  'documents/evidence_files.cc|if (!proof \|\| proof->index != entry.seq) {|if (!proof) {'
  'documents/evidence_files.cc|proof->checkpoint != checkpoint|false'
  'documents/evidence_files.cc|static_cast<std::size_t>(proofs) != entries.size()|false'
  'documents/evidence_files.cc|opened.manifest.entries != entries.size() \|\||'
  'documents/evidence_files.cc|crypto::Sha256(crypto::AsBytes(*bytes)) != listed.sha256|false'
  'documents/evidence_files.cc|if (!std::ranges::binary_search(manifest.files, name, {}, &ManifestFile::name)) {|if (false) {'
  'documents/evidence_files.cc|if (bytes == nullptr) Bad(name, "is missing");|'
  'documents/evidence_bundle.cc|*text != ManifestStatement(trusted.name, opened.manifest_text)|false'
  'documents/evidence_bundle.cc|if (said.log != trusted.name) {|if (false) {'
  'documents/evidence_bundle.cc|report.checkpoint && report.checkpoint->size != said.checkpoint_size|false'
  'documents/evidence_bundle.cc|if (!opened_well && report|if (report'
  'entries/entry_parser.cc|if (canonical != bytes) {|if (false) {'
  'entries/entry_parser.cc|if (bytes.size() > kMaxEntryBytes) return Malformed("longer than 8192 bytes");|'
)

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy"
build=$copy/build/mutations
cmake -S "$copy" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release >"$copy/log"
run() { ninja -C "$build" audit_tests >"$copy/log" 2>&1 && "$build/bin/audit_tests" --abort >"$copy/log" 2>&1; }
run || { tail -n 30 "$copy/log" >&2; echo "mutations: the tests fail without any" >&2; exit 1; }

# replace FILE FROM TO: FROM stands there exactly once.
replace() {
  FROM=$2 TO=$3 perl -0777 -i -pe \
    '$n = () = /\Q$ENV{FROM}\E/g; die "stands there $n times\n" if $n != 1; s/\Q$ENV{FROM}\E/$ENV{TO}/' "$1"
}

numbers=("$@")
[ ${#numbers[@]} -gt 0 ] || mapfile -t numbers < <(seq 1 ${#mutations[@]})
survived=0
for number in "${numbers[@]}"; do
  IFS=$'\x01' read -r -d '' file from to < <(
    sed -e 's/\\|/\x02/g' -e 's/|/\x01/g' -e 's/\x02/|/g' <<<"${mutations[number - 1]}"; printf '\0') || true
  to=${to%$'\n'}
  target=$copy/audit/$file
  cp -p "$target" "$copy/original"
  if ! why=$(replace "$target" "$from" "$to" 2>&1); then
    result="cannot be applied: $why"
  elif ! ninja -C "$build" audit_tests >"$copy/log" 2>&1; then
    result="does not compile"
  elif timeout 300 "$build/bin/audit_tests" --abort >"$copy/log" 2>&1; then
    result=SURVIVED
  else
    result=killed
  fi
  [ "$result" = killed ] || survived=1
  printf '%2d %-8s %s: %s\n' "$number" "$result" "$file" "${from//$'\n'*/ …}"
  cp "$copy/original" "$target"
done
exit "$survived"
