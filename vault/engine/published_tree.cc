#include "vault/engine/published_tree.h"

#include "vault/engine/log_keys.h"

namespace coffer::vault {

Result<audit::Checkpoint> PublishedTrees::Published(std::string& note) const {
  note = publisher_.published();
  return VerifyByAnyKey(note, keyring_);
}

Result<PublishedTree> PublishedTrees::LookAtNewest() const {
  COFFER_TRY(publisher_.Publish(false));
  PublishedTree tree;
  COFFER_ASSIGN(tree.checkpoint, Published(tree.note));
  tree.signer = keyring_.log_signing_key();
  for (const auto& held : keyring_.log_keys()) {
    if (audit::VerifyCheckpoint(tree.note, {keyring_.log_origin(), held.key->public_key()})) {
      tree.signer = held.key;
    }
  }
  audit::Entry none;
  COFFER_TRY(
      engine_.Run(OperationKind::kRead, EntryRule::kNever, none, [&](Transaction&) -> Status {
        tree.head = engine_.HeadInTransaction();
        return {};
      }));
  return tree;
}

}  // namespace coffer::vault
