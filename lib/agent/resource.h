/// The resource agent: everything that may block, done beside the conductor so that it keeps serving images
/// and limits meanwhile: names, bindings, log files. threads: one; tasks come and go over two SPSC queues.
/// Whoever holds a task's pointer owns it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "fulmar/error.h"
#include "fulmar/time.h"
#include "port/endpoint.h"
#include "port/memory_map.h"
#include "port/packet_port.h"
#include "port/resolver.h"
#include "ring/spsc_pointer_ring.h"

namespace fulmar::agent {

/// A request on its way out, the same object with its outcome on the way back.
struct ResourceTask {
    enum class Kind : std::uint8_t {
        kResolve,        ///< host -> address
        kFindInterface,  ///< interface -> address
        kOpenBinding,    ///< port, bind -> binding
        kCloseBinding,   ///< binding
        kCreateLog,      ///< path, length, reserve -> mapping
        kDeleteLog,      ///< path, mapping
    };

    Kind kind = Kind::kResolve;
    std::uint64_t id = 0;
    std::optional<Error> error;

    std::string host;
    port::InterfaceQuery interface;
    port::IpAddress address;

    port::PacketPort* port = nullptr;
    port::BindRequest bind;
    std::unique_ptr<port::Binding> binding;

    std::string path;
    std::int64_t length = 0;    ///< bytes
    bool reserve = true;        ///< take the space before the log is announced
    bool check_space = true;    ///< refuse what does not fit, reserved or not
    bool space_is_low = false;  ///< outcome: less than low_space is left
    std::int64_t low_space = 0;
    std::unique_ptr<port::Mapping> mapping;
};

inline constexpr std::size_t kResourceQueueCapacity = 1024;
using ResourceQueue = ring::SpscPointerRing<ResourceTask*>;

struct ResourceContext {
    ResourceQueue* requests = nullptr;
    ResourceQueue* results = nullptr;
    port::MemoryMap* memory = nullptr;
    port::Resolver* resolver = nullptr;  ///< none: only literal addresses
};

class Resource {
  public:
    explicit Resource(const ResourceContext& context) : context_(context) {}

    /// Executes one task at most: some take long, and an inline driver polls in between.
    int poll(Instant now);

  private:
    void execute(ResourceTask& task);
    void resolve(ResourceTask& task);
    void find_interface(ResourceTask& task);
    void open_binding(ResourceTask& task);
    void create_log(ResourceTask& task);
    void delete_log(ResourceTask& task);

    ResourceContext context_;
};

/// The conductor's end: numbers tasks, bounds those on the way to what the result queue takes, and keeps
/// the others in order.
/// threads: the conductor.
class ResourceClient {
  public:
    ResourceClient(ResourceQueue* requests, ResourceQueue* results)
        : requests_(requests), results_(results) {}
    ~ResourceClient();
    ResourceClient(const ResourceClient&) = delete;
    ResourceClient& operator=(const ResourceClient&) = delete;

    /// Returns the id its result will carry.
    std::uint64_t submit(std::unique_ptr<ResourceTask> task);
    /// The next result, or null.
    [[nodiscard]] std::unique_ptr<ResourceTask> next_result();
    [[nodiscard]] std::size_t outstanding() const { return outstanding_ + waiting_.size(); }

  private:
    void push_waiting();

    ResourceQueue* requests_;
    ResourceQueue* results_;
    std::deque<std::unique_ptr<ResourceTask>> waiting_;
    std::size_t outstanding_ = 0;
    std::uint64_t next_id_ = 1;
};

}  // namespace fulmar::agent
