// What a search of the log may ask for. An answer of no entries says that something did not happen;
// so a value that no entry can have, or that nobody knows, is refused and said to be that, rather
// than found nowhere. Known is what is in the present policy, what the vault itself writes, and
// whatever is or was in the log: who and what is gone stays searchable.
#pragma once

#include <string>
#include <vector>

#include "vault/access/principal_store.h"
#include "vault/catalog/catalog_store.h"
#include "vault/engine/engine.h"
#include "vault/oversight/log_page.h"
#include "vault/oversight/log_reader.h"

namespace coffer::vault {

// What no entry can have, with the filter as pointer ("/client"). An address gets the spelling that
// entries have.
std::vector<Issue> NormaliseFilter(LogFilter& filter);

// ReplaceByPrincipal of an actor, of whom the vault itself is one.
Status ReplaceByActor(const PrincipalRegister& principals, std::string& actor);

// Whether somebody like that is, or was, among the vault's principals. Engine thread.
bool IsActor(const std::string& actor, const PrincipalRegister& principals);

// For a search that found nothing (of one that found something all names are known): the filter's
// names against the policy, what the vault itself writes, and the log. `actor_known`: as IsActor
// said. Errors: kInvalidArgument "filter_unknown" with an issue for each name that nobody knows.
Status CheckNames(const LogFilter& filter, bool actor_known, const Catalog& catalog,
                  LogReader& reader);

}  // namespace coffer::vault
