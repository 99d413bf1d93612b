# SPDX-License-Identifier: Apache-2.0
"""Lines that are no rows, of every kind: malformed.py FOLDER LINES.

FOLDER gets one-KIND.csv and one-KIND.svm, 20 rows with one bad line as the 11th, and all.csv and all.svm: LINES bad lines
of all kinds in turn, a row behind every second one. The last two kinds are wrong for a regression alone. Prints a line
for each file: its name, its first bad line, and what is wrong with it.
"""
import sys
from pathlib import Path

HEAD = b"a,b,label\n"
CSV = [(b"1,x,0", "is not a number"), (b"1,2", "the line has 2 fields"), (b"1,2,3,0", "the line has 4 fields"),
       (b"1,2,", "the label is empty"), (b",2,0", "empty"), (b"1,nan,0", "is NaN"), (b"1,-inf,0", "is infinite"),
       (b"1,1e99,0", "is infinite or too large"), (b"1,2,inf", "is infinite"), (b'1,"2,0', "the quote is not closed"),
       (b'1,"2"3,0', "text behind a closing quote"), (b"1,\0,0", "a NUL byte"), (b"1,2e,0", "is not a number"),
       (b"1,0x10,0", "is not a number"), (b"1,2,many", 'label "many" is not a number'), (b"1,2,1e99", "out of the range")]
LIBSVM = [(b"1 2:x", "is not a number"), (b"1 2:", "empty"), (b"1 2", "not of the form index:value"),
          (b"1 3:1 2:1", "ascending indices"), (b"1 3:1 3:1", "stands twice"), (b"1 -3:1", "is negative"),
          (b"1 2147483649:1", "data.hash_bits"), (b"1 99999999999999999999:1", "data.hash_bits"),
          (b"1 qid:3 1:1", "ranking data"), (b"1,2 1:1", "decimal comma"), (b"inf 1:1", "is infinite"),
          (b"1:2 3:4", "a label was expected"), (b"1 \0:1", "a NUL byte"), (b"1 1:nan", "is NaN"),
          (b"1 1:1e99", "infinite or too large"), (b"1 a:1", "not of the form"), (b"many 1:1", "is not a number"),
          (b"1e99 1:1", "out of the range")]


def csv_row(number):
    return b"%d.5,%d,%d" % (number % 97, number % 89, number % 7)


def libsvm_row(number):
    return b"%d 1:%d.25 %d:%d" % (number % 7, number % 83, 2 + number % 13, number % 79)


def write_kinds(folder, ending, kinds, head, row):
    for kind, (line, what) in enumerate(kinds):
        lines = [row(number) for number in range(20)]
        lines[10:10] = [line]
        (folder / f"one-{kind}.{ending}").write_bytes(head + b"\n".join(lines) + b"\n")
        print(f"one-{kind}.{ending}", 11 + head.count(b"\n"), what, sep="\t")


def write_all(folder, ending, kinds, head, row, count):
    with open(folder / f"all.{ending}", "wb") as file:
        file.write(head + row(1) + b"\n")
        for number in range(count):
            file.write(kinds[number % len(kinds)][0] + b"\n")
            if number % 2:
                file.write(row(number) + b"\n")
    print(f"all.{ending}", 2 + head.count(b"\n"), kinds[0][1], sep="\t")


def main():
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    for ending, kinds, head, row in (("csv", CSV, HEAD, csv_row), ("svm", LIBSVM, b"", libsvm_row)):
        write_kinds(folder, ending, kinds, head, row)
        write_all(folder, ending, kinds, head, row, count)


main()
