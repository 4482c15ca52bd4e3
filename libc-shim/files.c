/*
 * libc-shim/files.c - the three files there are: 0, 1 and 2.
 *
 * Output goes to the console as it is written; input is at its end. There is
 * no file system: every path is unknown.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/console.h"

/* newlib declares these where POSIX wants them, or not at all. */
int stat(const char *restrict path, struct stat *restrict out);
int mkdir(const char *path, mode_t mode);

static int fail(int number)
{
    errno = number;
    return -1;
}

static bool is_console(int file)
{
    return file >= STDIN_FILENO && file <= STDERR_FILENO;
}

_READ_WRITE_RETURN_TYPE write(int file, const void *data, size_t bytes)
{
    if (file != STDOUT_FILENO && file != STDERR_FILENO)
        return fail(EBADF);
    console_write(data, bytes);
    return (_READ_WRITE_RETURN_TYPE)bytes;
}

_READ_WRITE_RETURN_TYPE read(int file, void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return file == STDIN_FILENO ? 0 : fail(EBADF);
}

int close(int file)
{
    return is_console(file) ? 0 : fail(EBADF);
}

int isatty(int file)
{
    return is_console(file) ? 1 : fail(EBADF);
}

int fstat(int file, struct stat *out)
{
    if (!is_console(file))
        return fail(EBADF);
    *out = (struct stat){.st_mode = S_IFCHR | 0600, .st_blksize = 512};
    return 0;
}

off_t lseek(int file, off_t offset, int whence)
{
    (void)offset;
    (void)whence;
    return fail(is_console(file) ? ESPIPE : EBADF);
}

int fcntl(int file, int command, ...)
{
    if (!is_console(file))
        return fail(EBADF);
    return command == F_GETFL ? O_RDWR : 0;
}

int open(const char *path, int flags, ...)
{
    (void)path;
    (void)flags;
    return fail(ENOENT);
}

int stat(const char *restrict path, struct stat *restrict out)
{
    (void)path;
    (void)out;
    return fail(ENOENT);
}

int unlink(const char *path)
{
    (void)path;
    return fail(ENOENT);
}

int link(const char *from, const char *to)
{
    (void)from;
    (void)to;
    return fail(ENOENT);
}

int mkdir(const char *path, mode_t mode)
{
    (void)path;
    (void)mode;
    return fail(EROFS);
}
