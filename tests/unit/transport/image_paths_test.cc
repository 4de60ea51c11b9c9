// Which ways lead to an image's senders, and when all of them have ended.
#include "transport/image_paths.h"

#include <array>
#include <memory>

#include <doctest/doctest.h>

namespace fulmar::transport {
namespace {

class NoBinding final : public port::Binding {
  public:
    [[nodiscard]] port::Endpoint local() const override { return {}; }
};

struct Ways {
    bool hear(std::size_t way, Instant now) { return paths.heard(now, {&bindings[way], sender}); }

    std::array<NoBinding, ImagePaths::kPathsMax + 1> bindings;
    port::Endpoint sender{port::IpAddress::v4(10, 0, 0, 1), 7};
    ImagePaths paths;
};

}  // namespace

TEST_CASE("image_paths: each way is new once, up to the bound") {
    Ways ways;
    CHECK(ways.paths.empty());
    for (std::size_t way = 0; way < ImagePaths::kPathsMax; ++way) {
        CHECK(ways.hear(way, Instant{1}));
        CHECK_FALSE(ways.hear(way, Instant{2}));
    }
    CHECK_FALSE(ways.hear(ImagePaths::kPathsMax, Instant{3}));
    CHECK(ways.paths.size() == ImagePaths::kPathsMax);
    CHECK(ways.paths.all()[1].control == ways.sender);
    CHECK(ways.paths.remove(&ways.bindings[4]));
    CHECK_FALSE(ways.paths.remove(&ways.bindings[4]));
    CHECK(ways.hear(ImagePaths::kPathsMax, Instant{3}));
}

TEST_CASE("image_paths: the stream has ended where every sender says so, at the furthest end") {
    Ways ways;
    ways.hear(0, Instant{1});
    ways.hear(1, Instant{1});
    CHECK_FALSE(ways.paths.ended(&ways.bindings[0], 640));
    CHECK_FALSE(ways.paths.ended(&ways.bindings[0], 640));
    CHECK(ways.paths.ended(&ways.bindings[1], 320));
    CHECK(ways.paths.end_position() == 640);
    ways.hear(2, Instant{1});
    CHECK_FALSE(ways.paths.ended(&ways.bindings[1], 320));
    ways.paths.remove(&ways.bindings[2]);
    CHECK(ways.paths.ended(&ways.bindings[1], 320));
}

TEST_CASE("image_paths: silence ends a way, but not the last") {
    Ways ways;
    ways.hear(0, Instant{0});
    ways.hear(1, Instant{0});
    ways.hear(1, Instant{100});
    CHECK_FALSE(ways.paths.expire(Instant{149}, Duration{150}));
    CHECK(ways.paths.expire(Instant{150}, Duration{150}));
    REQUIRE(ways.paths.size() == 1);
    CHECK(ways.paths.all()[0].binding == &ways.bindings[1]);
    CHECK_FALSE(ways.paths.expire(Instant{1000}, Duration{150}));
    CHECK(ways.paths.size() == 1);
    // Time in which nobody listened does not count.
    ways.hear(2, Instant{1000});
    ways.paths.forgive(Duration{500});
    CHECK(ways.paths.expire(Instant{1600}, Duration{150}));
    CHECK(ways.paths.all()[0].binding == &ways.bindings[2]);
    CHECK_FALSE(ways.paths.expire(Instant{1649}, Duration{150}));
}

}  // namespace fulmar::transport
