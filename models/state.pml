/* What the model remembers: two storage servers, and what is between them.
 *
 * Server 0 is disk-a, Corosync's node 1; server 1 is disk-b.  Each is a process; `here` is its own
 * number and `there` the other one's.
 * Time is not in the model.  What can happen may happen now or arbitrarily late, but where a guard
 * rests on lengths of time: such a condition is marked ASSUMED, with its inequality of
 * src/sanglier/spec/budget.py where it has one.
 */
#ifndef FAULTS
#define FAULTS 4
#endif

#define here _pid
#define there (1 - _pid)
#define letter(x) ('a' + (x))

/* power */
#define OFF 0
#define RUNS 1
#define PAUSED 2 /* all of it stands still: no daemon, no timer, no I/O; it may go on at any time */

/* data, drbd.conf(5).  Outdated is not told apart from Consistent: neither is promoted. */
#define INCONSISTENT 0
#define CONSISTENT 1
#define UPTODATE 2

/* handler: drbd/fence-peer */
#define NONE 0
#define GRACE 1  /* waits; its side is open */
#define HOLD 2   /* holds its fire; its side is not */
#define AIMS 3   /* waits for quorum and for up-to-date data, then shoots */
#define SHOT 4   /* stonith_admin is under way */
#define HIT 5    /* the switch said that it has done it */
#define KILLED 6 /* somebody killed the handler: DRBD says "helper broken" and stays frozen */

/* side: VOL-open, Pacemaker's resource (cluster/cib.py: _side) */
#define STOPPED 0
#define STARTING 1
#define STARTED 2
#define STOPPING 3

/* switch_ */
#define WORKS 0
#define FAILS 1 /* does nothing, and says so */
#define SLOW 2  /* does it, and says so too late: a failure for who asked */
#define LIES 3  /* does nothing, and says that it has */

/* kill */
#define ORDERED 1
#define DONE 2 /* and not told yet; with a liar it is not done at all */

byte budget = FAULTS;
bool cut;        /* the replication link */
bool no_witness; /* it is down, or its qnetd is */
bool moving;     /* `sanglier move` was asked for, and has not begun */
#ifdef LASTING
byte lasts;      /* a fault that never ends: 1, 2: disk-a, disk-b stays off; 3: the cut */
#define ends(number) (lasts != number)
#elif defined(STAYS_CUT)
#define ends(number) (number != 3)
#else
#define ends(number) true
#endif
#ifdef TWO
byte first = 1;  /* where another volume is open, the one that decides; 2: nowhere */
#endif

byte power[2] = RUNS;
bool cutM[2];    /* its management link: Corosync's second, the witness, the power switches */
byte switch_[2]; /* the power switch of this server */
bool hung[2];    /* its disk answers nothing */

bool member[2] = true; /* Corosync here sees the other one */
bool stale[2];         /* it was paused: what Corosync here says is of before */
bool vote[2];          /* believes that it has the witness's vote */

bool started[2] = true;   /* DRBD is up here: Pacemaker starts it, not the boot */
bool connected[2] = true; /* DRBD here: Connected, or resyncing */
bool primary[2] = true;
byte data[2] = UPTODATE;
bool alone[2];            /* went on alone: its own generation, and "peer outdated" in its metadata */
bool all[2] = true;       /* this leg has every acknowledged write */
bool frozen[2];           /* suspended I/O */

#ifdef OPENED     /* on disk-a, from the beginning; otherwise Pacemaker opens one of them */
bool open[2] = {true, false};
byte side[2] = {STARTED, STOPPED};
#else
bool open[2];     /* ALUA: the target takes I/O, in whatever port group */
byte side[2];     /* while STARTED the mark of agents/alua is there */
#endif
bool no_group[2]; /* our port group is gone, and the LUN in LIO's own */
bool stuck[2];    /* VOL-open could not be stopped: Pacemaker has this server fenced */

byte handler[2];
bool departed[2]; /* the peer has left Corosync's membership since this handler began */
bool counts[2];   /* the fencing history has a kill of the peer that is not in the note */
byte kill[2];     /* of this server, by the other one */
bool old[2];      /* ... which was begun before it has last joined */
bool dead[2];     /* Pacemaker here takes the other one for dead */
#ifdef A1
bool history[2];  /* there is a kill of the peer in the fencing history, from whenever */
bool future[2];   /* ... and by this server's clock it is yet to come */
#endif
#ifdef A4
bool mute[2];     /* corosync-quorumtool fails, this once */
#endif

#define running (power[here] == RUNS)
#define both_run (power[0] == RUNS && power[1] == RUNS)
#define talk (both_run && (!cut || (!cutM[0] && !cutM[1]))) /* over one of Corosync's links */
#define together (talk && member[0] && member[1])
#define linked (both_run && !cut && started[0] && started[1])
#define quorate(x) (member[x] || vote[x])
/* drbd/fence-peer: open_here().  The mark and the state: a side opened by hand is none. */
#define open_by_order(x) (open[x] && side[x] == STARTED)
#define serves(x) (power[x] == RUNS && open[x] && !frozen[x] && !hung[x])

/* Who must not be shot: a server that works and that Corosync sees, whose handler waits or shoots or
 * is about to begin, and whose side is open, or which comes first where none is.  With two volumes
 * the side of the other one, the first, counts on both servers.
 * ASSUMED (I12): its own shot has hit before the other may stop holding its fire. */
#ifdef TWO
#define is_first(x) (first == x)
#define nobody_is_first (first == 2)
#else
#define is_first(x) open_by_order(x)
#define nobody_is_first (!open_by_order(0) && !open_by_order(1))
#endif
#define waits(x) (handler[x] == GRACE || handler[x] == HOLD || handler[x] == AIMS || \
    handler[x] == SHOT)
#define will_notice(x) (connected[x] && primary[x] && !alone[x])
#define comes_first(x, y) (handler[x] == GRACE || (handler[x] != HOLD && is_first(x)) || \
    (handler[y] == HOLD && handler[x] != GRACE && !is_first(y) && x == 0))
#define able(x, y) (talk && member[x] && data[x] == UPTODATE && !hung[x] && \
    switch_[y] == WORKS && !cutM[x] && (waits(x) || will_notice(x)))
#define spared(x, y) (able(x, y) && comes_first(x, y))

/* With a fault that lasts, only who was Primary on data that is up to date can be asked to go on. */
#ifdef LASTING
#define promised (lasts == 0 || (power[0] == RUNS && primary[0] && data[0] == UPTODATE) || \
    (power[1] == RUNS && primary[1] && data[1] == UPTODATE))
#else
#define promised true
#endif

#define violated(what) printf(what); assert(false)

/* A server loses its power, or is reset: all that is not on its disk is gone. */
inline falls(x) {
    power[x] = OFF; hung[x] = false; member[x] = false; stale[x] = false; vote[x] = false;
    started[x] = false; connected[x] = false; primary[x] = false; frozen[x] = false;
    /* drbd_nl.c: without "peer outdated" in its metadata it comes up as Consistent. */
    if :: data[x] == UPTODATE && !alone[x] -> data[x] = CONSISTENT :: else fi;
    open[x] = false; no_group[x] = false; side[x] = STOPPED; stuck[x] = false;
    handler[x] = NONE; departed[x] = false; counts[x] = false; dead[x] = false;
    kill[1 - (x)] = 0; old[1 - (x)] = false; /* the fence agents that ran here */
#ifdef TWO
    if :: first == x -> first = 2 :: else fi;
#endif
#ifdef A1
    future[x] = false;
#endif
#ifdef A4
    mute[x] = false;
#endif
}
