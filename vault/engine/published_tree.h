// The log's tree as a checkpoint has it, for proofs about any earlier one.
#pragma once

#include <memory>
#include <string>

#include "audit/tlog/checkpoint.h"
#include "crypto/keyring.h"
#include "vault/engine/engine.h"
#include "vault/engine/log_publisher.h"

namespace coffer::vault {

struct PublishedTree {
  audit::Checkpoint checkpoint;
  std::string note;
  audit::LogHead head;  // of the log then, which is no smaller
  // The newest that the note is signed by: what is said of the tree is signed by the same.
  std::shared_ptr<const crypto::SigningKey> signer;
};

class PublishedTrees {
 public:
  PublishedTrees(Engine& engine, LogPublisher& publisher, const crypto::Keyring& keyring)
      : engine_(engine), publisher_(publisher), keyring_(keyring) {}
  // The last published note, and what it says.
  std::string note() const { return publisher_.published(); }
  Result<audit::Checkpoint> Published(std::string& note) const;
  // The tree with a checkpoint of now; for who was authorised already.
  Result<PublishedTree> LookAtNewest() const;

 private:
  Engine& engine_;
  LogPublisher& publisher_;
  const crypto::Keyring& keyring_;
};

}  // namespace coffer::vault
