/// wire::check_datagram, and for what it accepts the reader of the type: what is read and written again must
/// be the bytes that came in.
#include <algorithm>

#include "fuzz.h"
#include "wire/frame.h"

namespace {

using namespace fulmar::wire;

template <class Value>
void expect_same(std::span<const std::byte> datagram, const Value& value,
    std::int32_t (*write)(std::byte*, const Value&), std::size_t length_max) {
    std::vector<std::byte> written(length_max);
    const auto length = static_cast<std::size_t>(write(written.data(), value));
    FUZZ_CHECK(length <= length_max);
    FUZZ_CHECK(length <= datagram.size());
    // The flags of some types are not read, and frame_length may be a tolerated other one: compare the rest.
    FUZZ_CHECK(std::equal(written.begin() + kFrameHeaderLength,
        written.begin() + static_cast<std::ptrdiff_t>(length), datagram.begin() + kFrameHeaderLength));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto copy = fulmar::fuzz::copy_of(data, size);
    const std::span<const std::byte> datagram(copy);
    if (check_datagram(datagram) != FrameFault::kNone) {
        return 0;
    }
    const std::byte* frame = datagram.data();
    switch (read_frame_header(frame).type) {
        case FrameType::kData:
        case FrameType::kPad:
            expect_same<DataHeader>(datagram, read_data_header(frame), write_data_header, kDataHeaderLength);
            break;
        case FrameType::kSetup:
            expect_same<Setup>(datagram, read_setup(frame), write_setup, kSetupLength);
            break;
        case FrameType::kStatusMessage:
            expect_same<StatusMessage>(
                datagram, read_status_message(frame), write_status_message, kStatusMessageWithTagLength);
            break;
        case FrameType::kNak: expect_same<Nak>(datagram, read_nak(frame), write_nak, kNakLength); break;
        case FrameType::kRttMeasurement:
            expect_same<RttMeasurement>(
                datagram, read_rtt_measurement(frame), write_rtt_measurement, kRttMeasurementLength);
            break;
        case FrameType::kError: {
            const ErrorFrame error = read_error(frame);
            fulmar::fuzz::touch(error.text);
            expect_same<ErrorFrame>(datagram, error, write_error, kErrorHeaderLength + kErrorTextMax);
            break;
        }
        case FrameType::kResponseSetup:
            expect_same<ResponseSetup>(
                datagram, read_response_setup(frame), write_response_setup, kResponseSetupLength);
            break;
        case FrameType::kResolution: break;
        case FrameType::kExtension: FUZZ_CHECK(false);  // no driver accepts these
    }
    return 0;
}
