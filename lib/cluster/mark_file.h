/// The head of the mark files in a cluster's directory: `cluster-mark.dat` of the member, and one of each
/// service. source: Aeron 1.53, schema 110 version 2.
#pragma once

#include <cstdint>

#include "fulmar/sbe/description.h"

namespace fulmar::cluster {

struct MarkFileSchema : sbe::Schema<"io.aeron.cluster.codecs.mark", 110, 2, sbe::SemanticVersion<"5.4">,
                            sbe::Description<"Mark files of a cluster.">> {};

/// Milliseconds since 1970.
struct MarkFileMillis : sbe::Type<"time_t", std::int64_t> {};

/// Whose mark file it is.
enum class ComponentType : std::int32_t {
    kUnknown = 0,
    kConsensusModule = 1,
    kContainer = 2,  ///< of a service
    kBackup = 3,
    kStandby = 4,
};
struct ClusterComponentType
    : sbe::Enum<"ClusterComponentType", ComponentType, sbe::Value<"UNKNOWN", ComponentType::kUnknown>,
          sbe::Value<"CONSENSUS_MODULE", ComponentType::kConsensusModule>,
          sbe::Value<"CONTAINER", ComponentType::kContainer>, sbe::Value<"BACKUP", ComponentType::kBackup>,
          sbe::Value<"STANDBY", ComponentType::kStandby, sbe::Since<1>>> {};

/// Written once by its owner at the start, behind a message header at the head of the file; then it refreshes
/// activityTimestamp each second. Whoever finds a fresh one must not touch the directory.
/// version: a packed semantic version, 0 until all else is written, -1 after a failure. headerLength: what
/// lies before the error log, whose length is errorBufferLength. candidateTermId is kept elsewhere now.
struct MarkFileHeader
    : sbe::Message<MarkFileSchema, "MarkFileHeader", 200, sbe::BlockLength<128>,
          sbe::Field<"version", 1, std::int32_t>, sbe::Field<"componentType", 2, ClusterComponentType>,
          sbe::Field<"activityTimestamp", 3, MarkFileMillis>, sbe::Field<"startTimestamp", 4, MarkFileMillis>,
          sbe::Field<"pid", 5, std::int64_t>, sbe::Field<"candidateTermId", 6, std::int64_t>,
          sbe::Field<"archiveStreamId", 7, std::int32_t>, sbe::Field<"serviceStreamId", 8, std::int32_t>,
          sbe::Field<"consensusModuleStreamId", 9, std::int32_t>,
          sbe::Field<"ingressStreamId", 10, std::int32_t>, sbe::Field<"memberId", 11, std::int32_t>,
          sbe::Field<"serviceId", 12, std::int32_t>, sbe::Field<"headerLength", 13, std::int32_t>,
          sbe::Field<"errorBufferLength", 14, std::int32_t>, sbe::Field<"clusterId", 15, std::int32_t>,
          sbe::Data<"aeronDirectory", 16, sbe::VarAscii>, sbe::Data<"controlChannel", 17, sbe::VarAscii>,
          sbe::Data<"ingressChannel", 18, sbe::VarAscii>, sbe::Data<"serviceName", 19, sbe::VarAscii>,
          sbe::Data<"authenticator", 20, sbe::VarAscii>,
          sbe::Data<"servicesClusterDir", 21, sbe::VarAscii, sbe::Since<1>>> {};

}  // namespace fulmar::cluster
