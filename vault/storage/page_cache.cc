#include "vault/storage/page_cache.h"

#include <sqlite3.h>

#include <algorithm>
#include <new>

namespace coffer::vault {
namespace {

sqlite3_pcache_methods2 g_default;

struct Cache {
  sqlite3_pcache* inner;
  unsigned end = 0;      // no page has this number or a higher one, but for `passing`
  unsigned passing = 0;  // the number by way of which two pages are being swapped, or 0
  unsigned scratch;      // the page at 1 GiB
};

Cache* Of(sqlite3_pcache* cache) { return reinterpret_cast<Cache*>(cache); }

sqlite3_pcache* Create(int page_bytes, int extra_bytes, int purgeable) {
  constexpr unsigned kPendingByte = 0x40000000;
  sqlite3_pcache* const inner = g_default.xCreate(page_bytes, extra_bytes, purgeable);
  if (inner == nullptr) return nullptr;
  auto* const cache =
      new (std::nothrow) Cache{inner, 0, 0, kPendingByte / static_cast<unsigned>(page_bytes) + 1};
  if (cache == nullptr) g_default.xDestroy(inner);
  return reinterpret_cast<sqlite3_pcache*>(cache);
}

void SetSize(sqlite3_pcache* cache, int pages) { g_default.xCachesize(Of(cache)->inner, pages); }

int Count(sqlite3_pcache* cache) { return g_default.xPagecount(Of(cache)->inner); }

sqlite3_pcache_page* Fetch(sqlite3_pcache* cache, unsigned key, int create) {
  auto* const page = g_default.xFetch(Of(cache)->inner, key, create);
  if (page != nullptr) Of(cache)->end = std::max(Of(cache)->end, key + 1);
  return page;
}

void Unpin(sqlite3_pcache* cache, sqlite3_pcache_page* page, int discard) {
  g_default.xUnpin(Of(cache)->inner, page, discard);
}

void Rekey(sqlite3_pcache* cache, sqlite3_pcache_page* page, unsigned from, unsigned to) {
  Cache& c = *Of(cache);
  if (from == c.passing) c.passing = 0;
  if (to == c.scratch && to >= c.end) {
    c.passing = to;
  } else {
    c.end = std::max(c.end, to + 1);
  }
  g_default.xRekey(c.inner, page, from, to);
}

void Truncate(sqlite3_pcache* cache, unsigned limit) {
  Cache& c = *Of(cache);
  if (limit >= c.end && c.passing == 0) return;
  g_default.xTruncate(c.inner, limit);
  c.end = std::min(c.end, limit);
  if (c.passing >= limit) c.passing = 0;
}

void Destroy(sqlite3_pcache* cache) {
  g_default.xDestroy(Of(cache)->inner);
  delete Of(cache);
}

void Shrink(sqlite3_pcache* cache) { g_default.xShrink(Of(cache)->inner); }

}  // namespace

void InstallPageCache() {
  if (sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &g_default) != SQLITE_OK) return;
  sqlite3_pcache_methods2 methods = g_default;
  methods.xCreate = Create;
  methods.xCachesize = SetSize;
  methods.xPagecount = Count;
  methods.xFetch = Fetch;
  methods.xUnpin = Unpin;
  methods.xRekey = Rekey;
  methods.xTruncate = Truncate;
  methods.xDestroy = Destroy;
  methods.xShrink = Shrink;
  (void)sqlite3_config(SQLITE_CONFIG_PCACHE2, &methods);
}

}  // namespace coffer::vault
