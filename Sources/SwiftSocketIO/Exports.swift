// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

// `import SwiftSocketIO` is all that a server needs: its options and arguments have types of these two modules.
@_exported public import EngineIO
@_exported public import SocketIOCore
