// Who looked: what the log says of a client, as an access package tells it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "audit/entries/log_writer.h"
#include "crypto/keyring.h"
#include "crypto/result.h"
#include "vault/oversight/log_reader.h"
#include "vault/oversight/package.h"
#include "vault/oversight/package_content.h"

namespace coffer::vault {

inline constexpr std::size_t kPackageEntries = 1000;  // of the log, in one part

struct PackageLog {
  std::string items;                  // a JSON array
  std::optional<std::uint64_t> next;  // the first entry that may be in the next part
};

// Entries about the package's client from `from` on, before row.log_size, each with its leaf hash
// and an inclusion proof under the checkpoint of that size. Who did it is a name of its own for
// each package (a keyed hash of the person's id), unless row.names_staff: then the id, and the
// entry as it is. Entries that tell of holds are left out, so that nobody is warned by them: those
// about one, what one refused, and what was proposed about one. Of an entry about a class that is
// not in `classes` its class, record, version and fields are left out. `head`: the log's, of that
// size or later. Errors: kCorrupted.
Result<PackageLog> ReadPackageLog(LogReader& reader, const audit::LogHead& head,
                                  const crypto::Keyring& keyring, const PackageRow& row,
                                  const ClassNamesOfPackage& classes, std::uint64_t from);

}  // namespace coffer::vault
