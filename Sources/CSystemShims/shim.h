#ifndef CSYSTEMSHIMS_SHIM_H
#define CSYSTEMSHIMS_SHIM_H
#include <spawn.h>
#include <errno.h>
#include <sys/socket.h>
#include <time.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

// Seconds since 1970.
static inline double socketio_wall_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// Writes to a socket that does not block. Returns how many bytes it took, 0 if none, also if it has failed: whoever writes next learns that.
static inline long socketio_send(int file, const void *bytes, unsigned long count) {
#if defined(MSG_NOSIGNAL)
    long sent = send(file, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent > 0 ? sent : 0;
#else
    return 0;
#endif
}

// Gives unused memory of the C allocator back to the system, where that can be asked for.
static inline void socketio_trim_memory(void) {
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}

#if defined(__GLIBC__)
// Behind a feature macro in the header, which Swift's own import of the C library does not set.
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);

// Lets a child that is going to be started begin with no open file from `first` on.
static inline int socketio_close_files_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}
#endif
#endif
