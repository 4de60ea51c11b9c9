// fulmar sbe decode: messages as JSON by a schema that is read when the program runs.
#include <filesystem>
#include <fmt/core.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/fulmar/recording_file.h"
#include "apps/fulmar/sbe_json.h"
#include "apps/fulmar/sbe_schema.h"
#include "apps/fulmar/sbe_verbs.h"
#include "apps/fulmar/stream_options.h"
#include "fulmar/fragment_assembler.h"

namespace fulmar::cli {

namespace {

constexpr int kFragmentLimit = 64;
constexpr std::string_view kVerb = "sbe decode";

struct DecodeOptions : StreamOptions {
    std::string schema;
    std::vector<std::string> files;
    bool is_live = false;
};

/// Prints what it decodes and complains about what it cannot.
class Decoder {
  public:
    Decoder(sbe::ResolvedSchema schema, std::int64_t count) : schema_(std::move(schema)), count_(count) {}

    /// The message's length; nullopt after a complaint, when nobody can say.
    std::optional<std::size_t> decode_first(
        const std::string& source, std::int64_t position, std::span<const std::byte> bytes) {
        const auto walked = sbe::walk(schema_, bytes, visitor_);
        if (!walked) {
            complain(source, position, walked.error().text());
            return std::nullopt;
        }
        ++decoded_;
        visitor_.message()["position"] = position;
        return *walked;
    }

    /// One whole message, whose end is known; bytes behind what the schema describes are counted.
    void decode_whole(const std::string& source, std::int64_t position, std::span<const std::byte> bytes) {
        const auto length = decode_first(source, position, bytes);
        if (length) {
            if (*length < bytes.size()) {
                visitor_.message()["bytes_behind"] = bytes.size() - *length;
            }
            print_json(visitor_.message());
        }
    }

    void print() { print_json(visitor_.message()); }

    void complain(const std::string& source, std::int64_t position, const std::string& why) {
        ++bad_;
        report(kVerb, {ErrorCode::kGeneric, fmt::format("{} at {}: {}", source, position, why)});
    }

    [[nodiscard]] bool wants_more() const { return (count_ == 0 || decoded_ < count_) && !stop_requested(); }

    /// The last line, and what the process ends with.
    int finish(bool json) const {
        if (json) {
            print_json({{"messages", decoded_}, {"bad", bad_}, {"pass", bad_ == 0}});
        }
        return bad_ == 0 ? kExitPass : kExitFailed;
    }

  private:
    sbe::ResolvedSchema schema_;
    JsonVisitor visitor_;
    std::int64_t count_;
    std::int64_t decoded_ = 0;
    std::int64_t bad_ = 0;
};

/// Messages back to back: where one is bad, nobody knows where the next begins.
Status decode_file(const std::string& path, Decoder& decoder) {
    FULMAR_TRY(content, read_whole(path));
    const std::string name = path == "-" ? "stdin" : path;
    auto rest = std::as_bytes(std::span(content));
    while (!rest.empty() && decoder.wants_more()) {
        const auto length =
            decoder.decode_first(name, static_cast<std::int64_t>(content.size() - rest.size()), rest);
        if (!length) {
            break;
        }
        decoder.print();
        rest = rest.subspan(*length);
    }
    return Done{};
}

Status decode_files(const DecodeOptions& options, Decoder& decoder) {
    std::string segment;  // the one being read
    RecordingReader recording(
        [&](std::int64_t position, std::span<const std::byte> message) {
            decoder.decode_whole(segment, position, message);
            return decoder.wants_more();
        },
        [&](std::int64_t position, const std::string& why) { decoder.complain(segment, position, why); });
    for (const std::string& path : options.files) {
        if (!decoder.wants_more()) {
            return Done{};
        }
        if (std::filesystem::path(path).extension() == ".rec") {
            segment = path;
            FULMAR_TRY_VOID(recording.read(path));
        } else {
            FULMAR_TRY_VOID(decode_file(path, decoder));
        }
    }
    if (decoder.wants_more()) {
        recording.finish();
    }
    return Done{};
}

Status decode_stream(const DecodeOptions& options, Decoder& decoder) {
    FULMAR_TRY(client, connect(options.common, "sbe-decode"));
    FULMAR_TRY(subscription, client->add_subscription(options.channel, options.stream));
    const std::string name = fmt::format("{} stream {}", options.channel, options.stream);
    FragmentAssembler assembler([&](std::span<const std::byte> message, const Header& header) {
        if (decoder.wants_more()) {
            decoder.decode_whole(name, header.position(), message);
        }
    });
    while (decoder.wants_more()) {
        if (subscription->poll(assembler, kFragmentLimit) > 0) {
            continue;
        }
        FULMAR_TRY_VOID(check_client(*client));
        if (!wait_seconds(0.001)) {
            break;
        }
    }
    return Done{};
}

int run_decode(const DecodeOptions& options) {
    auto schema = read_schema(options.schema);
    if (!schema) {
        return report(kVerb, schema.error());
    }
    auto resolved = sbe::ResolvedSchema::resolve(std::move(*schema));
    if (!resolved) {
        return report(kVerb, resolved.error());
    }
    Decoder decoder(std::move(*resolved), options.count);
    const Status done = options.is_live ? decode_stream(options, decoder) : decode_files(options, decoder);
    if (!done) {
        return report(kVerb, done.error());
    }
    return decoder.finish(options.common.json);
}

}  // namespace

Run add_sbe_decode(CLI::App& app) {
    auto options = std::make_shared<DecodeOptions>();
    auto* verb = app.add_subcommand("decode", "print messages as JSON, one a line, by their schema");
    add_stream_options(*verb, *options);
    verb->add_option("--schema", options->schema, "the schema's XML")->required();
    auto* files = verb->add_option("FILE", options->files,
        "messages back to back, or segments of a recording in order (.rec); none, or -: stdin");
    auto* channel = verb->get_option("--channel")->excludes(files);
    auto* stream = verb->get_option("--stream")->excludes(files);
    verb->add_option("--count", options->count, "stop after so many messages")->check(CLI::PositiveNumber);
    verb->footer(
        "With --channel or --stream it subscribes as `fulmar sub` does, until interrupted. A bad message is\n"
        "a line on stderr with its position and makes the exit status 1; after it decoding goes on in "
        "streams\n"
        "and recordings and stops in a file, where nobody knows where the next message begins.\n"
        "position: of the message in its file or recording; in a stream, where it ends. bytes_behind: of a "
        "message\n"
        "that goes on where its schema ends. null: optional and not there, or unknown to the sender's "
        "version. Data without a characterEncoding "
        "is\n"
        "hexadecimal. With --json a last line counts messages and bad ones.");
    return [options, channel, stream] {
        watch_signals();
        options->is_live = channel->count() + stream->count() > 0;
        if (options->files.empty()) {
            options->files = {"-"};
        }
        return run_decode(*options);
    };
}

}  // namespace fulmar::cli
