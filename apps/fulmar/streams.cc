// fulmar streams and fulmar channels: counters joined by what they belong to.
#include <fmt/format.h>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "apps/fulmar/command.h"
#include "apps/fulmar/driver_view.h"

namespace fulmar::cli {

namespace {

using Json = nlohmann::ordered_json;

/// Channel text inside a stream counter's key; lengths are foreign.
std::string key_channel(std::span<const std::byte> key, std::size_t length_at) {
    if (key.size() < length_at + 4) {
        return "";
    }
    const auto length = base::load_le<std::int32_t>(key.data(), length_at);
    const std::size_t room = key.size() - length_at - 4;
    if (length < 0) {
        return "";
    }
    const auto* text = reinterpret_cast<const char*>(key.data()) + length_at + 4;
    return {text, std::min(room, static_cast<std::size_t>(length))};
}

std::string_view stream_counter_name(std::int32_t type) {
    namespace types = layout::counter_type;
    switch (type) {
        case types::kPublisherLimit: return "pub-lmt";
        case types::kPublisherPosition: return "pub-pos";
        case types::kSenderPosition: return "snd-pos";
        case types::kSenderLimit: return "snd-lmt";
        case types::kSenderBackPressure: return "snd-bpe";
        case types::kSenderNaksReceived: return "naks-received";
        case types::kReceiverHwm: return "rcv-hwm";
        case types::kReceiverPosition: return "rcv-pos";
        case types::kReceiverNaksSent: return "naks-sent";
        case types::kSubscriberPosition: return "sub-pos";
        default: return "";
    }
}

bool is_receiving(std::int32_t type) {
    namespace types = layout::counter_type;
    return type == types::kReceiverHwm || type == types::kReceiverPosition ||
           type == types::kReceiverNaksSent || type == types::kSubscriberPosition;
}

int run_streams(const Common& common) {
    auto driver = DriverView::open(common.dir);
    if (!driver) {
        return report("streams", driver.error());
    }
    // direction, stream, session, channel -> its positions
    std::map<std::tuple<std::string, int, int, std::string>, Json> streams;
    driver->counters().for_each([&streams](const observe::CounterView& counter) {
        const auto name = stream_counter_name(counter.type_id);
        if (name.empty() || counter.key.size() < 20) {
            return;
        }
        const auto session = base::load_le<std::int32_t>(counter.key.data(), 8);
        const auto stream = base::load_le<std::int32_t>(counter.key.data(), 12);
        const std::string direction = is_receiving(counter.type_id) ? "in" : "out";
        Json& entry = streams[{direction, stream, session, key_channel(counter.key, 16)}];
        if (counter.type_id == layout::counter_type::kSubscriberPosition) {
            entry["sub-pos"].push_back(counter.value);
        } else {
            entry[std::string(name)] = counter.value;
        }
    });
    for (const auto& [key, positions] : streams) {
        const auto& [direction, stream, session, channel] = key;
        if (common.json) {
            Json line{{"direction", direction}, {"stream_id", stream}, {"session_id", session},
                {"channel", channel}};
            line.update(positions);
            print_json(line);
        } else {
            fmt::print("{:>3} stream {} session {}  {}\n    {}\n", direction, stream, session, channel,
                positions.dump());
        }
    }
    if (!common.json && streams.empty()) {
        fmt::print("no streams\n");
    }
    return kExitPass;
}

int run_channels(const Common& common) {
    auto driver = DriverView::open(common.dir);
    if (!driver) {
        return report("channels", driver.error());
    }
    namespace types = layout::counter_type;
    std::map<std::int32_t, std::vector<std::string>> addresses;  // one per destination received by
    std::map<std::int64_t, std::int64_t> destinations;           // sent to, by registration
    driver->counters().for_each([&](const observe::CounterView& counter) {
        if (counter.type_id == types::kLocalSockaddr && counter.key.size() >= 8) {
            addresses[base::load_le<std::int32_t>(counter.key.data(), 0)].push_back(
                key_channel(counter.key, 4));
        } else if (counter.type_id == types::kMdcDestinations) {
            destinations[counter.registration_id] = counter.value;
        }
    });
    bool any = false;
    driver->counters().for_each([&](const observe::CounterView& counter) {
        const bool send = counter.type_id == types::kSendChannelStatus;
        if (!send && counter.type_id != types::kReceiveChannelStatus) {
            return;
        }
        any = true;
        const char* status = counter.value == layout::kChannelActive    ? "active"
                             : counter.value == layout::kChannelErrored ? "errored"
                             : counter.value == layout::kChannelClosing ? "closing"
                                                                        : "initialising";
        const std::string channel = key_channel(counter.key, 0);
        const std::string local = fmt::format("{}", fmt::join(addresses[counter.id], ","));
        const auto sent_to = send ? destinations.find(counter.registration_id) : destinations.end();
        const bool is_cast = sent_to != destinations.end();
        if (common.json) {
            Json line{{"direction", send ? "send" : "receive"}, {"status", status}, {"channel", channel},
                {"local", local}};
            if (is_cast) {
                line["destinations"] = sent_to->second;
            }
            print_json(line);
        } else {
            fmt::print("{:>7} {:>12}  {}  bound to {}{}\n", send ? "send" : "receive", status, channel,
                local.empty() ? "-" : local,
                is_cast ? fmt::format(", {} destinations", sent_to->second) : "");
        }
    });
    if (!common.json && !any) {
        fmt::print("no network channels\n");
    }
    return kExitPass;
}

}  // namespace

Run add_streams(CLI::App& app) {
    auto common = std::make_shared<Common>();
    auto* verb = app.add_subcommand("streams", "publications and images with their positions");
    add_common(*verb, *common);
    return [common] { return run_streams(*common); };
}

Run add_channels(CLI::App& app) {
    auto common = std::make_shared<Common>();
    auto* verb = app.add_subcommand("channels", "channel endpoints, their status and bound address");
    add_common(*verb, *common);
    return [common] { return run_channels(*common); };
}

}  // namespace fulmar::cli
