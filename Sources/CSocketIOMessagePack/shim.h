// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#ifndef CMESSAGEPACK_SHIM_H
#define CMESSAGEPACK_SHIM_H
#include <msgpack.h>
#endif
