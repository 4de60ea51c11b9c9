#include "net/fault_model.h"

namespace fulmar::net {

FaultModel::FaultModel(const FaultSpec& spec, FaultDirection direction)
    : spec_(spec),
      direction_(direction),
      active_(spec.applies_to(direction)),
      loss_(stream(Kind::kLoss)),
      duplicate_(stream(Kind::kDuplicate)),
      reorder_(stream(Kind::kReorder)),
      corrupt_(stream(Kind::kCorrupt)) {}

base::Prng FaultModel::stream(Kind kind) const {
    constexpr std::uint64_t kKindsMax = 16;
    return base::Prng(
        spec_.seed, static_cast<std::uint64_t>(direction_) * kKindsMax + static_cast<std::uint64_t>(kind));
}

void FaultModel::set_spec(const FaultSpec& spec) {
    spec_ = spec;
    active_ = spec.applies_to(direction_);
    loss_ = stream(Kind::kLoss);
    duplicate_ = stream(Kind::kDuplicate);
    reorder_ = stream(Kind::kReorder);
    corrupt_ = stream(Kind::kCorrupt);
}

FaultDecision FaultModel::decide() {
    FaultDecision decision;
    if (!active_) {
        return decision;
    }
    base::count(counts_.packets);
    // Every kind in use draws for every packet, dropped ones too, so that the kinds stay independent.
    const bool lost = spec_.loss > 0 && loss_.chance(spec_.loss);
    const bool corrupted = spec_.corrupt > 0 && corrupt_.chance(spec_.corrupt);
    const bool duplicated = spec_.duplicate > 0 && duplicate_.chance(spec_.duplicate);
    const bool reordered = spec_.reorder > 0 && reorder_.chance(spec_.reorder);
    const auto overtaken_by = reordered ? reorder_.between(1, kOvertakenByMax) : 0;
    if (lost || corrupted) {
        base::count(lost ? counts_.lost : counts_.corrupted);
        decision.drop = true;
        return decision;
    }
    decision.duplicate = duplicated;
    decision.overtaken_by = static_cast<std::uint8_t>(overtaken_by);
    decision.delay = spec_.delay;
    base::count(counts_.duplicated, duplicated ? 1 : 0);
    base::count(counts_.reordered, reordered ? 1 : 0);
    base::count(counts_.delayed, spec_.delay.ns > 0 ? 1 : 0);
    return decision;
}

}  // namespace fulmar::net
