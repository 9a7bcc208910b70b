// Whatever was erased has an act, and whatever a run did a report: what is more than a document may
// hold is said in sum, not refused when it is done already.
#pragma once

#include "audit/documents/erasure_act.h"
#include "audit/documents/run_report.h"

namespace coffer::audit {

// Classes beyond what the act may list are summed up as kOtherClasses, and so is what was kept;
// texts end with "…" where they are cut. Leaves alone what fits.
void FitAct(ErasureAct& act);
// The same of a run's classes.
void FitRunReport(RunReport& report);

}  // namespace coffer::audit
