    /* DRBD 8.4 of Linux 6.1, as drbd/desired.py sets it. */

    /* drbd/desired.py: disk_options(), resource-and-stonith; drbd_receiver.c: conn_disconnect();
     * drbd_state.c: sanitize_state().  A Primary that loses
     * its peer freezes and calls the handler, unless it knows that its peer's data is behind. */
    :: d_step { running && connected[here] && (!linked || !connected[there]) -> lost(here) }
    /* drbd/desired.py: net_options(), ko-count.  The peer's disk completes nothing for us. */
    :: d_step { linked && connected[here] && connected[there] && hung[there] && open[here] -> lost(here) }

    /* drbd/desired.py: CAREFUL; drbd_receiver.c: drbd_sync_handshake().  Who went on alone is the
     * source; a Primary never becomes a target (rr-conflict disconnect).  It ends a freeze.  A
     * handler of before has no say any more: drbd/fence-peer: look() ends it, and DRBD ignores a
     * 7 that comes later. */
    :: d_step { here == 0 && linked && !connected[0] && !connected[1] && !hung[0] && !hung[1] &&
            !(alone[0] && primary[1]) && !(alone[1] && primary[0]) ->
        if
        :: alone[0] && alone[1] -> violated("VIOLATED: both legs went on alone: split brain\n")
        :: alone[0] && !alone[1] -> data[1] = INCONSISTENT
        :: alone[1] && !alone[0] -> data[0] = INCONSISTENT
        :: else -> data[0] = UPTODATE; data[1] = UPTODATE
        fi;
        connected[0] = true; connected[1] = true; frozen[0] = false; frozen[1] = false;
        handler[0] = NONE; handler[1] = NONE;
        printf("DRBD: both are connected\n") }

    /* drbd_worker.c: drbd_resync_finished().  The target first, the source a round trip later: in
     * between the one says UpToDate, and the other takes it for Inconsistent. */
    :: d_step { linked && connected[here] && connected[there] && data[here] == INCONSISTENT &&
            !hung[0] && !hung[1] ->
        data[here] = UPTODATE; all[here] = all[there];
        printf("the resync of disk-%c is done\n", letter(here)) }
    /* drbd_worker.c: drbd_resync_finished(), as the source. */
    :: d_step { linked && connected[here] && connected[there] && alone[here] && data[there] == UPTODATE ->
        alone[here] = false; printf("disk-%c knows that disk-%c is up to date\n", letter(here), letter(there)) }

    /* drbd/desired.py: net_options(), protocol C.  A write that is acknowledged by who is alone:
     * the other leg does not have it. */
    :: d_step { serves(here) && primary[here] && !connected[here] && alone[here] && all[there] ->
        all[there] = false; printf("disk-%c acknowledges writes, alone\n", letter(here)) }
