"""What the checks share: which files there are, and how a problem is told.

A check is a function that takes the root of a tree and yields problems, one
line each: `path:line: what is wrong`. It reads; it never changes anything.
"""
import pathlib

# Everything that ends up in an image. Tests live by fewer rules.
PRODUCT = ("boot", "kernel", "drivers", "net", "libc-shim", "apps")
TESTS = ("tests",)


def files(root, folders, *suffixes):
    """Every file below root/folder with one of the suffixes, sorted."""
    for folder in folders:
        for path in sorted(pathlib.Path(root, folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path


def name(root, path):
    """The path as it stands in messages and in #include lines."""
    return path.relative_to(root).as_posix()
