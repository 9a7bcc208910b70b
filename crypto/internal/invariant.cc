#include "crypto/internal/invariant.h"

#include <cstdio>
#include <cstdlib>

namespace coffer::crypto::internal {

void Die(std::string_view what) {
  std::fprintf(stderr, "coffer: broken invariant: %.*s\n", static_cast<int>(what.size()),
               what.data());
  std::abort();
}

}  // namespace coffer::crypto::internal
