/* The guard of a volume: two storage servers, and a world that does them harm.  models/check runs it;
 * docs/explanation/model.md tells what is modelled and what is not.
 */
#include "state.pml"
#include "rules.pml"

/* drbd/fence-peer: open_here().  It begins: its side is open here, or it is not. */
inline begins(x) {
    if
    :: goes_first(x) -> handler[x] = GRACE
    :: else -> handler[x] = HOLD
    fi;
    departed[x] = !member[x]
}

inline lost(x) {
    connected[x] = false;
    if
    :: primary[x] && !alone[x] ->
        frozen[x] = true; begins(x);
        printf("DRBD on disk-%c has lost its peer: frozen, the handler begins\n", letter(x))
    :: else -> printf("DRBD on disk-%c has lost its peer\n", letter(x))
    fi
}

/* drbd/fence-peer: dead().  A kill has failed; it is tried again. */
inline failed(x) {
    kill[1 - (x)] = 0; old[1 - (x)] = false;
    if :: handler[x] == SHOT -> handler[x] = AIMS :: else fi
}

active [2] proctype Server() {
    do
#include "corosync.pml"
#include "mirror.pml"
#include "handler.pml"
#include "pacemaker.pml"
#include "trouble.pml"
    od
}

active proctype World() {
    do
    :: d_step { budget > 0 && !cut -> budget--; cut = true; printf("FAULT: the replication link is cut\n") }
    :: d_step { cut && ends(3) -> cut = false; printf("the replication link is back\n") }
#ifndef MIRROR_ONLY
    :: d_step { budget > 0 && !no_witness -> budget--; no_witness = true; printf("FAULT: the witness dies\n") }
    :: d_step { no_witness -> no_witness = false; printf("the witness is back\n") }
    :: d_step { budget > 0 && !moving -> budget--; moving = true; printf("FAULT: a move is asked for\n") }
#endif
    /* cluster/change.py: unready().  A move that cannot begin is given up. */
    :: d_step { moving -> moving = false; printf("the move is given up\n") }
    /* The adversary may stop early, so that what few faults leave behind is looked at as well. */
    :: d_step { budget > 0 -> budget = 0; printf("no more faults\n") }
#ifdef LASTING
    /* One of them does not end: the cut, or a server that is off. */
    :: d_step { budget == 0 && lasts == 0 && cut -> lasts = 3; printf("the cut will last\n") }
    :: d_step { budget == 0 && lasts == 0 && power[0] == OFF -> lasts = 1; printf("disk-a will stay off\n") }
    :: d_step { budget == 0 && lasts == 0 && power[1] == OFF -> lasts = 2; printf("disk-b will stay off\n") }
#endif
    /* All faults have ended and nothing can happen any more. */
    :: atomic { timeout ->
        if
        :: open[0] && open[1] -> violated("VIOLATED: two sides stay open\n")
        :: !(open[0] && open[1]) && !serves(0) && !serves(1) && promised ->
            violated("VIOLATED: all faults have ended, and no side serves\n")
        :: else -> break
        fi }
    od
}
