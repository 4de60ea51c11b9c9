#!/bin/bash
# Two network namespaces joined by a veth pair, a port at each end, an echo between them.
# usage: af_packet_veth.sh PORT_PEER
set -u
peer=$1
if [ "$(id -u)" -ne 0 ]; then
    echo "skipped: network namespaces need root"
    exit 77
fi
id=$$
a=fulmar-a-$id
b=fulmar-b-$id
server_pid=
cleanup() {
    [ -n "$server_pid" ] && kill "$server_pid" 2>/dev/null && wait "$server_pid" 2>/dev/null
    ip netns del "$a" 2>/dev/null
    ip netns del "$b" 2>/dev/null
    rm -f "/tmp/fulmar-veth-$id.out"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
if ! { ip netns add "$a" && ip netns add "$b" &&
    ip link add "fv$id" netns "$a" type veth peer name "fw$id" netns "$b"; } 2>/dev/null; then
    echo "skipped: this kernel makes no network namespaces or veth pairs"
    exit 77
fi
ip -n "$a" link set "fv$id" up
ip -n "$b" link set "fw$id" up

fail() {
    echo "FAILED: $1"
    exit 1
}

# An address below the port is refused, with the command that mends it.
ip -n "$a" addr add 10.99.0.1/24 dev "fv$id"
message=$(ip netns exec "$a" "$peer" ping "af_packet:fv$id" 10.77.0.1 10.77.0.2 1 64 2>&1 >/dev/null)
case $message in
*"ip addr flush dev fv$id"*) ;;
*) fail "an interface with an address was not refused: $message" ;;
esac
[ "$(printf '%s\n' "$message" | wc -l)" -eq 1 ] || fail "not one error line: $message"
ip -n "$a" addr flush dev "fv$id"

out=/tmp/fulmar-veth-$id.out
ip netns exec "$b" "$peer" echo "af_packet:fw$id" 10.77.0.2 >"$out" &
server_pid=$!
for size in 8 64 1472; do
    ip netns exec "$a" timeout 60 "$peer" ping "af_packet:fv$id" 10.77.0.1 10.77.0.2 2000 $size ||
        fail "echo of $size bytes"
done

# A kernel sender: its UDP datagrams carry only the pseudo-header's sum on a veth.
ip netns exec "$a" ip addr add 10.77.0.3/24 dev "fv$id"
if command -v python3 >/dev/null; then
    ip netns exec "$a" timeout 30 python3 - <<'PY' || fail "echo to a kernel socket"
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
for size in (1, 64, 1472):
    body = bytes(i & 255 for i in range(size))
    s.sendto(body, ("10.77.0.2", 40123))
    assert s.recv(4096) == body
PY
fi
if command -v ping >/dev/null; then
    ip netns exec "$a" ping -c 3 -i 0.2 -W 5 10.77.0.2 >/dev/null || fail "ICMP echo from the kernel"
fi
kill "$server_pid"
wait "$server_pid"
server_pid=
grep '^echo' "$out"
