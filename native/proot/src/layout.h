// Where the shim's image lies in every guest process: where no loader, allocator or sanitizer wants memory.
#ifndef ANYPROC_LAYOUT_H
#define ANYPROC_LAYOUT_H

#define SHIM_TEXT 0x7e8f00000000 // its first page is the gate
#define SHIM_DATA 0x7e8f02000000

#endif
