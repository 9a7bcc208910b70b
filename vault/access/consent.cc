#include "vault/access/consent.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "crypto/encoding.h"

namespace coffer::vault {
namespace {

struct ChannelRow {
  ConsentChannel channel;
  std::string_view name;
};
constexpr ChannelRow kChannels[] = {
    {ConsentChannel::kApp, "app"},
    {ConsentChannel::kEmail, "email"},
    {ConsentChannel::kInPerson, "in-person"},
    {ConsentChannel::kMessage, "message"},
    {ConsentChannel::kPaper, "paper"},
    {ConsentChannel::kPhone, "phone"},
    {ConsentChannel::kWebsite, "website"},
};

}  // namespace

std::string_view Name(ConsentChannel channel) {
  return std::ranges::find(kChannels, channel, &ChannelRow::channel)->name;
}

std::optional<ConsentChannel> ConsentChannelFromName(std::string_view name) {
  const auto* const found = std::ranges::find(kChannels, name, &ChannelRow::name);
  return found == std::end(kChannels) ? std::nullopt : std::optional(found->channel);
}

std::string StatementOf(const Consent& consent) {
  nlohmann::json statement = {{"consent", consent.id.Text()},
                              {"client", consent.client.Text()},
                              {"purpose", consent.purpose},
                              {"text", consent.text.name},
                              {"version", consent.text.version},
                              {"language", consent.text.language},
                              {"sha256", crypto::HexEncode(consent.sha256)},
                              {"given", audit::FormatTimestamp(consent.given)},
                              {"channel", Name(consent.channel)},
                              {"given_by", consent.by_client ? "client" : "representative"}};
  if (consent.expires) statement["expires"] = audit::FormatTimestamp(*consent.expires);
  return statement.dump();
}

std::string WithdrawalStatementOf(const Consent& consent) {
  nlohmann::json statement = {{"consent", consent.id.Text()},
                              {"client", consent.client.Text()},
                              {"purpose", consent.purpose}};
  if (const auto& withdrawal = consent.withdrawal) {
    statement["withdrawn"] = audit::FormatTimestamp(withdrawal->withdrawn);
    if (withdrawal->channel) statement["channel"] = Name(*withdrawal->channel);
  }
  return statement.dump();
}

}  // namespace coffer::vault
