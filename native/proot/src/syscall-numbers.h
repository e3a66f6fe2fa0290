// Numbers that the build machine's headers may be too old to know; they are the same on every processor.
#ifndef ANYPROC_SYSCALL_NUMBERS_H
#define ANYPROC_SYSCALL_NUMBERS_H

#include <sys/syscall.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_statmount
#define SYS_statmount 457
#endif
#ifndef SYS_listmount
#define SYS_listmount 458
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#define SYS_getxattrat 464
#define SYS_listxattrat 465
#define SYS_removexattrat 466
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif
#ifndef SYS_file_getattr
#define SYS_file_getattr 468
#define SYS_file_setattr 469
#endif

// The newest call whose meaning the table knows; the filter answers ENOSYS to later ones.
#define SYSCALL_LAST_KNOWN 469

#endif
