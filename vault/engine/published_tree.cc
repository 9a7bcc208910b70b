#include "vault/engine/published_tree.h"

namespace coffer::vault {

Result<audit::Checkpoint> PublishedTrees::Published(std::string& note) const {
  note = publisher_.published();
  return audit::VerifyCheckpoint(note,
                                 {keyring_.log_origin(), keyring_.log_signing_key()->public_key()});
}

Result<PublishedTree> PublishedTrees::LookAtNewest() const {
  COFFER_TRY(publisher_.Publish(false));
  PublishedTree tree;
  COFFER_ASSIGN(tree.checkpoint, Published(tree.note));
  audit::Entry none;
  COFFER_TRY(
      engine_.Run(OperationKind::kRead, EntryRule::kNever, none, [&](Transaction&) -> Status {
        tree.head = engine_.HeadInTransaction();
        return {};
      }));
  return tree;
}

}  // namespace coffer::vault
