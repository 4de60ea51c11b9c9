#include <cstdlib>
#include <new>

#include <doctest/doctest.h>

#include "fake_driver.h"
#include "frames.h"
#include "fulmar/fragment_assembler.h"

namespace {
std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) {
        return memory;
    }
    std::abort();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

using namespace fulmar;
using namespace fulmar::client::test;

TEST_CASE("client: offering, claiming and polling allocate nothing once they have run") {
    Connected at;
    FakeDriver::MadePublication made;
    const auto publication = at.publication(&made);
    FakeDriver::MadePublication exclusively_made;
    const auto exclusive = at.exclusive(&exclusively_made);
    const auto subscription = at.subscription();
    // The subscription reads the publication's own log, as IPC does.
    const auto position = at.driver.allocate(layout::counter_type::kSubscriberPosition, 1);
    at.driver.send(layout::EventType::kAvailableImage,
        layout::AvailableImage{publication->registration_id(), kSession, kStream,
            subscription->registration_id(), position.id(),
            std::string(kDir) + "/publications/" + std::to_string(publication->registration_id()) +
                ".logbuffer",
            "aeron:ipc"});
    at.poll();
    REQUIRE(subscription->image_count() == 1);

    std::size_t received = 0;
    FragmentAssembler assembler(
        [&](std::span<const std::byte> message, const Header&) { received += message.size(); });
    const std::vector<std::byte> small(32);
    const std::vector<std::byte> fragmented(4000);
    const auto round = [&] {
        BufferClaim claim;
        for (int i = 0; i < 3; ++i) {
            REQUIRE(publication->offer(small).is_ok());
            REQUIRE(publication->offer(fragmented).is_ok());
            REQUIRE(publication->try_claim(64, claim).is_ok());
            claim.commit();
            REQUIRE(exclusive->offer(small).is_ok());
        }
        while (subscription->poll(assembler, 10) > 0) {
        }
        at.driver.beat();
        (void)at.poll();
    };
    round();
    const std::size_t before = allocations;
    round();
    CHECK(allocations == before);
    CHECK(received == 2 * 3 * (32 + 4000 + 64));
}
