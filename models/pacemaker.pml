    /* Pacemaker, as cluster/cib.py sets it, and the agents. */

    /* cluster/cib.py: configuration().  A peer that is lost, or was never seen (startup-fencing),
     * is fenced, by who has quorum (no-quorum-policy freeze: who has none starts nothing and
     * keeps what runs). */
    :: d_step { running && quorate(here) && !member[here] && !dead[here] && kill[there] == 0 ->
        kill[there] = ORDERED; printf("Pacemaker on disk-%c fences disk-%c\n", letter(here), letter(there)) }
    /* cluster/cib.py: _side().  A stop that fails ends in fencing. */
    :: d_step { running && together && stuck[there] && kill[there] == 0 ->
        kill[there] = ORDERED;
        printf("Pacemaker on disk-%c fences disk-%c, which could not shut\n", letter(here), letter(there)) }

    /* cluster/cib.py: _mirror().  DRBD is started, so its peer has joined, or is dead. */
    :: d_step { running && quorate(here) && (member[here] || dead[here]) && !started[here] ->
        started[here] = true; printf("Pacemaker starts DRBD on disk-%c\n", letter(here)) }
    /* cluster/cib.py: _mirror(), adjust_master_score.  It is promoted where the data is up to date. */
    :: d_step { running && quorate(here) && (member[here] || dead[here]) && started[here] && !primary[here] &&
            data[here] == UPTODATE && ((connected[here] && !alone[there]) || (!connected[here] && alone[here])) ->
        primary[here] = true; printf("Pacemaker promotes disk-%c\n", letter(here)) }
    /* cluster/cib.py: _mirror(); drbd_nl.c: drbd_set_role().  Without its peer DRBD asks the handler
     * first, unless it remembers that the peer is outdated (M1 in rules.pml). */
    :: d_step { running && quorate(here) && (member[here] || dead[here]) && started[here] && !primary[here] &&
            data[here] == UPTODATE && !connected[here] && !alone[here] && handler[here] == NONE &&
            may_promote_alone ->
        begins(here);
        printf("disk-%c is to be promoted without its peer: the handler begins\n", letter(here)) }

    /* cluster/cib.py: _rules().  VOL-open runs on one server, where the target does.  Both decide
     * it together while they talk; otherwise the other one is dead. */
    :: d_step { running && quorate(here) && primary[here] && data[here] == UPTODATE && !frozen[here] &&
            !no_group[here] && !hung[here] && side[here] == STOPPED && !stuck[here] &&
            ((together && side[there] == STOPPED && !stuck[there]) || dead[here]) ->
        side[here] = STARTING; printf("Pacemaker starts the side of disk-%c\n", letter(here)) }
    /* agents/side: start().  It waits for Primary, UpToDate and not suspended, then opens. */
    :: d_step { running && side[here] == STARTING && primary[here] && data[here] == UPTODATE &&
            !frozen[here] && !no_group[here] ->
        side[here] = STARTED; open[here] = true;
        printf("the side of disk-%c is open\n", letter(here));
        if :: !all[here] -> violated("VIOLATED: a side opens without every acknowledged write\n")
           :: else fi;
        if :: open_by_order(there) -> violated("VIOLATED: two sides are open\n") :: else fi }
    /* cluster/cib.py: _side().  A start ends after 60 s. */
    :: d_step { running && side[here] == STARTING && (frozen[here] || no_group[here]) ->
        side[here] = STOPPED; printf("the side of disk-%c could not be started\n", letter(here)) }

#ifdef TWO
    /* cluster/cib.py: _rules().  The other volume's side, likewise. */
    :: d_step { running && quorate(here) && primary[here] && first == 2 && (together || dead[here]) ->
        first = here; printf("the side of the first volume is open on disk-%c\n", letter(here)) }
#endif

    /* cluster/change.py: move().  Begun only while DRBD is not frozen. */
    :: d_step { running && moving && side[here] == STARTED && together && !frozen[here] && primary[there] &&
            data[there] == UPTODATE ->
        moving = false; side[here] = STOPPING; open[here] = false;
        printf("a move: disk-%c shuts\n", letter(here)) }
    /* agents/side: monitor(), shut_all().  The monitor finds the group shut or gone, or that a read
     * does not come back; stop shuts every group first ... */
    :: d_step { running && side[here] == STARTED && (!open[here] || no_group[here] || (hung[here] && !frozen[here])) ->
        side[here] = STOPPING;
        if :: shuts_all(here) -> open[here] = false :: else fi;
        printf("the side's monitor on disk-%c fails: it is to be stopped\n", letter(here)) }
    /* agents/side: drained().  ... and ends when nothing is in flight, nor frozen. */
    :: d_step { running && side[here] == STOPPING && !hung[here] && !frozen[here] ->
        side[here] = STOPPED; stuck[here] = false; printf("the side of disk-%c is stopped\n", letter(here)) }
    /* cluster/cib.py: _side().  A stop fails after 20 s. */
    :: d_step { running && side[here] == STOPPING && hung[here] && !stuck[here] ->
        stuck[here] = true; printf("the side of disk-%c cannot be drained\n", letter(here)) }

    /* agents/target: watch().  It shuts what nobody may have opened. */
    :: d_step { running && watched && open[here] && side[here] == STOPPED ->
        open[here] = false;
        printf("the target's monitor on disk-%c shuts what nobody may have opened\n", letter(here)) }
    /* agents/target: make().  A group that is gone is made again, shut. */
    :: d_step { running && no_group[here] && side[here] == STOPPED ->
        no_group[here] = false; printf("the port group on disk-%c is made again\n", letter(here)) }
