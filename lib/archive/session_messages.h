/// Beginning, keeping and ending a control session, and the response that every request gets.
/// source: Aeron 1.53, schema 101.
#pragma once

#include "archive/control_schema.h"

namespace fulmar::archive {

/// Archive to client: the outcome of the request with this correlation id, or an error that no request
/// caused. relevantId: what the request asked for (an id, a position, a count), or the error code. version:
/// of the archive's control protocol.
struct ControlResponse
    : sbe::Message<ControlSchema, "ControlResponse", 1, ControlSessionId, CorrelationId,
          sbe::Field<"relevantId", 3, std::int64_t>, sbe::Field<"code", 4, ControlResponseCodeType>,
          sbe::Field<"version", 5, SemanticVersion, sbe::Since<4>>,
          sbe::Data<"errorMessage", 6, sbe::VarAscii>> {};

/// Client to archive: ends the session. Its recordings and replays go on.
struct CloseSessionRequest : sbe::Message<ControlSchema, "CloseSessionRequest", 3, ControlSessionId> {};

/// Client to archive, the first message: asks for a session whose responses go to this channel and stream.
/// encodedCredentials: for the archive's authenticator, empty for none. clientInfo: a name for counters'
/// labels.
struct AuthConnectRequest
    : sbe::Message<ControlSchema, "AuthConnectRequest", 58, sbe::Field<"correlationId", 1, std::int64_t>,
          sbe::Field<"responseStreamId", 2, std::int32_t>, sbe::Field<"version", 3, SemanticVersion>,
          sbe::Data<"responseChannel", 4, sbe::VarAscii>, sbe::Data<"encodedCredentials", 5, sbe::VarBytes>,
          sbe::Data<"clientInfo", 6, sbe::VarAscii, sbe::Since<12>>> {};

/// Archive to client, instead of the response to AuthConnectRequest: the authenticator wants to know more.
/// correlationId is that of the connect request.
struct Challenge
    : sbe::Message<ControlSchema, "Challenge", 59, ControlSessionId, CorrelationId,
          sbe::Field<"version", 3, SemanticVersion>, sbe::Data<"encodedChallenge", 4, sbe::VarBytes>> {};

/// Client to archive: answers a Challenge. The session's ControlResponse has this correlation id then.
struct ChallengeResponse : sbe::Message<ControlSchema, "ChallengeResponse", 60, ControlSessionId,
                               CorrelationId, sbe::Data<"encodedCredentials", 3, sbe::VarBytes>> {};

/// Client to archive: the first one tells that the response to the connect request has arrived, so that the
/// archive stops repeating it. No response.
struct KeepAliveRequest
    : sbe::Message<ControlSchema, "KeepAliveRequest", 61, ControlSessionId, CorrelationId> {};

/// Client to archive: asks for the id in the keys of the archive's counters. Only to archives of
/// protocol 1.11 on.
struct ArchiveIdRequest
    : sbe::Message<ControlSchema, "ArchiveIdRequest", 68, ControlSessionId, CorrelationId, sbe::Since<9>> {};

/// Archive to client, once a second: lets both sides notice a response stream that nobody reads.
struct Ping : sbe::Message<ControlSchema, "Ping", 106, ControlSessionId, sbe::Since<11>> {};

}  // namespace fulmar::archive
