// A vault with as many clients as the benchmark wants, a record each.
#pragma once

#include "tests/bench/load.h"
#include "tests/support/running_vault.h"

namespace coffer::bench {

// Makes the class and imports through /v1/import, printing how far it is; `text` is a field of
// every record. The target's ids are all that were made or, of more than a million, evenly spread
// ones.
Target Fill(testing::RunningVault& vault, int clients, const std::string& text);

// Sentences of at least so many bytes.
std::string Filler(std::size_t bytes);

// One figure of /metrics; 0 when there is none.
double Metric(testing::RunningVault& vault, const std::string& name);

}  // namespace coffer::bench
