#!/usr/bin/env python3
"""Each SYNC(id) names a release and an acquire; an id with one end only is an error."""
import collections
import pathlib
import re
import sys

MARK = re.compile(r'SYNC\(([\w.\-]+)\)[^\n]*')


def main() -> int:
    root = pathlib.Path(__file__).resolve().parents[2]
    ends = collections.defaultdict(list)
    for folder in ('lib', 'drivers', 'pmd_glue', 'apps'):
        for path in (root / folder).rglob('*'):
            if path.suffix in ('.h', '.cc'):
                for match in MARK.finditer(path.read_text(errors='replace')):
                    ends[match.group(1)].append((path.relative_to(root).as_posix(), match.group(0).lower()))
    lonely = 0
    for name, marks in sorted(ends.items()):
        text = ' '.join(mark for _, mark in marks)
        if not ('release' in text and 'acquire' in text):
            lonely += 1
            print(f'sync: {name} has one end only: {marks[0][0]}')
    if lonely == 0:
        print('sync: ok')
    return 1 if lonely else 0


if __name__ == '__main__':
    sys.exit(main())
