// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#ifndef CLINUXEVENTS_SHIM_H
#define CLINUXEVENTS_SHIM_H
#include <sys/epoll.h>
#include <time.h>
#endif
