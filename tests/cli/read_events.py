#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""read_events.py FILE: the scalars of a TensorBoard event file, "tag step value" a line. Knows nothing of
TensorBoard: records and messages are read from their bytes, and every check sum is checked."""
import struct
import sys


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    at = 0
    while at < len(data):
        length, length_crc = struct.unpack_from("<QI", data, at)
        assert crc32c(data[at : at + 8]) == length_crc, f"length at byte {at}"
        record = data[at + 12 : at + 12 + length]
        assert crc32c(record) == struct.unpack_from("<I", data, at + 12 + length)[0], f"record at byte {at}"
        yield record
        at += 16 + length


def varint(data, at):
    value, shift = 0, 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def fields(message):
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        wire = key & 7
        if wire == 0:
            value, at = varint(message, at)
        elif wire == 1:
            value, at = struct.unpack_from("<d", message, at)[0], at + 8
        elif wire == 5:
            value, at = struct.unpack_from("<f", message, at)[0], at + 4
        else:
            assert wire == 2, wire
            size, at = varint(message, at)
            value, at = message[at : at + size], at + size
        yield key >> 3, value


def main():
    with open(sys.argv[1], "rb") as file:
        events = [dict(fields(record)) for record in records(file.read())]
    assert events[0][3] == b"brain.Event:2"
    for event in events[1:]:
        scalar = dict(fields(dict(fields(event[5]))[1]))
        print(scalar[1].decode(), event[2], repr(scalar[2]))


main()
