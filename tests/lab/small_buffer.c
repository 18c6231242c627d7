/* Preloaded before preload.so it makes a kernel one whose buffer has 832 bytes: less than any
 * machine with AVX-512 has, as 2,696 are less than one with AMX has. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/uio.h>

enum { GETREGSET = 0x4204, SETREGSET = 0x4205, X86_XSTATE = 0x202, SMALL = 832 };

long ptrace(int request, int pid, void *addr, void *data)
{
    static long (*next)(int, int, void *, void *);
    struct iovec *given = data;
    if (!next) next = dlsym(RTLD_NEXT, "ptrace");
    if ((request == GETREGSET || request == SETREGSET) && (long)addr == X86_XSTATE)
        if (given->iov_len > SMALL) given->iov_len = SMALL;
    return next(request, pid, addr, data);
}
