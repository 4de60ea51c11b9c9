#include "transport/destination_tracker.h"

#include <algorithm>

#include "base/plant.h"

namespace fulmar::transport {

DestinationTracker::DestinationTracker(Mode mode, const observe::Counter& count)
    : mode_(mode), count_(count) {
    destinations_.reserve(kDestinationsMax);
}

/// Behind a translated address the port stays and the rest may change; before anything was heard, the address
/// is all there is.
bool DestinationTracker::matches(
    const Destination& destination, std::int64_t receiver_id, const port::Endpoint& source) {
    return destination.has_receiver
               ? destination.receiver_id == receiver_id && destination.address.port == source.port
               : destination.address == source;
}

bool DestinationTracker::on_status_message(
    Instant now, std::int64_t receiver_id, const port::Endpoint& source) {
    for (Destination& known : destinations_) {
        if (matches(known, receiver_id, source)) {
            known.receiver_id = receiver_id;
            known.has_receiver = true;
            known.heard = now;
            return true;
        }
    }
    if (mode_ == Mode::kManual) {
        return true;
    }
    const bool is_full = destinations_.size() == kDestinationsMax;
    if (is_full || (FULMAR_PLANTED(kOneReceiverLearned) && !destinations_.empty())) {
        return false;
    }
    destinations_.push_back({source, kNoRegistration, receiver_id, true, false, now});
    show_count();
    return true;
}

void DestinationTracker::add(
    Instant now, const port::Endpoint& address, std::int64_t registration_id, bool has_name) {
    destinations_.push_back({address, registration_id, 0, false, has_name, now});
    show_count();
}

void DestinationTracker::remove(std::int64_t registration_id) {
    if (FULMAR_PLANTED(kDestinationStays)) {
        return;
    }
    std::erase_if(destinations_,
        [registration_id](const Destination& known) { return known.registration_id == registration_id; });
    show_count();
}

void DestinationTracker::move(std::int64_t registration_id, const port::Endpoint& address) {
    for (Destination& known : destinations_) {
        if (known.registration_id == registration_id) {
            known.address = address;
            known.has_receiver = false;
        }
    }
}

std::int64_t DestinationTracker::registration_of(
    std::int64_t receiver_id, const port::Endpoint& source) const {
    for (const Destination& known : destinations_) {
        if (matches(known, receiver_id, source)) {
            return known.registration_id;
        }
    }
    return kNoRegistration;
}

void DestinationTracker::expire(Instant now) {
    const std::size_t gone = std::erase_if(
        destinations_, [now](const Destination& known) { return now - known.heard > kTimeout; });
    if (gone > 0) {
        show_count();
    }
}

std::int64_t DestinationTracker::next_silent(Instant now) {
    for (Destination& known : destinations_) {
        if (known.has_name && now - known.heard > kTimeout) {
            known.heard = now;
            return known.registration_id;
        }
    }
    return kNoRegistration;
}

void DestinationTracker::forgive(Duration silence) {
    for (Destination& known : destinations_) {
        known.heard = known.heard + silence;
    }
}

void DestinationTracker::show_count() {
    count_.set_release(static_cast<std::int64_t>(destinations_.size()));
}

}  // namespace fulmar::transport
