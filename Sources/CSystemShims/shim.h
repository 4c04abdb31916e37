#ifndef CSYSTEMSHIMS_SHIM_H
#define CSYSTEMSHIMS_SHIM_H
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

// Gives unused memory of the C allocator back to the system, where that can be asked for.
static inline void socketio_trim_memory(void) {
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}
#endif
