/// Feeds each file of a corpus directory to the fuzz target it is linked with; the regression test of inputs
/// that were once worth keeping. Exit: 0 all passed, 2 no corpus; a failing target aborts.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

/// In an allocation of exactly its size, so that the address sanitizer guards its end.
std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return {content.begin(), content.end()};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 || !std::filesystem::is_directory(argv[1])) {
        std::fputs("fuzz replay: no corpus; give the directory that holds it\n", stderr);
        return 2;
    }
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
        paths.push_back(entry.path());
    }
    if (paths.empty()) {
        std::fprintf(stderr, "fuzz replay: %s is empty; a corpus without inputs proves nothing\n", argv[1]);
        return 2;
    }
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
        std::printf("%s\n", path.filename().c_str());
        std::fflush(stdout);  // the last line names the input that broke the target
        const auto input = read_file(path);
        LLVMFuzzerTestOneInput(input.data(), input.size());
    }
    LLVMFuzzerTestOneInput(nullptr, 0);
    std::printf("%zu inputs\n", paths.size() + 1);
    return 0;
}
