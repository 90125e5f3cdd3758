/* iofault.c - one write or one sync of a program fails, or is said to have succeeded when it has not.
 *
 * Preloaded into a program before syncshadow.so, it counts the writes (FAULT_CALL=write) or the syncs (FAULT_CALL=sync)
 * of the files below $SS_LIVE. The one with the number $FAULT_AT does nothing and fails with the error number
 * $FAULT_ERRNO, and the file $FAULT_MARK then holds the name of the file it was for. With FAULT_LIES set, that one and
 * all that follow do nothing and report success: a disk that promises what it does not keep.
 *
 * build: cc -O2 -fPIC -shared -o iofault.so iofault.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

/* Whether the file lies below the live folder; its name. */
static int is_ours(int fd, char *path) {
    const char *live = getenv("SS_LIVE");
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (!live || length <= 0) return 0;
    path[length] = 0;
    size_t prefix = strlen(live);
    return !strncmp(path, live, prefix) && path[prefix] == '/';
}

/* What becomes of this call: 0 goes on, 1 fails, 2 is a lie. */
static int fate(const char *call, int fd) {
    const char *wanted = getenv("FAULT_CALL"), *at = getenv("FAULT_AT"), *mark = getenv("FAULT_MARK");
    char path[PATH_MAX];
    if (!wanted || !at || strcmp(wanted, call) || !is_ours(fd, path)) return 0;
    long number = atomic_fetch_add(&calls, 1) + 1, due = atol(at);
    int lies = getenv("FAULT_LIES") != NULL;
    if (number < due || (number > due && !lies)) return 0;
    if (number == due && mark) {
        FILE *file = fopen(mark, "w");
        if (!file) abort();
        fputs(path, file);
        fclose(file);
    }
    return lies ? 2 : 1;
}

static int failed(void) {
    const char *number = getenv("FAULT_ERRNO");
    errno = number ? atoi(number) : EIO;
    return -1;
}

#define WRITES(name, position)                                                     \
    ssize_t name(int fd, const void *bytes, size_t count, position at) {           \
        ssize_t (*real)(int, const void *, size_t, position) = dlsym(RTLD_NEXT, #name); \
        switch (fate("write", fd)) {                                               \
        case 1: return failed();                                                   \
        case 2: return (ssize_t)count;                                             \
        default: return real(fd, bytes, count, at);                                \
        }                                                                          \
    }

WRITES(pwrite, off_t)
WRITES(pwrite64, off64_t)

ssize_t write(int fd, const void *bytes, size_t count) {
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    switch (fate("write", fd)) {
    case 1: return failed();
    case 2: return (ssize_t)count;
    default: return real(fd, bytes, count);
    }
}

#define SYNCS(name)                                           \
    int name(int fd) {                                        \
        int (*real)(int) = dlsym(RTLD_NEXT, #name);           \
        switch (fate("sync", fd)) {                           \
        case 1: return failed();                              \
        case 2: return 0;                                     \
        default: return real(fd);                             \
        }                                                     \
    }

SYNCS(fsync)
SYNCS(fdatasync)
