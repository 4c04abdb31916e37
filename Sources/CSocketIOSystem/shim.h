// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

#ifndef CSYSTEMSHIMS_SHIM_H
#define CSYSTEMSHIMS_SHIM_H
#include <arpa/inet.h>
#include <spawn.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/random.h>
#include <time.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

// Fills at most 256 bytes from the system's generator. Returns 0 if it could.
static inline int socketio_random(void *bytes, unsigned long count) {
#if defined(__linux__)
    return getrandom(bytes, count, 0) == (long)count ? 0 : -1;
#else
    return getentropy(bytes, count);
#endif
}

// Seconds since 1970.
static inline double socketio_wall_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// Reads the text of an IP address into 16 bytes, of which version 4 uses the first 4. Returns the version, or 0 if it is not an address.
static inline int socketio_parse_address(const char *text, uint8_t *bytes) {
    if (inet_pton(AF_INET, text, bytes) == 1) return 4;
    return inet_pton(AF_INET6, text, bytes) == 1 ? 6 : 0;
}

// Writes to a socket that does not block. Returns how many bytes it took; 0 also if it has failed, which the next write reports.
static inline long socketio_send(int file, const void *bytes, unsigned long count) {
#if defined(MSG_NOSIGNAL)
    long sent = send(file, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent > 0 ? sent : 0;
#else
    return 0;
#endif
}

// Reads from a socket that does not block. Returns how many bytes there were; 0 also if it has ended or failed, which the next read
// reports.
static inline long socketio_receive(int file, void *bytes, unsigned long count) {
    long received = recv(file, bytes, count, MSG_DONTWAIT);
    return received > 0 ? received : 0;
}

// One block of SHA-1 (RFC 3174).
static inline void socketio_sha1_block(uint32_t state[5], const uint8_t *block) {
    uint32_t word[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (int i = 0; i < 16; i++) {
        word[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    }
    for (int i = 16; i < 80; i++) {
        uint32_t mixed = word[i - 3] ^ word[i - 8] ^ word[i - 14] ^ word[i - 16];
        word[i] = mixed << 1 | mixed >> 31;
    }
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20 ? ((b & c) | (~b & d)) : i < 40 ? (b ^ c ^ d) : i < 60 ? ((b & c) | (b & d) | (c & d)) : (b ^ c ^ d);
        uint32_t k = i < 20 ? 0x5a827999u : i < 40 ? 0x6ed9eba1u : i < 60 ? 0x8f1bbcdcu : 0xca62c1d6u;
        uint32_t next = (a << 5 | a >> 27) + f + e + k + word[i];
        e = d;
        d = c;
        c = b << 30 | b >> 2;
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

// The answer to a WebSocket key of at most 64 bytes (RFC 6455, section 4.2.2): 28 characters. It is written here because it is part
// of every handshake: two blocks of SHA-1. A library's hash would add arrays and strings to each of them.
static inline void socketio_websocket_accept(const uint8_t *key, unsigned long length, uint8_t *accept) {
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t text[128] = {0}, digest[21] = {0};
    uint32_t state[5] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u};
    if (length > 64) length = 64;
    memcpy(text, key, length);
    memcpy(text + length, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
    length += 36;
    unsigned long size = length < 56 ? 64 : 128;
    text[length] = 0x80;
    text[size - 2] = (uint8_t)(length * 8 >> 8);
    text[size - 1] = (uint8_t)(length * 8);
    for (unsigned long i = 0; i < size; i += 64) socketio_sha1_block(state, text + i);
    for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
    for (int i = 0; i < 7; i++) {
        uint32_t bits = (uint32_t)digest[3 * i] << 16 | (uint32_t)digest[3 * i + 1] << 8 | digest[3 * i + 2];
        for (int j = 0; j < 4; j++) accept[4 * i + j] = (uint8_t)base64[bits >> (18 - 6 * j) & 63];
    }
    accept[27] = '=';
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
