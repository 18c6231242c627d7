/* What stands between the lab's kernel (user-mode Linux 6.1, an ordinary program) and the machine.
 *
 * Preloaded into it (LD_PRELOAD, see `boot`), always.  Two things of that kernel are mended here.
 *
 * 1. Wide registers.  It keeps a process's extended registers in a buffer of fixed size: 2,696
 *    bytes, AVX-512 and PKRU.  PTRACE_SETREGSET of NT_X86_XSTATE takes nothing but a whole area
 *    (xstateregs_set in the machine's arch/x86/kernel/fpu/regset.c), which on a processor with AMX
 *    is 11,008 bytes: EFAULT, and the first process of the guest dies in put_fp_registers.  So a set
 *    that is too short is padded with zeroes up to the machine's own size, and the components that
 *    do not lie wholly within what was given are marked as being in their initial state: XSTATE_BV,
 *    first word of the header at byte 512.  (XCOMP_BV, the second, is 0: ptrace(2) speaks the
 *    standard format, where each component has a fixed place, CPUID leaf 0xD.)  The guest loses
 *    nothing by it: it does not know of these components either.  Every size is the machine's, asked
 *    at run time; a still wider area changes nothing.  Where the kernel's buffer is wide enough
 *    nothing is copied.
 *
 * 2. Lost wake-ups.  Its descriptors are watched by an edge-triggered epoll set, which it reads when
 *    a SIGIO comes.  A tap sends the SIGIO before it wakes the set (tun_net_xmit in the machine's
 *    drivers/net/tun.c): a kernel that looks between the two finds nothing, and does not look again
 *    until the next frame, which after a lost last one is TCP's retransmission, 210 ms later.  So a
 *    thread waits on the set (that costs nothing while all is quiet); what is ready and still is
 *    after a pause is told by another SIGIO.  The thread takes no signal, belongs to the kernel's
 *    process (it is stopped, killed and replaced by exec with it) and is in none of the guest's, which
 *    are clones of the kernel's thread alone. */

#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <linux/ptrace.h> /* not sys/ptrace.h, whose ptrace is variadic: see below */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { XSAVE_HEADER = 512, XSAVE_LEAST = 576, COMPONENTS = 63, PAUSE_US = 2000 };

static char *area;       /* the machine's area, whole */
static size_t largest;   /* what `area` has room for */
static size_t whole;     /* the size that the machine's kernel reads and wants; 0: not known yet */

static void cpuid_xsave(uint32_t part, uint32_t out[4])
{
    __asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                             : "a"(0xD), "c"(part));
}

/* Which components (bits of XSTATE_BV) lie wholly within `size` bytes.  Kept: cpuid is dear in a
 * virtual machine, and this is asked at every system call of a guest, always with the same size. */
static uint64_t within(size_t size)
{
    static size_t known;
    static uint64_t mask;
    uint32_t at[4];
    if (size != known) {
        mask = 3; /* x87 and SSE: the legacy part */
        for (int i = 2; i < COMPONENTS; i++) {
            cpuid_xsave(i, at);
            if (at[0] && (size_t)at[1] + at[0] <= size) mask |= (uint64_t)1 << i;
        }
        known = size;
    }
    return mask;
}

static int read_whole(int pid)
{
    uint32_t most[4];
    struct iovec own;
    if (!area) {
        cpuid_xsave(0, most);
        largest = most[2];
        area = mmap(0, largest, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (area == MAP_FAILED) area = 0;
    }
    if (!area) return -1;
    own.iov_base = area, own.iov_len = largest;
    if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, NT_X86_XSTATE, &own) < 0) return -1;
    whole = own.iov_len;
    return 0;
}

static int get_registers(int pid, struct iovec *given)
{
    if (read_whole(pid) < 0) return -1;
    if (given->iov_len > whole) given->iov_len = whole;
    memcpy(given->iov_base, area, given->iov_len);
    return 0;
}

static int set_registers(int pid, struct iovec *given)
{
    struct iovec own;
    own.iov_base = area, own.iov_len = whole;
    memcpy(area, given->iov_base, given->iov_len);
    memset(area + given->iov_len, 0, whole - given->iov_len);
    *(uint64_t *)(area + XSAVE_HEADER) &= within(given->iov_len);
    return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, NT_X86_XSTATE, &own);
}

/* glibc's ptrace is variadic; on x86-64 its four arguments are in the same registers either way.
 * As glibc's does, it returns the word that PEEK reads, with errno 0 to tell -1 from an error. */
long ptrace(int request, int pid, void *addr, void *data)
{
    long word, result;
    struct iovec *given = data;
    if ((request == PTRACE_GETREGSET || request == PTRACE_SETREGSET) &&
        (long)addr == NT_X86_XSTATE && given->iov_len >= XSAVE_LEAST) {
        if (!whole && read_whole(pid) < 0) return -1;
        if (given->iov_len < whole)
            return request == PTRACE_GETREGSET ? get_registers(pid, given) : set_registers(pid, given);
    }
    if (request != PTRACE_PEEKTEXT && request != PTRACE_PEEKDATA && request != PTRACE_PEEKUSR)
        return syscall(SYS_ptrace, request, pid, addr, data);
    result = syscall(SYS_ptrace, request, pid, addr, &word);
    if (result < 0) return result;
    errno = 0;
    return word;
}

/* Tell the kernel's thread what it has not noticed; end with the set. */
static void *remind(void *set)
{
    struct pollfd ready;
    ready.fd = (int)(long)set, ready.events = POLLIN;
    while (poll(&ready, 1, -1) < 0 ? errno == EINTR : ready.revents == POLLIN) {
        usleep(PAUSE_US);
        if (poll(&ready, 1, 0) == 1 && ready.revents == POLLIN)
            syscall(SYS_tgkill, getpid(), getpid(), SIGIO);
    }
    return 0;
}

/* The kernel makes one set, when it sets up its interrupts. */
int epoll_create(int size)
{
    int set = syscall(SYS_epoll_create, size);
    sigset_t all, before;
    pthread_t thread;
    if (set < 0) return set;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_create(&thread, 0, remind, (void *)(long)set);
    pthread_sigmask(SIG_SETMASK, &before, 0);
    return set;
}
