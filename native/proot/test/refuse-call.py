#!/usr/bin/env python3
"""Runs a command in a sandbox that refuses system calls, as containers do: refuse-call.py ERRNO NUMBER... -- COMMAND...

seccomp(2): the filter loads the number, compares it with each refused one, and answers with the errno.
"""
import ctypes
import os
import struct
import sys

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000

at = sys.argv.index("--")
error, numbers, command = int(sys.argv[1]), [int(number) for number in sys.argv[2:at]], sys.argv[at + 1 :]
code = [(LOAD_WORD, 0, 0, 0)]
for number in numbers:
    code += [(JUMP_IF_EQUAL, 0, 1, number & 0xFFFFFFFF), (RETURN, 0, 0, ERRNO | error)]
code.append((RETURN, 0, 0, ALLOW))
text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in code))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(text)))
libc = ctypes.CDLL(None, use_errno=True)
for call in (
    (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
    (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_void_p(ctypes.addressof(program)), 0, 0),
):
    if libc.prctl(*call) != 0:
        sys.exit(f"refuse-call.py: {os.strerror(ctypes.get_errno())}")
os.execvp(command[0], command)
