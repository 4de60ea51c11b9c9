/// What fulmar-perf was asked to do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "perf/e2e/body.h"

namespace fulmar::perf {

enum class Test : std::uint8_t { kRaw, kEcho, kStream, kIpc };
enum class Role : std::uint8_t { kPing, kPong, kPub, kSub };

struct Options {
    Test test = Test::kEcho;
    Role role = Role::kPing;
    std::string dir;                 ///< attach to the driver there
    bool inline_driver = false;      ///< a driver of our own, polled by the measuring thread
    std::vector<std::string> ports;  ///< of the inline driver, or the device of raw
    std::string hugepages = "auto";
    std::string channel;
    std::int32_t stream = 1001;
    std::string reply_channel;
    std::int32_t reply_stream = 0;  ///< 0: stream + 1
    std::size_t size_min = 32;
    std::size_t size_max = 32;
    double rate = 0;  ///< messages per second; 0: as fast as possible
    std::int64_t messages = 0;
    double duration_s = 0;
    std::int64_t warmup = 10'000;
    int in_flight = 1;
    std::string hdr;
    bool json = false;
    bool copy = false;         ///< raw: one copy from and to a large ring on each side
    std::uint32_t burst = 32;  ///< raw
    BodyCheck check = BodyCheck::kFull;
    int cpu = -1;                       ///< pin the measuring thread
    std::vector<std::string> settings;  ///< key=value for the inline driver
};

}  // namespace fulmar::perf
