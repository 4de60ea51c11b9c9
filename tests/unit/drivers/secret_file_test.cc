#include "drivers/secret_file/secret_file.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/temporary_directory.h"

using namespace fulmar;
using drivers::read_secret_file;
using drivers::Readers;

namespace {

struct Place {
    test::TemporaryDirectory directory{};
    std::string path = directory.path() + "/secrets";

    void write(const std::string& text, unsigned mode) const {
        std::ofstream(path, std::ios::binary) << text;
        std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
    }
    /// Why it is refused; "" if it is not.
    [[nodiscard]] std::string refusal(Readers readers) const {
        const auto text = read_secret_file(path, readers);
        return text ? "" : text.error().message;
    }
};

}  // namespace

TEST_CASE("secret file: is read whole by who may") {
    const Place place;
    for (const std::string& text :
        {std::string(), std::string("alice secret\n"), std::string(100'000, 'x')}) {
        place.write(text, 0600);
        const auto read = read_secret_file(place.path, Readers::kOwner);
        REQUIRE(read);
        CHECK(*read == text);
    }
    place.write("shared", 0640);
    CHECK(place.refusal(Readers::kOwnerAndGroup).empty());
}

TEST_CASE("secret file: is refused when more can read it, with the command that mends it") {
    const Place place;
    place.write("open", 0644);
    CHECK(place.refusal(Readers::kOwner) ==
          place.path + ": everybody can read the secrets; chmod go-r " + place.path);
    CHECK(place.refusal(Readers::kOwnerAndGroup) ==
          place.path + ": everybody can read the secrets; chmod o-r " + place.path);
    place.write("shared", 0640);
    CHECK(place.refusal(Readers::kOwner) ==
          place.path + ": its group can read the secrets; chmod g-r " + place.path);
    // Whoever may only write cannot read.
    place.write("strange", 0622);
    CHECK(place.refusal(Readers::kOwner).empty());
}

TEST_CASE("secret file: what is none is refused") {
    const Place place;
    CHECK(place.refusal(Readers::kOwner) == "cannot read " + place.path + ": No such file or directory");
    place.write(std::string((1 << 20) + 1, 'x'), 0600);
    CHECK(
        place.refusal(Readers::kOwner) == place.path + " has more than 1048576 bytes, which are not secrets");
    std::filesystem::remove(place.path);
    std::filesystem::create_directory(place.path, place.directory.path());
    CHECK(place.refusal(Readers::kOwner) == "cannot read " + place.path + ": Is a directory");
}

TEST_CASE("secret file: a pipe is read to its end") {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    REQUIRE(::write(ends[1], "alice secret\n", 13) == 13);
    ::close(ends[1]);
    const auto read = read_secret_file("/dev/fd/" + std::to_string(ends[0]), Readers::kOwner);
    ::close(ends[0]);
    REQUIRE(read);
    CHECK(*read == "alice secret\n");
}
