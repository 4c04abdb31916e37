// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#ifndef CZLIB_SHIM_H
#define CZLIB_SHIM_H
#include <zlib.h>
#endif
