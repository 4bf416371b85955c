// A library that TestUnsynced has loaded before the C library: it writes down what SQLite
// writes to files below $DISK_DIR and when it has that synchronised, in the order in which
// it happens, at the end of $DISK_LOG. Each record is a line, and for W the octets:
//
//	W path offset length     T path length     S path     U path (unlinked)

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int out = -1;

static void put(const void *b, size_t n) {
	const char *p = b;
	while (n > 0) {
		long k = syscall(SYS_write, out, p, n);
		if (k <= 0) abort();
		p += k;
		n -= k;
	}
}

static void note_path(char what, const char *path, long long a, long long b, const void *data, size_t n) {
	char line[PATH_MAX + 64];
	const char *dir = getenv("DISK_DIR"), *log = getenv("DISK_LOG");
	int k;
	if (!dir || !log) return;
	if (strncmp(path, dir, strlen(dir)) != 0) return;
	pthread_mutex_lock(&lock);
	if (out < 0) out = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT, 0600);
	k = snprintf(line, sizeof line, "%c %s %lld %lld\n", what, strrchr(path, '/') + 1, a, b);
	put(line, k);
	if (n) put(data, n);
	pthread_mutex_unlock(&lock);
}

static void note(char what, int fd, long long a, long long b, const void *data, size_t n) {
	char link[64], path[PATH_MAX];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t k = readlink(link, path, sizeof path - 1);
	if (k <= 0) return;
	path[k] = 0;
	note_path(what, path, a, b, data, n);
}

#define REAL(name) (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t pwrite(int fd, const void *b, size_t n, off_t at) {
	ssize_t k = (REAL(pwrite))(fd, b, n, at);
	if (k > 0) note('W', fd, at, k, b, k);
	return k;
}

ssize_t pwrite64(int fd, const void *b, size_t n, off64_t at) {
	ssize_t k = (REAL(pwrite64))(fd, b, n, at);
	if (k > 0) note('W', fd, at, k, b, k);
	return k;
}

ssize_t write(int fd, const void *b, size_t n) {
	off_t at = lseek(fd, 0, SEEK_CUR);
	ssize_t k = (REAL(write))(fd, b, n);
	if (k > 0) note('W', fd, at, k, b, k);
	return k;
}

int ftruncate(int fd, off_t n) {
	int k = (REAL(ftruncate))(fd, n);
	if (k == 0) note('T', fd, n, 0, 0, 0);
	return k;
}

int ftruncate64(int fd, off64_t n) {
	int k = (REAL(ftruncate64))(fd, n);
	if (k == 0) note('T', fd, n, 0, 0, 0);
	return k;
}

int fsync(int fd) {
	int k = (REAL(fsync))(fd);
	if (k == 0) note('S', fd, 0, 0, 0, 0);
	return k;
}

int fdatasync(int fd) {
	int k = (REAL(fdatasync))(fd);
	if (k == 0) note('S', fd, 0, 0, 0, 0);
	return k;
}

int unlink(const char *path) {
	int k = (REAL(unlink))(path);
	if (k == 0) note_path('U', path, 0, 0, 0, 0);
	return k;
}
