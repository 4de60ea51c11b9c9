#include "wire/ipv4.h"

namespace fulmar::wire {

void write_ipv4(const Ipv4Header& header, std::byte* out) {
    out[0] = std::byte{0x45};
    out[1] = std::byte{header.type_of_service};
    store_be16(out + kIpv4TotalLengthOffset, header.total_length);
    store_be16(out + 4, header.identification);
    store_be16(out + 6, header.fragment);
    out[8] = std::byte{header.ttl};
    out[9] = std::byte{header.protocol};
    store_be16(out + kIpv4ChecksumOffset, 0);
    store_be32(out + 12, header.source);
    store_be32(out + 16, header.destination);
    store_be16(out + kIpv4ChecksumOffset, finish_checksum(sum_of({out, kIpv4HeaderLength})));
}

}  // namespace fulmar::wire
