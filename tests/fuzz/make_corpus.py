#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/fuzz/corpus, a few inputs for each target in the form its source tells of, and those of
tests/fuzz/regressions that were found by reading.

Files called good* are accepted (tests/fuzz/replay_test.cpp), and start long ways of mutations.
"""
import gzip
import io
import json
import pathlib
import struct
import zipfile

import numpy as np

here = pathlib.Path(__file__).parent


def write(target, name, content, kind="corpus"):
    folder = here / kind / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def part(content):
    return bytes([len(content)]) + content


def idx(kind, sizes, values):
    return bytes([0, 0, kind, len(sizes)]) + b"".join(struct.pack(">I", size) for size in sizes) + values


def npy(array):
    header = f"{{'descr': '{array.dtype.str}', 'fortran_order': False, 'shape': {array.shape}, }}".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header) + 1) + header + b"\n" + array.tobytes()


def write_csv():
    plain = b"a,b,label\n1,2.5,0\n-3e2,+4,1\n5,.5,0\n"
    words = b"height;colour;label\n1;red;x\n2;green;y\n;blue;x\n4;\"r\"\"ed\";y\n"
    write("csv", "good_plain", b"\0" + plain)
    write("csv", "good_bom_crlf", b"\0\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n"))
    write("csv", "good_regression", b"\x80" + b"1,2,0.5\n3,4,1e3\n")
    write("csv", "good_standardize", b"\x40" + plain)
    write("csv", "good_onehot_mean", b"\x05" + words)
    write("csv", "good_embed_zero", b"\x0a" + words)
    write("csv", "good_hash_indicator", b"\x0f" + words)
    write("csv", "good_skip", b"\x10" + b"1,2,0\n3,x,1\n4,\"5\"\n6,7,1\n")
    write("csv", "good_weight", b"\x20" + b"x\tw\ty\n1\t0.5\t0\n2\t2\t1\n")
    write("csv", "ragged", b"\0" + b"1,2,0\n3,1\n")
    write("csv", "nul", b"\0" + b"1,2,0\n3,\0,1\n")


def write_libsvm():
    plain = b"1 1:2 3:-0.5 7:1e-3 # note\n-1 2:0.25 7:3\n"
    write("libsvm", "good_plain", b"\0" + plain)
    write("libsvm", "good_hash", b"\2" + b"a 99999999999:2\nb 5:1 6:2\n")
    write("libsvm", "good_features", b"\x10" + plain)
    write("libsvm", "good_minmax_balanced", b"\x60" + plain)
    write("libsvm", "good_weights", b"\0" + b"1:0.5 1:2\n0:2 3:4\n")
    write("libsvm", "good_libffm", b"\x41" + b"1 0:3:1 1:2:0.5\n0 0:1:1 1:9:2\n")
    write("libsvm", "good_skip", b"\4" + b"1 1:2\n0 5:1 3:1\n0 2:2\n")
    write("libsvm", "good_regression", b"\x88" + b"0.5 0:1\n1e3 1:1\n")
    write("libsvm", "huge_index", b"\0" + b"1 1:2\n0 2147483648:1\n")


def write_arrays():
    labels = idx(8, [2], b"\0\1")
    write("idx", "good_bytes", b"\0" + part(labels) + idx(8, [2, 2, 2], bytes(range(8))))
    write("idx", "good_floats", b"\1" + part(labels) + idx(13, [2, 2], struct.pack(">4f", 1, 2, 3, -4)))
    write("idx", "good_shorts", b"\2" + part(labels) + idx(11, [2, 2], struct.pack(">4h", 1, 2, 3, -4)))
    write("idx", "good_doubles", b"\4" + part(labels) + idx(14, [2, 1], struct.pack(">2d", 1, -4)))
    write("idx", "good_zipped", b"\0" + part(labels) + gzip.compress(idx(8, [2, 2], b"abcd"), mtime=0))
    write("idx", "zero_and_huge", b"\0" + part(labels) + idx(8, [0, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF], b""))
    floats = np.array([[1, 2, 0], [3, 4, 1]], "<f4")
    write("npy", "good_floats", b"\0" + npy(floats))
    write("npy", "good_weight", b"\6" + npy(floats))
    write("npy", "good_labels", b"\1" + part(npy(np.array([0, 1], "<i8"))) + npy(np.arange(6, dtype="u1").reshape(2, 3)))
    write("npy", "good_regression", b"\x0c" + npy(np.array([[1, 2.5], [3, 4.5]], "<f8")))
    write("npy", "zero_and_huge", b"\0" + npy(floats).replace(b"(2, 3)", b"(0, 9999999999, 9999999999)"))


def npz(method, **arrays):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, array in arrays.items():
            file.writestr(zipfile.ZipInfo(name + ".npy"), npy(array), method)
    return archive.getvalue()


def write_archives():
    floats, labels = np.array([[1, 2, 0], [3, 4, 1]], "<f4"), np.array([0, 1], "u1")
    write("npz", "good_stored", b"\0" + npz(zipfile.ZIP_STORED, x=floats, y=labels))
    write("npz", "good_deflated", b"\5" + npz(zipfile.ZIP_DEFLATED, x=floats, y=labels))
    write("npz", "good_alone_weight", b"\2" + npz(zipfile.ZIP_DEFLATED, a=floats))
    write("npz", "good_bytes_regression", b"\x08" + npz(zipfile.ZIP_STORED, labels=floats[:, 0].copy(), images=labels.reshape(2, 1)))
    write("npz", "truncated", b"\0" + npz(zipfile.ZIP_STORED, x=floats, y=labels)[:-30])


def write_bytes():
    text = b"1,2,3\n4,5,6\n" * 20
    write("gz", "good_plain", text)
    write("gz", "good_gzip", gzip.compress(text, mtime=0))
    write("gz", "good_two_members", gzip.compress(b"a\nb", mtime=0) + gzip.compress(b"c\n", mtime=0))
    write("gz", "good_zstd", bytes.fromhex("28b52ffd0068610000342c352c360a312c322c300a"))
    write("gz", "truncated", gzip.compress(text, mtime=0)[:-9])


def cache(choice, kind, rows, features, row_bytes, data, metadata, label_bytes=4, has_weights=0, entries=0):
    up = lambda at: (at + 4095) // 4096 * 4096
    entries_at = 4096 if kind == 3 else 0
    rows_at = 4096 + (up(8 * entries) if kind == 3 else 0)
    checksums_at = up(rows_at + rows * row_bytes)
    metadata_at = up(checksums_at + (checksums_at - 4096 + 16383) // 16384 * 8)
    header = struct.pack("<8sIIQQII6Q", b"LSTPROWS", 1, kind, rows, features, label_bytes, has_weights, rows_at,
                         entries_at, entries, checksums_at, metadata_at, 0) + bytes(16)
    known = {"source": "s", "files": ["s"], "feature_names": [], "classes": [], "label_texts": [],
             "has_label_values": True, "label_numbers": [0.0, 1.0], "label_counts": [1, 1],
             "label_text_counts": [], "categories": [], "warnings": [], "bad_count": 0, "bad_lines": [],
             "content_hash": "", "identity": "", "lines": [[0, 0, 1]]}
    data += bytes(-len(data) % 16)
    return bytes([choice]) + header + bytes([len(data) // 16]) + data + json.dumps(known | metadata).encode()


def write_cache():
    floats = struct.pack("<6f", 1, 2, 0, 3, 4, 1)
    write("cache", "floats", cache(0, 0, 2, 2, 12, floats, {}))
    write("cache", "floats_split", cache(9, 0, 2, 2, 12, floats, {}))
    write("cache", "halves", cache(32, 1, 2, 2, 8, struct.pack("<eefeef", 1, 2, 0, 3, 4, 1), {}))
    write("cache", "bytes_streamed", cache(16, 2, 2, 2, 6, struct.pack("<BBfBBf", 1, 2, 0, 3, 4, 1), {}))
    write("cache", "categories", cache(4, 0, 2, 2, 12, struct.pack("<6f", 1, 0, 0, 3, 1, 1),
                                       {"categories": [[], ["red", "green"]]}))
    write("cache", "texts_weights", cache(0, 0, 2, 1, 12, struct.pack("<fIffIf", 1, 0x7FC00000, 1, 2, 0x7FC00001, .5),
                                          {"label_texts": ["a", "b"], "label_text_counts": [1, 1],
                                           "label_numbers": [], "label_counts": []}, has_weights=1))
    entries = struct.pack("<IfIfIf", 1, 2, 3, 4, 2, 5) + bytes(4072)
    write("cache", "sparse", cache(0, 3, 2, 0, 12, entries[:24], {}, entries=3))
    write("cache", "hashed", cache(0, 3, 2, 16, 12, entries[:24],
                                   {"hashed": {"bits": 4, "seed": 1, "columns": 2, "names": ["a", "b"]}}, entries=3))
    write("cache", "missing", cache(2, 0, 2, 2, 12, struct.pack("<6f", 1, 2, 0, 3, np.nan, 1),
                                    {"missing": {"row": 1, "feature": 1}}))


def tensors(metadata, shapes):
    header, at, data = {"__metadata__": metadata | {"checksum": "0" * 32}}, 0, b""
    for name, shape in shapes.items():
        values = np.arange(np.prod(shape), dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + len(values)]}
        at, data = at + len(values), data + values
    return json.dumps(header, separators=(",", ":")).encode() + b"\n" + data


def checkpoint(state, vectors):
    """A manifest in one line, and the floats of the one part it tells of; the target puts the hashes right."""
    listed, pieces, floats = [], [], 0
    for name, shapes in vectors.items():
        tensors_of, size = [], 0
        for tensor, shape in shapes.items():
            tensors_of.append({"name": tensor, "shape": shape, "offset": size})
            size += int(np.prod(shape))
        pieces.append([len(listed), 0, size])
        listed.append({"name": name, "size": size, "tensors": tensors_of})
        floats += size
    manifest = {"format": "lockstep-checkpoint-2", "checksum": "0" * 32, "milestone": False, "vectors": listed,
                "parts": [{"file": "part-000.bin", "hash": "0" * 32, "pieces": pieces}], "state": json.dumps(state),
                "config": "[model]\nname = \"linear\"\n"}
    return json.dumps(manifest).encode() + b"\n" + np.arange(floats, dtype="<f4").tobytes()


def write_tensors():
    state = {"step": 3, "consumed": 6, "rows": 2, "average_count": 0, "skipped_steps": 0, "progressive": ["1", "inf"],
             "schedule": ["0.5"], "noise": [], "batch": [],
             "watch": {"best": 1.5, "best_step": 2, "since_best": 1}, "train_s": 0.25, "end_reason": 0,
             "canonical_config": "x", "data_fingerprint": "y", "trouble": ["0", "0", "0", "0"], "rewinds": []}
    good = checkpoint(state, {"weights": {"weight": [2, 1], "bias": [1]}, "state.mean": {"state.mean.weight": [2, 1]}})
    write("checkpoint", "good", good)
    write("checkpoint", "overlap", good.replace(b"[1, 0, 2]", b"[1, 0, 1]"))
    write("checkpoint", "outside", good.replace(b"[1, 0, 2]", b"[7, 0, 2]"))
    write("checkpoint", "huge", good.replace(b'"size": 2', b'"size": 18446744073709551615'))
    write("checkpoint", "deep", b'{"a": ' + b"[" * 300)
    schema = {"features": 2, "is_sparse": False, "index_base": 1, "classes": ["0", "1"], "feature_names": ["a", "b"],
              "shift": [0.5, 1.0], "scale": [1.0, 2.0]}
    model = {"format": "lockstep-model-1", "schema": json.dumps(schema), "parameters_hash": ""}
    write("model", "good_linear", tensors(model | {"config": "[model]\nname = \"linear\"\n"}, {"weight": [2, 1], "bias": [1]}))
    hashed = schema | {"features": 4, "is_sparse": True, "feature_names": [], "shift": [], "scale": [], "has_weights": True,
                       "hashed": {"bits": 2, "seed": 1, "columns": 2, "names": ["a", "b"]}}
    write("model", "good_hashed", tensors(model | {"config": "[model]\nname = \"linear\"\n", "schema": json.dumps(hashed)},
                                          {"weight": [4, 1], "bias": [1]}))
    mlp = "[model]\nname = \"mlp\"\nhidden = [3]\nembedding = 2\n"
    layers = {"layer0.weight": [2, 3], "layer0.bias": [3], "layer1.weight": [3, 2], "layer1.bias": [2]}
    write("model", "good_mlp", tensors(model | {"config": mlp}, layers))
    columns = {"count": 2, "embeds": True, "is_sparse": False, "names": [], "is_category": [False, True],
               "categories": [[], ["g", "r"]], "fill": [0.0, 0.0], "indicators": []}
    embedded = schema | {"columns": columns, "shift": [], "scale": [], "feature_names": []}
    layers = {"embedding": [2, 2], "layer0.weight": [3, 3], "layer0.bias": [3], "layer1.weight": [3, 2],
              "layer1.bias": [2]}
    write("model", "good_embedding", tensors(model | {"config": mlp, "schema": json.dumps(embedded)}, layers))
    write("model", "wide", tensors(model | {"config": mlp.replace("[3]", "[999999999999]")}, {"layer0.weight": [2, 3]}))


def write_config():
    write("config", "good", '[data]\ntrain = "demo:blobs"\n[model]\nname = "mlp"\nhidden = [8, 4]\n[optim]\nname = "adam"\n'
          'learning_rate = 1e-3\nbeta1 = 0.9\n[train]\nbatch = 32\nepochs = 2.5\n')
    write("config", "good_vary", '[model]\nname = "linear"\n[study.vary]\n"optim.learning_rate" = [0.1, 0.2]\n')
    write("config", "typo", "[optim]\nlearning_rat = 1\n")
    write("config", "deep", "a" + ".a" * 4000 + " = 1\n")
    write("config", "nested", "a = " + "[" * 300 + "\n")
    write("config", "itself", 'extends = ["config.toml"]\n')


def write_found():
    def found(target, name, content):
        write(target, name, content, "regressions")

    labels = part(idx(8, [2], b"\0\1"))
    found("idx", "sizes_behind_zero_overflow", b"\0" + labels + idx(8, [0] + [0xFFFFFFFF] * 3, b""))
    floats = npy(np.array([[1, 2, 0], [3, 4, 1]], "<f4"))
    found("npy", "sizes_behind_zero_overflow",
          b"\1" + part(npy(np.zeros(2, "u1")).replace(b"(2,)", b"(0, 9999999999, 9999999999)")) + floats)
    found("libsvm", "sums_for_a_huge_index", b"\x40" + b"1 1:2\n0 2147483648:1\n")
    found("config", "deep_keys_in_lists", "a = " + "".join("[{" + "k." * 300 + "k = \n" for _ in range(6)))
    found("config", "letter_for_a_blank", "a.\u03de = 1\n")
    found("config", "three_brackets", "[[[a]]]\nx = 1\n")
    data = struct.pack("<6f", 1, 0, 0, 3, 1, 1)
    texts = {"categories": [[], ["red", "green"]]}
    for code in (-1, 2, 1e30, .5):
        found("cache", f"category_{code}", cache(4, 0, 2, 2, 12, struct.pack("<6f", 1, 0, 0, 3, code, 1), texts))
    found("cache", "category_twice", cache(4, 0, 2, 2, 12, data, {"categories": [[], ["red", "red"]]}))
    found("cache", "categories_of_few_features", cache(4, 0, 2, 2, 12, data, {"categories": [["red"]]}))
    found("cache", "categories_of_bytes", cache(4, 2, 2, 2, 6, bytes(12), texts))
    found("cache", "line_overflows", cache(0, 0, 2, 2, 12, data, {"lines": [[-2**62, 0, 2**62], [0, -1, 2**62]]}))
    found("cache", "features_without_rows", cache(0, 1, 0, 2**31, 8, b"", {}))
    found("model", "twice", tensors({}, {"a": [1]}).replace(b'"a":', b'"a":{},"a":'))
    found("model", "type_is_a_number", tensors({}, {"a": [1]}).replace(b'"F32"', b"7"))
    model = (here / "corpus/model/good_mlp").read_bytes()
    for width in (999999999999, 9223372036854775807):
        found("model", f"width_{width}", model.replace(b"[3]", b"[%d]" % width, 1))
    linear = (here / "corpus/model/good_linear").read_bytes()
    found("model", "few_shifts", linear.replace(b"[0.5, 1.0]", b"[0.5]"))
    found("model", "negative_features", linear.replace(b'features\\": 2', b'features\\": -2'))


for step in (write_csv, write_libsvm, write_arrays, write_archives, write_bytes, write_cache, write_tensors, write_config, write_found):
    step()
