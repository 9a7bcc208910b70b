// A repository in a directory: a disk, a share, a medium that is taken away.
#pragma once

#include <memory>
#include <string>

#include "vault/backup/backup_store.h"

namespace coffer::vault {

// Content is written under a temporary name (NAME.….tmp), which a crash leaves. A claim is a lock
// (flock); on a file system without them nobody is kept out.
std::shared_ptr<BackupStore> OpenDirectoryStore(const std::string& path);

}  // namespace coffer::vault
