// The handlers of the route table: each parses to typed values, makes one vault call, renders.
#pragma once

#include "api/http/route.h"

namespace coffer::api {

Result<Reply> HandleLive(const Service&, const Call&);
Result<Reply> HandleReady(const Service&, const Call&);
Result<Reply> HandleOpenApi(const Service&, const Call&);
Result<Reply> HandleMetrics(const Service&, const Call&);
Result<Reply> HandleStatus(const Service&, const Call&);
Result<Reply> HandleMe(const Service&, const Call&);

Result<Reply> CreateClient(const Service&, const Call&);
Result<Reply> ListClients(const Service&, const Call&);
Result<Reply> SearchClients(const Service&, const Call&);
Result<Reply> GetClient(const Service&, const Call&);
Result<Reply> UpdateClient(const Service&, const Call&);
Result<Reply> EraseClient(const Service&, const Call&);
Result<Reply> EraseRecords(const Service&, const Call&);
Result<Reply> ListErasures(const Service&, const Call&);
Result<Reply> GetErasure(const Service&, const Call&);
Result<Reply> GetErasureAct(const Service&, const Call&);
Result<Reply> FindTraces(const Service&, const Call&);

Result<Reply> CreateRecord(const Service&, const Call&);
Result<Reply> ListRecords(const Service&, const Call&);
Result<Reply> GetRecord(const Service&, const Call&);
Result<Reply> UpdateRecord(const Service&, const Call&);
Result<Reply> PatchRecord(const Service&, const Call&);
Result<Reply> DeleteRecord(const Service&, const Call&);
Result<Reply> ListRecordVersions(const Service&, const Call&);
Result<Reply> GetRecordVersion(const Service&, const Call&);
Result<Reply> ImportRecords(const Service&, const Call&);
Result<Reply> ExportClients(const Service&, const Call&);
Result<Reply> PackageClient(const Service&, const Call&);

Result<Reply> PlaceHold(const Service&, const Call&);
Result<Reply> ListHolds(const Service&, const Call&);
Result<Reply> GetHold(const Service&, const Call&);
Result<Reply> LiftHold(const Service&, const Call&);
Result<Reply> PlaceRestriction(const Service&, const Call&);
Result<Reply> ListRestrictions(const Service&, const Call&);
Result<Reply> GetRestriction(const Service&, const Call&);
Result<Reply> LiftRestriction(const Service&, const Call&);

Result<Reply> ListClasses(const Service&, const Call&);
Result<Reply> GetClass(const Service&, const Call&);
Result<Reply> PutClass(const Service&, const Call&);
Result<Reply> PreviewClass(const Service&, const Call&);
Result<Reply> ListPurposes(const Service&, const Call&);
Result<Reply> GetPurpose(const Service&, const Call&);
Result<Reply> PutPurpose(const Service&, const Call&);

Result<Reply> ListRoles(const Service&, const Call&);
Result<Reply> GetRole(const Service&, const Call&);
Result<Reply> PutRole(const Service&, const Call&);
Result<Reply> ListAssignments(const Service&, const Call&);
Result<Reply> PutAssignment(const Service&, const Call&);
Result<Reply> DeleteAssignment(const Service&, const Call&);
Result<Reply> ListAssignmentsOf(const Service&, const Call&);
Result<Reply> AssignClients(const Service&, const Call&);
Result<Reply> HandOverClients(const Service&, const Call&);
Result<Reply> ListLeases(const Service&, const Call&);
Result<Reply> GiveLease(const Service&, const Call&);
Result<Reply> EndLease(const Service&, const Call&);
Result<Reply> ExplainAccess(const Service&, const Call&);

Result<Reply> ListTokens(const Service&, const Call&);
Result<Reply> CreateToken(const Service&, const Call&);
Result<Reply> RotateToken(const Service&, const Call&);
Result<Reply> RevokeToken(const Service&, const Call&);

Result<Reply> CreateUser(const Service&, const Call&);
Result<Reply> ListUsers(const Service&, const Call&);
Result<Reply> GetUser(const Service&, const Call&);
Result<Reply> UpdateUser(const Service&, const Call&);
Result<Reply> EnrolUserAgain(const Service&, const Call&);
Result<Reply> CreateService(const Service&, const Call&);
Result<Reply> ListServices(const Service&, const Call&);
Result<Reply> GetService(const Service&, const Call&);
Result<Reply> UpdateService(const Service&, const Call&);
Result<Reply> IssueCertificate(const Service&, const Call&);
Result<Reply> PutTeam(const Service&, const Call&);
Result<Reply> ListTeams(const Service&, const Call&);

Result<Reply> ReadEnrolment(const Service&, const Call&);
Result<Reply> CompleteEnrolment(const Service&, const Call&);
Result<Reply> LogIn(const Service&, const Call&);
Result<Reply> LogOut(const Service&, const Call&);
Result<Reply> StepUp(const Service&, const Call&);
Result<Reply> ChangePassword(const Service&, const Call&);
Result<Reply> ListSessions(const Service&, const Call&);
Result<Reply> EndSession(const Service&, const Call&);

Result<Reply> RequestApproval(const Service&, const Call&);
Result<Reply> ListApprovals(const Service&, const Call&);
Result<Reply> GetApproval(const Service&, const Call&);
Result<Reply> DecideApproval(const Service&, const Call&);
Result<Reply> WithdrawApproval(const Service&, const Call&);
Result<Reply> OpenEmergency(const Service&, const Call&);
Result<Reply> ListEmergencies(const Service&, const Call&);
Result<Reply> GetEmergency(const Service&, const Call&);
Result<Reply> CountReaders(const Service&, const Call&);
Result<Reply> ReviewEmergency(const Service&, const Call&);

Result<Reply> GetRetentionSchedule(const Service&, const Call&);
Result<Reply> PutRetentionSchedule(const Service&, const Call&);
Result<Reply> PreviewRetention(const Service&, const Call&);
Result<Reply> ListRetentionRuns(const Service&, const Call&);
Result<Reply> StartRetentionRun(const Service&, const Call&);
Result<Reply> GetRetentionRun(const Service&, const Call&);
Result<Reply> GetRetentionReport(const Service&, const Call&);
Result<Reply> ConfirmClock(const Service&, const Call&);

Result<Reply> ListLogEntries(const Service&, const Call&);
Result<Reply> ListClientLog(const Service&, const Call&);
Result<Reply> ListPrincipalLog(const Service&, const Call&);
Result<Reply> GetLogEntry(const Service&, const Call&);
Result<Reply> GetLogEntryProof(const Service&, const Call&);
Result<Reply> GetLogCheckpoint(const Service&, const Call&);
Result<Reply> GetLogConsistency(const Service&, const Call&);
Result<Reply> GetLogTile(const Service&, const Call&);
Result<Reply> MakeEvidence(const Service&, const Call&);
Result<Reply> SummariseLog(const Service&, const Call&);
Result<Reply> VerifyLog(const Service&, const Call&);

}  // namespace coffer::api
