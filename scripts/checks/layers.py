#!/usr/bin/env python3
"""Checks that includes point one way, and that DPDK, hwloc, libnuma and liburing stay in their rooms.

`layers.py --self-test` proves that a violation is found.
"""
import pathlib
import re
import sys
import tempfile

# What each module of lib/ may include besides itself; `fulmar` headers are the public vocabulary.
ALLOWED = {
    'fulmar': {'base', 'term', 'wire', 'layout', 'client', 'observe', 'port', 'ring', 'config'},
    'base': {'fulmar'},
    'ring': {'base', 'fulmar'},
    'wire': {'base', 'fulmar', 'port'},
    'sbe': {'base', 'fulmar'},
    'layout': {'base', 'fulmar'},
    'port': {'base', 'fulmar'},
    'config': {'base', 'fulmar', 'port'},
    'observe': {'ring', 'layout', 'base', 'fulmar'},
    'net': {'wire', 'port', 'base', 'fulmar'},
    'term': {'wire', 'layout', 'base', 'fulmar'},
    'transport': {'term', 'wire', 'observe', 'base', 'layout', 'port', 'config', 'fulmar'},
    'raft': {'base', 'fulmar'},
    'client': {'term', 'ring', 'layout', 'wire', 'config', 'port', 'base', 'observe', 'fulmar'},
    'agent': {'transport', 'net', 'port', 'ring', 'layout', 'config', 'observe', 'term', 'wire', 'base', 'fulmar'},
    'archive': {'fulmar', 'base', 'wire', 'port'},
    'archive_client': {'archive', 'client', 'config', 'base', 'fulmar'},
    'archive_server': {'archive', 'archive_client', 'client', 'config', 'layout', 'observe', 'port', 'ring', 'wire', 'base', 'fulmar'},
    'cluster': {'archive', 'base', 'fulmar', 'port', 'raft', 'wire'},
}
DPDK_ROOMS = ('pmd_glue', 'drivers/packet_dpdk', 'tests/dpdk', 'perf/micro')
URING_ROOM = 'drivers/storage_file'
# Calls that a sans-IO module may not make: clocks, files, sockets, threads.
IO_HEADERS = re.compile(r'^(sys/socket|sys/mman|fcntl|unistd|pthread|netinet/.*|arpa/.*)\.h$|^(thread|fstream|iostream|chrono)$')
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def violations(root: pathlib.Path):
    for path in sorted(root.rglob('*')):
        if path.suffix not in ('.h', '.cc') or any(p.startswith(('build', '.')) for p in path.relative_to(root).parts):
            continue
        relative = path.relative_to(root).as_posix()
        parts = relative.split('/')
        for kind, header in INCLUDE.findall(path.read_text(errors='replace')):
            if re.match(r'(rte_|hwloc|numa)', header) and not relative.startswith(DPDK_ROOMS):
                yield f'{relative}: includes {header}; only {", ".join(DPDK_ROOMS[:2])} may'
            if header == 'liburing.h' and not relative.startswith(URING_ROOM):
                yield f'{relative}: includes {header}; only {URING_ROOM} may'
            if parts[0] != 'lib':
                continue
            module = parts[1]
            if IO_HEADERS.match(header):
                yield f'{relative}: includes {header}; lib/ has no sockets, files, threads or clocks'
            if kind == '"' and '/' in header:
                target = header.split('/')[0]
                if target in ('drivers', 'pmd_glue', 'apps', 'tests', 'perf'):
                    yield f'{relative}: lib/ may not include {header}'
                elif target in ALLOWED and target != module and target not in ALLOWED.get(module, set()):
                    yield f'{relative}: {module} may not include {target} ({header})'


def self_test() -> bool:
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        (root / 'lib/base').mkdir(parents=True)
        (root / 'lib/base/a.h').write_text('#include "transport/image.h"\n#include <rte_mbuf.h>\n#include <thread>\n#include <liburing.h>\n')
        return len(list(violations(root))) == 4


def main() -> int:
    if not self_test():
        print('layers: the check does not find its own planted violations')
        return 1
    found = list(violations(pathlib.Path(__file__).resolve().parents[2]))
    print('\n'.join(found) if found else 'layers: ok')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
