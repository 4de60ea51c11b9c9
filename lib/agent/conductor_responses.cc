// Response channels. A request publication names the subscription that waits for its answers; the image of it
// elsewhere names the publication that answers, and the sender of the request hears the session of that one.
#include <algorithm>
#include <utility>

#include "agent/conductor.h"
#include "base/plant.h"

namespace fulmar::agent {

using config::ChannelParams;

/// What a publication's response-correlation-id refers to must be there.
Status Conductor::check_response(const PendingAdd& add) const {
    const auto& id = add.params.response_correlation_id;
    if (!id) {
        if (add.params.is_response() && !add.params.is_ipc()) {
            return fail(ErrorCode::kInvalidChannel,
                "a publication with control-mode=response needs response-correlation-id=<image>");
        }
        return Done{};
    }
    if (add.params.is_ipc()) {
        return Done{};
    }
    if (!add.params.is_response()) {
        const auto waits = [&](const auto& subscription) {
            return subscription->registration_id == *id && subscription->endpoint != nullptr;
        };
        if (std::none_of(subscriptions_.begin(), subscriptions_.end(), waits)) {
            return fail(ErrorCode::kInvalidChannel,
                "response-correlation-id=" + std::to_string(*id) + " names no network subscription");
        }
        return Done{};
    }
    if (*id == ChannelParams::kResponsePrototype) {
        return Done{};
    }
    const auto image = std::find_if(images_.begin(), images_.end(),
        [&](const auto& candidate) { return candidate->correlation_id == *id; });
    if (image == images_.end()) {
        return fail(
            ErrorCode::kInvalidChannel, "response-correlation-id=" + std::to_string(*id) + " names no image");
    }
    if (!(*image)->requests_response) {
        return fail(ErrorCode::kInvalidChannel,
            "the image " + std::to_string(*id) + " did not ask for a response channel");
    }
    return Done{};
}

/// The image goes on to say who answers it until that one is heard.
void Conductor::answer_image(const NetworkPublicationState& publication) {
    const auto& id = publication.params.response_correlation_id;
    for (const auto& image : images_) {
        if (publication.params.is_response() && id && image->correlation_id == *id &&
            image->phase == ImageState::Phase::kActive) {
            ReceiverCommand command;
            command.kind = ReceiverCommand::Kind::kRespond;
            command.image = image->core.get();
            command.session_id = publication.session_id;
            to_receiver_.send(command);
        }
    }
}

void Conductor::on_response_connected(const ResponseConnected& connected) {
    for (const auto& image : images_) {
        if (image->correlation_id == connected.image_id && image->phase == ImageState::Phase::kActive) {
            ReceiverCommand command;
            command.kind = ReceiverCommand::Kind::kStopResponding;
            command.image = image->core.get();
            to_receiver_.send(command);
        }
    }
}

void Conductor::on_response_named(const ResponseNamed& named) {
    for (const auto& subscription : subscriptions_) {
        const bool is_meant = subscription->registration_id == named.subscription_id ||
                              (FULMAR_PLANTED(kAnswerToAnybody) && subscription->awaits_response);
        if (!is_meant || subscription->endpoint == nullptr) {
            continue;
        }
        ReceiverCommand command;
        command.endpoint = subscription->endpoint;
        command.stream_id = subscription->stream_id;
        if (subscription->awaits_response) {
            subscription->awaits_response = false;
            subscription->params.session_id = named.session_id;
            add_interest(*subscription);
        } else if (subscription->params.session_id) {
            command.kind = ReceiverCommand::Kind::kRequestSetup;
            command.session_id = *subscription->params.session_id;
            to_receiver_.send(command);
        }
    }
}

/// Between processes of one host there is nobody in between: the answering publication names the one that
/// asked, and that its subscription.
void Conductor::answer_ipc(const IpcPublicationState& response) {
    const auto& request_id = response.params.response_correlation_id;
    if (!request_id) {
        return;
    }
    for (const auto& request : ipc_publications_) {
        if (request->registration_id != *request_id || !request->params.response_correlation_id) {
            continue;
        }
        for (const auto& subscription : subscriptions_) {
            if (subscription->registration_id == *request->params.response_correlation_id &&
                subscription->params.is_ipc()) {
                subscription->awaits_response = false;
                subscription->params.session_id = response.session_id;
            }
        }
    }
}

}  // namespace fulmar::agent
