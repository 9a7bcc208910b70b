// Names beside the ids of an answer.
#pragma once

#include "api/http/route.h"
#include "vault/access/known_names.h"

namespace coffer::api {

// The answer, a JSON object, with one more member, "names": what the principals whose ids are
// somewhere in it are called, of those that the caller may know (NamesOfIds). They are looked
// up together, once for an answer. What was done, and must be told, does not depend on them: where
// they cannot be looked up the member is absent.
Reply WithNames(const Service& service, const Call& call, Reply reply);

// The same with clients, for what is read about several: each is a disclosure of its own. The one
// that the path names is the caller's already.
Reply WithClientNames(const Service& service, const Call& call, Reply reply);
// The same of a page of the log, whose reader was given what principals are called with it: nothing
// is asked of the vault where no client is to be named.
Reply WithClientNames(const Service& service, const Call& call, Reply reply,
                      const vault::PrincipalNames& principals);

}  // namespace coffer::api
