/// A kernel UDP socket as a Binding.
#pragma once

#include <cstdint>
#include <memory>

#include "fulmar/result.h"
#include "port/packet_port.h"

namespace fulmar::drivers {

/// threads: the socket may be opened by one thread and used by another; one user at a time.
class UdpBinding final : public port::Binding {
  public:
    /// A local multicast address is a group to join: the binding then gets what comes for the group, like
    /// every other binding of it, and sends to groups from the same interface.
    /// errors: kInvalidChannel (not an address of this machine), kGeneric (in use, no permission, out of
    /// descriptors).
    [[nodiscard]] static Result<std::unique_ptr<UdpBinding>> create(const port::BindRequest& request);
    ~UdpBinding() override;

    [[nodiscard]] port::Endpoint local() const override { return local_; }
    /// As the kernel reports them, which on Linux is twice what was granted, bookkeeping included.
    [[nodiscard]] std::int32_t rcvbuf_length() const override { return rcvbuf_length_; }
    [[nodiscard]] std::int32_t sndbuf_length() const override { return sndbuf_length_; }
    [[nodiscard]] std::int32_t rcvbuf_length_default() const override { return rcvbuf_length_default_; }
    [[nodiscard]] std::int32_t sndbuf_length_default() const override { return sndbuf_length_default_; }

    [[nodiscard]] int fd() const { return fd_; }
    /// The peer it was connected to; invalid if none.
    [[nodiscard]] const port::Endpoint& remote() const { return remote_; }

  private:
    explicit UdpBinding(int fd) : fd_(fd) {}
    [[nodiscard]] Status configure(const port::BindRequest& request, const port::Endpoint& local);

    int fd_;
    port::Endpoint local_;
    port::Endpoint remote_;
    std::int32_t rcvbuf_length_ = 0;
    std::int32_t sndbuf_length_ = 0;
    std::int32_t rcvbuf_length_default_ = 0;
    std::int32_t sndbuf_length_default_ = 0;
};

}  // namespace fulmar::drivers
