    /* Corosync and the witness, as cluster/corosync.py sets them. */

    /* cluster/corosync.py: _totem().  Token and consensus have run out. */
    :: d_step { running && member[here] && (!talk || !member[there]) ->
        member[here] = false; stale[here] = false; departed[here] = (handler[here] != NONE);
        printf("Corosync on disk-%c has lost disk-%c\n", letter(here), letter(there)) }
    /* cluster/corosync.py: _totem().  After a pause Corosync looks anew. */
    :: d_step { running && stale[here] && (!member[here] || together) -> stale[here] = false }

    /* cluster/corosync.py: _totem().  Both form a membership.  That makes every note of before
     * void (drbd/fence-peer: look_up()) and Pacemaker see the other one again. ASSUMED: a fence
     * agent's answer that waits to be read is read before (moments; totem: seconds). */
    :: d_step { here == 0 && talk && !member[0] && !member[1] && later_than_a_word ->
        member[0] = true; member[1] = true; vote[0] = false; vote[1] = false;
        stale[0] = false; stale[1] = false; dead[0] = false; dead[1] = false;
        counts[0] = false; counts[1] = false; old[0] = (kill[0] != 0); old[1] = (kill[1] != 0);
        printf("Corosync: both servers are together\n") }

    /* cluster/corosync.py: _quorum(), ffsplit.  The vote goes to one side; of two that are heard
     * to the lowest node, and only when neither believes any more to be with the other. */
    :: d_step { running && !no_witness && !cutM[here] && !member[here] && !vote[here] &&
            (power[there] != RUNS || cutM[there] || (here == 0 && !member[there])) ->
        vote[here] = true;
        if :: power[there] == RUNS && !cutM[there] -> vote[there] = false :: else fi;
        printf("the witness votes for disk-%c\n", letter(here)) }
    /* cluster/corosync.py: _quorum().  qdevice's timeout: at any time, so both may believe to
     * have it. */
    :: d_step { running && vote[here] && (no_witness || cutM[here]) ->
        vote[here] = false; printf("disk-%c loses the vote of the witness\n", letter(here)) }
