    /* DRBD's fence-peer handler.  begins() in guard.pml is its beginning. */

    /* drbd/fence-peer: lost(), see().  The waiting ends when Corosync has lost the peer ... */
    :: d_step { running && (handler[here] == GRACE || handler[here] == HOLD) && seems_lost(here) ->
        printf("the handler on disk-%c: disk-%c is lost\n", letter(here), letter(there));
        if :: member[here] && spared(there, here) -> violated("VIOLATED: a server is shot that the rules spare\n")
           :: else fi;
        handler[here] = AIMS; heard(here) }
    /* drbd/fence-peer: open_here().  ... or when its side is open here, and GRACE is over ... */
    :: d_step { running && handler[here] == GRACE && member[here] ->
        printf("the handler on disk-%c: its side is open, it has waited long enough\n", letter(here));
        if :: spared(there, here) -> violated("VIOLATED: a server is shot that the rules spare\n")
           :: else fi;
        handler[here] = AIMS }
    /* drbd/fence-peer: open_here().  ... or when it is not, and HOLD is over. */
    :: d_step { running && handler[here] == HOLD && member[here] && hold_is_over ->
        printf("the handler on disk-%c: it has held its fire long enough\n", letter(here));
        if :: spared(there, here) -> violated("VIOLATED: a server is shot that the rules spare\n")
           :: else fi;
        handler[here] = AIMS }

    /* drbd/fence-peer: confirmed().  Pacemaker by itself, or a person, has done it since. */
    :: d_step { running && handler[here] == AIMS && quorate(here) &&
            ((counts[here] && !member[here]) || counts_by_clock(here)) ->
        handler[here] = HIT; departed[here] = true;
        printf("the handler on disk-%c: a kill of disk-%c counts\n", letter(here), letter(there)) }
    /* drbd/fence-peer: dead().  It shoots.  A shot is merged with a kill that is under way; older()
     * waits for one that was begun before the peer joined. */
    :: d_step { running && handler[here] == AIMS && quorate(here) && data[here] == UPTODATE && !old[there] &&
            view_settled(here) && disk_asked(here) ->
        if :: hung[here] && member[here] && able(there, here) ->
              violated("VIOLATED: a healthy server is shot by one whose disk hangs\n")
           :: else fi;
        handler[here] = SHOT;
        if :: kill[there] == 0 -> kill[there] = ORDERED :: else fi;
        printf("the handler on disk-%c shoots\n", letter(here)) }
    /* drbd/fence-peer: use_up(), exit 7; drbd_nl.c: conn_try_outdate_peer().  The peer is outdated, a
     * new generation begins, I/O goes on.  A kill counts for one loss. */
    :: d_step { running && handler[here] == HIT && has_left(here) ->
        handler[here] = NONE; frozen[here] = false; counts[here] = false;
        primary[here] = true; alone[here] = true;
        if :: open[here] && !all[here] -> violated("VIOLATED: a side goes on without every acknowledged write\n")
           :: else fi;
        printf("the handler on disk-%c: disk-%c is dead; DRBD thaws\n", letter(here), letter(there)) }

    /* drbd_nl.c: conn_try_outdate_peer(), "helper broken".  No matter once nothing is frozen. */
    :: d_step { running && handler[here] == KILLED && !frozen[here] -> handler[here] = NONE }
    /* agents/target: look_after_handler(); drbd/fence-peer: lacks_handler() (A6).  A monitor
     * on either server begins it again while DRBD is frozen without one. */
    :: d_step { running && handler[here] == KILLED && frozen[here] && reborn ->
        begins(here); printf("a monitor on disk-%c begins the handler again\n", letter(here)) }
