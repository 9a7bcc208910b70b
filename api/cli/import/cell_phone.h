// A telephone number in a cell.
#pragma once

#include <string>
#include <string_view>

namespace coffer::cli {

struct PhoneReading {
  std::string number;  // E.164 when a region was named, else as it was typed in plain signs
  std::string reason;  // empty: `number` is good, or there is nothing
};

// `region`: where a number without country code is dialled; empty: the vault or its class says.
PhoneReading ReadPhone(std::string_view cell, const std::string& region);

}  // namespace coffer::cli
