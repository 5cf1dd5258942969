"""Writes a C++ source that holds the files of a folder: embed_files.py FOLDER OUTPUT. For each its path, content type, hash, content, and
the same in gzip where that is smaller. The same files give the same source."""

import gzip
import hashlib
import pathlib
import sys

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}

HEAD = """// Made by cmake/embed_files.py.
#include "controller/http/page.hpp"

namespace covey::api {

namespace {

using namespace std::string_view_literals;

constexpr PageFile kFiles[] = {
"""
TAIL = """};

}  // namespace

std::span<const PageFile> page_files() { return kFiles; }

}  // namespace covey::api
"""


def literal(content: bytes) -> str:
    """Of three octal digits each, where a byte is no plain character: no digit that follows can become part of them."""
    if not content:
        return '""sv'
    plain = {byte: chr(byte) for byte in range(0x20, 0x7F) if chr(byte) not in '"\\?'}
    lines = [content[at : at + 2048] for at in range(0, len(content), 2048)]
    return "\n".join('"' + "".join(plain.get(byte, f"\\{byte:03o}") for byte in line) + '"' for line in lines) + "sv"


def entry(path: str, content: bytes) -> str:
    kind = TYPES.get(pathlib.PurePosixPath(path).suffix)
    if kind is None:
        sys.exit(f"embed_files.py: {path}: no content type is known for its ending; there are {', '.join(TYPES)}")
    packed = gzip.compress(content, 9, mtime=0)
    if len(packed) >= len(content):
        packed = b""
    digest = hashlib.sha256(content).hexdigest()[:16]
    return f'{{"{path}", "{kind}", "{digest}",\n{literal(content)},\n{literal(packed)}}},\n'


def main() -> None:
    folder, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    files = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file() and not file.name.startswith(".")}
    if "index.html" not in files:
        sys.exit(f"embed_files.py: there is no index.html in {folder}")
    # Sorted as std::string_view is, by bytes.
    entries = [entry(path, files[path].read_bytes()) for path in sorted(files, key=lambda path: path.encode())]
    output.write_text(HEAD + "".join(entries) + TAIL)


if __name__ == "__main__":
    main()
