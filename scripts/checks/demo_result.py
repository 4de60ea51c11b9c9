#!/usr/bin/env python3
"""Puts the demo's result files together, judges them, and prints them for people or programs.

usage: demo_result.py WORK_DIRECTORY JSON(0|1) MESSAGES
"""
import json
import math
import pathlib
import sys


def load(path: pathlib.Path) -> dict:
    try:
        return json.loads(path.read_text().strip().splitlines()[-1])
    except (OSError, ValueError, IndexError):
        return {}


def text_of(ns: float) -> str:
    return f'{ns / 1e3:.1f} us' if ns < 10e6 else f'{ns / 1e6:.1f} ms'


def plot(rtt: dict) -> None:
    names = {'min': 'min', 'p50': 'p50', 'p90': 'p90', 'p99': 'p99', 'p999': 'p99.9', 'p9999': 'p99.99', 'max': 'max'}
    low, high = math.log(max(rtt['min'], 1) * 0.8), math.log(max(rtt['max'], 2))
    for key, name in names.items():
        share = (math.log(max(rtt[key], 1)) - low) / (high - low)
        print(f"  {name:>7} {text_of(rtt[key]):>10}  {'#' * max(1, round(share * 50))}")


def main() -> int:
    work, as_json, messages = pathlib.Path(sys.argv[1]), sys.argv[2] == '1', int(sys.argv[3])
    pub, sub, ping = (load(work / f'{name}.json') for name in ('pub', 'sub', 'ping'))
    devices = dict(line.split() for line in (work / 'devices').read_text().splitlines())

    result = {'test': 'demo', 'pass': False}
    for key in ('lost', 'duplicated', 'out_of_order', 'corrupted'):
        result[key] = sub.get(key, -1) + ping.get(key, 0)
    result['messages'] = sub.get('messages', 0)
    result['bytes'] = round(sub.get('bytes_per_s', 0))
    result['rate_msgs_per_s'] = sub.get('rate_msgs_per_s', 0)
    result['naks'] = sub.get('naks_sent', 0)
    result['retransmits'] = pub.get('retransmits', 0)
    # Faults are drawn where a packet enters or leaves a port; each end draws for what it sends and receives.
    result['faults'] = {'pub_to_sub': pub.get('faults', {}).get('tx', 0) + sub.get('faults', {}).get('rx', 0),
                        'sub_to_pub': sub.get('faults', {}).get('tx', 0) + pub.get('faults', {}).get('rx', 0)}
    ports = {}
    for side, name in (('a', 'pub'), ('b', 'sub')):
        end = pub if side == 'a' else sub
        ports[name] = {'device': end.get('device', ''),
                       'pmd_rx': end.get('pmd', {}).get('rx', 0), 'pmd_tx': end.get('pmd', {}).get('tx', 0)}
        if f'{side}_rx' in devices:
            ports[name]['device_rx'] = int(devices[f'{side}_rx'])
            ports[name]['device_tx'] = int(devices[f'{side}_tx'])
    result['ports'] = ports
    result['rtt_ns'] = ping.get('rtt_ns', {})

    # Bodies alone need this many full packets; fewer on the device means something else carried them.
    needed = sub.get('bytes_per_s', 0) * sub.get('elapsed_s', 0) / 1408
    carried = min(v for port in (ports['pub'],) for k, v in port.items() if k in ('pmd_tx', 'device_tx'))
    received = min(v for port in (ports['sub'],) for k, v in port.items() if k in ('pmd_rx', 'device_rx'))
    reasons = []
    if result['messages'] != messages:
        reasons.append(f"{result['messages']} of {messages} messages arrived")
    reasons += [f"{key} {result[key]}" for key in ('lost', 'duplicated', 'out_of_order', 'corrupted') if result[key] != 0]
    reasons += [f'no {key}' for key in ('naks', 'retransmits') if result[key] <= 0]
    reasons += [f'no faults drawn {key}' for key, value in result['faults'].items() if value <= 0]
    if needed <= 0 or carried < needed * 0.98 or received < needed * 0.98:
        reasons.append(f'ports carried {carried} and received {received} packets, {needed:.0f} were needed')
    if not result['rtt_ns']:
        reasons.append('no round trips measured')
    result['needed_packets'] = round(needed)
    result['pass'] = not reasons
    if reasons:
        result['reasons'] = reasons

    if as_json:
        print(json.dumps(result))
    else:
        print(f"{result['messages']} messages checked, {result['rate_msgs_per_s'] / 1e6:.3f} M/s: "
              f"lost {result['lost']}, duplicated {result['duplicated']}, out of order {result['out_of_order']}, "
              f"corrupted {result['corrupted']}")
        print(f"faults drawn {result['faults']}, NAKs {result['naks']}, retransmits {result['retransmits']}")
        for name, port in ports.items():
            print(f"  {name}: {port}")
        if result['rtt_ns']:
            print('round trip, 32 B, over the same faults:')
            plot(result['rtt_ns'])
        for reason in reasons:
            print(f'failed: {reason}')
        print('PASS' if result['pass'] else 'FAIL')
    return 0 if result['pass'] else 1


if __name__ == '__main__':
    sys.exit(main())
