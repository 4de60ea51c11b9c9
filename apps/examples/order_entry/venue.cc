// A venue of sorts: fills the first half of every order, acknowledges cancels, rejects what it cannot read.
// Start order_gateway beside it.
#include <array>
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

class Venue {
  public:
    explicit Venue(ExclusivePublication& reports) : reports_(&reports) {}

    void on_message(std::span<const std::byte> bytes) {
        const sbe::Error error =
            sbe::dispatch<Messages>(bytes, [&](const auto& message) { handle(message); });
        if (error) {
            std::fprintf(stderr, "message dropped: %.*s: %s\n", static_cast<int>(error.member.size()),
                error.member.data(), std::string(sbe::to_string(error.fault)).c_str());
        }
    }

  private:
    void handle(const sbe::Decoder<NewOrder>& order) {
        std::printf("order %llu: %s %u %.*s at %.4f, %zu legs\n",
            static_cast<unsigned long long>(order.get<"clOrdId">()),
            order.get<"side">() == Side::kBuy ? "buy" : "sell", order.get<"quantity">(),
            static_cast<int>(order.get<"symbol">().size()), order.get<"symbol">().data(),
            static_cast<double>(order.get<"price">().get<"mantissa">()) / 1e4, order.group<"legs">().size());
        const std::uint32_t filled = order.get<"quantity">() / 2;
        sbe::Encoder<ExecutionReport> report(buffer_);
        report.set<"clOrdId">(order.get<"clOrdId">())
            .set<"orderId">(++order_id_)
            .set<"leavesQuantity">(order.get<"quantity">() - filled)
            .set<"executionType">(ExecutionType::kTrade)
            .set<"side">(order.get<"side">());
        auto fills = report.group<"fills">();
        auto fill = fills.add();
        fill.set<"fillQuantity">(filled);
        fill.composite<"fillPrice">().set<"mantissa">(order.get<"price">().get<"mantissa">());
        auto parties = fill.group<"contraParties">();
        parties.add().set<"contraQuantity">(filled - filled / 3).data<"contraBroker">("Albatross");
        parties.add().set<"contraQuantity">(filled / 3).data<"contraBroker">("Petrel");
        report.data<"text">(order.data<"text">());
        send(report);
    }

    void handle(const sbe::Decoder<CancelOrder>& cancel) {
        std::printf("cancel %llu of %llu\n", static_cast<unsigned long long>(cancel.get<"clOrdId">()),
            static_cast<unsigned long long>(cancel.get<"origClOrdId">()));
        sbe::Encoder<ExecutionReport> report(buffer_);
        report.set<"clOrdId">(cancel.get<"clOrdId">())
            .set<"executionType">(ExecutionType::kCanceled)
            .set<"side">(cancel.get<"side">());
        send(report);
    }

    void handle(const sbe::Decoder<ExecutionReport>&) {
        std::fprintf(stderr, "a venue does not take execution reports\n");
    }

    void send(sbe::Encoder<ExecutionReport>& report) {
        const auto encoded = report.finish();
        if (!encoded) {
            std::fprintf(
                stderr, "report not sent: %s\n", std::string(sbe::to_string(encoded.error().fault)).c_str());
            return;
        }
        while (running) {
            const OfferResult result = reports_->offer(*encoded);
            if (result.is_ok() || (!result.is_worth_retrying() && !result.is_not_connected())) {
                return;
            }
        }
    }

    ExclusivePublication* reports_;
    std::uint64_t order_id_ = 0;
    std::array<std::byte, 1024> buffer_;
};

}  // namespace

int main(int argc, char** argv) {
    StreamFlags orders;
    orders.channel = "aeron:udp?endpoint=localhost:20125";
    orders.stream_id = 1004;
    std::string report_channel = "aeron:udp?endpoint=localhost:20126";
    std::int32_t report_stream_id = 1005;
    CLI::App app{"Takes orders from order_gateway and sends execution reports back."};
    orders.add_to(app);
    app.add_option("--report-channel", report_channel, "Where execution reports go")->capture_default_str();
    app.add_option("--report-stream", report_stream_id, "Stream id there")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    stop_on_signal();

    auto client = connect(orders.dir, "order_venue");
    if (!client) {
        return failed(client.error());
    }
    auto subscription = (*client)->add_subscription(orders.channel, orders.stream_id);
    if (!subscription) {
        return failed(subscription.error());
    }
    auto publication = (*client)->add_exclusive_publication(report_channel, report_stream_id);
    if (!publication) {
        return failed(publication.error());
    }
    std::printf("taking orders on %s stream %d\n", orders.channel.c_str(), orders.stream_id);
    std::fflush(stdout);
    Venue venue(**publication);
    const auto on_message = [&](std::span<const std::byte> bytes, const Header&) { venue.on_message(bytes); };
    BackoffIdle idle;
    while (running) {
        idle.idle((*subscription)->poll(on_message, 10));
    }
    return 0;
}
