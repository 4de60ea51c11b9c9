/// cluster::MemberAuth over any datagrams, and over those of its own that come late, twice, spoilt and across
/// restarts: what is heard was said by the other side, to this one, and is heard once.
#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <vector>

#include "base/bytes.h"
#include "cluster/member_auth.h"
#include "fuzz.h"

namespace {

using namespace fulmar;
using cluster::AuthVerdict;
using cluster::MemberAuth;
using Bytes = std::vector<std::byte>;

constexpr std::size_t kWireMax = 256;

class Pair {
  public:
    Pair() {
        start(0);
        start(1);
    }

    /// Three bytes are one thing that happens.
    void step(std::uint8_t what, std::uint8_t which, std::uint8_t where) {
        const std::size_t at = where & 1U;
        now_ = now_ + microseconds(500);
        switch (what % 8) {
            case 0: start(at); break;
            case 1: say(at); break;
            case 2:
            case 3: ask(at); break;
            case 4:
                if (!wire_.empty()) {
                    Bytes spoilt = wire_[which % wire_.size()];
                    spoilt[where % spoilt.size()] ^= static_cast<std::byte>(what | 1);
                    hear(at, spoilt, false);
                }
                break;
            default:
                if (!wire_.empty()) {
                    hear(at, wire_[wire_.size() - 1 - which % wire_.size()], true);
                }
        }
    }

    void hear(std::size_t at, std::span<const std::byte> bytes, bool whole) {
        // As long as it is, so that one byte too many is seen.
        const auto exact = std::make_unique<std::byte[]>(bytes.size());
        std::copy(bytes.begin(), bytes.end(), exact.get());
        const cluster::Opened opened = sides_[at]->open({exact.get(), bytes.size()});
        if (opened.verdict != AuthVerdict::kMessage) {
            FUZZ_CHECK(opened.message.empty());
            return;
        }
        FUZZ_CHECK(whole);
        FUZZ_CHECK(opened.message.size() == sizeof(std::uint64_t));
        const auto said = base::load_le<std::uint64_t>(opened.message.data(), 0);
        FUZZ_CHECK(said % 2 != at);
        FUZZ_CHECK(heard_.insert(said).second);
    }

  private:
    void start(std::size_t at) {
        MemberAuth::Options options;
        options.out = at == 0 ? cluster::Direction{7, 1, 2} : cluster::Direction{7, 2, 1};
        base::store_le(options.draw.data(), 0, ++lives_);
        sides_[at].emplace(options, now_);
    }
    void say(std::size_t at) {
        Bytes datagram(cluster::kSealBytes + sizeof(std::uint64_t));
        base::store_le(datagram.data(), cluster::kSealFront, 2 * ++said_ + at);
        datagram.resize(sides_[at]->seal(datagram, sizeof(std::uint64_t)));
        keep(std::move(datagram));
    }
    void ask(std::size_t at) {
        Bytes datagram(cluster::kHandshakeMax);
        datagram.resize(sides_[at]->poll(datagram, now_));
        keep(std::move(datagram));
    }
    void keep(Bytes datagram) {
        if (!datagram.empty() && wire_.size() < kWireMax) {
            wire_.push_back(std::move(datagram));
        }
    }

    Instant now_{seconds(1).ns};
    std::uint64_t lives_ = 0;
    std::uint64_t said_ = 0;
    std::array<std::optional<MemberAuth>, 2> sides_;
    std::vector<Bytes> wire_;
    std::set<std::uint64_t> heard_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = fuzz::copy_of(data, size);
    Pair pair;
    pair.hear(0, bytes, false);
    (void)MemberAuth::claimed_sender(bytes);
    for (std::size_t i = 0; i + 3 <= size; i += 3) {
        pair.step(data[i], data[i + 1], data[i + 2]);
    }
    pair.hear(1, bytes, false);
    return 0;
}
