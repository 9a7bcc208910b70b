// What an explanation says of a class: what the call itself would make of the decision.
#pragma once

#include "vault/access/access_question.h"
#include "vault/access/call.h"
#include "vault/access/operations.h"

namespace coffer::vault {

// The class as far as the decision about the action looks at it; null: it does not.
const ClassSchema* DecidedWith(Action action, const ClassSchema* schema);

// Fills in the answer from `decision`, which allows what was `asked`, by the steps that follow it
// in the call, for what is told field by field. Without a class a search is by the reference.
Status ExplainFields(const Operations& operations, Transaction& transaction, const Call& asked,
                     const AccessDecision& decision, const ClassSchema* schema,
                     const AccessQuestion& question, AccessAnswer& answer);

// Where the fields that the answer calls plain come from: each grant and lease that alone shows it
// so, whatever others do.
void ExplainPlainFields(const Transaction& transaction, const AccessDecision& decision,
                        const ClassSchema* schema, const AccessQuestion& question,
                        AccessAnswer& answer);

}  // namespace coffer::vault
