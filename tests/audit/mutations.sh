#!/usr/bin/env bash
# Takes the log verifier's checks away one at a time, in a copy of the tree, and wants a test to fail
# for each. By hand: it takes half an hour.
#   tests/audit/mutations.sh [NUMBER...]      all, or some of those below
# Prints a line for each; ends with 1 if one survived.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# FILE|WHAT STANDS THERE, ONCE|WHAT STANDS THERE INSTEAD, in audit/
mutations=(
  'verify.cc|if (seq < next_) {|if (false) {'
  'verify.cc|if (seq > next_) {|if (false) {'
  'verify.cc|if (next_ < report_.size) {|if (false) {'
  'verify.cc|Report(seq, "canonical",|if (false) Report(seq, "canonical",'
  'verify.cc|if (offset != 0 && offset != number_offset_) {|if (false) {'
  'verify.cc|if (offset != 0) passed = false;|'
  'verify.cc|if (prev_ && entry.prev != *prev_) {|if (false) {'
  'verify.cc|prev_ = read.hash;|prev_.reset();'
  'verify.cc|std::optional<Hash> prev_ = Hash{};|std::optional<Hash> prev_;'
  'verify.cc|if (last_ts_ && entry.ts < *last_ts_) {|if (false) {'
  'verify.cc|if (entry.log != options_.key.name) {|if (false) {'
  'verify.cc|tree_.Root() == given.parsed.checkpoint.root ? Fit::kHolds : Fit::kDiffers|Fit::kHolds'
  'verify.cc|if (!stored) {|if (false) {'
  'verify.cc|stored->size() != computed.hashes.size()|false'
  'verify.cc|*stored != computed.hashes|false'
  'verify.cc|COFFER_TRY(CheckOrigin(parsed, options_.key.name));|'
  'verify.cc|if (given.size() > report_.size) continue;|'
  'verify.cc|if (given.fit == Fit::kNotReached) {|if (false) {'
  'verify.cc|if (signed_size > report_.size) {|if (false) {'
  'verify.cc|standing == Standing::kUntimely|false'
  'verify.cc|if (!CheckSignature(given, standing)) continue;|'
  'verify.cc|keys_.first_named() && keys_.Find(options_.key) == nullptr|false'
  'verify.cc|if (const Status status = keys_.Take(seq, entry_); !status) {|if (const Status status = keys_.Take(seq, entry_); false) {'
  'verify.cc|if (passed && options_.on_entry) {|if (options_.on_entry) {'
  'verify.cc|  CompareCheckpointsAtThisSize();
  for (|  for ('
  'verify.cc|if (!stored && stored.error().code != Code::kNotFound) return std::unexpected(stored.error());|'
  'verify.cc|std::min(checkpoint_findings_.size(), kKeptForCheckpoints)|std::size_t{0}'
  'verify.cc|if (complete_) GrowTree(read.leaf);|GrowTree(read.leaf);'
  'proof.cc|if (text.size() > kMaxProofBytes) return malformed("too long");|'
  'proof.cc|if (proof.hashes.size() == kMaxHashes) return malformed("more than 63 hashes");|'
  'proof.cc|if (text.empty()) return malformed("no checkpoint");|'
  'proof.cc|COFFER_TRY(VerifyInclusion(LeafHash(entry), proof.index, checkpoint.size, proof.hashes,
                             checkpoint.root));|(void)entry;'
  'merkle.cc|if (index >= size) return Fail(Code::kCorrupted, "inclusion_proof_invalid", "index beyond size");|'
  'merkle.cc|if (computed != root) {|if (false) {'
  'merkle.cc|if (FoldEdge(FoldInnerLeft(start, sides, lower), upper) != old_root) {|if (false) {'
  'merkle.cc|if (FoldEdge(FoldInner(start, sides, lower), upper) != root) return invalid("another root");|'
  'checkpoint.cc|COFFER_TRY(CheckOrigin(parsed, key.name));|'
  'checkpoint.cc|COFFER_TRY(CheckSignedBy(parsed, key));|'
  'checkpoint.cc|if (!SplitNote(text)) return Corrupted("anchor_malformed", "not followed by a signed note");|'
  'internal/note.cc|if (!crypto::VerifySignature(key.key, crypto::AsBytes(text), line.signature)) {|if (false) {'
  'internal/note.cc|Signed result = Signed::kNot;|Signed result = Signed::kRightly;'
  'internal/note.cc|note.size() > kMaxNoteBytes \|\| |'
  'internal/note.cc| \|\| !IsNoteText(note)|'
  'internal/note.cc|return name == key.name && key_id|return key_id'
  'internal/note.cc|name == key.name && key_id == KeyIdOf(key)|name == key.name'
  'internal/note.cc|if (!signature) return std::nullopt;|if (!signature) break;'
  'internal/note.cc|if (!extension \|\| extension->empty()) return std::nullopt;|if (!extension) return std::nullopt;'
  'internal/trust.cc|return epoch == nullptr \|\| epoch->MaySign(size);|return size != UINT64_MAX;'
  'internal/trust.cc|if (!candidates[i].trusted) continue;|'
  'internal/trust.cc|candidate.epoch->named_by >= covered|candidate.epoch->named_by > covered'
  'internal/trust.cc|given[i].fit == GivenCheckpoint::Fit::kHolds|true'
  'internal/trust.cc|signers.wrong = true;|'
  'cosignature.cc|time > kMaxTime \|\||'
  'cosignature.cc|if (signed_at && *signed_at != *time) {|if (false) {'
  'cosignature.cc|COFFER_TRY(VerifyCosignature(result, key));|'
  'cosignature.cc|if (!signature \|\| !signature->IsBy(ToNoteKey(key))) {|if (!signature) {'
  'key_history.cc|entry.actor_kind != ActorKind::kSystem \|\| |'
  'key_history.cc|entry.decision != Decision::kAllow \|\||'
  'key_history.cc|\|\|
      entry.outcome != "ok"|'
  'key_history.cc|if (key->name != origin_) return Invalid("names a key of another log");|'
  'key_history.cc|if (Find(key) != nullptr) return Invalid("announces a key a second time");|'
  'key_history.cc|if (epochs_.size() == kMaxKeys) return Invalid("announces more keys than a log may have");|'
  'key_history.cc|if (known != epochs_.end() && known->until) return Invalid("retires a key a second time");|'
  'key_history.cc|if (!another) return Invalid("retires the last key");|'
  'key_history.cc|created ? 0 : seq + 1|created ? 0 : seq'
  'key_history.cc|seq == 0 && entry.action|entry.action'
  'remembered.cc|if (const auto checkpoint = VerifyCheckpoint(text, *key); !checkpoint) {|if (const auto checkpoint = VerifyCheckpoint(text, *key); false) {'
  'erasure_act.cc|!ActProblem(document.act).empty() \|\||'
  'erasure_act.cc|      FormatActDocument(FormatActJson(document.act), document.entry, document.note,
                        document.proof) != text) {|      false) {'
  'erasure_act.cc|if (*DocumentIn(document_.note, kActFormat) != FormatActJson(act_)) {|if (false) {'
  'erasure_act.cc|crypto::Sha256(crypto::AsBytes(document_.entry)) != act_.entry_hash|false'
  'erasure_act.cc|if (entry->seq != act_.log_seq \|\| entry->log != act_.log) {|if (false) {'
  'erasure_act.cc|std::ranges::find(kErasureActions, entry->action) == std::end(kErasureActions) \|\||'
  'erasure_act.cc|entry->decision != Decision::kAllow \|\||'
  'erasure_act.cc| \|\| entry->outcome != "ok"|'
  'erasure_act.cc|entry->client != act_.client \|\| |'
  'erasure_act.cc|other_class \|\||'
  'erasure_act.cc|!IsAboutErasure(entry->detail, act_.erasure, act_.scope)|false'
  'erasure_act.cc|if (proof->index != act_.log_seq) {|if (false) {'
  'erasure_scope.cc|right && named == 1|right'
  'internal/signed_document.cc| \|\| !text.empty()|'
  'internal/signed_document.cc| \|\| document->format != format|'
  'internal/signed_document.cc|if (SplitDocument(*text)->origin != key.name) {|if (false) {'
  'run_report.cc|if (*DocumentIn(parsed->note, kRunFormat) != FormatRunJson(*check.report)) {|if (false) {'
  'erasure_ledger.cc|if (!IsSignedByOneOf(*SplitLedgerLine(line), trusted_)) {|if (false) {'
  'erasure_ledger.cc|if (parsed->at.n != head_.n) {|if (false) {'
  'erasure_ledger.cc|if (parsed->at.prev != head_.prev) return|if (false) return'
  'erasure_ledger.cc|if (parsed->erasure.vault != vault_) return|if (false) return'
  'erasure_ledger.cc|if (rest_.size() + std::min(end, bytes.size()) > kMaxLedgerLineBytes) {|if (false) {'
  'ledger_file.cc|if (flock(descriptor, LOCK_EX \| LOCK_NB) != 0) {|if (false) {'
  'ledger_file.cc|if (erasure.vault != vault) return|if (false) return'
  'ledger_file.cc|known.name == name && known.key == key.public_key()|true'
  'ledger_file.cc|ftruncate(descriptor_, static_cast<off_t>(size_)) != 0;|false;'
  'tile.cc|if (FormatTilePath(path) != whole) return MalformedPath();|(void)whole;'
  'verify.cc|const bool ended = !read && read.error().code == Code::kNotFound;|const bool ended = false;'
  'verify.cc|if (!ended) COFFER_TRY(read);|'
  'verify.cc|const bool renumbered = offset != number_offset_;|const bool renumbered = false;'
  'merkle.cc|if (proof.size() != inner + edge) {|if (false) {'
  'merkle.cc|if (old_size > size) return invalid("old size beyond size");|'
  'merkle.cc|if (!proof.empty()) return invalid("wrong number of hashes");|'
  'merkle.cc|if (old_root != (old_size == 0 ? EmptyRoot() : root)) return invalid("another old root");|'
  'merkle.cc|if (size == 0 && root != EmptyRoot()) return invalid("another root");|'
  'merkle.cc|if (proof.size() != (old_root_starts ? 0U : 1U) + inner + edge) {|if (false) {'
  'internal/note.cc|if (!IsKeyName(key.name)) return malformed("the name is empty or has white space");|'
  'internal/note.cc|encoded->front() != static_cast<std::uint8_t>(type)|false'
  'internal/note.cc|text.substr(first + 1, second - first - 1) != crypto::HexEncode(KeyIdOf(key))|false'
  'internal/note.cc| \|\| origin->empty()|'
  'internal/note.cc| \|\| !IsKeyName(line.substr(0, space))|'
  'internal/note.cc|if (note.checkpoint.origin == origin) return {};|return {};'
  'internal/trust.cc|if (signers.wrong) return {Standing::kWronglySigned, nullptr};|'
  'internal/trust.cc|&epoch == own|true'
  'internal/trust.cc|candidates[i].MaySign(size)|true'
  'key_history.h|size >= from && |'
  'key_history.h| && (!until \|\| size <= *until)|'
  'key_history.cc|known->until = seq;|'
  'key_history.cc|return a.key == b.key && a.name == b.name;|return a.key == b.key;'
  'tile.cc|if (size > kMaxEntryBytes) return MalformedBundle("an entry is too long");|'
  'tile.cc|if (size > bytes.size()) return MalformedBundle("half an entry");|'
  'tile.cc|if (entries.size() == count) return MalformedBundle("more entries than expected");|'
  'tile.cc|if (entries.size() != count) return MalformedBundle("fewer entries than expected");|'
  'tile.cc|if (seq != next) return gap();|'
  'tile.cc|if (next != end) return gap();|'
  'tile.cc|path.width == 0 \|\| path.width > width|path.width == 0'
  'tile.cc| \|\| *width >= kTileWidth|'
  'tile.cc| \|\| *level > kMaxLevel|'
  'internal/evidence_check.cc|if (!proven) {|if (false) {'
  'internal/evidence_check.cc|if (entry.seq != item.seq) {|if (false) {'
  'internal/evidence_check.cc|if (entry.log != trusted_.name) {|if (false) {'
  'internal/evidence_check.cc|if (!Belongs(entry, at)) {|if (false) {'
  'internal/evidence_check.cc|if (item.seq == 0 && entry.prev != Hash{}) {|if (false) {'
  'internal/evidence_check.cc|if (item.seq <= before_->seq) {|if (false) {'
  'internal/evidence_check.cc|if (before_ts_ && entry.ts < *before_ts_) {|if (false) {'
  'internal/evidence_check.cc|if (evidence_.kind == EvidenceKind::kRange) {|if (false) {'
  'internal/evidence_check.cc|if (entry.prev != crypto::Sha256(crypto::AsBytes(before_->bytes))) {|if (false) {'
  'internal/evidence_check.cc|if (!evidence_.reasons_included) {|if (false) {'
  'internal/evidence_check.cc|NoteCommitment(item.note->salt, item.note->text) != *entry.note_hash|false'
  'internal/evidence_check.cc|if (std::ranges::find(evidence_.keys, trusted_.key, &VerifierKey::key) == evidence_.keys.end()) {|if (false) {'
  'internal/evidence_check.cc|if (evidence_.subject.empty() != (evidence_.kind == EvidenceKind::kRange)) {|if (false) {'
  'internal/evidence_check.cc|closed = start && end;|closed = start;'
  'internal/evidence_check.cc|closed = start && end;|closed = end;'
  'internal/evidence_files.cc|if (!proof \|\| proof->index != entry.seq) {|if (!proof) {'
  'internal/evidence_files.cc|proof->checkpoint != checkpoint|false'
  'internal/evidence_files.cc|static_cast<std::size_t>(proofs) != entries.size()|false'
  'internal/evidence_files.cc|opened.manifest.entries != entries.size() \|\||'
  'internal/evidence_files.cc|crypto::Sha256(crypto::AsBytes(*bytes)) != listed.sha256|false'
  'internal/evidence_files.cc|if (!std::ranges::binary_search(manifest.files, name, {}, &ManifestFile::name)) {|if (false) {'
  'internal/evidence_files.cc|if (bytes == nullptr) Bad(name, "is missing");|'
  'evidence.cc|*text != ManifestStatement(trusted.name, opened.manifest_text)|false'
  'evidence.cc|if (said.log != trusted.name) {|if (false) {'
  'evidence.cc|report.checkpoint && report.checkpoint->size != said.checkpoint_size|false'
  'evidence.cc|if (!opened_well && report|if (report'
  'entry_parser.cc|if (canonical != bytes) {|if (false) {'
  'entry_parser.cc|if (bytes.size() > kMaxEntryBytes) return Malformed("longer than 8192 bytes");|'
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
