// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import SwiftSocketIO

/// The files of a folder, read once and served from memory, so that no request can name a file outside of it.
struct StaticFiles: Sendable {
    private var files = NameMap<StaticFile>()

    /// Reads the files of a folder, without those in folders below and hidden ones.
    init(directory: URL) async throws {
        for file in try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil, options: .skipsHiddenFiles)
        where !file.hasDirectoryPath {
            files["/" + file.lastPathComponent] = try await StaticFile(path: file.path)
        }
    }

    /// The answer to a request, or nil if no file has its path. `/` means `index.html`.
    func response(to request: EngineHTTPRequest) -> EngineHTTPResponse? {
        let path = String(request.path)
        return files[path == "/" ? "/index.html" : path]?.response(to: request.head)
    }
}
