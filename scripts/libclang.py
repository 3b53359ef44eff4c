# SPDX-License-Identifier: BSD-2-Clause
"""Parses files with clang's library in this process, since starting clang takes five times as long
as parsing a typical file."""
import ctypes
import pathlib

WARNING = 2  # CXDiagnostic_Warning; notes and ignored diagnostics are lower


class Reader:
    """Tells whether clang has no warning for a file. Threads may share one."""

    def __init__(self, library):
        self.lib = lib = ctypes.CDLL(library)
        for name in ("clang_createIndex", "clang_getDiagnostic"):
            getattr(lib, name).restype = ctypes.c_void_p
        lib.clang_getDiagnostic.argtypes = [ctypes.c_void_p, ctypes.c_uint]
        lib.clang_parseTranslationUnit2.argtypes = [
            ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_void_p,
            ctypes.c_uint, ctypes.c_uint, ctypes.POINTER(ctypes.c_void_p)]
        for name in ("clang_disposeIndex", "clang_disposeTranslationUnit", "clang_getNumDiagnostics",
                     "clang_getDiagnosticSeverity", "clang_disposeDiagnostic"):
            getattr(lib, name).argtypes = [ctypes.c_void_p]

    def is_clean(self, options, file):
        """Returns whether a file, given by its path from the working directory, has no warnings or
        errors."""
        index, unit = self.lib.clang_createIndex(0, 0), ctypes.c_void_p()
        words = (ctypes.c_char_p * len(options))(*(word.encode() for word in options))
        failed = self.lib.clang_parseTranslationUnit2(index, file.encode(), words, len(options), None, 0, 0,
                                                      ctypes.byref(unit))
        if not failed:
            failed = any(self._severity(unit, n) >= WARNING for n in range(self.lib.clang_getNumDiagnostics(unit)))
            self.lib.clang_disposeTranslationUnit(unit)
        self.lib.clang_disposeIndex(index)
        return not failed

    def _severity(self, unit, n):
        diagnostic = self.lib.clang_getDiagnostic(unit, n)
        severity = self.lib.clang_getDiagnosticSeverity(diagnostic)
        self.lib.clang_disposeDiagnostic(diagnostic)
        return severity


def reader_of(compiler):
    """Returns a reader of the same version as the clang program at that path; None if its library
    is not installed."""
    folder = pathlib.Path(compiler).resolve().parent.parent / "lib"
    library = next((p for pattern in ("libclang.so.*", "libclang-[0-9]*.so*") for p in sorted(folder.glob(pattern))), None)
    return Reader(str(library)) if library else None
