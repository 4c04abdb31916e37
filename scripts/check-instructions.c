// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

// Valgrind writes into the mask that a program gives to sigsuspend, and libdispatch gives it one in read-only memory: hand over a copy.
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

int sigsuspend(const sigset_t *mask) {
    sigset_t copy = *mask;
    return (int)syscall(SYS_rt_sigsuspend, &copy, (size_t)8);
}
