/* syncshadow.c - a worst-case power cut for the files of one folder; needs neither root nor a file system of its own.
 *
 * Preloaded into a program, it copies a file below $SS_LIVE to the same name below $SS_DURABLE each time the program has
 * synced it with fsync() or fdatasync(), and removes the copy when the program removes the file. After the program was
 * killed, $SS_DURABLE holds what a disk with a volatile cache would still have after the plug was pulled: nothing that
 * was not synced survives. Names count as durable once their file was synced.
 *
 * build: cc -O2 -fPIC -shared -o syncshadow.so syncshadow.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t one_copy_at_a_time = PTHREAD_MUTEX_INITIALIZER;

/* Where the copy of `path` lies; 0 when `path` is not below the live folder. */
static int durable_name(const char *path, char *name, size_t size) {
    const char *live = getenv("SS_LIVE"), *durable = getenv("SS_DURABLE");
    if (!live || !durable) return 0;
    size_t length = strlen(live);
    if (strncmp(path, live, length) || path[length] != '/') return 0;
    return (size_t)snprintf(name, size, "%s%s", durable, path + length) < size;
}

static int copy(int in, int out, off_t size) {
    for (off_t at = 0; at < size;)
        if (sendfile(out, in, &at, size - at) <= 0) return 0;
    return 1;
}

/* A copy that could not be made must not look like a sync that the program left out: the program ends instead. */
static void fail(const char *path) {
    fprintf(stderr, "syncshadow: copy %s failed\n", path);
    abort();
}

static void keep(int fd) {
    char link[64], path[PATH_MAX], name[PATH_MAX], fresh[PATH_MAX + 8];
    struct stat status;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return;
    path[length] = 0;
    if (!durable_name(path, name, sizeof name)) return;
    if (fstat(fd, &status) || !S_ISREG(status.st_mode)) return;
    snprintf(fresh, sizeof fresh, "%s.fresh~", name);
    pthread_mutex_lock(&one_copy_at_a_time);
    int in = open(path, O_RDONLY | O_CLOEXEC), out = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (in < 0 || out < 0 || !copy(in, out, status.st_size)) fail(path);
    close(in);
    close(out);
    /* A kill meets the old copy or the new one, never half of one. */
    if (rename(fresh, name)) fail(path);
    pthread_mutex_unlock(&one_copy_at_a_time);
}

int fsync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    int result = real(fd);
    if (!result) keep(fd);
    return result;
}

int fdatasync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
    int result = real(fd);
    if (!result) keep(fd);
    return result;
}

int unlink(const char *path) {
    int (*real)(const char *) = dlsym(RTLD_NEXT, "unlink");
    char name[PATH_MAX];
    int result = real(path);
    if (!result && durable_name(path, name, sizeof name)) real(name);
    return result;
}
