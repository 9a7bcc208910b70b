// A log as an auditor gets it: entries as bytes, checkpoints, a verifier key; and, for the attacks,
// everything that may have happened to it on the way.
#pragma once

#include <string>
#include <vector>

#include "audit/entries/log_writer.h"
#include "audit/entries/succession.h"
#include "audit/tlog/checkpoint.h"
#include "audit/tlog/merkle.h"
#include "audit/tlog/proof.h"
#include "crypto/hash.h"
#include "crypto/secret_bytes.h"
#include "crypto/sign.h"

namespace coffer::cli {

class PublicLog {
 public:
  explicit PublicLog(std::size_t size)
      : key_((static_cast<void>(crypto::InitializeCrypto()), crypto::SigningKey::Generate())) {
    Write(size, size);
  }

  // As many entries, of another actor from `from` on.
  void WriteAnew(std::size_t from) {
    const std::size_t size = entries.size();
    entries.clear();
    Write(size, from);
  }
  // The end is lost from `from` on, of what was signed with `known` entries.
  void Succeed(std::size_t from, std::uint64_t known, std::size_t size) {
    const audit::Checkpoint closed{name_, known, Root(known)};
    audit::LogHead head;
    std::vector<audit::FullTile> tiles;
    for (std::size_t i = 0; i < from; ++i) {
      audit::AddLeafToTiles(head.frontier, Leaf(i), head.tile_levels, tiles);
      head.frontier.Append(Leaf(i));
    }
    head.size = from;
    head.last_ts = {1'767'225'600'000 + static_cast<std::int64_t>(from)};
    head.prev = crypto::Sha256(crypto::AsBytes(entries[from - 1]));
    name_ = audit::SuccessorName(name_);
    audit::LogWriter writer(name_, std::move(head));
    entries.resize(from);
    audit::Entry entry = audit::SuccessionEntry(closed);
    while (entries.size() < size) {
      std::string bytes;
      writer.Append(entry, {1'767'225'700'000}, bytes, tiles);
      entries.push_back(std::move(bytes));
      entry = {};
      entry.action = "record.read";
      entry.decision = audit::Decision::kAllow;
    }
  }
  audit::VerifierKey Key() const { return {name_, key_.public_key()}; }

  std::string Checkpoint(std::uint64_t size) const { return Sign({name_, size, Root(size)}); }
  std::string Sign(const audit::Checkpoint& checkpoint) const {
    return audit::SignCheckpoint(checkpoint, key_);
  }

  std::string Proof(std::uint64_t index, std::uint64_t size) const {
    auto hashes = audit::InclusionProof(index, size, Reader());
    return audit::FormatProof({index, *std::move(hashes), Checkpoint(size)});
  }

  std::string Ndjson() const {
    std::string text;
    for (const std::string& entry : entries) text += entry + "\n";
    return text;
  }

  std::vector<std::string> entries;

 private:
  void Write(std::size_t size, std::size_t other_from) {
    audit::LogWriter writer(name_, {});
    std::vector<audit::FullTile> tiles;
    for (std::size_t i = 0; i < size; ++i) {
      audit::Entry entry;
      entry.action = "record.read";
      entry.actor = i < other_from ? "svc_1" : "svc_2";
      entry.decision = i % 10 == 9 ? audit::Decision::kDeny : audit::Decision::kAllow;
      entry.outcome = "ok";
      entry.request = "call_" + std::to_string(i);
      std::string bytes;
      writer.Append(entry, {1'767'225'600'000 + static_cast<std::int64_t>(i)}, bytes, tiles);
      entries.push_back(std::move(bytes));
    }
  }

  audit::Hash Root(std::uint64_t size) const {
    audit::Frontier tree;
    for (std::uint64_t i = 0; i < size; ++i) tree.Append(Leaf(i));
    return tree.Root();
  }
  audit::Hash Leaf(std::uint64_t index) const {
    return audit::LeafHash(crypto::AsBytes(entries[static_cast<std::size_t>(index)]));
  }
  audit::HashReader Reader() const {
    return [this](unsigned level, std::uint64_t index) -> Result<audit::Hash> {
      audit::Frontier tree;
      const std::uint64_t width = std::uint64_t{1} << level;
      for (std::uint64_t i = index * width; i < (index + 1) * width; ++i) tree.Append(Leaf(i));
      return tree.Root();
    };
  }

  std::string name_ = "test.example/log";
  crypto::SigningKey key_;
};

}  // namespace coffer::cli
