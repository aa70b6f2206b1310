#!/usr/bin/env python3
"""user-data.py REPOSITORY IMAGE: an instance's user data with another image of the same repository.

Reads what a launch template holds (base64 of gzip of cloud-init, whose files are base64 of gzip again) from standard input,
writes the same with every `REPOSITORY:…` and `REPOSITORY@sha256:…` replaced by IMAGE. Fails when there is none to replace.
"""
import base64
import gzip
import re
import sys


def packed(data):
    # Without a time in it: the same data are the same bytes.
    return base64.b64encode(gzip.compress(data, mtime=0))


def main(repository, image):
    name = re.compile(re.escape(repository.encode()) + rb"(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9._-]*)")
    replaced = 0

    def file(found):
        nonlocal replaced
        text, count = name.subn(image.encode(), gzip.decompress(base64.b64decode(found[2])))
        replaced += count
        return found[1] + (packed(text) if count else found[2])

    cloud_init = gzip.decompress(base64.b64decode(sys.stdin.buffer.read()))
    cloud_init = re.sub(rb"(content: )([A-Za-z0-9+/=]+)", file, cloud_init)
    if replaced == 0:
        sys.exit(f"user-data.py: {repository} is nowhere in the user data")
    sys.stdout.buffer.write(packed(cloud_init))


if len(sys.argv) != 3:
    sys.exit(__doc__)
main(sys.argv[1], sys.argv[2])
