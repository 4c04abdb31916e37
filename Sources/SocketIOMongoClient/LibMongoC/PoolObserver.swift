// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#if MongoDB
import CSocketIOLibMongoC
import SocketIOText

/// What libmongoc reports about a pool while it works.
final class PoolObserver: Sendable {
    let attempts = CommandAttempts()
    let answers = ServerAnswers()

    /// Registers with a pool that has handed out no client yet. The pool must not outlive `self`.
    func observe(_ pool: OpaquePointer) {
        guard let callbacks = mongoc_apm_callbacks_new() else { return }
        defer { mongoc_apm_callbacks_destroy(callbacks) }
        mongoc_apm_set_command_started_cb(callbacks) { event in
            guard let context = mongoc_apm_command_started_get_context(event),
                let name = mongoc_apm_command_started_get_command_name(event)
            else { return }
            Unmanaged<PoolObserver>.fromOpaque(context).takeUnretainedValue().attempts.started(String(cString: name))
        }
        mongoc_apm_set_server_changed_cb(callbacks) { event in
            guard let event, let context = mongoc_apm_server_changed_get_context(event) else { return }
            Unmanaged<PoolObserver>.fromOpaque(context).takeUnretainedValue().answers.changed(event)
        }
        _ = mongoc_client_pool_set_apm_callbacks(pool, callbacks, Unmanaged.passUnretained(self).toOpaque())
    }
}
#endif
