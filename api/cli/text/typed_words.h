// Codes and ids of ours as people type them: no two of them differ by capitals, or by what stands
// between their words. Words in a person's own language are sent as they were typed.
#pragma once

#include <string>
#include <string_view>

namespace coffer::cli {

// "Client Care", "client_care" and " client-care " are the code client-care.
std::string PurposeCodeOf(std::string_view typed);
// "APR_01KD..." and " apr_01kd... " are one id.
std::string IdOf(std::string_view typed);

}  // namespace coffer::cli
