// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#ifndef CLIBMONGOC_SHIM_H
#define CLIBMONGOC_SHIM_H

#include <mongoc/mongoc.h>

#if defined(__APPLE__)
#include <pthread.h>
#elif defined(__linux__)
#include <sys/prctl.h>
#endif

// bson_t is an over-aligned typedef that Swift must not keep on its stack, so everything that needs one lives here: documents go in
// as bytes and come out as a malloc'ed buffer.

typedef enum {
    CLIBMONGOC_RAW,
    CLIBMONGOC_READ,
    CLIBMONGOC_WRITE,
} clibmongoc_mode;

typedef struct {
    const uint8_t *bytes;
    size_t length;
} clibmongoc_document;

typedef struct {
    uint8_t *bytes;
    uint32_t length;
    bool ok;
    bson_error_t error;
} clibmongoc_reply;

static inline const char *clibmongoc_message(const bson_error_t *error) {
    return error->message;
}

static inline bool clibmongoc_build_options(bson_t *options, clibmongoc_document extra, const mongoc_client_session_t *session,
                                            uint32_t server_id, bson_error_t *error) {
    bson_t view;
    bson_init(options);
    if (extra.length > 0 && (!bson_init_static(&view, extra.bytes, extra.length) || !bson_concat(options, &view))) {
        bson_set_error(error, MONGOC_ERROR_BSON, MONGOC_ERROR_BSON_INVALID, "the options are no valid document");
        return false;
    }
    if (server_id != 0 && !bson_append_int32(options, "serverId", -1, (int32_t) server_id)) {
        bson_set_error(error, MONGOC_ERROR_BSON, MONGOC_ERROR_BSON_INVALID, "the options are too large");
        return false;
    }
    return session == NULL || mongoc_client_session_append(session, options, error);
}

// Runs one command. `reply.bytes` is owned by the caller (clibmongoc_free) and NULL when there is no reply.
static inline void clibmongoc_run(mongoc_client_t *client, clibmongoc_mode mode, const char *database, clibmongoc_document command,
                                  clibmongoc_document extra, const mongoc_client_session_t *session, uint32_t server_id,
                                  const mongoc_read_prefs_t *preference, clibmongoc_reply *reply) {
    bson_t body, options, answer;
    reply->bytes = NULL;
    reply->length = 0;
    reply->ok = false;
    memset(&reply->error, 0, sizeof(reply->error));
    if (!bson_init_static(&body, command.bytes, command.length)) {
        bson_set_error(&reply->error, MONGOC_ERROR_BSON, MONGOC_ERROR_BSON_INVALID, "the command is no valid document");
        return;
    }
    if (!clibmongoc_build_options(&options, extra, session, server_id, &reply->error)) {
        bson_destroy(&options);
        return;
    }
    switch (mode) {
    case CLIBMONGOC_READ:
        reply->ok = mongoc_client_read_command_with_opts(client, database, &body, preference, &options, &answer, &reply->error);
        break;
    case CLIBMONGOC_WRITE:
        reply->ok = mongoc_client_write_command_with_opts(client, database, &body, &options, &answer, &reply->error);
        break;
    default:
        reply->ok = mongoc_client_command_with_opts(client, database, &body, preference, &options, &answer, &reply->error);
        break;
    }
    bson_destroy(&options);
    reply->bytes = bson_destroy_with_steal(&answer, true, &reply->length);
}

// The replica set that a server said it belongs to, valid as long as the description; NULL if none.
static inline const char *clibmongoc_set_name(const mongoc_server_description_t *description) {
    bson_iter_t field;
    const bson_t *hello = mongoc_server_description_hello_response(description);
    if (hello == NULL || !bson_iter_init_find(&field, hello, "setName") || !BSON_ITER_HOLDS_UTF8(&field)) return NULL;
    return bson_iter_utf8(&field, NULL);
}

static inline void clibmongoc_free(void *bytes) {
    bson_free(bytes);
}

static inline void clibmongoc_name_thread(const char *name) {
#if defined(__APPLE__)
    pthread_setname_np(name);
#elif defined(__linux__)
    prctl(PR_SET_NAME, name, 0, 0, 0);
#endif
}

static inline const char *clibmongoc_host(const mongoc_host_list_t *host) {
    return host->host_and_port;
}

#endif
