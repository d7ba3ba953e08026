/* Makes writes fail, and the clock jump: preloaded into the program under test. The file that FAULTS names says how: an error number,
   and of how many calls one fails; while it is missing or empty, nothing fails. Only files under FAULTS_UNDER are meant. The file that
   FAULTS_CLOCK names says by how many seconds the clock is wrong. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int fails(int fd)
{
    static unsigned calls;
    const char *plan = getenv("FAULTS"), *under = getenv("FAULTS_UNDER");
    char link[64], path[4096], text[64] = "";
    if (!plan || !under)
        return 0;
    FILE *file = fopen(plan, "re");
    if (!file)
        return 0;
    int error = 0, one_in = 1;
    if (!fgets(text, sizeof text, file) || sscanf(text, "%d %d", &error, &one_in) < 1)
        error = 0;
    fclose(file);
    if (!error)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    if (strncmp(path, under, strlen(under)) != 0 || __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED) % (unsigned)one_in)
        return 0;
    errno = error;
    return 1;
}

#define NEXT(name) static __typeof__(&name) next; if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t pwrite(int fd, const void *b, size_t n, off_t at) { NEXT(pwrite); return fails(fd) ? -1 : next(fd, b, n, at); }
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t at) { NEXT(pwrite64); return fails(fd) ? -1 : next(fd, b, n, at); }
ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at) { NEXT(pwritev); return fails(fd) ? -1 : next(fd, v, n, at); }
ssize_t pwritev64(int fd, const struct iovec *v, int n, off64_t at) { NEXT(pwritev64); return fails(fd) ? -1 : next(fd, v, n, at); }
ssize_t write(int fd, const void *b, size_t n) { NEXT(write); return fails(fd) ? -1 : next(fd, b, n); }
int fsync(int fd) { NEXT(fsync); return fails(fd) ? -1 : next(fd); }
int fdatasync(int fd) { NEXT(fdatasync); return fails(fd) ? -1 : next(fd); }
int ftruncate(int fd, off_t n) { NEXT(ftruncate); return fails(fd) ? -1 : next(fd, n); }
int ftruncate64(int fd, off64_t n) { NEXT(ftruncate64); return fails(fd) ? -1 : next(fd, n); }
int posix_fallocate(int fd, off_t at, off_t n) { NEXT(posix_fallocate); return fails(fd) ? errno : next(fd, at, n); }
int posix_fallocate64(int fd, off64_t at, off64_t n) { NEXT(posix_fallocate64); return fails(fd) ? errno : next(fd, at, n); }

/* How wrong the clock is, looked up twenty times a second. */
static long long wrong_by(int (*clock)(clockid_t, struct timespec *))
{
    static long long seconds, looked = -1;
    const char *path = getenv("FAULTS_CLOCK");
    struct timespec now;
    char text[32];
    if (!path || clock(CLOCK_MONOTONIC, &now))
        return 0;
    long long tick = now.tv_sec * 20LL + now.tv_nsec / 50000000;
    if (__atomic_exchange_n(&looked, tick, __ATOMIC_RELAXED) == tick)
        return __atomic_load_n(&seconds, __ATOMIC_RELAXED);
    FILE *file = fopen(path, "re");
    if (file) {
        if (fgets(text, sizeof text, file))
            __atomic_store_n(&seconds, atoll(text), __ATOMIC_RELAXED);
        fclose(file);
    }
    return __atomic_load_n(&seconds, __ATOMIC_RELAXED);
}

int clock_gettime(clockid_t id, struct timespec *t)
{
    NEXT(clock_gettime);
    int result = next(id, t);
    if (!result && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        t->tv_sec += wrong_by(next);
    return result;
}
int gettimeofday(struct timeval *t, void *zone)
{
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now))
        return -1;
    t->tv_sec = now.tv_sec;
    t->tv_usec = now.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *t)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now))
        return -1;
    if (t)
        *t = now.tv_sec;
    return now.tv_sec;
}
