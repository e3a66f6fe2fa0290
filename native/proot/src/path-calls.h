// The handlers behind path_call(), and what they share.
#ifndef ANYPROC_PATH_CALLS_H
#define ANYPROC_PATH_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "call.h"
#include "path.h"

// path-calls-open.c
call_handler call_open, call_openat, call_creat;
// path-calls-openat2.c
call_handler call_openat2;
// path-calls-stat.c
call_handler call_stat, call_lstat, call_fstat, call_newfstatat, call_statx, call_statfs, call_access, call_faccessat,
    call_faccessat2, call_name_to_handle_at;
// path-calls-readlink.c
call_handler call_readlink, call_readlinkat;
// path-calls-directory.c
call_handler call_chdir, call_fchdir, call_getcwd;
// path-calls-root.c
call_handler call_chroot, call_pivot_root;
// path-calls-mount.c
call_handler call_mount, call_umount2;
// path-calls-entry.c
call_handler call_mkdir, call_mkdirat, call_mknod, call_mknodat, call_symlink, call_symlinkat, call_rmdir, call_unlink,
    call_unlinkat;
// path-calls-rename.c
call_handler call_rename, call_renameat, call_renameat2, call_link, call_linkat;
// path-calls-attribute.c
call_handler call_chmod, call_fchmod, call_fchmodat, call_fchmodat2, call_chown, call_lchown, call_fchownat, call_truncate,
    call_utime, call_utimes, call_futimesat, call_utimensat, call_fchown, call_file_getattr, call_file_setattr;
// path-calls-xattr.c
call_handler call_plain_xattr, call_descriptor_xattr, call_xattrat;
// path-calls-watch.c
call_handler call_inotify_add_watch, call_fanotify_mark;
// path-calls-socket.c
call_handler call_bind, call_connect, call_sendto, call_socket_name, call_accept, call_recvfrom;
// path-calls-message.c
call_handler call_sendmsg, call_sendmmsg, call_recvmsg, call_recvmmsg;

static inline int descriptor_argument(const struct call *call, int index) {
  return (int)call->argument[index];
}

static inline const char *path_argument(const struct call *call, int index) {
  return (const char *)call->argument[index];
}

// Whether the call is about `dirfd` itself: AT_EMPTY_PATH with an empty path or, as newer kernels allow, none.
bool names_descriptor(const char *guest_path, long flags);

// The call as the guest made it, on a path argument that names the descriptor before it.
long pass_on(const struct call *call, int descriptor_index);

// The call as the guest made it, deferred.
long call_later(struct call *call);

// pass_on() for a call that changes the object: -EROFS on a read-only bind.
long pass_on_change(const struct call *call, int descriptor_index);
bool descriptor_is_read_only(int descriptor);
// The same for a call on an open file, which O_PATH does not make (open(2)).
long pass_on_file_change(const struct call *call);

// path_resolve() for a call that changes the object: -EROFS on a read-only bind.
long resolve_for_change(int dirfd, const char *guest_path, enum path_follow follow, struct place *out);

// path_resolve() for an entry about to be made: -EROFS on a read-only bind, but one that exists is -EEXIST even there.
long resolve_new(int dirfd, const char *guest_path, bool makes_directory, struct place *out);

struct opening {
  int dirfd;
  const char *path;
  long flags;
  long mode;
};

// openat(2), deferred when it may block.
long open_at(struct call *call, const struct opening *opening);

// What a read-only bind allows: everything but making, truncating and writing files. May take O_CREAT from the flags.
long check_read_only_open(struct place *place, long *flags);

#endif
