/* Data disks with a volatile write cache: what was written and not flushed is lost with the power.
 *
 * Preloaded into the lab's kernel (user-mode Linux, an ordinary program) beside image/preload.c where
 * a lab was wished so.  Its block driver reads and writes a disk with pread64, pwrite64 and
 * fallocate64 (do_io() in arch/um/drivers/ubd_kern.c), all in one thread, and says to the guest that
 * there is a write cache.  Without this there is none that could be lost: a host dies by SIGKILL, and
 * the machine's page cache outlives it.
 *
 * A flush it says to be done and does not do: io_thread() calls do_io(), which would call fdatasync,
 * once for each piece of a request, and a flush has none (seen: 6.1.192, no fdatasync in a trace of
 * all threads while the guest syncs).  So it is taken from what that thread reads, pointers to
 * requests: one without pieces is a flush.  `lab up` asks whether one is seen.
 *
 * Here a write is held in memory that dies with the process, by blocks of 4 KiB, of which a disk
 * tears none.  A flush puts all of them into the file.  Now and then one is put there early, in no
 * order, as a disk does: so of what was not flushed all, some or nothing is lost, and in any order.
 * How eager a disk is, is drawn at each boot.  A kernel that ends by itself (power-off, reboot, panic
 * by exit) puts everything there first: its disks keep their power.
 *
 * SANGLIER_VOLATILE has the files' paths, with colons.  Beside each, PATH.cache tells four numbers of
 * 64 bits: writes, flushes, blocks put there early, and blocks held; the last is what a power loss
 * took.  SANGLIER_EAGERNESS, 0 to 255 of 256, is for tests. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BLOCK = 4096, SECTOR = 512, SLOTS = 4096, DISKS = 4, LONGEST = 480, REQUESTS = 64 };

/* Its beginning, struct io_thread_req; read from one end of a socketpair, up to 64 at a time. */
struct request {
    void *of_block_layer;
    int files[2];
    unsigned long offsets[2];
    unsigned long long offset;
    int sector_size, error, pieces;
};

struct counts { uint64_t writes, flushes, early, held; };

struct disk {
    dev_t device;
    ino_t inode;
    int file;            /* our own: the kernel's may be closed in between */
    uint64_t blocks;
    uint32_t *slot_of;   /* block -> slot + 1, or 0 */
    uint64_t *block_of;  /* slot -> block */
    uint8_t *mask;       /* slot -> which of its sectors are held, a bit each */
    char *data;
    struct counts *counts;
};

static struct disk disks[DISKS];
static int known = -1; /* number of disks; -1: not asked yet */
static long io_thread; /* the process that reads and writes disks */
static uint64_t dice;
static unsigned eagerness;
static pthread_mutex_t alone = PTHREAD_MUTEX_INITIALIZER;

static unsigned chance(unsigned below)
{
    dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17; /* xorshift64, Marsaglia 2003 */
    return (unsigned)(dice >> 16) % below;
}

/* Shared, so that no clone of the kernel (each process of the guest is one) makes a copy of it. */
static void *memory(size_t size)
{
    void *found = mmap(0, size, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return found == MAP_FAILED ? 0 : found;
}

static struct counts *told(const char *path)
{
    char name[LONGEST + 8];
    void *found;
    int file;
    strcpy(name, path), strcat(name, ".cache");
    file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, BLOCK) < 0) return 0;
    found = mmap(0, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (found == MAP_FAILED) return 0;
    memset(found, 0, sizeof(struct counts));
    return found;
}

static int add(const char *path)
{
    struct disk *disk = disks + known;
    struct stat seen;
    disk->file = open(path, O_RDWR | O_CLOEXEC);
    if (disk->file < 0 || fstat(disk->file, &seen) < 0) return -1;
    disk->device = seen.st_dev, disk->inode = seen.st_ino;
    disk->blocks = seen.st_size / BLOCK;
    disk->slot_of = memory(disk->blocks * sizeof(uint32_t) + BLOCK);
    disk->block_of = memory(SLOTS * sizeof(uint64_t));
    disk->mask = memory(SLOTS);
    disk->data = memory((size_t)SLOTS * BLOCK);
    disk->counts = told(path);
    if (!disk->slot_of || !disk->block_of || !disk->mask || !disk->data || !disk->counts) return -1;
    known++;
    return 0;
}

static int let_all_go(struct disk *disk);
extern int __cxa_atexit(void (*)(void *), void *, void *);

static void keep_all(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&alone);
    for (int i = 0; i < known; i++) let_all_go(disks + i);
    pthread_mutex_unlock(&alone);
}

/* A disk that cannot be held must not look as if it were: the kernel ends. */
static void begin(void)
{
    const char *paths = getenv("SANGLIER_VOLATILE"), *eager = getenv("SANGLIER_EAGERNESS"), *end;
    char path[LONGEST];
    known = 0;
    syscall(SYS_getrandom, &dice, sizeof dice, 0);
    dice |= 1;
    eagerness = eager ? (unsigned)atoi(eager) : chance(256);
    for (; paths && *paths; paths = *end ? end + 1 : end) {
        end = strchr(paths, ':');
        if (!end) end = paths + strlen(paths);
        if (end - paths >= LONGEST || known == DISKS) abort();
        memcpy(path, paths, end - paths), path[end - paths] = 0;
        if (add(path) < 0) abort();
    }
    if (known) __cxa_atexit(keep_all, 0, 0);
}

static struct disk *find(int file)
{
    struct stat seen;
    if (known < 0) begin();
    if (!known || fstat(file, &seen) < 0) return 0;
    for (int i = 0; i < known; i++)
        if (disks[i].inode == seen.st_ino && disks[i].device == seen.st_dev) return disks + i;
    return 0;
}

static int put(struct disk *disk, const char *from, size_t size, off64_t at)
{
    while (size) {
        ssize_t done = syscall(SYS_pwrite64, disk->file, from, size, at);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return -1;
        from += done, size -= done, at += done;
    }
    return 0;
}

/* Put a block into the file, each stretch of its held sectors at once; the last one takes its place. */
static int let_go(struct disk *disk, uint32_t slot)
{
    uint32_t last = disk->counts->held - 1;
    char *data = disk->data + (size_t)slot * BLOCK;
    for (int from = 0, to; from < BLOCK / SECTOR; from = to + 1) {
        for (to = from; to < BLOCK / SECTOR && disk->mask[slot] & 1 << to; to++) {}
        if (to > from && put(disk, data + from * SECTOR, (to - from) * SECTOR,
                             disk->block_of[slot] * BLOCK + from * SECTOR) < 0)
            return -1;
    }
    disk->slot_of[disk->block_of[slot]] = 0;
    if (slot != last) {
        memcpy(data, disk->data + (size_t)last * BLOCK, BLOCK);
        disk->mask[slot] = disk->mask[last];
        disk->block_of[slot] = disk->block_of[last];
        disk->slot_of[disk->block_of[slot]] = slot + 1;
    }
    disk->counts->held = last;
    return 0;
}

static int let_all_go(struct disk *disk)
{
    while (disk->counts->held)
        if (let_go(disk, disk->counts->held - 1) < 0) return -1;
    return 0;
}

static int early(struct disk *disk)
{
    disk->counts->early++;
    return let_go(disk, chance(disk->counts->held));
}

/* Hold some sectors, all of one block. */
static int hold(struct disk *disk, const char *from, size_t size, off64_t at)
{
    uint64_t block = at / BLOCK;
    uint32_t slot = disk->slot_of[block];
    int first = at % BLOCK / SECTOR;
    if (!slot) {
        if (disk->counts->held == SLOTS && early(disk) < 0) return -1;
        slot = ++disk->counts->held;
        disk->slot_of[block] = slot;
        disk->block_of[slot - 1] = block;
        disk->mask[slot - 1] = 0;
    }
    memcpy(disk->data + (size_t)(slot - 1) * BLOCK + at % BLOCK, from, size);
    for (size_t i = 0; i < size / SECTOR; i++) disk->mask[slot - 1] |= 1 << (first + i);
    return 0;
}

/* What does not fit the scheme goes straight into the file, behind all that is held. */
static int fits(struct disk *disk, size_t size, off64_t at)
{
    return at % SECTOR == 0 && size % SECTOR == 0 && (at + size) <= disk->blocks * BLOCK;
}

static ssize_t keep(struct disk *disk, const char *from, size_t size, off64_t at)
{
    size_t done = 0;
    disk->counts->writes++;
    if (!fits(disk, size, at)) {
        if (let_all_go(disk) < 0 || put(disk, from, size, at) < 0) return -1;
        return size;
    }
    while (done < size) {
        size_t piece = BLOCK - (at + done) % BLOCK;
        if (piece > size - done) piece = size - done;
        if (hold(disk, from + done, piece, at + done) < 0) return -1;
        done += piece;
    }
    if (disk->counts->held && chance(256) < eagerness && early(disk) < 0) return -1;
    return size;
}

/* Lay what is held over what the file has. */
static void overlay(struct disk *disk, char *to, size_t size, off64_t at)
{
    for (off64_t sector = at / SECTOR; sector * SECTOR < (off64_t)(at + size); sector++) {
        uint64_t block = sector * SECTOR / BLOCK;
        uint32_t slot = block < disk->blocks ? disk->slot_of[block] : 0;
        off64_t from = sector * SECTOR, end = from + SECTOR;
        if (!slot || !(disk->mask[slot - 1] & 1 << (from % BLOCK / SECTOR))) continue;
        if (from < at) from = at;
        if (end > (off64_t)(at + size)) end = at + size;
        memcpy(to + (from - at), disk->data + (size_t)(slot - 1) * BLOCK + from % BLOCK, end - from);
    }
}

ssize_t pwrite64(int file, const void *from, size_t size, off64_t at)
{
    struct disk *disk = find(file);
    ssize_t done;
    if (!disk) return syscall(SYS_pwrite64, file, from, size, at);
    if (!io_thread) io_thread = syscall(SYS_getpid);
    pthread_mutex_lock(&alone);
    done = keep(disk, from, size, at);
    pthread_mutex_unlock(&alone);
    return done;
}

ssize_t pread64(int file, void *to, size_t size, off64_t at)
{
    struct disk *disk = find(file);
    ssize_t done = syscall(SYS_pread64, file, to, size, at);
    if (!disk || done <= 0) return done;
    if (!io_thread) io_thread = syscall(SYS_getpid);
    pthread_mutex_lock(&alone);
    overlay(disk, to, done, at);
    pthread_mutex_unlock(&alone);
    return done;
}

static int flush(int file)
{
    struct disk *disk = find(file);
    int done;
    if (!disk) return 0;
    pthread_mutex_lock(&alone);
    disk->counts->flushes++;
    done = let_all_go(disk);
    pthread_mutex_unlock(&alone);
    return done;
}

/* Before the writes that are read with it: those were not answered yet when it was asked for. */
ssize_t read(int file, void *to, size_t size)
{
    ssize_t done = syscall(SYS_read, file, to, size);
    struct request **asked = to;
    struct stat seen;
    if (!io_thread || size != REQUESTS * sizeof *asked || done <= 0 || done % sizeof *asked ||
        syscall(SYS_getpid) != io_thread || fstat(file, &seen) < 0 || !S_ISSOCK(seen.st_mode))
        return done;
    for (size_t i = 0; i < done / sizeof *asked; i++)
        if (asked[i]->pieces == 0 && flush(asked[i]->files[0]) < 0) abort();
    return done;
}

int fdatasync(int file) { return flush(file) < 0 ? -1 : syscall(SYS_fdatasync, file); }
int fsync(int file) { return flush(file) < 0 ? -1 : syscall(SYS_fsync, file); }

int fallocate64(int file, int mode, off64_t at, off64_t size)
{
    return flush(file) < 0 ? -1 : syscall(SYS_fallocate, file, mode, at, size);
}

int execvp(const char *path, char *const words[])
{
    int (*next)(const char *, char *const[]) =
        (int (*)(const char *, char *const[]))dlsym(RTLD_NEXT, "execvp");
    keep_all(0);
    return next(path, words);
}
