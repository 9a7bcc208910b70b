// Where a log lies as the files of C2SP tlog-tiles (https://c2sp.org/tlog-tiles): below a prefix of
// an HTTPS server, or in a directory that mirrors it.
//
//   checkpoint    tile/<L>/<N>[.p/<W>]    tile/entries/<N>[.p/<W>]
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "api/cli/client/connection.h"
#include "api/cli/text/console.h"
#include "api/cli/text/failure.h"

namespace coffer::cli {

// One file by its path behind the prefix; nothing where there is none. `largest` is the number of
// bytes that are taken. Failures name the path.
using FetchFile = std::function<Outcome<std::optional<std::string>>(const std::string& path,
                                                                    std::size_t largest)>;

// `location` is https://HOST[:PORT][/PREFIX] or a directory. Of a server, only answers of status
// 200 and a media type of plain bytes or text, not encoded, count as files; redirects are not
// followed; each has to come whole within two minutes. Exit::kUsage for what is no location.
Outcome<FetchFile> OpenLogFiles(const std::string& location, const ConnectionOptions& options,
                                const Console& console);

}  // namespace coffer::cli
