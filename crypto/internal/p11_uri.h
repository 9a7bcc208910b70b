// Owner of a URI that p11-kit has parsed.
#pragma once

#include <p11-kit/uri.h>

#include <memory>

namespace coffer::crypto::internal {

struct FreeP11Uri {
  void operator()(P11KitUri* uri) const { p11_kit_uri_free(uri); }
};
using P11Uri = std::unique_ptr<P11KitUri, FreeP11Uri>;

}  // namespace coffer::crypto::internal
