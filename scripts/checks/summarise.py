#!/usr/bin/env python3
"""Adds up meson's test logs and prints `N passed, N failed, N skipped` as the last line.

A suite whose log is missing counts as one failure; with root, so does a skipped test of the dpdk suite.
"""
import json
import os
import pathlib
import sys


def main() -> int:
    passed = failed = skipped = 0
    for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
        if path.suffix == '.missing':
            print(f'no results from {path.stem}')
            failed += 1
            continue
        for line in path.read_text().splitlines():
            test = json.loads(line)
            name, result = test['name'], test['result']
            if result in ('OK', 'EXPECTEDFAIL'):
                passed += 1
            elif result == 'SKIP':
                skipped += 1
                reason = (test.get('stdout') or '').strip().splitlines()
                print(f"skipped: {name}: {reason[-1] if reason else 'no reason given'}")
                if os.geteuid() == 0 and 'dpdk' in name.split(' / ')[0]:
                    print(f'failed: {name}: with root the dpdk suite skips nothing')
                    failed += 1
            else:
                failed += 1
                print(f'failed: {path.stem}: {name}: {result}')
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return 1 if failed or passed == 0 else 0


if __name__ == '__main__':
    sys.exit(main())
