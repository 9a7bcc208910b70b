// What a client's profile and the versions of its records are bound to when they are sealed.
#pragma once

#include <cstdint>
#include <string_view>

#include "crypto/encoding.h"
#include "crypto/keyring.h"
#include "vault/base/ids.h"

namespace coffer::vault {

crypto::Bytes ClientContext(const crypto::Keyring& keyring, const ClientId& client,
                            std::uint64_t version);
// Of a version of a record.
crypto::Bytes RecordContext(const crypto::Keyring& keyring, const ClientId& client,
                            const RecordId& record, std::string_view class_name,
                            std::uint64_t version);

}  // namespace coffer::vault
