// fulmar fault: what the ports of a running driver do wrong on purpose, shown or changed.
#include <fmt/core.h>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/fulmar/command.h"
#include "apps/fulmar/driver_view.h"
#include "client/driver_link.h"
#include "drivers/memory_map/file_memory_map.h"
#include "drivers/memory_map/system_clock.h"
#include "layout/events.h"
#include "layout/fulmar_commands.h"
#include "layout/port_counters.h"
#include "net/fault_spec.h"

namespace fulmar::cli {

namespace {

constexpr Duration kDriverTimeout = seconds(10);

struct Options {
    Common common;
    std::string port;
    std::string spec;
};

/// A label is `port NAME fault SPEC`; foreign text until it has been taken apart.
void print_port(const Options& options, std::string_view label) {
    constexpr std::string_view kOpening = "port ";
    constexpr std::string_view kMiddle = " fault ";
    const std::size_t middle = label.rfind(kMiddle);
    if (!label.starts_with(kOpening) || middle == std::string_view::npos || middle < kOpening.size()) {
        return;
    }
    const auto name = label.substr(kOpening.size(), middle - kOpening.size());
    const auto spec = label.substr(middle + kMiddle.size());
    if (!options.port.empty() && options.port != name) {
        return;
    }
    if (options.common.json) {
        print_json({{"port", name}, {"fault", spec}});
    } else {
        fmt::print("{}  {}\n", name, spec);
    }
}

int show(const Options& options) {
    auto driver = DriverView::open(options.common.dir);
    if (!driver) {
        return report("fault", driver.error());
    }
    bool any = false;
    driver->counters().for_each([&](const observe::CounterView& counter) {
        if (counter.type_id == layout::counter_type::kPortFault) {
            any = true;
            print_port(options, counter.label);
        }
    });
    if (!any) {
        return report("fault", {ErrorCode::kNotSupported,
                                   fmt::format("no port of the driver in {} injects faults; start it with: "
                                               "fulmard --dir {} --port udp,fault=none",
                                       options.common.dir, options.common.dir)});
    }
    return kExitPass;
}

/// The driver's answer to one command.
Status await_answer(client::DriverLink& link, std::int64_t correlation_id, drivers::SystemClock& clock) {
    const Instant give_up = clock.now() + kDriverTimeout;
    while (clock.now() < give_up) {
        const ring::BroadcastMessage message = link.receive_next();
        if (message.status != ring::Reception::kMessage) {
            if (!wait_seconds(0.001)) {
                return fail(ErrorCode::kGeneric, "interrupted before the driver answered");
            }
            continue;
        }
        const auto type = static_cast<layout::EventType>(message.type);
        if (type == layout::EventType::kOperationSuccess) {
            const auto done = layout::OperationSuccess::decode(message.body);
            if (done && done->correlation_id == correlation_id) {
                return Done{};
            }
        } else if (type == layout::EventType::kError) {
            const auto error = layout::ErrorEvent::decode(message.body);
            if (error && error->offending_correlation_id == correlation_id) {
                return fail(static_cast<ErrorCode>(error->error_code), std::string(error->message));
            }
        }
    }
    return fail(ErrorCode::kGeneric, "the driver did not answer; only ours know faults, not a stock one");
}

Status change(const Options& options) {
    FULMAR_TRY(driver, DriverView::open(options.common.dir));  // its errors name the directory
    drivers::FileMemoryMap files;
    drivers::SystemClock clock;
    FULMAR_TRY(link, client::DriverLink::open(options.common.dir, files, {clock.epoch_ms(), kDriverTimeout}));
    layout::SetFault command;
    command.client_id = link.next_correlation_id();
    command.correlation_id = link.next_correlation_id();
    command.port = options.port;
    command.spec = options.spec;
    FULMAR_TRY_VOID(
        link.send(static_cast<layout::CommandType>(layout::FulmarCommandType::kSetFault), command));
    return await_answer(link, command.correlation_id, clock);
}

int run(const Options& options) {
    if (!options.spec.empty()) {
        if (const auto parsed = net::parse_fault_spec(options.spec); !parsed) {
            return report("fault", parsed.error(), kExitUsage);
        }
        if (const Status done = change(options); !done) {
            return report("fault", done.error());
        }
    }
    return show(options);
}

}  // namespace

Run add_fault(CLI::App& app) {
    auto options = std::make_shared<Options>();
    auto* verb = app.add_subcommand("fault", "what ports do wrong on purpose: show it, or change it at once");
    add_common(*verb, options->common);
    verb->add_option("--port", options->port, "only this port, named as shown; default: all that can");
    verb->add_option("SPEC", options->spec,
        "such as loss:0.01+dup:0.005+reorder:0.01+delay:50us+corrupt:0.001+seed:7+dir:rx; none stops it");
    verb->footer(
        "Without SPEC the faults in force are shown. Ports take faults if they were opened with\n"
        "fault=, such as: fulmard --port udp,fault=none");
    return [options] {
        watch_signals();
        return run(*options);
    };
}

}  // namespace fulmar::cli
