// An order gateway: sends new orders and a cancel to order_venue and prints the execution reports that come
// back. Orders are encoded straight into the log: the claim is as long as the message will be.
#include <chrono>
#include <string_view>

#include "apps/examples/example.h"
#include "apps/examples/order_entry/messages.h"
#include "fulmar/idle.h"
#include "fulmar/sbe/decoder.h"
#include "fulmar/sbe/dispatch.h"
#include "fulmar/sbe/encoder.h"

using namespace fulmar;
using namespace fulmar::examples;
using namespace order_entry;

namespace {

/// Claims `length` bytes, waiting while the venue is behind or not there yet. False when stopped or refused
/// for good.
bool claim(ExclusivePublication& publication, std::size_t length, BufferClaim& claim) {
    while (running) {
        const OfferResult result = publication.try_claim(static_cast<std::int32_t>(length), claim);
        if (result.is_ok()) {
            return true;
        }
        if (!result.is_worth_retrying() && !result.is_not_connected()) {
            return false;
        }
    }
    return false;
}

template <class Encoder>
bool send(Encoder& encoder, BufferClaim& claim) {
    const auto encoded = encoder.finish();
    if (!encoded) {
        std::fprintf(stderr, "order not sent: %.*s: %s\n", static_cast<int>(encoded.error().member.size()),
            encoded.error().member.data(), std::string(sbe::to_string(encoded.error().fault)).c_str());
        return false;
    }
    claim.commit();
    return true;
}

/// Each order has one leg more than the one before it, from none.
bool send_order(
    ExclusivePublication& publication, std::uint64_t id, std::size_t legs, std::string_view text) {
    BufferClaim space;
    if (!claim(publication,
            sbe::encoded_length<NewOrder> + legs * sbe::element_length<NewOrder, "legs"> + text.size(),
            space)) {
        return false;
    }
    sbe::Encoder<NewOrder> order(space.data());
    order.set<"clOrdId">(id)
        .set<"transactTime">(
            static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()))
        .set<"quantity">(100 + static_cast<std::uint32_t>(id))
        .set<"account">(7)
        .set<"symbol">("FULM")
        .set<"side">(id % 2 == 0 ? Side::kSell : Side::kBuy)
        .set<"orderType">(OrderType::kLimit)
        .set<"flags">(Flags().with<"PostOnly">());
    order.composite<"price">().set<"mantissa">(1'015'000);
    auto group = order.group<"legs">();
    for (std::size_t leg = 0; leg < legs; ++leg) {
        group.add()
            .set<"legSymbol">("LEG")
            .set<"legSide">(Side::kBuy)
            .set<"legRatio">(static_cast<std::uint8_t>(leg + 1));
    }
    order.data<"text">(text);
    return send(order, space);
}

bool send_cancel(ExclusivePublication& publication, std::uint64_t id, std::uint64_t original) {
    BufferClaim space;
    if (!claim(publication, sbe::encoded_length<CancelOrder>, space)) {
        return false;
    }
    sbe::Encoder<CancelOrder> cancel(space.data());
    cancel.set<"clOrdId">(id).set<"origClOrdId">(original).set<"symbol">("FULM").set<"side">(Side::kBuy);
    return send(cancel, space);
}

const char* name(ExecutionType type) {
    switch (type) {
        case ExecutionType::kNew: return "new";
        case ExecutionType::kTrade: return "trade";
        case ExecutionType::kCanceled: return "canceled";
        case ExecutionType::kRejected: return "rejected";
    }
    return "of a kind this gateway does not know";
}

void print(const sbe::Decoder<ExecutionReport>& report) {
    const std::string_view text = report.data<"text">();
    std::printf("order %llu: %s, %u left%s%.*s\n", static_cast<unsigned long long>(report.get<"clOrdId">()),
        name(report.get<"executionType">()), report.get<"leavesQuantity">(), text.empty() ? "" : ": ",
        static_cast<int>(text.size()), text.data());
    for (const auto& fill : report.group<"fills">()) {
        std::printf("  %u at %.4f with", fill.get<"fillQuantity">(),
            static_cast<double>(fill.get<"fillPrice">().get<"mantissa">()) / 1e4);
        for (const auto& party : fill.group<"contraParties">()) {
            const std::string_view broker = party.data<"contraBroker">();
            std::printf(
                " %.*s (%u)", static_cast<int>(broker.size()), broker.data(), party.get<"contraQuantity">());
        }
        std::printf("\n");
    }
}

}  // namespace

int main(int argc, char** argv) {
    StreamFlags orders;
    orders.channel = "aeron:udp?endpoint=localhost:20125";
    orders.stream_id = 1004;
    std::string report_channel = "aeron:udp?endpoint=localhost:20126";
    std::int32_t report_stream_id = 1005;
    std::uint64_t count = 3;
    CLI::App app{"Sends orders to order_venue and prints its execution reports."};
    orders.add_to(app);
    app.add_option("--report-channel", report_channel, "Where execution reports come back")
        ->capture_default_str();
    app.add_option("--report-stream", report_stream_id, "Stream id there")->capture_default_str();
    app.add_option("--orders", count, "How many new orders; the last is then cancelled")
        ->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    stop_on_signal();

    auto client = connect(orders.dir, "order_gateway");
    if (!client) {
        return failed(client.error());
    }
    auto subscription = (*client)->add_subscription(report_channel, report_stream_id);
    if (!subscription) {
        return failed(subscription.error());
    }
    auto publication = (*client)->add_exclusive_publication(orders.channel, orders.stream_id);
    if (!publication) {
        return failed(publication.error());
    }
    for (std::uint64_t id = 1; id <= count; ++id) {
        if (!send_order(**publication, id, id - 1, id % 2 == 0 ? "iceberg" : "")) {
            return 1;
        }
    }
    if (!send_cancel(**publication, count + 1, count)) {
        return 1;
    }

    std::uint64_t reports = 0;
    const auto on_message = [&](std::span<const std::byte> bytes, const Header&) {
        const sbe::Error error =
            sbe::dispatch<sbe::Messages<ExecutionReport>>(bytes, [&](const auto& report) {
                print(report);
                ++reports;
            });
        if (error) {
            std::fprintf(stderr, "message dropped: %s\n", std::string(sbe::to_string(error.fault)).c_str());
        }
    };
    BackoffIdle idle;
    while (running && reports < count + 1) {
        idle.idle((*subscription)->poll(on_message, 10));
    }
    return reports == count + 1 ? 0 : 1;
}
