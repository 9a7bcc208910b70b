// The register of requests: what persons ask for, until when it is to be answered, and what shows
// that it was. Nothing is deleted from it but by its own retention, which the regimes say.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/ids.h"
#include "vault/base/page.h"
#include "vault/clients/deletion_guard.h"
#include "vault/rights/regime.h"
#include "vault/rights/request.h"
#include "vault/rights/request_store.h"

namespace coffer::vault {

// Which requests a list has.
struct RequestFilter {
  enum class Due : std::uint8_t {
    kAny,
    kOpen,  // all that wait for an answer, what is due next first
    kSoon,  // of these what is overdue, or due within `days`
    kOverdue,
  };
  Due due = Due::kAny;  // the newest first
  std::uint64_t days = 7;
  std::optional<ClientId> client;
  std::optional<RequestKind> kind;
  std::optional<RequestState> state;
};

class Requests {
 public:
  Requests(const Operations& operations, const DeletionGuard& guard)
      : operations_(operations), guard_(guard) {}

  // Errors: kUnprocessable "request_invalid" with issues, "calendar_ends"; kConflict
  // "too_many_open_requests" where the client has 100.
  Result<Request> RegisterRequest(const Caller& caller, const RequestForm& form);
  // With what was said in words for who may change it too.
  Result<Request> GetRequest(const Caller& caller, const RequestId& id);
  // Without steps. A page looks at 2000 at most: it can have fewer items, and go on.
  Result<Page<Request>> ListRequests(const Caller& caller, const RequestFilter& filter,
                                     const PageRequest& page);
  // Errors: kUnprocessable "step_invalid" with issues, "calendar_ends"; kConflict
  // "step_not_possible" in this state, "fulfilment_missing" with an issue that says what would show
  // it, "extended_before", "extension_late", "too_many_steps" for more talk
  // after 1000, "regime_in_use" where it is taken up again and its regime has no clock for it.
  Result<Request> TakeStep(const Caller& caller, const RequestId& id, const StepForm& form);

  Result<std::vector<std::shared_ptr<const Regime>>> ListRegimes(const Caller& caller);
  Result<std::shared_ptr<const Regime>> GetRegime(const Caller& caller, std::string_view name);
  // With a new version if the definition differs from the newest. All open requests under the
  // regime are computed anew, and keep what they were due before as a step. Errors: those of
  // ParseRegime; kUnprocessable "calendar_ends" where one of them is due later than its calendar
  // reaches; kConflict "regime_in_use" where it knows the kind of one of them no more,
  // "too_many_regimes".
  Result<std::shared_ptr<const Regime>> PutRegime(const Caller& caller, std::string_view name,
                                                  std::string_view definition);

 private:
  Result<RequestRow> FindRequest(Transaction& transaction, Call& call, const RequestId& id) const;
  Result<Request> Describe(Transaction& transaction, const Call& call, RequestRow row) const;
  Status Identify(Transaction& transaction, Call& call, const StepForm& form,
                  RequestRow& row) const;
  Status Step(Transaction& transaction, const Call& call, const StepForm& form, std::uint64_t seq,
              RequestRow& row) const;
  // The step of another request, with an entry of its own.
  Status Beside(Transaction& transaction, const Call& call, const StepForm& form,
                RequestRow& row) const;
  Result<std::uint64_t> Recompute(Transaction& transaction, const Regime& regime) const;

  const Operations& operations_;
  const DeletionGuard& guard_;
};

}  // namespace coffer::vault
