// A vault of test keys that guards nothing: root key 11…11, every other key one byte repeated.
//
// Written by a Python script (package cryptography) from the format's description alone, so that a
// keyring of today is known to open, byte for byte, whatever becomes of the code that writes it.
#pragma once

#include <string>
#include <string_view>

namespace coffer::crypto {

inline const std::string kGoldenRootKey(64, '1');

inline constexpr std::string_view kGoldenKeyring = R"json({
  "format": "coffer-keyring-v1",
  "keys": {
    "blind-index": {
      "1": "AQAAAAABAQEBAQEBAQEBAQFCnykE5OY+9gD8+nWOxRDb/ECG6OHJCQrPKKPgaCucK93O6oD+nSxLRRBEAwxxJmE="
    },
    "client-kek": {
      "1": "AQAAAAACAgICAgICAgICAgIPb6TjqzJ5J0548WX9ANpE+HatGXuBB5dpFpTfkw5cKXmY5EKs5FEie32bLEcBcCA=",
      "2": "AQAAAAADAwMDAwMDAwMDAwOzfck0ZCn4exciYMGCFBCRrM9521YRgVnPuHcdDpcsgcWwBeMV6JWcaiHRGcogIhM="
    },
    "keys-db": {
      "1": "AQAAAAAEBAQEBAQEBAQEBARYFIh3rZXOHEKNPiVh8RajPXjTjxsEZ2zUWOngTvfIwa37yEZvubAF96DndsDw29I="
    },
    "log-signing": {
      "1": "AQAAAAAFBQUFBQUFBQUFBQXofR6Ro6aVzfD8sFB0g7epYIMNcpDrZ20nE+6r0LUHjgzQAMOLIGb0XdwT1tcpjlo="
    },
    "note": {
      "1": "AQAAAAAGBgYGBgYGBgYGBgbNSsFfrfUBrK3ZtoZDsW5/mkhy2AlCFBxcdv6JVG+pJaAjmX0fD+74dMERGiF5CA0="
    },
    "token-hash": {
      "1": "AQAAAAAHBwcHBwcHBwcHBwf0nWyyCPWlOBPPzUmcurmR1dLqa3h+0GFAKxzPaMOMgfrEB0oFXeQu5JJZLsXtS78="
    },
    "vault-db": {
      "1": "AQAAAAAICAgICAgICAgICAjvIDRyUSwZOJLGOMNBARRyMTYS79iIOmtSFQAwbrU6tmRxsd/hUXIdV2Mtsr0TBK0="
    }
  },
  "log": {
    "origin": "vault.example/log",
    "public_key": "JfwyxHilpPhORVegNC4IJ4yINkG2FJvbC0qYarbCy3g="
  },
  "root": {
    "kind": "key-file"
  },
  "seal": "AQAAAAAJCQkJCQkJCQkJCQkWvTt2TdxgL84XMp6WaDIEHZct/k3OGIify8NNZT3fDbmnUcfLMZAH2oREyWrJYgM=",
  "vault_id": "0g2491650n2rbhg68t3ce1t7gz"
}
)json";

// The same vault while its log's key is replaced: log-signing 2 is e2…e2, and 1 is retiring.
inline constexpr std::string_view kGoldenTwoLogKeys = R"json({
  "format": "coffer-keyring-v2",
  "keys": {
    "blind-index": {
      "1": "AQAAAAABAQEBAQEBAQEBAQFCnykE5OY+9gD8+nWOxRDb/ECG6OHJCQrPKKPgaCucK93O6oD+nSxLRRBEAwxxJmE="
    },
    "client-kek": {
      "1": "AQAAAAACAgICAgICAgICAgIPb6TjqzJ5J0548WX9ANpE+HatGXuBB5dpFpTfkw5cKXmY5EKs5FEie32bLEcBcCA=",
      "2": "AQAAAAADAwMDAwMDAwMDAwOzfck0ZCn4exciYMGCFBCRrM9521YRgVnPuHcdDpcsgcWwBeMV6JWcaiHRGcogIhM="
    },
    "keys-db": {
      "1": "AQAAAAAEBAQEBAQEBAQEBARYFIh3rZXOHEKNPiVh8RajPXjTjxsEZ2zUWOngTvfIwa37yEZvubAF96DndsDw29I="
    },
    "log-signing": {
      "1": "AQAAAAAFBQUFBQUFBQUFBQXofR6Ro6aVzfD8sFB0g7epYIMNcpDrZ20nE+6r0LUHjgzQAMOLIGb0XdwT1tcpjlo=",
      "2": "AQAAAAAMDAwMDAwMDAwMDAwn65YVlfi8IuGwt7hB24EsrEurP3iEClWEIfQkcOawE+CuuzG5BK2Wz/B5hYnOLyo="
    },
    "note": {
      "1": "AQAAAAAGBgYGBgYGBgYGBgbNSsFfrfUBrK3ZtoZDsW5/mkhy2AlCFBxcdv6JVG+pJaAjmX0fD+74dMERGiF5CA0="
    },
    "token-hash": {
      "1": "AQAAAAAHBwcHBwcHBwcHBwf0nWyyCPWlOBPPzUmcurmR1dLqa3h+0GFAKxzPaMOMgfrEB0oFXeQu5JJZLsXtS78="
    },
    "vault-db": {
      "1": "AQAAAAAICAgICAgICAgICAjvIDRyUSwZOJLGOMNBARRyMTYS79iIOmtSFQAwbrU6tmRxsd/hUXIdV2Mtsr0TBK0="
    }
  },
  "log": {
    "origin": "vault.example/log",
    "public_keys": {
      "1": {
        "key": "JfwyxHilpPhORVegNC4IJ4yINkG2FJvbC0qYarbCy3g=",
        "retiring": true
      },
      "2": {
        "key": "yRyzziuE5LqF9WLs5B7f5OJ6/FLYjVB/ZqGGON+CPp8=",
        "retiring": false
      }
    }
  },
  "root": {
    "kind": "key-file"
  },
  "seal": "AQAAAAANDQ0NDQ0NDQ0NDQ0+wX8GS7VZkKdizCmGbSR3yZlriN7ivfbD/DmBWdAvBQzkjrKx5a8EBy5mNUJlFjg=",
  "vault_id": "0g2491650n2rbhg68t3ce1t7gz"
}
)json";

// Under client-kek versions 1 and 2, for the client 20 21 … 2f: the data keys 81…81 and 82…82.
inline constexpr std::string_view kGoldenDataKey1 =
    "01000000010a0a0a0a0a0a0a0a0a0a0a0abfe4460db61842abd001e2ca717a82b0"
    "d4dac2f6ee14a31a4248d2112868dab9593b6157256a734efeceb6958a8bb9bf";
inline constexpr std::string_view kGoldenDataKey2 =
    "01000000020b0b0b0b0b0b0b0b0b0b0b0bec730af0ca318fd3521485897f5c7493"
    "3bd67afd352cfb8761579f73f721dc835213f04bc61d9e12894a19e712bc7069";

}  // namespace coffer::crypto
